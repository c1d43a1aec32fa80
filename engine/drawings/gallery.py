"""The drawn sample gallery: one picture by topic and seed, and a folder of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.drawings.canvas import Canvas
from engine.drawings.dice import Dice
from engine.drawings.painters import PAINTERS
from engine.drawings.words import caption

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from PIL import Image

TOPICS: tuple[str, ...] = tuple(PAINTERS)
"""Names of everything that can be drawn, in the order of a gallery's folders."""

GALLERY_SEED = 0
"""First seed of a gallery; seeds below `HELD_OUT_SEED` are for galleries."""
HELD_OUT_SEED = 1_000_000
"""First seed of pictures to ask with: in no gallery, and never seen in training."""
TRAINING_SEED = 2_000_000
"""First seed of the pictures that the demo encoder is trained on; all above are for training."""

JPEG_QUALITY = 90


@dataclass(frozen=True, slots=True)
class Drawing:
    """One drawn picture.

    Attributes:
        image: Square RGB.
        topic: One of `TOPICS`.
        caption: English; names what is drawn: "a red apple on a wooden table".
        subject: The shortest way to say it: "a red apple".
    """

    image: Image.Image
    topic: str
    caption: str
    subject: str


def draw(topic: str, seed: int, side: int = 320) -> Drawing:
    """Draw a picture; the same arguments always give the same pixels.

    Args:
        topic: One of `TOPICS`.
        seed: Non-negative; chooses colours, composition, light, weather, details.
        side: Pixels a side, 16 or more; the composition does not depend on it.

    Raises:
        ValueError: No such topic, a negative seed, or too small a side.
    """
    if topic not in PAINTERS:
        raise ValueError(f"no topic is called {topic!r}; there are {', '.join(TOPICS)}")
    if seed < 0 or side < 16:
        raise ValueError("a drawing needs a seed >= 0 and a side >= 16")
    dice = Dice(topic, seed)
    canvas = Canvas(side, light=dice.pick((-1, 1)))
    words = PAINTERS[topic](canvas, dice)
    text = caption(dice, words)
    return Drawing(canvas.finish(Dice(topic, seed, stream=1)), topic, text, words.subject)


def write_gallery(
    folder: Path,
    per_topic: int = 24,
    *,
    first_seed: int = GALLERY_SEED,
    progress: Callable[[int, int], None] | None = None,
) -> list[Path]:
    """Write `<folder>/<topic>/<nn>.jpg` for every topic; pictures already there are left alone.

    Args:
        folder: Made where it is absent.
        per_topic: Pictures of each topic.
        first_seed: Seed of each topic's first picture; the others follow it.
        progress: Called with (pictures done, pictures in all) after each one.

    Returns:
        The paths of all pictures, drawn now or before, by topic.
    """
    paths: list[Path] = []
    total = per_topic * len(TOPICS)
    for topic in TOPICS:
        (folder / topic).mkdir(parents=True, exist_ok=True)
        for number in range(per_topic):
            path = folder / topic / f"{number:02d}.jpg"
            if not path.exists():
                _write(draw(topic, first_seed + number).image, path)
            paths.append(path)
            if progress is not None:
                progress(len(paths), total)
    return paths


def _write(image: Image.Image, path: Path) -> None:
    # Renamed into place, so that an interrupted run never leaves half a picture to be skipped.
    unfinished = path.with_suffix(".part")
    image.save(unfinished, format="JPEG", quality=JPEG_QUALITY)
    unfinished.replace(path)
