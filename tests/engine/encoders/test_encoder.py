"""Real networks: unit vectors, eval mode, shared batches, words, and bf16 beside fp32."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Lock
from time import sleep
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from PIL import Image

from engine.encoders import devices, loading
from engine.encoders.networks import _fused
from engine.errors import EncoderUnavailableError, NoTextSideError
from tests.engine.encoders.conftest import CLIP_SIDE, picture, write_clip, write_timm

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from engine.encoders.encoder import BatchedEncoder

    Load = Callable[[str], BatchedEncoder]


def test_pictures_become_unit_rows(loaded: Load, clip_folder: Path) -> None:
    encoder = loaded(f"open_clip:local-dir:{clip_folder}")
    vectors = encoder.embed_images([picture(n) for n in range(3)])
    assert (encoder.dimension, encoder.input_size) == (32, CLIP_SIDE)
    assert encoder.device == "cpu"
    assert vectors.dtype == np.float32
    assert vectors.shape == (3, 32)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert encoder.embed_images([]).shape == (0, 32)


def test_crops_give_the_same_vectors_as_their_pictures(loaded: Load, clip_folder: Path) -> None:
    encoder = loaded(f"open_clip:local-dir:{clip_folder}")
    pictures = [picture(n) for n in range(20)]
    crops = np.stack([encoder.prepare(image) for image in pictures])
    assert crops.shape == (20, CLIP_SIDE, CLIP_SIDE, 3)
    cosines = (encoder.embed_prepared(crops) * encoder.embed_images(pictures)).sum(axis=1)
    assert cosines.min() > 0.9999


def test_vectors_equal_open_clips_own(
    loaded: Load, clip_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import open_clip

    monkeypatch.setattr(loading, "precision_for", lambda _: torch.float32)
    encoder = loaded(f"open_clip:local-dir:{clip_folder}")
    name = f"local-dir:{clip_folder}"
    model, _, transform = open_clip.create_model_and_transforms(name)
    model.eval()
    image, text = picture(5), "a red car"
    with torch.inference_mode():
        theirs = model.encode_image(transform(image)[None], normalize=True).numpy()
        words = model.encode_text(open_clip.get_tokenizer(name)([text]), normalize=True).numpy()
    assert encoder.embed_images([image]) == pytest.approx(theirs, abs=1e-5)
    assert encoder.embed_texts([text]) == pytest.approx(words, abs=1e-5)


def test_words_become_unit_rows_without_a_connection(loaded: Load, clip_folder: Path) -> None:
    encoder = loaded(f"open_clip:local-dir:{clip_folder}")
    vectors = encoder.embed_texts(["a red car", "một chiếc xe đỏ", "word " * 500])
    assert encoder.has_text
    assert vectors.shape == (3, 32)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert encoder.embed_texts([]).shape == (0, 32)


def test_a_network_for_pictures_says_that_it_cannot_read(loaded: Load, timm_folder: Path) -> None:
    encoder = loaded(f"timm:local-dir:{timm_folder}")
    assert not encoder.has_text
    with pytest.raises(NoTextSideError, match="pictures only"):
        encoder.embed_texts(["a red car"])


@pytest.mark.parametrize("folder", ["clip_folder", "timm_folder"])
def test_every_part_of_a_network_is_in_eval_mode(
    loaded: Load, folder: str, request: pytest.FixtureRequest
) -> None:
    family = "open_clip" if folder == "clip_folder" else "timm"
    encoder = loaded(f"{family}:local-dir:{request.getfixturevalue(folder)}")
    assert not any(module.training for module in encoder._network.model.modules())
    assert not any(weights.requires_grad for weights in encoder._network.model.parameters())


def test_company_in_a_batch_does_not_change_a_vector(loaded: Load, timm_folder: Path) -> None:
    encoder = loaded(f"timm:local-dir:{timm_folder}")
    assert any(isinstance(m, torch.nn.BatchNorm2d) for m in encoder._network.model.modules())
    alone = encoder.embed_images([picture(0)])[0]
    for company in range(1, 4):
        others = [picture(10 * company + n) for n in range(7)]
        assert alone @ encoder.embed_images([picture(0), *others])[0] > 0.9999


def test_32_questions_at_once_share_batches_and_get_their_own_vectors(
    loaded: Load, clip_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = loaded(f"open_clip:local-dir:{clip_folder}")
    pictures = [picture(n) for n in range(32)]
    alone = [encoder.embed_images([image])[0] for image in pictures]
    sizes: list[int] = []
    start = Barrier(32)
    compute = encoder._images

    def counted(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        sizes.append(len(crops))
        return compute(crops)

    monkeypatch.setattr(encoder, "_images", counted)

    def ask(image: Image.Image) -> NDArray[np.float32]:
        start.wait(10)
        return encoder.embed_images([image])[0]

    with ThreadPoolExecutor(32) as pool:
        together = list(pool.map(ask, pictures))
    assert sum(sizes) == 32
    assert len(sizes) < 32
    cosines = np.array(together) @ np.array(alone).T
    assert cosines.argmax(axis=1).tolist() == list(range(32))
    assert cosines.diagonal().min() > 0.9999


def test_crops_of_another_size_are_refused_before_they_reach_others(
    loaded: Load, clip_folder: Path
) -> None:
    encoder = loaded(f"open_clip:local-dir:{clip_folder}")
    with pytest.raises(ValueError, match="uint8 crops of shape"):
        encoder.embed_prepared(np.zeros((2, 9, 9, 3), np.uint8))


def test_numbers_that_are_not_finite_are_an_error(loaded: Load, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = write_clip(tmp_path / "model") / "open_clip_model.safetensors"
    state = load_file(weights)
    state["visual.proj"][0, 0] = float("nan")
    save_file(state, weights)
    encoder = loaded(f"open_clip:local-dir:{weights.parent}")
    with pytest.raises(EncoderUnavailableError, match="not finite"):
        encoder.embed_images([picture(0)])


def test_a_device_that_fails_says_so_and_may_recover(loaded: Load, timm_folder: Path) -> None:
    encoder = loaded(f"timm:local-dir:{timm_folder}")
    network = encoder._network
    real = network._forward

    def out_of_memory(_: torch.Tensor) -> torch.Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB\nand so on")

    network._forward = out_of_memory
    with pytest.raises(EncoderUnavailableError, match="out of memory") as caught:
        encoder.embed_images([picture(1)])
    assert "\n" not in str(caught.value)
    network._forward = real
    assert encoder.embed_images([picture(1)]).shape == (1, encoder.dimension)


def test_one_thread_at_a_time_uses_the_tokenizer(loaded: Load, clip_folder: Path) -> None:
    encoder = loaded(f"open_clip:local-dir:{clip_folder}")
    network = encoder._network
    real, in_use = network._tokenizer, Lock()

    def borrowed(texts: list[str]) -> torch.Tensor:
        if not in_use.acquire(blocking=False):
            raise RuntimeError("Already borrowed")
        try:
            sleep(0.005)
            assert real is not None
            return real(texts)
        finally:
            in_use.release()

    network._tokenizer = borrowed
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: encoder.embed_texts([f"car {n}"]), range(8)))
    assert {vector.shape for vector in found} == {(1, 32)}


def test_parallel_branches_are_folded_without_changing_the_vectors(
    tmp_path: Path, loaded: Load
) -> None:
    import timm

    torch.manual_seed(0)
    model = timm.create_model(
        "test_fastvit" if timm.is_model("test_fastvit") else "fastvit_t8"
    ).eval()
    image = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        before = model(image)
        layers = len(list(model.modules()))
        after = _fused(model)(image)
    assert len(list(model.modules())) < layers
    torch.testing.assert_close(after, before, atol=1e-4, rtol=1e-3)


def test_a_timm_model_uses_its_own_preprocessing(loaded: Load, tmp_path: Path) -> None:
    folder = write_timm(tmp_path / "m", crop_pct=0.5, crop_mode="squash", interpolation="bilinear")
    encoder = loaded(f"timm:local-dir:{folder}")
    preprocessing = encoder._network.preprocessing
    assert (preprocessing.side, preprocessing.resized, preprocessing.fit) == (96, 192, "both")
    assert preprocessing.resampling is Image.Resampling.BILINEAR


@pytest.mark.skipif(not devices.has_bf16(), reason="this processor does not multiply bf16 itself")
def test_bf16_ranks_real_photos_like_fp32(
    loaded: Load, shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = f"timm:local-dir:{shared_data / 'encoders' / 'mobilenetv2-imagenet'}"
    half = loaded(spec)
    monkeypatch.setattr(loading, "precision_for", lambda _: torch.float32)
    full = loaded(spec)
    assert {half._network.dtype, full._network.dtype} == {torch.bfloat16, torch.float32}
    crops = []
    for path in sorted((shared_data / "photos").rglob("*.jpg"))[::5]:
        with Image.open(path) as image:
            crops.append(half.prepare(image.convert("RGB")))
    vectors = [encoder.embed_prepared(np.stack(crops)) for encoder in (half, full)]
    best = []
    for rows in vectors:
        similarity = rows @ rows.T
        np.fill_diagonal(similarity, -1)
        best.append(np.argsort(-similarity, axis=1)[:, :10])
    overlap = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(*best, strict=True)])
    assert (vectors[0] * vectors[1]).sum(axis=1).mean() > 0.998
    assert (best[0][:, 0] == best[1][:, 0]).mean() >= 0.9
    assert overlap >= 0.9
