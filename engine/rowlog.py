"""The row log: what a row file knows of its rows, as records that prove themselves.

A file is a 40-byte header and then records of 48 bytes, in little-endian order: `PUT` (this key is
row i, with this checksum, sum and sum of squares) and `DELETE` (row i is gone). The check of a
header or record covers its other fields, so that a torn or damaged one is recognised by itself.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

PUT, DELETE = 1, 2
_MAGIC = b"LKROWS01"

HEADER = np.dtype("S8,<u8,<u8,S8,<u8")
HEADER.names = ("magic", "generation", "width", "dtype", "check")
RECORD = np.dtype("<u8,<u8,<f8,<f8,<u4,<u4,<u8")
RECORD.names = ("key", "row", "sum", "squares", "crc", "kind", "check")


def header(generation: int, width: int, dtype: np.dtype[Any]) -> bytes:
    """The first bytes of a log over rows of this width and type."""
    made = np.zeros(1, HEADER)
    made[0] = (_MAGIC, generation, width, dtype.str.encode(), 0)
    made["check"] = checks(made)
    return made.tobytes()


def read_header(raw: bytes) -> tuple[int, int, str]:
    """Generation, width and dtype of a log.

    Raises:
        ValueError: These are not the first bytes of an undamaged log.
    """
    if len(raw) < HEADER.itemsize:
        raise ValueError("it is cut short")
    read = np.frombuffer(raw, HEADER, 1)
    if read["magic"][0] != _MAGIC or read["check"][0] != checks(read)[0]:
        raise ValueError("it is no row file, or damaged")
    return int(read["generation"][0]), int(read["width"][0]), read["dtype"][0].decode()


def puts(
    keys: NDArray[np.uint64],
    sums: NDArray[np.float64],
    squares: NDArray[np.float64],
    crcs: NDArray[np.uint32],
    first: int,
) -> NDArray[np.void]:
    """Records of rows that lie one after the other from row `first` on."""
    made = np.zeros(len(keys), RECORD)
    made["key"], made["row"] = keys, np.arange(first, first + len(keys))
    made["sum"], made["squares"], made["crc"], made["kind"] = sums, squares, crcs, PUT
    made["check"] = checks(made)
    return made


def deletes(keys: NDArray[np.uint64], at: NDArray[np.intp]) -> NDArray[np.void]:
    """Records that the rows `at`, of these keys, are gone."""
    made = np.zeros(len(keys), RECORD)
    made["key"], made["row"], made["kind"] = keys, at, DELETE
    made["check"] = checks(made)
    return made


def summed(
    rows: NDArray[Any],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.uint32]]:
    """Sum, sum of squares and CRC-32 of each row, (n,) each; exact for uint8."""
    sums, squares = np.empty(len(rows)), np.empty(len(rows))
    crcs = np.empty(len(rows), np.uint32)
    for at, row in enumerate(rows):
        exact = row.astype(np.float64)
        # Not `exact @ exact`: for a row so short, BLAS would wake all its threads, which then spin.
        sums[at], squares[at], crcs[at] = exact.sum(), np.square(exact).sum(), zlib.crc32(row)
    return sums, squares, crcs


def checks(records: NDArray[np.void]) -> NDArray[np.uint64]:
    """The check that belongs to each header or record, for all at once.

    The other fields' 64-bit words, folded and times odd constants, are added up and mixed as by
    SplitMix64. The offset keeps one of zeros only from proving itself.
    """
    width = records.dtype.itemsize // 8
    words = np.ascontiguousarray(records).view(np.uint64).reshape(-1, width)[:, :-1]
    odd = np.uint64(0x9E3779B97F4A7C15) * np.arange(1, 2 * words.shape[1], 2, dtype=np.uint64)
    total = ((words ^ (words >> np.uint64(32))) * odd).sum(axis=1, dtype=np.uint64)
    total += np.uint64(0xD1B54A32D192ED03)
    total = (total ^ (total >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed: NDArray[np.uint64] = total ^ (total >> np.uint64(27))
    return mixed
