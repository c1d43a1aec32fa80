"""Asking with pictures that were mirrored, or have grain."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image, ImageOps

from engine.library import Library
from engine.metrics import METRICS
from engine.query import MOST_DENOISED, denoised, mirrored, noted_id
from engine.search import Query, Search

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engine.config import Settings


@pytest.fixture
def library(settings: Settings, gallery: Path) -> Iterator[Library]:
    with Library.open(settings, write=True) as library:
        library.index([gallery])
        yield library


@pytest.fixture
def search(library: Library) -> Search:
    return Search(library)


def peppered(image: Image.Image, share: float = 0.1, seed: int = 0) -> Image.Image:
    """The picture with some pixels black or white."""
    rng = np.random.default_rng(seed)
    pixels = np.array(image)
    wrong = rng.random(pixels.shape[:2]) < share
    pixels[wrong] = rng.choice(np.array([0, 255], np.uint8), (int(wrong.sum()), 1))
    return Image.fromarray(pixels)


@pytest.mark.parametrize("metric", METRICS)
def test_mirrored_picture_finds_its_original(
    search: Search, gallery: Path, tmp_path: Path, metric: str
) -> None:
    for path in gallery.rglob("*.jpg"):
        with Image.open(path) as image:
            ImageOps.mirror(image).save(tmp_path / "mirrored.png")
        asked = search.open_query(tmp_path / "mirrored.png")
        first = search.run(Query(images=(asked,), metric=metric, mirror=True, topk=3))[0]
        assert first.path == path
        assert first.percent >= 99


@pytest.mark.parametrize("metric", METRICS)
def test_of_both_orientations_the_better_score_counts(
    search: Search, gallery: Path, metric: str
) -> None:
    image = search.open_query(gallery / "tiger" / "2.jpg")
    query = Query(images=(image,), metric=metric, topk=12)
    there = {match.image_id: match for match in search.run(query)}
    back = {m.image_id: m for m in search.run(replace(query, images=(mirrored(image),)))}
    better = max if METRICS[metric].larger_is_better else min
    found = search.run(replace(query, mirror=True))
    assert len(found) == 12
    for match in found:
        sides = (there[match.image_id].score, back[match.image_id].score)
        assert match.score == pytest.approx(better(sides), abs=1e-6)
    scores = [match.score for match in found]
    assert scores == sorted(scores, reverse=METRICS[metric].larger_is_better)


@pytest.mark.parametrize("metric", METRICS)
def test_pages_of_a_mirrored_question_neither_repeat_nor_skip(
    search: Search, library: Library, gallery: Path, metric: str
) -> None:
    image = search.open_query(gallery / "lion" / "1.jpg")
    query = Query(images=(image,), metric=metric, mirror=True, denoise=True)
    whole = search.run(replace(query, topk=12))
    pages = [search.run(replace(query, topk=5, page=page)) for page in range(4)]
    assert [match for page in pages for match in page] == whole
    assert sorted(match.image_id for match in whole) == library.catalog.all_ids()
    only = search.run(replace(query, topk=12, category="red_car"))
    assert [match.category for match in only] == ["red car"] * 4


@pytest.mark.parametrize("metric", METRICS)
def test_more_like_a_picture_may_be_mirrored_and_leaves_it_out(
    search: Search, library: Library, gallery: Path, tmp_path: Path, metric: str
) -> None:
    original = gallery / "lion" / "0.jpg"
    with Image.open(original) as image:
        ImageOps.mirror(image).save(gallery / "tiger" / "copy.png")
    library.index([gallery])
    name = search.run(Query(images=(search.open_query(original),)))[0].image_id
    matches = search.run(Query(like=(name,), metric=metric, mirror=True, topk=20))
    assert matches[0].path == gallery / "tiger" / "copy.png"
    assert len(matches) == 12
    assert name not in {match.image_id for match in matches}


def test_private_pictures_stay_private_when_mirrored(
    search: Search, library: Library, gallery: Path
) -> None:
    image = search.open_query(gallery / "lion" / "0.jpg")
    name = search.run(Query(images=(image,)))[0].image_id
    with library.catalog.session() as session:
        from engine.schema import Image as Row

        session.get_one(Row, name).owner = 42
    for metric in METRICS:
        query = Query(images=(mirrored(image),), metric=metric, mirror=True, topk=12)
        assert name not in {match.image_id for match in search.run(query)}
        assert name == search.run(replace(query, owner=42))[0].image_id


@pytest.mark.parametrize("metric", METRICS)
def test_grain_costs_less_when_it_is_taken_out_first(
    search: Search, gallery: Path, metric: str
) -> None:
    plain, cleaned = [], []
    for number, path in enumerate(sorted(gallery.rglob("*.jpg"))):
        asked = peppered(search.open_query(path), seed=number)
        query = Query(images=(asked,), metric=metric, topk=12)
        for percents, denoise in ((plain, False), (cleaned, True)):
            matches = search.run(replace(query, denoise=denoise))
            percents += [match.percent for match in matches if match.path == path]
            if denoise:
                assert matches[0].path == path
    assert np.mean(cleaned) > np.mean(plain)


def test_median_takes_single_pixels_out_and_keeps_edges() -> None:
    pixels = np.zeros((40, 60, 3), np.uint8)
    pixels[:, 30:] = 200
    edge = Image.fromarray(pixels)
    assert np.array_equal(np.array(denoised(edge)), pixels)
    pixels[10, 10] = pixels[20, 50] = (255, 0, 90)
    assert np.array_equal(np.array(denoised(Image.fromarray(pixels))), np.array(edge))


def test_large_pictures_are_made_smaller_before_they_are_denoised() -> None:
    large = Image.new("RGB", (5000, 3000), "teal")
    small = denoised(large)
    assert small.width * small.height <= MOST_DENOISED
    assert small.width / small.height == pytest.approx(5 / 3, abs=0.01)


def test_changed_pictures_are_no_longer_those_of_the_library(search: Search, gallery: Path) -> None:
    image = search.open_query(gallery / "lion" / "0.jpg")
    assert noted_id(image) is not None
    assert noted_id(mirrored(image)) is None
    assert noted_id(denoised(image)) is None
    assert noted_id(image) is not None
