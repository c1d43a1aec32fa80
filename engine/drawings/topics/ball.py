"""Balls."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from engine.drawings import scenes, weather
from engine.drawings.curves import oval_points
from engine.drawings.palette import WHITE, Colour, darker, lighter, named, varied
from engine.drawings.words import Words, counted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from engine.drawings.canvas import Canvas, Pen
    from engine.drawings.curves import Point
    from engine.drawings.dice import Dice


def paint(canvas: Canvas, dice: Dice) -> Words:
    """Paint a beach ball, football, basketball, tennis ball or a striped toy ball."""
    kind = dice.pick(("beach ball", "football", "basketball", "tennis ball", "ball", "ball"))
    where = dice.pick(("meadow", "sand", "studio", "floor"))
    if where == "studio":
        place, ground = scenes.studio(canvas, dice), 72.0
    elif where == "floor":
        edge, place = scenes.table(canvas, dice)
        place, ground = place.replace("table", "floor"), edge + 20
    else:
        light = weather.daylight(dice)
        horizon = dice.between(44, 56)
        scenes.sky(canvas, dice, light, horizon)
        ground = horizon + 30
        if where == "meadow":
            place = scenes.meadow(canvas, dice, light, horizon)
        else:
            scenes.water(canvas, dice, light, horizon, horizon + 14)
            sand = light.lit(varied(dice, (236, 210, 156)))
            canvas.pen().smooth(scenes.ridge(dice, horizon + 12, 1.5), sand, shade=0.2)
            place = "on the beach"
    r = dice.between(17, 28)
    pen = canvas.pen(50 + dice.between(-14, 14), ground - r * 0.6)
    pen.shadow(-canvas.light * r * 0.25, r * 0.92, r * 1.35, r * 0.4, 0.6)
    name, colour = named(dice, "red", "blue", "green", "yellow", "purple", "orange", "pink")
    fixed = {
        "basketball": (222, 120, 54),
        "football": (244, 244, 242),
        "tennis ball": (206, 224, 82),
    }
    base = fixed.get(kind, colour)
    turned = pen.at(0, 0, size=r / 25, angle=dice.between(0, 360))
    pen.oval(0, 0, r, colour=base)
    with pen.inside(oval_points(0, 0, r, r)):
        _PATTERNS[kind](turned, dice, base)
    side = -canvas.light
    with pen.inside(oval_points(0, 0, r, r)):
        pen.glow(side * r * 0.8, r * 0.9, r * 1.5, r * 1.5, colour=(20, 16, 40), strength=0.62)
        pen.glow(-side * r * 0.4, -r * 0.45, r * 0.8, r * 0.7, colour=WHITE, strength=0.7)
    noun = f"{name} {kind}" if kind in {"ball", "beach ball"} else kind
    return Words(counted(1, noun), place)


def _beach_ball(pen: Pen, dice: Dice, base: Colour) -> None:
    second = dice.pick((WHITE, (250, 214, 90), lighter(base, 0.5)))
    rim = oval_points(8, -9, 60, 60)
    for first in (0, 15, 29):
        pen.polygon([(8, -9), *rim[first : first + 8]], second)
    pen.oval(8, -9, 4, colour=WHITE)


def _basketball(pen: Pen, _dice: Dice, _base: Colour) -> None:
    seam = (70, 40, 30)
    pen.line([(-30, 0), (30, 0)], 1.3, seam)
    pen.line([(0, -30), (0, 30)], 1.3, seam)
    for side in (-1, 1):
        pen.curve([(side * 22, -22), (side * 9, 0), (side * 22, 22)], 1.3, seam)


def _football(pen: Pen, dice: Dice, _base: Colour) -> None:
    patch = dice.pick(((44, 44, 52), (44, 44, 52), (42, 84, 150), (180, 50, 50)))
    pen.polygon(_star(0, 0, (7.5,) * 5), patch)
    for turn in (0.3, 1.56, 2.81, 4.07, 5.33):
        x, y = 20 * math.cos(turn), 20 * math.sin(turn)
        pen.polygon(_star(x, y, (6,) * 5), patch)
        pen.line([(x * 0.36, y * 0.36), (x, y)], 0.8, (120, 120, 126))


def _tennis_ball(pen: Pen, _dice: Dice, _base: Colour) -> None:
    for side in (-1, 1):
        seam = [(side * 30, -18), (side * 10, -8), (side * 10, 8), (side * 30, 18)]
        pen.curve(seam, 2, (250, 250, 238))


def _toy_ball(pen: Pen, dice: Dice, base: Colour) -> None:
    second = dice.pick((WHITE, darker(base, 0.35), (250, 214, 90)))
    style = dice.pick(("stripe", "dots", "stars"))
    if style == "stripe":
        pen.polygon([(-40, -7), (40, -7), (40, 7), (-40, 7)], second)
        return
    marks = (
        (-12, -12),
        (12, -14),
        (0, 0),
        (-16, 8),
        (14, 10),
        (-2, 17),
        (0, -22),
        (-23, -3),
        (23, -3),
    )
    for x, y in marks:
        if style == "dots":
            pen.oval(x, y, 3.6, colour=second)
        else:
            pen.polygon(_star(x, y, (2, 5) * 5), second)


def _star(x: float, y: float, radii: Sequence[float]) -> list[Point]:
    turns = (2 * math.pi * i / len(radii) for i in range(len(radii)))
    return [(x + r * math.cos(t), y + r * math.sin(t)) for r, t in zip(radii, turns, strict=True)]


_PATTERNS: Mapping[str, Callable[[Pen, Dice, Colour], None]] = {
    "beach ball": _beach_ball,
    "football": _football,
    "basketball": _basketball,
    "tennis ball": _tennis_ball,
    "ball": _toy_ball,
}
