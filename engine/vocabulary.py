"""Vocabulary: the library's category names as the encoder reads them, and what words score here.

Cosines of words and pictures are small, and differ from encoder to encoder: of one a match scores
0.3, of another 0.8. What they mean is learnt from the categories: how their names score with their
own pictures, and with all others.
"""

from __future__ import annotations

import unicodedata
from collections import OrderedDict
from dataclasses import dataclass
from difflib import SequenceMatcher
from math import exp
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from engine.confidence import GALLERY, is_about
from engine.errors import EncoderUnavailableError
from engine.words import parse_words, prompts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from engine.encoders import Encoder
    from engine.library import Library

NAMES = 24
"""Category names that are tried, those with the most pictures."""

RARITIES = (
    "accordion", "chess set", "helicopter", "igloo", "microscope", "saxophone", "volcano", "waffle"
)  # fmt: skip
"""Things that most libraries lack: words that match nothing, also where there is one category."""

COMPARED_NAMES = 64
"""Category names that are compared by meaning."""

ALIKE = 0.6
"""Ratio of `difflib` from which two spellings are near."""

REMEMBERED = 256
"""Phrases whose vectors are kept."""


@dataclass(frozen=True, slots=True)
class WordLevels:
    """What cosines of words and pictures mean.

    Attributes:
        middle: Halfway between the best of wrong matches and right ones; shown as 50 %.
        half: From there to a right match; shown as 88 %.
    """

    middle: float
    half: float


class Vocabulary:
    """What one library's encoder makes of words; safe to use from several threads.

    Args:
        library: The library, open for reading or writing.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self._vectors: OrderedDict[str, NDArray[np.float32]] = OrderedDict()
        self._remembering = Lock()
        self._learnt: tuple[int, WordLevels] | None = None
        self._learning = Lock()

    def embed(self, encoder: Encoder, phrases: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (n, d) of phrases, each the mean of its `prompts`.

        Raises:
            NoTextSideError: The encoder reads pictures only.
        """
        with self._remembering:
            known = {each: self._vectors[each] for each in phrases if each in self._vectors}
        fresh = [each for each in dict.fromkeys(phrases) if each not in known]
        worded = [prompts(each) for each in fresh]
        rows = encoder.embed_texts([text for texts in worded for text in texts])
        at = 0
        for phrase, texts in zip(fresh, worded, strict=True):
            known[phrase] = unit(rows[at : at + len(texts)].mean(axis=0, dtype=np.float64))
            at += len(texts)
        with self._remembering:
            for phrase in phrases:
                self._vectors[phrase] = known[phrase]
                self._vectors.move_to_end(phrase)
            while len(self._vectors) > REMEMBERED:
                self._vectors.popitem(last=False)
        return np.stack([known[each] for each in phrases])

    def levels(self, encoder: Encoder) -> WordLevels:
        """What cosines mean in this library, learnt like `Confidence.levels` and kept as long."""
        count = len(self._library.vectors or ())
        with self._learning:
            if self._learnt is None or not is_about(self._learnt[0], count):
                self._learnt = (count, self._learn(encoder))
            return self._learnt[1]

    def nearest(self, text: str, count: int) -> list[str]:
        """Categories near to words: first those spelled alike, then those that mean the like.

        By meaning only where an encoder with a text side is there.

        Args:
            text: What somebody looked for.
            count: At most so many.
        """
        counts = sorted(self._library.categories(), key=lambda each: (-each.count, each.category))
        names = [each.category for each in counts]
        near = _spelled_alike(text, names)
        if len(near) < count:
            near += [each for each in self._meant(text, names) if each not in near]
        return near[:count]

    def _meant(self, text: str, names: Sequence[str]) -> list[str]:
        asked = parse_words(text).wanted
        try:
            encoder = self._library.encoder and self._library.encoder.load()
        except EncoderUnavailableError:
            return []
        if not encoder or not encoder.has_text or not asked:
            return []
        compared = names[:COMPARED_NAMES]
        rows = self.embed(encoder, [*(spoken(each) for each in compared), *asked])
        scores = rows[: len(compared)] @ rows[len(compared) :].mean(axis=0)
        return [compared[at] for at in np.argsort(-scores, kind="stable").tolist()]

    def _learn(self, encoder: Encoder) -> WordLevels:
        rows, categories = self._sample()
        if not len(rows):
            return WordLevels(0.5, 0.25)
        names, sizes = np.unique(categories, return_counts=True)
        tried = names[np.lexsort((names, -sizes))][:NAMES].tolist()
        phrases = [*(spoken(name) for name in tried), *RARITIES]
        scores = self.embed(encoder, phrases) @ rows.T
        is_own = np.zeros(scores.shape, dtype=np.bool_)
        for at, name in enumerate(tried):
            is_own[at] = categories == name
        own = [row[mine] for row, mine in zip(scores, is_own[: len(tried)], strict=False)]
        return word_levels(own, scores[~is_own])

    def _sample(self) -> tuple[NDArray[np.float32], NDArray[np.str_]]:
        """Vectors (n, d) of some pictures, and their categories (n)."""
        vectors = self._library.vectors
        if vectors is None:
            return np.empty((0, 0), np.float32), np.empty(0, np.str_)
        facts = dict(self._library.catalog.originals(limit=GALLERY))
        for name in vectors.missing(list(facts)):
            del facts[name]
        return vectors.get(list(facts)), np.array(list(facts.values()), dtype=np.str_)


