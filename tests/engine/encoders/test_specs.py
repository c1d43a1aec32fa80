"""What ENCODER may say, and the names of the collections that follow from it."""

from __future__ import annotations

import re
import subprocess
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from safetensors.torch import load_file, save_file

from engine.encoders import PRESETS, encoder_from
from engine.encoders.specs import parse
from engine.errors import SettingsError
from tests.engine.encoders.conftest import lazy, write_clip

if TYPE_CHECKING:
    from pathlib import Path

COLLECTION_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]{1,510}[a-zA-Z0-9]")


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_its_spec_by_another_name(name: str) -> None:
    assert lazy(name).key == lazy(PRESETS[name].spec).key
    assert lazy(name).spec == name


def test_none_is_no_encoder() -> None:
    assert encoder_from(SimpleNamespace(encoder="none", device="auto")) is None


@pytest.mark.parametrize(
    "text",
    [
        "clp",
        "",
        "open_clip:ViT-B-32",
        "open_clip:",
        "timm:",
        "timm:local-dir:",
        "keras:vgg16",
        "local-dir:x",
    ],
)
def test_a_bad_value_names_the_setting_and_the_choices(text: str) -> None:
    with pytest.raises(SettingsError, match="ENCODER") as caught:
        encoder_from(SimpleNamespace(encoder=text, device="auto"))
    assert "clip-multilingual" in str(caught.value)
    assert "timm:local-dir:<path>" in str(caught.value)


def test_a_slip_of_the_pen_is_answered_with_the_nearest_preset() -> None:
    with pytest.raises(SettingsError, match="Did you mean clip-fast"):
        parse("clip_fast")


@pytest.mark.parametrize(
    "text",
    [
        "clip",
        "timm:vgg16",
        "timm:vit_small_patch14_dinov2.lvd142m",
        "open_clip:ViT-B/32/openai",
        "timm:..odd..name..",
        "timm:mẫu",
        "timm:" + "long" * 200,
    ],
)
def test_keys_can_name_a_collection(text: str) -> None:
    key = lazy(text).key
    assert COLLECTION_NAME.fullmatch(key)
    assert len(key) < 100
    assert ".." not in key


def test_models_whose_names_differ_only_in_odd_characters_have_keys_of_their_own() -> None:
    assert len({lazy(f"timm:{name}").key for name in ("a b", "a-b", "a/b", "ab")}) == 4


def test_tags_are_read_as_open_clip_reads_them() -> None:
    assert (
        lazy("open_clip:ViT-B-32/laion2b-s34b-b79k").key
        == lazy("open_clip:ViT-B-32/laion2b_s34b_b79k").key
    )


def test_a_moved_folder_keeps_its_key_and_new_weights_change_it(tmp_path: Path) -> None:
    folder = write_clip(tmp_path / "first")
    key = lazy(f"open_clip:local-dir:{folder}").key
    folder = folder.rename(tmp_path / "second")
    (folder / "README.md").write_text("a model")
    assert lazy(f"open_clip:local-dir:{folder}").key == key
    weights = load_file(folder / "open_clip_model.safetensors")
    weights["visual.transformer.resblocks.1.mlp.c_fc.bias"][3] += 1e-3
    save_file(weights, folder / "open_clip_model.safetensors")
    assert lazy(f"open_clip:local-dir:{folder}").key != key


def test_a_missing_folder_has_a_key_until_the_model_appears(tmp_path: Path) -> None:
    encoder = lazy(f"open_clip:local-dir:{tmp_path / 'model'}")
    assert encoder.key == "open_clip-local-absent"
    write_clip(tmp_path / "model")
    assert encoder.key not in {"", "open_clip-local-absent"}


def test_a_key_needs_no_network_library() -> None:
    code = (
        "import sys; from types import SimpleNamespace as N;"
        "from engine.encoders import encoder_from;"
        "print(encoder_from(N(encoder='clip', device='auto')).key);"
        "print([m for m in ('torch', 'open_clip', 'timm', 'huggingface_hub') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["open_clip-ViT-B-32-256-datacomp_s34b_b86k", "[]"]
