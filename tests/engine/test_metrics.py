"""The four formulas against their definitions, their properties and scipy."""

from __future__ import annotations

import doctest
import subprocess
import sys
from itertools import pairwise
from math import sqrt

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.spatial import distance
from scipy.stats import pearsonr

from engine import metrics
from engine.errors import UnknownMetricError
from engine.metrics import METRICS, best, metric_named, percent, scores

FORMULAS = ("l1", "l2", "cosine", "correlation")
quick = settings(max_examples=60, deadline=None)
VALUES = st.floats(-1e3, 1e3, allow_nan=False).map(lambda value: round(value, 3))


def score(formula: str, a: object, b: object) -> float:
    return float(scores(formula, a, b)[0, 0])


@st.composite
def pairs(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    size = draw(st.integers(2, 30))
    a, b = (draw(hnp.arrays(np.float64, size, elements=VALUES)) for _ in range(2))
    return a, b


@pytest.mark.parametrize(
    ("formula", "a", "b", "expected"),
    [
        ("l1", [1, 2, 3], [4, 5, 6], 9),
        ("l2", [1, 2, 3], [4, 5, 6], sqrt(27)),
        ("cosine", [1, 0, 1], [1, 1, 0], 1 / 2),
        ("cosine", [5, 3, 2, 7], [2, 9, 4, 1], 0.552005787925351),
        ("correlation", [2, 4], [1, 2], 1),
    ],
)
def test_reference_values(formula: str, a: list[int], b: list[int], expected: float) -> None:
    assert score(formula, a, b) == pytest.approx(expected, abs=1e-14)


def test_reference_correlation_holds_for_any_linear_change() -> None:
    x, y = np.array([7, 18, 29, 2, 10, 9, 9]), np.array([1, 6, 12, 8, 6, 21, 10])
    assert score("correlation", x, y) == pytest.approx(0.149, abs=1e-3)
    assert score("correlation", 2 * x - 14, y + 2) == pytest.approx(
        score("correlation", x, y), abs=1e-14
    )


def test_examples_in_the_documentation_are_true() -> None:
    assert doctest.testmod(metrics).failed == 0
    assert doctest.testmod(metrics).attempted >= 5


@quick
@given(pairs())
def test_scores_agree_with_scipy(pair: tuple[np.ndarray, np.ndarray]) -> None:
    a, b = pair
    assert score("l1", a, b) == pytest.approx(distance.cityblock(a, b), abs=1e-9)
    assert score("l2", a, b) == pytest.approx(distance.euclidean(a, b), abs=1e-9)
    if a.any() and b.any():
        assert score("cosine", a, b) == pytest.approx(1 - distance.cosine(a, b), abs=1e-9)
    if np.ptp(a) > 1e-2 and np.ptp(b) > 1e-2:
        assert score("correlation", a, b) == pytest.approx(pearsonr(a, b).statistic, abs=1e-9)


@quick
@given(pairs(), st.sampled_from(FORMULAS))
def test_scores_are_symmetric(pair: tuple[np.ndarray, np.ndarray], formula: str) -> None:
    assert score(formula, *pair) == pytest.approx(score(formula, *pair[::-1]), abs=1e-12)


@quick
@given(pairs(), st.floats(0.01, 100))
def test_cosine_and_correlation_ignore_scale(
    pair: tuple[np.ndarray, np.ndarray], factor: float
) -> None:
    a, b = pair
    assume(np.ptp(a) > 1e-2)
    for formula in ("cosine", "correlation"):
        assert score(formula, factor * a, b) == pytest.approx(score(formula, a, b), abs=1e-9)


@quick
@given(pairs(), st.floats(-100, 100))
def test_distances_and_correlation_ignore_a_common_shift(
    pair: tuple[np.ndarray, np.ndarray], shift: float
) -> None:
    a, b = pair
    assume(np.ptp(a) > 1e-2)
    assume(np.ptp(b) > 1e-2)
    for formula in ("l1", "l2", "correlation"):
        moved = score(formula, a + shift, b + shift)
        assert moved == pytest.approx(score(formula, a, b), abs=1e-7)


@quick
@given(pairs(), st.sampled_from(FORMULAS))
def test_scores_are_never_nan_and_stay_in_range(
    pair: tuple[np.ndarray, np.ndarray], formula: str
) -> None:
    got = score(formula, *pair)
    low, high = (-1, 1) if metrics.LARGER_IS_BETTER[formula] else (0, np.inf)
    assert low <= got <= high


@pytest.mark.parametrize("value", [0.0, 0.1, 7.0, 1e-300, 1e150])
def test_a_constant_picture_correlates_with_nothing(value: float) -> None:
    constant, other = np.full(10, value), np.arange(10.0)
    assert score("correlation", constant, other) == 0
    assert score("correlation", constant, constant) == 0
    assert score("cosine", np.zeros(10), other) == 0


@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e150])
def test_very_small_and_very_large_values_keep_their_direction(scale: float) -> None:
    assert score("cosine", [3 * scale, 4 * scale], [4, 3]) == pytest.approx(24 / 25)


