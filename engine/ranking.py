"""Ranking: the library's pictures by a query, in the metric's order."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import merge
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from engine import images
from engine.errors import (
    EncoderUnavailableError,
    NoTextSideError,
    UnknownImageError,
    UnknownMetricError,
)
from engine.query import noted_id, open_query, unknown_image

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray
    from PIL import Image

    from engine.library import Library
    from engine.metrics import Metric
    from engine.query import Query
    from engine.vectors import Vectors

HEAD = 32
"""Candidates asked for at first, whatever the page: Chroma's answer for the first five may differ
between asking for five and for ten, and pages must fit together. Three pages of ten; what follows
is compared exactly."""

Ranked = list[tuple[str, float]]


@dataclass(frozen=True, slots=True)
class Ranking:
    """The k best of the library, or of some ids, as (id, score); longer lists only go on."""

    best: Callable[[int, Sequence[str] | None], Ranked]
    dimension: int


class Rankings:
    """Ranks one open library; safe to use from several threads.

    Args:
        library: The library, open for reading or writing.
    """

    def __init__(self, library: Library) -> None:
        self._library = library

    def of(self, query: Query, metric: Metric) -> Ranking:
        """The ranking by a query; `engine.search.Search.run` says what can be raised."""
        if metric.space == "pixels":
            return self._by_pixels(query, metric)
        return self._by_embedding(query, metric)

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

        return Ranking(best, mean.size)

    def _by_embedding(self, query: Query, metric: Metric) -> Ranking:
        vectors = self._library.vectors
        if vectors is None:
            raise self._not_embedded()
        vector = self._query_vector(query, vectors)
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

        return Ranking(best, len(vector))

    def _own_ids(self, query: Query) -> list[str]:
        """Private pictures to look at beside everyone's."""
        own = [owner for owner in query.owners if owner is not None]
        return [name for owner in own for name in self._library.catalog.ids_of(owner)]

    def _query_vector(self, query: Query, vectors: Vectors) -> NDArray[np.float32]:
        """The unit mean of all that is asked with; stored vectors are used where there are."""
        parts: list[NDArray[np.float32]] = []
        fresh: list[Image.Image] = []
        for image in query.images:
            stored = _stored_vector(vectors, noted_id(image))
            (fresh.append(image) if stored is None else parts.append(stored))
        for name in query.like:
            stored = _stored_vector(vectors, name)
            (fresh.append(self._open_stored(name)) if stored is None else parts.append(stored))
        if fresh or query.text:
            if self._library.encoder is None:
                raise self._not_embedded()
            encoder = self._library.encoder.load()
            if fresh:
                parts += list(encoder.embed_images(fresh))
            if query.text:
                if not encoder.has_text:
                    raise NoTextSideError(
                        f"The encoder {self._library.encoder.spec} reads pictures only, not words.",
                        key="no_text_side",
                        encoder=self._library.encoder.spec,
                    )
                parts += list(encoder.embed_texts([query.text]))
        if len(parts) == 1:
            return parts[0]
        mean = np.stack(parts).mean(axis=0, dtype=np.float64)
        norm = float(np.linalg.norm(mean))
        unit: NDArray[np.float32] = (mean / (norm or 1.0)).astype(np.float32)
        return unit

    def _stored_thumbnail(self, name: str) -> NDArray[np.uint8]:
        thumbnails = self._library.thumbnails
        try:
            stored: NDArray[np.uint8] = thumbnails.get([name])[0]
        except KeyError:  # just being stored, or damaged and dropped
            return images.thumbnail(self._open_stored(name), thumbnails.side)
        return stored

    def _open_stored(self, name: str) -> Image.Image:
        photo = self._library.catalog.facts([name]).get(name)
        if photo is None or photo.path is None:
            raise unknown_image(name)
        try:
            return open_query(photo.path)
        except UnknownImageError:  # the file's name is nothing for whoever asked
            raise unknown_image(name) from None

    def _not_embedded(self) -> EncoderUnavailableError:
        encoder = self._library.encoder
        if encoder is None:
            return EncoderUnavailableError(
                "There is no encoder (ENCODER=none): pictures can be compared by pixels only.",
                key="encoder_none",
            )
        return EncoderUnavailableError(
            f"The encoder {encoder.spec} has not embedded the library's pictures yet; "
            "run: lookalike index",
            key="encoder_not_indexed",
            encoder=encoder.spec,
        )


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


def _stored_vector(vectors: Vectors, name: str | None) -> NDArray[np.float32] | None:
    if name is None:
        return None
    try:
        vector: NDArray[np.float32] = vectors.get([name])[0]
    except KeyError:
        return None
    return vector
