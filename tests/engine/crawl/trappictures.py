"""Pictures for the trap site, made of real photos: the good in every dress, and the bad."""

from __future__ import annotations

import gzip
import io
import struct
import zlib
from itertools import zip_longest
from typing import TYPE_CHECKING

from PIL import Image, ImageFilter

if TYPE_CHECKING:
    from pathlib import Path

ORIENTATION = 0x0112


class Photos:
    """Real photos, each given out once, in an order that is always the same.

    The first of every class come first, so that neighbours look different.
    """

    def __init__(self, folder: Path) -> None:
        classes = [sorted(each.glob("*.jpg")) for each in sorted(folder.iterdir())]
        rounds = zip_longest(*classes)
        self._files = [file for each in rounds for file in each if file is not None]

    def next(self) -> bytes:
        """A photo's bytes, as they are."""
        return self._files.pop(0).read_bytes()

    def image(self) -> Image.Image:
        """A photo, decoded."""
        return Image.open(io.BytesIO(self.next())).convert("RGB")


def encoded(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    """A picture's file."""
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def dressed(photos: Photos) -> dict[str, tuple[str, bytes]]:
    """Good pictures in forms that trip a crawler: name → (content type, bytes)."""
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    transparent = photos.image()
    transparent.putalpha(Image.linear_gradient("L").resize(transparent.size).point(range(64, 320)))
    frames = [photos.image().resize((200, 160)).quantize(64) for _ in range(3)]
    return {
        "alpha.png": ("image/png", encoded(transparent, "PNG")),
        "palette.png": ("image/png", encoded(photos.image().quantize(128), "PNG")),
        "cmyk.jpg": ("image/jpeg", encoded(photos.image().convert("CMYK"))),
        "grey.jpg": ("image/jpeg", encoded(photos.image().convert("L"))),
        "rotated.jpg": ("image/jpeg", encoded(photos.image(), exif=exif)),
        "moving.gif": (
            "image/gif",
            encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]),
        ),
        "modern.webp": ("image/webp", encoded(photos.image(), "WEBP", quality=90)),
        "a-png-called.jpg": ("image/jpeg", encoded(photos.image(), "PNG")),
        "said-to-be-a-page": ("text/html", photos.next()),
    }


def flawed(photos: Photos) -> dict[str, tuple[str, bytes, str]]:
    """Bad pictures: name → (content type, bytes, why they are refused)."""
    whole = photos.next()
    tiny = photos.image().resize((48, 40))
    strip = photos.image().resize((1200, 100))
    return {
        "cut.jpg": ("image/jpeg", whole[: len(whole) * 6 // 10], "unreadable"),
        "empty.jpg": ("image/jpeg", b"", "unreadable"),
        "noise.jpg": ("image/jpeg", b"\xff\xd8\xff\xe0" + bytes(range(256)) * 40, "no_picture"),
        "page.jpg": ("image/jpeg", b"<!DOCTYPE html><html><p>Not here.</html>", "no_picture"),
        "archive.png": ("image/png", b"PK\x03\x04" + bytes(600), "no_picture"),
        "drawing.svg": (
            "image/svg+xml",
            b'<svg xmlns="http://www.w3.org/2000/svg"><circle r="9"/></svg>',
            "no_picture",
        ),
        "tiny.jpg": ("image/jpeg", encoded(tiny), "too_small"),
        "pixel.gif": ("image/gif", encoded(Image.new("P", (1, 1)), "GIF"), "too_small"),
        "strip.jpg": ("image/jpeg", encoded(strip), "extreme_ratio"),
        "plain.png": ("image/png", encoded(Image.new("RGB", (300, 200), "teal"), "PNG"), "uniform"),
        "soft.jpg": ("image/jpeg", encoded(_blurred(photos.image())), "blurred"),
        "softer.png": ("image/png", encoded(_blurred(photos.image()), "PNG"), "blurred"),
        "bomb.png": ("image/png", claimed(30_000), "too_many_pixels"),
        "vast.png": ("image/png", claimed(4_000_000_000 // 2), "too_many_pixels"),
    }


def weaker(data: bytes) -> bytes:
    """The same photo at half the size and a poor quality."""
    image = Image.open(io.BytesIO(data)).convert("RGB")
    return encoded(image.resize((image.width // 2, image.height // 2)), quality=50)


def heavy(shade: int) -> bytes:
    """A PNG of some kilobytes that is 39 million flat pixels with alpha once decoded."""
    return encoded(Image.new("RGBA", (6500, 6000), (shade, shade, shade, 200)), "PNG")


def squeezed(megabytes: int) -> bytes:
    """So many megabytes of nothing in a thousandth of that of gzip."""
    stream = io.BytesIO()
    with gzip.GzipFile(fileobj=stream, mode="wb", mtime=0) as out:
        for _ in range(megabytes):
            out.write(bytes(2**20))
    return stream.getvalue()


def claimed(side: int) -> bytes:
    """A PNG of a few bytes that claims a giant picture."""

    def chunk(name: bytes, data: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + checksum

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(1000))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    )


def _blurred(image: Image.Image) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(4))
