"""Files as Telegram keeps them: photos in several sizes, documents, and ids to name them by."""

from __future__ import annotations

import base64
import hashlib
import io
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageOps

from bot.playground.errors import WRONG_FILE, ApiError, bad_request

JSON = dict[str, Any]

PHOTO_BYTES = 10 * 1024 * 1024
DOWNLOAD_BYTES = 20 * 1024 * 1024
UPLOAD_BYTES = 50 * 1024 * 1024
# Longest sides of the sizes that Telegram makes of a photo.
LADDER = (90, 320, 800, 1280)
THUMBNAIL = 320
_FOLDERS = {
    "photo": "photos",
    "document": "documents",
    "sticker": "stickers",
    "animation": "animations",
    "video": "videos",
    "thumbnail": "thumbnails",
}


@dataclass(frozen=True, slots=True)
class File:
    """One stored file. A photo is several of them, which share `photo`."""

    unique_id: str
    kind: str
    data: bytes
    name: str
    mime: str
    width: int = 0
    height: int = 0
    photo: str = ""


@dataclass(frozen=True, slots=True)
class Media:
    """What a message carries: its files, the main one last."""

    kind: str
    files: tuple[File, ...]
    thumbnail: File | None = None
    is_animated: bool = False

    @property
    def main(self) -> File:
        """The file itself; of a photo the largest size."""
        return self.files[-1]


class Files:
    """All files of one bot, by the ids that only this bot may use. Not locked: see `Bell`."""

    def __init__(self, bot_id: int) -> None:
        self._bot_id = bot_id
        self._media: dict[str, Media] = {}
        self._files: dict[str, File] = {}
        self._paths: dict[str, File] = {}
        self._dead: set[str] = set()

    def keep(self, media: Media) -> None:
        """Give every file of `media` its id and its path."""
        known = [*media.files, *([media.thumbnail] if media.thumbnail else [])]
        for file in known:
            file_id = self.id_of(file)
            self._files[file_id] = file
            self._media[file_id] = media
            self._paths[self.path_of(file)] = file

    def id_of(self, file: File) -> str:
        """The id by which this bot may send or download the file."""
        seal = hashlib.sha256(f"{self._bot_id}:{file.unique_id}".encode()).digest()
        return "AgACAgQAAx" + base64.urlsafe_b64encode(seal).decode().rstrip("=")

    def path_of(self, file: File) -> str:
        """Where the file can be downloaded from."""
        suffix = file.name.rpartition(".")[2] if "." in file.name else "bin"
        return f"{_FOLDERS[file.kind]}/{file.unique_id}.{suffix}"

    def media(self, file_id: str, kind: str) -> Media:
        """What a file id stands for, to be sent again.

        Raises:
            ApiError: The id is dead, another bot's, or of another kind of file.
        """
        media = self._media.get(file_id)
        if media is None or file_id in self._dead:
            raise bad_request(WRONG_FILE)
        if media.kind != kind:
            raise bad_request(f"can't use file of type {media.kind.title()} as {kind.title()}")
        return media

    def file(self, file_id: str) -> File | None:
        """The file of an id, unless it is dead."""
        return None if file_id in self._dead else self._files.get(file_id)

    def at(self, path: str) -> File | None:
        """The file of a download path."""
        return self._paths.get(path)

    def kill(self, file_id: str) -> None:
        """From now on the id names nothing; the bytes stay."""
        self._dead.add(file_id)

    def describe(self, file: File) -> JSON:
        """A file in the Bot API's words."""
        shown: JSON = {
            "file_id": self.id_of(file),
            "file_unique_id": file.unique_id,
            "file_size": len(file.data),
        }
        if file.width:
            shown |= {"width": file.width, "height": file.height}
        return shown

    def fields(self, media: Media) -> JSON:
        """The fields of a message that carry `media`."""
        if media.kind == "photo":
            return {"photo": [self.describe(file) for file in media.files]}
        shown = self.describe(media.main)
        if media.thumbnail:
            shown["thumbnail"] = self.describe(media.thumbnail)
        if media.kind == "sticker":
            shown |= {"type": "regular", "is_animated": media.is_animated, "is_video": False}
            return {"sticker": shown}
        shown |= {"file_name": media.main.name, "mime_type": media.main.mime}
        if media.kind == "document":
            shown.pop("width", None)
            shown.pop("height", None)
            return {"document": shown}
        # What cannot be decoded here still has a size, as the Bot API promises.
        shown = {"width": THUMBNAIL, "height": THUMBNAIL, "duration": 2} | shown
        # Telegram gives an animation twice, for programs older than the word.
        fields: JSON = {media.kind: shown}
        if media.kind == "animation":
            fields["document"] = {
                key: shown[key] for key in shown if key not in {"width", "height", "duration"}
            }
        return fields


