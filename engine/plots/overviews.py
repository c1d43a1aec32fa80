"""Overviews: pictures side by side with nothing said of them, such as all that is new."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PIL import Image

from engine.plots.paper import GAP, INK, MARGIN, PAPER, TITLE, tile
from engine.plots.typeface import Typeface

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_TILE = 180
_STEP = _TILE + GAP // 2


def overview(paths: Sequence[Path], *, title: str = "") -> Image.Image:
    """Draw pictures in a grid.

    Args:
        paths: Their files; a placeholder stands for what cannot be opened.
        title: A line above them.

    Returns:
        An RGB picture, about as wide as high, of rounded squares.
    """
    columns = max(3, math.ceil(math.sqrt(len(paths))))
    rows = math.ceil(len(paths) / columns)
    top = MARGIN + (TITLE if title else 0)
    size = (2 * MARGIN + columns * _STEP - GAP // 2, top + rows * _STEP - GAP // 2 + MARGIN)
    sheet = Image.new("RGB", size, PAPER)
    if title:
        type_ = Typeface.on(sheet, [title])
        type_.write((MARGIN, MARGIN - 8), title, 32, INK, sheet.width - 2 * MARGIN)
    for place, path in enumerate(paths):
        row, column = divmod(place, columns)
        picture = tile(path, _TILE)
        sheet.paste(picture, (MARGIN + column * _STEP, top + row * _STEP), picture)
    return sheet
