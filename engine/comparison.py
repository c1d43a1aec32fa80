"""Comparison: a query with many rows at once, in exact integers, on all cores."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from engine.metrics import Formula

_LEAST_ROWS_PER_THREAD = 256
_MOST_THREADS = 8


class Comparer:
    """Threads that share the comparing; to be used from several threads."""

    def __init__(self) -> None:
        self._threads = min(_available_cores(), _MOST_THREADS)
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="pixels")

    def close(self) -> None:
        """Let the threads go, after the work in hand."""
        self._pool.shutdown()

    def measured(
        self, formula: Formula, query: NDArray[Any], rows: NDArray[Any], at: NDArray[np.intp]
    ) -> NDArray[np.int64]:
        """For `l1` the absolute differences, for the others the dot products, of the rows `at`."""
        from engine import kernels

        kernel = kernels.products if query.dtype == np.uint8 else kernels.wide_products
        if formula == "l1":
            kernel = kernels.absolute_differences
        found = np.empty(len(at), np.int64)
        self.share(lambda part: kernel(query, rows, at[part], found[part]), 0, len(at))
        return found

    def share(self, work: Callable[[slice], None], start: int, stop: int) -> None:
        """Do `work` for all of start … stop, in parts on all cores where that pays."""
        step = max(_LEAST_ROWS_PER_THREAD, -(-(stop - start) // (4 * self._threads)))
        parts = [slice(at, min(at + step, stop)) for at in range(start, stop, step)]
        if len(parts) == 1:
            work(parts[0])
        else:
            list(self._pool.map(work, parts))


def quotients(products: NDArray[Any], own: int, others: NDArray[np.int64]) -> NDArray[np.float64]:
    """Products over lengths, from the squares of the lengths; 0 where there is no direction."""
    # One root of the product, not two roots: a row and itself then give exactly 1.
    lengths = np.sqrt(float(own) * others.astype(np.float64))
    found = np.zeros(len(others))
    np.divide(products, lengths, out=found, where=lengths > 0)
    return np.clip(found, -1.0, 1.0, out=found)


def squares_of(values: NDArray[Any]) -> int:
    """Sum of squares, exactly."""
    wide = values.astype(np.int64)
    return int(wide @ wide)


def sum_of(values: NDArray[Any]) -> int:
    """Sum, exactly."""
    return int(values.sum(dtype=np.int64))


def _available_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
