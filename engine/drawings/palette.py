"""Colours: the ones a caption can name, and how they are mixed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.drawings.dice import Dice

Colour = tuple[int, int, int]

WHITE: Colour = (255, 255, 255)
INK: Colour = (38, 36, 48)

NAMED: dict[str, Colour] = {
    "red": (209, 52, 49),
    "orange": (235, 129, 43),
    "yellow": (244, 198, 58),
    "green": (78, 155, 74),
    "turquoise": (52, 170, 165),
    "blue": (52, 110, 190),
    "purple": (128, 78, 162),
    "pink": (235, 130, 164),
    "brown": (136, 88, 54),
    "white": (242, 239, 232),
    "grey": (134, 138, 146),
    "black": (52, 52, 60),
}


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """Blend two colours; share 0 is the first, 1 the second."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def lighter(colour: Colour, share: float = 0.25) -> Colour:
    """Mix white into a colour."""
    return mix(colour, WHITE, share)


def darker(colour: Colour, share: float = 0.25) -> Colour:
    """Mix a bluish black into a colour, as shade outdoors looks."""
    return mix(colour, (18, 16, 42), share)


def varied(dice: Dice, colour: Colour, amount: int = 14) -> Colour:
    """Return a neighbour of the colour: each channel off by at most the amount."""
    red, green, blue = (
        min(255, max(0, channel + dice.whole(-amount, amount))) for channel in colour
    )
    return red, green, blue


def named(dice: Dice, *names: str) -> tuple[str, Colour]:
    """Pick one of these colour names and a tone of it."""
    name = dice.pick(names)
    return name, varied(dice, NAMED[name])
