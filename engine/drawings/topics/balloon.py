"""Hot-air balloons."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from engine.drawings import scenes, weather
from engine.drawings.curves import closed_curve
from engine.drawings.palette import WHITE, Colour, darker, lighter, mix, named, varied
from engine.drawings.words import Words, counted

if TYPE_CHECKING:
    from engine.drawings.canvas import Canvas, Pen
    from engine.drawings.curves import Layout
    from engine.drawings.dice import Dice


def paint(canvas: Canvas, dice: Dice) -> Words:
    """Paint one to three hot-air balloons over the country."""
    light = dice.pick(
        (
            weather.DAY,
            weather.DAY,
            weather.MORNING,
            weather.MORNING,
            weather.SUNSET,
            weather.DUSK,
            weather.OVERCAST,
        )
    )
    horizon = dice.between(80, 90)
    scenes.sky(canvas, dice, light, horizon)
    pen = canvas.pen()
    land = light.lit(varied(dice, dice.pick(((112, 156, 84), (176, 168, 92), (94, 132, 110)))))
    pen.smooth(scenes.ridge(dice, horizon - 3, 4), mix(land, light.sky[-1], 0.55))
    pen.smooth(scenes.ridge(dice, horizon + 4, 3), mix(land, light.sky[-1], 0.15), shade=0.2)
    name, colour = named(
        dice, "red", "blue", "yellow", "green", "orange", "purple", "turquoise", "pink"
    )
    second = dice.pick((WHITE, (250, 214, 96), darker(colour, 0.3), lighter(colour, 0.45)))
    style = dice.pick(("gores", "gores", "bands", "zigzag"))
    count = dice.weighted({1: 6, 2: 2, 3: 2})
    spots: Layout = {
        1: [(50 + dice.between(-9, 9), 36, dice.between(1.05, 1.3))],
        2: [(33, 32, 0.85), (72, 50, 0.55)],
        3: [(28, 42, 0.7), (68, 28, 0.62), (64, 64, 0.4)],
    }
    for x, y, size in spots[count]:
        spot = canvas.pen(x, y, size=size, angle=dice.between(-5, 5))
        _balloon(spot, light.lit(colour), light.lit(second), style, light)
    return Words(counted(count, f"{name} hot-air balloon"), f"in the sky {light.words}".strip())


def _balloon(pen: Pen, colour: Colour, second: Colour, style: str, light: weather.Daylight) -> None:
    skin = [(0, -27), (-15, -23), (-24.5, -8), (-21, 8), (-9, 23), (-4, 28), (4, 28), (9, 23),
            (21, 8), (24.5, -8), (15, -23)]  # fmt: skip
    rope = light.lit((90, 70, 56))
    for x in (-3.6, 3.6):
        pen.line([(x, 27), (x, 36)], 0.4, rope)
    outline = closed_curve(skin)
    pen.polygon(outline, colour)
    with pen.inside(outline):
        if style == "gores":
            for i in (-2, 0, 2):
                left, right = (math.sin((i + d) * 0.36) for d in (-0.5, 0.5))
                pen.smooth(
                    [
                        (left * 5, 30),
                        (left * 30, -2),
                        (left * 6, -28),
                        (right * 6, -28),
                        (right * 30, -2),
                        (right * 5, 30),
                    ],
                    second,
                )
        elif style == "bands":
            for y in (-20, -4, 12):
                pen.smooth(
                    [(-30, y), (0, y + 3), (30, y), (30, y + 7), (0, y + 10), (-30, y + 7)], second
                )
        else:
            top = [(-30 + 6 * i, -6 + 6 * (i % 2)) for i in range(11)]
            pen.polygon([*top, *((x, y + 9) for x, y in reversed(top))], second)
        side = -pen.canvas.light
        pen.glow(side * 20, 10, 32, 40, colour=(24, 18, 48), strength=0.55)
        pen.glow(-side * 9, -12, 15, 17, colour=WHITE, strength=0.55)
    pen.polygon([(-5, 35), (5, 35), (4, 43), (-4, 43)], light.lit((150, 106, 66)), shade=0.3)
    pen.line([(-5, 35), (5, 35)], 1, light.lit((106, 72, 46)))
