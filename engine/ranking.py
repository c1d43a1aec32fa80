"""Ranking: the library's pictures by a query, in the metric's order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from heapq import merge
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from engine import images, metrics
from engine.composition import Composition
from engine.confidence import Confidence
from engine.errors import UnknownMetricError
from engine.query import denoised, mirrored
from engine.vocabulary import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from engine.library import Library
    from engine.metrics import Metric
    from engine.query import Query

HEAD = 32
"""Candidates asked for at first, whatever the page: Chroma's answer for the first five may differ
between asking for five and for ten, and pages must fit together. Three pages of ten; what follows
is compared exactly."""

Ranked = list[tuple[str, float]]


@dataclass(frozen=True, slots=True)
class Ranking:
    """An order of the library's pictures.

    Attributes:
        best: The k best of all, or of some ids, as (id, score); longer lists only go on.
        percent: What people are shown for a score.
        weak_below: Percent below which a match is weak.
        without: Names of categories to leave out.
    """

    best: Callable[[int, Sequence[str] | None], Ranked]
    percent: Callable[[float], float]
    weak_below: float
    without: tuple[str, ...] = ()


class Rankings:
    """Ranks one open library; safe to use from several threads.

    Args:
        library: The library, open for reading or writing.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self.confidence = Confidence(library)
        self.vocabulary = Vocabulary(library)
        self._composition = Composition(library, self.confidence, self.vocabulary)

    def of(self, query: Query, metric: Metric) -> Ranking:
        """The ranking by a query; `engine.search.Search.run` says what can be raised."""
        if query.denoise:
            query = replace(query, images=tuple(denoised(image) for image in query.images))
        by = self._by_pixels if metric.space == "pixels" else self._by_embedding
        ranking = by(query, metric)
        if not query.mirror or not (query.images or query.like):
            return ranking
        seen = [*query.images, *(self._composition.open_stored(name) for name in query.like)]
        flipped = replace(query, images=tuple(mirrored(image) for image in seen), like=())
        other = by(flipped, metric)

        def best(k: int, among: Sequence[str] | None) -> Ranked:
            return _merged(metric, k, ranking.best(k, among), other.best(k, among))

        return replace(ranking, best=best)

    def _by_pixels(self, query: Query, metric: Metric) -> Ranking:
        if query.text:
            raise UnknownMetricError(
                f"Words cannot be compared by pixels ({metric.name}); choose a clip metric.",
                key="words_need_clip",
                metric=metric.name,
            )
        thumbnails = self._library.thumbnails
        thumbs = [images.thumbnail(image, thumbnails.side) for image in query.images]
        thumbs += [self._stored_thumbnail(name) for name in query.like]
        mean: NDArray[np.uint8] = np.stack(thumbs).mean(axis=0).round().astype(np.uint8)
        own = self._own_ids(query)

        def best(k: int, among: Sequence[str] | None) -> Ranked:
            found = thumbnails.search(mean, metric.formula, k, among=among)
            if among is not None or not own:
                return found
            private = thumbnails.search(mean, metric.formula, k, among=own)
            return _merged(metric, k, found, private)

        return Ranking(
            best,
            lambda score: metrics.percent(metric, score, mean.size),
            self.confidence.levels(metric).weak_below,
        )

    def _by_embedding(self, query: Query, metric: Metric) -> Ranking:
        vectors = self._library.vectors
        if vectors is None:
            raise self._composition.not_embedded()
        asked = self._composition.of(query, vectors, metric)
        vector = asked.vector
        own = self._own_ids(query)

        def best(k: int, among: Sequence[str] | None) -> Ranked:
            if among is not None:
                return vectors.exact(vector, metric.formula, k, among=among)
            shared = (
                nearest(k) if metric.name == "clip" else vectors.exact(vector, metric.formula, k)
            )
            if not own:
                return shared
            private = vectors.exact(vector, metric.formula, k, among=own)
            return _merged(metric, k, shared, private)

        def nearest(k: int) -> Ranked:
            head = vectors.query(vector, HEAD)
            if k <= len(head) or len(head) < HEAD:  # or these are all there are
                return head[:k]
            taken = {name for name, _ in head}
            tail = vectors.exact(vector, metric.formula, k)
            return (head + [each for each in tail if each[0] not in taken])[:k]

        return Ranking(best, asked.percent, asked.weak_below, asked.without)

    def _own_ids(self, query: Query) -> list[str]:
        """Private pictures to look at beside everyone's."""
        own = [owner for owner in query.owners if owner is not None]
        return [name for owner in own for name in self._library.catalog.ids_of(owner)]

    def _stored_thumbnail(self, name: str) -> NDArray[np.uint8]:
        thumbnails = self._library.thumbnails
        try:
            stored: NDArray[np.uint8] = thumbnails.get([name])[0]
        except KeyError:  # just being stored, or damaged and dropped
            return images.thumbnail(self._composition.open_stored(name), thumbnails.side)
        return stored


def _merged(metric: Metric, k: int, *rankings: Ranked) -> Ranked:
    """The k best of several rankings, a picture that is in more than one at its best place.

    Merged and not sorted: what an index missed comes late, and must not move what came.
    """
    sign = -1 if metric.larger_is_better else 1
    merged = merge(*rankings, key=lambda each: (sign * each[1], each[0]))
    return list(islice(_first_of_each(merged), k))


def _first_of_each(ranked: Iterable[tuple[str, float]]) -> Iterable[tuple[str, float]]:
    seen: set[str] = set()
    for each in ranked:
        if each[0] not in seen:
            seen.add(each[0])
            yield each
