"""Boats."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.drawings import scenes, weather
from engine.drawings.palette import WHITE, Colour, darker, lighter, mix, named, varied
from engine.drawings.words import Words, counted

if TYPE_CHECKING:
    from engine.drawings.canvas import Canvas, Pen
    from engine.drawings.curves import Layout
    from engine.drawings.dice import Dice


def paint(canvas: Canvas, dice: Dice) -> Words:
    """Paint one or two sailing boats, or a fishing boat, on the water."""
    light = weather.daylight(dice)
    horizon = dice.between(50, 62)
    scenes.sky(canvas, dice, light, horizon)
    if dice.chance(0.45):
        hills = light.lit(varied(dice, (96, 132, 106)))
        canvas.pen().smooth(scenes.ridge(dice, horizon - 2, 5), mix(hills, light.sky[-1], 0.5))
    sea = scenes.water(canvas, dice, light, horizon)
    name, colour = named(
        dice, "red", "blue", "yellow", "green", "orange", "purple", "turquoise", "white"
    )
    sailing = dice.chance(0.7)
    count = dice.weighted({1: 7, 2: 3})
    spots: Layout = {
        1: [(50 + dice.between(-8, 8), 17, dice.between(1.05, 1.3))],
        2: [(30, 7, 0.7), (66, 22, 0.85)],
    }
    for x, lift, size in spots[count]:
        pen = canvas.pen(
            x, horizon + lift, size=size, flip=dice.chance(0.5), angle=dice.between(-4, 4)
        )
        pen.glow(0, 5, 34, 8, colour=darker(sea, 0.6), strength=0.6)
        (_sailing if sailing else _fishing)(pen, dice, light.lit(colour), light)
        for _ in range(6):
            y, half = dice.between(1, 7), dice.between(6, 20)
            pen.line([(-half, y), (half * 0.6, y)], 0.5, mix(sea, WHITE, 0.35))
    noun = "sailing boat" if sailing else "fishing boat"
    where = dice.pick(("on the sea", "on the water", "on a lake"))
    return Words(counted(count, f"{name} {noun}"), f"{where} {light.words}".strip())


def _sailing(pen: Pen, dice: Dice, colour: Colour, light: weather.Daylight) -> None:
    white = light.lit((250, 247, 240))
    tinted = dice.chance(0.6)
    sail, hull = (colour, white) if tinted else (white, colour)
    pen.line([(1, -8), (1, -56)], 1.2, light.lit((120, 86, 58)))
    main = [(2.4, -54), (4, -40), (11, -24), (20, -11), (2.4, -10)]
    jib = [(-0.6, -50), (-3, -36), (-10, -22), (-19, -10), (-0.6, -11)]
    pen.polygon(main, sail, shade=0.3)
    pen.polygon(jib, lighter(sail, 0.25), shade=0.25)
    if dice.chance(0.5):
        pen.polygon(
            [(4.4, -36), (7, -30), (2.4, -30), (2.4, -36)],
            mix(sail, white if tinted else colour, 0.8),
        )
        pen.polygon(
            [(8.6, -28), (12, -22), (2.4, -22), (2.4, -28)],
            mix(sail, white if tinted else colour, 0.8),
        )
    pen.polygon([(1, -56), (8, -54), (1, -52)], light.lit((214, 62, 56)))
    pen.smooth(
        [(-25, -8), (-10, -6.6), (10, -6.6), (25, -9), (19, 1), (10, 3), (-10, 3), (-19, 0)],
        hull,
        shade=0.35,
    )
    pen.curve([(-24, -6.4), (-10, -5), (10, -5), (23, -7)], 0.9, darker(hull, 0.4))


def _fishing(pen: Pen, dice: Dice, colour: Colour, light: weather.Daylight) -> None:
    white = light.lit((246, 243, 236))
    pen.line([(-10, -18), (-10, -40)], 1, light.lit((110, 80, 56)))
    for x in (-26, 22):
        pen.line([(-10, -39), (x, -10)], 0.4, light.lit((90, 76, 70)))
    pen.polygon([(0, -26), (16, -26), (17, -8), (-1, -8)], white, shade=0.25)
    pen.polygon([(-2, -28.5), (18, -28.5), (18, -25.5), (-2, -25.5)], darker(colour, 0.15))
    for x in (3, 10):
        pen.polygon(
            [(x, -22), (x + 4.4, -22), (x + 4.4, -16), (x, -16)],
            light.lit((120, 170, 196)),
            shade=0.2,
        )
    pen.polygon([(-30, -13), (-14, -9), (12, -9), (28, -12), (22, 2), (-20, 3)], colour, shade=0.35)
    pen.line([(-29, -11), (-14, -7), (12, -7), (27, -10)], 1.2, white)
    for i in range(dice.whole(2, 4)):
        pen.oval(-14 + i * 9, -2.5, 2, colour=light.lit((60, 56, 62)))
        pen.oval(-14 + i * 9, -2.5, 1, colour=light.lit((150, 146, 150)))
