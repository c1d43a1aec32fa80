"""Times of day and weathers: the colours of their skies and what their light does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.drawings.palette import WHITE, Colour, mix

if TYPE_CHECKING:
    from engine.drawings.dice import Dice


@dataclass(frozen=True, slots=True)
class Daylight:
    """A time of day or a weather.

    Attributes:
        words: How a caption says it; empty for an ordinary day.
        sky: Colours from the zenith down to the horizon.
        tint: What the light mixes into everything on the ground.
        dim: Share of the tint, 0 to 1.
        cloud: Colour of its clouds.
    """

    words: str
    sky: tuple[Colour, ...]
    tint: Colour
    dim: float
    cloud: Colour

    def lit(self, colour: Colour) -> Colour:
        """Return what a colour on the ground looks like in this light."""
        return mix(colour, self.tint, self.dim)


DAY = Daylight("", ((74, 144, 216), (144, 196, 238), (214, 234, 244)), WHITE, 0.0, (252, 252, 255))
MORNING = Daylight(
    "in the morning",
    ((126, 164, 214), (214, 204, 222), (252, 222, 186)),
    (255, 216, 170),
    0.14,
    (255, 240, 228),
)
SUNSET = Daylight(
    "at sunset",
    ((72, 62, 128), (206, 98, 112), (250, 168, 88), (255, 214, 130)),
    (150, 60, 70),
    0.3,
    (236, 132, 122),
)
DUSK = Daylight(
    "at dusk",
    ((38, 40, 92), (104, 84, 146), (222, 146, 150)),
    (52, 40, 96),
    0.42,
    (150, 112, 160),
)
NIGHT = Daylight(
    "at night", ((10, 14, 42), (24, 34, 82), (58, 70, 122)), (14, 18, 58), 0.48, (70, 78, 120)
)
OVERCAST = Daylight(
    "on a cloudy day",
    ((128, 140, 156), (174, 184, 194), (212, 216, 218)),
    (120, 128, 140),
    0.24,
    (226, 229, 234),
)

LIGHTS = {DAY: 8, MORNING: 3, SUNSET: 3, DUSK: 2, NIGHT: 2, OVERCAST: 2}


def daylight(dice: Dice) -> Daylight:
    """Pick a light; an ordinary day most often."""
    return dice.weighted(LIGHTS)
