from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from engine.plots import Row, comparison_sheet

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass(frozen=True)
class Found:
    rank: int
    percent: float
    category: str
    path: Path


@pytest.fixture
def found(tmp_path: Path, paint: Callable[[Path, int], Path]) -> list[Found]:
    return [
        Found(n + 1, 97.0 - 3 * n, f"category {n}", paint(tmp_path / f"{n}.jpg", n))
        for n in range(10)
    ]


@pytest.fixture
def query(tmp_path: Path, paint: Callable[[Path, int], Path]) -> Image.Image:
    return Image.open(paint(tmp_path / "query.jpg", 77))


@pytest.mark.parametrize("count", [1, 2, 4, 8])
@pytest.mark.parametrize("topk", [1, 3, 5, 10])
def test_sheet_keeps_a_showable_shape(
    query: Image.Image, found: list[Found], count: int, topk: int
) -> None:
    rows = [Row(f"metric {n}", found[:topk], "what it does") for n in range(count)]
    sheet = comparison_sheet(query, rows, title="photo.jpg")
    assert sheet.mode == "RGB"
    assert 0.5 < sheet.width / sheet.height < 7
    assert sheet.width + sheet.height <= 10_000  # Telegram's limit for photos


def test_eight_metrics_of_five_matches_fill_a_slide(query: Image.Image, found: list[Found]) -> None:
    sheet = comparison_sheet(query, [Row("metric", found[:5])] * 8)
    assert sheet.width / sheet.height == pytest.approx(16 / 9, rel=0.15)


def test_each_row_shows_its_own_matches(query: Image.Image, found: list[Found]) -> None:
    rows = [Row("a", found[:5]), Row("b", found[5:]), Row("c", found[2:7])]
    plain = np.asarray(comparison_sheet(query, rows), int)
    other = np.asarray(comparison_sheet(query, [*rows[:2], Row("c", found[1:6])]), int)
    assert plain.shape == other.shape
    changed = np.flatnonzero((plain != other).any(axis=(1, 2)))
    assert changed.min() > plain.shape[0] * 0.6
    percents = [Found(m.rank, m.percent - 40, m.category, m.path) for m in found[:5]]
    other = np.asarray(comparison_sheet(query, [Row("a", percents), *rows[1:]]), int)
    changed = np.flatnonzero((plain != other).any(axis=(1, 2)))
    assert changed.max() < plain.shape[0] * 0.4


def test_row_without_matches_says_so_in_the_given_words(
    query: Image.Image, found: list[Found]
) -> None:
    rows = [Row("a", found[:3]), Row("b", [])]
    english = comparison_sheet(query, rows)
    other = comparison_sheet(query, rows, nothing="Rien de tel")
    assert english.size == other.size
    assert english.tobytes() != other.tobytes()


def test_words_can_be_the_question_and_nothing_an_answer(found: list[Found]) -> None:
    assert comparison_sheet([], [Row("clip", found[:3])], title="“red car”").width > 500
    assert comparison_sheet([], []).height > 0
