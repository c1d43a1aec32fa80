"""Judging: a trial's queries through the scorers, and what came of each method."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from engine.evaluation.measures import measured, precision_at_recall
from engine.evaluation.ranks import DECIMALS, first, padded, ranks_of
from engine.evaluation.results import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from threading import Event

    from numpy.typing import NDArray

    from engine.evaluation.methods import Method
    from engine.evaluation.scoring import Scorer
    from engine.evaluation.trial import Trial

SHOWN = 6
"""How many of the first answers are kept, to be looked at."""


@dataclass(slots=True)
class _Tally:
    """One method's results so far, a block after the other."""

    index_bytes: int
    values: list[NDArray[np.float64]] = field(default_factory=list)
    curves: list[NDArray[np.float64]] = field(default_factory=list)
    nearest: list[NDArray[np.intp]] = field(default_factory=list)
    seconds: float = 0.0

    def take(self, trial: Trial, block: slice, costs: NDArray[np.float64], seconds: float) -> None:
        """Rank a block's answers and measure them."""
        start = time.perf_counter()
        ranks, nearest = [], []
        at = range(block.start, block.stop)
        for row, query in zip(np.round(costs, DECIMALS, out=costs), at, strict=True):
            if trial.own[query] >= 0:
                row[trial.own[query]] = np.inf
            ranks.append(ranks_of(row, trial.right[query], trial.order))
        self.seconds += seconds + time.perf_counter() - start
        nearest = [first(row, trial.order, SHOWN) for row in costs]
        relevant = trial.relevant[block]
        table = padded(ranks)
        self.values.append(measured(table, relevant))
        self.curves.append(precision_at_recall(table, relevant))
        self.nearest.append(np.stack(nearest))

    def outcome(self, method: Method) -> Outcome:
        values = np.concatenate(self.values)
        return Outcome(
            method,
            values,
            np.concatenate(self.curves).mean(axis=0),
            np.concatenate(self.nearest),
            self.seconds / len(values),
            self.index_bytes,
        )


def judged(
    trial: Trial,
    scorers: Sequence[Scorer],
    *,
    stop: Event | None = None,
    at_most: int | None = None,
    deadline: float | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Trial, list[Outcome]] | None:
    """Ask all queries by all methods.

    Args:
        trial: Who is asked, among whom.
        scorers: The ways of comparing; each block of queries goes through all of them.
        stop: Ends the work after the block in hand.
        at_most: Queries in a block, where that is to be less than fits in memory.
        deadline: A moment of `time.monotonic`. No block is begun that, taking as long as the one
            before, would end after it; the first block is always asked.
        progress: Told how many of the queries are done, and of how many.

    Returns:
        The trial as far as it was asked, and an outcome for each method; None if it was stopped.
    """
    step = min(scorer.at_once for scorer in scorers)
    step = step if at_most is None else min(step, at_most)
    lasted = 0.0
    tallies: dict[Method, _Tally] = {}
    total, done = len(trial.queries), 0
    while done < total:
        if stop is not None and stop.is_set():
            return None
        start = time.monotonic()
        if done and deadline is not None and start + lasted > deadline:
            break
        block = slice(done, min(done + step, total))
        for scorer in scorers:
            for method, costs, seconds in scorer.scored(block):
                tally = tallies.setdefault(method, _Tally(scorer.index_bytes))
                tally.take(trial, block, costs, seconds)
        done = block.stop
        lasted = time.monotonic() - start
        if progress is not None:
            progress(done, total)
    asked = (
        trial
        if done == total
        else replace(
            trial,
            queries=trial.queries[:done],
            query_rows=trial.query_rows[:done],
            own=trial.own[:done],
            right=trial.right[:done],
        )
    )
    return asked, [tally.outcome(method) for method, tally in tallies.items()]
