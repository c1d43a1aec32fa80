"""The typeface that sheets are lettered in."""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from collections.abc import Iterable

# Families that common systems carry, asked for only when a name needs letters the built-in lacks.
FAMILIES = ("NotoSans-Regular.ttf", "DejaVuSans.ttf", "LiberationSans-Regular.ttf", "Arial.ttf")


@dataclass(frozen=True, slots=True)
class Typeface:
    """The sheet's typeface: Pillow's built-in, or a system one where names need more letters.

    The built-in has no Vietnamese letters. Where no font has them, their marks are left out, since
    plain letters read better than boxes.
    """

    draw: ImageDraw.ImageDraw
    family: str | None
    strips_marks: bool

    @classmethod
    def on(cls, sheet: Image.Image, texts: Iterable[str]) -> Self:
        """The typeface for these texts, writing on `sheet`."""
        draw = ImageDraw.Draw(sheet)
        letters = {letter for text in texts for letter in text if not letter.isspace()}
        for family in (None, *FAMILIES):
            try:
                font = _font(family, 20)
            except OSError:
                continue
            if all(_draws(font, letter) for letter in letters):
                return cls(draw, family, strips_marks=False)
        return cls(draw, None, strips_marks=True)

    def write(
        self,
        at: tuple[int, int],
        text: str,
        size: int,
        colour: tuple[int, int, int],
        room: int,
        *,
        anchor: str = "la",
    ) -> None:
        """Write one line, ellipsised to `room` pixels."""
        font = _font(self.family, size)
        text = self._plain(text)
        if font.getlength(text) > room:
            while text and font.getlength(f"{text}…") > room:
                text = text[:-1]
            text = f"{text.rstrip()}…"
        self.draw.text(at, text, colour, font, anchor=anchor)

    def width(self, text: str, size: int) -> int:
        """Pixels a line takes."""
        return math.ceil(_font(self.family, size).getlength(self._plain(text)))

    def _plain(self, text: str) -> str:
        text = unicodedata.normalize("NFC", " ".join(text.split()))
        if not self.strips_marks:
            return text
        bare = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
        return "".join(letter for letter in bare if not unicodedata.combining(letter))


def _font(family: str | None, size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.truetype(family, size) if family else ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise OSError("this Pillow was built without FreeType")
    return font


def _draws(font: ImageFont.FreeTypeFont, letter: str) -> bool:
    """Whether a font has a letter: a missing one is drawn as the same box as a private code."""
    return bytes(font.getmask(letter)) != bytes(font.getmask("\U0010fffe"))
