"""The canvas and the pen: antialiased shapes, light and soft shadows on a square picture."""

from __future__ import annotations

import math
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from engine.drawings.curves import Points, closed_curve, open_curve, oval_points
from engine.drawings.lighting import corners, plane, sphere, spot

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engine.drawings.dice import Dice
    from engine.drawings.palette import Colour


SUPERSAMPLING = 2


class Canvas:
    """A square of 100 × 100 units, (0, 0) at the upper left, drawn twice as large as it will be.

    Args:
        side: Pixels a side of the finished picture.
        light: -1 when the light falls from the left, 1 from the right.
    """

    def __init__(self, side: int, *, light: int = -1) -> None:
        self.side = side
        self.light = light
        self.pixels = side * SUPERSAMPLING
        self.unit = self.pixels / 100
        self.image = Image.new("RGB", (self.pixels, self.pixels))
        self.brush = ImageDraw.Draw(self.image)

    def pen(
        self, x: float = 0, y: float = 0, *, size: float = 1, angle: float = 0, flip: bool = False
    ) -> Pen:
        """Return a pen whose origin lies at (x, y); it turns clockwise by `angle` degrees."""
        turn = math.radians(angle)
        across = -size if flip else size
        return Pen(
            self,
            (across * math.cos(turn), -size * math.sin(turn), x),
            (across * math.sin(turn), size * math.cos(turn), y),
        )

    def wash(self, colours: Sequence[Colour], top: float = 0, bottom: float = 100) -> None:
        """Fill the rows from top to bottom with an even blend of the colours, first one above."""
        above, below = round(top * self.unit), round(bottom * self.unit)
        column = Image.new("RGB", (1, len(colours)))
        column.putdata(colours)
        box = (0, 0.5, 1, len(colours) - 0.5)
        size = (self.pixels, max(1, below - above))
        self.image.paste(column.resize(size, Image.Resampling.BILINEAR, box=box), (0, above))

    def finish(self, grain: Dice, *, vignette: float = 0.12) -> Image.Image:
        """Return the picture at its final size, with slightly darker corners and a fine grain."""
        small = self.image.reduce(SUPERSAMPLING)
        if vignette > 0:
            strength = round(255 * vignette)
            mask = corners(self.side).point([value * strength // 255 for value in range(256)])
            small.paste((20, 14, 34), (0, 0), mask)
        values = np.asarray(small, dtype=np.int16) + grain.grain(self.side, 4)[:, :, np.newaxis]
        return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))


