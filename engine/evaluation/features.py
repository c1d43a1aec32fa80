"""Features: from picture files to what is compared, each file opened once for all methods."""

from __future__ import annotations

import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from engine.encoders.devices import allowed_cores
from engine.errors import ImageError
from engine.evaluation.rows import ScratchRows
from engine.evaluation.trial import Picture
from engine.images import MAX_BYTES, MIN_SIDE, image_id, open_image, thumbnail
from engine.scan import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from threading import Event

    from numpy.typing import NDArray

    from engine.encoders import Encoder
    from engine.scan import FoundFile

EMBED_AT_ONCE = 32


@dataclass(slots=True)
class Features:
    """What a folder's pictures are compared by. A context manager: its scratch files go with it.

    Attributes:
        pictures: The readable ones, each content once, in the order of the files.
        thumbs: By size, their thumbnails.
        vectors: By encoder, (n, d) unit rows.
        seconds: By size or encoder, the time a picture took from file to row.
        problems: Files that could not be used.
        copies: Files whose content another one has.
    """

    pictures: list[Picture] = field(default_factory=list)
    thumbs: dict[int, ScratchRows] = field(default_factory=dict)
    vectors: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    seconds: dict[int | str, float] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    copies: int = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for rows in self.thumbs.values():
            rows.close()


@dataclass(frozen=True, slots=True)
class _Derived:
    """What a thread made of one file."""

    picture: Picture
    thumbs: dict[int, NDArray[np.uint8]]
    crops: dict[str, NDArray[np.uint8]]
    seconds: dict[int | str, float]


class FeatureReader:
    """Reads picture files for an evaluation.

    Args:
        sizes: Sides of the thumbnails wanted.
        encoders: By name, the encoders wanted.
        scratch: Where thumbnails are laid down; None for the system's temporary folder.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        encoders: Mapping[str, Encoder],
        scratch: Path | None = None,
    ) -> None:
        self._sizes = tuple(sizes)
        self._encoders = encoders
        self._scratch = scratch
        # As indexing opens them, and never smaller than the largest thumbnail.
        self._min_side = max(MIN_SIDE, *self._sizes, 0)

    def read(
        self,
        files: Sequence[FoundFile],
        *,
        stop: Event | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Features | None:
        """Read all of them; a few pictures are in memory at a time.

        Returns:
            Their features; None if it was stopped.

        Raises:
            OSError: There is no room for the thumbnails.
            EncoderUnavailableError: An encoder gives something that is no vector.
        """
        features = Features(thumbs={side: ScratchRows(side, self._scratch) for side in self._sizes})
        try:
            finished = self._fill(features, files, stop, progress or (lambda _done, _total: None))
        except BaseException:
            features.__exit__()
            raise
        if not finished:
            features.__exit__()
            return None
        return features

    def _fill(
        self,
        features: Features,
        files: Sequence[FoundFile],
        stop: Event | None,
        progress: Callable[[int, int], None],
    ) -> bool:
        seen: set[str] = set()
        crops: dict[str, list[NDArray[np.uint8]]] = {name: [] for name in self._encoders}
        vectors: dict[str, list[NDArray[np.float32]]] = {name: [] for name in self._encoders}
        spent: dict[int | str, float] = dict.fromkeys((*self._sizes, *self._encoders), 0.0)
        for done, made in enumerate(self._derived(files), start=1):
            if stop is not None and stop.is_set():
                return False
            progress(done, len(files))
            if isinstance(made, Problem):
                features.problems.append(made)
                continue
            if made.picture.id in seen:
                features.copies += 1
                continue
            seen.add(made.picture.id)
            features.pictures.append(made.picture)
            for side, thumb in made.thumbs.items():
                features.thumbs[side].append(thumb)
            for name, crop in made.crops.items():
                crops[name].append(crop)
                if len(crops[name]) == EMBED_AT_ONCE:
                    spent[name] += self._embed(name, crops[name], vectors[name])
            for kind, seconds in made.seconds.items():
                spent[kind] += seconds
        for name, encoder in self._encoders.items():
            spent[name] += self._embed(name, crops[name], vectors[name])
            none = np.empty((0, encoder.dimension), np.float32)
            features.vectors[name] = np.concatenate([none, *vectors[name]])
        count = max(1, len(features.pictures))
        features.seconds.update({kind: seconds / count for kind, seconds in spent.items()})
        return True

    def _derived(self, files: Sequence[FoundFile]) -> Iterator[_Derived | Problem]:
        """What became of each file, in order, with a few in the threads' hands at a time."""
        threads = allowed_cores()
        waiting: deque[Future[_Derived | Problem]] = deque()
        with ThreadPoolExecutor(threads, thread_name_prefix="evaluate-read") as pool:
            try:
                for file in files:
                    waiting.append(pool.submit(self._derive, file))
                    if len(waiting) > 2 * threads:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()

    def _derive(self, file: FoundFile) -> _Derived | Problem:
        start = time.perf_counter()
        try:
            if file.size > MAX_BYTES:
                return Problem(file.path, f"The file is larger than {MAX_BYTES // 10**6} MB.")
            data = Path(file.path).read_bytes()
            image = open_image(data, min_side=self._min_side)
        except ImageError as error:
            return Problem(file.path, str(error))
        except OSError as error:
            return Problem(file.path, error.strerror or str(error))
        opened = time.perf_counter() - start
        seconds: dict[int | str, float] = {}
        thumbs: dict[int, NDArray[np.uint8]] = {}
        crops: dict[str, NDArray[np.uint8]] = {}
        for side in self._sizes:
            start = time.perf_counter()
            thumbs[side] = thumbnail(image, side)
            seconds[side] = opened + time.perf_counter() - start
        for name, encoder in self._encoders.items():
            start = time.perf_counter()
            crops[name] = encoder.prepare(image)
            seconds[name] = opened + time.perf_counter() - start
        picture = Picture(image_id(data), file.category, Path(file.path))
        return _Derived(picture, thumbs, crops, seconds)

    def _embed(
        self, name: str, crops: list[NDArray[np.uint8]], vectors: list[NDArray[np.float32]]
    ) -> float:
        """Embed what waits; returns the seconds it took."""
        if not crops:
            return 0.0
        start = time.perf_counter()
        vectors.append(self._encoders[name].embed_prepared(np.stack(crops)))
        crops.clear()
        return time.perf_counter() - start
