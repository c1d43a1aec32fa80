"""Cacti."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.drawings import scenes, weather
from engine.drawings.palette import Colour, darker, lighter, mix, named, varied
from engine.drawings.words import Words, counted

if TYPE_CHECKING:
    from engine.drawings.canvas import Canvas, Pen
    from engine.drawings.curves import Layout
    from engine.drawings.dice import Dice


def paint(canvas: Canvas, dice: Dice) -> Words:
    """Paint a cactus in a pot on a table, or one to three in the desert."""
    green = varied(dice, dice.pick(((86, 142, 84), (70, 128, 100), (118, 152, 82))))
    if dice.chance(0.5):
        edge, place = scenes.table(canvas, dice)
        pen = canvas.pen(dice.between(42, 58), edge + 24, size=dice.between(1.0, 1.2))
        _, clay = named(dice, "orange", "brown", "white", "turquoise", "yellow")
        pen.shadow(-canvas.light * 7, 0, 28, 7)
        top = pen.at(0, -19)
        _cactus(top, dice, green, dice.between(0.8, 1.05))
        pen.polygon([(-13, -18), (13, -18), (10, 0), (-10, 0)], clay, shade=0.35)
        pen.polygon([(-15, -22), (15, -22), (14, -16), (-14, -16)], lighter(clay, 0.1), shade=0.35)
        return Words("a green cactus", f"in a pot {place}")
    light = weather.daylight(dice)
    horizon = dice.between(56, 66)
    scenes.sky(canvas, dice, light, horizon)
    sand = light.lit(varied(dice, dice.pick(((226, 186, 122), (214, 150, 104)))))
    pen = canvas.pen()
    mesa = mix(darker(sand, 0.2), light.sky[-1], 0.4)
    x = dice.between(0, 60)
    pen.polygon(
        [(x, horizon + 4), (x + 5, horizon - 12), (x + 32, horizon - 12), (x + 38, horizon + 4)],
        mesa,
    )
    pen.smooth(scenes.ridge(dice, horizon, 2), mix(sand, light.sky[-1], 0.3))
    pen.smooth(scenes.ridge(dice, horizon + 8, 3), sand, shade=0.22)
    count = dice.weighted({1: 5, 2: 2, 3: 2})
    spots: Layout = {
        1: [(50, 90, 1.35)],
        2: [(30, 84, 0.95), (70, 91, 1.1)],
        3: [(50, 80, 0.9), (20, 88, 0.8), (80, 92, 0.95)],
    }
    for x, y, size in spots[count]:
        spot = canvas.pen(x + dice.between(-5, 5), y, size=size)
        spot.shadow(-canvas.light * 9, 0, 24, 5)
        _cactus(spot, dice, light.lit(varied(dice, green)), dice.between(0.9, 1.1))
    return Words(
        counted(count, "green cactus", "green cacti"), f"in the desert {light.words}".strip()
    )


def _cactus(pen: Pen, dice: Dice, green: Colour, tall: float) -> None:
    kind = dice.pick(("armed", "armed", "barrel", "column"))
    full, girth = {"armed": (46, 7), "barrel": (24, 15), "column": (40, 9)}[kind]
    height = full * tall
    if kind == "armed":
        for side in (-1, 1):
            if side > 0 or dice.chance(0.75):
                y, up = -height * dice.between(0.35, 0.55), dice.between(12, 20)
                reach = side * dice.between(14, 18)
                arm = [(0, y), (reach * 0.8, y), (reach, y - 4), (reach, y - up)]
                pen.line(arm, 7, darker(green, 0.2))
                pen.line([(x, ay) for x, ay in arm], 5, green)
                pen.line([(reach, y - 3), (reach, y - up + 1)], 0.6, lighter(green, 0.3))
    half = [(girth, 0), (girth * 1.06, -height * 0.5), (girth * 0.8, -height * 0.9)]
    body = [*half, (0, -height), *((-x, y) for x, y in reversed(half))]
    pen.smooth(body, green, shade=0.4)
    for i in (-2, -1, 0, 1, 2):
        x = i * girth * 0.36
        rib = [(x, -1), (x * 1.08, -height * 0.5), (x * 0.7, -height * 0.93)]
        pen.curve(rib, 0.5, darker(green, 0.28))
        for k in range(7):
            y = -height * (0.08 + 0.12 * k)
            pen.line([(x - 0.9, y - 0.8), (x, y), (x + 0.9, y - 0.8)], 0.3, (244, 240, 214))
    if dice.chance(0.6):
        bloom = dice.pick(((236, 96, 140), (246, 190, 70), (250, 240, 230)))
        for turn in range(0, 360, 60):
            pen.at(0, -height, angle=turn).oval(0, -2.4, 1.5, 2.6, colour=bloom, shade=0.2)
        pen.oval(0, -height, 1.4, colour=(250, 214, 90))
