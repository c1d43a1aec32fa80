from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from engine.plots import contact_sheet, typeface

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
        for n in range(20)
    ]


@pytest.fixture
def query(tmp_path: Path, paint: Callable[[Path, int], Path]) -> Image.Image:
    return Image.open(paint(tmp_path / "query.jpg", 77))


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 7, 10, 15, 20])
def test_sheet_of_any_length_keeps_a_showable_shape(
    query: Image.Image, found: list[Found], count: int
) -> None:
    sheet = contact_sheet(query, found[:count], title="query.jpg · clip")
    assert sheet.mode == "RGB"
    assert 0.6 < sheet.width / sheet.height < 3
    assert sheet.width + sheet.height <= 10_000  # Telegram's limit for photos


def test_sheet_shows_the_pictures_themselves(query: Image.Image, found: list[Found]) -> None:
    plain = contact_sheet(query, found[:3])
    other = contact_sheet(query, [*found[:2], found[9]])
    assert plain.size == other.size
    changed = np.asarray(plain, dtype=int) != np.asarray(other, dtype=int)
    columns = np.flatnonzero(changed.any(axis=(0, 2)))
    assert columns.min() > plain.width // 2


def test_missing_file_gets_a_placeholder(query: Image.Image, tmp_path: Path) -> None:
    gone = Found(1, 50.0, "gone", tmp_path / "gone.jpg")
    broken = Found(2, 50.0, "broken", tmp_path / "broken.jpg")
    broken.path.write_bytes(b"no picture")
    assert contact_sheet(query, [gone, broken]).size == contact_sheet(query, [gone, gone]).size


def test_words_and_several_pictures_can_be_the_question(
    query: Image.Image, found: list[Found]
) -> None:
    words = contact_sheet([], found[:4], title="“red car”")
    several = contact_sheet([query] * 5, found[:4])
    assert words.width < several.width


@pytest.mark.parametrize("size", [(20, 2000), (2000, 20), (1, 1)])
def test_extreme_proportions_do_not_break_the_sheet(
    found: list[Found], size: tuple[int, int]
) -> None:
    sheet = contact_sheet(Image.new("RGB", size), found[:5])
    assert sheet.height < 1000


def test_long_names_end_in_an_ellipsis_within_their_tile(
    query: Image.Image, found: list[Found]
) -> None:
    long = Found(1, 99.9, "a category with a name that never seems to end", found[0].path)
    short = Found(1, 99.9, "short", found[0].path)
    assert contact_sheet(query, [long]).size == contact_sheet(query, [short]).size


def test_letters_the_builtin_font_lacks_are_drawn_or_lose_their_marks(
    query: Image.Image, found: list[Found], monkeypatch: pytest.MonkeyPatch
) -> None:
    def sheet(category: str) -> bytes:
        return contact_sheet(query, [Found(1, 80.0, category, found[0].path)]).tobytes()

    monkeypatch.setattr(typeface, "FAMILIES", ())
    assert sheet("con hổ đẹp") == sheet("con ho dep")
