"""Coasts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.drawings import scenes, weather
from engine.drawings.palette import WHITE, darker, mix, named, varied
from engine.drawings.words import Words

if TYPE_CHECKING:
    from engine.drawings.canvas import Canvas, Pen
    from engine.drawings.curves import Point
    from engine.drawings.dice import Dice


def paint(canvas: Canvas, dice: Dice) -> Words:
    """Paint a beach or cliffs beside the sea."""
    light = weather.daylight(dice)
    horizon = dice.between(36, 48)
    scenes.sky(canvas, dice, light, horizon)
    scenes.water(canvas, dice, light, horizon)
    flip = dice.chance(0.5)
    pen = canvas.pen(100 if flip else 0, 0, flip=flip)
    foam = light.lit((250, 252, 252))
    if dice.chance(0.45):
        rock = light.lit(
            varied(dice, dice.pick(((150, 132, 112), (206, 196, 178), (122, 112, 110))))
        )
        turf = light.lit(varied(dice, (110, 156, 78)))
        top = horizon - dice.between(4, 16)
        edge = [
            (-10, top),
            (24, top + 1),
            (40, top + 3),
            (46, top + 12),
            (43, 62),
            (56, 78),
            (52, 96),
            (60, 120),
            (-10, 120),
        ]
        pen.smooth([(x + 4, max(y, 58)) for x, y in edge], foam)
        pen.polygon(edge, rock, shade=0.35)
        for i in range(7):
            x = 2 + i * 6 + dice.between(-2, 2)
            pen.curve(
                [(x, top + 5), (x + dice.between(-2, 3), 60), (x + dice.between(0, 8), 92)],
                0.9,
                darker(rock, 0.26),
            )
        pen.smooth(
            [
                (-12, top - 4),
                (20, top - 3),
                (41, top + 2),
                (45, top + 9),
                (30, top + 6),
                (12, top + 8),
                (-12, top + 6),
            ],
            turf,
            shade=0.25,
        )
        for _ in range(dice.whole(1, 4)):
            x, y, r = dice.between(58, 92), dice.between(56, 90), dice.between(2, 6)
            pen.oval(x, y + r * 0.5, r * 1.5, r * 0.6, colour=foam)
            pen.smooth(
                [
                    (x - r, y + r * 0.5),
                    (x - r * 0.5, y - r),
                    (x + r * 0.5, y - r * 0.7),
                    (x + r, y + r * 0.5),
                ],
                rock,
                shade=0.35,
            )
        return Words("a rocky coast with cliffs", f"by the sea {light.words}".strip())
    sand = light.lit(varied(dice, dice.pick(((240, 216, 162), (230, 198, 150), (244, 228, 196)))))
    near = dice.between(64, 78)
    line: list[Point] = [
        (-10, horizon + dice.between(12, 20)),
        (22, near - 8),
        (52, near + 3),
        (80, near + 8),
        (115, near + 14),
    ]
    for drop, tone in (
        (-3.4, mix(foam, light.lit((70, 160, 180)), 0.6)),
        (-1.5, foam),
        (0.6, darker(sand, 0.14)),
        (4, sand),
    ):
        pen.smooth(
            [*((x, y + drop) for x, y in line), (130, 140), (-40, 140)],
            tone,
            shade=0.1 if drop > 1 else 0,
        )
    for _ in range(40):
        pen.oval(
            dice.between(0, 100), dice.between(near + 14, 100), 0.35, colour=darker(sand, 0.16)
        )
    things = "a sandy coast"
    if dice.chance(0.5):
        _palm(pen.at(dice.between(8, 24), near + 16, size=dice.between(0.9, 1.25)), dice, light)
        things = "a sandy coast with a palm"
    if dice.chance(0.35):
        x = dice.between(48, 66)
        _, cloth = named(dice, "red", "blue", "yellow", "turquoise")
        pen.shadow(x + 2, near + 19, 12, 3)
        pen.line([(x, near + 19), (x + 2, near + 2)], 0.8, WHITE)
        pen.smooth(
            [
                (x - 9, near + 5),
                (x - 4, near - 3),
                (x + 3, near - 5),
                (x + 9, near - 2),
                (x + 13, near + 5),
                (x + 2, near + 3),
            ],
            light.lit(cloth),
            shade=0.3,
        )
    return Words(things, f"by the sea {light.words}".strip())


def _palm(pen: Pen, dice: Dice, light: weather.Daylight) -> None:
    lean = dice.between(4, 14)
    pen.shadow(6, 0, 18, 4)
    trunk = [(0, 0), (lean * 0.3, -18), (lean, -38)]
    pen.curve(trunk, 3.2, light.lit((128, 92, 62)))
    pen.curve([(x - 0.8, y) for x, y in trunk], 0.8, light.lit((168, 128, 90)))
    for turn in (-168, -140, -100, -60, -24, 8, 30, 150):
        frond = pen.at(lean, -38, angle=turn + dice.between(-8, 8))
        frond.smooth(
            [(0, 0), (10, -4), (20, -2), (26, 4), (18, 3), (9, 2)],
            light.lit(varied(dice, (70, 138, 66))),
            shade=0.25,
        )
    for x in (-1.6, 1.8):
        pen.oval(lean + x, -36, 1.9, colour=light.lit((110, 74, 48)), shade=0.3)
