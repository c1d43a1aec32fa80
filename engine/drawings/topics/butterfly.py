"""Butterflies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.drawings import scenes, weather
from engine.drawings.palette import INK, WHITE, Colour, darker, lighter, named
from engine.drawings.words import Words, counted

if TYPE_CHECKING:
    from engine.drawings.canvas import Canvas, Pen
    from engine.drawings.curves import Layout
    from engine.drawings.dice import Dice


def paint(canvas: Canvas, dice: Dice) -> Words:
    """Paint one to three butterflies with open wings, before the sky, a meadow or a wall."""
    name, colour = named(dice, "orange", "blue", "yellow", "purple", "white", "red", "turquoise")
    where = dice.pick(("meadow", "meadow", "sky", "studio"))
    if where == "studio":
        place = scenes.studio(canvas, dice)
    else:
        light = weather.daylight(dice)
        horizon = dice.between(66, 80) if where == "meadow" else 130
        scenes.sky(canvas, dice, light, min(horizon, 100))
        place = "in the sky"
        if where == "meadow":
            place = f"over {scenes.meadow(canvas, dice, light, horizon).split(' ', 1)[1]}"
    count = dice.weighted({1: 6, 2: 2, 3: 2})
    pattern = _Wing(dice, colour)
    spots: Layout = {
        1: [(50 + dice.between(-6, 6), 48, dice.between(1.15, 1.5))],
        2: [(32, 34, 0.8), (66, 64, 0.9)],
        3: [(50, 26, 0.7), (26, 60, 0.62), (74, 66, 0.72)],
    }
    for x, y, size in spots[count]:
        pen = canvas.pen(x, y, size=size, angle=dice.between(-32, 32))
        canvas.pen(x - canvas.light * 5, y + 9).shadow(0, 0, 30 * size, 24 * size, 0.25)
        pattern.paint(pen)
    return Words(counted(count, f"{name} butterfly", f"{name} butterflies"), place)


class _Wing:
    """The wings of one kind of butterfly: chosen once, painted for each of its kin."""

    def __init__(self, dice: Dice, colour: Colour) -> None:
        self.colour = colour
        self.rim = darker(colour, dice.between(0.55, 0.85))
        self.spot = dice.pick((WHITE, lighter(colour, 0.6), (250, 214, 110)))
        self.rows = dice.whole(2, 5)
        self.tail = dice.chance(0.35)
        self.eye = dice.chance(0.5)
        self.tall, self.wide = dice.between(0.88, 1.12), dice.between(0.9, 1.12)

    def paint(self, pen: Pen) -> None:
        for flip in (False, True):
            wing = pen.at(0, 0, flip=flip)
            w, t = self.wide, self.tall
            lower = [(1, 0), (12 * w, 2), (23 * w, 10 * t), (24 * w, 20 * t), (15 * w, 27 * t),
                     (6 * w, 19 * t)]  # fmt: skip
            if self.tail:
                lower[4:5] = [(18 * w, 25 * t), (15 * w, 38 * t), (11 * w, 27 * t)]
            upper = [(1, 0), (6 * w, -16 * t), (20 * w, -28 * t), (33 * w, -27 * t),
                     (32 * w, -12 * t), (21 * w, 1)]  # fmt: skip
            for outline, centre in ((lower, (14 * w, 12 * t)), (upper, (19 * w, -14 * t))):
                wing.smooth(outline, self.rim, shade=0.2)
                cx, cy = centre
                inner = [(cx + (x - cx) * 0.8, cy + (y - cy) * 0.8) for x, y in outline]
                wing.smooth(inner, self.colour, shade=0.4)
                for x, y in outline[2:5]:
                    wing.line([(1, 0), (cx + (x - cx) * 0.78, cy + (y - cy) * 0.78)], 0.5, self.rim)
            for i in range(self.rows):
                wing.oval((28 - 1.5 * i) * w, (-23 + 5 * i) * t, 1.3, colour=self.spot)
                wing.oval((20 - 2.5 * i) * w, (14 + 3 * i) * t, 1.1, colour=self.spot)
            if self.eye:
                wing.oval(21 * w, -16 * t, 4, colour=self.rim)
                wing.oval(21 * w, -16 * t, 2.4, colour=self.spot)
                wing.oval(16 * w, 13 * t, 2.6, colour=self.rim)
                wing.oval(16 * w, 13 * t, 1.4, colour=self.spot)
            wing.curve([(0.6, -12), (3, -20), (8, -26)], 0.6, INK)
            wing.oval(8, -26, 1, colour=INK)
        pen.oval(0, 4, 1.9, 13, colour=(58, 46, 44), shade=0.3)
        pen.oval(0, -10, 2.3, colour=(58, 46, 44))
