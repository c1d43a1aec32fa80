"""Reading: from a file to all that the stores lack of its picture. The work of threads."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from engine.catalog import Photo
from engine.errors import ImageError
from engine.images import MAX_BYTES, MIN_SIDE, image_id, open_image, perceptual_hash, thumbnail

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from engine.encoders.encoder import BatchedEncoder
    from engine.files import FileState


@dataclass(frozen=True, slots=True)
class Read:
    """What a worker made of a file; of a picture that lacks nothing, only its id (in `file`)."""

    file: FileState
    photo: Photo | None = None
    thumb: NDArray[np.uint8] | None = None
    prepared: NDArray[np.uint8] | None = None
    problem: str | None = None
    is_broken: bool = False
    """Whether the problem is what the file holds, and not that it could not be read just now."""
    counts: tuple[str, ...] = ()
    """What it adds to the counts, once it is handed on to be stored."""


class Reader:
    """Reads files for one index run; safe to use from several threads.

    Args:
        encoder: Prepares pictures for itself; None where none are to be embedded.
        side: Width and height of a thumbnail in pixels.
        has_thumbnail: Ids that need none; others may be added while this reads.
        has_vector: Ids that need no embedding, likewise.
        owners: Owner by id of private pictures, whose ids are made with it.
    """

    def __init__(
        self,
        encoder: BatchedEncoder | None,
        side: int,
        has_thumbnail: Container[str],
        has_vector: Container[str],
        owners: Mapping[str, int],
    ) -> None:
        self._encoder = encoder
        self._side = side
        self._has_thumbnail = has_thumbnail
        self._has_vector = has_vector
        self._owners = owners

    def read(self, file: FileState) -> Read:
        """Open a file and make all that the stores lack of it."""
        try:
            if file.size > MAX_BYTES:
                problem = f"The file is larger than {MAX_BYTES // 10**6} MB."
                return Read(file, problem=problem, is_broken=True)
            data = Path(file.path).read_bytes()
            owner = self._owners.get(file.image_id)
            name = image_id(data, owner)
            file = replace(file, image_id=name)
            needs_thumbnail = name not in self._has_thumbnail
            needs_vector = self._encoder is not None and name not in self._has_vector
            if not (needs_thumbnail or needs_vector):
                return Read(file)
            image = open_image(data, min_side=MIN_SIDE)
        except ImageError as error:
            # Decoders' errors of any kind arrive here; a machine short of memory proves nothing.
            is_broken = not isinstance(error.__cause__, MemoryError)
            return Read(file, problem=str(error), is_broken=is_broken)
        except OSError as error:
            return Read(file, problem=error.strerror or str(error))
        prepared = self._encoder.prepare(image) if self._encoder and needs_vector else None
        return Read(
            file,
            photo=Photo(
                name, file.category, *_full_size(data, image), perceptual_hash(image), owner
            ),
            thumb=thumbnail(image, self._side) if needs_thumbnail else None,
            prepared=prepared,
        )


def _full_size(data: bytes, opened: Image.Image) -> tuple[int, int]:
    """Width and height of the upright picture, which was perhaps opened smaller than it is."""
    with Image.open(io.BytesIO(data)) as header:
        width, height = header.size
    is_turned = (width - height) * (opened.width - opened.height) < 0
    return (height, width) if is_turned else (width, height)
