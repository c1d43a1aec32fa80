"""Trees."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from engine.drawings import scenes, weather
from engine.drawings.palette import Colour, darker, lighter, mix, varied
from engine.drawings.words import Words, counted

if TYPE_CHECKING:
    from engine.drawings.canvas import Canvas, Pen
    from engine.drawings.curves import Point
    from engine.drawings.dice import Dice


def paint(canvas: Canvas, dice: Dice) -> Words:
    """Paint a leaf tree, a fir or a bare tree, alone or in a small group, in any season."""
    light = weather.daylight(dice)
    horizon = dice.between(56, 68)
    scenes.sky(canvas, dice, light, horizon)
    kind, foliage, winter = dice.pick(
        (
            ("green", (84, 146, 66), False),
            ("green", (110, 164, 70), False),
            ("autumn", (224, 132, 48), False),
            ("autumn", (206, 84, 48), False),
            ("blossoming", (240, 176, 196), False),
            ("fir", (48, 108, 78), False),
            ("snowy fir", (70, 122, 108), True),
        )
    )
    if winter:
        pen = canvas.pen()
        snow = light.lit((240, 244, 250))
        pen.smooth(scenes.ridge(dice, horizon, 4), mix(snow, light.sky[-1], 0.4))
        pen.smooth(scenes.ridge(dice, horizon + 7, 2), snow, shade=0.12)
        place = "in the snow"
    else:
        place = scenes.meadow(canvas, dice, light, horizon)
    count = dice.weighted({1: 6, 2: 2, 3: 2})
    size = {1: dice.between(1.05, 1.25), 2: 0.88, 3: 0.76}[count]
    spots: dict[int, list[Point]] = {
        1: [(dice.between(38, 62), 0)],
        2: [(30, -2), (70, 3)],
        3: [(50, -8), (22, 0), (78, 3)],
    }
    for x, lift in spots[count]:
        pen = canvas.pen(x, horizon + 22 + lift, size=size * dice.between(0.9, 1.1))
        pen.shadow(-canvas.light * 8, 0, 30, 6, 0.55)
        tone = light.lit(varied(dice, foliage))
        if "fir" in kind:
            _fir(pen, dice, tone, light, snowy=winter)
        else:
            _leaf_tree(pen, dice, tone, light)
    noun = {"green": "green tree", "autumn": "autumn tree", "blossoming": "blossoming tree"}
    name = noun.get(kind, f"{kind} tree")
    return Words(counted(count, name), f"{place} {light.words}".strip())


def _leaf_tree(pen: Pen, dice: Dice, tone: Colour, light: weather.Daylight) -> None:
    bark = light.lit(varied(dice, (104, 74, 52), 10))
    tall = dice.between(24, 32)
    pen.smooth(
        [(-5, 1), (-2.6, -8), (-2.2, -tall), (2.2, -tall), (2.6, -8), (5, 1)], bark, shade=0.35
    )
    for reach in (-10, 9):
        pen.curve([(0, -tall * 0.7), (reach * 0.5, -tall * 0.9), (reach, -tall - 6)], 1.6, bark)
    crown = dice.pick(("round", "wide", "tall"))
    rx, ry = {"round": (19, 18), "wide": (25, 14), "tall": (14, 23)}[crown]
    middle = -tall - ry * 0.62
    for share, count, r in ((0.3, 20, 5.6), (0.0, 30, 4.6), (-0.16, 30, 3.4), (-0.3, 22, 2.4)):
        shift = -0.18 * share * rx
        leafage = darker(tone, share) if share > 0 else lighter(tone, -share)
        for _ in range(count):
            turn, far = dice.between(0, 6.283), math.sqrt(dice.between(0, 1))
            narrow = 1 - 1.1 * max(0.0, -share)
            x = far * narrow * rx * math.cos(turn) + pen.canvas.light * -share * rx * 1.1 + shift
            y = middle + far * narrow * ry * math.sin(turn) + share * ry * 0.9
            pen.oval(x, y, r * dice.between(0.7, 1.15), colour=varied(dice, leafage, 6))
    if dice.chance(0.25):
        for _ in range(12):
            x, y = dice.between(-0.7, 0.7) * rx, middle + dice.between(-0.6, 0.6) * ry
            pen.oval(x, y, 1.2, colour=light.lit((206, 54, 46)))


def _fir(pen: Pen, dice: Dice, tone: Colour, light: weather.Daylight, *, snowy: bool) -> None:
    pen.polygon([(-2.4, 1), (-2, -12), (2, -12), (2.4, 1)], light.lit((96, 70, 52)), shade=0.3)
    tiers = dice.whole(4, 6)
    for i in range(tiers):
        wide = 19 * (1 - i / (tiers + 0.6))
        low = -6 - i * 44 / tiers
        top = low - 62 / tiers - 3
        tier = [
            (-wide, low), (-wide * 0.5, low + 1.8), (0, low + 0.6), (wide * 0.5, low + 1.8),
            (wide, low), (wide * 0.42, (low + top) / 2), (0, top), (-wide * 0.42, (low + top) / 2),
        ]  # fmt: skip
        pen.polygon(tier, darker(varied(dice, tone, 5), 0.16 - 0.04 * i), shade=0.3)
        if snowy:
            cap = [(-wide * 0.62, low - 3), (-wide * 0.2, low - 2), (wide * 0.15, low - 4),
                   (wide * 0.55, low - 3.4), (wide * 0.3, (low + top) / 2), (0, top),
                   (-wide * 0.34, (low + top) / 2)]  # fmt: skip
            pen.polygon(cap, light.lit((244, 248, 252)), shade=0.1)
