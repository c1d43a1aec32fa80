"""Sheets: each method's best and worst queries beside the first answers, to be looked at."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from engine.errors import ImageError
from engine.evaluation.figure import COLOURS, Figure, Words, shortened
from engine.images import open_image

if TYPE_CHECKING:
    from engine.evaluation.results import Evaluation, Outcome
    from engine.evaluation.trial import Picture

SHOWN_QUERIES = 3
TILE = 104
_GAP = 10
_CAPTION = 20
_FRAME = 4
_RIGHT, _WRONG = "#3f8f5f", "#c8553d"


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture of a sheet; `is_right` is None for the query."""

    picture: Picture
    is_right: bool | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A query, its average precision, and the first answers."""

    query: Shown
    precision: float
    answers: tuple[Shown, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """The queries that a method answers best and worst."""

    outcome: Outcome
    best: tuple[Line, ...]
    worst: tuple[Line, ...]


def sheet_of(evaluation: Evaluation, outcome: Outcome) -> Sheet:
    """Choose the best and the worst queries of a method by average precision.

    Of several equals those come first that were asked first. With few queries the two halves do
    not overlap.
    """
    trial = evaluation.trial
    order = np.argsort(-outcome.of("mAP"), kind="stable").tolist()
    shown = min(SHOWN_QUERIES, max(1, len(order) // 2))

    def line(at: int) -> Line:
        query = trial.queries[at]
        found = [trial.gallery[place] for place in outcome.nearest[at].tolist() if place >= 0]
        answers = tuple(Shown(each, each.category == query.category) for each in found)
        return Line(Shown(query), float(outcome.of("mAP")[at]), answers)

    worst = order[::-1][: shown if len(order) > 1 else 0]
    return Sheet(outcome, tuple(map(line, order[:shown])), tuple(map(line, worst)))


class Tiles:
    """Pictures as small squares, each opened once."""

    def __init__(self) -> None:
        self._made: dict[str, Image.Image] = {}
        self._written: dict[str, str] = {}

    def tile(self, picture: Picture) -> Image.Image:
        """The middle of a picture as a square; a grey one where it cannot be opened."""
        if picture.id not in self._made:
            self._made[picture.id] = _opened(picture)
        return self._made[picture.id]

    def address(self, picture: Picture) -> str:
        """The square as a `data:` address for a page that stands alone."""
        if picture.id not in self._written:
            buffer = io.BytesIO()
            self.tile(picture).save(buffer, "JPEG", quality=78, optimize=True)
            text = base64.b64encode(buffer.getvalue()).decode()
            self._written[picture.id] = f"data:image/jpeg;base64,{text}"
        return self._written[picture.id]


def drawn(sheet: Sheet, tiles: Tiles) -> bytes:
    """The sheet as a PNG: a query and its answers a row, right ones framed green, wrong ones red.

    Wrong ones are crossed in a corner too, for those who do not tell the colours apart.
    """
    columns = 1 + max(len(line.answers) for line in (*sheet.best, *sheet.worst))
    width = columns * (TILE + _GAP) + _GAP
    step = TILE + _CAPTION + _GAP
    height = 2 * 30 + (len(sheet.best) + len(sheet.worst)) * step
    paper = Figure(f"Best and worst queries by {sheet.outcome.method.label}", width, height)
    places: list[tuple[float, float, Shown]] = []
    y = 0.0
    for heading, lines in (("Best answered", sheet.best), ("Worst answered", sheet.worst)):
        paper.add(Words(0, y + 18, heading, size=13, is_strong=True))
        y += 30
        for line in lines:
            for place, shown in enumerate((line.query, *line.answers)):
                x = float(place * (TILE + _GAP) + (_GAP if place else 0))
                places.append((x, y, shown))
                words = shown.picture.category.replace("_", " ")
                role = "quiet" if place else "ink"
                paper.add(Words(x, y + TILE + 14, shortened(words, 11, TILE), role, 11))
            y += step
    page = paper.picture()
    for x, y_, shown in places:
        tile = framed(tiles.tile(shown.picture), shown.is_right)
        page.paste(tile.resize((2 * TILE, 2 * TILE)), paper.at(x, y_))
    page = page.reduce(2)
    buffer = io.BytesIO()
    page.save(buffer, "PNG")
    return buffer.getvalue()


def framed(tile: Image.Image, is_right: bool | None) -> Image.Image:  # noqa: FBT001 - three-valued
    """A tile with its frame; the query has none."""
    if is_right is None:
        return tile
    marked = tile.copy()
    draw = ImageDraw.Draw(marked)
    side = marked.width - 1
    draw.rectangle((0, 0, side, side), outline=_RIGHT if is_right else _WRONG, width=_FRAME)
    if not is_right:
        draw.rectangle((side - 20, 0, side, 20), fill=_WRONG)
        for line in ((side - 14, 6, side - 6, 14), (side - 14, 14, side - 6, 6)):
            draw.line(line, COLOURS["paper"], 2)
    return marked


def _opened(picture: Picture) -> Image.Image:
    if picture.path is not None:
        try:
            image = open_image(picture.path, min_side=TILE)
            return ImageOps.fit(image, (TILE, TILE))
        except (ImageError, OSError):
            pass
    return Image.new("RGB", (TILE, TILE), COLOURS["grid"])
