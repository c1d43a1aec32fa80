"""From a picture of any size to the square crop a network looks at."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

RESAMPLING = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "box": Image.Resampling.BOX,
    "hamming": Image.Resampling.HAMMING,
    "lanczos": Image.Resampling.LANCZOS,
}


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """What a network was trained to see.

    Args:
        side: Side of the square input, in pixels.
        resized: What the picture is scaled to before the crop, in pixels.
        fit: Which side is scaled to `resized`: the shortest (the rest is cropped), the longest
            (the rest is filled) or both (the proportions change).
        resampling: How pixels are interpolated.
        mean: Per channel, of values in 0..1.
        std: Per channel, of values in 0..1.
        fill: Colour around a picture that is fitted by its longest side.
    """

    side: int
    resized: int
    fit: Literal["shortest", "longest", "both"]
    resampling: Image.Resampling
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    fill: tuple[int, int, int] = (0, 0, 0)

    @classmethod
    def of_open_clip(cls, config: Mapping[str, Any]) -> Preprocessing:
        """From a model's `preprocess_cfg`.

        Raises:
            ValueError: The input is not square.
        """
        side = _square(config["size"])
        fits: dict[str, Literal["shortest", "longest", "both"]]
        fits = {"shortest": "shortest", "longest": "longest", "squash": "both"}
        # open_clip itself knows two ways only, and takes any other word for bicubic.
        is_bilinear = config["interpolation"] == "bilinear"
        fill = int(config.get("fill_color") or 0)
        return cls(
            side,
            side,
            fits[config["resize_mode"]],
            RESAMPLING["bilinear" if is_bilinear else "bicubic"],
            _triple(config["mean"]),
            _triple(config["std"]),
            (fill, fill, fill),
        )

    @classmethod
    def of_timm(cls, config: Mapping[str, Any]) -> Preprocessing:
        """From what `timm.data.resolve_data_config` gives.

        Raises:
            ValueError: The input is not square.
        """
        side = _square(config["input_size"][1:])
        fits: dict[str, Literal["shortest", "longest", "both"]]
        fits = {"squash": "both", "border": "longest"}
        mean = _triple(config["mean"])
        return cls(
            side,
            math.floor(side / config["crop_pct"]),
            fits.get(config["crop_mode"], "shortest"),
            RESAMPLING.get(config["interpolation"], Image.Resampling.BILINEAR),
            mean,
            _triple(config["std"]),
            (round(255 * mean[0]), round(255 * mean[1]), round(255 * mean[2])),
        )

    def crop(self, image: Image.Image) -> NDArray[np.uint8]:
        """The crop that the network looks at. Thread-safe; nearly all of it without the GIL.

        Pixel for pixel what the model's own library makes. (Scaling only what the crop keeps
        would save a third of a millisecond, but Pillow then rounds otherwise on the way.)

        Args:
            image: RGB picture of any size.

        Returns:
            uint8 array of shape (side, side, 3).
        """
        width, height = self._scaled(*image.size)
        scaled = image.resize((width, height), self.resampling)
        left, across = _middle(width, self.side)
        top, down = _middle(height, self.side)
        pixels: NDArray[np.uint8] = np.asarray(scaled.crop((left, top, left + across, top + down)))
        if across == self.side and down == self.side:
            return pixels
        canvas = np.full((self.side, self.side, 3), self.fill, dtype=np.uint8)
        x, y = (self.side - across) // 2, (self.side - down) // 2
        canvas[y : y + down, x : x + across] = pixels
        return canvas

    def _scaled(self, width: int, height: int) -> tuple[int, int]:
        if self.fit == "both":
            return self.resized, self.resized
        if self.fit == "longest":
            longest = max(width, height)
            return (
                max(1, round(width * self.resized / longest)),
                max(1, round(height * self.resized / longest)),
            )
        # torchvision rounds the longer side down, and so must whoever wants its pixels.
        if width <= height:
            return self.resized, int(self.resized * height / width)
        return int(self.resized * width / height), self.resized


def _middle(scaled: int, side: int) -> tuple[int, int]:
    """Where the crop starts, and how much of `scaled` it keeps."""
    return (round((scaled - side) / 2), side) if scaled > side else (0, scaled)


def _square(size: Any) -> int:  # noqa: ANN401 - a number or a pair, as the model's file has it
    if isinstance(size, int):
        return size
    height, width = size
    if height != width:
        raise ValueError(f"its input is {width}×{height}, and only square inputs are supported")
    return int(height)


def _triple(values: Any) -> tuple[float, float, float]:  # noqa: ANN401 - a number or three
    if isinstance(values, int | float):
        return (float(values),) * 3
    red, green, blue = (float(value) for value in values)
    return red, green, blue
