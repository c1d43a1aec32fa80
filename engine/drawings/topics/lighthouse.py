"""Lighthouses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.drawings import scenes, weather
from engine.drawings.palette import NAMED, Colour, darker, lighter, mix, named, varied
from engine.drawings.words import Words, counted

if TYPE_CHECKING:
    from engine.drawings.canvas import Canvas, Pen
    from engine.drawings.dice import Dice


def paint(canvas: Canvas, dice: Dice) -> Words:
    """Paint a banded lighthouse on rocks by the sea, its beam lit after dark."""
    light = weather.daylight(dice)
    horizon = dice.between(62, 72)
    scenes.sky(canvas, dice, light, horizon)
    scenes.water(canvas, dice, light, horizon)
    side = dice.pick((-1, 1))
    foot_x = 50 + side * dice.between(2, 20)
    foot = horizon + 5
    _rocks(canvas.pen(foot_x, foot, flip=side < 0), dice, light)
    name, band = named(dice, "red", "red", "blue", "black", "green", "orange")
    band, plaster = light.lit(band), light.lit((246, 242, 234))
    pen = canvas.pen(foot_x, foot, size=dice.between(0.85, 1.08))
    tall, wide = dice.between(46, 52), dice.between(7, 9)
    is_lit = light in {weather.NIGHT, weather.DUSK, weather.SUNSET}
    lamp_y = -tall - 4.5
    if is_lit:
        beam = mix((255, 240, 190), light.sky[1], 0.5)
        for reach in dice.pick(((-1,), (1,), (-1, 1))):
            pen.polygon([(0, lamp_y), (reach * 110, lamp_y - 16), (reach * 110, lamp_y + 12)], beam)
    _tower(pen, dice, plaster, band, tall=tall, wide=wide)
    for y in (0.35, 0.62):
        slit = pen.at(0, -tall * y)
        slit.polygon([(-1.1, -4), (1.1, -4), (1.1, 0), (-1.1, 0)], light.lit(NAMED["grey"]))
    pen.polygon([(-2.2, -8), (2.2, -8), (2.2, 0), (-2.2, 0)], light.lit((96, 72, 60)))
    pane = (255, 236, 150) if is_lit else light.lit((190, 220, 232))
    _lantern(pen.at(0, -tall), band, pane, wide)
    if is_lit:
        pen.glow(0, lamp_y, 14, 14, colour=(255, 244, 190), strength=0.9)
    if dice.chance(0.3):
        hut = pen.at(wide + 8, 1)
        hut.polygon([(-7, -9), (7, -9), (7, 0), (-7, 0)], lighter(plaster, 0.1), shade=0.2)
        hut.polygon([(-8.5, -8.5), (0, -15), (8.5, -8.5)], band, shade=0.2)
    return Words(counted(1, f"{name} and white lighthouse"), f"by the sea {light.words}".strip())


def _rocks(pen: Pen, dice: Dice, light: weather.Daylight) -> None:
    rock = light.lit(varied(dice, dice.pick(((118, 110, 108), (150, 128, 108)))))
    outline = [
        (-28, 20),
        (-20, 8),
        (-12, 0),
        (0, -2),
        (16, -1),
        (34, 3),
        (70, 6),
        (90, 50),
        (-30, 50),
    ]
    pen.smooth([(x - 3, max(y, 12) + 3) for x, y in outline], light.lit((246, 250, 252)))
    pen.smooth(outline, rock, shade=0.3)
    if dice.chance(0.6):
        edge = [(-11, 1), (0, -3), (16, -2), (34, 2), (80, 5), (80, 14), (30, 9), (8, 7)]
        pen.smooth(edge, light.lit(varied(dice, (112, 152, 82))), shade=0.2)


def _tower(
    pen: Pen, dice: Dice, plaster: Colour, band: Colour, *, tall: float, wide: float
) -> None:
    outline = [(-wide, 0), (-wide * 0.58, -tall), (wide * 0.58, -tall), (wide, 0)]
    pen.polygon(outline, plaster)
    bands = dice.whole(2, 4)
    with pen.inside(outline):
        if dice.chance(0.7):
            for i in range(bands):
                top = -tall * (i + 0.75) / bands
                low = top + tall * 0.45 / bands
                pen.polygon([(-20, top), (20, top), (20, low), (-20, low)], band)
        else:
            for i in range(-1, bands + 1):
                y = -tall * i / bands
                pen.polygon([(-12, y), (12, y - 10), (12, y - 17), (-12, y - 7)], band)
        pen.shadow(-pen.canvas.light * wide, -tall / 2, wide * 1.3, tall, 0.5)


def _lantern(pen: Pen, band: Colour, pane: Colour, wide: float) -> None:
    iron, out, rim = darker(band, 0.45), wide * 0.85, wide * 0.7
    pen.polygon([(-out, -1.6), (out, -1.6), (rim, 1.2), (-rim, 1.2)], iron)
    pen.polygon([(-3.6, -8), (3.6, -8), (3.6, -1.6), (-3.6, -1.6)], pane)
    for x in (-3.6, 0, 3.6):
        pen.line([(x, -8), (x, -1.6)], 0.5, iron)
    pen.smooth([(-5, -8), (0, -13.5), (5, -8)], band, shade=0.3)
    pen.line([(0, -12), (0, -16)], 0.6, iron)
