"""Metrics: how alike two pictures are, the four formulas once for pixels and embeddings alike."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from math import pi
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

import numpy as np

from engine.errors import UnknownMetricError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import ArrayLike, NDArray

Formula = Literal["l1", "l2", "cosine", "correlation"]
Space = Literal["pixels", "embeddings"]

LARGER_IS_BETTER: Mapping[Formula, bool] = MappingProxyType(
    {"l1": False, "l2": False, "cosine": True, "correlation": True}
)

_BLOCK_VALUES = 1 << 19
"""Gallery values turned to float64 at a time: 4 MB, which stays in a core's cache."""


@dataclass(frozen=True, slots=True)
class Metric:
    """What `/metric` and `--metric` take: a formula on pixels or on embeddings."""

    name: str
    space: Space
    formula: Formula

    @property
    def larger_is_better(self) -> bool:
        """Whether a larger score means more alike."""
        return LARGER_IS_BETTER[self.formula]


METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        metric.name: metric
        for metric in (
            Metric("clip", "embeddings", "cosine"),
            Metric("clip-l1", "embeddings", "l1"),
            Metric("clip-l2", "embeddings", "l2"),
            Metric("clip-correlation", "embeddings", "correlation"),
            Metric("l1", "pixels", "l1"),
            Metric("l2", "pixels", "l2"),
            Metric("cosine", "pixels", "cosine"),
            Metric("correlation", "pixels", "correlation"),
        )
    }
)

_SYNONYMS: Mapping[str, str] = MappingProxyType(
    {"manhattan": "l1", "euclidean": "l2", "corr": "correlation", "pearson": "correlation"}
)

ALIASES: Mapping[str, str] = MappingProxyType(
    {"clip-cosine": "clip", **_SYNONYMS}
    | {f"clip-{synonym}": f"clip-{name}" for synonym, name in _SYNONYMS.items()}
)
"""Other names of the metrics, each with the metric's own."""


def metric_named(name: str) -> Metric:
    """The metric that a user means.

    Args:
        name: A metric's name or alias; case, outer spaces and `_` for `-` do not matter.

    Raises:
        UnknownMetricError: No metric has this name; the message offers the nearest ones.

    >>> metric_named("Euclidean").name
    'l2'
    """
    wanted = name.strip().lower().replace("_", "-")
    metric = METRICS.get(ALIASES.get(wanted, wanted))
    if metric is None:
        nearest = get_close_matches(wanted, [*METRICS, *ALIASES], n=3, cutoff=0.5)
        offered = ", ".join(dict.fromkeys(ALIASES.get(near, near) for near in nearest))
        known = ", ".join(METRICS)
        hint = f"did you mean {offered}?" if offered else f"there are {known}."
        raise UnknownMetricError(
            f"No metric is called “{name}”; {hint}",
            key="unknown_metric",
            name=name,
            nearest=offered,
        )
    return metric


def scores(formula: Formula, queries: ArrayLike, gallery: ArrayLike) -> NDArray[np.float64]:
    """Score every gallery row against every query.

    The definitions that faster ways (the compiled pass over thumbnails, Chroma) are held to.
    A row without direction (all zero for cosine, constant for Pearson's r) scores 0.

    Args:
        formula: `l1` Σ|aᵢ−bᵢ|, `l2` √Σ(aᵢ−bᵢ)², `cosine` a·b / ‖a‖‖b‖, `correlation` Pearson's r,
            which is the cosine of the rows less their means.
        queries: (q, d) or (d,), any real dtype.
        gallery: (n, d) or (d,), any real dtype; memory-mapped files are read in blocks.

    Returns:
        (q, n) scores, computed in float64.

    Raises:
        ValueError: The widths differ.

    >>> float(scores("l1", [1, 2, 3], [4, 5, 6])[0, 0])
    9.0
    >>> float(scores("l2", [1, 2, 3], [4, 5, 6])[0, 0] ** 2)
    27.0
    >>> round(float(scores("cosine", [5, 3, 2, 7], [2, 9, 4, 1])[0, 0]), 15)
    0.552005787925351
    >>> round(float(scores("correlation", [2, 4], [1, 2])[0, 0]), 12)
    1.0
    """
    asked = np.atleast_2d(np.asarray(queries, dtype=np.float64))
    rows = np.atleast_2d(np.asarray(gallery))
    if asked.shape[1] != rows.shape[1]:
        raise ValueError(f"queries are {asked.shape[1]} wide, the gallery {rows.shape[1]}")
    found = np.empty((len(asked), len(rows)))
    if formula in {"cosine", "correlation"}:
        asked = _directions(asked, centred=formula == "correlation")
    for part, block in _blocks(rows):
        if formula in {"cosine", "correlation"}:
            directions = _directions(block, centred=formula == "correlation")
            np.clip(asked @ directions.T, -1.0, 1.0, out=found[:, part])
            continue
        for row, query in zip(found, asked, strict=True):
            difference = block - query
            if formula == "l1":
                row[part] = np.abs(difference, out=difference).sum(axis=1)
            else:
                row[part] = np.sqrt(np.einsum("ij,ij->i", difference, difference))
    return found


