from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from engine.locate import Location
from engine.plots import boxed, location_sheet
from engine.plots.paper import ACCENT


@pytest.fixture
def picture() -> Image.Image:
    coarse = np.random.default_rng(4).integers(0, 120, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((480, 360), Image.Resampling.BICUBIC)


def is_accent(image: Image.Image) -> np.ndarray:
    return (np.asarray(image) == ACCENT).all(axis=2)


def test_box_is_drawn_around_the_place_and_the_rest_is_veiled(picture: Image.Image) -> None:
    drawn = boxed(picture, Location((120, 180, 240, 300), 1.0, 0.97))
    assert drawn.size == (960, 720)
    rows, columns = np.nonzero(is_accent(drawn)[350:, :])
    assert abs(columns.min() - 240) <= 8
    assert abs(columns.max() - 480) <= 8
    assert abs(rows.max() + 350 - 600) <= 8
    enlarged = np.asarray(picture.resize((960, 720), Image.Resampling.LANCZOS), int)
    inside = (slice(370, 590), slice(250, 470))
    assert np.abs(np.asarray(drawn, int)[inside] - enlarged[inside]).max() <= 1
    assert np.asarray(drawn, int)[:200].mean() > enlarged[:200].mean() + 50


def test_score_stands_at_the_box(picture: Image.Image) -> None:
    sure = boxed(picture, Location((120, 180, 240, 300), 1.0, 0.97))
    less = boxed(picture, Location((120, 180, 240, 300), 1.0, 0.81))
    rows, columns = np.nonzero((np.asarray(sure, int) != np.asarray(less, int)).any(axis=2))
    assert rows.max() < 360  # above the box
    assert 240 - 20 < columns.min() < columns.max() < 480


@pytest.mark.parametrize("box", [(0, 0, 480, 360), (0, 0, 3, 3), (478, 358, 480, 360)])
def test_places_at_the_edges_can_be_drawn(
    picture: Image.Image, box: tuple[int, int, int, int]
) -> None:
    drawn = boxed(picture, Location(box, 1.0, 0.9))
    assert drawn.size == (960, 720)
    assert is_accent(drawn).sum() > 500


@pytest.mark.parametrize("size", [(30, 2000), (2000, 30), (1, 1)])
def test_extreme_proportions_do_not_break_the_sheet(size: tuple[int, int]) -> None:
    long = Image.new("RGB", size, (20, 90, 40))
    sheet = location_sheet(long, long, Location((0, 0, *size), 1.0, 1.0))
    assert max(sheet.size) < 1600


def test_sheet_without_a_place_says_so_and_has_no_box(picture: Image.Image) -> None:
    cutout = picture.crop((10, 10, 90, 60))
    found = location_sheet(picture, cutout, Location((10, 10, 90, 60), 1.0, 0.9))
    lost = location_sheet(picture, cutout, None)
    assert is_accent(found).any()
    assert not is_accent(lost).any()
    assert lost.tobytes() != location_sheet(picture, cutout, None, not_found="Nein").tobytes()
