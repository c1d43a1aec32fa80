"""Figures: simple shapes drawn once, shown as SVG in a page or as PNG beside it.

A shape has a role and no colour. In SVG the role is a CSS class, so that one drawing is right on
dark and on light paper; in PNG it is a colour of `COLOURS`, which the page's light theme has too.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from functools import cache
from html import escape
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from PIL import Image, ImageDraw, ImageFont

from engine.plots.typeface import FAMILIES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Anchor = Literal["start", "middle", "end"]
Point = tuple[float, float]

COLOURS: Mapping[str, str] = MappingProxyType(
    {
        "paper": "#ffffff",
        "ink": "#212126",
        "quiet": "#6b6a73",
        "grid": "#e4e2dd",
        "context": "#c9c7c2",
        "heat": "#1d5a96",
        "s0": "#2e6ea8",
        "s1": "#c8553d",
        "s2": "#3f8f5f",
        "s3": "#8a5fb0",
        "s4": "#b07d12",
        "s5": "#23898d",
        "s6": "#b8487f",
        "s7": "#6d7280",
    }
)
"""Roles and their colours on light paper; `s…` are series, told apart by people who see no red."""
SERIES = 8
LETTER = 0.54
"""Mean width of a letter, of its height; what a label takes is estimated with it."""
_SCALE = 2
_SMOOTH = 2
_MARGIN = 16
_HEAD = 34


@dataclass(frozen=True, slots=True)
class Box:
    """A filled rectangle; `strength` is how much of its colour covers the paper."""

    x: float
    y: float
    width: float
    height: float
    role: str
    strength: float = 1.0
    radius: float = 0.0
    tip: str = ""


@dataclass(frozen=True, slots=True)
class Path:
    """A line through points."""

    points: Sequence[Point]
    role: str
    width: float = 1.0
    is_dashed: bool = False


@dataclass(frozen=True, slots=True)
class Dot:
    """A filled circle."""

    x: float
    y: float
    radius: float
    role: str
    tip: str = ""


@dataclass(frozen=True, slots=True)
class Words:
    """A line of text; `y` is its baseline, `turn` in degrees about its own start."""

    x: float
    y: float
    text: str
    role: str = "ink"
    size: float = 12.0
    anchor: Anchor = "start"
    is_strong: bool = False
    turn: int = 0


Shape = Box | Path | Dot | Words


@dataclass(slots=True)
class Figure:
    """Shapes on a paper of some size, in CSS pixels; `title` says what they show."""

    title: str
    width: float
    height: float
    shapes: list[Shape] = field(default_factory=list)

    def add(self, *shapes: Shape) -> None:
        """Draw more, over what is there."""
        self.shapes += shapes

    def svg(self) -> str:
        """The figure as an element of an HTML page that has its roles as classes."""
        inner = "".join(_svg(shape) for shape in self.shapes)
        size = f'viewBox="0 0 {self.width:g} {self.height:g}"'
        label = escape(self.title, quote=True)
        return f'<svg {size} role="img" aria-label="{label}">{inner}</svg>'

    def picture(self, note: str = "") -> Image.Image:
        """The figure at twice its size, its title above it and perhaps a note under it."""
        zoom, foot = _SCALE * _SMOOTH, 22 if note else 0
        width, height = self.width + 2 * _MARGIN, self.height + _HEAD + foot + 2 * _MARGIN
        page = Image.new("RGB", (round(width * zoom), round(height * zoom)), COLOURS["paper"])
        pen = _Pen(page, zoom, (_MARGIN, _MARGIN + _HEAD))
        pen.draw(Words(0, 14 - _HEAD, self.title, size=15, is_strong=True))
        for shape in self.shapes:
            pen.draw(shape)
        if note:
            pen.draw(Words(0, self.height + foot - 4, note, role="quiet", size=11))
        return page.reduce(_SMOOTH)

    def png(self, note: str = "") -> bytes:
        """`picture` as the bytes of a PNG."""
        buffer = io.BytesIO()
        few = self.picture(note).quantize(256, dither=Image.Dither.NONE)
        few.save(buffer, "PNG")
        return buffer.getvalue()

    @staticmethod
    def at(x: float, y: float) -> tuple[int, int]:
        """Where a point of the figure lies in its PNG, in pixels."""
        return round(_SCALE * (x + _MARGIN)), round(_SCALE * (y + _MARGIN + _HEAD))


def shortened(text: str, size: float, room: float) -> str:
    """`text`, ellipsised to about `room` pixels at this size of letters."""
    most = max(1, int(room / (size * LETTER)))
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def _svg(shape: Shape) -> str:
    match shape:
        case Box():
            opacity = f' fill-opacity="{shape.strength:.3g}"' if shape.strength < 1 else ""
            corner = f' rx="{shape.radius:g}"' if shape.radius else ""
            return (
                f'<rect class="{shape.role}" x="{shape.x:.4g}" y="{shape.y:.4g}" '
                f'width="{max(shape.width, 0):.4g}" height="{shape.height:.4g}"'
                f"{corner}{opacity}>{_tip(shape.tip)}</rect>"
            )
        case Path():
            points = " ".join(f"{x:.4g},{y:.4g}" for x, y in shape.points)
            dash = ' stroke-dasharray="4 3"' if shape.is_dashed else ""
            return (
                f'<polyline class="line {shape.role}" points="{points}" '
                f'stroke-width="{shape.width:g}"{dash}/>'
            )
        case Dot():
            return (
                f'<circle class="{shape.role}" cx="{shape.x:.4g}" cy="{shape.y:.4g}" '
                f'r="{shape.radius:g}">{_tip(shape.tip)}</circle>'
            )
        case Words():
            turn = f' transform="rotate({shape.turn} {shape.x:.4g} {shape.y:.4g})"'
            weight = ' font-weight="600"' if shape.is_strong else ""
            return (
                f'<text class="{shape.role}" x="{shape.x:.4g}" y="{shape.y:.4g}" '
                f'font-size="{shape.size:g}" text-anchor="{shape.anchor}"{weight}'
                f"{turn if shape.turn else ''}>{escape(shape.text)}</text>"
            )


def _tip(text: str) -> str:
    return f"<title>{escape(text)}</title>" if text else ""


class _Pen:
    """Draws shapes on a picture, `zoom` times as large, from an origin."""

    def __init__(self, page: Image.Image, zoom: int, origin: Point) -> None:
        self._page = page
        self._draw = ImageDraw.Draw(page)
        self._zoom = zoom
        self._origin = origin

    def draw(self, shape: Shape) -> None:
        """Draw one shape."""
        match shape:
            case Box():
                corners = (*self._at(shape.x, shape.y), *self._at(
                    shape.x + max(shape.width, 0), shape.y + shape.height
                ))  # fmt: skip
                colour = _mixed(COLOURS[shape.role], shape.strength)
                self._draw.rounded_rectangle(corners, shape.radius * self._zoom, fill=colour)
            case Path():
                for part in _dashes(shape.points) if shape.is_dashed else [shape.points]:
                    points = [self._at(x, y) for x, y in part]
                    width = max(1, round(shape.width * self._zoom))
                    self._draw.line(points, COLOURS[shape.role], width, joint="curve")
            case Dot():
                x, y = self._at(shape.x, shape.y)
                radius = shape.radius * self._zoom
                box = (x - radius, y - radius, x + radius, y + radius)
                self._draw.ellipse(box, fill=COLOURS[shape.role])
            case Words():
                self._write(shape)

    def _write(self, words: Words) -> None:
        font = _font(round(words.size * self._zoom))
        anchor = {"start": "ls", "middle": "ms", "end": "rs"}[words.anchor]
        bold = self._zoom // 3 if words.is_strong else 0
        colour = COLOURS[words.role]
        if not words.turn:
            at = self._at(words.x, words.y)
            self._draw.text(at, words.text, colour, font, anchor, stroke_width=bold)
            return
        # Written on a paper of its own and turned about the text's start.
        reach = round(font.getlength(words.text)) + 4 * self._zoom
        paper = Image.new("L", (2 * reach, 2 * reach))
        ImageDraw.Draw(paper).text((reach, reach), words.text, 255, font, anchor)
        paper = paper.rotate(-words.turn, Image.Resampling.BICUBIC)
        x, y = self._at(words.x, words.y)
        self._page.paste(colour, (round(x) - reach, round(y) - reach), paper)

    def _at(self, x: float, y: float) -> Point:
        return (x + self._origin[0]) * self._zoom, (y + self._origin[1]) * self._zoom


def _dashes(points: Sequence[Point]) -> list[list[Point]]:
    """The line between the first and the last point in dashes; dashed lines here are straight."""
    (x, y), (to_x, to_y) = points[0], points[-1]
    length = max(((to_x - x) ** 2 + (to_y - y) ** 2) ** 0.5, 1e-9)
    step_x, step_y = (to_x - x) / length, (to_y - y) / length
    starts = range(0, int(length), 7)
    return [
        [(x + s * step_x, y + s * step_y), (x + e * step_x, y + e * step_y)]
        for s, e in ((start, min(start + 4, length)) for start in starts)
    ]


def _mixed(colour: str, strength: float) -> tuple[int, int, int]:
    paper, over = _rgb(COLOURS["paper"]), _rgb(colour)
    red, green, blue = (round(p + (o - p) * strength) for p, o in zip(paper, over, strict=True))
    return red, green, blue


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """A system's sans-serif, which has every letter of Vietnamese, or Pillow's own."""
    for family in FAMILIES:
        try:
            return ImageFont.truetype(family, size)
        except OSError:
            continue
    return ImageFont.load_default(size)
