"""A small web in a folder, with what goes wrong out there, for tests of the crawler."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from engine.config import load_settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from engine.config import Settings


@pytest.fixture(scope="session")
def picture() -> Callable[..., bytes]:
    """The bytes of a sharp picture of its own for every number."""

    def make(number: int, *, size: tuple[int, int] = (160, 120), kind: str = "JPEG") -> bytes:
        coarse = np.random.default_rng(number).integers(0, 256, (12, 16, 3), dtype=np.uint8)
        stream = io.BytesIO()
        Image.fromarray(coarse).resize(size, Image.Resampling.NEAREST).save(stream, kind)
        return stream.getvalue()

    return make


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a library of its own, without an encoder."""
    return load_settings(data_dir=tmp_path / "data", encoder="none")
