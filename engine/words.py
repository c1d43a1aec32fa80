"""Words: what a question in words wants, and what it does not."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from engine.encoders.languages import language_of
from engine.errors import WordsError

MOST_PHRASES = 8
"""Each is embedded on its own; nobody needs more, and a message of commas must not cost minutes."""

_QUOTES = '"“”„‟«»＂'
_DASHES = "-‐‑‒–—−－"
"""Phones make long dashes of two short ones."""

_PART = re.compile(
    rf"(?P<dash>(?<!\S)[{_DASHES}]+)?"
    rf"(?:[{_QUOTES}](?P<phrase>[^{_QUOTES}]*)[{_QUOTES}]|[{_QUOTES}]*(?P<word>[^\s{_QUOTES}]+))"
)
_FRAMED = re.compile(
    r"\b(photo|picture|image|drawing|painting|ảnh|hình|tranh)\b", re.IGNORECASE | re.UNICODE
)
_FRAMES = {"vi": "ảnh chụp {}", None: "a photo of {}"}


@dataclass(frozen=True, slots=True)
class Words:
    """A question in words, taken apart.

    Attributes:
        wanted: Phrases to look like: those in quotes, and all other words together as one.
        unwanted: Phrases to look unlike.
    """

    wanted: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()


def parse_words(text: str) -> Words:
    """Take a question in words apart.

    A word or a phrase in quotes that follows a dash is unwanted; a dash within a word is part of
    it. A quote that is never closed does not count.

    Args:
        text: What a person typed, such as `beach -people -"palm trees"`.

    Raises:
        WordsError: Nothing is said, a dash stands alone, or there are too many phrases. Keys:
            `words_empty`, `words_lone_dash`, `words_too_many`.

    >>> parse_words('beach -people -"palm trees" at night')
    Words(wanted=('beach at night',), unwanted=('people', 'palm trees'))
    """
    loose: list[str] = []
    phrases: list[str] = []
    unwanted: list[str] = []
    for part in _PART.finditer(unicodedata.normalize("NFC", text)):
        said = " ".join((part["phrase"] or part["word"] or "").split())
        if part["word"] and not said.strip(_DASHES):
            raise WordsError(
                "A dash stands right before the word that is to be left out: beach -people",
                key="words_lone_dash",
            )
        if not any(letter.isalnum() for letter in said):
            continue
        (unwanted if part["dash"] else loose if part["word"] else phrases).append(said)
    wanted = [" ".join(loose), *phrases] if loose else phrases
    if not wanted and not unwanted:
        raise WordsError(
            "There are no words to look for; say for instance: red car", key="words_empty"
        )
    if len(wanted) + len(unwanted) > MOST_PHRASES:
        raise WordsError(
            f"That is too much at once; a question has at most {MOST_PHRASES} phrases.",
            key="words_too_many",
            limit=MOST_PHRASES,
        )
    return Words(tuple(dict.fromkeys(wanted)), tuple(dict.fromkeys(unwanted)))


def prompts(phrase: str) -> list[str]:
    """What is embedded for a phrase: itself, and framed as a caption of a photo might say it.

    Encoders of the CLIP family were trained on captions; the mean of several wordings finds better
    than one (Radford et al. 2021, section 3.1.4). What speaks of a picture already stays alone.

    >>> prompts("red car")
    ['red car', 'a photo of red car']
    """
    if _FRAMED.search(phrase):
        return [phrase]
    frame = _FRAMES.get(language_of(phrase), _FRAMES[None])
    return [phrase, frame.format(phrase)]
