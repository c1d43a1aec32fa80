"""Apples."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.drawings import scenes
from engine.drawings.curves import closed_curve
from engine.drawings.palette import Colour, darker, lighter, mix, named, varied
from engine.drawings.words import Words, counted

if TYPE_CHECKING:
    from engine.drawings.canvas import Canvas, Pen
    from engine.drawings.curves import Point
    from engine.drawings.dice import Dice


def paint(canvas: Canvas, dice: Dice) -> Words:
    """Paint one to four apples on a table or before a plain wall."""
    if dice.chance(0.65):
        edge, place = scenes.table(canvas, dice)
    else:
        edge, place = 58, scenes.studio(canvas, dice)
    name, colour = named(dice, "red", "red", "green", "yellow")
    count = dice.weighted({1: 5, 2: 2, 3: 2, 4: 1})
    size = {1: dice.between(22, 31), 2: 19, 3: 16, 4: 14}[count]
    spots: dict[int, list[Point]] = {
        1: [(50 + dice.between(-12, 12), 0.0)],
        2: [(30, 0), (68, 5)],
        3: [(50, -9), (28, 6), (71, 8)],
        4: [(36, -8), (64, -9), (23, 9), (58, 11)],
    }
    floor = edge + dice.between(12, 18)
    for x, lift in spots[count]:
        pen = canvas.pen(x, floor + lift, size=size / 25, angle=dice.between(-10, 10))
        _apple(pen, dice, varied(dice, colour, 10))
    return Words(counted(count, f"{name} apple"), place)


def _apple(pen: Pen, dice: Dice, colour: Colour) -> None:
    side = -pen.canvas.light
    pen.shadow(side * 7, 1, 38, 11, 0.6)
    wide = dice.between(0.94, 1.1)
    outline = [
        (0, -44), (10, -48), (21, -45), (27, -34), (26, -18), (18, -4), (8, 1), (0, -1),
        (-8, 1), (-18, -4), (-26, -18), (-27, -34), (-21, -45), (-10, -48),
    ]  # fmt: skip
    body = [(x * wide, y) for x, y in outline]
    pen.smooth(body, colour, shade=0.42, rounded=True)
    if dice.chance(0.4):
        blush = mix(colour, (230, 180, 70), 0.55)
        pen.glow(side * -10, -26, 14, 18, colour=blush, strength=0.6)
    for _ in range(dice.whole(0, 16)):
        pen.oval(dice.between(-18, 18), dice.between(-38, -8), 0.45, colour=lighter(colour, 0.45))
    pen.glow(0, -44, 10, 5, colour=darker(colour, 0.7), strength=0.8)
    lean = dice.between(-5, 5)
    pen.curve([(0, -43), (lean * 0.4, -50), (lean, -57)], 2.2, (96, 66, 40))
    if dice.chance(0.75):
        leaf = pen.at(lean * 0.4, -50, angle=dice.between(-28, 8), flip=dice.chance(0.5))
        green = varied(dice, (96, 152, 66))
        leaf.smooth([(0, 0), (6, -6), (14, -6), (20, -1), (13, 2), (6, 3)], green, shade=0.3)
        leaf.curve([(1, 0), (9, -2), (18, -1)], 0.6, darker(green, 0.3))
    pen.glow(-side * 11, -37, 8, 6, colour=(255, 255, 255), strength=0.75)
    if dice.chance(0.15):
        with pen.inside(closed_curve(body)):
            for dy in (-29, -20, -12):
                pen.oval(side * 28 * wide, dy, 8, 7, colour=(250, 238, 206))
