"""Sketches: block sums of thumbnails, which bound what a thumbnail's score can be at best."""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.comparison import quotients, squares_of, sum_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engine.comparison import Comparer
    from engine.metrics import Formula
    from engine.rows import View

_BLOCK = 8
"""Side of a sketch's blocks. 4 prunes better, but reading four times the sketches eats that up."""


@dataclass(frozen=True, slots=True)
class BlockSums:
    """Block sums of the first `count` rows of a generation; the arrays have room for more."""

    generation: int
    count: int
    sums: NDArray[np.uint16]
    squares: NDArray[np.int64]


class Sketches:
    """Sketches of the thumbnails in a row file, made when needed; safe from several threads.

    Args:
        side: Width and height of a thumbnail in pixels.
        comparer: Does the work.
    """

    def __init__(self, side: int, comparer: Comparer) -> None:
        self._side = side
        self._width = side * side * 3
        self._block = gcd(side, _BLOCK)
        self._comparer = comparer
        self._made = self._none(0)
        self._making = Lock()

    def bounds(
        self, view: View, at: NDArray[np.intp], query: NDArray[np.uint8], formula: Formula
    ) -> NDArray[np.float64]:
        """The best score that each row could have, by the block sums of query and row alone.

        A picture is its block means plus a residual whose blocks sum to 0. With m pixels a block,
        block sums A and B, and residuals of lengths e and f:

        - Σ|a−b| ≥ Σ|A−B|, by the triangle inequality in each block;
        - a·b ≤ A·B / m + e·f, by Cauchy and Schwarz for the residuals, which gives the bounds of
          cosine, r, and of L2² = a·a + b·b − 2 a·b.

        All is kept in integers times m until the last step, so that near-constant pictures, whose
        r is a quotient of small differences, lose nothing.
        """
        sketches = self.of(view)
        sketch = self.sketch(query)
        measured = self._comparer.measured(formula, sketch, sketches.sums, at)
        if formula == "l1":
            return measured.astype(np.float64)
        m = self._block**2
        own, squares = squares_of(query), view.squares[at].astype(np.int64)
        rest = m * own - squares_of(sketch)
        rests = m * squares - sketches.squares[at]
        # Rounded up: what follows may be a small difference of large numbers.
        shared = np.sqrt(float(rest) * rests) * (1 + 1e-12)
        if formula == "l2":
            apart = m * (own + squares) - 2 * measured - 2 * shared
            distances: NDArray[np.float64] = np.sqrt(np.maximum(apart, 0) / m)
            return distances
        if formula == "cosine":
            return quotients(measured + shared, m * own, m * squares)
        total, sums = sum_of(query), view.sums[at].astype(np.int64)
        blocks = self._width // m
        return quotients(
            blocks * measured - total * sums + blocks * shared,
            self._width * own - total**2,
            self._width * squares - sums**2,
        )

    def of(self, view: View) -> BlockSums:
        """Sketches of all rows of the view, made for those that are new."""
        count = len(view.keys)
        with self._making:
            old = self._made
            if old.generation != view.generation:
                old = self._none(view.generation)
            if old.count >= count:
                return old
            sums, squares = old.sums, old.squares
            if count > len(sums):
                sums = _enlarged(sums, count + count // 4)
                squares = _enlarged(squares, len(sums))

            def sketch(part: slice) -> None:
                from engine.kernels import block_sums

                block_sums(view.rows[part], self._side, self._block, sums[part])
                wide = sums[part].astype(np.int64)
                squares[part] = np.einsum("ij,ij->i", wide, wide)

            self._comparer.share(sketch, old.count, count)
            self._made = BlockSums(view.generation, count, sums, squares)
            return self._made

    def sketch(self, query: NDArray[np.uint8]) -> NDArray[np.uint16]:
        """The block sums of one thumbnail, in one row."""
        across = self._side // self._block
        blocks = query.reshape(across, self._block, across, self._block, 3)
        sums: NDArray[np.uint16] = blocks.sum(axis=(1, 3), dtype=np.uint16).reshape(-1)
        return sums

    def _none(self, generation: int) -> BlockSums:
        none = np.empty((0, self._width // self._block**2), np.uint16)
        return BlockSums(generation, 0, none, np.empty(0, np.int64))


def _enlarged(old: NDArray[Any], count: int) -> NDArray[Any]:
    new = np.empty((count, *old.shape[1:]), old.dtype)
    new[: len(old)] = old
    return new