class Pen:
    """Draws in a frame of its own, so a subject is written once and placed anywhere, at any size.

    Args:
        canvas: What is drawn on.
        across: Row of the affine map that gives the canvas x.
        down: Row that gives the canvas y.
    """

    def __init__(
        self, canvas: Canvas, across: tuple[float, float, float], down: tuple[float, float, float]
    ) -> None:
        self.canvas = canvas
        self._across = across
        self._down = down
        self.scale = math.hypot(across[0], down[0])

    def at(
        self, x: float, y: float, *, size: float = 1, angle: float = 0, flip: bool = False
    ) -> Pen:
        """Return a pen placed within this one's frame."""
        inner = self.canvas.pen(x, y, size=size, angle=angle, flip=flip)
        (a, b, c), (d, e, f) = self._across, self._down
        (p, q, r), (s, t, u) = inner._across, inner._down  # noqa: SLF001 - another Pen's own frame
        return Pen(
            self.canvas,
            (a * p + b * s, a * q + b * t, a * r + b * u + c),
            (d * p + e * s, d * q + e * t, d * r + e * u + f),
        )

    def polygon(
        self, points: Points, colour: Colour, *, shade: float = 0, rounded: bool = False
    ) -> None:
        """Fill a polygon.

        Args:
            points: Corners in the pen's frame.
            colour: Its middle tone.
            shade: 0 is flat; up to about 0.5, how much lighter and darker its ends are.
            rounded: Light it as a sphere rather than as a plane.
        """
        pixels = self._pixels(points)
        if shade <= 0:
            self.canvas.brush.polygon(pixels, fill=colour)
            return
        box = self._box(pixels)
        if box is None:
            return
        left, top, right, bottom = box
        mask = Image.new("L", (right - left, bottom - top))
        ImageDraw.Draw(mask).polygon([(x - left, y - top) for x, y in pixels], fill=255)
        make = sphere if rounded else plane
        self.canvas.image.paste(
            make(mask.size, colour, shade, self.canvas.light), (left, top), mask
        )

    def smooth(
        self, points: Points, colour: Colour, *, shade: float = 0, rounded: bool = False
    ) -> None:
        """Fill the closed curve that runs through the points."""
        self.polygon(closed_curve(points), colour, shade=shade, rounded=rounded)

    def oval(
        self,
        x: float,
        y: float,
        rx: float,
        ry: float | None = None,
        *,
        colour: Colour,
        shade: float = 0,
        rounded: bool = False,
        angle: float = 0,
    ) -> None:
        """Fill an ellipse around (x, y); a circle where `ry` is left out."""
        self.polygon(
            oval_points(x, y, rx, rx if ry is None else ry, angle),
            colour,
            shade=shade,
            rounded=rounded,
        )

    def line(self, points: Points, width: float, colour: Colour) -> None:
        """Draw straight pieces with round ends and joints; the width is in the pen's units."""
        pixels = self._pixels(points)
        thick = max(1, round(width * self.scale * self.canvas.unit))
        self.canvas.brush.line(pixels, fill=colour, width=thick, joint="curve")
        if thick > 2:
            half = thick / 2 - 0.5
            for x, y in (pixels[0], pixels[-1]):
                self.canvas.brush.ellipse((x - half, y - half, x + half, y + half), fill=colour)

    def curve(self, points: Points, width: float, colour: Colour) -> None:
        """Draw the open curve that runs through the points."""
        self.line(open_curve(points), width, colour)

    def glow(
        self, x: float, y: float, rx: float, ry: float, *, colour: Colour, strength: float
    ) -> None:
        """Lay a soft spot over the picture: a highlight, a lamp's halo, or a shadow.

        Args:
            x: Its centre across, in the pen's frame.
            y: Its centre down.
            rx: Where it has faded out, across (canvas directions, whatever the pen's angle).
            ry: The same, down.
            colour: What is mixed in.
            strength: 0 to 1, its share in the middle.
        """
        unit = self.scale * self.canvas.unit
        wide, high = round(2 * rx * unit), round(2 * ry * unit)
        if wide < 2 or high < 2:
            return
        ((cx, cy),) = self._pixels([(x, y)])
        mask = spot(round(255 * strength)).resize((wide, high), Image.Resampling.BILINEAR)
        self.canvas.image.paste(colour, (cx - wide // 2, cy - high // 2), mask)

    def shadow(self, x: float, y: float, rx: float, ry: float, strength: float = 0.45) -> None:
        """Lay the soft shadow of something that stands at (x, y)."""
        self.glow(x, y, rx, ry, colour=(24, 20, 40), strength=strength)

    @contextmanager
    def inside(self, points: Points) -> Iterator[None]:
        """Keep what is drawn meanwhile inside this polygon."""
        box = self._box(self._pixels(points))
        before = None if box is None else self.canvas.image.copy()
        yield
        if before is None:
            return
        mask = Image.new("L", before.size, 255)
        ImageDraw.Draw(mask).polygon(self._pixels(points), fill=0)
        self.canvas.image.paste(before, (0, 0), mask)

    def _pixels(self, points: Points) -> list[tuple[int, int]]:
        # Whole pixels: rounding hides the last bits in which machines' sines may differ.
        (a, b, c), (d, e, f) = self._across, self._down
        unit = self.canvas.unit
        return [
            (round((a * x + b * y + c) * unit), round((d * x + e * y + f) * unit))
            for x, y in points
        ]

    def _box(self, pixels: Sequence[tuple[int, int]]) -> tuple[int, int, int, int] | None:
        left = max(0, min(x for x, _ in pixels))
        top = max(0, min(y for _, y in pixels))
        right = min(self.canvas.pixels, max(x for x, _ in pixels) + 1)
        bottom = min(self.canvas.pixels, max(y for _, y in pixels) + 1)
        return (left, top, right, bottom) if left < right and top < bottom else None
