"""Houses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.drawings import scenes, weather
from engine.drawings.palette import WHITE, Colour, darker, named, varied
from engine.drawings.words import Words, counted

if TYPE_CHECKING:
    from engine.drawings.canvas import Canvas, Pen
    from engine.drawings.dice import Dice


def paint(canvas: Canvas, dice: Dice) -> Words:
    """Paint a house with a garden: one or two floors, gable or hip roof, lit windows at night."""
    light = weather.daylight(dice)
    horizon = dice.between(54, 64)
    scenes.sky(canvas, dice, light, horizon)
    place = scenes.meadow(canvas, dice, light, horizon)
    name, wall = dice.pick(
        (("white", (240, 234, 222)), ("yellow", (240, 212, 132)), ("red", (192, 84, 68)),
         ("blue", (134, 176, 208)), ("green", (152, 186, 144)), ("pink", (236, 178, 172)),
         ("brown", (150, 108, 78)))
    )  # fmt: skip
    wall = light.lit(varied(dice, wall, 8))
    roof = light.lit(
        varied(dice, dice.pick(((176, 78, 58), (96, 92, 104), (126, 82, 62), (64, 96, 120))))
    )
    pen = canvas.pen(
        50 + dice.between(-9, 9), horizon + 22, size=dice.between(0.95, 1.2), flip=dice.chance(0.5)
    )
    pen.shadow(0, 0, 48, 7, 0.5)
    floors, half = dice.whole(1, 2), dice.between(21, 28)
    tall = 20.0 * floors + 2
    dark = light in {weather.NIGHT, weather.DUSK}
    pane = (255, 216, 120) if dark else light.lit((150, 190, 214))
    if dice.chance(0.7):
        _chimney(pen.at(dice.between(6, half - 8), -tall), dice, light)
    pen.polygon([(-half, -tall), (half, -tall), (half, 0), (-half, 0)], wall, shade=0.22)
    if dice.chance(0.4):
        for i in range(int(tall / 4)):
            pen.line([(-half, -4 * i), (half, -4 * i)], 0.3, darker(wall, 0.14))
    _roof(pen.at(0, -tall), dice, roof, pane, half=half)
    door_x = dice.pick((-half * 0.55, 0.0, half * 0.5))
    _door(pen.at(door_x, 0), dice, light)
    for floor in range(floors):
        for x in (-half * 0.6, 0.0, half * 0.6):
            if floor > 0 or abs(x - door_x) > 9:
                _window(pen.at(x, -12 - 20 * floor), pane, light.lit(WHITE), glows=dark)
    _garden(pen, dice, light, half)
    return Words(counted(1, f"{name} house"), f"{place} {light.words}".strip())


def _chimney(pen: Pen, dice: Dice, light: weather.Daylight) -> None:
    pen.polygon([(0, -22), (6, -22), (6, 0), (0, 0)], light.lit((160, 96, 78)), shade=0.3)
    if dice.chance(0.5):
        for i in range(3):
            x, y = 4 + 3 * i, -26 - 6 * i
            pen.glow(x, y, 5 + i, 4 + i, colour=light.cloud, strength=0.7)


def _roof(pen: Pen, dice: Dice, tiles: Colour, pane: Colour, *, half: float) -> None:
    peak, eaves = dice.between(15, 22), half + 4
    if dice.chance(0.65):
        pen.polygon([(-eaves, 1), (0, -peak), (eaves, 1)], tiles, shade=0.3)
        pen.oval(0, -peak * 0.38, 3.4, colour=WHITE)
        pen.oval(0, -peak * 0.38, 2.6, colour=pane)
        return
    ridge = half * 0.6
    pen.polygon([(-eaves, 1), (-ridge, -peak), (ridge, -peak), (eaves, 1)], tiles, shade=0.3)
    for share in (0.25, 0.5, 0.75):
        y, reach = -peak * share, eaves + (ridge - eaves) * share
        pen.line([(-reach, y), (reach, y)], 0.35, darker(tiles, 0.2))


def _door(pen: Pen, dice: Dice, light: weather.Daylight) -> None:
    _, colour = named(dice, "red", "blue", "green", "brown", "turquoise", "white")
    pen.polygon([(-4.6, -15), (4.6, -15), (4.6, 0), (-4.6, 0)], light.lit(WHITE))
    pen.polygon([(-3.8, -14), (3.8, -14), (3.8, 0), (-3.8, 0)], light.lit(colour), shade=0.25)
    pen.oval(2.4, -6.5, 0.7, colour=(230, 200, 110))
    path = [(-4, 0), (4, 0), (9, 14), (14, 34), (-14, 34), (-8, 14)]
    pen.smooth(path, light.lit((206, 190, 160)))


def _garden(pen: Pen, dice: Dice, light: weather.Daylight, half: float) -> None:
    for side in (-1, 1):
        for k in range(dice.whole(1, 3)):
            rx, ry = dice.between(4, 6), dice.between(4, 6)
            bush = light.lit(varied(dice, (70, 126, 66)))
            pen.oval(side * (half + 3 + 6 * k), -2, rx, ry, colour=bush, shade=0.35, rounded=True)


def _window(pen: Pen, pane: Colour, frame: Colour, *, glows: bool) -> None:
    if glows:
        pen.glow(0, 0, 13, 13, colour=pane, strength=0.5)
    pen.polygon([(-5, -5.4), (5, -5.4), (5, 5.4), (-5, 5.4)], frame)
    pen.polygon([(-4, -4.4), (4, -4.4), (4, 4.4), (-4, 4.4)], pane, shade=0.25)
    pen.line([(0, -4.4), (0, 4.4)], 0.7, frame)
    pen.line([(-4, 0), (4, 0)], 0.7, frame)
