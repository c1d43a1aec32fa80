"""The exact way: every row is compared, in float32 at BLAS speed, and the best again in float64.

The fast pass only chooses who is compared again. Its rounding error has a bound, so nobody who
belongs among the best is left out, and the answer is that of `engine.metrics` to the last tie.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.metrics import best, scores

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from engine.metrics import Formula
    from engine.rows import View

Costs = tuple["NDArray[np.float64]", "NDArray[np.float64] | float"]
"""Per row a cost, lower is better, and how far it may lie from the true one."""

GATHER_SHARE = 8
"""Copying rows costs as much as comparing about this many in place."""

BLOCK = 2048


def nearest(
    parts: Sequence[tuple[View, NDArray[np.intp] | None]],
    query: NDArray[np.float32],
    formula: Formula,
    k: int,
) -> list[tuple[int, float]]:
    """The k best keys and their scores, best first, ties by key.

    Args:
        parts: Views of row files (float32) and positions among which to look (None: everywhere).
        query: (d,).
        formula: One of `engine.metrics`.
        k: How many; fewer are returned where there are fewer.
    """
    keys: list[NDArray[np.uint64]] = []
    rows: list[NDArray[np.float32]] = []
    for view, among in parts:
        at = _candidates(view, among, query, formula, k)
        keys.append(view.keys[at])
        rows.append(view.rows[at])
    if not sum(map(len, keys)):
        return []
    names = np.concatenate(keys)
    exact = scores(formula, query, np.concatenate(rows))[0]
    order = best(formula, exact, names, k)
    return list(zip(names[order].tolist(), exact[order].tolist(), strict=True))


def _candidates(
    view: View,
    among: NDArray[np.intp] | None,
    query: NDArray[np.float32],
    formula: Formula,
    k: int,
) -> NDArray[np.intp]:
    """Positions of all rows that may be among the k best."""
    at = np.flatnonzero(view.keys) if among is None else among[view.keys[among] != 0]
    if k <= 0 or len(at) <= k:
        return at[: max(k, 0)]
    costs, slack = _costs(view, at, query.astype(np.float32), formula)
    worst = np.partition(costs + slack, k - 1)[k - 1]
    chosen: NDArray[np.intp] = at[costs - slack <= worst]
    return chosen


def _costs(view: View, at: NDArray[np.intp], query: NDArray[np.float32], formula: Formula) -> Costs:
    """Costs of the rows `at`, with Higham's bound for a sum of d products in float32, doubled."""
    width = len(query)
    unit = float(np.finfo(np.float32).eps)
    bound = (width + 4) * unit
    if formula == "l1":
        distances = _l1(view.rows, at, query)
        return distances, bound * (distances + float(np.abs(query).sum()))
    norms = np.sqrt(view.squares[at])
    if formula == "l2":
        length = float(np.linalg.norm(query))
        costs = view.squares[at] - 2 * _products(view.rows, at, query)
        return costs, 2 * bound * length * float(norms.max())
    if formula == "cosine":
        lengths = norms * float(np.linalg.norm(query))
        return -_quotients(_products(view.rows, at, query), lengths), bound
    # Rows need not be centred: a centred query has no part in their means.
    centred = query - query.mean(dtype=np.float64)
    spread = np.sqrt(np.maximum(view.squares[at] - view.sums[at] ** 2 / width, 0))
    lengths = spread * float(np.linalg.norm(centred))
    # A row that hardly varies has a correlation made of rounding errors: always compared again.
    is_flat = spread <= 1e-3 * norms
    costs = -_quotients(_products(view.rows, at, centred.astype(np.float32)), lengths)
    slack = np.where(is_flat, 2.0, bound * _quotients(norms, spread))
    return np.where(is_flat, 0.0, costs), slack


def _products(
    rows: NDArray[np.float32], at: NDArray[np.intp], query: NDArray[np.float32]
) -> NDArray[np.float64]:
    if len(at) == len(rows):
        return (rows @ query).astype(np.float64)
    if len(at) * GATHER_SHARE < len(rows):
        return (rows[at] @ query).astype(np.float64)
    return (rows @ query)[at].astype(np.float64)


def _l1(
    rows: NDArray[np.float32], at: NDArray[np.intp], query: NDArray[np.float32]
) -> NDArray[np.float64]:
    found = np.empty(len(at))
    for start in range(0, len(at), BLOCK):
        difference = rows[at[start : start + BLOCK]] - query
        np.abs(difference, out=difference).sum(axis=1, out=found[start : start + BLOCK])
    return found


def _quotients(values: NDArray[np.float64], lengths: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(values, lengths, out=np.zeros_like(values), where=lengths > 0)
