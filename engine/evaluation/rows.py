"""Rows of thumbnails, read a block at a time wherever they lie: a library's, or a scratch file."""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING, Protocol, Self

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from engine.rows import View

BLOCK_BYTES = 48 << 20
"""What all of a pixel evaluation may hold in memory at a time, whatever the number of pictures:
a quarter for queries, a quarter for gallery rows, the rest for decoding and for scores."""


class Rows(Protocol):
    """Thumbnails as rows of bytes, with what the formulas need to know of each."""

    width: int

    @property
    def sums(self) -> NDArray[np.int64]:
        """(n,) the sum of each row."""
        ...

    @property
    def squares(self) -> NDArray[np.int64]:
        """(n,) the sum of each row's squares."""
        ...

    def take(self, at: NDArray[np.intp]) -> NDArray[np.uint8]:
        """The rows at these places, (m, width)."""
        ...


class ScratchRows:
    """Thumbnails in a temporary file without a name; gone with this object. A context manager.

    Not memory-mapped: what is mapped counts as the process's memory for as long as it is cached.

    Args:
        side: Width and height of a thumbnail in pixels.
        folder: Where the file lies; None for the system's temporary folder.
    """

    def __init__(self, side: int, folder: Path | None = None) -> None:
        self.width = side * side * 3
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by `close`
        self._sums: list[int] = []
        self._squares: list[int] = []

    def close(self) -> None:
        """Give the file's room back."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._sums)

    @property
    def sums(self) -> NDArray[np.int64]:
        """(n,) the sum of each row."""
        return np.array(self._sums, np.int64)

    @property
    def squares(self) -> NDArray[np.int64]:
        """(n,) the sum of each row's squares."""
        return np.array(self._squares, np.int64)

    def append(self, thumbnail: NDArray[np.uint8]) -> None:
        """Write one thumbnail, (side, side, 3), behind the others.

        Raises:
            OSError: There is no room for it.
        """
        row = thumbnail.reshape(-1)
        self._file.write(row.tobytes())
        self._sums.append(int(row.sum(dtype=np.int64)))
        # Of uint8 there are 256 values only; counting them needs no wider copy of the row.
        counts = np.bincount(row, minlength=256)
        self._squares.append(int(counts @ np.arange(256, dtype=np.int64) ** 2))

    def take(self, at: NDArray[np.intp]) -> NDArray[np.uint8]:
        """See `Rows.take`."""
        self._file.flush()
        found = np.empty((len(at), self.width), np.uint8)
        start = 0
        while start < len(at):
            # Neighbours come in one read.
            stop = start + 1
            while stop < len(at) and at[stop] == at[stop - 1] + 1:
                stop += 1
            os.preadv(self._file.fileno(), [found[start:stop].data], int(at[start]) * self.width)
            start = stop
        return found


class StoredRows:
    """Some of a library's thumbnails, in an order of one's own.

    Args:
        view: The library's rows.
        at: (n,) positions in it.
    """

    def __init__(self, view: View, at: NDArray[np.intp]) -> None:
        self.width = int(view.rows.shape[1])
        self.sums: NDArray[np.int64] = view.sums[at].astype(np.int64)
        self.squares: NDArray[np.int64] = view.squares[at].astype(np.int64)
        self._rows = view.rows
        self._at = at

    def take(self, at: NDArray[np.intp]) -> NDArray[np.uint8]:
        """See `Rows.take`."""
        places = self._at[at]
        found: NDArray[np.uint8]
        if len(places) and (np.diff(places) == 1).all():
            found = self._rows[places[0] : places[-1] + 1]  # as they lie, without a copy
        else:
            found = self._rows[places]
        return found
