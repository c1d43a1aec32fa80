"""Flowers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from engine.drawings import scenes, weather
from engine.drawings.palette import Colour, darker, lighter, named, varied
from engine.drawings.words import Words, counted

if TYPE_CHECKING:
    from engine.drawings.canvas import Canvas, Pen
    from engine.drawings.curves import Layout
    from engine.drawings.dice import Dice


def paint(canvas: Canvas, dice: Dice) -> Words:
    """Paint one to five flowers in a meadow, or in a vase or close up before a wall."""
    name, colour = named(dice, "red", "pink", "yellow", "white", "purple", "blue", "orange")
    count = dice.weighted({1: 5, 3: 3, 5: 2})
    petals, pointed = dice.whole(5, 13), dice.chance(0.4)
    if dice.chance(0.6):
        light = weather.daylight(dice)
        horizon = dice.between(46, 62)
        scenes.sky(canvas, dice, light, horizon)
        place = scenes.meadow(canvas, dice, light, horizon)
        root, colour = 104.0, light.lit(colour)
        green = light.lit((72, 136, 62))
    else:
        edge, place = scenes.table(canvas, dice)
        root, green = edge + 6, (72, 136, 62)
    heads: Layout = {
        1: [(50 + dice.between(-8, 8), 38, dice.between(20, 27))],
        3: [(28, 46, 14), (72, 42, 13), (50, 28, 15)],
        5: [(18, 48, 10), (82, 50, 10), (34, 29, 11), (67, 27, 11), (50, 45, 12)],
    }
    pen = canvas.pen()
    potted = root < 100
    foot = 50.0
    for x, y, r in heads[count]:
        bottom = (foot + (x - foot) * 0.2, root) if potted else (x + dice.between(-6, 6), root)
        bend = ((x + bottom[0]) / 2 + dice.between(-4, 4), (y + root) / 2)
        pen.curve([(x, y), bend, bottom], 1.1 + r * 0.04, green)
        if not potted:
            for flip in (False, True):
                leaf = pen.at(*bend, size=r / 17, angle=dice.between(-50, -20), flip=flip)
                leaf.smooth([(0, 0), (8, -4), (18, -2), (10, 3)], varied(dice, green), shade=0.25)
    for x, y, r in heads[count]:
        _blossom(
            pen.at(x, y, size=r / 20, angle=dice.between(0, 70)), dice, colour, petals, pointed
        )
    if potted:
        _vase(pen.at(foot, root + 20), dice)
        place = f"in a vase {place}"
    return Words(counted(count, f"{name} flower"), place)


def _blossom(pen: Pen, dice: Dice, colour: Colour, petals: int, pointed: bool) -> None:  # noqa: FBT001 - a shape
    layers = ((20.0, colour, 0.0), (13.5, lighter(colour, 0.22), 0.5))
    for length, tone, offset in layers[: 2 if petals > 5 else 1]:
        girth = min(0.55 * length, 2.3 * length / petals)
        for i in range(petals):
            petal = pen.at(0, 0, angle=360 * (i + offset) / petals)
            tip = -length if pointed else -length * 0.98
            broad = 0.55 if pointed else 0.78
            petal.smooth(
                [(0, 0), (-girth, -length * broad), (-girth * (0.1 if pointed else 0.55), tip),
                 (girth * (0.1 if pointed else 0.55), tip), (girth, -length * broad)],
                varied(dice, tone, 7),
                shade=0.25,
            )  # fmt: skip
            petal.line([(0, -3), (0, -length * 0.7)], 0.4, darker(tone, 0.2))
    heart = dice.pick(((240, 190, 60), (120, 78, 44), (250, 222, 120)))
    pen.glow(0, 0, 9, 9, colour=darker(colour, 0.6), strength=0.6)
    pen.oval(0, 0, 4.8, colour=heart, shade=0.35, rounded=True)
    for _ in range(14):
        turn, far = dice.between(0, 6.28), dice.between(0.5, 4.2)
        pen.oval(far * math.cos(turn), far * math.sin(turn), 0.5, colour=darker(heart, 0.3))


def _vase(pen: Pen, dice: Dice) -> None:
    _, colour = named(dice, "white", "blue", "turquoise", "grey", "brown")
    pen.shadow(-pen.canvas.light * 6, 1, 24, 6)
    body = [
        (-7, -28),
        (-6, -20),
        (-12, -10),
        (-9, 0),
        (0, 2),
        (9, 0),
        (12, -10),
        (6, -20),
        (7, -28),
    ]
    pen.smooth(body, colour, shade=0.4, rounded=True)
    pen.oval(0, -28, 7.2, 1.8, colour=darker(colour, 0.45))
