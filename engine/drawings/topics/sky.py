"""Skies."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from engine.drawings import scenes, weather
from engine.drawings.palette import mix, varied
from engine.drawings.words import Words

if TYPE_CHECKING:
    from engine.drawings.canvas import Canvas
    from engine.drawings.dice import Dice


def paint(canvas: Canvas, dice: Dice) -> Words:
    """Paint nothing but sky: clouds, stars, a rainbow, birds."""
    light = weather.daylight(dice)
    canvas.wash([varied(dice, colour, 10) for colour in light.sky])
    pen = canvas.pen()
    if light in {weather.NIGHT, weather.DUSK}:
        scenes.stars(pen, dice, 100, dice.whole(60, 140))
    if dice.chance(0.65) and light is not weather.OVERCAST:
        scenes.luminary(pen, dice, light, 88)
    with_bow = light in {weather.DAY, weather.OVERCAST} and dice.chance(0.3)
    if with_bow:
        x, y, r = dice.between(30, 70), dice.between(101, 108), dice.between(62, 80)
        base = light.sky[1]
        for i, stripe in enumerate(
            (
                (214, 80, 80),
                (236, 150, 70),
                (244, 214, 90),
                (110, 180, 100),
                (80, 140, 210),
                (140, 100, 180),
            )
        ):
            arc = [
                (
                    x + (r - 2 * i) * math.cos(t / 20 * math.pi),
                    y - (r - 2 * i) * math.sin(t / 20 * math.pi),
                )
                for t in range(21)
            ]
            pen.line(arc, 2.1, mix(stripe, base, 0.45))
    for _ in range(dice.whole(2, 8)):
        y = dice.between(8, 96)
        centre, size = (dice.between(-4, 104), y), dice.between(6, 22)
        haze = mix(light.cloud, light.sky[-1], dice.between(0, 0.3))
        scenes.cloud(pen, dice, centre, size, haze)
    if dice.chance(0.35):
        for _ in range(dice.whole(3, 8)):
            bird = pen.at(dice.between(10, 90), dice.between(12, 80), size=dice.between(0.5, 1.1))
            bird.curve([(-4, -1.5), (-2, -2.2), (0, 0), (2, -2.2), (4, -1.5)], 0.7, (50, 52, 66))
    kind = {
        weather.DAY: "a blue sky",
        weather.NIGHT: "a starry sky",
        weather.OVERCAST: "a cloudy sky",
        weather.SUNSET: "a red sky",
    }
    name = kind.get(light, "a sky")
    what = "with a rainbow and clouds" if with_bow else "with clouds"
    return Words(name, f"{what} {light.words}".strip())
