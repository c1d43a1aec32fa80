"""Kernels: the inner loops over thumbnails and their sketches, compiled for this machine.

All but `cross_distances` are exact integer arithmetic; all release the interpreter's lock, so that
several threads can run them side by side on parts of the rows. (numba's own threads are not used:
its fallback threading layer ends the process when two Python threads meet in it.)

Importing this imports numba; the first call of each compiles it, or loads what an earlier process
compiled from the cache beside this file (`NUMBA_CACHE_DIR` puts it elsewhere).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


def _compiled(function: Callable[..., None]) -> Callable[..., None]:
    try:
        made: Callable[..., None] = numba.njit(nogil=True, cache=True)(function)
    except RuntimeError:  # no folder to cache in, as in a read-only installation without a home
        made = numba.njit(nogil=True)(function)
    return made


@_compiled
def absolute_differences(
    query: NDArray[Any], rows: NDArray[Any], at: NDArray[np.intp], found: NDArray[np.int64]
) -> None:
    """Sum of absolute differences between the query and each of the rows `at`.

    Args:
        query: (d,) uint8 or uint16, d < 32,768 for uint16.
        rows: (n, d) of the same dtype.
        at: (m,) positions.
        found: (m,) written to.
    """
    for i in range(len(at)):
        row = rows[at[i]]
        # Without the casts numba widens to 64 bits, and the loop is eight times slower.
        total = np.int32(0)
        for j in range(query.size):
            total = np.int32(total + abs(np.int32(np.int32(row[j]) - np.int32(query[j]))))
        found[i] = total


@_compiled
def products(
    query: NDArray[Any], rows: NDArray[Any], at: NDArray[np.intp], found: NDArray[np.int64]
) -> None:
    """Dot product of the query with each of the rows `at`; arguments as above.

    Sums of 32 bits hold 33,000 products of uint8; they are emptied before that.
    """
    for i in range(len(at)):
        row = rows[at[i]]
        total = np.int64(0)
        for start in range(0, query.size, 16384):
            values, others = query[start : start + 16384], row[start : start + 16384]
            part = np.int32(0)
            for j in range(values.size):
                part = np.int32(part + np.int32(np.int32(values[j]) * np.int32(others[j])))
            total += part
        found[i] = total


@_compiled
def wide_products(
    query: NDArray[Any], rows: NDArray[Any], at: NDArray[np.intp], found: NDArray[np.int64]
) -> None:
    """The same for uint16, whose products need sums of 64 bits."""
    for i in range(len(at)):
        row = rows[at[i]]
        total = np.int64(0)
        for j in range(query.size):
            total += np.int64(np.int32(np.int32(row[j]) * np.int32(query[j])))
        found[i] = total


@_compiled
def cross_differences(
    queries: NDArray[np.uint8], rows: NDArray[np.uint8], found: NDArray[np.int64]
) -> None:
    """Sums of absolute differences between all queries and all rows.

    The width is walked in tiles small enough for all queries' parts to stay in a core's cache.

    Args:
        queries: (q, d), some dozens.
        rows: (n, d).
        found: (q, n) written to.
    """
    found[:] = 0
    for start in range(0, rows.shape[1], 4096):
        for j in range(len(rows)):
            row = rows[j, start : start + 4096]
            for i in range(len(queries)):
                query = queries[i, start : start + 4096]
                total = np.int32(0)
                for at in range(row.size):
                    total = np.int32(total + abs(np.int32(np.int32(row[at]) - np.int32(query[at]))))
                found[i, j] += total


@_compiled
def cross_products(
    queries: NDArray[np.uint8], rows: NDArray[np.uint8], found: NDArray[np.int64]
) -> None:
    """Dot products of all queries with all rows; arguments as above."""
    found[:] = 0
    for start in range(0, rows.shape[1], 4096):
        for j in range(len(rows)):
            row = rows[j, start : start + 4096]
            for i in range(len(queries)):
                query = queries[i, start : start + 4096]
                total = np.int32(0)
                for at in range(row.size):
                    total = np.int32(total + np.int32(np.int32(row[at]) * np.int32(query[at])))
                found[i, j] += total


@_compiled
def cross_distances(
    columns: NDArray[np.float64], rows: NDArray[np.float32], found: NDArray[np.float64]
) -> None:
    """L1 distances between all queries and all rows of floats, summed in float64.

    Args:
        columns: (d, q) the queries side by side: the inner loop runs over queries, each with a sum
            of its own, so that no sum's order changes with the machine.
        rows: (n, d).
        found: (n, q) written to.
    """
    found[:] = 0.0
    for j in range(len(rows)):
        sums = found[j]
        for at in range(rows.shape[1]):
            value = np.float64(rows[j, at])
            others = columns[at]
            for i in range(others.size):
                sums[i] += abs(value - others[i])


@_compiled
def block_sums(rows: NDArray[np.uint8], side: int, block: int, found: NDArray[np.uint16]) -> None:
    """Sums over square blocks of each thumbnail and channel.

    Args:
        rows: (n, side · side · 3).
        side: Width and height of the thumbnails.
        block: Width and height of the blocks, at most 16; divides `side`.
        found: (n, (side / block)² · 3) written to.
    """
    line = side * 3
    across = side // block
    columns = np.zeros(line, np.uint16)
    for i in range(len(rows)):
        for band in range(across):
            columns[:] = 0
            for y in range(band * block, (band + 1) * block):
                values = rows[i, y * line : (y + 1) * line]
                for j in range(line):
                    columns[j] += values[j]
            for cell in range(across):
                for channel in range(3):
                    total = 0
                    for x in range(block):
                        total += columns[(cell * block + x) * 3 + channel]
                    found[i, (band * across + cell) * 3 + channel] = total
