"""The demo's model finds drawings that it has never seen, by pictures and by words."""

from __future__ import annotations

import io
import json
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image, ImageFilter

from engine.config import load_settings
from engine.drawings import GALLERY_SEED, HELD_OUT_SEED, TOPICS, draw
from engine.encoders import encoder_from

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from engine.encoders import Encoder

FOLDER = Path(__file__).resolve().parents[2] / "data" / "demo-encoder"
PER_TOPIC = 16
ASKED_PER_TOPIC = 4
SIDE = 128


@dataclass(frozen=True)
class Gallery:
    encoder: Encoder
    vectors: NDArray[np.float32]
    topics: NDArray[np.str_]
    subjects: list[str]

    def nearest(self, vectors: NDArray[np.float32], k: int = 5) -> NDArray[np.intp]:
        return np.argsort(-(vectors @ self.vectors.T), axis=1, kind="stable")[:, :k]

    def precision(self, vectors: NDArray[np.float32], wanted: Sequence[str]) -> float:
        hits = self.topics[self.nearest(vectors)] == np.array(wanted)[:, np.newaxis]
        return float(hits.mean())


@pytest.fixture(scope="module")
def gallery() -> Gallery:
    lazy = encoder_from(load_settings(encoder=f"open_clip:local-dir:{FOLDER}", device="cpu"))
    assert lazy is not None
    encoder = lazy.load()
    vectors, topics, subjects = [], [], []
    for topic in TOPICS:
        drawings = [draw(topic, GALLERY_SEED + n, SIDE) for n in range(PER_TOPIC)]
        vectors.append(encoder.embed_images([drawing.image for drawing in drawings]))
        topics += [topic] * PER_TOPIC
        subjects += [drawing.subject for drawing in drawings]
    return Gallery(encoder, np.concatenate(vectors), np.array(topics), subjects)


@pytest.fixture(scope="module")
def asked() -> list[tuple[str, Image.Image]]:
    seeds = range(HELD_OUT_SEED, HELD_OUT_SEED + ASKED_PER_TOPIC)
    return [(topic, draw(topic, seed, SIDE).image) for topic in TOPICS for seed in seeds]


def photographed(image: Image.Image) -> Image.Image:
    side = image.width
    tilted = image.rotate(4, Image.Resampling.BICUBIC).crop(
        (side // 14, side // 18, side - side // 16, side - side // 14)
    )
    soft = tilted.resize((112, 112)).filter(ImageFilter.GaussianBlur(0.7))
    dim = soft.point([round(18 + value * 0.8) for value in range(256)] * 3)
    buffer = io.BytesIO()
    dim.save(buffer, format="JPEG", quality=45)
    return Image.open(buffer).convert("RGB")


def test_the_folder_is_small_and_says_what_it_is() -> None:
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) <= 8_000_000
    config = json.loads((FOLDER / "open_clip_config.json").read_text())
    assert set(config) == {"model_cfg", "preprocess_cfg", "languages"}
    assert config["languages"] == ["en"]
    assert "drawings" in (FOLDER / "README.md").read_text()


def test_held_out_drawings_find_their_topic(
    gallery: Gallery, asked: list[tuple[str, Image.Image]]
) -> None:
    vectors = gallery.encoder.embed_images([image for _, image in asked])
    assert gallery.precision(vectors, [topic for topic, _ in asked]) >= 0.9


def test_drawings_that_were_photographed_and_compressed_find_their_topic(
    gallery: Gallery, asked: list[tuple[str, Image.Image]]
) -> None:
    vectors = gallery.encoder.embed_images([photographed(image) for _, image in asked])
    assert gallery.precision(vectors, [topic for topic, _ in asked]) >= 0.85


@pytest.mark.parametrize("frame", ["{}", "a {}", "please show me another {}"])
def test_plain_words_find_their_topic(gallery: Gallery, frame: str) -> None:
    vectors = gallery.encoder.embed_texts([frame.format(topic) for topic in TOPICS])
    assert gallery.precision(vectors, TOPICS) >= 0.9


def test_a_colour_in_the_words_is_found_in_the_pictures(gallery: Gallery) -> None:
    asked = {"red car": "car", "a blue butterfly": "butterfly", "green apple": "apple",
             "yellow umbrella": "umbrella", "orange fish": "fish", "black cat": "cat"}  # fmt: skip
    nearest = gallery.nearest(gallery.encoder.embed_texts(list(asked)), 3)
    for words, rows in zip(asked, nearest, strict=True):
        assert {str(gallery.topics[row]) for row in rows} == {asked[words]}
        colour = words.removeprefix("a ").split()[0]
        assert colour in gallery.subjects[rows[0]], words


def test_vietnamese_names_find_their_topic(gallery: Gallery) -> None:
    asked = {"con bướm": "butterfly", "con mèo": "cat", "đồng hồ": "clock", "ngôi nhà": "house"}
    vectors = gallery.encoder.embed_texts(list(asked))
    assert gallery.precision(vectors, list(asked.values())) >= 0.9


def test_plain_open_clip_loads_the_folder_without_a_connection(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    import open_clip
    import torch

    def refuse(*_: object) -> None:
        raise AssertionError("the demo's encoder must load without a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    name = f"local-dir:{FOLDER}"
    model, _, preprocess = open_clip.create_model_and_transforms(name)
    model.eval()
    with torch.inference_mode():
        batch = preprocess(draw("car", GALLERY_SEED, SIDE).image).unsqueeze(0)
        image = model.encode_image(batch, normalize=True)[0].numpy()
        words = model.encode_text(open_clip.get_tokenizer(name)(["a car"]), normalize=True)[
            0
        ].numpy()
    assert image @ gallery.vectors[list(gallery.topics).index("car")] > 0.99
    assert words @ gallery.encoder.embed_texts(["a car"])[0] > 0.99
