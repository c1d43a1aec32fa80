"""Which file of a message is the picture asked about."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from telegram import (
    Animation,
    Chat,
    Document,
    Message,
    PhotoSize,
    Sticker,
    Video,
)

from bot.pictures import NoPictureError, Picture, picture_in


def size(name: str, width: int, height: int) -> PhotoSize:
    return PhotoSize(name, f"u{name}", width, height)


def message(**content: Any) -> Message:
    return Message(1, datetime.now(UTC), Chat(1, "private"), **content)


def sticker(*, moving: bool, thumbnail: PhotoSize | None = None) -> Sticker:
    return Sticker("s", "us", 512, 512, moving, False, Sticker.REGULAR, thumbnail=thumbnail)


def document(mime_type: str | None, file_size: int = 1000, **more: Any) -> Document:
    return Document("d", "ud", mime_type=mime_type, file_size=file_size, **more)


THUMBNAIL = size("t", 320, 240)


@pytest.mark.parametrize(
    ("content", "file_id"),
    [
        ({"photo": [size("a", 90, 60), size("b", 800, 533), size("c", 1280, 853)]}, "b"),
        ({"photo": [size("a", 90, 60), size("b", 320, 213)]}, "b"),
        ({"sticker": sticker(moving=False)}, "s"),
        ({"sticker": sticker(moving=True, thumbnail=THUMBNAIL)}, "t"),
        ({"animation": Animation("g", "ug", 10, 10, 1, thumbnail=THUMBNAIL)}, "t"),
        ({"video": Video("v", "uv", 10, 10, 1, thumbnail=THUMBNAIL)}, "t"),
        ({"document": document("image/png")}, "d"),
        ({"document": document(None)}, "d"),
        ({"document": document("video/mp4", thumbnail=THUMBNAIL)}, "t"),
    ],
)
def test_the_picture_of_each_kind_of_message(content: dict[str, Any], file_id: str) -> None:
    assert picture_in(message(**content)) == Picture(file_id, f"u{file_id}")


@pytest.mark.parametrize(
    ("content", "key"),
    [
        ({"sticker": sticker(moving=True)}, "no_thumbnail_sticker"),
        ({"video": Video("v", "uv", 10, 10, 1)}, "no_thumbnail_video"),
        ({"document": document("application/pdf")}, "no_picture"),
        ({"document": document("image/tiff", file_size=21 * 2**20)}, "file_too_large"),
    ],
)
def test_attachments_without_a_picture_are_told_apart(content: dict[str, Any], key: str) -> None:
    with pytest.raises(NoPictureError) as raised:
        picture_in(message(**content))
    assert raised.value.key == key


def test_text_has_no_picture() -> None:
    assert picture_in(message(text="hello")) is None
