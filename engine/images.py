"""Opening pictures: from untrusted bytes to one upright RGB picture, or a word on what is wrong."""

from __future__ import annotations

import hashlib
import io
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, UnidentifiedImageError

from engine.errors import ImageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

EXTENSIONS = frozenset(
    {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".heic", ".heif"}
)
"""File name endings that indexing looks at, in lower case; what a file is, its bytes decide."""

MAX_PIXELS = 40_000_000
MAX_BYTES = 50_000_000

MIN_SIDE = 384
"""Least short side, in pixels, that pictures are decoded to, for indexing and for questions alike.

It is the largest input of usual encoders, and does not depend on the one in use: only so do the
same bytes give the same thumbnail before and after a change of ENCODER.
"""

_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
_KINDS = "JPEG, PNG, WebP, GIF, BMP, TIFF, HEIC"
_SNIFFED_BYTES = 512
_DISGUISES = (
    (b"<svg", "an SVG drawing"),
    (b"<!doctype html", "a web page"),
    (b"<html", "a web page"),
    (b"%pdf", "a PDF document"),
    (b"pk\x03\x04", "a ZIP archive"),
    (b"ftypmp4", "a video"),
    (b"ftypisom", "a video"),
    (b"ftypqt", "a video"),
    (b"\x1a\x45\xdf\xa3", "a video"),
)
"""What commonly arrives under a picture's name, by bytes near the start, in lower case."""

_STRIP = 256
"""Rows of a picture with transparency that are laid over white together."""
_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF 2.3, tag Orientation: what brings the stored picture upright."""


def open_image(source: bytes | Path, *, min_side: int | None = None) -> Image.Image:
    """Decode the first frame, turn it upright as EXIF says and lay it over white, as RGB.

    Safe to call from several threads, and with any bytes at all.

    Args:
        source: The file's bytes, or its path.
        min_side: Decode a JPEG smaller, by 2, 4 or 8, as long as its short side keeps this many
            pixels; a fraction of the time where only a small picture is needed.

    Raises:
        ImageError: The bytes are no picture of a known format, are broken, or hold too many pixels.
            Keys: `image_empty`, `image_bytes`, `image_format`, `image_pixels`, `image_broken`.
        OSError: The path cannot be read.
    """
    data = _read(source)
    image = _identified(data)
    # The size is known before anything is decoded. Pillow's own check warns instead of raising up
    # to twice its limit, and warning filters belong to the whole process, not to this thread.
    if image.width * image.height > MAX_PIXELS:
        raise _too_many_pixels()
    try:
        if min_side is not None and image.format in {"JPEG", "MPO"}:
            image.draft("RGB", (min_side, min_side))
        image.load()
        upright = _upright(image)
        flat = _over_white(upright)
    except Exception as error:
        # Decoders meet hostile bytes with errors of any kind.
        raise _broken() from error
    flat.info.clear()
    return flat


def thumbnail(image: Image.Image, side: int = 64) -> NDArray[np.uint8]:
    """The whole picture squeezed to a square by averaging areas.

    Args:
        image: An RGB picture of any size.
        side: Width and height of the thumbnail.

    Returns:
        (side, side, 3) uint8.
    """
    if image.mode != "RGB":
        image = image.convert("RGB")
    small = image.resize((side, side), Image.Resampling.BOX, reducing_gap=2.0)
    return np.array(small, dtype=np.uint8)


def claimed_pixels(data: bytes) -> int:
    """How many pixels a picture's header says it has; 0 for what is no picture."""
    try:
        image = _identified(data) if data else None
    except ImageError:
        return 0
    return image.width * image.height if image else 0


def image_id(data: bytes, owner: int | None = None) -> str:
    """The first 16 hex digits of the SHA-256 of a file's bytes; with an owner, see `owned_id`."""
    name = hashlib.sha256(data).hexdigest()[:16]
    return name if owner is None else owned_id(name, owner)


def owned_id(name: str, owner: int) -> str:
    """The id that a content has in somebody's own collection.

    It depends on the owner: one content may be everyone's and several people's at once, and what
    one of them does with it nobody else can notice.

    Args:
        name: The content's own id.
        owner: Whose it is.
    """
    return hashlib.sha256(f"{name}:{owner}".encode()).hexdigest()[:16]


