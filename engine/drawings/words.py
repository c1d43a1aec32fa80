"""What a picture shows, in words: the parts a painter names and the captions made of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.drawings.dice import Dice

_NUMBERS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven"}


@dataclass(frozen=True, slots=True)
class Words:
    """What a painter says of its picture.

    Attributes:
        subject: With its article or number: "a red apple", "three red apples".
        place: Where or when, "" where there is nothing to say: "on a wooden table".
    """

    subject: str
    place: str = ""


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """Return "a red apple", "an owl", "three red apples"."""
    if count == 1:
        return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
    return f"{_NUMBERS.get(count, 'many')} {plural or noun + 's'}"


def caption(dice: Dice, words: Words) -> str:
    """Word a caption, not always in the same way."""
    whole = f"{words.subject} {words.place}".strip()
    return dice.weighted(
        {
            whole: 6,
            f"a drawing of {whole}": 2,
            f"a picture of {words.subject}": 1,
            f"{whole}, drawn in colour": 1,
        }
    )
