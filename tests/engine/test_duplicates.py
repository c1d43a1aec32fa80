from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageEnhance

from engine.duplicates import NEAR, Originals
from engine.images import hamming, open_image, perceptual_hash

if TYPE_CHECKING:
    from pathlib import Path


def test_nearest_is_found_within_the_threshold_only() -> None:
    hashes = np.array([0, -1, 0b11111111], dtype=np.int64)
    originals = Originals(["none", "all", "eight"], hashes)
    assert originals.nearest(0b1111111) == "eight"
    assert originals.nearest(1) == "none"
    assert originals.nearest(-2) == "all"
    assert originals.nearest(0x0F0F_0F0F_0F0F_0F0F) is None


def test_new_originals_are_compared_with_too() -> None:
    originals = Originals([], np.empty(0, dtype=np.int64))
    assert originals.nearest(5) is None
    rng = np.random.default_rng(1)
    hashes = rng.integers(-(2**63), 2**63, 3000)
    for number, value in enumerate(hashes):
        originals.add(str(number), int(value))
    assert all(
        originals.nearest(int(value) ^ 1) == str(n) for n, value in enumerate(hashes[-50:], 2950)
    )


def test_threshold_tells_copies_from_other_photos(shared_data: Path) -> None:
    paths = sorted((shared_data / "photos" / "train").rglob("*.jpg"))
    opened = [open_image(path) for path in paths]
    hashes = [perceptual_hash(image) for image in opened]
    distances = [hamming(a, b) for place, a in enumerate(hashes) for b in hashes[:place]]
    assert sum(distance <= NEAR for distance in distances) <= 2
    copies = [_recompressed, _shrunk, _brighter]
    found = [
        hamming(perceptual_hash(copy(image)), value) <= NEAR
        for image, value in zip(opened[::10], hashes[::10], strict=True)
        for copy in copies
    ]
    assert np.mean(found) >= 0.95


def _recompressed(image: Image.Image) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=40)
    return open_image(file.getvalue())


def _shrunk(image: Image.Image) -> Image.Image:
    return image.resize((image.width * 2 // 3, image.height * 2 // 3))


def _brighter(image: Image.Image) -> Image.Image:
    return ImageEnhance.Brightness(image).enhance(1.15)
