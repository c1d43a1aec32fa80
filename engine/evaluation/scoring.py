"""Scoring: every query against the whole gallery, block by block, exactly; and Chroma beside it.

What comes out are costs: lower is more alike, `inf` was not ranked. The integers behind the pixel
formulas are exact, embeddings are compared in float64; costs that agree to 12 decimals are equal,
as in `engine.metrics`.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol, Self

import numpy as np

from engine.comparison import quotients
from engine.encoders.devices import allowed_cores
from engine.evaluation.rows import BLOCK_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from engine.evaluation.methods import Method
    from engine.evaluation.rows import Rows
    from engine.evaluation.trial import Trial
    from engine.metrics import Formula

QUERIES_AT_ONCE = 32
GALLERY_AT_ONCE = 4096
CHROMA_DEPTH = 1000
"""How many pictures Chroma is asked for; what it does not name counts as not found."""

Scored = tuple["Method", "NDArray[np.float64]", float]
"""A method, its costs (q, n), and the seconds they took."""


class Scorer(Protocol):
    """Compares blocks of a trial's queries by several methods."""

    methods: Sequence[Method]
    index_bytes: int
    """What the gallery's rows take."""

    @property
    def at_once(self) -> int:
        """How many queries a block may have."""
        ...

    def scored(self, block: slice) -> Iterator[Scored]:
        """Costs of the whole gallery for a block of queries, method by method."""
        ...


