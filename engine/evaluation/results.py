"""Results: what an evaluation found, method by method, and which differences are real."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from engine.evaluation.estimates import Estimate, differs, estimates
from engine.evaluation.measures import MEASURES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from engine.evaluation.methods import Method
    from engine.evaluation.trial import Trial
    from engine.scan import Problem

MAIN = "mAP"
"""The measure that methods are ordered by: it looks at every right answer."""


@dataclass(frozen=True)
class Outcome:
    """How one method did.

    Attributes:
        method: What was compared, and how.
        values: (q, len(MEASURES)) each query's measures.
        curve: (21,) mean interpolated precision at `measures.RECALL_LEVELS`.
        nearest: (q, SHOWN) places in the gallery of the first answers, −1 where there are none.
        search_s: Seconds a query takes: comparing with the whole gallery and ordering it.
        prepare_s: Seconds that a picture takes from its file to its row; None where not measured.
        index_bytes: Memory that the gallery's rows take.
    """

    method: Method
    values: NDArray[np.float64]
    curve: NDArray[np.float64]
    nearest: NDArray[np.intp]
    search_s: float
    index_bytes: int
    prepare_s: float | None = None

    @cached_property
    def estimates(self) -> Mapping[str, Estimate]:
        """Mean and 95 % interval of each of `MEASURES`."""
        return dict(zip(MEASURES, estimates(self.values), strict=True))

    def of(self, measure: str) -> NDArray[np.float64]:
        """(q,) one measure of each query."""
        column: NDArray[np.float64] = self.values[:, MEASURES.index(measure)]
        return column


@dataclass(frozen=True)
class Evaluation:
    """What an evaluation found.

    Attributes:
        trial: The queries that were asked, and the gallery.
        outcomes: A result for each method, in the order of the methods.
        seconds: How long all of it took.
        problems: Files that could not be read.
        copies: Files left out because another has the same content.
    """

    trial: Trial
    outcomes: tuple[Outcome, ...]
    seconds: float
    problems: Sequence[Problem] = field(default=())
    copies: int = 0

    @property
    def ordered(self) -> list[Outcome]:
        """The outcomes, best first by mAP."""
        return sorted(self.outcomes, key=lambda each: -each.estimates[MAIN].value)

    def best(self, space: str | None = None) -> Outcome | None:
        """The exact method with the highest mAP, of one space or of all."""
        exact = [
            each
            for each in self.ordered
            if not each.method.is_approximate and space in {None, each.method.metric.space}
        ]
        return exact[0] if exact else None

    def equals(self, outcome: Outcome) -> list[Outcome]:
        """Other methods of its space whose mAP differs from this one's by no more than chance."""
        return [
            each
            for each in self.ordered
            if each is not outcome
            and each.method.metric.space == outcome.method.metric.space
            and not each.method.is_approximate
            and not differs(outcome.of(MAIN), each.of(MAIN))
        ]

    def by_category(self, outcome: Outcome, measure: str = MAIN) -> dict[str, float]:
        """Mean of a measure over each category's queries, by the category's name."""
        found: dict[str, list[float]] = defaultdict(list)
        for picture, value in zip(self.trial.queries, outcome.of(measure).tolist(), strict=True):
            found[picture.category].append(value)
        return {name: float(np.mean(found[name])) for name in sorted(found)}