def word_levels(own: Sequence[NDArray[np.floating]], others: NDArray[np.floating]) -> WordLevels:
    """What cosines mean, by those of category names.

    A name counts as understood where most of its own pictures score above nine of ten others. If
    none is (names of people, dates), what hardly ever happens by chance is the middle.

    Args:
        own: For each name its cosines with the pictures of its category.
        others: Those of all names with all other pictures.
    """
    usual, high, highest = np.quantile(others, (0.5, 0.9, 0.99)).tolist()
    medians = [float(np.median(each)) for each in own if len(each)]
    understood = [each for each in medians if each > high]
    right = float(np.median(understood)) if understood else 0.0
    if understood and right > highest:
        return WordLevels((highest + right) / 2, (right - highest) / 2)
    return WordLevels(highest, max(highest - usual, 1e-3))


def sure(offset: float) -> float:
    """Percent for a distance from the middle, in halves: 50 at 0, 88 at 1, 12 at −1 (logistic)."""
    return 100 / (1 + exp(-2 * min(max(offset, -20.0), 20.0)))


def unit(vector: NDArray[np.floating]) -> NDArray[np.float32]:
    """The vector at length 1, or as it is where it has none."""
    scaled: NDArray[np.float32] = (vector / (float(np.linalg.norm(vector)) or 1.0)).astype(
        np.float32
    )
    return scaled


def spoken(category: str) -> str:
    """A category's name as one would say it."""
    return " ".join(category.replace("_", " ").replace("-", " ").split())


def _spelled_alike(text: str, names: Sequence[str]) -> list[str]:
    """Names near in spelling to the whole text or to one of its words, nearest first."""
    whole = _bare(text)
    asked = {whole, *(word for word in whole.split() if len(word) > 2)}
    near: list[tuple[float, str]] = []
    for name in names:
        matcher = SequenceMatcher(b=_bare(spoken(name)), autojunk=False)
        ratio = 0.0
        for word in asked:
            matcher.set_seq1(word)
            if matcher.quick_ratio() >= ALIKE:
                ratio = max(ratio, matcher.ratio())
        if ratio >= ALIKE:
            near.append((-ratio, name))
    return [name for _, name in sorted(near, key=lambda each: each[0])]


def _bare(text: str) -> str:
    """Without case and accents; đ is a letter of its own, and typed as d."""
    split = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    kept = (letter for letter in split if not unicodedata.combining(letter))
    return " ".join("".join(kept).split())
