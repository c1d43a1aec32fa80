"""Composition: one vector to ask with, out of pictures, stored pictures and words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine import metrics
from engine.errors import EncoderUnavailableError, NoTextSideError, UnknownImageError, WordsError
from engine.query import noted_id, open_query, unknown_image
from engine.vocabulary import sure, unit
from engine.words import Words, parse_words

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from PIL import Image

    from engine.confidence import Confidence
    from engine.encoders import Encoder
    from engine.library import Library
    from engine.metrics import Metric
    from engine.query import Query
    from engine.vectors import Vectors
    from engine.vocabulary import Vocabulary

BESIDE_PICTURES = 0.7
"""Say of the words beside pictures. With more, the picture's subject is soon forgotten: on drawings
asked with and another colour, 3 answers have the subject 0.97, 0.9, 0.78 of the time with a say of
0, 0.7 and 1, and the colour 0.15, 0.6, 0.74 [measured]."""

AGAINST = 0.4
"""Say of an unwanted phrase. On drawings of a topic less a colour, 5 answers have the colour 0.25
of the time with a say of 0 and 0.04 with 0.3 to 0.5; from 0.5 on the topic suffers [measured]."""

COMPROMISE = 2.0
"""Halves by which the middle lies lower where words stand beside pictures: what answers both is
seldom as near to either as what answers one alone. On drawings asked with and a colour, the best
answers lie at −1.4 when they have both, and those of another subject at −2.5 [measured, median]."""

SAMPLE = 2048
"""Pictures on which scores are compared to weigh what is asked with."""

FEW = 8
"""Fewer pictures say nothing about a spread."""

WEAK_WORDS = 50.0
"""Percent below which a match of words is weak: they are shown so that this is the middle."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of the vectors.

    Attributes:
        vector: (d,), unit length.
        percent: What people are shown for a score.
        weak_below: Percent below which a match is weak.
        without: Categories to leave out, as unwanted phrases name them.
    """

    vector: NDArray[np.float32]
    percent: Callable[[float], float]
    weak_below: float
    without: tuple[str, ...] = ()


class Composition:
    """Makes vectors of questions to one open library; safe to use from several threads.

    Args:
        library: The library, open for reading or writing.
        confidence: What similarities of pictures mean in it.
        vocabulary: What those of words do.
    """

    def __init__(self, library: Library, confidence: Confidence, vocabulary: Vocabulary) -> None:
        self._library = library
        self._confidence = confidence
        self._vocabulary = vocabulary

    def of(self, query: Query, vectors: Vectors, metric: Metric) -> Asked:
        """Compose a question; `engine.search.Search.run` says what can be raised.

        Of pictures the unit mean is asked for. Words are added, unwanted ones taken away, each with
        a say: so much of the spread that its scores have over the library, relative to that of what
        it is added to. For cosines of words and pictures lie closer together than those of
        pictures, and would count for next to nothing.
        """
        if not query.text:
            return self._pictures(self._picture(query, vectors), metric)
        words = parse_words(query.text)
        is_shown = bool(query.images or query.like)
        if not words.wanted and not is_shown:
            raise WordsError(
                "There is only what to leave out; say what to look for, too: beach -people",
                key="words_only_unwanted",
            )
        encoder = self._reading()
        picture = self._picture(query, vectors) if is_shown else None
        return self._worded(picture, words, encoder, vectors, metric)

    def open_stored(self, name: str) -> Image.Image:
        """A picture of the library, opened like one to ask with.

        Raises:
            UnknownImageError: It is not, or no longer, there.
        """
        photo = self._library.catalog.facts([name]).get(name)
        if photo is None or photo.path is None:
            raise unknown_image(name)
        try:
            return open_query(photo.path)
        except UnknownImageError:  # the file's name is nothing for whoever asked
            raise unknown_image(name) from None

    def not_embedded(self) -> EncoderUnavailableError:
        """The error for a library whose pictures have no vectors."""
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

    def _pictures(self, vector: NDArray[np.float32], metric: Metric) -> Asked:
        return Asked(
            vector,
            lambda score: metrics.percent(metric, score, len(vector)),
            self._confidence.levels(metric).weak_below,
        )

    def _worded(
        self,
        picture: NDArray[np.float32] | None,
        words: Words,
        encoder: Encoder,
        vectors: Vectors,
        metric: Metric,
    ) -> Asked:
        rows = vectors.sample(SAMPLE)
        levels = self._vocabulary.levels(encoder)
        read = self._vocabulary.embed(encoder, [*words.wanted, *words.unwanted])
        asked, middle, half = np.zeros(vectors.dimension), 0.0, 0.0
        if picture is not None:
            alike = self._confidence.levels(metrics.metric_named("clip"))
            asked, middle = picture.astype(np.float64), alike.weak_below / 100
            half = (alike.typical - alike.weak_below) / 100
        if words.wanted:
            wanted = unit(read[: len(words.wanted)].mean(axis=0))
            say = 1.0 if picture is None else BESIDE_PICTURES * _spread(rows, asked, wanted)
            asked = asked + say * wanted
            middle, half = middle + say * levels.middle, half + say * levels.half
            if picture is not None:
                middle -= COMPROMISE * half
        for unwanted in read[len(words.wanted) :]:
            # What it has in common with what is wanted is wanted.
            direction = unit(asked)
            against = unwanted - float(unwanted @ direction) * direction
            say = AGAINST * _spread(rows, asked, against)
            asked = asked - say * against
            # Right and wrong matches alike are taken to have as little of it as most pictures.
            middle -= say * float(np.median(rows @ against))
        length = float(np.linalg.norm(asked)) or 1.0

        def percent(score: float) -> float:
            # All metrics of embeddings are shown as the cosine they stand for.
            cosine = metrics.share(metric, score, vectors.dimension)
            return sure((cosine * length - middle) / half)

        return Asked(unit(asked), percent, WEAK_WORDS, words.unwanted)

    def _reading(self) -> Encoder:
        """The encoder, if it reads words."""
        if self._library.encoder is None:
            raise self.not_embedded()
        encoder = self._library.encoder.load()
        if not encoder.has_text:
            raise NoTextSideError(
                f"The encoder {self._library.encoder.spec} reads pictures only, not words.",
                key="no_text_side",
                encoder=self._library.encoder.spec,
            )
        return encoder

    def _picture(self, query: Query, vectors: Vectors) -> NDArray[np.float32]:
        """The unit mean of all pictures; stored vectors are used where there are."""
        parts: list[NDArray[np.float32]] = []
        fresh: list[Image.Image] = []
        for image in query.images:
            stored = _stored_vector(vectors, noted_id(image))
            (fresh.append(image) if stored is None else parts.append(stored))
        for name in query.like:
            stored = _stored_vector(vectors, name)
            (fresh.append(self.open_stored(name)) if stored is None else parts.append(stored))
        if fresh:
            if self._library.encoder is None:
                raise self.not_embedded()
            parts += list(self._library.encoder.load().embed_images(fresh))
        if len(parts) == 1:
            return parts[0]
        return unit(np.stack(parts).mean(axis=0, dtype=np.float64))


def _spread(rows: NDArray[np.float32], of: NDArray[np.floating], to: NDArray[np.floating]) -> float:
    """How much wider the scores of one vector lie over some pictures than those of another."""
    if len(rows) < FEW:
        return 1.0
    width, other = float((rows @ of).std()), float((rows @ to).std())
    return width / other if other > 1e-9 else 0.0


def _stored_vector(vectors: Vectors, name: str | None) -> NDArray[np.float32] | None:
    if name is None:
        return None
    try:
        vector: NDArray[np.float32] = vectors.get([name])[0]
    except KeyError:
        return None
    return vector
