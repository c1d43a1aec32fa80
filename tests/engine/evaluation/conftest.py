"""A folder of drawn pictures whose categories can be told by colour, or partly not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path

HUES = {"blue": (40, 60, 200), "green_leaf": (40, 170, 60), "xanh lá": (60, 160, 90)}


def draw(path: Path, hue: tuple[int, int, int], seed: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(-40, 41, (8, 8, 3))
    pixels = np.clip(np.array(hue) + noise, 0, 255).astype(np.uint8)
    Image.fromarray(pixels).resize((96, 72), Image.Resampling.NEAREST).save(path)
    return path


@pytest.fixture(scope="session")
def colours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`train` and `test` folders of three colours, five and two pictures each."""
    folder = tmp_path_factory.mktemp("colours")
    for place, (name, hue) in enumerate(HUES.items()):
        for number in range(5):
            draw(folder / "train" / name / f"{number}.png", hue, 100 * place + number)
        for number in range(2):
            draw(folder / "test" / name / f"{number}.png", hue, 100 * place + 50 + number)
    return folder