class PixelScorer:
    """The four formulas on thumbnails, from exact integers. A context manager.

    Args:
        trial: Who is asked.
        methods: Pixel methods of these thumbnails' size.
        queries: The rows that `trial.query_rows` point into.
        gallery: The gallery's rows.
    """

    def __init__(
        self, trial: Trial, methods: Sequence[Method], queries: Rows, gallery: Rows
    ) -> None:
        self.methods = methods
        self._trial = trial
        self._queries = queries
        self._gallery = gallery
        self._count = len(trial.gallery)
        self._sums, self._squares = gallery.sums, gallery.squares
        self._own_sums, self._own_squares = queries.sums, queries.squares
        self.index_bytes = self._count * gallery.width
        self._threads = allowed_cores()
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="evaluate")

    def close(self) -> None:
        """Let the threads go."""
        self._pool.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def at_once(self) -> int:
        """See `Scorer.at_once`: a quarter of the memory is for the queries' rows."""
        return max(1, min(QUERIES_AT_ONCE, BLOCK_BYTES // 4 // self._gallery.width))

    def scored(self, block: slice) -> Iterator[Scored]:
        """See `Scorer.scored`; the time is what each formula would take alone."""
        from engine import kernels

        at = self._trial.query_rows[block]
        queries = self._queries.take(at)
        formulas = {method.metric.formula for method in self.methods}
        taken: dict[str, float] = {}
        measured: dict[str, NDArray[np.int64]] = {}
        if "l1" in formulas:
            taken["l1"], measured["l1"] = self._crossed(kernels.cross_differences, queries)
        if formulas - {"l1"}:
            taken["dot"], measured["dot"] = self._crossed(kernels.cross_products, queries)
        for method in self.methods:
            kind = "l1" if method.metric.formula == "l1" else "dot"
            start = time.perf_counter()
            costs = self._costs(method.metric.formula, at, measured[kind])
            yield method, costs, taken[kind] + time.perf_counter() - start

    def _crossed(
        self, kernel: Callable[..., None], queries: NDArray[np.uint8]
    ) -> tuple[float, NDArray[np.int64]]:
        """Seconds and integers (q, n) of one kernel over the whole gallery."""
        found = np.empty((len(queries), self._count), np.int64)
        one = self._gallery.take(np.zeros(1, np.intp))
        kernel(queries[:1], one, np.empty((1, 1), np.int64))  # compiled now, and not counted
        start = time.perf_counter()
        for part in _slices(self._count, max(1, BLOCK_BYTES // 4 // self._gallery.width)):
            rows = self._gallery.take(np.arange(part.start, part.stop))

            def share(of: slice, rows: NDArray[np.uint8] = rows, first: int = part.start) -> None:
                into = np.empty((len(queries), of.stop - of.start), np.int64)
                kernel(queries, rows[of], into)
                found[:, first + of.start : first + of.stop] = into

            list(self._pool.map(share, _slices(len(rows), -(-len(rows) // self._threads))))
        return time.perf_counter() - start, found

    def _costs(
        self, formula: Formula, at: NDArray[np.intp], measured: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        if formula == "l1":
            return measured.astype(np.float64)
        width, sums, squares = self._gallery.width, self._sums, self._squares
        costs = np.empty(measured.shape)
        for row, query in enumerate(at.tolist()):
            own, total = int(self._own_squares[query]), int(self._own_sums[query])
            if formula == "l2":
                costs[row] = own + squares - 2 * measured[row]  # the root changes no order
            elif formula == "cosine":
                costs[row] = -quotients(measured[row], own, squares)
            else:
                costs[row] = -quotients(
                    width * measured[row] - total * sums,
                    width * own - total**2,
                    width * squares - sums**2,
                )
        return costs


class EmbeddingScorer:
    """The four formulas on embeddings, in float64.

    Args:
        trial: Who is asked.
        methods: Exact embedding methods of one encoder.
        queries: (·, d) float32, the rows that `trial.query_rows` point into.
        gallery: (n, d) float32.
    """

    def __init__(
        self,
        trial: Trial,
        methods: Sequence[Method],
        queries: NDArray[np.float32],
        gallery: NDArray[np.float32],
    ) -> None:
        self.methods = methods
        self.index_bytes = gallery.nbytes
        self._trial = trial
        self._queries = queries
        self._gallery = gallery

    @property
    def at_once(self) -> int:
        """See `Scorer.at_once`."""
        return QUERIES_AT_ONCE

    def scored(self, block: slice) -> Iterator[Scored]:
        """See `Scorer.scored`."""
        from engine import kernels

        queries = self._queries[self._trial.query_rows[block]].astype(np.float64)
        nothing = np.empty((0, len(queries)))
        kernels.cross_distances(queries.T.copy(), self._gallery[:0], nothing)
        for method in self.methods:
            start = time.perf_counter()
            costs = self._costs(method.metric.formula, queries)
            yield method, costs, time.perf_counter() - start

    def _costs(self, formula: Formula, queries: NDArray[np.float64]) -> NDArray[np.float64]:
        from engine import kernels

        costs = np.empty((len(queries), len(self._gallery)))
        if formula == "correlation":
            queries = queries - queries.mean(axis=1, keepdims=True)
        columns, squares = queries.T.copy(), np.square(queries).sum(axis=1)
        for part in _slices(len(self._gallery), GALLERY_AT_ONCE):
            if formula == "l1":
                found = np.empty((part.stop - part.start, len(queries)))
                kernels.cross_distances(columns, self._gallery[part], found)
                costs[:, part] = found.T
                continue
            rows = self._gallery[part].astype(np.float64)
            if formula == "correlation":
                rows -= rows.mean(axis=1, keepdims=True)
            own = np.square(rows).sum(axis=1)
            products = queries @ rows.T
            if formula == "l2":
                costs[:, part] = squares[:, None] + own - 2 * products
            else:
                lengths = np.sqrt(squares[:, None] * own)
                none = np.zeros_like(products)
                costs[:, part] = -np.divide(products, lengths, out=none, where=lengths > 1e-12)
        return costs


class ChromaScorer:
    """Chroma's approximate search: a collection made for the occasion. A context manager.

    Args:
        trial: Who is asked.
        methods: The one approximate method.
        queries: As for `EmbeddingScorer`.
        gallery: As for `EmbeddingScorer`.
        folder: An empty folder for the collection; it can be deleted after `close`.

    Raises:
        StoreError: Chroma cannot be used.
    """

    def __init__(
        self,
        trial: Trial,
        methods: Sequence[Method],
        queries: NDArray[np.float32],
        gallery: NDArray[np.float32],
        folder: Path,
    ) -> None:
        from engine.vectors.collection import Collection

        self.methods = methods
        self._trial = trial
        self._queries = queries
        self._places = {picture.id: place for place, picture in enumerate(trial.gallery)}
        self._depth = min(CHROMA_DEPTH + 1, len(gallery))
        self._collection = Collection("evaluation", folder, None)
        try:
            self._collection.add(list(self._places), gallery)
            self._collection.nearest(queries[:1], 1)  # loads the index
        except BaseException:
            self.close()
            raise
        files = (path for path in folder.rglob("*") if path.is_file())
        self.index_bytes = sum(path.stat().st_size for path in files)

    def close(self) -> None:
        """Let go of the collection's files."""
        self._collection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def at_once(self) -> int:
        """See `Scorer.at_once`."""
        return QUERIES_AT_ONCE

    def scored(self, block: slice) -> Iterator[Scored]:
        """See `Scorer.scored`; distances of what was found, `inf` for the rest."""
        queries = self._queries[self._trial.query_rows[block]]
        start = time.perf_counter()
        answers = self._collection.nearest(queries, self._depth)
        taken = time.perf_counter() - start
        costs = np.full((len(queries), len(self._places)), np.inf)
        for row, answer in zip(costs, answers, strict=True):
            for name, similarity in answer:
                row[self._places[name]] = -similarity
        [method] = self.methods
        yield method, costs, taken


def _slices(count: int, step: int) -> Iterator[slice]:
    for start in range(0, count, max(1, step)):
        yield slice(start, min(start + max(1, step), count))
