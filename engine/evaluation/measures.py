"""Measures of retrieval, from the ranks at which the relevant pictures came.

Everywhere below, `ranks` is (q, m): for each query the places, from 1 and ascending, of all gallery
pictures of its category; `inf` for one that was not found at all, and to fill up rows of queries
that have fewer. `relevant` is (q,): how many there are, found or not. All results are (q,), of
range 0 to 1; their means over the queries are what papers report.

Sources: Manning, Raghavan, Schütze, "Introduction to Information Retrieval" (2008), chapter 8;
for nDCG Järvelin and Kekäläinen (2002) with binary gains.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

CUTOFFS = (1, 5, 10)
MEASURES: tuple[str, ...] = (
    "top-1",
    "hit@5",
    *(f"P@{k}" for k in CUTOFFS),
    *(f"R@{k}" for k in CUTOFFS),
    "mAP",
    "nDCG@5",
    "nDCG@10",
)
"""Names of the columns that `measured` gives. top-1 and P@1 are one number under both its names."""

RECALL_LEVELS: NDArray[np.float64] = np.linspace(0, 1, 21)
"""Where a precision–recall curve is drawn."""


def precision_at(ranks: ArrayLike, k: int) -> NDArray[np.float64]:
    """Share of the first k that is relevant; k stays the divisor where the gallery is smaller.

    Relevant pictures came first and third; of the first two, one is right:

    >>> precision_at([[1, 3]], 2).tolist()
    [0.5]
    """
    found: NDArray[np.float64] = (np.asarray(ranks) <= k).sum(axis=1) / k
    return found


def recall_at(ranks: ArrayLike, relevant: ArrayLike, k: int) -> NDArray[np.float64]:
    """Share of the relevant that is among the first k.

    >>> recall_at([[1, 3, 8, 9]], [4], 5).tolist()
    [0.5]
    """
    found: NDArray[np.float64] = (np.asarray(ranks) <= k).sum(axis=1) / np.asarray(relevant)
    return found


def hit_at(ranks: ArrayLike, k: int) -> NDArray[np.float64]:
    """1 where any of the first k is relevant, else 0.

    >>> hit_at([[4, 7], [6, 7]], 5).tolist()
    [1.0, 0.0]
    """
    return np.asarray((np.asarray(ranks) <= k).any(axis=1), dtype=np.float64)


def average_precision(ranks: ArrayLike, relevant: ArrayLike) -> NDArray[np.float64]:
    """Mean, over *all* relevant pictures, of the precision at the place where each came.

    One that was never found counts 0: it stays in the divisor.

    At places 1, 3 and 6 the precision is 1/1, 2/3 and 3/6:

    >>> average_precision([[1, 3, 6]], [3]).round(4).tolist()
    [0.7222]

    and if the third had not been found:

    >>> average_precision([[1, 3, float("inf")]], [3]).round(4).tolist()
    [0.5556]
    """
    means: NDArray[np.float64] = _precisions(ranks).sum(axis=1) / np.asarray(relevant)
    return means


def ndcg_at(ranks: ArrayLike, relevant: ArrayLike, k: int) -> NDArray[np.float64]:
    """Discounted gain of the first k, as a share of what the ideal ranking has.

    A relevant picture at place r gains 1 / log₂(1 + r). The ideal ranking has every relevant
    picture of the gallery in front, whether or not it was retrieved: missed hits cost.

    With two relevant pictures, at places 1 and 3, (1 + 1/2) of the ideal (1 + 1/log₂3):

    >>> ndcg_at([[1, 3]], [2], 5).round(4).tolist()
    [0.9197]

    With a third one at place 9, outside the first 5, the ideal grows by 1/2:

    >>> ndcg_at([[1, 3, 9]], [3], 5).round(4).tolist()
    [0.7039]
    """
    places = np.asarray(ranks, dtype=np.float64)
    gains = np.where(places <= k, 1 / np.log2(1 + places), 0.0).sum(axis=1)
    ideal = np.concatenate([[0.0], np.cumsum(1 / np.log2(1 + np.arange(1, k + 1)))])
    best: NDArray[np.float64] = ideal[np.minimum(np.asarray(relevant), k)]
    shares: NDArray[np.float64] = gains / best
    return shares


def precision_at_recall(ranks: ArrayLike, relevant: ArrayLike) -> NDArray[np.float64]:
    """Interpolated precision, (q, 21): the best precision at any recall of at least each level.

    Relevant at places 1 and 4: precision 1 up to half of the recall, 2/4 from there on.

    >>> precision_at_recall([[1, 4]], [2])[0, [0, 10, 11, 20]].tolist()
    [1.0, 1.0, 0.5, 0.5]
    """
    precisions = _precisions(ranks)
    best = np.maximum.accumulate(precisions[:, ::-1], axis=1)[:, ::-1]
    width = best.shape[1]
    # The level is reached with the ceil(level · relevant)-th of the relevant, at least the first.
    needed = np.ceil(RECALL_LEVELS * np.asarray(relevant)[:, None] - 1e-9).astype(np.intp)
    at = np.clip(needed - 1, 0, None)
    curve = np.take_along_axis(best, np.minimum(at, width - 1), axis=1)
    return np.where(at < width, curve, 0.0)


def measured(ranks: ArrayLike, relevant: ArrayLike) -> NDArray[np.float64]:
    """All of `MEASURES`, (q, len(MEASURES)), in their order.

    >>> dict(zip(MEASURES, measured([[2, 5]], [2])[0].round(3).tolist()))["mAP"]
    0.45
    """
    return np.stack(
        [
            hit_at(ranks, 1),
            hit_at(ranks, 5),
            *(precision_at(ranks, k) for k in CUTOFFS),
            *(recall_at(ranks, relevant, k) for k in CUTOFFS),
            average_precision(ranks, relevant),
            ndcg_at(ranks, relevant, 5),
            ndcg_at(ranks, relevant, 10),
        ],
        axis=1,
    )


def _precisions(ranks: ArrayLike) -> NDArray[np.float64]:
    """Precision at the place of each relevant picture, (q, m); 0 for those not found."""
    places = np.asarray(ranks, dtype=np.float64)
    precisions: NDArray[np.float64] = np.arange(1, places.shape[1] + 1) / places
    return precisions
