"""Planets."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from engine.drawings import scenes
from engine.drawings.curves import oval_points
from engine.drawings.palette import Colour, darker, lighter, mix, named, varied
from engine.drawings.words import Words, counted

if TYPE_CHECKING:
    from engine.drawings.canvas import Canvas, Pen
    from engine.drawings.dice import Dice


def paint(canvas: Canvas, dice: Dice) -> Words:
    """Paint a planet in space, banded or cratered, with rings, moons and a nebula."""
    name, colour = named(
        dice, "blue", "red", "orange", "green", "purple", "brown", "turquoise", "pink"
    )
    space = varied(dice, dice.pick(((14, 14, 34), (22, 12, 40), (8, 20, 38))), 5)
    canvas.wash([space, mix(space, (50, 40, 90), 0.4), space])
    pen = canvas.pen()
    for _ in range(dice.whole(2, 5)):
        haze = dice.pick(((120, 60, 150), (50, 90, 170), (160, 70, 100), (40, 120, 130)))
        pen.glow(
            dice.between(0, 100),
            dice.between(0, 100),
            dice.between(20, 50),
            dice.between(15, 40),
            colour=haze,
            strength=0.4,
        )
    scenes.stars(pen, dice, 100, dice.whole(60, 140))
    r = dice.between(19, 29)
    ball = canvas.pen(
        50 + dice.between(-8, 8), 50 + dice.between(-7, 7), angle=dice.between(-32, 32)
    )
    ball.glow(0, 0, r * 1.5, r * 1.5, colour=lighter(colour, 0.3), strength=0.55)
    ringed = dice.chance(0.5)
    dust = mix(lighter(colour, 0.5), (240, 220, 180), 0.5)
    rings = [
        (1.9 - 0.14 * i, mix(dust, space, 0.15 + 0.25 * (i % 2))) for i in range(dice.whole(3, 5))
    ]
    if ringed:
        _rings(ball, r, rings, front=False)
    ball.oval(0, 0, r, colour=colour, shade=0.35, rounded=True)
    with ball.inside(oval_points(0, 0, r, r)):
        kind = dice.pick(("bands", "craters", "lands"))
        if kind == "bands":
            for i in range(-4, 5):
                y = i * r / 4.5
                tone = darker(colour, 0.2) if i % 2 else lighter(colour, dice.between(0.1, 0.4))
                ball.smooth(
                    [
                        (-r, y),
                        (0, y + 2),
                        (r, y),
                        (r, y + r * 0.12),
                        (0, y + r * 0.16),
                        (-r, y + r * 0.12),
                    ],
                    tone,
                )
        else:
            for _ in range(dice.whole(6, 11)):
                x, y, s = dice.between(-r, r), dice.between(-r, r), dice.between(0.08, 0.24) * r
                if kind == "craters":
                    ball.oval(x, y, s, s * 0.9, colour=darker(colour, 0.3))
                    ball.oval(
                        x + s * 0.15, y + s * 0.15, s * 0.8, s * 0.7, colour=darker(colour, 0.15)
                    )
                else:
                    land = varied(dice, (110, 160, 90), 20)
                    ball.smooth(
                        [
                            (x + 2 * s * math.cos(t), y + s * dice.between(0.6, 1.8) * math.sin(t))
                            for t in (0, 1, 2, 3, 4, 5)
                        ],
                        land,
                    )
        side = -canvas.light
        ball.glow(side * r * 0.9, r * 0.6, r * 1.7, r * 1.7, colour=(8, 6, 24), strength=0.85)
    if ringed:
        _rings(ball, r, rings, front=True)
    for _ in range(dice.whole(0, 3)):
        turn, far, s = dice.between(0, 6.28), r * dice.between(1.35, 1.6), dice.between(1.5, 4)
        pen.oval(
            50 + far * math.cos(turn),
            50 + far * math.sin(turn),
            s,
            colour=varied(dice, (190, 186, 180)),
            shade=0.4,
            rounded=True,
        )
    return Words(counted(1, f"{name} planet"), "with rings in space" if ringed else "in space")


def _rings(pen: Pen, r: float, rings: list[tuple[float, Colour]], *, front: bool) -> None:
    start = 0 if front else 180
    for share, tone in rings:
        arc = [
            (r * share * math.cos(math.radians(t)), r * share * 0.3 * math.sin(math.radians(t)))
            for t in range(start, start + 181, 6)
        ]
        pen.line(arc, 1.5, tone)
