"""Opening pictures of every allowed kind, and refusing everything else with words."""

from __future__ import annotations

import io
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from engine import images
from engine.errors import ImageError
from engine.images import hamming, image_id, open_image, perceptual_hash, thumbnail

if TYPE_CHECKING:
    from pathlib import Path

RED, BLUE = (250, 10, 10), (10, 10, 250)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def halves(mode: str = "RGB", size: tuple[int, int] = (96, 64)) -> Image.Image:
    """Red on the left, blue on the right."""
    image = Image.new("RGB", size, RED)
    image.paste(BLUE, (size[0] // 2, 0, *size))
    return image.convert(mode)


def looks_like(image: Image.Image, at: tuple[int, int], colour: tuple[int, int, int]) -> bool:
    got = image.getpixel(at)
    return all(abs(a - b) <= 24 for a, b in zip(got, colour, strict=True))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "HEIF"])
def test_every_allowed_format_opens_as_upright_rgb(kind: str) -> None:
    if kind == "HEIF":
        pytest.importorskip("pillow_heif").register_heif_opener()
    image = open_image(encoded(halves(), kind))
    assert (image.mode, image.size) == ("RGB", (96, 64))
    assert looks_like(image, (10, 30), RED)
    assert looks_like(image, (85, 30), BLUE)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_undone(kind: str, orientation: int) -> None:
    stored = {
        1: None, 2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE, 8: Image.Transpose.ROTATE_270,
    }[orientation]  # fmt: skip
    picture = halves()
    picture.paste((10, 250, 10), (0, 0, 48, 32))
    exif = Image.Exif()
    exif[0x0112] = orientation
    turned = picture if stored is None else picture.transpose(stored)
    image = open_image(encoded(turned, kind, exif=exif))
    assert image.size == (96, 64)
    assert looks_like(image, (10, 10), (10, 250, 10))
    assert looks_like(image, (10, 55), RED)
    assert looks_like(image, (85, 30), BLUE)


def test_damaged_exif_costs_only_the_orientation() -> None:
    data = encoded(halves(), "JPEG", exif=b"Exif\x00\x00garbage that is no TIFF at all")
    assert looks_like(open_image(data), (10, 30), RED)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
def test_transparency_is_laid_over_white(mode: str) -> None:
    image = Image.new("RGBA", (20, 20), (0, 0, 0, 0))
    image.paste((0, 0, 0, 255), (0, 0, 10, 20))
    data = encoded(image.convert(mode), "TIFF" if mode == "PA" else "PNG")
    opened = open_image(data)
    assert opened.getpixel((15, 10)) == (255, 255, 255)
    assert opened.getpixel((5, 10)) == (0, 0, 0)


@pytest.mark.parametrize("transparency", [0, bytes([0, 255])])
def test_transparent_palette_entries_become_white(transparency: int | bytes) -> None:
    image = Image.new("P", (20, 20), 0)
    image.putpalette([0, 0, 0, *RED])
    image.paste(1, (0, 0, 10, 20))
    opened = open_image(encoded(image, "PNG", transparency=transparency))
    assert opened.getpixel((15, 10)) == (255, 255, 255)
    assert opened.getpixel((5, 10)) == RED


@pytest.mark.parametrize(("mode", "colour"), [("RGB", RED), ("L", 77), ("1", 0)])
def test_a_transparent_colour_becomes_white(mode: str, colour: tuple[int, int, int] | int) -> None:
    data = encoded(Image.new(mode, (8, 8), colour), "PNG", transparency=colour)
    assert open_image(data).getpixel((4, 4)) == (255, 255, 255)


def test_cmyk_keeps_its_colours_in_both_conventions() -> None:
    cmyk = halves().convert("CMYK")
    for data in (encoded(cmyk, "JPEG", quality=95), encoded(cmyk, "TIFF")):
        opened = open_image(data)
        assert looks_like(opened, (10, 30), RED)
        assert looks_like(opened, (85, 30), BLUE)


