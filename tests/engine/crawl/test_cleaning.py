"""Cleaning: what is kept and how, and every reason for refusing."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageFilter

from engine.crawl.cleaning import BLURRED, Cleaned, Reason, Refusal, clean, sharpness
from engine.images import hamming, image_id, open_image, perceptual_hash


def picture(seed=1, size=(160, 120), mode="RGB"):
    coarse = np.random.default_rng(seed).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize(size, Image.Resampling.NEAREST).convert(mode)


def saved(image, kind="JPEG", **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def bomb(side=30_000):
    """A PNG of a few bytes that claims a giant picture."""

    def chunk(name, data):
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" * 1000)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", Reason.UNREADABLE),
        (saved(picture())[:2000], Reason.UNREADABLE),
        (b"<!doctype html><p>no picture", Reason.NO_PICTURE),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', Reason.NO_PICTURE),
        (b"\0" * 60_000_000, Reason.TOO_LARGE),
        (bomb(), Reason.TOO_MANY_PIXELS),
        (saved(picture(size=(49, 60))), Reason.TOO_SMALL),
        (saved(picture(size=(1, 1))), Reason.TOO_SMALL),
        (saved(picture(size=(600, 100))), Reason.EXTREME_RATIO),
        (saved(Image.new("RGB", (200, 200), "teal")), Reason.UNIFORM),
        (saved(picture().filter(ImageFilter.GaussianBlur(5))), Reason.BLURRED),
    ],
)
def test_each_flaw_has_its_own_reason(data, reason):
    assert clean(data) == Refusal(reason)


@pytest.mark.parametrize(
    "data",
    [
        saved(picture(mode="L")),
        saved(picture(mode="P"), "PNG"),
        saved(picture(mode="CMYK")),
        saved(picture(mode="RGBA"), "PNG"),
        saved(picture(), "WEBP"),
        saved(picture(mode="P"), "GIF", save_all=True, append_images=[picture(2, mode="P")]),
    ],
    ids=["grey", "palette", "CMYK", "alpha", "WebP", "animated GIF"],
)
def test_every_kind_of_picture_becomes_a_plain_rgb_jpeg(data):
    cleaned = clean(data)
    assert isinstance(cleaned, Cleaned)
    with Image.open(io.BytesIO(cleaned.data)) as stored:
        assert (stored.format, stored.mode, stored.size) == ("JPEG", "RGB", (160, 120))
    assert cleaned.id == image_id(cleaned.data)
    assert cleaned.original_id == image_id(data)
    assert hamming(cleaned.phash, perceptual_hash(open_image(cleaned.data))) <= 2


def test_what_is_stored_is_upright_bounded_and_says_nothing_of_its_maker():
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "a camera with a serial number"
    cleaned = clean(saved(picture(size=(4000, 3000)), exif=exif, comment=b"secret"))
    assert isinstance(cleaned, Cleaned)
    assert (cleaned.width, cleaned.height) == (960, 1280)
    with Image.open(io.BytesIO(cleaned.data)) as stored:
        assert stored.size == (960, 1280)
        assert not stored.getexif()
        assert "comment" not in stored.info
    assert b"serial" not in cleaned.data


def test_the_same_bytes_always_give_the_same_file():
    data = saved(picture(size=(2000, 1500)))
    assert clean(data) == clean(data)


def test_a_picture_a_person_chose_is_not_judged():
    assert isinstance(clean(saved(picture(size=(20, 20))), is_strict=False), Cleaned)
    assert isinstance(clean(saved(Image.new("RGB", (99, 99), "red")), is_strict=False), Cleaned)
    assert clean(b"no picture", is_strict=False) == Refusal(Reason.NO_PICTURE)


def test_real_photos_are_sharp_and_their_blurred_copies_are_not(shared_data):
    files = sorted((shared_data / "photos" / "test").rglob("*.jpg"))
    files += sorted((shared_data / "photos" / "train").rglob("*.jpg"))[::10]
    photos = [open_image(file) for file in files]
    assert min(sharpness(photo) for photo in photos) > 2 * BLURRED
    blurred = [sharpness(photo.filter(ImageFilter.GaussianBlur(3))) for photo in photos]
    assert max(blurred) < BLURRED / 2
    refused = [clean(saved(photo.filter(ImageFilter.GaussianBlur(3)))) for photo in photos[:20]]
    assert set(refused) == {Refusal(Reason.BLURRED)}
    assert all(isinstance(clean(file.read_bytes()), Cleaned) for file in files[:60])
