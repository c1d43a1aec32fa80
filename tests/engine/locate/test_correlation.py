"""Locating by normalised correlation, on drawn pictures and on photos."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image, ImageOps
from scipy.ndimage import gaussian_filter

from bench.locating import COUNT, cut_out, is_right, overlap
from engine.images import open_image
from engine.locate import locate
from engine.locate.correlation import correlation_map

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def painted(width: int, height: int, seed: int) -> Image.Image:
    """Detail of every size, from large areas to single pixels, as photos have it."""
    rng = np.random.default_rng(seed)
    whole = np.zeros((height, width, 3))
    for blur in (1, 3, 9, 27):
        layer = gaussian_filter(rng.normal(size=whole.shape), (blur, blur, 0))
        whole += layer / layer.std()
    whole = 128 + 45 * whole / whole.std()
    return Image.fromarray(whole.round().clip(0, 255).astype(np.uint8))


@pytest.fixture(scope="module")
def picture() -> Image.Image:
    return painted(320, 240, seed=1)


def test_correlation_is_pearsons_r_with_every_window() -> None:
    rng = np.random.default_rng(3)
    whole = rng.uniform(0, 255, (14, 17, 3)).astype(np.float32)
    template = (whole[4:9, 6:13] * 0.7 + 11).astype(np.float32)
    found = correlation_map(whole, template)
    assert found.shape == (10, 11)
    centred = template - template.mean(axis=(0, 1))
    for row, column in np.ndindex(found.shape):
        there = whole[row : row + 5, column : column + 7]
        there = there - there.mean(axis=(0, 1))
        r = (there * centred).sum() / np.sqrt((there**2).sum() * (centred**2).sum())
        assert found[row, column] == pytest.approx(r, abs=2e-3)
    assert np.unravel_index(found.argmax(), found.shape) == (4, 6)


def test_plain_areas_correlate_with_nothing() -> None:
    plain = np.full((20, 20, 3), 200, np.float32)
    template = np.random.default_rng(0).uniform(0, 255, (5, 5, 3)).astype(np.float32)
    assert np.abs(correlation_map(plain, template)).max() < 1e-3
    assert np.abs(correlation_map(template, template[:3, :3] * 0 + 9)).max() < 1e-3


def test_untouched_cut_out_is_found_to_the_pixel(picture: Image.Image) -> None:
    box = (57, 31, 157, 121)
    found = locate(picture, picture.crop(box))
    assert found is not None
    assert np.abs(np.subtract(found.box, box)).max() <= 1
    assert found.scale == pytest.approx(1, abs=0.02)
    assert found.score > 0.99
    assert 99 < found.percent <= 100


@pytest.mark.parametrize("scale", [0.5, 0.71, 1.0, 1.4, 2.0])
@pytest.mark.parametrize("light", [(0.8, 20), (1.2, -20), (1.0, 0)])
def test_rescaled_brightened_noisy_cut_out_is_found(
    picture: Image.Image, scale: float, light: tuple[float, float]
) -> None:
    box = (140, 60, 260, 150)
    size = (round(120 * scale), round(90 * scale))
    part = np.asarray(picture.crop(box).resize(size, Image.Resampling.BICUBIC), float)
    part = part * light[0] + light[1] + np.random.default_rng(0).normal(0, 5, part.shape)
    found = locate(picture, Image.fromarray(part.round().clip(0, 255).astype(np.uint8)))
    assert found is not None
    assert overlap(found.box, box) > 0.9
    assert found.scale == pytest.approx(scale, rel=0.03)


def test_the_whole_picture_is_a_cut_out_of_itself(picture: Image.Image) -> None:
    found = locate(picture, picture.resize((200, 150)))
    assert found is not None
    assert found.box == (0, 0, 320, 240)


@pytest.mark.parametrize("box", [(0, 0, 70, 60), (250, 180, 320, 240), (0, 100, 320, 150)])
def test_places_at_the_edges_are_found_within_the_picture(
    picture: Image.Image, box: tuple[int, int, int, int]
) -> None:
    found = locate(picture, picture.crop(box))
    assert found is not None
    assert overlap(found.box, box) > 0.9
    assert min(found.box) >= 0
    assert found.box[2] <= picture.width
    assert found.box[3] <= picture.height


@pytest.mark.parametrize("part", [(1500, 1200, 1800, 1425), (300, 400, 2400, 2000)])
def test_large_pictures_are_searched_and_boxes_are_in_their_own_pixels(
    part: tuple[int, int, int, int],
) -> None:
    large = painted(700, 500, seed=2).resize((2800, 2000), Image.Resampling.BICUBIC)
    cutout = large.crop(part).resize(((part[2] - part[0]) * 3 // 4, (part[3] - part[1]) * 3 // 4))
    found = locate(large, cutout)
    assert found is not None
    assert overlap(found.box, part) > 0.95
    assert found.scale == pytest.approx(0.75, rel=0.03)


def test_compression_does_not_hide_a_cut_out(picture: Image.Image) -> None:
    buffer = io.BytesIO()
    picture.crop((100, 20, 200, 120)).save(buffer, "JPEG", quality=60)
    found = locate(picture, open_image(buffer.getvalue()))
    assert found is not None
    assert overlap(found.box, (100, 20, 200, 120)) > 0.9


@pytest.mark.parametrize("change", [
    lambda part: painted(*part.size, seed=99),
    ImageOps.mirror,
    ImageOps.invert,
    lambda part: part.rotate(90),
    lambda part: Image.merge("RGB", part.split()[::-1]),
    lambda part: Image.new("RGB", part.size, (90, 120, 200)),
    lambda part: part.resize((1, 1)),
    lambda part: part.resize((1000, 900)),
], ids=[
    "other", "mirrored", "inverted", "turned", "other hues", "plain", "a pixel", "much too large",
])  # fmt: skip
def test_what_does_not_lie_in_the_picture_is_not_found(
    picture: Image.Image, change: Callable[[Image.Image], Image.Image]
) -> None:
    part = picture.crop((100, 20, 200, 110))
    assert locate(picture, part) is not None
    assert locate(picture, change(part)) is None


def test_smooth_slopes_of_other_colours_are_not_taken_for_each_other() -> None:
    """Every slope correlates with every other; only their colours tell them apart."""
    ramp = np.linspace(0, 1, 200)[None, :, None] * np.ones((150, 1, 1))
    dusk = Image.fromarray((np.array([40, 60, 120]) + ramp * np.array([60, 50, 40])).astype("u1"))
    noon = Image.fromarray((np.array([180, 200, 140]) + ramp * np.array([60, 50, 40])).astype("u1"))
    assert locate(dusk, dusk.crop((20, 20, 150, 120))) is not None
    assert locate(noon, dusk.crop((20, 20, 150, 120))) is None


@pytest.fixture(scope="module")
def photos(shared_data: Path) -> list[Image.Image]:
    paths = sorted((shared_data / "photos" / "test").glob("*/*.jpg"))[:COUNT]
    return [open_image(path) for path in paths]


def test_cut_outs_of_photos_are_found_where_they_lie(photos: list[Image.Image]) -> None:
    cutouts = [cut_out(photo, seed) for seed, photo in enumerate(photos)]
    right = [
        is_right(locate(photo, each.image), each)
        for photo, each in zip(photos, cutouts, strict=True)
    ]
    assert len(right) == COUNT
    assert np.mean(right) >= 0.95


def test_cut_outs_of_other_photos_are_not_found(photos: list[Image.Image]) -> None:
    cutouts = [cut_out(photo, seed) for seed, photo in enumerate(photos)]
    others = [*photos[1:], photos[0]]
    false = [
        locate(other, each.image) is not None for other, each in zip(others, cutouts, strict=True)
    ]
    assert np.mean(false) <= 0.05
