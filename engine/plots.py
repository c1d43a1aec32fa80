"""Contact sheets: a question's picture beside its answer, or all the pictures that are new."""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from PIL import Image, ImageDraw, ImageFont, ImageOps

from engine.errors import ImageError
from engine.images import open_image

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PAPER = (250, 249, 246)
INK = (33, 33, 38)
QUIET = (120, 119, 128)
TRACK = (228, 226, 221)
ACCENT = (46, 110, 168)

MARGIN = 44
GAP = 24
TILE = 236
SMALL_TILE = 180
QUERY = 360
CAPTION = 74
TITLE = 64
RADIUS = 16

# Families that common systems carry, asked for only when a name needs letters the built-in lacks.
FAMILIES = ("NotoSans-Regular.ttf", "DejaVuSans.ttf", "LiberationSans-Regular.ttf", "Arial.ttf")


class Answer(Protocol):
    """What a sheet shows of a match."""

    @property
    def rank(self) -> int:
        """Place in the answer, from 1."""

    @property
    def percent(self) -> float:
        """Similarity, 0 to 100."""

    @property
    def category(self) -> str:
        """The picture's category."""

    @property
    def path(self) -> Path:
        """Its file; a placeholder is drawn where it cannot be opened."""


def contact_sheet(
    query: Image.Image | Sequence[Image.Image],
    matches: Sequence[Answer],
    *,
    title: str = "",
    query_label: str = "Query",
) -> Image.Image:
    """Draw a question beside its answer, in a picture that can be shown around.

    Args:
        query: The picture asked with, or several; none for a question in words.
        matches: The answer, best first.
        title: A line above everything, such as the metric's name or the words of the question.
        query_label: The caption under the question's picture.

    Returns:
        An RGB picture: the question on the left, the matches in a balanced grid on the right, each
        with rank, category and similarity.
    """
    queries = [query] if isinstance(query, Image.Image) else list(query)
    columns, rows = _grid(len(matches))
    top = MARGIN + (TITLE if title else 0)
    left = MARGIN + (QUERY + 2 * GAP if queries else 0)
    panel = _panel(queries) if queries else None
    height = max(
        rows * TILE + rows * CAPTION + (rows - 1) * GAP if matches else TILE,
        panel.height + CAPTION // 2 if panel else 0,
    )
    width = left + max(columns * (TILE + GAP) - GAP, TILE if matches else 2 * TILE) + MARGIN
    sheet = Image.new("RGB", (width, top + height + MARGIN), PAPER)
    type_ = _Type.on(sheet, [title, query_label, *(match.category for match in matches)])
    if title:
        type_.write((MARGIN, MARGIN - 8), title, 32, INK, sheet.width - 2 * MARGIN)
    if panel:
        sheet.paste(panel, (MARGIN, top), panel)
        at = (MARGIN + 2, top + panel.height + 12)
        type_.write(at, query_label, 22, QUIET, QUERY)
        x = left - GAP
        type_.draw.line((x, top, x, sheet.height - MARGIN), fill=TRACK, width=2)
    if not matches:
        type_.write((left, top), "Nothing found", 24, QUIET, 2 * TILE)
    for place, match in enumerate(matches):
        row, column = divmod(place, columns)
        x, y = left + column * (TILE + GAP), top + row * (TILE + CAPTION + GAP)
        _tile(sheet, type_, (x, y), match)
    return sheet


