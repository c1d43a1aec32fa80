"""Real photos and a real network, through the real processes: `lookalike index`, then the bot."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from statistics import mean
from typing import TYPE_CHECKING

import numpy as np
import pytest

from bot.playground import running_playground
from engine.images import image_id, open_image, thumbnail
from engine.pixels import Thumbnails

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bot.playground import Playground
    from engine.metrics import Formula

COMMAND = [sys.executable, "-m", "bot"]
CAPTION = re.compile(r"#(?P<rank>\d+) · (?P<category>\S+) · ")
# top-1, hit@5, P@5 and mAP of these photos at 80×80, as known from elsewhere
PIXELS = {
    "l1": (0.117, 0.30, 0.080, 0.075),
    "l2": (0.100, 0.23, 0.067, 0.069),
    "cosine": (0.083, 0.18, 0.063, 0.067),
    "correlation": (0.050, 0.17, 0.047, 0.063),
}
SIDE = 80


@pytest.fixture(scope="module")
def environment(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    encoder = shared_data / "encoders" / "mobilenetv2-imagenet"
    data_dir = tmp_path_factory.mktemp("real") / "data"
    return os.environ | {"DATA_DIR": str(data_dir), "ENCODER": f"timm:local-dir:{encoder}"}


@pytest.fixture(scope="module")
def library(shared_data: Path, environment: dict[str, str]) -> Path:
    """`DATA_DIR` of a library that the command line filled with the photos to train on."""
    photos = str(shared_data / "photos" / "train")
    subprocess.run([*COMMAND, "index", photos], env=environment, check=True)
    return shared_data


@pytest.fixture(scope="module")
def tests(shared_data: Path) -> list[Path]:
    return sorted((shared_data / "photos" / "test").glob("*/*.jpg"))


@pytest.fixture
def playground(library: Path, environment: dict[str, str]) -> Iterator[Playground]:
    """A playground with the real bot running on it."""
    with running_playground() as playground:
        names = {"TELEGRAM_TOKEN": playground.token, "TELEGRAM_API_URL": playground.url}
        bot = subprocess.Popen([*COMMAND, "bot"], env=environment | names)
        try:
            yield playground
        finally:
            bot.terminate()
            assert bot.wait(15) == 0


@pytest.mark.timeout(240)
def test_bot_answers_unseen_photos_with_their_kind(
    playground: Playground, tests: list[Path]
) -> None:
    for number, photo in enumerate(tests, start=1):
        playground.user(number, f"Person {number}", language_code="en").send_photo(
            photo.read_bytes()
        )
    first, hit = [], []
    for number, photo in enumerate(tests, start=1):
        playground.wait_for(number, lambda message: "reply_markup" in message, timeout=180)
        captions = [CAPTION.match(m.get("caption", "")) for m in playground.answers(number)]
        kinds = [caption["category"] for caption in captions if caption]
        assert len(kinds) == 5, f"{photo}: {kinds}"
        first.append(kinds[0] == photo.parent.name)
        hit.append(photo.parent.name in kinds)
    assert mean(first) >= 0.85, mean(first)
    assert mean(hit) >= 0.97, mean(hit)


@pytest.fixture(scope="module")
def thumbnails(
    shared_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Thumbnails, dict[str, str]]]:
    """Thumbnails of the known size of all photos to train on, and the kind of each."""
    photos = sorted((shared_data / "photos" / "train").glob("*/*.jpg"))
    path = tmp_path_factory.mktemp("known") / "thumbnails"
    store = Thumbnails.open(path, side=SIDE, write=True)
    kinds = {image_id(photo.read_bytes()): photo.parent.name for photo in photos}
    assert len(kinds) == len(photos)
    store.add(list(kinds), np.stack([thumbnail(open_image(photo), SIDE) for photo in photos]))
    yield store, kinds
    store.close()


@pytest.mark.parametrize("formula", PIXELS)
def test_pixel_metrics_are_as_good_as_known(
    formula: Formula, thumbnails: tuple[Thumbnails, dict[str, str]], tests: list[Path]
) -> None:
    store, kinds = thumbnails
    hits = []
    for photo in tests:
        ranked = store.search(thumbnail(open_image(photo), SIDE), formula, len(kinds))
        hits.append([kinds[name] == photo.parent.name for name, _ in ranked])
    found = np.array(hits)
    precision = np.cumsum(found, axis=1) / np.arange(1, found.shape[1] + 1)
    figures = (
        found[:, 0].mean(),
        found[:, :5].any(axis=1).mean(),
        found[:, :5].mean(),
        ((precision * found).sum(axis=1) / found.sum(axis=1)).mean(),
    )
    assert figures == pytest.approx(PIXELS[formula], abs=0.03)
