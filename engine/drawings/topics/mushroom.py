"""Mushrooms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.drawings import scenes, weather
from engine.drawings.palette import Colour, darker, mix, named, varied
from engine.drawings.words import Words, counted

if TYPE_CHECKING:
    from engine.drawings.canvas import Canvas, Pen
    from engine.drawings.curves import Layout
    from engine.drawings.dice import Dice


def paint(canvas: Canvas, dice: Dice) -> Words:
    """Paint one to five mushrooms on a forest floor or a meadow."""
    light = weather.daylight(dice)
    ground = dice.between(58, 68)
    if dice.chance(0.55):
        place = "in the forest"
        canvas.wash([light.lit((122, 160, 128)), light.lit((190, 208, 160))], 0, ground + 9)
        back = canvas.pen()
        for _ in range(dice.whole(6, 11)):
            x, wide = dice.between(-4, 104), dice.between(2, 7)
            trunk = light.lit(mix((92, 82, 72), (180, 200, 160), dice.between(0.2, 0.65)))
            back.polygon(
                [
                    (x, 0),
                    (x + wide, 0),
                    (x + 1.15 * wide, ground + 6),
                    (x - 0.15 * wide, ground + 6),
                ],
                trunk,
            )
        soil = light.lit(varied(dice, dice.pick(((104, 122, 62), (122, 98, 66)))))
        back.smooth(scenes.ridge(dice, ground + 3, 2), soil, shade=0.25)
        for _ in range(60):
            spot = (dice.between(0, 100), dice.between(ground + 6, 100))
            scenes.grass(back, dice, spot, 3, soil)
    else:
        scenes.sky(canvas, dice, light, ground)
        place = scenes.meadow(canvas, dice, light, ground - 6)
    name, colour = named(dice, "red", "red", "brown", "orange", "white", "purple")
    count = dice.weighted({1: 4, 2: 2, 3: 3, 5: 1})
    base = dice.between(84, 90)
    spots: Layout = {
        1: [(50 + dice.between(-8, 8), 0, 1.3)],
        2: [(34, -3, 0.95), (65, 2, 1.1)],
        3: [(50, -4, 1.2), (23, 2, 0.7), (77, 4, 0.75)],
        5: [(50, -6, 1), (26, -4, 0.6), (75, -5, 0.66), (12, 6, 0.5), (62, 7, 0.5)],
    }
    dotted = name != "brown" and dice.chance(0.8)
    for x, lift, size in spots[count]:
        pen = canvas.pen(x, base + lift, size=size, angle=dice.between(-7, 7))
        _mushroom(pen, dice, light.lit(colour), light, dotted=dotted)
    return Words(counted(count, f"{name} mushroom"), place)


def _mushroom(
    pen: Pen, dice: Dice, colour: Colour, light: weather.Daylight, *, dotted: bool
) -> None:
    tall, wide = dice.between(26, 40), dice.between(18, 26)
    stem = light.lit((238, 226, 202))
    pen.shadow(-pen.canvas.light * 5, 1, 20, 5)
    girth = dice.between(4.5, 7)
    pen.smooth(
        [(-girth, 0), (-0.7 * girth, -tall * 0.5), (-0.7 * girth, -tall), (0.7 * girth, -tall),
         (0.7 * girth, -tall * 0.5), (girth, 0), (0, 2)],
        stem,
        shade=0.35,
    )  # fmt: skip
    pen.oval(0, -tall, wide * 0.9, 4.4, colour=darker(stem, 0.25))
    for i in range(-4, 5):
        pen.line([(i * wide * 0.2, -tall + 3), (i * 1.1, -tall)], 0.35, darker(stem, 0.45))
    dome = dice.between(14, 26)
    cap = [
        (-wide, 1), (-wide * 0.86, -dome * 0.55), (-wide * 0.45, -dome * 0.92), (0, -dome),
        (wide * 0.45, -dome * 0.92), (wide * 0.86, -dome * 0.55), (wide, 1), (wide * 0.5, -1.5),
        (0, -2.2), (-wide * 0.5, -1.5),
    ]  # fmt: skip
    pen.at(0, -tall).smooth(cap, colour, shade=0.4, rounded=True)
    if dotted:
        for _ in range(dice.whole(6, 11)):
            x = dice.between(-0.72, 0.72)
            y = dice.between(0.12, 0.85) * (1 - x * x)
            r = dice.between(1, 2.5)
            pen.oval(x * wide, -tall - y * dome, r, r * 0.8, colour=light.lit((252, 244, 228)))
    pen.glow(
        pen.canvas.light * wide * 0.4,
        -tall - dome * 0.65,
        8,
        6,
        colour=(255, 255, 255),
        strength=0.5,
    )
