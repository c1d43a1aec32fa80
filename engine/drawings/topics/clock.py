"""Clocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.drawings import scenes
from engine.drawings.palette import INK, WHITE, Colour, darker, named
from engine.drawings.words import Words

if TYPE_CHECKING:
    from engine.drawings.canvas import Canvas, Pen
    from engine.drawings.dice import Dice


def paint(canvas: Canvas, dice: Dice) -> Words:
    """Paint a wall clock or an alarm clock that shows some time."""
    name, colour = named(
        dice, "red", "blue", "green", "yellow", "brown", "black", "white", "turquoise", "pink"
    )
    if dice.chance(0.5):
        edge, place = scenes.table(canvas, dice)
        pen = canvas.pen(50 + dice.between(-9, 9), edge - 12, size=dice.between(0.82, 0.98))
        pen.shadow(-canvas.light * 6, 33, 42, 9)
        for x in (-17, 17):
            pen.line([(x, 22), (x * 1.35, 33)], 4, darker(colour, 0.4))
            bell = pen.at(x * 1.05, -29, angle=x * 2)
            bell.smooth([(-9, 3), (-7, -5), (0, -8), (7, -5), (9, 3)], (206, 176, 92), shade=0.4)
        pen.line([(0, -31), (0, -40)], 2.2, darker(colour, 0.3))
        pen.oval(0, -41, 4, 2.4, colour=(206, 176, 92), shade=0.3)
        _clock_face(pen, dice, colour, squared=False)
        return Words(f"a {name} alarm clock", place)
    place = scenes.studio(canvas, dice)
    squared = dice.chance(0.3)
    pen = canvas.pen(
        50 + dice.between(-6, 6), 50 + dice.between(-6, 6), size=dice.between(0.95, 1.3)
    )
    pen.shadow(-canvas.light * 4, 6, 48, 48, 0.55)
    _clock_face(pen, dice, colour, squared=squared)
    return Words(f"a {name} wall clock", place)


def _clock_face(pen: Pen, dice: Dice, colour: Colour, *, squared: bool) -> None:
    face = dice.pick((WHITE, (250, 244, 226), (44, 46, 58), (226, 236, 240)))
    ink = WHITE if sum(face) < 300 else INK
    if squared:
        pen.polygon(
            [
                (-29, -32),
                (29, -32),
                (32, -29),
                (32, 29),
                (29, 32),
                (-29, 32),
                (-32, 29),
                (-32, -29),
            ],
            colour,
            shade=0.35,
        )
        pen.polygon(
            [
                (-25, -27),
                (25, -27),
                (27, -25),
                (27, 25),
                (25, 27),
                (-25, 27),
                (-27, 25),
                (-27, -25),
            ],
            face,
            shade=0.1,
        )
    else:
        pen.oval(0, 0, 31, colour=colour, shade=0.4)
        pen.oval(0, 0, 27, colour=darker(colour, 0.4))
        pen.oval(0, 0, 26, colour=face, shade=0.1)
    dots = dice.chance(0.35)
    for hour in range(12):
        mark = pen.at(0, 0, angle=30 * hour)
        major = hour % 3 == 0
        if dots:
            mark.oval(0, -22, 1.7 if major else 0.9, colour=ink)
        else:
            mark.line([(0, -24), (0, -19.5 if major else -21.5)], 1.8 if major else 0.9, ink)
    minute = dice.whole(0, 59)
    hour_angle = 30 * dice.whole(0, 11) + minute / 2
    pen.at(0, 0, angle=hour_angle).polygon([(-1.5, 3), (1.5, 3), (0.9, -13), (-0.9, -13)], ink)
    pen.at(0, 0, angle=6 * minute).polygon([(-1.1, 4), (1.1, 4), (0.6, -20), (-0.6, -20)], ink)
    if dice.chance(0.7):
        pen.at(0, 0, angle=6 * dice.whole(0, 59)).line([(0, 6), (0, -21)], 0.6, (214, 60, 52))
    pen.oval(0, 0, 2, colour=ink)
    pen.glow(pen.canvas.light * 10, -13, 18, 14, colour=WHITE, strength=0.35)
