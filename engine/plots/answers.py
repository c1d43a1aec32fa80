"""Contact sheets: a question's picture beside the pictures that answer it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PIL import Image

from engine.plots.paper import (
    ACCENT,
    CAPTION,
    GAP,
    INK,
    MARGIN,
    PAPER,
    QUERY,
    QUIET,
    TILE,
    TITLE,
    TRACK,
    Answer,
    bar,
    disc,
    panel,
    tile,
)
from engine.plots.typeface import Typeface

if TYPE_CHECKING:
    from collections.abc import Sequence


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
    asked = panel(queries) if queries else None
    height = max(
        rows * TILE + rows * CAPTION + (rows - 1) * GAP if matches else TILE,
        asked.height + CAPTION // 2 if asked else 0,
    )
    width = left + max(columns * (TILE + GAP) - GAP, TILE if matches else 2 * TILE) + MARGIN
    sheet = Image.new("RGB", (width, top + height + MARGIN), PAPER)
    type_ = Typeface.on(sheet, [title, query_label, *(match.category for match in matches)])
    if title:
        type_.write((MARGIN, MARGIN - 8), title, 32, INK, sheet.width - 2 * MARGIN)
    if asked:
        sheet.paste(asked, (MARGIN, top), asked)
        at = (MARGIN + 2, top + asked.height + 12)
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


def _grid(count: int) -> tuple[int, int]:
    """Columns and rows: few pictures in one row, more in a block about as tall as the question."""
    rows = 1 if count <= 3 else 2 if count <= 10 else math.ceil(count / (5 if count <= 20 else 8))
    return max(1, math.ceil(count / rows)), rows


def _tile(
    sheet: Image.Image,
    type_: Typeface,
    corner: tuple[int, int],
    match: Answer,
) -> None:
    x, y = corner
    picture = tile(match.path, TILE)
    sheet.paste(picture, corner, picture)

    badge = disc(40, INK)
    sheet.paste(badge, (x + 10, y + 10), badge)
    type_.write((x + 30, y + 30), str(match.rank), 20, PAPER, 36, anchor="mm")

    line = y + TILE + 12
    percent = f"{match.percent:.0f} %"
    used = type_.width(percent, 22)
    type_.write((x + 2, line + 1), match.category.replace("_", " "), 20, INK, TILE - used - 16)
    type_.write((x + TILE - 2, line), percent, 22, ACCENT, TILE, anchor="ra")
    bar(sheet, (x + 2, line + 36, x + TILE - 2, line + 42), match.percent)
