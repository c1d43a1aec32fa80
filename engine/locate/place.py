"""Places in a picture: the rectangle that a cut-out of some scale covers, and the one found."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

SMALLEST, LARGEST = 0.5, 2.0
"""Scales that are looked for: cut-outs of half to twice the size they have in the picture."""
_SLACK = 1.04
"""Looked for beyond both, as sizes in whole pixels make a scale a little more or less."""

Size = tuple[int, int]
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Location:
    """Where a cut-out lies.

    Args:
        box: Left, top, right, bottom in pixels of the picture; right and bottom are exclusive.
        scale: Pixels of the cut-out to one pixel of the picture: 2 for an enlarged cut-out.
        score: How well the place fits, 0 to 1. By correlation, the share of the cut-out's contrast
            that the place explains; by features, the cosine of the two embeddings.
    """

    box: tuple[int, int, int, int]
    scale: float
    score: float

    @property
    def percent(self) -> float:
        """The score for people, 0 to 100."""
        return 100.0 * min(max(self.score, 0.0), 1.0)


@dataclass(frozen=True, slots=True)
class Place:
    """A place that a cut-out might have: its centre in pixels of the picture, and its scale."""

    x: float
    y: float
    scale: float

    def box(self, picture: Size, cutout: Size) -> Box:
        """The rectangle covered, pushed inside the picture."""
        width = min(cutout[0] / self.scale, picture[0])
        height = min(cutout[1] / self.scale, picture[1])
        left = min(max(self.x - width / 2, 0.0), picture[0] - width)
        top = min(max(self.y - height / 2, 0.0), picture[1] - height)
        return left, top, left + width, top + height

    def location(self, picture: Size, cutout: Size, *, score: float, reduced: Size) -> Location:
        """This place of a reduced picture, as one of the picture itself."""
        across, down = picture[0] / reduced[0], picture[1] / reduced[1]
        left, top, right, bottom = self.box(reduced, cutout)
        box = (round(left * across), round(top * down), round(right * across), round(bottom * down))
        return Location(box, self.scale / math.sqrt(across * down), score)

    def moved(self, across: float, down: float, times: float = 1.0) -> Place:
        """The place that many pixels further, at `times` the scale."""
        return Place(self.x + across, self.y + down, self.scale * times)

    def is_near(self, other: Place, cutout: Size) -> bool:
        """Whether both are nearly the same: less than a sixth of the sides apart."""
        return (
            abs(self.x - other.x) * self.scale < cutout[0] / 6
            and abs(self.y - other.y) * self.scale < cutout[1] / 6
            and abs(math.log(self.scale / other.scale)) < 0.15
        )


def scales(picture: Size, cutout: Size, step: float) -> list[float]:
    """The scales at which a cut-out fits into a picture, `step` times each other or less.

    Empty where the cut-out is too large for all of them.
    """
    fitting = max(cutout[0] / picture[0], cutout[1] / picture[1])
    least, most = max(SMALLEST / _SLACK, fitting), LARGEST * _SLACK
    if least > most:
        return []
    count = math.ceil(math.log(most / least) / math.log(step)) + 1
    return [float(scale) for scale in np.geomspace(least, most, count)]


def apart(places: Iterable[Place], cutout: Size, most: int) -> list[Place]:
    """The first places, without those near an earlier one; at most so many."""
    kept: list[Place] = []
    for place in places:
        if not any(place.is_near(other, cutout) for other in kept):
            kept.append(place)
            if len(kept) == most:
                break
    return kept
