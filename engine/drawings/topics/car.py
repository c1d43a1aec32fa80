"""Cars."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from engine.drawings import scenes, weather
from engine.drawings.curves import closed_curve
from engine.drawings.palette import INK, Colour, darker, lighter, mix, named, varied
from engine.drawings.words import Words, counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.drawings.canvas import Canvas, Pen
    from engine.drawings.curves import Points
    from engine.drawings.dice import Dice


def paint(canvas: Canvas, dice: Dice) -> Words:
    """Paint a car on a road through the country or the town."""
    light = weather.daylight(dice)
    horizon = dice.between(50, 60)
    scenes.sky(canvas, dice, light, horizon)
    pen = canvas.pen()
    dark = light in {weather.NIGHT, weather.DUSK}
    if dice.chance(0.5):
        scenes.meadow(canvas, dice, light, horizon - 4)
        place = "on a country road"
    else:
        x = -6.0
        while x < 104:
            wide, tall = dice.between(10, 20), dice.between(16, 46)
            block = mix(
                light.lit(
                    varied(dice, dice.pick(((180, 160, 150), (150, 160, 176), (200, 184, 160))))
                ),
                light.sky[-1],
                0.3,
            )
            pen.polygon(
                [
                    (x, horizon - tall),
                    (x + wide, horizon - tall),
                    (x + wide, horizon + 16),
                    (x, horizon + 16),
                ],
                block,
                shade=0.15,
            )
            for row in range(int(tall / 8) + 1):
                for column in range(int(wide / 5)):
                    glass = (255, 220, 130) if dark and dice.chance(0.5) else darker(block, 0.3)
                    wx, wy = x + 2 + column * 4.6, horizon - tall + 3 + row * 8
                    pen.polygon([(wx, wy), (wx + 2.4, wy), (wx + 2.4, wy + 4), (wx, wy + 4)], glass)
            x += wide + dice.between(0, 4)
        place = "in the city"
    road = light.lit(varied(dice, (112, 112, 120), 8))
    top = horizon + 14
    canvas.wash([lighter(road, 0.08), darker(road, 0.15)], top, 100)
    pen.line([(-2, top), (102, top)], 1.1, light.lit((214, 210, 200)))
    for i in range(6):
        pen.polygon(
            [(i * 20 - 4, 91), (i * 20 + 7, 91), (i * 20 + 6, 93), (i * 20 - 5, 93)],
            light.lit((240, 234, 214)),
        )
    name, colour = named(
        dice, "red", "blue", "yellow", "green", "white", "orange", "turquoise", "black", "grey"
    )
    spot = canvas.pen(
        50 + dice.between(-7, 7), top + 13, size=dice.between(0.98, 1.2), flip=dice.chance(0.5)
    )
    _car(spot, dice, light.lit(colour), light, lamps=dark)
    return Words(counted(1, f"{name} car"), f"{place} {light.words}".strip())


_ROOFS: Mapping[str, Points] = {
    "saloon": [(-20, -18), (-12, -29), (10, -29.5), (22, -18)],
    "small": [(-22, -17), (-14, -30), (8, -33), (24, -28), (30, -17)],
    "van": [(-28, -18), (-20, -33), (28, -34), (33, -17)],
    "pickup": [(-20, -18), (-13, -30), (2, -30), (5, -18)],
}
_POSTS: Mapping[str, Sequence[int]] = {
    "saloon": (-1,),
    "small": (2,),
    "van": (-6, 12),
    "pickup": (),
}
_DOORS: Mapping[str, Sequence[int]] = {
    "saloon": (-1, 14),
    "small": (2,),
    "van": (-6, 12),
    "pickup": (4,),
}


def _car(pen: Pen, dice: Dice, colour: Colour, light: weather.Daylight, *, lamps: bool) -> None:
    pen.shadow(0, 1, 44, 6, 0.7)
    if lamps:
        pen.glow(-46, -8, 26, 12, colour=(255, 240, 180), strength=0.6)
    kind = dice.pick(tuple(_ROOFS))
    roof = _ROOFS[kind]
    pen.polygon(roof, darker(colour, 0.06), shade=0.3)
    cx = sum(x for x, _ in roof) / len(roof)
    glass = [(cx + (x - cx) * 0.84, -18 + (y + 18) * 0.8) for x, y in roof]
    pen.polygon(glass, light.lit((150, 190, 212)), shade=0.4)
    for post in _POSTS[kind]:
        pen.line([(post, -33 if kind == "van" else -29), (post, -17)], 1.6, colour)
    body = [
        (-38, -4),
        (-39, -11),
        (-34, -16),
        (-20, -18.5),
        (22, -18.5),
        (36, -17),
        (39, -12),
        (39, -4),
        (30, -2),
        (-30, -2),
    ]
    pen.polygon(closed_curve(body, 4), colour, shade=0.38)
    if kind == "pickup":
        pen.polygon([(6, -18), (36, -18), (36, -16), (6, -16)], darker(colour, 0.4))
    pen.line([(-35, -10), (37, -10)], 0.5, lighter(colour, 0.35))
    for x in _DOORS[kind]:
        pen.line([(x, -17), (x, -4)], 0.4, darker(colour, 0.3))
        pen.line([(x + 2, -13), (x + 5, -13)], 0.7, darker(colour, 0.4))
    pen.oval(-36.5, -11.5, 2, 2.4, colour=(255, 246, 200))
    pen.oval(37.6, -11.5, 1.3, 2.4, colour=(206, 50, 44))
    pen.polygon([(-40, -5.5), (-28, -5.5), (-28, -3), (-39, -3)], light.lit((170, 172, 178)))
    pen.polygon([(28, -5.5), (40, -5.5), (39, -3), (28, -3)], light.lit((170, 172, 178)))
    rim = dice.pick(((196, 198, 204), (236, 234, 228), (120, 122, 130)))
    for x in (-22, 22):
        pen.oval(x, -3, 8.6, colour=darker(colour, 0.6))
        pen.oval(x, -1.6, 7.4, colour=INK)
        pen.oval(x, -1.6, 4.2, colour=light.lit(rim), shade=0.3)
        for k in range(5):
            turn = k * 1.2566
            pen.line([(x, -1.6), (x + 3.6 * math.cos(turn), -1.6 + 3.6 * math.sin(turn))], 0.7, INK)