def test_many_queries_and_blocks_give_the_same_as_one_by_one() -> None:
    rng = np.random.default_rng(3)
    queries = rng.integers(0, 256, (3, 4000), dtype=np.uint8)
    gallery = rng.integers(0, 256, (300, 4000), dtype=np.uint8)
    for formula in FORMULAS:
        together = scores(formula, queries, gallery)
        assert together.shape == (3, 300)
        assert together[1, 217] == pytest.approx(
            score(formula, queries[1], gallery[217]), abs=1e-12
        )


def test_small_integers_do_not_wrap_around() -> None:
    a, b = np.array([0, 255], np.uint8), np.array([255, 0], np.uint8)
    assert score("l1", a, b) == 510
    assert score("l2", a, b) == pytest.approx(255 * sqrt(2))


def test_widths_must_agree() -> None:
    with pytest.raises(ValueError, match="3 wide"):
        scores("l1", [1, 2, 3], [1, 2])


def test_an_empty_gallery_gives_no_scores() -> None:
    assert scores("l2", [[1.0, 2.0]], np.empty((0, 2))).shape == (1, 0)


def test_every_metric_of_the_contract_is_there() -> None:
    assert {name: (m.space, m.formula) for name, m in METRICS.items()} == {
        "clip": ("embeddings", "cosine"),
        "clip-l1": ("embeddings", "l1"),
        "clip-l2": ("embeddings", "l2"),
        "clip-correlation": ("embeddings", "correlation"),
        "l1": ("pixels", "l1"),
        "l2": ("pixels", "l2"),
        "cosine": ("pixels", "cosine"),
        "correlation": ("pixels", "correlation"),
    }
    assert [METRICS[name].larger_is_better for name in ("clip", "clip-l1", "l2")] == [
        True, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("clip-cosine", "clip"), ("manhattan", "l1"), ("Euclidean", "l2"), ("corr", "correlation"),
        ("PEARSON", "correlation"), (" L1 ", "l1"), ("clip_l2", "clip-l2"),
        ("clip-corr", "clip-correlation"),
    ],
)  # fmt: skip
def test_metrics_answer_to_their_aliases(said: str, meant: str) -> None:
    assert metric_named(said).name == meant


def test_an_unknown_metric_offers_the_nearest() -> None:
    with pytest.raises(UnknownMetricError, match="did you mean cosine") as caught:
        metric_named("cosin")
    assert caught.value.key == "unknown_metric"
    assert caught.value.details["nearest"]
    with pytest.raises(UnknownMetricError, match="there are clip, clip-l1"):
        metric_named("xyzzy")


@pytest.mark.parametrize("name", METRICS)
def test_percent_is_full_for_identical_and_falls_with_the_score(name: str) -> None:
    metric, dimension = METRICS[name], 512
    ideal, worst = (1.0, -1.0) if metric.larger_is_better else (0.0, 255.0 * dimension)
    shown = [percent(metric, value, dimension) for value in np.linspace(ideal, worst, 500)]
    assert shown[0] == 100
    assert shown[-1] == 0
    assert all(a >= b for a, b in pairwise(shown))


@pytest.mark.parametrize("name", ["clip-l1", "clip-l2", "clip-correlation"])
def test_percent_of_embeddings_means_about_the_same_under_every_formula(name: str) -> None:
    rng = np.random.default_rng(2)
    a = rng.normal(size=512)
    b = a + 0.7 * rng.normal(size=512)
    a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
    shown = percent(METRICS[name], score(METRICS[name].formula, a, b), 512)
    assert shown == pytest.approx(percent(METRICS["clip"], score("cosine", a, b), 512), abs=3)


@quick
@given(
    hnp.arrays(np.float64, st.integers(0, 60), elements=st.integers(-3, 3).map(float)),
    st.integers(0, 70),
    st.sampled_from(FORMULAS),
    st.randoms(use_true_random=False),
)
def test_best_is_a_full_sort_cut_off(values: np.ndarray, k: int, formula: str, random) -> None:
    names = list(range(1, len(values) + 1))
    random.shuffle(names)
    ids = np.array(names, dtype=np.uint64)
    sign = -1 if metrics.LARGER_IS_BETTER[formula] else 1
    expected = sorted(range(len(values)), key=lambda at: (sign * values[at], ids[at]))[:k]
    assert best(formula, values, ids, k).tolist() == expected


def test_best_takes_scores_apart_by_rounding_only_for_equal() -> None:
    values = np.array([0.3, 0.1 + 0.2, 0.3 + 1e-9])
    assert best("cosine", values, np.array([1, 2, 3], np.uint64), 3).tolist() == [2, 0, 1]


def test_best_puts_the_query_itself_before_others_of_its_score() -> None:
    ids = np.array([1, 2, 3, 4], dtype=np.uint64)
    same = np.array([False, False, True, False])
    assert best("cosine", np.array([0.5, 1, 1, 1]), ids, 2, same=same).tolist() == [2, 1]


def test_metrics_are_known_without_loading_anything_heavy() -> None:
    code = (
        "import sys, engine.metrics; print(*{'scipy', 'numba', 'torch', 'PIL'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
