from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from engine.plots import tag_sheet
from engine.plots.paper import ACCENT
from engine.tags import Tag


def longest_bar(sheet: Image.Image) -> int:
    """Pixels of the longest run in the bars' colour."""
    is_bar = (np.asarray(sheet) == ACCENT).all(axis=2)
    return int(is_bar.sum(axis=1).max())


@pytest.fixture
def picture() -> Image.Image:
    return Image.new("RGB", (160, 120), (90, 60, 30))


def test_bars_are_as_long_as_the_shares(picture: Image.Image) -> None:
    full, half, tenth = (
        longest_bar(tag_sheet(picture, [Tag("tiger", percent, "words")]))
        for percent in (100.0, 50.0, 10.0)
    )
    assert half / full == pytest.approx(0.5, abs=0.02)
    assert tenth / full == pytest.approx(0.1, abs=0.02)


@pytest.mark.parametrize("count", [0, 1, 5, 20])
def test_sheet_of_any_length_keeps_a_showable_shape(picture: Image.Image, count: int) -> None:
    tags = [Tag(f"topic_{n}", 40.0 / (n + 1), "words") for n in range(count)]
    sheet = tag_sheet(picture, tags, title="photo.jpg", note="by words")
    assert sheet.mode == "RGB"
    assert 0.5 < sheet.width / sheet.height < 3


def test_names_and_percents_are_written(picture: Image.Image) -> None:
    sheets = {
        tag_sheet(picture, [Tag(name, percent, "words")]).tobytes()
        for name, percent in (("tiger", 60.0), ("lion", 60.0), ("tiger", 61.0))
    }
    assert len(sheets) == 3
    nothing = tag_sheet(picture, [])
    assert nothing.tobytes() != tag_sheet(picture, [], nothing="Kein Thema passt").tobytes()
