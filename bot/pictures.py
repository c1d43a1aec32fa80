"""Which file of a message is the picture asked about, and how it gets here."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from telegram.error import BadRequest, InvalidToken, NetworkError

from bot.transport import FloodError
from engine.errors import ImageError

if TYPE_CHECKING:
    from PIL.Image import Image
    from telegram import Animation, Document, Message, PhotoSize, Video, VideoNote
    from telegram.ext import ExtBot

    from bot.desk import Desk

MOST_BYTES = 20 * 1024 * 1024  # Bot API limit of getFile
ENOUGH_SIDE = 512  # no metric looks at more; Telegram's "y" size, 1280 px, is only slower
_TRIES = 8


@dataclass(frozen=True, slots=True)
class Picture:
    """A file of Telegram's that holds a picture."""

    file_id: str
    unique_id: str


class NoPictureError(ImageError):
    """The message has an attachment, but no picture can be had from it."""


def picture_in(message: Message, *, is_largest: bool = False) -> Picture | None:
    """The picture of a message: a photo, an image file, a sticker, a video's thumbnail.

    Args:
        message: The message.
        is_largest: Of a photo's sizes the largest, which is to be kept, not only looked at.

    Returns:
        None for a message without an attachment the bot would look at.

    Raises:
        NoPictureError: There is a file, but nothing in it to look at.
    """
    if message.photo:
        size = message.photo[-1] if is_largest else _fitting(list(message.photo))
        return Picture(size.file_id, size.file_unique_id)
    if sticker := message.sticker:
        if not sticker.is_animated and not sticker.is_video:
            return Picture(sticker.file_id, sticker.file_unique_id)
        return _thumbnail(sticker.thumbnail, "no_thumbnail_sticker")
    moving: Animation | Video | VideoNote | None = (
        message.animation or message.video or message.video_note
    )
    if moving:
        return _thumbnail(moving.thumbnail, "no_thumbnail_video")
    if message.document:
        return _in_document(message.document)
    return None


def _fitting(sizes: list[PhotoSize]) -> PhotoSize:
    """The smallest size that is large enough, else the largest."""
    ordered = sorted(sizes, key=lambda size: size.width * size.height)
    enough = (size for size in ordered if min(size.width, size.height) >= ENOUGH_SIDE)
    return next(enough, ordered[-1])


def _thumbnail(thumbnail: PhotoSize | None, key: str) -> Picture:
    if thumbnail is None:
        raise NoPictureError("This has no still picture I could look at; send a photo.", key=key)
    return Picture(thumbnail.file_id, thumbnail.file_unique_id)


def _in_document(document: Document) -> Picture:
    kind = (document.mime_type or "").partition("/")[0]
    if kind == "video":
        return _thumbnail(document.thumbnail, "no_thumbnail_video")
    if kind not in {"image", ""} and not (document.mime_type or "").endswith("octet-stream"):
        raise NoPictureError("There is no picture in this file; send a photo.", key="no_picture")
    if document.file_size and document.file_size > MOST_BYTES:
        raise _too_large()
    return Picture(document.file_id, document.file_unique_id)


def _too_large() -> ImageError:
    return NoPictureError(
        "This file is larger than the 20 MB Telegram lets me fetch. "
        "Send it as a photo instead of a file.",
        key="file_too_large",
    )


async def download(desk: Desk, bot: ExtBot[int], file_id: str) -> Image:
    """Fetch a file and open the picture in it.

    Raises:
        ImageError: It is too large, or no usable picture.
        TelegramError: It could not be fetched.
    """
    return await desk.gallery.decode(lambda: _fetch(bot, file_id))


async def fetch(desk: Desk, bot: ExtBot[int], file_id: str) -> bytes:
    """Fetch a file that is to be kept.

    Raises:
        ImageError: It is too large.
        TelegramError: It could not be fetched.
    """
    return await desk.gallery.fetch(lambda: _fetch(bot, file_id))


async def _fetch(bot: ExtBot[int], file_id: str) -> bytes:
    for attempt in range(_TRIES):
        try:
            file = await bot.get_file(file_id)
            if file.file_size and file.file_size > MOST_BYTES:
                raise _too_large()
            return bytes(await file.download_as_bytearray())
        except BadRequest as error:
            if "too big" in str(error).lower():
                raise _too_large() from None
            raise
        except (InvalidToken, NetworkError) as error:
            # 404 of a file is an address that has expired: `getFile` gives a new one.
            if attempt == _TRIES - 1:
                raise NetworkError(f"a file could not be fetched: {type(error).__name__}") from None
            await asyncio.sleep(0.1 * 2**attempt)
        except FloodError as error:  # of the download, which no courier repeats
            if attempt == _TRIES - 1:
                raise
            await asyncio.sleep(error.retry_after_s)
    raise NetworkError("a file could not be fetched")
