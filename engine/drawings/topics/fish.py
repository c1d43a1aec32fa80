"""Fish."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.drawings import scenes
from engine.drawings.curves import closed_curve
from engine.drawings.palette import INK, WHITE, Colour, darker, lighter, mix, named, varied
from engine.drawings.words import Words, counted

if TYPE_CHECKING:
    from engine.drawings.canvas import Canvas, Pen
    from engine.drawings.curves import Layout
    from engine.drawings.dice import Dice


def paint(canvas: Canvas, dice: Dice) -> Words:
    """Paint one to four fish under water, among weeds and bubbles."""
    name, colour = named(
        dice, "orange", "yellow", "blue", "red", "purple", "turquoise", "pink", "grey"
    )
    deep = varied(dice, dice.pick(((22, 92, 142), (24, 118, 140), (30, 70, 124), (46, 130, 122))))
    canvas.wash([lighter(deep, 0.55), lighter(deep, 0.15), deep, darker(deep, 0.35)])
    pen = canvas.pen()
    for _ in range(dice.whole(2, 4)):
        x, lean = dice.between(5, 90), dice.between(-12, 12)
        pen.glow(x, 4, 14, 60, colour=lighter(deep, 0.8), strength=0.22)
        pen.glow(x + lean, 30, 10, 60, colour=lighter(deep, 0.8), strength=0.16)
    if dice.chance(0.75):
        sand = mix(varied(dice, (222, 200, 150)), deep, 0.3)
        pen.smooth(scenes.ridge(dice, 89, 2.5), sand, shade=0.2)
        for _ in range(dice.whole(3, 9)):
            x, r = dice.between(0, 100), dice.between(1, 4)
            pen.oval(
                x,
                dice.between(92, 98),
                r * 1.4,
                r,
                colour=mix((130, 130, 136), deep, 0.35),
                shade=0.3,
            )
    for _ in range(dice.whole(2, 7)):
        x, tall, lean = (
            dice.pick((dice.between(0, 28), dice.between(72, 100))),
            dice.between(16, 46),
            0.0,
        )
        weed = mix(
            varied(dice, dice.pick(((60, 150, 80), (150, 80, 100), (110, 150, 60)))), deep, 0.25
        )
        for k in range(3):
            lean = dice.between(-8, 8)
            pen.curve(
                [(x + k, 98), (x + lean, 96 - tall / 2), (x - lean + 2 * k, 96 - tall)], 1.5, weed
            )
    count = dice.weighted({1: 5, 2: 2, 3: 2, 4: 1})
    flip = dice.chance(0.5)
    kind = _Fish(dice, colour)
    spots: Layout = {
        1: [(50, 48, dice.between(1.15, 1.5))], 2: [(36, 34, 0.85), (62, 64, 0.95)],
        3: [(30, 28, 0.66), (68, 46, 0.74), (36, 70, 0.7)],
        4: [(30, 24, 0.56), (70, 34, 0.6), (28, 58, 0.58), (68, 70, 0.62)],
    }  # fmt: skip
    for x, y, size in spots[count]:
        spot = canvas.pen(
            x, y + dice.between(-4, 4), size=size, angle=dice.between(-14, 14), flip=flip
        )
        kind.paint(spot, dice)
    for _ in range(dice.whole(4, 12)):
        x, y, r = dice.between(5, 95), dice.between(4, 80), dice.between(0.6, 1.9)
        pen.oval(x, y, r, colour=lighter(deep, 0.55))
        pen.oval(x, y, r * 0.72, colour=lighter(deep, 0.25))
        pen.oval(x - r * 0.3, y - r * 0.3, r * 0.25, colour=WHITE)
    return Words(
        counted(count, f"{name} fish", f"{name} fish"),
        dice.pick(("under water", "in the sea", "in an aquarium")),
    )


class _Fish:
    """One kind of fish; it swims to the left unless its pen is flipped."""

    def __init__(self, dice: Dice, colour: Colour) -> None:
        self.colour = colour
        self.fin = dice.pick(
            (darker(colour, 0.25), lighter(colour, 0.35), varied(dice, colour, 60))
        )
        self.pattern = dice.pick(("plain", "bands", "bands", "belly", "dots"))
        self.mark = dice.pick((WHITE, darker(colour, 0.45), (252, 226, 130)))
        self.high = dice.between(11, 21)
        self.tail = dice.pick((0.2, 0.8))

    def paint(self, pen: Pen, dice: Dice) -> None:
        high, fin = self.high, self.fin
        pen.smooth(
            [(20, 0), (32, -13), (40, -15), (34, -6 * self.tail), (33, 0), (34, 6 * self.tail),
             (40, 15), (32, 13)], fin, shade=0.3,
        )  # fmt: skip
        pen.smooth(
            [(-10, -high * 0.7), (0, -high * 1.45), (14, -high * 1.2), (18, -high * 0.4)],
            fin,
            shade=0.25,
        )
        pen.smooth(
            [(0, high * 0.8), (8, high * 1.35), (14, high * 1.1), (12, high * 0.5)], fin, shade=0.25
        )
        body = [(-31, 0), (-24, -high * 0.6), (-6, -high), (12, -high * 0.6), (26, -2.5), (26, 2.5),
                (12, high * 0.62), (-6, high), (-24, high * 0.62)]  # fmt: skip
        pen.smooth(body, self.colour, shade=0.4, rounded=True)

        with pen.inside(closed_curve(body)):
            if self.pattern == "bands":
                for x in (-12, 3, 17):
                    pen.smooth(
                        [
                            (x - 3, -30),
                            (x + 3, -30),
                            (x + 5, 0),
                            (x + 3, 30),
                            (x - 3, 30),
                            (x - 1, 0),
                        ],
                        self.mark,
                    )
            elif self.pattern == "belly":
                pen.oval(-4, high * 1.15, 30, high, colour=mix(self.colour, self.mark, 0.7))
            elif self.pattern == "dots":
                for _ in range(16):
                    pen.oval(
                        dice.between(-14, 22),
                        dice.between(-high, high),
                        dice.between(0.8, 2),
                        colour=self.mark,
                    )
        if self.pattern == "plain":
            for i in range(4):
                for k in (-1, 0, 1):
                    x, y = -8 + 8 * i, k * high * 0.36
                    pen.curve(
                        [(x, y - 2.5), (x + 2.4, y), (x, y + 2.5)], 0.5, darker(self.colour, 0.22)
                    )
        pen.curve([(-15, -high * 0.55), (-12, 0), (-15, high * 0.5)], 0.8, darker(self.colour, 0.3))
        pen.smooth([(-8, 2), (0, 4), (4, 10), (-4, 9)], fin, shade=0.3)
        pen.oval(-21.5, -3, 3.4, colour=WHITE)
        pen.oval(-22, -3, 1.9, colour=INK)
        pen.oval(-22.6, -3.8, 0.6, colour=WHITE)
        pen.curve([(-31, 2), (-28, 4), (-26, 3.6)], 0.7, darker(self.colour, 0.5))
