"""Estimates: means over the queries, with the interval in which another sample's would lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

RESAMPLES = 2000
CONFIDENCE = 95.0
_AT_ONCE = 100
_SEED = 20_020_513


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over the queries with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


def estimates(values: NDArray[np.float64]) -> list[Estimate]:
    """Mean and percentile bootstrap interval of each column.

    The queries are drawn anew `RESAMPLES` times, with replacement (Efron 1979); the middle 95 % of
    the means are the interval. The draws are the same in every call with as many queries: methods
    asked the same queries are compared on the same draws, and a run repeated says the same.

    Args:
        values: (q, m), q ≥ 1.
    """
    means = np.concatenate(list(_resampled(values)))
    tail = (100 - CONFIDENCE) / 2
    low, high = np.percentile(means, [tail, 100 - tail], axis=0)
    return [
        Estimate(float(value), float(least), float(most))
        for value, least, most in zip(values.mean(axis=0), low, high, strict=True)
    ]


def differs(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> bool:
    """Whether two methods' means differ beyond chance: the interval of the difference leaves out 0.

    The difference is taken query by query, which sees far smaller differences than two intervals
    laid side by side.

    Args:
        ours: (q,) a measure of the same queries by one method.
        theirs: (q,) by another.

    >>> differs(np.array([0.5, 0.4, 0.6]), np.array([0.4, 0.3, 0.5]))
    True
    >>> differs(np.array([0.5, 0.4, 0.6]), np.array([0.6, 0.3, 0.6]))
    False
    """
    [difference] = estimates((ours - theirs)[:, None])
    return difference.low > 0 or difference.high < 0


def _resampled(values: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
    """Means of resampled queries, in parts: how often each query is drawn, times its values."""
    dice = np.random.default_rng(_SEED)
    count = len(values)
    even = np.full(count, 1 / count)
    for start in range(0, RESAMPLES, _AT_ONCE):
        draws = dice.multinomial(count, even, size=min(_AT_ONCE, RESAMPLES - start))
        yield draws @ values / count
