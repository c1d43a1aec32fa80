"""Comparison sheets: one question answered in several ways, a row each, to be put on a slide."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image

from engine.plots.paper import (
    ACCENT,
    GAP,
    INK,
    MARGIN,
    PAPER,
    QUERY,
    QUIET,
    TITLE,
    TRACK,
    Answer,
    bar,
    panel,
    tile,
)
from engine.plots.typeface import Typeface

if TYPE_CHECKING:
    from collections.abc import Sequence

SLIDE = 16 / 9
_TILE, _SPACE, _HEADING, _CAPTION = 168, 18, 44, 50
_ROW = _HEADING + _TILE + _CAPTION


@dataclass(frozen=True, slots=True)
class Row:
    """One way's answer.

    Args:
        label: What the way is called, such as a metric's name.
        matches: Its matches, best first.
        note: What it does, in a few words.
    """

    label: str
    matches: Sequence[Answer]
    note: str = ""


def comparison_sheet(
    query: Image.Image | Sequence[Image.Image],
    rows: Sequence[Row],
    *,
    title: str = "",
    query_label: str = "Query",
    nothing: str = "Nothing found",
) -> Image.Image:
    """Draw a question beside the answers of several ways, such as metrics.

    Args:
        query: The picture asked with, or several; none for a question in words.
        rows: The answers. Many rows stand in two columns, when that is nearer to a slide's shape.
        title: A line above everything.
        query_label: The caption under the question's picture.
        nothing: What stands in a row without a match.

    Returns:
        An RGB picture: the question on the left; of each row its name and the matches side by side,
        each with category and similarity in percent.
    """
    queries = [query] if isinstance(query, Image.Image) else list(query)
    asked = panel(queries) if queries else None
    top = MARGIN + (TITLE if title else 0)
    left = MARGIN + (QUERY + 2 * GAP if asked else 0)
    longest = max((len(row.matches) for row in rows), default=0)
    block = max(longest, 3) * (_TILE + _SPACE) - _SPACE

    def size(columns: int) -> tuple[int, int]:
        lines = math.ceil(len(rows) / columns)
        height = max(lines * (_ROW + GAP) - GAP, asked.height + 50 if asked else 0, _HEADING)
        return left + columns * (block + 3 * GAP) - 3 * GAP + MARGIN, top + height + MARGIN

    columns = min((1, 2) if len(rows) > 1 else (1,), key=lambda n: _strangeness(*size(n)))
    sheet = Image.new("RGB", size(columns), PAPER)
    words = [title, query_label, nothing]
    words += [word for row in rows for word in (row.label, row.note)]
    words += [match.category for row in rows for match in row.matches]
    type_ = Typeface.on(sheet, words)
    if title:
        type_.write((MARGIN, MARGIN - 8), title, 32, INK, sheet.width - 2 * MARGIN)
    if asked:
        sheet.paste(asked, (MARGIN, top), asked)
        type_.write((MARGIN + 2, top + asked.height + 12), query_label, 22, QUIET, QUERY)
        x = left - GAP
        type_.draw.line((x, top, x, sheet.height - MARGIN), fill=TRACK, width=2)
    lines = math.ceil(len(rows) / columns)
    for place, row in enumerate(rows):
        column, line = divmod(place, lines)
        corner = (left + column * (block + 3 * GAP), top + line * (_ROW + GAP))
        _row(sheet, type_, row, (*corner, block), nothing)
    return sheet


def _strangeness(width: int, height: int) -> float:
    """How far a shape is from a slide's."""
    return abs(math.log(width / height / SLIDE))


def _row(
    sheet: Image.Image,
    type_: Typeface,
    row: Row,
    box: tuple[int, int, int],
    nothing: str,
) -> None:
    x, y, width = box
    type_.write((x + 2, y + 28), row.label, 26, INK, width, anchor="ls")
    used = type_.width(row.label, 26) + 14
    if row.note and used < width:
        type_.write((x + 2 + used, y + 28), row.note, 19, QUIET, width - used, anchor="ls")
    y += _HEADING
    if not row.matches:
        type_.draw.rounded_rectangle((x, y, x + width, y + _TILE), 16, outline=TRACK, width=2)
        at = (x + width // 2, y + _TILE // 2)
        type_.write(at, nothing, 22, QUIET, width, anchor="mm")
    for place, match in enumerate(row.matches):
        left = x + place * (_TILE + _SPACE)
        picture = tile(match.path, _TILE)
        sheet.paste(picture, (left, y), picture)
        line = y + _TILE + 9
        percent = f"{match.percent:.0f} %"
        room = _TILE - type_.width(percent, 19) - 12
        type_.write((left + 2, line + 1), match.category.replace("_", " "), 17, INK, room)
        type_.write((left + _TILE - 2, line), percent, 19, ACCENT, _TILE, anchor="ra")
        bar(sheet, (left + 2, line + 29, left + _TILE - 2, line + 34), match.percent)
