"""How long answers take: the newest of them, and what is said of these."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

REMEMBERED = 1000


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Seconds within which half, 95 and 99 of a hundred of `count` answers were given."""

    count: int
    p50_s: float
    p95_s: float
    p99_s: float


class Latency:
    """The newest answers' times, from an update's arrival to the end of its answer.

    Args:
        remembered: At most so many.
    """

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._seconds: deque[float] = deque(maxlen=remembered)

    def note(self, seconds: float) -> None:
        """An answer took so long."""
        self._seconds.append(max(seconds, 0.0))

    def percentiles(self) -> Percentiles | None:
        """Of what is remembered, by the nearest rank; None when there was no answer yet."""
        if not self._seconds:
            return None
        ordered = sorted(self._seconds)
        p50, p95, p99 = (_nearest(ordered, share) for share in (0.50, 0.95, 0.99))
        return Percentiles(len(ordered), p50, p95, p99)


def _nearest(ordered: Sequence[float], share: float) -> float:
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)]