def test_sixteen_bits_are_scaled_down_not_clipped() -> None:
    ramp = np.linspace(0, 65535, 256).astype(np.uint16).reshape(16, 16)
    for kind in ("PNG", "TIFF"):
        greys = np.asarray(open_image(encoded(Image.fromarray(ramp), kind)))[..., 0]
        assert np.abs(greys.reshape(-1) - np.arange(256.0)).max() <= 1


@pytest.mark.parametrize(
    "values",
    [np.linspace(0, 1, 256), np.linspace(0, 255, 256), np.linspace(0, 60000, 256)],
    ids=["unit", "bytes", "counts"],
)
def test_floats_are_scaled_to_their_white_point(values: np.ndarray) -> None:
    image = Image.fromarray(values.astype(np.float32).reshape(16, 16))
    greys = np.asarray(open_image(encoded(image, "TIFF")))[..., 0]
    assert greys.min() == 0
    assert greys.max() >= 233
    assert len(np.unique(greys)) >= 230


def test_one_bit_and_grey_open_as_rgb() -> None:
    for mode in ("1", "L", "P"):
        assert open_image(encoded(halves(mode), "PNG")).mode == "RGB"


def test_of_an_animation_the_first_frame_counts() -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in (RED, BLUE)]
    for kind in ("GIF", "WEBP", "PNG"):
        data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=50)
        assert looks_like(open_image(data), (8, 8), RED)


@pytest.mark.parametrize("min_side", [40, 100, 128, 500])
def test_min_side_decodes_smaller_but_never_below(min_side: int) -> None:
    data = encoded(halves(size=(1200, 801)), "JPEG")
    short = min(open_image(data, min_side=min_side).size)
    assert min_side <= short <= max(2 * min_side + 1, 101)
    assert min(open_image(data).size) == 801
    assert min(open_image(encoded(halves(), "JPEG"), min_side=500).size) == 64


def test_a_path_is_as_good_as_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "no-suffix"
    path.write_bytes(encoded(halves(), "PNG"))
    assert open_image(path).tobytes() == open_image(path.read_bytes()).tobytes()
    with pytest.raises(FileNotFoundError):
        open_image(tmp_path / "absent.jpg")


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", zlib.compress(b"\0" * 64))


@pytest.mark.parametrize(("width", "height"), [(8001, 5000), (12_000, 12_000), (60_000, 60_000)])
def test_too_many_pixels_are_refused_before_decoding(width: int, height: int) -> None:
    with pytest.raises(ImageError, match="40 million pixels") as caught:
        open_image(png_header(width, height))
    assert (caught.value.key, caught.value.details) == ("image_pixels", {"limit": 40})


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"<!DOCTYPE html><html><body>404</body></html>", "web page"),
        (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
        (b"PK\x03\x04" + b"\0" * 100, "ZIP"),
        (b"%PDF-1.7\n", "PDF"),
        (b"\0\0\0\x20ftypisom\0\0\2\0", "video"),
        (b"hello", "no picture"),
        (encoded(Image.new("RGB", (4, 4)), "PPM"), "no picture"),
    ],
)
def test_what_is_no_picture_is_called_by_its_name(data: bytes, words: str) -> None:
    with pytest.raises(ImageError, match=words) as caught:
        open_image(data)
    assert caught.value.key == "image_format"


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").touch()
    for source in (b"", tmp_path / "empty.jpg"):
        with pytest.raises(ImageError) as caught:
            open_image(source)
        assert caught.value.key == "image_empty"


def test_too_many_bytes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MAX_BYTES", 1_000_000)
    with pytest.raises(ImageError, match="larger than 1 MB") as caught:
        open_image(b"\xff" * 1_000_001)
    assert caught.value.key == "image_bytes"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF"])