def make_photo(data: bytes, unique_id: str) -> Media:
    """Decode an uploaded photo and make its sizes, as JPEGs without metadata.

    Limits from https://core.telegram.org/bots/api#sendphoto. Slow (milliseconds to a second): not
    for the event loop.

    Raises:
        ApiError: Too large, odd in its dimensions, or no picture.
    """
    if not data:
        raise bad_request("file must be non-empty")
    if len(data) > PHOTO_BYTES:
        raise bad_request(
            f"file of size {len(data)} bytes is too big for a photo; the maximum size is"
            f" {PHOTO_BYTES} bytes"
        )
    picture = _decode(data)
    sizes = []
    for number, side in enumerate(LADDER):
        sizes.append(_shrunk(picture, side, f"{unique_id}{number}", "photo", unique_id))
        if max(picture.size) <= side:
            break
    return Media("photo", tuple(sizes))


def make_media(
    kind: str,
    data: bytes,
    unique_id: str,
    *,
    name: str,
    mime: str,
    thumbnail: bytes | None = None,
    is_animated: bool = False,
) -> Media:
    """A file that is kept as it came, with a thumbnail where one can be made of it.

    Raises:
        ApiError: It is empty.
    """
    if not data:
        raise bad_request("file must be non-empty")
    width = height = 0
    small = None
    try:
        picture = _decode(thumbnail or data)
    except ApiError:
        if kind == "sticker":
            width = height = 512
    else:
        width, height = picture.size
        small = _shrunk(picture, THUMBNAIL, f"{unique_id}t", "thumbnail", "")
    file = File(unique_id, kind, data, name, mime, width, height)
    return Media(kind, (file,), small, is_animated)


def _decode(data: bytes) -> Image.Image:
    try:
        picture = Image.open(io.BytesIO(data))
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise bad_request("PHOTO_INVALID_DIMENSIONS") from None
    except (OSError, ValueError, SyntaxError):
        raise bad_request("IMAGE_PROCESS_FAILED") from None
    width, height = picture.size
    if width + height > 10_000 or max(width, height) > 20 * min(width, height):
        raise bad_request("PHOTO_INVALID_DIMENSIONS")
    try:
        picture.draft("RGB", (max(LADDER), max(LADDER)))
        upright = ImageOps.exif_transpose(picture)
        if upright.mode in {"RGBA", "LA", "PA", "P"}:
            upright = upright.convert("RGBA")
            white = Image.new("RGBA", upright.size, "white")
            white.alpha_composite(upright)
            upright = white
        return upright.convert("RGB")
    except (OSError, ValueError, SyntaxError):
        raise bad_request("IMAGE_PROCESS_FAILED") from None


def _shrunk(picture: Image.Image, side: int, unique_id: str, kind: str, photo: str) -> File:
    small = picture.copy()
    small.thumbnail((side, side))
    out = io.BytesIO()
    small.save(out, "JPEG", quality=87)
    return File(unique_id, kind, out.getvalue(), "file.jpg", "image/jpeg", *small.size, photo=photo)
