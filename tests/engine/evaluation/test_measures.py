"""The measures: against scikit-learn, and against their own worked examples."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, ndcg_score, precision_recall_curve

import engine.evaluation
import engine.metrics
from engine.evaluation.estimates import differs, estimates
from engine.evaluation.measures import (
    MEASURES,
    RECALL_LEVELS,
    average_precision,
    hit_at,
    measured,
    ndcg_at,
    precision_at,
    precision_at_recall,
    recall_at,
)


def ranked(relevance: list[bool]) -> tuple[np.ndarray, np.ndarray]:
    """Ranks and number of the relevant, of one ranking from best to worst."""
    places = np.flatnonzero(relevance) + 1.0
    return places[None], np.array([len(places)])


rankings = st.lists(st.booleans(), min_size=2, max_size=60).filter(any)


@pytest.mark.parametrize(
    "module",
    [
        engine.metrics,
        *(
            importlib.import_module(f"engine.evaluation.{found.name}")
            for found in pkgutil.iter_modules(engine.evaluation.__path__)
        ),
    ],
    ids=lambda module: module.__name__,
)
def test_worked_examples_in_docstrings_are_true(module) -> None:
    assert doctest.testmod(module).failed == 0


def test_every_measure_has_a_worked_example() -> None:
    examples = doctest.DocTestFinder().find(importlib.import_module("engine.evaluation.measures"))
    shown = {each.name.rpartition(".")[2] for each in examples if each.examples}
    assert {
        "precision_at",
        "recall_at",
        "hit_at",
        "average_precision",
        "ndcg_at",
        "precision_at_recall",
    } <= shown


@given(rankings)
@settings(max_examples=150, deadline=None)
def test_average_precision_is_scikit_learns(relevance: list[bool]) -> None:
    scores = -np.arange(len(relevance), dtype=float)
    ours = average_precision(*ranked(relevance))[0]
    assert ours == pytest.approx(average_precision_score(relevance, scores))


@given(rankings, st.integers(1, 70))
@settings(max_examples=150, deadline=None)
def test_ndcg_is_scikit_learns(relevance: list[bool], k: int) -> None:
    scores = -np.arange(len(relevance), dtype=float)
    ours = ndcg_at(*ranked(relevance), k)[0]
    assert ours == pytest.approx(ndcg_score([np.array(relevance, int)], [scores], k=k))


@given(rankings)
@settings(max_examples=100, deadline=None)
def test_curve_is_the_upper_hull_of_scikit_learns(relevance: list[bool]) -> None:
    scores = -np.arange(len(relevance), dtype=float)
    precision, recall, _ = precision_recall_curve(relevance, scores)
    # Its last point (precision 1 at recall 0) belongs to no answer.
    precision, recall = precision[:-1], recall[:-1]
    levels = np.maximum(RECALL_LEVELS, 1e-12)
    hull = [precision[recall >= level - 1e-9].max() for level in levels]
    assert precision_at_recall(*ranked(relevance))[0] == pytest.approx(hull)


def test_what_is_not_found_costs_but_counts_among_the_relevant() -> None:
    found, missed = np.array([[1.0, np.inf]]), np.array([2])
    assert average_precision(found, missed)[0] == 0.5
    assert recall_at(found, missed, 10)[0] == 0.5
    # The ideal ranking is that of both, not of what was retrieved.
    assert ndcg_at(found, missed, 5)[0] == pytest.approx(1 / (1 + 1 / np.log2(3)))
    assert precision_at_recall(found, missed)[0, -1] == 0
    assert precision_at_recall(found, missed)[0, 10] == 1


def test_queries_with_fewer_relevant_are_filled_up_without_effect() -> None:
    padded = np.array([[1.0, 3.0, 6.0], [2.0, np.inf, np.inf]])
    both = measured(padded, [3, 1])
    alone = measured(padded[1:, :1], [1])
    assert both[1] == pytest.approx(alone[0])
    assert precision_at_recall(padded, [3, 1])[1] == pytest.approx(np.full(21, 0.5))


def test_small_cutoffs_by_hand() -> None:
    ranks, relevant = [[2.0, 4.0, 11.0]], [3]
    assert hit_at(ranks, 1)[0] == 0
    assert hit_at(ranks, 5)[0] == 1
    assert precision_at(ranks, 5)[0] == 2 / 5
    assert recall_at(ranks, relevant, 10)[0] == 2 / 3
    by_name = dict(zip(MEASURES, measured(ranks, relevant)[0], strict=True))
    assert by_name["top-1"] == by_name["P@1"] == 0
    assert by_name["R@10"] == 2 / 3


def test_intervals_hold_the_mean_and_shrink_with_more_queries() -> None:
    dice = np.random.default_rng(5)
    few, many = (estimates(dice.random((count, 1)))[0] for count in (25, 2500))
    assert few.low < few.value < few.high
    assert many.high - many.low < (few.high - few.low) / 5
    # For a mean of many the bootstrap agrees with the textbook's 1.96 standard errors.
    assert many.high - many.low == pytest.approx(2 * 1.96 * np.sqrt(1 / 12 / 2500), rel=0.1)


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    dice = np.random.default_rng(6)
    found = [estimates((dice.random((80, 1)) < 0.3) * 1.0)[0] for _ in range(200)]
    covered = np.mean([each.low <= 0.3 <= each.high for each in found])
    assert 0.89 <= covered <= 0.99


def test_the_same_queries_give_the_same_interval() -> None:
    values = np.random.default_rng(7).random((60, 3))
    assert estimates(values) == estimates(values.copy())


def test_small_difference_is_seen_query_by_query() -> None:
    dice = np.random.default_rng(8)
    ours = dice.random(200)
    theirs = ours - 0.01 + 0.02 * (dice.random(200) - 0.5)
    a, b = estimates(np.stack([ours, theirs], axis=1))
    assert a.low < b.value < a.high, "side by side the intervals overlap"
    assert differs(ours, theirs)
    assert not differs(ours, ours)
