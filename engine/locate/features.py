"""Locating by network features: windows of a picture and a cut-out as an encoder sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from engine.locate.correlation import reduced
from engine.locate.place import Place, apart, scales

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from engine.encoders import Encoder
    from engine.locate.place import Box, Location

MOST_WINDOWS = 128
"""Windows looked at in the first pass; the steps between them widen for small cut-outs."""
_STEP = 1.35
_STRIDE = 0.25
"""Of a window's sides; a window then covers at least three quarters of what lies between two."""
_CANDIDATES = 2
_ROUNDS = 3
_BATCH = 64
_KEPT = 0.65
"""Sides of the parts of the cut-out that a place must be more like it than."""


def locate(picture: Image.Image, cutout: Image.Image, encoder: Encoder) -> Location | None:
    """See `engine.locate.locate`; both pictures are RGB."""
    small = reduced(picture, cutout.size)
    ratio = picture.width / small.width
    windows = list(
        _windows(small, cutout, [s * ratio for s in scales(picture.size, cutout.size, _STEP)])
    )
    if not windows:
        return None
    eye = _Eye(small, cutout, encoder)
    likeness = eye.likeness(windows)
    order = np.argsort(-likeness, kind="stable")
    best = apart((windows[at] for at in order), cutout.size, _CANDIDATES)
    score, place = max((eye.climbed(each) for each in best), key=lambda each: each[0])
    if score < eye.least():
        return None
    return place.location(picture.size, cutout.size, score=score, reduced=small.size)


def _windows(picture: Image.Image, cutout: Image.Image, steps: Sequence[float]) -> Iterator[Place]:
    """Windows of all scales over the whole picture, evenly and not too many."""
    grids = [_grid(picture, cutout, scale, _STRIDE) for scale in steps]
    widened = _STRIDE * max(1.0, (sum(map(len, grids)) / MOST_WINDOWS) ** 0.5)
    for scale in steps:
        yield from _grid(picture, cutout, scale, widened)


def _grid(picture: Image.Image, cutout: Image.Image, scale: float, stride: float) -> list[Place]:
    width = min(cutout.width / scale, picture.width)
    height = min(cutout.height / scale, picture.height)
    columns = round((picture.width - width) / (stride * width)) + 1
    rows = round((picture.height - height) / (stride * height)) + 1
    return [
        Place(x, y, scale)
        for y in np.linspace(height / 2, picture.height - height / 2, rows).tolist()
        for x in np.linspace(width / 2, picture.width - width / 2, columns).tolist()
    ]


class _Eye:
    """What an encoder makes of a cut-out, and of places in a picture."""

    def __init__(self, picture: Image.Image, cutout: Image.Image, encoder: Encoder) -> None:
        self._picture, self._cutout, self._encoder = picture, cutout, encoder
        self._wanted = self._embedded(
            cutout, [(0.0, 0.0, float(cutout.width), float(cutout.height))]
        )[0]

    def likeness(self, places: Sequence[Place]) -> NDArray[np.float32]:
        """Cosines of the places' embeddings with the cut-out's, shape (n,)."""
        boxes = [place.box(self._picture.size, self._cutout.size) for place in places]
        found: NDArray[np.float32] = self._embedded(self._picture, boxes) @ self._wanted
        return found

    def climbed(self, place: Place) -> tuple[float, Place]:
        """The most alike place nearby, looked for in steps halved each round."""
        across = _STRIDE / 2 * self._cutout.width / place.scale
        down = _STRIDE / 2 * self._cutout.height / place.scale
        times = _STEP**0.5
        score = float(self.likeness([place])[0])
        for _ in range(_ROUNDS):
            around = [
                place.moved(across * x, down * y, times**z)
                for x, y, z in (
                    (1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1),
                    (1, 1, 0), (1, -1, 0), (-1, 1, 0), (-1, -1, 0),
                )
            ]  # fmt: skip
            likeness = self.likeness(around)
            at = int(likeness.argmax())
            if likeness[at] > score:
                score, place = float(likeness[at]), around[at]
            across, down, times = across / 2, down / 2, times**0.5
        return score, place

    def least(self) -> float:
        """How alike a place must be: as the cut-out is to parts of itself.

        What alike means differs from encoder to encoder and from picture to picture; this measure
        goes with both, and needs no library.
        """
        width, height = self._cutout.size
        across, down = width * _KEPT, height * _KEPT
        corners = [(x, y) for x in (0.0, width - across) for y in (0.0, height - down)]
        boxes = [(x, y, x + across, y + down) for x, y in corners]
        return float((self._embedded(self._cutout, boxes) @ self._wanted).mean())

    def _embedded(self, image: Image.Image, boxes: Sequence[Box]) -> NDArray[np.float32]:
        """Unit rows (n, dimension) of parts of a picture, squeezed to squares."""
        rows = [np.empty((0, self._encoder.dimension), np.float32)]
        for start in range(0, len(boxes), _BATCH):
            crops = [
                np.asarray(self._squeezed(image, box)) for box in boxes[start : start + _BATCH]
            ]
            rows.append(self._encoder.embed_prepared(np.stack(crops)))
        return np.concatenate(rows)

    def _squeezed(self, image: Image.Image, box: Box | None) -> Image.Image:
        """A part of a picture as a square, first made no sharper than the cut-out is."""
        side = (self._encoder.input_size, self._encoder.input_size)
        width, height = self._cutout.size
        if box and box[2] - box[0] > width and width < side[0] and height < side[1]:
            image, box = image.resize((width, height), Image.Resampling.BICUBIC, box), None
        return image.resize(side, Image.Resampling.BICUBIC, box)
