"""Models with random weights, made on the spot: as fast as real ones, and no download."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from typing import TYPE_CHECKING

import open_clip
import torch
from open_clip.transform import PreprocessCfg
from safetensors.torch import save_file

if TYPE_CHECKING:
    from pathlib import Path


def random_clip(folder: Path, name: str) -> Path:
    """Write a model of open_clip's with random weights as a `local-dir`.

    Args:
        folder: Where to; made if missing. A model that is there already is kept.
        name: open_clip's name of the architecture, for instance `ViT-B-32`.

    Returns:
        The folder, for `ENCODER=open_clip:local-dir:<folder>`.
    """
    weights = folder / "open_clip_model.safetensors"
    if weights.is_file():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    model = open_clip.create_model(name, pretrained_text=False)
    preprocess = asdict(PreprocessCfg(size=model.visual.image_size))
    description = {"model_cfg": open_clip.get_model_config(name), "preprocess_cfg": preprocess}
    (folder / "open_clip_config.json").write_text(json.dumps(description), encoding="utf-8")
    part = weights.with_suffix(".part")
    save_file({key: value.contiguous() for key, value in model.state_dict().items()}, part)
    shutil.move(part, weights)
    return folder