def test_a_truncated_file_is_refused(kind: str) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (80, 80, 3), dtype=np.uint8)
    data = encoded(Image.fromarray(noise), kind)
    with pytest.raises(ImageError) as caught:
        open_image(data[: len(data) // 2])
    assert caught.value.key in {"image_broken", "image_format"}
    assert caught.value.key == "image_broken" or kind in {"WEBP", "TIFF"}


REAL = tuple(
    encoded(halves(size=(40, 30)), kind)
    for kind in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
)  # fmt: skip


def opens_or_says_why(data: bytes) -> bool:
    try:
        return open_image(data, min_side=8).mode == "RGB"
    except ImageError as error:
        return bool(str(error)) and error.key.startswith("image_")


@given(st.sampled_from([b"", *(data[:16] for data in REAL)]), st.binary(max_size=400))
@settings(max_examples=150, deadline=None)
@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_arbitrary_bytes_raise_nothing_but_image_errors(start: bytes, rest: bytes) -> None:
    assert opens_or_says_why(start + rest)


@given(
    st.sampled_from(REAL),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=12),
    st.floats(0.2, 1),
)
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_mutated_pictures_raise_nothing_but_image_errors(
    data: bytes, changes: list[tuple[float, int]], kept: float
) -> None:
    mutated = bytearray(data)
    for where, value in changes:
        mutated[int(where * (len(mutated) - 1))] = value
    assert opens_or_says_why(bytes(mutated[: int(len(mutated) * kept)]))


def test_pictures_open_alike_in_many_threads() -> None:
    data = [encoded(halves(size=(300 + n, 200)), "JPEG") for n in range(24)]
    alone = [open_image(each).tobytes() for each in data]
    with ThreadPoolExecutor(8) as pool:
        assert [each.tobytes() for each in pool.map(open_image, data)] == alone


def test_thumbnails_average_areas() -> None:
    checks = np.indices((128, 128)).sum(axis=0) % 2 * 255
    image = Image.fromarray(np.repeat(checks[..., None], 3, axis=2).astype(np.uint8))
    small = thumbnail(image)
    assert small.shape == (64, 64, 3)
    assert small.dtype == np.uint8
    assert np.abs(small.astype(int) - 127).max() <= 1
    assert thumbnail(halves(size=(10, 7)), side=8).shape == (8, 8, 3)


def test_image_ids_are_the_first_sixteen_digits_of_sha256() -> None:
    assert image_id(b"abc") == "ba7816bf8f01cfea"


def test_perceptual_hash_survives_shrinking_and_tells_pictures_apart() -> None:
    rng = np.random.default_rng(5)
    first, second = (
        Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)).resize((200, 160))
        for _ in range(2)
    )
    shrunk = open_image(encoded(first.resize((120, 96)), "JPEG", quality=70))
    assert -(2**63) <= perceptual_hash(first) < 2**63
    assert hamming(perceptual_hash(first), perceptual_hash(shrunk)) <= 6
    assert hamming(perceptual_hash(first), perceptual_hash(second)) >= 12


def test_hamming_counts_bits_across_the_sign() -> None:
    assert hamming(-1, 0) == 64
    assert hamming(-(2**63), 2**63 - 1) == 64
    assert hamming(5, 5) == 0


def test_real_photos_open(shared_data: Path) -> None:
    for path in sorted((shared_data / "photos" / "test").rglob("*.jpg"))[:10]:
        assert min(open_image(path, min_side=64).size) >= 64


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
def test_tall_transparent_pictures_are_laid_over_white_as_a_whole(mode: str) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (700, 30, 4), dtype=np.uint8)
    image = Image.fromarray(noise if mode == "RGBA" else noise[..., :2]).convert(mode)
    rgba = image.convert("RGBA")
    expected = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    assert images._over_white(image).tobytes() == expected.tobytes()


def test_a_header_says_how_many_pixels_there_are() -> None:
    assert images.claimed_pixels(encoded(Image.new("RGB", (30, 20)), "PNG")) == 600
    assert images.claimed_pixels(b"") == images.claimed_pixels(b"<html>") == 0
