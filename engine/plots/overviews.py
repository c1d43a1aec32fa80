"""Overviews: pictures side by side with nothing said of them, such as all that is new."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PIL import Image

from engine.plots.paper import GAP, INK, MARGIN, PAPER, TITLE, disc, tile
from engine.plots.typeface import Typeface

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_TILE = 180
_STEP = _TILE + GAP // 2


def overview(paths: Sequence[Path], *, title: str = "", first: int | None = None) -> Image.Image:
    """Draw pictures in a grid.

    Args:
        paths: Their files; a placeholder stands for what cannot be opened.
        title: A line above them.
        first: Number of the first picture; without it none is numbered.

    Returns:
        An RGB picture, about as wide as high, of rounded squares.
    """
    columns = max(3, math.ceil(math.sqrt(len(paths))))
    rows = math.ceil(len(paths) / columns)
    top = MARGIN + (TITLE if title else 0)
    size = (2 * MARGIN + columns * _STEP - GAP // 2, top + rows * _STEP - GAP // 2 + MARGIN)
    sheet = Image.new("RGB", size, PAPER)
    type_ = Typeface.on(sheet, [title])
    if title:
        type_.write((MARGIN, MARGIN - 8), title, 32, INK, sheet.width - 2 * MARGIN)
    for place, path in enumerate(paths):
        row, column = divmod(place, columns)
        picture = tile(path, _TILE)
        x, y = MARGIN + column * _STEP, top + row * _STEP
        sheet.paste(picture, (x, y), picture)
        if first is not None:
            badge = disc(40, INK)
            sheet.paste(badge, (x + 8, y + 8), badge)
            type_.write((x + 28, y + 28), str(first + place), 20, PAPER, 36, anchor="mm")
    return sheet
