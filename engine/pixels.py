"""Pixels: the thumbnails of all pictures, and the exact search over them by the four formulas.

One compiled pass over the bytes gives integers from which, with each row's stored sum and sum of
squares, every score follows exactly. Most rows are spared even that: sums over 8 × 8 blocks, kept
in memory (384 bytes a picture), bound what a row's score can be at best, and only rows that could
still be among the best are looked at. The answer is the same to the last tie; `engine.metrics`
defines it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np

from engine.comparison import Comparer, quotients, squares_of, sum_of
from engine.metrics import LARGER_IS_BETTER, best
from engine.rows import RowFile
from engine.sketches import Sketches

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from engine.metrics import Formula
    from engine.rows import View

_FEW = 1024
"""As many rows are compared outright; bounds would cost as much."""
_ROUNDING = 1e-9
"""Relative room for rounding between a bound and a score, both computed from exact integers."""


class Thumbnails:
    """RGB thumbnails under image ids; safe to use from several threads.

    Args:
        rows: The store, `side` · `side` · 3 wide, of uint8.
        side: Width and height of a thumbnail in pixels.
    """

    def __init__(self, rows: RowFile, side: int) -> None:
        self.side = side
        self._rows = rows
        self._width = side * side * 3
        self._comparer = Comparer()
        self._sketches = Sketches(side, self._comparer)

    @classmethod
    def open(cls, path: Path, *, side: int = 64, write: bool) -> Self:
        """Open the thumbnails at `path`; see `RowFile.open`.

        Raises:
            StoreError: The file is none of thumbnails of this size, or cannot be opened.
        """
        return cls(RowFile.open(path, width=side * side * 3, dtype=np.uint8, write=write), side)

    def close(self) -> None:
        """Close the files, after the searches in hand."""
        self._comparer.close()
        self._rows.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, image_id: object) -> bool:
        return isinstance(image_id, str) and not self.missing([image_id])

    @property
    def rows(self) -> NDArray[np.uint8]:
        """(n, side · side · 3) the stored bytes, memory-mapped; deleted ones are among them."""
        return self._rows.rows

    @property
    def appended(self) -> int:
        """Thumbnails written since the last compaction, deleted ones included."""
        return self._rows.appended

    def ids(self) -> list[str]:
        """Ids that have a thumbnail, in the order of the file."""
        keys = self._rows.keys
        return [_id(key) for key in keys[keys != 0].tolist()]

    def missing(self, ids: Iterable[str]) -> list[str]:
        """Those of `ids` that have no thumbnail."""
        names = list(ids)
        at = self._rows.positions(_keys(names))
        return [name for name, row in zip(names, at.tolist(), strict=True) if row < 0]

    def get(self, ids: Sequence[str]) -> NDArray[np.uint8]:
        """The thumbnails of these ids, (n, side, side, 3), a copy.

        Raises:
            KeyError: One of them is absent.
        """
        view = self._rows.view
        at = self._rows.positions(_keys(ids), view)
        if (at < 0).any():
            raise KeyError(ids[int(at.argmin())])
        found: NDArray[np.uint8] = view.rows[at].reshape(-1, self.side, self.side, 3)
        return found

    def located(self, ids: Sequence[str]) -> tuple[View, NDArray[np.intp]]:
        """All rows at this moment, and where in them these ids' are (n,); −1 for absent ones."""
        view = self._rows.view
        return view, self._rows.positions(_keys(ids), view)

    def add(self, ids: Sequence[str], thumbs: NDArray[np.uint8]) -> None:
        """Store thumbnails durably, all in one write; an id that is there gets its new one.

        Args:
            ids: Image ids, 16 hex digits each, different from each other.
            thumbs: (n, side, side, 3).

        Raises:
            ValueError: The shape is another.
            OSError: They cannot be written; nothing has changed.
        """
        if thumbs.shape != (len(ids), self.side, self.side, 3):
            raise ValueError(f"{len(ids)} thumbnails of side {self.side} have another shape")
        self._rows.append(_keys(ids), thumbs.reshape(len(ids), self._width))

    def delete(self, ids: Iterable[str]) -> int:
        """Drop thumbnails; absent ids do no harm. Returns how many there were."""
        return self._rows.delete(_keys(list(ids)))

    def compact(self) -> None:
        """Give the room of deleted thumbnails back."""
        self._rows.compact()

    def refresh(self) -> bool:
        """See what another process, the writer, did meanwhile."""
        return self._rows.refresh()

    def verify(self) -> list[str]:
        """Ids whose bytes on disk are damaged; reads everything."""
        return [_id(key) for key in self._rows.verify()]

    def warm(self) -> None:
        """Compile the loops (or load them compiled) and sketch what is stored.

        The first search does both if nobody did before; in the background of a start they cost no
        one a wait.
        """
        blank = np.zeros(self._width, np.uint8)
        rows = np.zeros((1, self._width), np.uint8)
        rows.flags.writeable = False
        for formula in ("l1", "cosine"):
            self._comparer.measured(formula, blank, rows, np.zeros(1, np.intp))
            sketch = self._sketches.sketch(blank)
            self._comparer.measured(formula, sketch, sketch[None].copy(), np.zeros(1, np.intp))
        self._sketches.of(self._rows.view)

    def search(
        self,
        query: NDArray[np.uint8],
        formula: Formula,
        k: int,
        *,
        among: Collection[str] | None = None,
        prune: bool = True,
    ) -> list[tuple[str, float]]:
        """The k best thumbnails, exactly.

        Among equal scores the query itself comes first, then smaller ids.

        Args:
            query: (side, side, 3) uint8.
            formula: One of `engine.metrics`.
            k: How many; fewer are returned where there are fewer.
            among: Keep to these ids; those without a thumbnail are passed over.
            prune: Leave out what bounds rule out. Without, every row is compared in full: the
                same answer, for tests and benchmarks.

        Returns:
            (id, score), best first.

        Raises:
            ValueError: The query has another shape.
        """
        if query.shape != (self.side, self.side, 3):
            raise ValueError(f"the query must be ({self.side}, {self.side}, 3), not {query.shape}")
        asked = query.astype(np.uint8).reshape(-1)
        view = self._rows.view
        if among is None:
            at = np.flatnonzero(view.keys)
        else:
            at = np.unique(self._rows.positions(_keys(list(among)), view))
            at = at[at >= 0]
        if k <= 0 or not len(at):
            return []
        if prune and len(at) > max(_FEW, 4 * k):
            at = self._promising(view, at, asked, formula, k)
        scores, same = self._scored(view, at, asked, formula)
        order = best(formula, scores, view.keys[at], k, same=same)
        keys = view.keys[at[order]].tolist()
        return [(_id(key), score) for key, score in zip(keys, scores[order].tolist(), strict=True)]

    def _promising(
        self, view: View, at: NDArray[np.intp], query: NDArray[np.uint8], formula: Formula, k: int
    ) -> NDArray[np.intp]:
        """Those of the rows `at` that may be among the k best, ties at the k-th place included."""
        bounds = self._sketches.bounds(view, at, query, formula)
        sign = -1 if LARGER_IS_BETTER[formula] else 1
        costs = sign * bounds
        probes = np.argpartition(costs, 4 * k)[: 4 * k]
        scores, _ = self._scored(view, at[probes], query, formula)
        kth = np.partition(sign * scores, k - 1)[k - 1]
        promising: NDArray[np.intp] = at[costs <= kth + _ROUNDING * (1 + abs(kth))]
        return promising

    def _scored(
        self, view: View, at: NDArray[np.intp], query: NDArray[np.uint8], formula: Formula
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Scores of the rows `at`, and which of them are the query, byte by byte."""
        measured = self._comparer.measured(formula, query, view.rows, at)
        if formula == "l1":
            return measured.astype(np.float64), measured == 0
        own, squares = squares_of(query), view.squares[at].astype(np.int64)
        same = (measured == own) & (squares == own)
        if formula == "l2":
            return np.sqrt(np.maximum(own + squares - 2 * measured, 0)), same
        if formula == "cosine":
            return quotients(measured, own, squares), same
        total, sums = sum_of(query), view.sums[at].astype(np.int64)
        return (
            quotients(
                self._width * measured - total * sums,
                self._width * own - total**2,
                self._width * squares - sums**2,
            ),
            same,
        )


def _keys(ids: Sequence[str]) -> NDArray[np.uint64]:
    return np.array([int(name, 16) for name in ids], dtype=np.uint64)


def _id(key: int) -> str:
    return f"{key:016x}"
