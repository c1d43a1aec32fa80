"""Cats."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.drawings import scenes
from engine.drawings.palette import INK, WHITE, Colour, darker, lighter, mix, varied
from engine.drawings.words import Words, counted

if TYPE_CHECKING:
    from engine.drawings.canvas import Canvas, Pen
    from engine.drawings.dice import Dice


def paint(canvas: Canvas, dice: Dice) -> Words:
    """Paint a cat's face or a sitting cat."""
    name, fur = dice.pick(
        (("orange", (226, 150, 78)), ("grey", (146, 150, 160)), ("black", (62, 60, 70)),
         ("white", (240, 236, 228)), ("brown", (150, 108, 76)))
    )  # fmt: skip
    fur = varied(dice, fur, 8)
    striped = name in {"orange", "grey", "brown"} and dice.chance(0.7)
    eyes = dice.pick(((120, 180, 80), (236, 190, 70), (90, 160, 210)))
    if dice.chance(0.5):
        place = scenes.studio(canvas, dice)
        pen = canvas.pen(50 + dice.between(-5, 5), 56, size=dice.between(1.1, 1.3))
        pen.shadow(0, 10, 52, 48, 0.4)
        pen.smooth([(-34, 60), (-26, 26), (26, 26), (34, 60)], darker(fur, 0.12), shade=0.2)
        _cat_face(pen, dice, fur, eyes, striped=striped)
        return Words(f"{counted(1, name)} cat".replace("  ", " "), place)
    edge, place = scenes.table(canvas, dice)
    place = place.replace("table", "floor")
    pen = canvas.pen(
        50 + dice.between(-10, 10), edge + 30, size=dice.between(1.0, 1.25), flip=dice.chance(0.5)
    )
    pen.shadow(4, 0, 36, 8)
    pen.curve([(16, -4), (30, -2), (34, -14), (28, -24)], 6, darker(fur, 0.15))
    body = [(-17, 0), (-18, -14), (-12, -34), (0, -42), (12, -34), (19, -14), (18, 0), (0, 3)]
    pen.smooth(body, fur, shade=0.35)
    if striped:
        for y in (-28, -20, -12):
            pen.curve([(17, y), (12, y + 2), (9, y + 1)], 1.6, darker(fur, 0.35))
    pen.oval(0, -18, 7, 13, colour=lighter(fur, 0.35))
    for x in (-7, 7):
        pen.oval(x, -1, 6, 4, colour=lighter(fur, 0.15), shade=0.2)
    _cat_face(pen.at(0, -47, size=0.62), dice, fur, eyes, striped=striped)
    return Words(counted(1, f"{name} cat"), place)


def _cat_face(pen: Pen, dice: Dice, fur: Colour, eyes: Colour, *, striped: bool) -> None:
    for flip in (False, True):
        ear = pen.at(0, 0, flip=flip)
        ear.smooth([(-29, -10), (-28, -42), (-22, -42), (-6, -24)], fur, shade=0.25)
        ear.smooth(
            [(-24, -18), (-24.5, -34), (-21, -34), (-12, -24)], mix(fur, (240, 160, 160), 0.6)
        )
    pen.smooth(
        [(0, -28), (-22, -22), (-33, 0), (-24, 20), (0, 27), (24, 20), (33, 0), (22, -22)],
        fur,
        shade=0.32,
        rounded=True,
    )
    if striped:
        dark = darker(fur, 0.4)
        for x in (-7, 0, 7):
            pen.curve([(x, -27), (x * 0.8, -20), (x * 0.7, -14)], 2, dark)
        for flip in (False, True):
            side = pen.at(0, 0, flip=flip)
            for y in (2, 9):
                side.curve([(31 - y * 0.4, y - 2), (25, y), (21, y)], 1.8, dark)
    slit = dice.between(1.2, 3.6)
    for flip in (False, True):
        half = pen.at(0, 0, flip=flip)
        half.oval(8, 13, 9, 7, colour=lighter(fur, 0.4))
        half.oval(13, -4, 7.4, 7, colour=darker(fur, 0.5))
        half.oval(13, -4, 6.4, 6, colour=eyes, shade=0.3)
        half.oval(13, -4, slit, 5.4, colour=INK)
        for y in (10, 13, 16):
            half.line(
                [(13, y), (36, y * 1.7 - 12)],
                0.45,
                lighter(fur, 0.75) if sum(fur) < 400 else darker(fur, 0.5),
            )
    for x in (11, -15):
        pen.oval(x, -7, 1.5, colour=WHITE)
    pen.smooth([(-4, 6), (4, 6), (0, 10.5)], (226, 124, 132))
    pen.curve([(-7, 15), (-3, 16), (0, 11), (3, 16), (7, 15)], 0.9, darker(fur, 0.6))
