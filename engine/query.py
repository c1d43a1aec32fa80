"""Questions: what is asked, and opening the pictures it is asked with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PIL import Image, ImageFilter

from engine import images
from engine.errors import ImageError, UnknownImageError

Scope = Literal["shared", "own", "both"]

_ID = "image_id"
"""Where `open_query` notes the id of the bytes a picture was opened from."""

GRAIN = 3
"""Side of the square whose median a denoised pixel is."""

MOST_DENOISED = 4_000_000
"""Pixels; larger pictures are made smaller first, which takes noise away as well."""


@dataclass(frozen=True, slots=True)
class Query:
    """A question.

    Args:
        images: Pictures to look like, from `Search.open_query`. Of several, the mean is asked for.
        like: Ids of library pictures to look like; they are not among their own results.
        text: Words to look like, alone or beside pictures; `-word` and `-"two words"` are to be
            left out. Needs a `clip` metric and an encoder with a text side.
        metric: A metric's name or alias.
        topk: Matches per page, 1 to 100.
        page: Page, from 0. Pages of one query neither repeat nor skip a picture.
        category: Keep to one category.
        owner: Who asks: nobody else's private pictures are ever among the matches.
        mirror: Ask with the pictures as they are and mirrored; of each match the better score
            counts, so that a mirrored picture finds its original.
        denoise: Put `images` through a median filter first. Library pictures (`like`) are taken as
            they are.
        scope: Look among everyone's pictures, the owner's own, or both.
    """

    images: tuple[Image.Image, ...] = ()
    like: tuple[str, ...] = ()
    text: str | None = None
    metric: str = "clip"
    topk: int = 5
    page: int = 0
    category: str | None = None
    owner: int | None = None
    mirror: bool = False
    denoise: bool = False
    scope: Scope = "both"

    @property
    def owners(self) -> tuple[int | None, ...]:
        """Whose pictures may be among the matches; None stands for everyone's."""
        shared = () if self.scope == "own" else (None,)
        own = () if self.owner is None or self.scope == "shared" else (self.owner,)
        return (*shared, *own)


def open_query(source: bytes | Path) -> Image.Image:
    """See `engine.search.Search.open_query`."""
    data = _read(source) if isinstance(source, Path) else source
    image = images.open_image(data, min_side=images.MIN_SIDE)
    image.info[_ID] = images.image_id(data)
    return image


def noted_id(image: Image.Image) -> str | None:
    """The id that a picture from `open_query` has if it is in the library."""
    name = image.info.get(_ID)
    return name if isinstance(name, str) else None


def mirrored(image: Image.Image) -> Image.Image:
    """The picture with left and right exchanged; no longer the one with a noted id."""
    return _other(image.transpose(Image.Transpose.FLIP_LEFT_RIGHT))


def denoised(image: Image.Image) -> Image.Image:
    """The picture with each pixel the median of its neighbourhood, channel by channel.

    Single wrong pixels go, edges stay; a mean would smear both.
    """
    factor = 1
    while image.width * image.height > MOST_DENOISED * factor**2:
        factor += 1
    small = image.reduce(factor) if factor > 1 else image
    return _other(small.filter(ImageFilter.MedianFilter(GRAIN)))


def unknown_image(name: str) -> UnknownImageError:
    """The error for an id that is not in the library."""
    return UnknownImageError(
        "That picture is no longer in the library.", key="unknown_image", image=name
    )


def _other(image: Image.Image) -> Image.Image:
    image.info.pop(_ID, None)
    return image


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > images.MAX_BYTES:
            limit = images.MAX_BYTES // 1_000_000
            raise ImageError(f"The file is larger than {limit} MB.", key="image_bytes", limit=limit)
        return path.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise UnknownImageError(
            f"{path} cannot be read: {reason}.", key="no_such_path", path=str(path)
        ) from error
