"""What sheets are made of: colours, measures, and pictures with round corners."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Protocol

from PIL import Image, ImageDraw, ImageOps

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
QUERY = 360
CAPTION = 74
TITLE = 64
RADIUS = 16


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


def tile(path: Path, side: int) -> Image.Image:
    """A file's picture as a rounded square; a placeholder where it cannot be opened."""
    try:
        picture = ImageOps.fit(open_image(path, min_side=side), (side, side))
    except (ImageError, OSError):
        picture = _placeholder(side)
    return rounded(picture)


def bar(sheet: Image.Image, box: tuple[int, int, int, int], percent: float) -> None:
    """Draw a track with round ends, filled up to a percentage."""
    size = (box[2] - box[0], box[3] - box[1])
    track = Image.new("RGB", size, TRACK)
    ends = rounded(track, size[1] // 2).getchannel("A")
    track.paste(ACCENT, (0, 0, round(size[0] * min(max(percent, 0.0), 100.0) / 100), size[1]))
    sheet.paste(track, box[:2], ends)


def panel(queries: Sequence[Image.Image], width: int = QUERY) -> Image.Image:
    """The question's picture in its own proportions, or up to nine as a mosaic of squares."""
    if len(queries) == 1:
        picture = queries[0].convert("RGB")
        # Very long pictures are cropped to 1:2, so that none makes the sheet a ribbon.
        scale = width / picture.width
        height = min(max(round(picture.height * scale), width // 2), width * 2)
        return rounded(ImageOps.fit(picture, (width, height)))
    side = 2 if len(queries) <= 4 else 3
    cell = (width - (side - 1) * GAP // 2) // side
    rows = math.ceil(min(len(queries), side * side) / side)
    mosaic = Image.new("RGBA", (width, rows * (cell + GAP // 2) - GAP // 2))
    for place, query in enumerate(queries[: side * side]):
        row, column = divmod(place, side)
        tile = rounded(ImageOps.fit(query.convert("RGB"), (cell, cell)))
        mosaic.paste(tile, (column * (cell + GAP // 2), row * (cell + GAP // 2)))
    return mosaic


def rounded(picture: Image.Image, radius: int = RADIUS) -> Image.Image:
    """The picture with round corners, as RGBA."""
    # Drawn at four times the size and shrunk: Pillow's own corners are not smooth.
    mask = Image.new("L", (picture.width * 4, picture.height * 4), 0)
    box = (0, 0, mask.width - 1, mask.height - 1)
    ImageDraw.Draw(mask).rounded_rectangle(box, radius * 4, fill=255)
    picture = picture.copy()
    picture.putalpha(mask.resize(picture.size, Image.Resampling.LANCZOS))
    return picture


def disc(side: int, colour: tuple[int, int, int]) -> Image.Image:
    """A nearly opaque disc, as RGBA."""
    mask = Image.new("L", (side * 4, side * 4), 0)
    ImageDraw.Draw(mask).ellipse((0, 0, side * 4 - 1, side * 4 - 1), fill=215)
    disc = Image.new("RGB", (side, side), colour)
    disc.putalpha(mask.resize((side, side), Image.Resampling.LANCZOS))
    return disc


def _placeholder(side: int) -> Image.Image:
    """Stands for a picture whose file is gone: a grey card with a crossed frame."""
    card = Image.new("RGB", (TILE * 2, TILE * 2), TRACK)
    draw = ImageDraw.Draw(card)
    box = (TILE - 70, TILE - 56, TILE + 70, TILE + 56)
    draw.rounded_rectangle(box, 14, outline=QUIET, width=6)
    draw.line((TILE - 84, TILE + 76, TILE + 84, TILE - 76), fill=QUIET, width=6)
    return card.resize((side, side), Image.Resampling.LANCZOS)
