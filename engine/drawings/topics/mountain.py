"""Mountains."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.drawings import scenes, weather
from engine.drawings.palette import Colour, darker, lighter, mix, varied
from engine.drawings.words import Words, counted

if TYPE_CHECKING:
    from engine.drawings.canvas import Canvas, Pen
    from engine.drawings.curves import Point
    from engine.drawings.dice import Dice


def paint(canvas: Canvas, dice: Dice) -> Words:
    """Paint ranges of mountains over a meadow, a lake or snow."""
    light = weather.daylight(dice)
    horizon = dice.between(64, 76)
    scenes.sky(canvas, dice, light, horizon)
    rock = light.lit(varied(dice, dice.pick(((112, 116, 138), (134, 116, 104), (92, 110, 128)))))
    snowy = dice.chance(0.7)
    pen = canvas.pen()
    far = mix(rock, light.sky[-1], 0.55)
    for _ in range(3):
        foot = (dice.between(-5, 105), horizon + 5)
        _peak(pen, dice, foot, tall=dice.between(18, 30), rock=far, cap=None)
    count = dice.weighted({1: 3, 2: 3, 3: 4})
    peaks = {1: [(50, 52)], 2: [(30, 44), (70, 54)], 3: [(18, 36), (82, 40), (50, 54)]}[count]
    cap = light.lit((246, 249, 253)) if snowy else None
    for x, tall in peaks:
        foot = (x + dice.between(-8, 8), horizon + 6)
        height = tall * dice.between(0.8, 1.08)
        _peak(pen, dice, foot, tall=height, rock=varied(dice, rock, 6), cap=cap)
    front = dice.pick(("meadow", "lake", "forest"))
    if front == "meadow":
        place = (
            scenes.meadow(canvas, dice, light, horizon + 1)
            .replace("in ", "above ", 1)
            .replace("on ", "above ", 1)
        )
    elif front == "lake":
        scenes.water(canvas, dice, light, horizon)
        shore = light.lit((92, 122, 74))
        pen.smooth(
            [
                (-10, horizon - 1),
                (30, horizon - 2),
                (70, horizon - 1),
                (110, horizon - 2),
                (110, horizon + 1.5),
                (-10, horizon + 1.5),
            ],
            shore,
        )
        place = "above a lake"
    else:
        green = light.lit(varied(dice, (52, 96, 72)))
        pen.smooth(scenes.ridge(dice, horizon + 3, 1.5), darker(green, 0.15))
        for row in range(3):
            for _ in range(16):
                _spruce(
                    pen,
                    dice.between(-4, 104),
                    horizon + 12 + row * 9,
                    9 + 4 * row,
                    varied(dice, mix(green, light.sky[-1], 0.2 - 0.1 * row), 8),
                )
        place = "above a forest"
    kind = "snowy" if snowy else "rocky"
    return Words(counted(count, f"{kind} mountain"), f"{place} {light.words}".strip())


def _peak(
    pen: Pen, dice: Dice, foot: Point, *, tall: float, rock: Colour, cap: Colour | None
) -> None:
    x, base = foot
    spread = tall * dice.between(0.8, 1.1)

    def slope(side: int, share: float) -> Point:
        return (
            x + side * spread * share + dice.between(-0.07, 0.07) * tall,
            base - tall * (1 - share) + dice.between(-0.05, 0.05) * tall,
        )

    left = [slope(-1, share) for share in (1, 0.75, 0.5, 0.25)]
    right = [slope(1, share) for share in (0.25, 0.5, 0.75, 1)]
    top = (x, base - tall)
    ridge = [
        (x + dice.between(-0.14, 0.18) * spread, base - tall * t) for t in (0.75, 0.5, 0.25, 0)
    ]
    tones = [lighter(rock, 0.16), darker(rock, 0.26)][:: -pen.canvas.light]
    pen.polygon([*left, top, *ridge], tones[0], shade=0.12)
    pen.polygon([top, *right, *reversed(ridge)], tones[1], shade=0.12)
    if cap is None:
        return
    tones = [cap, mix(cap, (110, 130, 180), 0.35)][:: -pen.canvas.light]
    snowline = dice.between(0.58, 0.72)
    reach, y = spread * (1 - snowline), base - tall * snowline
    for side, tone in ((-1, tones[0]), (1, tones[1])):
        jags = ((1, 0), (0.62, 2.8), (0.4, -1.8), (0.12, 3.5), (0, 0))
        pen.polygon([top, *((x + side * reach * far, y + drop) for far, drop in jags)], tone)


def _spruce(pen: Pen, x: float, y: float, tall: float, colour: Colour) -> None:
    for i in range(3):
        wide, low = tall * (0.3 - 0.07 * i), y - tall * 0.25 * i
        pen.polygon([(x - wide, low), (x, low - tall * 0.48), (x + wide, low)], colour)
