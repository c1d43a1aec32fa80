"""Cleaning: from whatever bytes came to one JPEG worth keeping, or the reason for refusing it."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from engine.errors import ImageError
from engine.images import image_id, open_image, perceptual_hash

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engine.catalog import Photo

MAX_SIDE = 1280
"""Longest side, in pixels, of what is stored."""
QUALITY = 90
MIN_SIDE = 50
"""Least short side: smaller ones are icons and placeholders."""
MAX_RATIO = 5.0
"""Long side to short side; beyond are banners, rulers and strips of film."""

LOOK = 256
"""Longest side, in pixels, at which sharpness is judged, so that size does not decide it."""
UNIFORM = 4.0
"""Grey level's standard deviation below which a picture shows nothing.

Of 595 real photos the flattest has 8.9.
"""
BLURRED = 25.0
"""Variance of the Laplacian below which a picture is blurred.

Measured on every other of 595 real photos at 256 pixels: the lowest has 74, the median 1,814. With
a Gaussian blur of 2 pixels 95 % lie below 23, of 3 pixels all below 12.
"""


class Reason(StrEnum):
    """Why a picture is refused; also the keys under which refusals are counted."""

    UNREADABLE = "unreadable"
    NO_PICTURE = "no_picture"
    TOO_LARGE = "too_large"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_SMALL = "too_small"
    EXTREME_RATIO = "extreme_ratio"
    UNIFORM = "uniform"
    BLURRED = "blurred"
    DUPLICATE = "duplicate"
    NEAR_DUPLICATE = "near_duplicate"
    OFF_TOPIC = "off_topic"


_REASONS = {
    "image_empty": Reason.UNREADABLE,
    "image_broken": Reason.UNREADABLE,
    "image_format": Reason.NO_PICTURE,
    "image_bytes": Reason.TOO_LARGE,
    "image_pixels": Reason.TOO_MANY_PIXELS,
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """A picture that is not taken, and why."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A picture to be stored: `data` is the JPEG file, `id` named by its content.

    `original_id` is the id of the bytes as they came, under which the library may know the picture
    if it was indexed from a folder. `thumb` is the stored file's thumbnail, (side, side, 3) uint8,
    where somebody made it already.
    """

    id: str
    original_id: str
    data: bytes
    width: int
    height: int
    phash: int
    thumb: NDArray[np.uint8] | None = field(default=None, compare=False)

    def photo(self, category: str, **facts: str | int | None) -> Photo:
        """The catalogue's row for it.

        Args:
            category: The category it goes to.
            facts: Other fields of `Photo`: owner, source, licence and so on.
        """
        from engine.catalog import Photo

        return Photo(self.id, category, self.width, self.height, self.phash, **facts)  # type: ignore[arg-type]


def clean(data: bytes, *, is_strict: bool = True) -> Cleaned | Refusal:
    """Decode a picture fully, judge it and make the file that is to be stored.

    The same bytes always give the same file. Safe to call from several threads.

    Args:
        data: A file's bytes, from anywhere.
        is_strict: Also refuse what is small, long, uniform or blurred; not wanted for a picture
            that a person chose.
    """
    try:
        image = open_image(data, min_side=MAX_SIDE)
    except ImageError as error:
        return Refusal(_REASONS[error.key])
    grey = image.convert("L")
    if is_strict and (reason := _flaw(grey)) is not None:
        return Refusal(reason)
    if max(image.size) > MAX_SIDE:
        # Not beside the large ones: at 40 million pixels they are better let go.
        size = _fitted_size(image, MAX_SIDE)
        image = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
        grey = image.convert("L")
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=QUALITY)
    stored = stream.getvalue()
    return Cleaned(
        id=image_id(stored),
        original_id=image_id(data),
        data=stored,
        width=image.width,
        height=image.height,
        phash=perceptual_hash(grey),
    )


def warm_up() -> None:
    """Load what cleaning needs, so that the first picture takes no longer than the others."""
    stream = io.BytesIO()
    Image.new("RGB", (8, 8)).save(stream, "JPEG")
    clean(stream.getvalue(), is_strict=False)


def sharpness(image: Image.Image) -> float:
    """Variance of the Laplacian of the grey picture, at most `LOOK` pixels long; 0 if uniform.

    Source: J. L. Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy" (2000), with
    the four-neighbour Laplacian.
    """
    return _variance_of_laplacian(_looked_at(image.convert("L")))


def _variance_of_laplacian(image: Image.Image) -> float:
    if min(image.size) < 3:
        return 0.0
    grey = np.asarray(image, np.float32)
    laplacian = grey[:-2, 1:-1] + grey[2:, 1:-1]
    laplacian += grey[1:-1, :-2]
    laplacian += grey[1:-1, 2:]
    laplacian -= 4 * grey[1:-1, 1:-1]
    mean = float(laplacian.mean())  # as var(), in two passes over it rather than four
    return float(np.vdot(laplacian, laplacian)) / laplacian.size - mean * mean


def _deviation(image: Image.Image) -> float:
    """Standard deviation of the grey level."""
    levels, counts = np.arange(256), np.array(image.histogram())
    mean = levels @ counts / counts.sum()
    return float(np.sqrt((levels - mean) ** 2 @ counts / counts.sum()))


def _flaw(grey: Image.Image) -> Reason | None:
    short, long = sorted(grey.size)
    if short < MIN_SIDE:
        return Reason.TOO_SMALL
    if long > MAX_RATIO * short:
        return Reason.EXTREME_RATIO
    small = _looked_at(grey)
    if _deviation(small) < UNIFORM:
        return Reason.UNIFORM
    return Reason.BLURRED if _variance_of_laplacian(small) < BLURRED else None


def _looked_at(grey: Image.Image) -> Image.Image:
    if max(grey.size) <= LOOK:
        return grey
    return grey.resize(_fitted_size(grey, LOOK), Image.Resampling.BOX)


def _fitted_size(image: Image.Image, side: int) -> tuple[int, int]:
    """Its size when the longest side is `side`."""
    scale = side / max(image.size)
    return max(1, round(image.width * scale)), max(1, round(image.height * scale))
