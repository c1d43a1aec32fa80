"""Crops equal those of the libraries that trained the networks."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image
from timm.data import create_transform

from engine.encoders.preprocessing import Preprocessing
from tests.engine.encoders.conftest import picture

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SIZES = [
    (256, 170),
    (170, 256),
    (224, 224),
    (64, 64),
    (50, 37),
    (1013, 761),
    (640, 33),
    (3, 500),
    (1, 1),
]


def ours(preprocessing: Preprocessing, image: Image.Image) -> torch.Tensor:
    crop = torch.from_numpy(preprocessing.crop(image).copy()).permute(2, 0, 1) / 255
    mean, std = torch.tensor(preprocessing.mean), torch.tensor(preprocessing.std)
    return (crop - mean.view(3, 1, 1)) / std.view(3, 1, 1)


def assert_same(
    preprocessing: Preprocessing, theirs: Callable[..., Any], image: Image.Image
) -> None:
    torch.testing.assert_close(ours(preprocessing, image), theirs(image), atol=1e-5, rtol=0)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
@pytest.mark.parametrize("resize_mode", ["shortest", "longest", "squash"])
def test_crops_equal_open_clips(
    resize_mode: str, interpolation: str, size: tuple[int, int]
) -> None:
    config = PreprocessCfg(
        size=224, interpolation=interpolation, resize_mode=resize_mode, fill_color=7
    )
    preprocessing = Preprocessing.of_open_clip(vars(config))
    assert_same(preprocessing, image_transform_v2(config, is_train=False), picture(1, size))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("crop_pct", [0.875, 0.9, 1.0])
@pytest.mark.parametrize("crop_mode", ["center", "squash", "border"])
def test_crops_equal_timms(crop_mode: str, crop_pct: float, size: tuple[int, int]) -> None:
    config = {
        "input_size": (3, 224, 224),
        "interpolation": "bicubic",
        "mean": (0.485, 0.456, 0.406),
        "std": (0.229, 0.224, 0.225),
        "crop_pct": crop_pct,
        "crop_mode": crop_mode,
    }
    assert_same(Preprocessing.of_timm(config), create_transform(**config), picture(2, size))


def test_crops_of_real_photos_equal_open_clips(shared_data: Path) -> None:
    preprocessing = Preprocessing.of_open_clip(vars(PreprocessCfg()))
    theirs = image_transform_v2(PreprocessCfg(), is_train=False)
    for path in sorted((shared_data / "photos" / "test").rglob("*.jpg"))[:20]:
        with Image.open(path) as image:
            assert_same(preprocessing, theirs, image.convert("RGB"))


def test_crops_are_bytes_and_the_same_from_many_threads() -> None:
    preprocessing = Preprocessing.of_open_clip(vars(PreprocessCfg()))
    image = picture(3, (500, 300))
    with ThreadPoolExecutor(8) as pool:
        crops = list(pool.map(preprocessing.crop, [image] * 32))
    assert crops[0].shape == (224, 224, 3)
    assert crops[0].dtype == np.uint8
    assert all(np.array_equal(crop, crops[0]) for crop in crops)


def test_a_network_with_an_oblong_input_is_refused() -> None:
    with pytest.raises(ValueError, match="square"):
        Preprocessing.of_open_clip(vars(PreprocessCfg(size=(224, 320))))
