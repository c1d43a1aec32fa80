"""Locating by what a real network sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from bench.locating import cut_out, overlap
from engine.config import load_settings
from engine.encoders import encoder_from
from engine.errors import EncoderUnavailableError
from engine.images import open_image
from engine.locate import locate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engine.encoders import Encoder


@pytest.fixture(scope="module")
def encoder(shared_data: Path) -> Iterator[Encoder]:
    folder = shared_data / "encoders" / "mobilenetv2-imagenet"
    lazy = encoder_from(load_settings(encoder=f"timm:local-dir:{folder}", device="cpu"))
    assert lazy is not None
    yield lazy.load()
    lazy.close()


@pytest.fixture(scope="module")
def photos(shared_data: Path) -> list[Image.Image]:
    paths = sorted((shared_data / "photos" / "test").glob("*/*.jpg"))[5:60:14]
    return [open_image(path) for path in paths]


def test_cut_outs_of_photos_are_found_about_where_they_lie(
    encoder: Encoder, photos: list[Image.Image]
) -> None:
    found = 0
    for seed, photo in enumerate(photos):
        cutout = cut_out(photo, 100 + seed)
        location = locate(photo, cutout.image, method="features", encoder=encoder)
        found += location is not None and overlap(location.box, cutout.box) >= 0.4
    assert found >= len(photos) - 1


def test_cut_outs_of_other_photos_are_not_found(
    encoder: Encoder, photos: list[Image.Image]
) -> None:
    others = [*photos[1:], photos[0]]
    false = [
        locate(other, cut_out(photo, 100 + seed).image, method="features", encoder=encoder)
        for seed, (photo, other) in enumerate(zip(photos, others, strict=True))
    ]
    assert sum(each is not None for each in false) <= 1


def test_recoloured_cut_out_is_found_by_features_only(
    encoder: Encoder, photos: list[Image.Image]
) -> None:
    photo = photos[0]
    box = (photo.width // 4, photo.height // 4, photo.width * 3 // 4, photo.height * 3 // 4)
    red, green, blue = photo.crop(box).split()
    part = Image.merge("RGB", (red.point(lambda v: v * 0.6), green, blue.point(lambda v: v // 2)))
    part = Image.blend(part, Image.new("RGB", part.size, (255, 230, 160)), 0.35)
    assert locate(photo, part) is None
    found = locate(photo, part, method="features", encoder=encoder)
    assert found is not None
    assert overlap(found.box, box) > 0.5


def test_too_large_a_cut_out_is_not_looked_for(encoder: Encoder, photos: list[Image.Image]) -> None:
    part = photos[0].resize((photos[0].width * 3, photos[0].height * 3))
    assert locate(photos[0], part, method="features", encoder=encoder) is None


def test_features_need_an_encoder_and_methods_have_names() -> None:
    picture = Image.fromarray(np.zeros((50, 50, 3), np.uint8))
    with pytest.raises(EncoderUnavailableError) as caught:
        locate(picture, picture, method="features")
    assert caught.value.key == "encoder_none"
    with pytest.raises(ValueError, match="correlation, features"):
        locate(picture, picture, method="magic")  # type: ignore[arg-type]
