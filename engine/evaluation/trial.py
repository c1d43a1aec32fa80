"""A trial: which pictures are asked with, among which, and what the right answers are."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self

import numpy as np

from engine.evaluation.errors import no_counterparts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

Protocol = Literal["train-test", "leave-one-out"]


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture whose category is known; its id is made of its file's content."""

    id: str
    category: str
    path: Path | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """Queries and a gallery. A picture's right answers are the gallery's others of its category.

    Attributes:
        protocol: Whether the queries are pictures apart, or the gallery's own, each left out of the
            gallery while it is asked.
        queries: Pictures asked with that have a right answer.
        query_rows: (q,) the row of each among those that were offered as queries.
        gallery: Pictures asked among.
        own: (q,) place of the query in the gallery, where it is never looked at; −1 for none.
        order: (n,) rank of each gallery picture's id: of equal scores the smaller comes first.
        right: Per query, places of the right answers in the gallery, ascending.
        without_answer: Number of pictures offered that have no right answer and are not asked.
    """

    protocol: Protocol
    queries: tuple[Picture, ...]
    query_rows: NDArray[np.intp]
    gallery: tuple[Picture, ...]
    own: NDArray[np.intp]
    order: NDArray[np.intp]
    right: tuple[NDArray[np.intp], ...]
    without_answer: int

    @classmethod
    def of(
        cls,
        gallery: Sequence[Picture],
        queries: Sequence[Picture] | None = None,
        *,
        sample: int | None = None,
    ) -> Self:
        """Lay out a trial.

        Args:
            gallery: Pictures with different ids.
            queries: Pictures to ask with; None for the gallery's own (leave-one-out). One that lies
                in the gallery too, by content, does not find itself there.
            sample: Ask with this many only, drawn at random, the same ones every time.

        Raises:
            EvaluationError: No query has a right answer.
        """
        offered = gallery if queries is None else queries
        places = {picture.id: place for place, picture in enumerate(gallery)}
        members: dict[str, list[int]] = defaultdict(list)
        for place, picture in enumerate(gallery):
            members[picture.category].append(place)
        inside = {name: np.array(found, np.intp) for name, found in members.items()}
        asked, own, right = [], [], []
        for row in _drawn(offered, inside, sample):
            picture = offered[row]
            place = places.get(picture.id, -1)
            answers = inside.get(picture.category, np.empty(0, np.intp))
            answers = answers[answers != place]
            if len(answers):
                asked.append(row)
                own.append(place)
                right.append(answers)
        if not asked:
            raise no_counterparts()
        ids = np.array([int(picture.id, 16) for picture in gallery], np.uint64)
        order = np.empty(len(ids), np.intp)
        order[np.argsort(ids, kind="stable")] = np.arange(len(ids))
        return cls(
            "leave-one-out" if queries is None else "train-test",
            tuple(offered[row] for row in asked),
            np.array(asked, np.intp),
            tuple(gallery),
            np.array(own, np.intp),
            order,
            tuple(right),
            0 if sample is not None else len(offered) - len(asked),
        )

    @property
    def relevant(self) -> NDArray[np.intp]:
        """(q,) number of right answers."""
        return np.array([len(answers) for answers in self.right], np.intp)

    @property
    def categories(self) -> list[str]:
        """Categories that were asked for, by name."""
        return sorted({picture.category for picture in self.queries})

    @property
    def chance(self) -> float:
        """Precision of answers drawn blindly: the mean share of right ones in the gallery."""
        candidates = len(self.gallery) - (self.own >= 0)
        return float((self.relevant / candidates).mean())


def _drawn(
    offered: Sequence[Picture], inside: dict[str, NDArray[np.intp]], sample: int | None
) -> list[int]:
    """Rows to ask with: all in order, or a random sample of those that may have an answer."""
    if sample is None:
        return list(range(len(offered)))
    able = [row for row, picture in enumerate(offered) if len(inside.get(picture.category, ())) > 1]
    shuffled = np.random.default_rng(0).permutation(len(able))[:sample]
    return [able[place] for place in shuffled.tolist()]
