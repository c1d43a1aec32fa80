"""Small galleries and a tiny real network, for tests of the library and of what stands on it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from engine.config import load_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.config import Settings


@pytest.fixture(scope="session")
def paint() -> Callable[[Path, int], Path]:
    """Writes a picture of its own for every number: a few soft shapes in random colours."""

    def write(path: Path, number: int) -> Path:
        rng = np.random.default_rng(number)
        coarse = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)
        image = Image.fromarray(coarse).resize((160, 120), Image.Resampling.BICUBIC)
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(path, quality=92)
        return path

    return write


@pytest.fixture
def gallery(tmp_path: Path, paint: Callable[[Path, int], Path]) -> Path:
    """A folder of three categories with four pictures each."""
    folder = tmp_path / "gallery"
    for place, category in enumerate(("lion", "red car", "tiger")):
        for number in range(4):
            paint(folder / category / f"{number}.jpg", place * 4 + number)
    return folder


@pytest.fixture
def pixel_settings(tmp_path: Path) -> Settings:
    """Settings of a library of its own, without an encoder."""
    return load_settings(data_dir=tmp_path / "data", encoder="none")


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """ENCODER for a real network of a few kilobytes with random weights."""
    import json

    import safetensors.torch
    import timm
    import torch

    torch.manual_seed(0)
    model = timm.create_model("test_resnet", pretrained=False, num_classes=0)
    folder = tmp_path_factory.mktemp("tiny-encoder")
    config = {
        "architecture": "test_resnet",
        "num_classes": 0,
        "num_features": model.num_features,
        "pretrained_cfg": {
            "input_size": [3, 64, 64],
            "mean": [0.5, 0.5, 0.5],
            "std": [0.5, 0.5, 0.5],
            "interpolation": "bicubic",
            "crop_pct": 1.0,
            "num_classes": 0,
            "pool_size": [2, 2],
        },
    }
    (folder / "config.json").write_text(json.dumps(config))
    safetensors.torch.save_file(model.state_dict(), folder / "model.safetensors")
    return f"timm:local-dir:{folder}"


@pytest.fixture
def settings(tmp_path: Path, tiny_encoder: str) -> Settings:
    """Settings of a library of its own, with the tiny encoder."""
    return load_settings(data_dir=tmp_path / "data", encoder=tiny_encoder, device="cpu")


DEMO_ENCODER = Path(__file__).resolve().parents[2] / "data" / "demo-encoder"
DRAWN_PER_TOPIC = 16


@pytest.fixture(scope="session")
def drawn_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of a library of drawings, indexed with the demo's encoder; for reading only."""
    from engine.drawings import write_gallery
    from engine.library import Library

    folder = tmp_path_factory.mktemp("drawn")
    write_gallery(folder / "gallery", DRAWN_PER_TOPIC)
    settings = load_settings(
        data_dir=folder / "data", encoder=f"open_clip:local-dir:{DEMO_ENCODER}", device="cpu"
    )
    with Library.open(settings, write=True) as library:
        library.index([folder / "gallery"])
    return settings