def percent(metric: Metric, score: float, dimension: int) -> float:
    """The similarity shown to a person: 100 for identical pictures, never below 0.

    It never rises when the score gets worse. Definitions, with d = `dimension`:

    - cosine and correlation, either space: the score itself; opposite counts as unlike.
    - `l1` on pixels: 1 − score / 255d, so 90 % is a mean difference of a tenth of the range.
    - `l2` on pixels: 1 − score / 255√d, the same of the root mean square difference.
    - `clip-l2`: the cosine that two unit vectors at this distance have, 1 − score² / 2.
    - `clip-l1`: the same from the distance L2 that an evenly spread difference of this L1 has
      (L1 = L2·√(2d/π), the mean absolute value of a normal variable): 1 − score²·π / 4d.

    Args:
        metric: The metric that gave the score.
        score: Its raw value; embeddings are taken to be unit vectors.
        dimension: Values per row: 12,288 for thumbnails of 64 × 64 × 3.
    """
    return 100 * min(max(share(metric, score, dimension), 0.0), 1.0)


def share(metric: Metric, score: float, dimension: int) -> float:
    """What `percent` is a hundredth of, before it is held between 0 and 1.

    For embeddings it is a cosine, or what a cosine would be, and falls below 0 for opposites.
    """
    if metric.larger_is_better:
        return score
    if metric.space == "pixels":
        return 1 - score / (255 * (dimension if metric.formula == "l1" else dimension**0.5))
    return 1 - score**2 * (pi / (4 * dimension) if metric.formula == "l1" else 0.5)


def best(
    formula: Formula,
    scores: NDArray[np.float64],
    ids: NDArray[np.uint64],
    k: int,
    *,
    same: NDArray[np.bool_] | None = None,
) -> NDArray[np.intp]:
    """Positions of the k best scores, best first, without sorting the others.

    Scores that agree to 12 decimals are equal: what is a tie by the formula, such as the cosines of
    a picture and a darker copy, may come out of rounding with different last bits.

    Args:
        formula: Tells whether large or small scores are better.
        scores: (n,), no NaN.
        ids: (n,) image ids; of equal scores the smaller id comes first, also at the k-th place.
        k: How many; all are returned, ordered, where there are fewer.
        same: (n,) true where a row is the query itself: such rows come first among equal scores,
            so that a picture finds itself even where a score cannot tell (black under cosine).

    Returns:
        (min(k, n),) positions into `scores`.
    """
    if k <= 0:
        return np.empty(0, dtype=np.intp)
    costs = np.round(-scores if LARGER_IS_BETTER[formula] else scores, 12)
    if k < len(costs):
        worst = np.partition(costs, k - 1)[k - 1]
        at = np.flatnonzero(costs <= worst)
    else:
        at = np.arange(len(costs))
    others = np.zeros(len(at), dtype=np.bool_) if same is None else ~same[at]
    return at[np.lexsort((ids[at], others, costs[at]))[:k]]


def _blocks(rows: NDArray[np.generic]) -> Iterator[tuple[slice, NDArray[np.float64]]]:
    step = max(1, _BLOCK_VALUES // max(1, rows.shape[1]))
    for start in range(0, len(rows), step):
        part = slice(start, min(start + step, len(rows)))
        yield part, rows[part].astype(np.float64)


def _directions(rows: NDArray[np.float64], *, centred: bool) -> NDArray[np.float64]:
    """Rows of length 1; zero where there is no direction."""
    if centred:
        # A constant's own mean may be off by a rounding, which would pass for a direction.
        constant = rows.max(axis=1) == rows.min(axis=1)
        rows = np.where(constant[:, None], 0.0, rows - rows.mean(axis=1, keepdims=True))
    # Scaling first keeps the squares of very small and very large values from vanishing.
    largest = np.abs(rows).max(axis=1, keepdims=True)
    scaled = np.zeros_like(rows)
    np.divide(rows, largest, out=scaled, where=largest > 0)
    lengths = np.sqrt(np.einsum("ij,ij->i", scaled, scaled))[:, None]
    np.divide(scaled, lengths, out=scaled, where=lengths > 0)
    return scaled
