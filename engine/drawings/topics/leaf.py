"""Leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.drawings import scenes
from engine.drawings.palette import Colour, darker, lighter, mix, varied
from engine.drawings.words import Words, counted

if TYPE_CHECKING:
    from engine.drawings.canvas import Canvas, Pen
    from engine.drawings.dice import Dice


def paint(canvas: Canvas, dice: Dice) -> Words:
    """Paint one big leaf or a few small ones, of several shapes, lying or hanging."""
    name, colour = dice.pick(
        (
            ("green", (92, 158, 70)),
            ("green", (58, 128, 74)),
            ("yellow", (232, 186, 64)),
            ("orange", (222, 124, 48)),
            ("red", (190, 62, 48)),
            ("brown", (148, 98, 60)),
        )
    )
    place = scenes.boards(canvas, dice) if dice.chance(0.35) else scenes.studio(canvas, dice)
    count = dice.weighted({1: 5, 2: 2, 3: 3})
    shape = dice.pick((_maple, _oval_leaf, _oval_leaf, _oak))
    size = {1: dice.between(1.2, 1.5), 2: 0.85, 3: 0.72}[count]
    spots = {1: [(50, 52)], 2: [(30, 42), (68, 62)], 3: [(30, 32), (70, 44), (40, 74)]}
    for x, y in spots[count]:
        pen = canvas.pen(x, y, size=size, angle=dice.between(-70, 70))
        canvas.pen(x - canvas.light * 4, y + 4).shadow(0, 0, 36 * size, 34 * size, 0.4)
        shape(pen, varied(dice, colour, 12), dice)
    return Words(counted(count, f"{name} leaf", f"{name} leaves"), place)


def _veins(pen: Pen, colour: Colour, top: float, spread: float, pairs: int) -> None:
    vein = mix(colour, (255, 250, 214), 0.45)
    pen.line([(0, 38), (0, top)], 0.9, vein)
    for i in range(pairs):
        y = 24 - i * (24 - top) / (pairs + 0.5)
        reach = spread * (1 - abs(i / pairs - 0.4))
        for side in (-1, 1):
            pen.curve([(0, y), (side * reach * 0.55, y - 4), (side * reach, y - 10)], 0.5, vein)


def _oval_leaf(pen: Pen, colour: Colour, dice: Dice) -> None:
    wide = dice.between(11, 19)
    pen.curve([(0, 26), (1, 36), (4, 42)], 1.5, darker(colour, 0.3))
    edge = [(0, 30), (-wide * 0.8, 16), (-wide, -2), (-wide * 0.55, -20), (0, -34),
            (wide * 0.55, -20), (wide, -2), (wide * 0.8, 16)]  # fmt: skip
    pen.smooth(edge, colour, shade=0.32)
    pen.polygon(
        [(0, 30), (wide * 0.8, 16), (wide, -2), (wide * 0.55, -20), (0, -34)], lighter(colour, 0.08)
    )
    _veins(pen, colour, -28, wide * 0.85, dice.whole(4, 6))


def _maple(pen: Pen, colour: Colour, dice: Dice) -> None:
    half = [(0, -36), (5, -26), (12, -29), (10, -15), (18, -22), (21, -17), (33, -17), (28, -8),
            (33, -2), (19, 6), (22, 14), (5, 12)]  # fmt: skip
    edge = half + [(-x, y) for x, y in reversed(half)]
    pen.curve([(0, 10), (1, 24), (-2, 38)], 1.4, darker(colour, 0.3))
    pen.polygon(edge, colour, shade=0.35)
    vein = mix(colour, (255, 246, 206), 0.45)
    for tip in ((0, -28), (25, -12), (-25, -12), (16, 9), (-16, 9)):
        pen.line([(0, 11), tip], 0.7, vein)
    for _ in range(dice.whole(0, 8)):
        pen.oval(dice.between(-14, 14), dice.between(-18, 6), 0.8, colour=darker(colour, 0.25))


def _oak(pen: Pen, colour: Colour, dice: Dice) -> None:
    half = [(0, -34), (7, -31), (9, -24), (7, -19), (14, -18), (16, -10), (10, -5), (17, -2),
            (18, 7), (9, 11), (11, 19), (4, 24)]  # fmt: skip
    edge = [*half, *((-x, y) for x, y in reversed(half))]
    pen.curve([(0, 20), (0, 32), (3, 42)], 1.5, darker(colour, 0.3))
    pen.smooth(edge, colour, shade=0.35)
    _veins(pen, colour, -28, dice.between(11, 14), 4)