def perceptual_hash(image: Image.Image) -> int:
    """64-bit DCT hash of the look of a picture, as a signed integer that SQL can store.

    Source: ImageHash's `phash` (8×8 lowest frequencies of a 32×32 picture against their median).
    """
    import imagehash

    bits = np.packbits(imagehash.phash(image).hash.reshape(-1))
    return int(bits.view(">i8")[0])


def hamming(a: int, b: int) -> int:
    """Number of bits in which two perceptual hashes differ, 0 to 64."""
    return ((a ^ b) & 0xFFFF_FFFF_FFFF_FFFF).bit_count()


@cache
def _formats() -> tuple[str, ...]:
    """The allow-list, with HEIC where its decoder is installed; made when first needed."""
    Image.MAX_IMAGE_PIXELS = None  # see `open_image`: MAX_PIXELS is compared instead
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        return _FORMATS
    register_heif_opener(thumbnails=False)
    return (*_FORMATS, "HEIF")


def _read(source: bytes | Path) -> bytes:
    size = source.stat().st_size if isinstance(source, Path) else len(source)
    if not size:
        raise ImageError("The file is empty.", key="image_empty")
    if size > MAX_BYTES:
        limit = MAX_BYTES // 1_000_000
        raise ImageError(f"The file is larger than {limit} MB.", key="image_bytes", limit=limit)
    return source.read_bytes() if isinstance(source, Path) else source


def _identified(data: bytes) -> Image.Image:
    try:
        return Image.open(io.BytesIO(data), formats=_formats())
    except UnidentifiedImageError:
        start = data[:_SNIFFED_BYTES].lower()
        what = next((name for mark, name in _DISGUISES if mark in start), "no picture I can read")
        raise ImageError(
            f"The file is {what}; pictures are {_KINDS}.", key="image_format", kinds=_KINDS
        ) from None
    except Exception as error:
        # Headers can be as hostile as what follows them.
        raise _broken() from error


def _upright(image: Image.Image) -> Image.Image:
    try:
        orientation = image.getexif().get(_ORIENTATION)
    except Exception:  # noqa: BLE001 - damaged EXIF costs the orientation, not the picture
        return image
    turn = _UPRIGHT.get(orientation) if isinstance(orientation, int) else None
    return image if turn is None else image.transpose(turn)


def _over_white(image: Image.Image) -> Image.Image:
    if image.mode[0] in "IF":
        return _eight_bit(np.asarray(image)).convert("RGB")
    if image.has_transparency_data:
        return _in_strips(image)
    return image if type(image) is Image.Image and image.mode == "RGB" else image.convert("RGB")


def _in_strips(image: Image.Image) -> Image.Image:
    """A picture with transparency over white; at once it would take five times its memory."""
    flat = Image.new("RGB", image.size)
    for top in range(0, image.height, _STRIP):
        box = (0, top, image.width, min(top + _STRIP, image.height))
        rgba = image.crop(box).convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        flat.paste(Image.alpha_composite(white, rgba).convert("RGB"), box)
    return flat


def _eight_bit(values: NDArray[np.generic]) -> Image.Image:
    """Greys of 16 or 32 bits or of floats, scaled to 8 bits rather than cut off at 255.

    The white point of 32-bit integers and of floats is not recorded: it is the least usual one
    (1 for floats, 255, 65535) that nothing exceeds, else the brightest value.
    """
    if values.dtype.itemsize == 2:
        return Image.fromarray((values.astype(np.uint16) >> 8).astype(np.uint8))
    greys = np.nan_to_num(values.astype(np.float64), posinf=0, neginf=0)
    brightest = float(greys.max())
    usual = (1.0, 255.0, 65535.0) if values.dtype.kind == "f" else (255.0, 65535.0)
    white = next((each for each in usual if brightest <= each), brightest)
    return Image.fromarray((greys.clip(0, white) * (255 / white)).round().astype(np.uint8))


def _too_many_pixels() -> ImageError:
    limit = MAX_PIXELS // 1_000_000
    return ImageError(
        f"The picture has more than {limit} million pixels; send a smaller one.",
        key="image_pixels",
        limit=limit,
    )


def _broken() -> ImageError:
    return ImageError(
        "The picture is damaged or cut off and cannot be decoded.", key="image_broken"
    )
