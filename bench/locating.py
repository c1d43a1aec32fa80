"""Cut-outs of photos: how many are found, where none lies, and the time beside plain OpenCV."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from bench.figures import Figure, alternated
from engine.images import open_image
from engine.locate import locate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.locate import Location

PHOTOS = Path(__file__).resolve().parents[2] / "shared" / "photos"
COUNT = 60
LEAST_OVERLAP = 0.5


@dataclass(frozen=True, slots=True)
class Cutout:
    """A changed part of a photo, and its true box in pixels of the photo."""

    image: Image.Image
    box: tuple[int, int, int, int]
    scale: float


def cut_out(photo: Image.Image, seed: int) -> Cutout:
    """Cut a random place of a fifth to three fifths of each side out, and change it.

    Scale 0.5 to 2, evenly by its logarithm; gain 0.8 to 1.2; offset ±20; noise of sigma 5.
    """
    rng = np.random.default_rng(seed)
    width, height = (min(max(40, round(side * rng.uniform(0.2, 0.6))), side) for side in photo.size)
    left = int(rng.integers(0, photo.width - width + 1))
    top = int(rng.integers(0, photo.height - height + 1))
    box = (left, top, left + width, top + height)
    scale = float(2.0 ** rng.uniform(-1.0, 1.0))
    size = (round(width * scale), round(height * scale))
    part = np.asarray(photo.crop(box).resize(size, Image.Resampling.BICUBIC), dtype=np.float64)
    part = part * rng.uniform(0.8, 1.2) + rng.uniform(-20, 20) + rng.normal(0, 5, part.shape)
    return Cutout(Image.fromarray(part.round().clip(0, 255).astype(np.uint8)), box, scale)


def overlap(a: Sequence[int], b: Sequence[int]) -> float:
    """Intersection over union of two boxes."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    shared = max(width, 0) * max(height, 0)
    whole = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
    return shared / (whole - shared)


def is_right(location: Location | None, cutout: Cutout) -> bool:
    """Whether a place was found, and the true one."""
    return location is not None and overlap(location.box, cutout.box) >= LEAST_OVERLAP


def measure(folder: Path, pictures: int) -> list[Figure]:  # noqa: ARG001 - as every group's
    """Shares found and falsely found, and the time; on photos beside the project or drawings."""
    photos, kind = _pictures()
    cutouts = [cut_out(photo, seed) for seed, photo in enumerate(photos)]
    others = [*photos[1:], photos[0]]
    found = [
        is_right(locate(photo, each.image), each)
        for photo, each in zip(photos, cutouts, strict=True)
    ]
    false = [
        locate(photo, each.image) is not None for photo, each in zip(others, cutouts, strict=True)
    ]
    pairs = list(zip(photos, cutouts, strict=True))[::3]
    ours, plain, ladder = alternated(
        3,
        lambda: [locate(photo, each.image) for photo, each in pairs],
        lambda: [_match_template(photo, each, (each.scale,)) for photo, each in pairs],
        lambda: [_match_template(photo, each, np.geomspace(0.5, 2, 22)) for photo, each in pairs],
    )
    each_ms = 1e3 / len(pairs)
    return [
        Figure(
            f"cut-outs of {COUNT} {kind}: found (IoU ≥ {LEAST_OVERLAP})",
            100 * float(np.mean(found)), "%", 95, detail="scale 0.5–2, gain, offset and noise",
        ),
        Figure(
            f"cut-outs of other {kind}: falsely found",
            100 * float(np.mean(false)), "%", 5, "smaller",
        ),
        Figure(
            "locating at all scales: time beside matchTemplate at the one true scale",
            ours / plain, "×", None, "smaller",
            f"{ours * each_ms:.1f} ms against {plain * each_ms:.1f} ms",
        ),
        Figure(
            "locating at all scales: time beside matchTemplate at 22 scales",
            ours / ladder, "×", None, "smaller", f"{ladder * each_ms:.1f} ms",
        ),
    ]  # fmt: skip


def _pictures() -> tuple[list[Image.Image], str]:
    paths = sorted(PHOTOS.glob("test/*/*.jpg"))[:COUNT]
    if len(paths) == COUNT:
        return [open_image(path) for path in paths], "photos"
    from engine.drawings import HELD_OUT_SEED, TOPICS, draw

    drawn = (draw(TOPICS[n % len(TOPICS)], HELD_OUT_SEED + n).image for n in range(COUNT))
    return list(drawn), "drawings"


def _match_template(
    photo: Image.Image, cutout: Cutout, scales: Sequence[float] | np.ndarray
) -> list[float]:
    """OpenCV's normalised correlation, as a notebook calls it."""
    import cv2

    picture = np.asarray(photo)
    best = []
    for scale in scales:
        size = (round(cutout.image.width / scale), round(cutout.image.height / scale))
        if size[0] > photo.width or size[1] > photo.height:
            continue
        template = cv2.resize(np.asarray(cutout.image), size, interpolation=cv2.INTER_AREA)
        found = cv2.matchTemplate(picture, template, cv2.TM_CCOEFF_NORMED)
        best.append(float(cv2.minMaxLoc(found)[1]))
    return best
