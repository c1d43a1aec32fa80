"""Location sheets: a picture with the place of a cut-out drawn into it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from PIL import Image, ImageDraw

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
    panel,
    rounded,
)
from engine.plots.typeface import Typeface

if TYPE_CHECKING:
    from collections.abc import Sequence

_SIDE = 960
"""Longest side that a picture is shown with, in pixels; smaller ones are enlarged to it."""
_LEAST_SHORT = 240
_VEIL = 0.55
_LINE = 5
_TAG = 40


class Place(Protocol):
    """What a sheet shows of a location."""

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Left, top, right, bottom in pixels of the picture."""

    @property
    def percent(self) -> float:
        """How well it fits, 0 to 100."""


def boxed(picture: Image.Image, place: Place) -> Image.Image:
    """The picture with a box around a place and its score in percent, the rest veiled.

    Args:
        picture: The RGB picture that was searched.
        place: What was found in it.

    Returns:
        An RGB picture with a longest side of 960 pixels, less for very long ones.
    """
    shown = _shown(picture)
    across, down = shown.width / picture.width, shown.height / picture.height
    left, top, right, bottom = place.box
    box = (
        round(left * across),
        round(top * down),
        max(round(right * across), round(left * across) + 1) - 1,
        max(round(bottom * down), round(top * down) + 1) - 1,
    )
    inside = (box[0], box[1], box[2] + 1, box[3] + 1)
    drawn = Image.blend(shown, Image.new("RGB", shown.size, PAPER), _VEIL)
    drawn.paste(shown.crop(inside), inside)
    draw = ImageDraw.Draw(drawn)
    for width, colour in ((_LINE + 3, PAPER), (_LINE, ACCENT)):
        out = (box[0] - width, box[1] - width, box[2] + width, box[3] + width)
        draw.rectangle(_within(out, shown), outline=colour, width=width)
    _tag(drawn, box, f"{place.percent:.0f} %")
    return drawn


def location_sheet(
    picture: Image.Image,
    cutout: Image.Image,
    place: Place | None,
    *,
    title: str = "",
    cutout_label: str = "Cut-out",
    not_found: str = "Not found in this picture",
) -> Image.Image:
    """Draw a cut-out beside the picture in which its place is boxed.

    Args:
        picture: The RGB picture that was searched.
        cutout: What was looked for.
        place: Where it lies; None when it does not.
        title: A line above everything.
        cutout_label: The caption under the cut-out.
        not_found: What stands below that where there is no place.

    Returns:
        An RGB picture.
    """
    asked = panel([cutout])
    shown = rounded(_shown(picture) if place is None else boxed(picture, place))
    top = MARGIN + (TITLE if title else 0)
    left = MARGIN + QUERY + 2 * GAP
    height = max(shown.height, asked.height + 84)
    sheet = Image.new("RGB", (left + shown.width + MARGIN, top + height + MARGIN), PAPER)
    type_ = Typeface.on(sheet, [title, cutout_label, not_found])
    if title:
        type_.write((MARGIN, MARGIN - 8), title, 32, INK, sheet.width - 2 * MARGIN)
    sheet.paste(asked, (MARGIN, top), asked)
    line = top + asked.height + 12
    type_.write((MARGIN + 2, line), cutout_label, 22, QUIET, QUERY)
    if place is None:
        type_.write((MARGIN + 2, line + 34), not_found, 24, INK, QUERY)
    else:
        percent = f"{place.percent:.0f} %"
        type_.write((MARGIN + QUERY - 2, line), percent, 22, ACCENT, QUERY, anchor="ra")
    x = left - GAP
    type_.draw.line((x, top, x, sheet.height - MARGIN), fill=TRACK, width=2)
    sheet.paste(shown, (left, top), shown)
    return sheet


def _shown(picture: Image.Image) -> Image.Image:
    scale = _SIDE / max(picture.size)
    size = (
        max(round(picture.width * scale), _LEAST_SHORT),
        max(round(picture.height * scale), _LEAST_SHORT),
    )
    return picture.convert("RGB").resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _within(box: Sequence[int], picture: Image.Image) -> tuple[int, int, int, int]:
    left, top, right, bottom = box
    return (
        max(left, 0), max(top, 0), min(right, picture.width - 1), min(bottom, picture.height - 1),
    )  # fmt: skip


def _tag(picture: Image.Image, box: tuple[int, int, int, int], text: str) -> None:
    """A label at the box's upper edge: above it where there is room, else inside."""
    type_ = Typeface.on(picture, [text])
    width = type_.width(text, 22) + 24
    left = min(max(box[0] - _LINE, 0), picture.width - width)
    top = box[1] - _LINE - 4 - _TAG
    if top < 0:
        top, left = box[1] + 8, min(box[0] + 8, picture.width - width)
    type_.draw.rounded_rectangle((left, top, left + width, top + _TAG), 8, fill=ACCENT)
    at = (left + width // 2, top + _TAG // 2)
    type_.write(at, text, 22, PAPER, width, anchor="mm")