def overview(paths: Sequence[Path], *, title: str = "") -> Image.Image:
    """Draw pictures in a grid, such as all that is new.

    Args:
        paths: Their files; a placeholder stands for what cannot be opened.
        title: A line above them.

    Returns:
        An RGB picture, about as wide as high, of squares `SMALL_TILE` pixels wide.
    """
    columns = max(3, math.ceil(math.sqrt(len(paths)))) if paths else 3
    columns = min(columns, max(len(paths), 2))
    rows = math.ceil(len(paths) / columns)
    top = MARGIN + (TITLE if title else 0)
    step = SMALL_TILE + GAP // 2
    size = (2 * MARGIN + columns * step - GAP // 2, top + rows * step - GAP // 2 + MARGIN)
    sheet = Image.new("RGB", size, PAPER)
    if title:
        type_ = _Type.on(sheet, [title])
        type_.write((MARGIN, MARGIN - 8), title, 32, INK, sheet.width - 2 * MARGIN)
    for place, path in enumerate(paths):
        row, column = divmod(place, columns)
        picture = _rounded(_square(path, SMALL_TILE))
        sheet.paste(picture, (MARGIN + column * step, top + row * step), picture)
    return sheet


def _square(path: Path, side: int) -> Image.Image:
    try:
        return ImageOps.fit(open_image(path, min_side=side), (side, side))
    except (ImageError, OSError):
        return _placeholder().resize((side, side))


def _grid(count: int) -> tuple[int, int]:
    """Columns and rows: few pictures in one row, more in a block about as tall as the question."""
    rows = 1 if count <= 3 else 2 if count <= 10 else math.ceil(count / (5 if count <= 20 else 8))
    return max(1, math.ceil(count / rows)), rows


def _tile(
    sheet: Image.Image,
    type_: _Type,
    corner: tuple[int, int],
    match: Answer,
) -> None:
    x, y = corner
    picture = _rounded(_square(match.path, TILE))
    sheet.paste(picture, corner, picture)

    badge = _disc(40, INK)
    sheet.paste(badge, (x + 10, y + 10), badge)
    type_.write((x + 30, y + 30), str(match.rank), 20, PAPER, 36, anchor="mm")

    line = y + TILE + 12
    percent = f"{match.percent:.0f} %"
    used = type_.width(percent, 22)
    type_.write((x + 2, line + 1), match.category.replace("_", " "), 20, INK, TILE - used - 16)
    type_.write((x + TILE - 2, line), percent, 22, ACCENT, TILE, anchor="ra")
    bar = (x + 2, line + 36, x + TILE - 2, line + 42)
    type_.draw.rounded_rectangle(bar, 3, fill=TRACK)
    filled = round((bar[2] - bar[0]) * min(max(match.percent, 0.0), 100.0) / 100)
    if filled >= 6:
        type_.draw.rounded_rectangle((bar[0], bar[1], bar[0] + filled, bar[3]), 3, fill=ACCENT)


def _panel(queries: Sequence[Image.Image]) -> Image.Image:
    """The question's picture in its own proportions, or up to nine as a mosaic of squares."""
    if len(queries) == 1:
        picture = queries[0].convert("RGB")
        # Very long pictures are cropped to 1:2, so that none makes the sheet a ribbon.
        scale = QUERY / picture.width
        height = min(max(round(picture.height * scale), QUERY // 2), QUERY * 2)
        return _rounded(ImageOps.fit(picture, (QUERY, height)))
    side = 2 if len(queries) <= 4 else 3
    cell = (QUERY - (side - 1) * GAP // 2) // side
    rows = math.ceil(min(len(queries), side * side) / side)
    panel = Image.new("RGBA", (QUERY, rows * (cell + GAP // 2) - GAP // 2))
    for place, query in enumerate(queries[: side * side]):
        row, column = divmod(place, side)
        tile = _rounded(ImageOps.fit(query.convert("RGB"), (cell, cell)))
        panel.paste(tile, (column * (cell + GAP // 2), row * (cell + GAP // 2)))
    return panel


def _placeholder() -> Image.Image:
    """Stands for a picture whose file is gone: a grey card with a crossed frame."""
    card = Image.new("RGB", (TILE * 2, TILE * 2), TRACK)
    draw = ImageDraw.Draw(card)
    box = (TILE - 70, TILE - 56, TILE + 70, TILE + 56)
    draw.rounded_rectangle(box, 14, outline=QUIET, width=6)
    draw.line((TILE - 84, TILE + 76, TILE + 84, TILE - 76), fill=QUIET, width=6)
    return card.resize((TILE, TILE), Image.Resampling.LANCZOS)


def _rounded(picture: Image.Image) -> Image.Image:
    # Drawn at four times the size and shrunk: Pillow's own corners are not smooth.
    mask = Image.new("L", (picture.width * 4, picture.height * 4), 0)
    box = (0, 0, mask.width - 1, mask.height - 1)
    ImageDraw.Draw(mask).rounded_rectangle(box, RADIUS * 4, fill=255)
    picture = picture.copy()
    picture.putalpha(mask.resize(picture.size, Image.Resampling.LANCZOS))
    return picture


def _disc(side: int, colour: tuple[int, int, int]) -> Image.Image:
    mask = Image.new("L", (side * 4, side * 4), 0)
    ImageDraw.Draw(mask).ellipse((0, 0, side * 4 - 1, side * 4 - 1), fill=215)
    disc = Image.new("RGB", (side, side), colour)
    disc.putalpha(mask.resize((side, side), Image.Resampling.LANCZOS))
    return disc


@dataclass(frozen=True, slots=True)
class _Type:
    """The sheet's typeface: Pillow's built-in, or a system one where names need more letters.

    The built-in has no Vietnamese letters. Where no font has them, their marks are left out, since
    plain letters read better than boxes.
    """

    draw: ImageDraw.ImageDraw
    family: str | None
    strips_marks: bool

    @classmethod
    def on(cls, sheet: Image.Image, texts: Sequence[str]) -> _Type:
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
