from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from engine.drawings import (
    GALLERY_SEED,
    HELD_OUT_SEED,
    TOPICS,
    TRAINING_SEED,
    draw,
    write_gallery,
)

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def pixels(image: Image.Image) -> NDArray[np.int16]:
    return np.asarray(image, dtype=np.int16)


def test_there_are_at_least_sixteen_topics_with_names_fit_for_folders() -> None:
    assert len(TOPICS) >= 16
    assert len(set(TOPICS)) == len(TOPICS)
    assert all(re.fullmatch(r"[a-z]+", topic) for topic in TOPICS)


@pytest.mark.parametrize("topic", TOPICS)
def test_a_drawing_is_a_square_rgb_picture_with_a_caption(topic: str) -> None:
    drawing = draw(topic, 3, 96)
    assert drawing.image.size == (96, 96)
    assert drawing.image.mode == "RGB"
    assert drawing.topic == topic
    assert drawing.subject in drawing.caption
    assert pixels(drawing.image).std() > 10


@pytest.mark.parametrize("topic", TOPICS)
def test_captions_are_plain_english_and_name_the_topic(topic: str) -> None:
    stem = {"butterfly": "butterfl", "leaf": "lea", "cactus": "cact"}.get(topic, topic)
    for seed in range(12):
        caption = draw(topic, seed, 16).caption
        assert stem in caption
        assert "  " not in caption
        assert caption == caption.strip()
        assert not re.search(r"\b(a [aeiou]|an [^aeiou])", caption), caption


def test_captions_of_one_topic_vary() -> None:
    assert len({draw("apple", seed, 16).caption for seed in range(20)}) >= 10


@pytest.mark.parametrize("topic", TOPICS)
def test_pictures_of_one_topic_differ_visibly(topic: str) -> None:
    pictures = [pixels(draw(topic, seed, 32).image) for seed in range(8)]
    differences = [np.abs(a - b).mean() for a, b in combinations(pictures, 2)]
    assert np.mean(differences) > 15
    assert min(differences) > 5


def test_the_same_seed_gives_the_same_bytes_in_another_process() -> None:
    code = (
        "import hashlib; from engine.drawings import TOPICS, draw;"
        "data = b''.join(draw(topic, 5, 48).image.tobytes() for topic in TOPICS);"
        "print(hashlib.sha256(data).hexdigest())"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "1", "OMP_NUM_THREADS": "1", "LC_ALL": "C"}
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    data = b"".join(draw(topic, 5, 48).image.tobytes() for topic in TOPICS)
    assert run.stdout.strip() == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize(
    ("topic", "quarters", "caption"),
    [
        (
            "apple",
            [(143, 169, 166), (140, 171, 152), (141, 113, 79), (135, 118, 78)],
            "a green apple on a wooden table",
        ),
        (
            "car",
            [(193, 124, 108), (198, 130, 105), (154, 116, 103), (146, 116, 97)],
            "a drawing of an orange car on a country road at sunset",
        ),
    ],
)
def test_a_seed_keeps_its_meaning_from_machine_to_machine(
    topic: str, quarters: list[tuple[int, int, int]], caption: str
) -> None:
    drawing = draw(topic, 7, 64)
    assert drawing.caption == caption
    found = pixels(drawing.image.reduce(32)).reshape(4, 3)
    assert np.abs(found - np.array(quarters)).max() <= 3


def test_drawing_loads_no_network_library() -> None:
    code = (
        "import sys; from engine.drawings import draw; draw('car', 0, 32);"
        "print(*({'torch', 'open_clip', 'scipy', 'chromadb'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == ""


def test_the_composition_does_not_depend_on_the_side() -> None:
    for topic in TOPICS:
        large = draw(topic, 11, 256).image.reduce(4)
        small = draw(topic, 11, 64).image
        assert np.abs(pixels(large) - pixels(small)).mean() < 7, topic


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="no topic is called 'unicorn'"):
        draw("unicorn", 0)
    with pytest.raises(ValueError, match="seed >= 0"):
        draw("apple", -1)
    with pytest.raises(ValueError, match="side >= 16"):
        draw("apple", 0, 8)


def test_a_gallery_has_a_folder_for_each_topic(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    paths = write_gallery(tmp_path / "new" / "gallery", 2, progress=lambda *n: told.append(n))
    files = sorted((tmp_path / "new" / "gallery").rglob("*.*"))
    assert sorted(paths) == files
    assert {path.parent.name for path in paths} == set(TOPICS)
    assert {path.name for path in paths} == {"00.jpg", "01.jpg"}
    assert told == [(n, len(paths)) for n in range(1, len(paths) + 1)]
    with Image.open(paths[0]) as image:
        assert image.format == "JPEG"
        expected = pixels(draw(TOPICS[0], GALLERY_SEED).image)
        assert np.abs(pixels(image.convert("RGB")) - expected).mean() < 6


def test_a_gallery_leaves_pictures_alone_that_are_there(tmp_path: Path) -> None:
    (tmp_path / "apple").mkdir()
    (tmp_path / "apple" / "00.jpg").write_bytes(b"mine")
    write_gallery(tmp_path, 1)
    assert (tmp_path / "apple" / "00.jpg").read_bytes() == b"mine"
    assert (tmp_path / "cat" / "00.jpg").stat().st_size > 2000


def test_seeds_to_ask_with_and_to_train_on_are_apart_from_galleries() -> None:
    assert GALLERY_SEED + 10_000 < HELD_OUT_SEED
    assert HELD_OUT_SEED + 10_000 < TRAINING_SEED
