"""Outlines: ellipses and smooth curves as the corners of polygons."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

Point = tuple[float, float]
Points = Sequence[Point]
Layout = Mapping[int, Sequence[tuple[float, float, float]]]
"""For each count, where its subjects go: across, down, size."""


def oval_points(x: float, y: float, rx: float, ry: float, angle: float = 0) -> list[Point]:
    """Return the corners of a polygon that passes for an ellipse turned clockwise by `angle`."""
    turn = math.radians(angle)
    cosine, sine = math.cos(turn), math.sin(turn)
    count = 16 if max(rx, ry) < 3 else 44
    circle = ((math.cos(t), math.sin(t)) for t in (2 * math.pi * i / count for i in range(count)))
    return [
        (x + rx * c * cosine - ry * s * sine, y + rx * c * sine + ry * s * cosine)
        for c, s in circle
    ]


def closed_curve(points: Points, steps: int = 7) -> list[Point]:
    """Return a smooth ring through the points (a Catmull-Rom spline)."""
    count = len(points)
    return [
        point
        for i in range(count)
        for point in _span([points[(i + k - 1) % count] for k in range(4)], steps)
    ]


def open_curve(points: Points, steps: int = 7) -> list[Point]:
    """Return a smooth line through the points, ends included (a Catmull-Rom spline)."""
    held = [points[0], *points, points[-1]]
    spans = (_span(held[i : i + 4], steps) for i in range(len(points) - 1))
    return [point for span in spans for point in span] + [points[-1]]


def _span(four: Points, steps: int) -> list[Point]:
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = four
    out = []
    for step in range(steps):
        t = step / steps
        a, b = t * (t * (2 - t) - 1) / 2, (t * t * (3 * t - 5) + 2) / 2
        c, d = t * (t * (4 - 3 * t) + 1) / 2, t * t * (t - 1) / 2
        out.append((a * ax + b * bx + c * cx + d * dx, a * ay + b * by + c * cy + d * dy))
    return out
