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

    Two files, as for vectors: pictures that are everyone's, and private ones, which nobody finds
    who does not name them (`among`).

    Args:
        rows: The store, `side` · `side` · 3 wide, of uint8.
        private: The same for private pictures.
        side: Width and height of a thumbnail in pixels.
    """

    def __init__(self, rows: RowFile, private: RowFile, side: int) -> None:
        self.side = side
        self._rows = rows
        self._private = private
        self._width = side * side * 3
        self._comparer = Comparer()
        self._sketches = Sketches(side, self._comparer)

    @classmethod
    def open(cls, path: Path, *, side: int = 64, write: bool) -> Self:
        """Open the thumbnails at `path`, the private ones beside it; see `RowFile.open`.

        Raises:
            StoreError: A file is none of thumbnails of this size, or cannot be opened.
        """
        width = side * side * 3
        rows = RowFile.open(path, width=width, dtype=np.uint8, write=write)
        try:
            beside = path.with_name(f"{path.stem}.private{path.suffix}")
            private = RowFile.open(beside, width=width, dtype=np.uint8, write=write)
        except BaseException:
            rows.close()
            raise
        return cls(rows, private, side)

    def close(self) -> None:
        """Close the files, after the searches in hand."""
        self._comparer.close()
        self._rows.close()
        self._private.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._rows) + len(self._private)

    def __contains__(self, image_id: object) -> bool:
        return isinstance(image_id, str) and not self.missing([image_id])

    @property
    def rows(self) -> NDArray[np.uint8]:
        """(n, side · side · 3) everyone's, memory-mapped; deleted ones are among them."""
        return self._rows.rows

    @property
    def appended(self) -> int:
        """Everyone's thumbnails written since the last compaction, deleted ones included."""
        return self._rows.appended

    def ids(self) -> list[str]:
        """Ids that have a thumbnail, in the order of the files."""
        return [*_ids(self._rows), *self.private_ids()]

    def private_ids(self) -> list[str]:
        """Ids whose thumbnail is kept from everybody, in the order of the file."""
        return _ids(self._private)

    def missing(self, ids: Iterable[str]) -> list[str]:
        """Those of `ids` that have no thumbnail."""
        names = list(ids)
        keys = _keys(names)
        is_absent = (self._rows.positions(keys) < 0) & (self._private.positions(keys) < 0)
        return [name for name, absent in zip(names, is_absent.tolist(), strict=True) if absent]

    def get(self, ids: Sequence[str]) -> NDArray[np.uint8]:
        """The thumbnails of these ids, (n, side, side, 3), a copy.

        Raises:
            KeyError: One of them is absent.
        """
        keys = _keys(ids)
        found = np.empty((len(ids), self._width), np.uint8)
        absent = np.ones(len(ids), np.bool_)
        for file in (self._rows, self._private):
            view = file.view
            at = file.positions(keys, view)
            found[at >= 0] = view.rows[at[at >= 0]]
            absent &= at < 0
        if absent.any():
            raise KeyError(ids[int(absent.argmax())])
        return found.reshape(-1, self.side, self.side, 3)

    def located(self, ids: Sequence[str]) -> tuple[View, NDArray[np.intp]]:
        """Everyone's rows at this moment, and where in them these ids' are (n,); −1 if absent."""
        view = self._rows.view
        return view, self._rows.positions(_keys(ids), view)

    def add(
        self,
        ids: Sequence[str],
        thumbs: NDArray[np.uint8],
        *,
        shared: Sequence[bool] | None = None,
    ) -> None:
        """Store thumbnails durably, all in one write; an id that is there gets its new one.

        Args:
            ids: Image ids, 16 hex digits each, different from each other.
            thumbs: (n, side, side, 3).
            shared: Per picture, whether it is everyone's (default: all are).

        Raises:
            ValueError: The shape is another.
            OSError: They cannot be written; nothing has changed.
        """
        if thumbs.shape != (len(ids), self.side, self.side, 3):
            raise ValueError(f"{len(ids)} thumbnails of side {self.side} have another shape")
        keys, rows = _keys(ids), thumbs.reshape(len(ids), self._width)
        is_shared = np.ones(len(ids), np.bool_) if shared is None else np.array(shared, np.bool_)
        self._private.append(keys[~is_shared], rows[~is_shared])
        self._rows.append(keys[is_shared], rows[is_shared])
        self._rows.delete(keys[~is_shared], erase=True)
        self._private.delete(keys[is_shared])

    def delete(self, ids: Iterable[str]) -> int:
        """Drop thumbnails, private ones without trace; absent ids do no harm.

        Returns:
            How many there were.
        """
        keys = _keys(list(ids))
        return self._rows.delete(keys) + self._private.delete(keys, erase=True)

    def compact(self) -> None:
        """Give the room of deleted thumbnails back."""
        self._rows.compact()
        self._private.compact()

    def refresh(self) -> bool:
        """See what another process, the writer, did meanwhile."""
        changed = [file.refresh() for file in (self._rows, self._private)]
        return any(changed)

    def verify(self) -> list[str]:
        """Ids whose bytes on disk are damaged; reads everything."""
        return [_id(key) for file in (self._rows, self._private) for key in file.verify()]

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
            among: Keep to these ids, private ones too, and pass over those without a thumbnail;
                None: everyone's pictures.
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
        view, own = self._rows.view, self._private.view
        if among is None:
            at, own_at = np.flatnonzero(view.keys), np.empty(0, np.intp)
        else:
            names = _keys(list(among))
            at = _there(self._rows.positions(names, view))
            own_at = _there(self._private.positions(names, own))
        if k <= 0 or not len(at) + len(own_at):
            return []
        if prune and len(at) > max(_FEW, 4 * k):
            at = self._promising(view, at, asked, formula, k)
        # Of private pictures there are never so many that bounds would pay.
        parts = [(v, a) for v, a in ((view, at), (own, own_at)) if len(a)]
        scored = [self._scored(v, a, asked, formula) for v, a in parts]
        scores = np.concatenate([part[0] for part in scored])
        keys = np.concatenate([v.keys[a] for v, a in parts])
        order = best(formula, scores, keys, k, same=np.concatenate([part[1] for part in scored]))
        found = zip(keys[order].tolist(), scores[order].tolist(), strict=True)
        return [(_id(key), score) for key, score in found]

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


def _ids(file: RowFile) -> list[str]:
    keys = file.keys
    return [_id(key) for key in keys[keys != 0].tolist()]


def _there(at: NDArray[np.intp]) -> NDArray[np.intp]:
    """Positions, each once and in order, without those of absent rows."""
    at = np.unique(at)
    return at[at >= 0]
