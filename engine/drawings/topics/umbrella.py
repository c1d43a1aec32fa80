"""Umbrellas."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from engine.drawings import scenes, weather
from engine.drawings.curves import oval_points
from engine.drawings.palette import WHITE, darker, lighter, named, varied
from engine.drawings.words import Words, counted

if TYPE_CHECKING:
    from engine.drawings.canvas import Canvas
    from engine.drawings.dice import Dice


def paint(canvas: Canvas, dice: Dice) -> Words:
    """Paint an open umbrella in the rain, or leaning in the dry."""
    rainy = dice.chance(0.55)
    if rainy:
        light = dice.pick((weather.OVERCAST, weather.OVERCAST, weather.DUSK))
        scenes.sky(canvas, dice, light, 74)
        street = light.lit(varied(dice, (126, 130, 144)))
        canvas.wash([lighter(street, 0.2), darker(street, 0.2)], 72, 100)
        back = canvas.pen()
        for _ in range(dice.whole(3, 8)):
            back.glow(
                dice.between(0, 100),
                dice.between(78, 98),
                14,
                2.4,
                colour=light.sky[-1],
                strength=0.8,
            )
        place, foot = "in the rain", 88.0
    else:
        place, foot = scenes.studio(canvas, dice), 86.0
    name, colour = named(
        dice, "red", "yellow", "blue", "green", "purple", "pink", "turquoise", "black", "orange"
    )
    second = dice.pick((lighter(colour, 0.12), WHITE, darker(colour, 0.25)))
    pen = canvas.pen(
        50 + dice.between(-6, 6), 44, size=dice.between(0.95, 1.2), angle=dice.between(-22, 22)
    )
    canvas.pen(50, foot + 3).shadow(0, 0, 36, 6, 0.35)
    wood = dice.pick(((140, 96, 60), (70, 66, 74), (190, 160, 110)))
    pen.line([(0, -26), (0, 34)], 1.6, darker(wood, 0.1))
    pen.curve([(0, 32), (0.5, 40), (5, 42), (8.5, 38), (8, 35)], 2.4, wood)
    ribs, wide, tall = dice.pick((4, 6, 8)), 37.0, dice.between(22, 28)
    under = darker(colour, 0.5)
    pen.smooth([(-wide, 0), (-wide * 0.5, -6), (0, -7), (wide * 0.5, -6), (wide, 0), (0, 3)], under)
    for i in range(ribs):
        a, b = -1 + 2 * i / ribs, -1 + 2 * (i + 1) / ribs
        left, right = math.sin(a * math.pi / 2), math.sin(b * math.pi / 2)
        rim = [
            (
                wide * (left + (right - left) * t),
                -5.5 * math.sin(math.pi * t) * (right - left) * 1.2
                + (1 - ((left + right) / 2) ** 2) * 3,
            )
            for t in (0, 0.25, 0.5, 0.75, 1)
        ]
        up = [
            (wide * right * s, -tall * math.sqrt(max(0.0, 1 - s * s)))
            for s in (0.97, 0.85, 0.65, 0.4, 0)
        ]
        down = [
            (wide * left * s, -tall * math.sqrt(max(0.0, 1 - s * s)))
            for s in (0, 0.4, 0.65, 0.85, 0.97)
        ]
        pen.polygon([*rim, *up, *down], second if i % 2 else colour, shade=0.25)
    if dice.chance(0.3):
        with pen.inside([(-wide, 0), *oval_points(0, 0, wide, tall)[22:44], (wide, 0)]):
            for _ in range(18):
                pen.oval(
                    dice.between(-wide, wide),
                    dice.between(-tall, 0),
                    1.6,
                    colour=lighter(colour, 0.7),
                )
    pen.line([(0, -tall), (0, -tall - 5)], 1.4, darker(wood, 0.2))
    pen.glow(canvas.light * 14, -tall * 0.65, 14, 8, colour=WHITE, strength=0.4)
    if rainy:
        rain = canvas.pen()
        slant = dice.between(-2.5, 2.5)
        for _ in range(dice.whole(50, 110)):
            x, y, fall = dice.between(0, 100), dice.between(0, 96), dice.between(2.5, 5)
            rain.line([(x, y), (x + slant, y + fall)], 0.3, (206, 220, 236))
    return Words(counted(1, f"{name} umbrella"), place)
