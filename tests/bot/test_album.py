"""Captions say what is known, and every picture fits what Telegram takes."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from bot.album import CAPTION_UNITS, caption, photo_for_telegram
from bot.i18n import Translator
from engine.errors import ImageError
from engine.search import Match

EN, VI = Translator("en"), Translator("vi")


def match(**facts: str | None) -> Match:
    known: dict[str, str | None] = dict.fromkeys(
        ("title", "source", "landing_page", "creator", "licence")
    )
    return Match("ab12", 3, 0.87, 87.0, "red panda", Path("x.jpg"), **{**known, **facts})


def test_caption_has_rank_category_and_similarity() -> None:
    assert caption(match(), EN) == "#3 · red panda · 87% similar"
    assert caption(match(), VI) == "#3 · red panda · giống 87%"


def test_caption_names_creator_licence_and_source_where_known() -> None:
    lines = caption(
        match(
            title="A panda\n at rest",
            creator="Ann Artist",
            licence="CC BY 4.0",
            source="openverse",
            landing_page="https://example.org/1",
        ),
        EN,
    ).splitlines()
    assert lines[1:] == [
        "A panda at rest",
        "by Ann Artist",
        "CC BY 4.0 · openverse",
        "https://example.org/1",
    ]


def test_caption_never_exceeds_telegrams_limit() -> None:
    long = match(title="🐼" * 2000, creator="ă" * 3000, source="x" * 500)
    assert len(caption(long, EN).encode("utf-16-le")) // 2 <= CAPTION_UNITS


@pytest.mark.parametrize(
    "size", [(6000, 5000), (4000, 40), (40, 4000), (3, 3), (1, 900), (12000, 10)]
)
def test_any_picture_is_made_to_fit(tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "picture.jpg"
    Image.new("RGB", size, "teal").save(path)
    sent = Image.open(io.BytesIO(photo_for_telegram(path)))
    assert sent.format == "JPEG"
    assert sum(sent.size) <= 10_000
    assert max(sent.size) <= 20 * min(sent.size)
    assert min(sent.size) >= 10


def test_plain_jpeg_is_sent_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "picture.jpg"
    Image.new("RGB", (640, 480), "teal").save(path)
    assert photo_for_telegram(path) == path.read_bytes()
    assert photo_for_telegram(path, as_is=False) != path.read_bytes()


@pytest.mark.parametrize("name", ["a.png", "a.gif", "a.webp"])
def test_other_formats_become_jpeg(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    Image.new("RGB", (64, 48), "teal").save(path)
    assert Image.open(io.BytesIO(photo_for_telegram(path))).format == "JPEG"


def test_rotated_picture_is_sent_upright(tmp_path: Path) -> None:
    path = tmp_path / "rotated.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (640, 480), "teal").save(path, exif=exif)
    assert Image.open(io.BytesIO(photo_for_telegram(path))).size == (480, 640)


def test_broken_file_is_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "broken.jpg"
    path.write_bytes(b"no picture")
    with pytest.raises(ImageError):
        photo_for_telegram(path)
