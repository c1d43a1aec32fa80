"""Owls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.drawings import scenes, weather
from engine.drawings.palette import INK, WHITE, Colour, darker, lighter, mix, varied
from engine.drawings.words import Words, counted

if TYPE_CHECKING:
    from engine.drawings.canvas import Canvas, Pen
    from engine.drawings.curves import Point
    from engine.drawings.dice import Dice


def paint(canvas: Canvas, dice: Dice) -> Words:
    """Paint one or two owls on a branch, mostly by night."""
    light = dice.pick((weather.NIGHT, weather.NIGHT, weather.DUSK, weather.DAY, weather.SUNSET))
    scenes.sky(canvas, dice, light, 100)
    name, plumage = dice.pick(
        (
            ("brown", (142, 98, 64)),
            ("grey", (136, 138, 148)),
            ("white", (232, 228, 220)),
            ("orange", (200, 126, 70)),
        )
    )
    plumage = mix(varied(dice, plumage), light.tint, light.dim * 0.3)
    pen = canvas.pen()
    bark = mix((96, 68, 50), light.tint, light.dim * 0.6)
    perch = dice.between(80, 86)
    pen.curve([(-5, perch + 4), (30, perch), (70, perch + 3), (106, perch - 6)], 6, bark)
    pen.curve(
        [(-5, perch + 2.6), (30, perch - 1.6), (70, perch + 1.4), (106, perch - 7.6)],
        1,
        lighter(bark, 0.2),
    )
    for _ in range(dice.whole(2, 7)):
        x, y = dice.between(2, 98), perch + dice.between(-2, 5)
        twig = pen.at(x, y, size=dice.between(0.35, 0.6), angle=dice.between(-150, 150))
        twig.smooth(
            [(0, 0), (8, -6), (20, 0), (8, 5)],
            mix((84, 140, 66), light.tint, light.dim * 0.7),
            shade=0.2,
        )
    count = dice.weighted({1: 7, 2: 3})
    eyes = dice.pick(((248, 196, 60), (240, 150, 50), (250, 226, 120)))
    spots: dict[int, list[Point]] = {
        1: [(50 + dice.between(-10, 10), dice.between(1.1, 1.35))],
        2: [(30, 0.9), (70, 0.8)],
    }
    for x, size in spots[count]:
        _owl(canvas.pen(x, perch, size=size), dice, plumage, eyes)
    return Words(counted(count, f"{name} owl"), f"on a branch {light.words}".strip())


def _owl(pen: Pen, dice: Dice, plumage: Colour, eyes: Colour) -> None:
    tufts = dice.chance(0.7)
    body = [
        (0, 2),
        (-15, -4),
        (-20, -22),
        (-18, -42),
        (-14, -52),
        (0, -54),
        (14, -52),
        (18, -42),
        (20, -22),
        (15, -4),
    ]
    pen.smooth(body, plumage, shade=0.35, rounded=True)
    if tufts:
        for flip in (False, True):
            pen.at(0, 0, flip=flip).smooth(
                [(-17, -44), (-19, -60), (-15, -58), (-5, -51)], plumage, shade=0.2
            )
    belly = lighter(plumage, 0.45)
    pen.oval(0, -18, 12.5, 18, colour=belly)
    for row in range(5):
        for k in range(-2 + row % 2, 3):
            x, y = (k - 0.5 * (row % 2)) * 4.6, -29 + row * 6
            if x * x / 130 + (y + 18) ** 2 / 260 < 1:
                pen.curve([(x - 1.8, y), (x, y + 2.2), (x + 1.8, y)], 0.8, plumage)
    for flip in (False, True):
        half = pen.at(0, 0, flip=flip)
        half.smooth(
            [(-19, -34), (-24, -18), (-17, -1), (-12, -14)], darker(plumage, 0.28), shade=0.25
        )
        half.oval(-8, -40, 9.4, colour=lighter(plumage, 0.55))
        half.oval(-7.6, -40, 6.4, colour=eyes, shade=0.3)
        half.oval(-7.2, -40, 3.6, colour=INK)
        for x in (-8, -5.5, -3):
            half.line([(x, 0), (x, 3)], 1.5, (226, 160, 70))
    for x in (-9, 6):
        pen.oval(x, -41.6, 1.2, colour=WHITE)
    pen.polygon([(-2.6, -36), (2.6, -36), (0, -29)], (226, 160, 70), shade=0.2)
