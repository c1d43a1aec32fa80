"""Tag sheets: a picture beside bars that say how well topics fit it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from PIL import Image

from engine.plots.paper import ACCENT, GAP, INK, MARGIN, PAPER, QUERY, QUIET, TITLE, bar, panel
from engine.plots.typeface import Typeface

if TYPE_CHECKING:
    from collections.abc import Sequence

_WIDTH = 620
_ROW = 76


class Topic(Protocol):
    """What a sheet shows of a tag."""

    @property
    def category(self) -> str:
        """The topic."""

    @property
    def percent(self) -> float:
        """How well it fits, 0 to 100."""


def tag_sheet(
    picture: Image.Image,
    topics: Sequence[Topic],
    *,
    title: str = "",
    note: str = "",
    nothing: str = "No topic fits",
) -> Image.Image:
    """Draw a picture beside its topics.

    Args:
        picture: The RGB picture that was asked about.
        topics: The topics, best first.
        title: A line above everything.
        note: A line under the bars, such as how they were found.
        nothing: What stands there when there is no topic.

    Returns:
        An RGB picture: the picture on the left, a bar with name and percent for each topic.
    """
    asked = panel([picture])
    top = MARGIN + (TITLE if title else 0)
    left = MARGIN + QUERY + 2 * GAP
    bars = max(len(topics), 1) * _ROW + (40 if note else 0) - 24
    height = max(asked.height, bars)
    sheet = Image.new("RGB", (left + _WIDTH + MARGIN, top + height + MARGIN), PAPER)
    type_ = Typeface.on(sheet, [title, note, nothing, *(topic.category for topic in topics)])
    if title:
        type_.write((MARGIN, MARGIN - 8), title, 32, INK, sheet.width - 2 * MARGIN)
    sheet.paste(asked, (MARGIN, top), asked)
    # Few bars stand in the middle of a tall picture.
    y = top + (height - bars) // 2
    if not topics:
        type_.write((left, y), nothing, 26, QUIET, _WIDTH)
    for place, topic in enumerate(topics):
        percent = f"{topic.percent:.0f} %"
        room = _WIDTH - type_.width(percent, 26) - 24
        colour = INK if place == 0 else QUIET
        type_.write((left, y), topic.category.replace("_", " "), 26, colour, room)
        type_.write((left + _WIDTH, y), percent, 26, ACCENT, _WIDTH, anchor="ra")
        bar(sheet, (left, y + 38, left + _WIDTH, y + 50), topic.percent)
        y += _ROW
    if note:
        type_.write((left, y), note, 19, QUIET, _WIDTH)
    return sheet
