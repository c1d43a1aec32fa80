"""Choices for a picture: everything random in a drawing is thrown here, and the seed decides it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar
from zlib import crc32

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

T = TypeVar("T")


class Dice:
    """Seeded choices that come out the same on every machine.

    Only uniform integers and doubles of PCG64 are used: their bits are exact everywhere, which
    normal deviates (logarithms of the platform's libm) would not promise.

    Args:
        topic: Separates the streams of two topics that share a seed.
        seed: Non-negative.
        stream: Separates independent uses of one seed (0 the drawing, 1 its grain).
    """

    def __init__(self, topic: str, seed: int, *, stream: int = 0) -> None:
        self._generator = np.random.Generator(
            np.random.PCG64([seed, crc32(topic.encode()), stream])
        )

    def between(self, low: float, high: float) -> float:
        """Return a number from [low, high)."""
        return low + (high - low) * float(self._generator.random())

    def whole(self, low: int, high: int) -> int:
        """Return an integer from low to high, both included."""
        return int(self._generator.integers(low, high + 1))

    def chance(self, probability: float) -> bool:
        """Say yes with this probability."""
        return float(self._generator.random()) < probability

    def pick(self, options: Sequence[T]) -> T:
        """Return one of the options, all equally likely."""
        return options[self.whole(0, len(options) - 1)]

    def weighted(self, options: Mapping[T, int]) -> T:
        """Return one of the keys, as likely as its whole-number weight says."""
        throw = self.whole(1, sum(options.values()))
        for option, weight in options.items():
            throw -= weight
            if throw <= 0:
                return option
        raise AssertionError  # the weights sum up to the highest throw

    def shuffled(self, options: Sequence[T]) -> list[T]:
        """Return the options in another order."""
        return [options[int(index)] for index in self._generator.permutation(len(options))]

    def grain(self, side: int, amplitude: int) -> NDArray[np.int16]:
        """Return (side, side) int16 noise within ±amplitude."""
        return self._generator.integers(
            -amplitude, amplitude + 1, size=(side, side), dtype=np.int16
        )
