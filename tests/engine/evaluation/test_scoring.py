"""Scoring in blocks gives what the definitions give, whatever the blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from engine import metrics
from engine.evaluation import rows, scoring
from engine.evaluation.judging import judged
from engine.evaluation.methods import methods_of
from engine.evaluation.rows import ScratchRows
from engine.evaluation.scoring import ChromaScorer, EmbeddingScorer, PixelScorer
from engine.evaluation.trial import Picture, Trial

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PIXELS = ("l1", "l2", "cosine", "correlation")
SIDE = 12


@pytest.fixture(scope="module")
def thumbs() -> np.ndarray:
    """70 pictures; some alike, some constant, some darker copies, one black."""
    rng = np.random.default_rng(3)
    made = rng.integers(0, 256, (70, SIDE, SIDE, 3), dtype=np.uint8)
    made[10:14] = made[3]
    made[20] = made[21] // 2
    made[30:33] = np.array([0, 90, 200], np.uint8)[:, None, None, None]
    return made


@pytest.fixture(scope="module")
def trial() -> Trial:
    ids = np.random.default_rng(1).permutation(70) + 1
    return Trial.of([Picture(f"{n:016x}", f"c{n % 7}") for n in ids.tolist()])


@pytest.fixture
def scratch(thumbs: np.ndarray, tmp_path: Path) -> Iterator[ScratchRows]:
    with ScratchRows(SIDE, tmp_path) as made:
        for thumb in thumbs:
            made.append(thumb)
        yield made


def defined(trial: Trial, formula: str, values: np.ndarray, k: int) -> list[list[int]]:
    """The first k answers to each query by `engine.metrics` alone."""
    ids = np.array([int(each.id, 16) for each in trial.gallery], np.uint64)
    answers = []
    for query in range(len(trial.queries)):
        others = np.delete(np.arange(len(values)), query)
        found = metrics.scores(formula, values[query], values[others])[0]
        answers.append(others[metrics.best(formula, found, ids[others], k)].tolist())
    return answers


def test_scratch_rows_come_back_as_they_were(scratch: ScratchRows, thumbs: np.ndarray) -> None:
    flat = thumbs.reshape(len(thumbs), -1)
    for at in ([0], [3, 4, 5], [69, 2, 3, 40], []):
        assert (scratch.take(np.array(at, np.intp)) == flat[at]).all()
    wide = flat.astype(np.int64)
    assert (scratch.sums == wide.sum(axis=1)).all()
    assert (scratch.squares == (wide**2).sum(axis=1)).all()


@pytest.mark.parametrize("block_bytes", [rows.BLOCK_BYTES, 4 * SIDE * SIDE * 3 * 5, 1])
def test_pixel_answers_are_those_of_the_definition_in_any_blocks(
    trial: Trial,
    scratch: ScratchRows,
    thumbs: np.ndarray,
    monkeypatch: pytest.MonkeyPatch,
    block_bytes: int,
) -> None:
    monkeypatch.setattr(scoring, "BLOCK_BYTES", block_bytes)
    methods = methods_of(PIXELS, [SIDE], [])
    with PixelScorer(trial, methods, scratch, scratch) as scorer:
        _, outcomes = judged(trial, [scorer])
    flat = thumbs.reshape(len(thumbs), -1)
    assert [outcome.method.name for outcome in outcomes] == list(PIXELS)
    for outcome in outcomes:
        expected = defined(trial, outcome.method.metric.formula, flat, 6)
        assert outcome.nearest.tolist() == expected, outcome.method.name


def test_embedding_answers_are_those_of_the_definition(trial: Trial) -> None:
    rng = np.random.default_rng(4)
    vectors = rng.standard_normal((70, 24)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[5:8] = vectors[40]
    methods = methods_of(("clip", "clip-l1", "clip-l2", "clip-correlation"), [], ["x"])
    _, outcomes = judged(trial, [EmbeddingScorer(trial, methods, vectors, vectors)])
    for outcome in outcomes:
        expected = defined(trial, outcome.method.metric.formula, vectors, 6)
        assert outcome.nearest.tolist() == expected, outcome.method.name


def test_vector_without_direction_scores_nought() -> None:
    trial = Trial.of([Picture(f"{n + 1:016x}", "a") for n in range(3)])
    vectors = np.array([[0, 0], [1, 0], [-1, 0]], np.float32)
    [method] = methods_of(("clip",), [], ["x"])
    [(_, costs, _)] = EmbeddingScorer(trial, [method], vectors, vectors).scored(slice(0, 3))
    assert costs.tolist() == [[0, 0, 0], [0, -1, 1], [0, 1, -1]]


def test_chroma_answers_like_the_exact_search(trial: Trial, tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    vectors = rng.standard_normal((70, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    exact, approximate = methods_of(("clip", "chroma"), [], ["x"])
    with ChromaScorer(trial, [approximate], vectors, vectors, tmp_path) as chroma:
        assert chroma.index_bytes > vectors.nbytes
        _, [theirs] = judged(trial, [chroma])
    _, [ours] = judged(trial, [EmbeddingScorer(trial, [exact], vectors, vectors)])
    assert (theirs.nearest == ours.nearest).mean() > 0.98
    assert (theirs.nearest[:, 0] != np.arange(70)).all(), "nobody finds himself"


def test_what_chroma_does_not_name_counts_as_not_found(
    trial: Trial, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "CHROMA_DEPTH", 4)
    vectors = np.random.default_rng(6).standard_normal((70, 16)).astype(np.float32)
    [method] = methods_of(("chroma",), [], ["x"])
    with ChromaScorer(trial, [method], vectors, vectors, tmp_path) as chroma:
        _, [outcome] = judged(trial, [chroma])
    assert (outcome.nearest[:, 4:] == -1).all()
    assert outcome.of("mAP").max() < 1
    assert outcome.of("R@10").max() <= 4 / 9
