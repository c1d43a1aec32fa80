"""Confidence: from which similarity on a match means something, learnt from the library itself.

Of a sample of the library's pictures each is asked with as if it were new. The nearest of its own
category shows how alike a right answer is, the nearest of all other categories how alike the best
of wrong answers is: just what would come first if the library had nothing of the kind.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from engine import metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from engine.library import Library
    from engine.metrics import Metric, Space

SAMPLE = 200
"""Pictures asked with."""

GALLERY = 2048
"""Pictures they are compared with, at most."""

MOST_DOUBTED = 0.1
"""Share of right answers that may be called weak."""

ASSUMED: Mapping[Space, float] = {"embeddings": 50.0, "pixels": 60.0}
"""Percent below which a match is weak as long as the library teaches nothing else."""

ASSUMED_WEIGHT = 8
"""As many sampled pictures count as much as what is assumed: a small library says little."""

GROWTH = 0.1
"""Share by which a library must grow or shrink for the levels to be learnt anew."""

Pairs = list[tuple[float, float]]
"""Per picture asked with, the best percentage in its own category and in all others."""


@dataclass(frozen=True, slots=True)
class Levels:
    """Similarities in percent.

    Attributes:
        weak_below: Below it a match is weak.
        typical: That of a right answer; always above `weak_below`.
    """

    weak_below: float
    typical: float


class Confidence:
    """Levels per metric for one open library and its encoder; safe to use from several threads.

    They are learnt when first asked for, in some tenths of a second whatever the library's size,
    kept in memory, and learnt anew when the library has grown or shrunk by a tenth.

    Args:
        library: The library, open for reading or writing.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self._learnt: dict[str, tuple[int, Levels]] = {}
        self._learning = Lock()

    def levels(self, metric: Metric) -> Levels:
        """The levels of a metric; without any vectors those that are assumed."""
        count = self._count(metric)
        known = self._learnt.get(metric.name)
        if known is not None and is_about(known[0], count):
            return known[1]
        if known is not None and self._learning.locked():
            return known[1]  # somebody is at it
        with self._learning:
            known = self._learnt.get(metric.name)
            if known is None or not is_about(known[0], count):
                known = self._learnt[metric.name] = (count, self._learn(metric))
            return known[1]

    def _count(self, metric: Metric) -> int:
        if metric.space == "pixels":
            return len(self._library.thumbnails)
        return len(self._library.vectors or ())

    def _learn(self, metric: Metric) -> Levels:
        assumed = ASSUMED[metric.space]
        sample = self._library.catalog.originals(limit=GALLERY)
        kin: dict[str, list[str]] = {}
        for name, category in sample:
            kin.setdefault(category, []).append(name)
        if len(sample) == GALLERY:
            for category in {category for _, category in sample[:SAMPLE]}:
                members = self._library.catalog.originals(category, limit=GALLERY)
                kin[category] = [name for name, _ in members]
        best = self._best_of(metric)
        pairs: Pairs = []
        strangers: dict[str, list[str]] = {}
        for name, category in sample[:SAMPLE]:
            if category not in strangers:
                strangers[category] = [each for each, of in sample if of != category]
            own = best(name, kin[category])
            other = best(name, strangers[category])
            if own is not None and other is not None:
                pairs.append((own, other))
        return levels_of(pairs, assumed)

    def _best_of(self, metric: Metric) -> Callable[[str, Sequence[str]], float | None]:
        """A function: how alike the nearest of some pictures is, in percent; None without any."""
        thumbnails, vectors = self._library.thumbnails, self._library.vectors

        def best(name: str, among: Sequence[str]) -> float | None:
            try:
                if metric.space == "pixels":
                    row = thumbnails.get([name])[0]
                    found = thumbnails.search(row, metric.formula, 2, among=among)
                    width = row.size
                elif vectors is not None:
                    vector = vectors.get([name])[0]
                    found = vectors.exact(vector, metric.formula, 2, among=among)
                    width = len(vector)
                else:
                    return None
            except KeyError:  # not embedded yet, or just removed
                return None
            scores = [score for each, score in found if each != name]
            return metrics.percent(metric, scores[0], width) if scores else None

        return best


def levels_of(pairs: Pairs, assumed: float) -> Levels:
    """The levels that a sample teaches.

    Right answers are the best of the own category where these are the best of all. `weak_below`
    is where the share of right answers below it and that of wrong answers above it have the least
    sum, but not so high that more than `MOST_DOUBTED` of the right answers lie below. With few
    pictures it stays near what is assumed, as it does where categories say nothing of likeness.

    Args:
        pairs: Percentages of the best in the own category and in all others.
        assumed: The level to begin from, in percent.

    >>> levels_of([(90.0, 40.0)] * 1000, assumed=50.0).weak_below
    64.88...
    """
    values: NDArray[np.float64] = np.array(pairs, dtype=np.float64).reshape(-1, 2)
    right = np.sort(values[values[:, 0] >= values[:, 1], 0])
    if not len(right):
        return Levels(assumed, (assumed + 100) / 2)
    wrong = np.sort(values[:, 1])
    edges = np.unique(np.concatenate([right, wrong]))
    doubted = np.searchsorted(right, edges) / len(right)
    believed = 1 - np.searchsorted(wrong, edges) / len(wrong)
    at = int(np.argmin(doubted + believed))
    # In the middle of the gap that ends there: what comes later lies on both sides of an edge.
    edge = (edges[max(at - 1, 0)] + edges[at]) / 2
    learnt = min(float(edge), float(np.quantile(right, MOST_DOUBTED, method="lower")))
    weight = len(right) / (len(right) + ASSUMED_WEIGHT)
    weak_below = weight * learnt + (1 - weight) * assumed
    return Levels(weak_below, max(float(np.median(right)), weak_below + 1))


def is_about(before: int, now: int) -> bool:
    """Whether a library of `now` pictures is still about what it was with `before`."""
    return abs(now - before) <= GROWTH * before
