"""Real networks of a few kilobytes, with random weights, made on the spot."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from engine.encoders import LazyEncoder
from engine.encoders.specs import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from engine.encoders.encoder import BatchedEncoder

CLIP_SIDE = 64


def write_clip(folder: Path, *, seed: int = 0, **preprocess: object) -> Path:
    """A tiny CLIP with both sides, as an open_clip local-dir."""
    import open_clip
    import torch
    from safetensors.torch import save_file

    folder.mkdir(parents=True)
    model = {
        "embed_dim": 32,
        "vision_cfg": {"image_size": CLIP_SIDE, "patch_size": 16, "width": 64, "layers": 2},
        "text_cfg": {
            "context_length": 16,
            "vocab_size": 49408,
            "width": 32,
            "heads": 2,
            "layers": 1,
        },
    }
    config = {"model_cfg": model, "preprocess_cfg": {"size": CLIP_SIDE, **preprocess}}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    torch.manual_seed(seed)
    network = open_clip.CLIP(model["embed_dim"], model["vision_cfg"], model["text_cfg"])
    save_file(network.state_dict(), folder / "open_clip_model.safetensors")
    return folder


def write_timm(folder: Path, name: str = "test_resnet", **config: object) -> Path:
    """A tiny network with batch norms in it, as a timm local-dir."""
    import timm
    import torch
    from safetensors.torch import save_file

    folder.mkdir(parents=True)
    torch.manual_seed(0)
    network = timm.create_model(name)
    pretrained = {"input_size": [3, 96, 96], "num_classes": network.num_classes, **config}
    described = {key: network.pretrained_cfg[key] for key in ("first_conv", "classifier")}
    (folder / "config.json").write_text(
        json.dumps(
            {
                "architecture": name,
                "num_classes": network.num_classes,
                "pretrained_cfg": described | pretrained,
            }
        )
    )
    save_file(network.state_dict(), folder / "model.safetensors")
    return folder


def lazy(text: str, **options: object) -> LazyEncoder:
    """The encoder of a spec, on the CPU."""
    spec = parse(text)
    assert spec is not None
    return LazyEncoder(spec, device="cpu", **options)  # type: ignore[arg-type]


def picture(seed: int, size: tuple[int, int] = (120, 90)) -> Image.Image:
    """A picture with edges and gradients of its own."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (9, 12, 3), dtype=np.uint8))
    return coarse.resize(size, Image.Resampling.BICUBIC)


@pytest.fixture(scope="session")
def clip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clip") / "model")


@pytest.fixture(scope="session")
def timm_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_timm(tmp_path_factory.mktemp("timm") / "model")


@pytest.fixture
def loaded() -> Iterator[Callable[[str], BatchedEncoder]]:
    """Loads encoders and closes them after the test."""
    held: list[LazyEncoder] = []

    def load(text: str) -> BatchedEncoder:
        held.append(lazy(text))
        return held[-1].load()

    yield load
    for encoder in held:
        encoder.close()
