"""Downloads not cleaned yet: on disk, so that memory stays bounded and a crash loses none."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from io import FileIO
from typing import TYPE_CHECKING

from engine.crawls import url_digest
from engine.errors import StoreError
from engine.stores import PART

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

FOLDER = "crawl"
"""Folder in ``DATA_DIR``; empty when no crawl is under way."""


class Spool:
    """The downloads of one crawl, a file for each address, named by its digest.

    A download is written while it comes, to a file that carries its length in its name where that
    is known: after a `kill -9` one whose last byte was written is whole, whatever was to be done
    with it. It is not forced to disk: after a power cut an address may well be asked once more.

    Args:
        data_dir: The library's ``DATA_DIR``.
        crawl_id: The crawl's number in the log.
    """

    def __init__(self, data_dir: Path, crawl_id: int) -> None:
        self._folder = data_dir / FOLDER / str(crawl_id)
        with _explained():
            self._folder.mkdir(parents=True, exist_ok=True)
            for half in self._folder.glob(f"*{PART}"):
                digest, _, length = half.name.removesuffix(PART).partition(".")
                if length and half.stat().st_size == int(length):
                    half.replace(self._folder / digest)
                else:
                    half.unlink()

    def has(self, url: str) -> bool:
        """Whether the download of an address is here."""
        return self._path(url).exists()

    @contextmanager
    def receiving(self, url: str) -> Iterator[Part]:
        """Keep what comes during the block, if the block ends well.

        Raises:
            StoreError: It cannot be written.
        """
        part = Part(self._path(url))
        try:
            yield part
        except BaseException:
            part.discard()
            raise
        part.finish()

    def read(self, url: str) -> bytes:
        """A download's bytes.

        Raises:
            StoreError: It cannot be read.
        """
        with _explained():
            return self._path(url).read_bytes()

    def drop(self, urls: Iterable[str]) -> None:
        """Delete downloads that were dealt with."""
        for url in urls:
            self._path(url).unlink(missing_ok=True)

    def close(self) -> None:
        """Delete all of it: the crawl is over."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _path(self, url: str) -> Path:
        return self._folder / url_digest(url)


class Part:
    """A download that is coming; a sink for `engine.crawl.fetch`.

    Args:
        path: Where it is to lie.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._half = path.with_suffix(PART)
        self._file: FileIO | None = None

    def begin(self, length: int | None) -> None:
        """Start anew, with a body of so many bytes."""
        if self._file is not None:
            self.discard()
        if length is not None:
            self._half = self._path.with_name(f"{self._path.name}.{length}{PART}")
        with _explained():
            try:
                self._file = FileIO(self._half, "x")
            except FileExistsError:
                # Not over it: a run that was told to end may be writing there for a moment yet.
                self._half.unlink(missing_ok=True)
                self._file = FileIO(self._half, "x")

    def write(self, data: bytes) -> None:
        """Write the next piece at once; nothing is held back in a buffer."""
        with _explained():
            rest = memoryview(data)
            while rest and self._file is not None:
                rest = rest[self._file.write(rest) :]

    def finish(self) -> None:
        """It is whole."""
        with _explained():
            self._close()
            self._half.replace(self._path)

    def discard(self) -> None:
        """It is void."""
        with _explained():
            self._close()
            self._half.unlink(missing_ok=True)

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def sweep(data_dir: Path, unfinished: Callable[[], Iterable[int]]) -> None:
    """Delete the downloads of crawls that are over.

    Args:
        data_dir: The library's ``DATA_DIR``.
        unfinished: Gives the crawls whose downloads stay. Asked after looking what there is: a
            crawl that begins meanwhile is recorded before it has a folder.
    """
    folder = data_dir / FOLDER
    if not folder.is_dir():
        return
    found = [entry for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=False)]
    kept = {str(number) for number in unfinished()}
    for entry in found:
        if entry.name not in kept:
            shutil.rmtree(entry.path, ignore_errors=True)


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"The crawl's downloads cannot be kept: {error}.", key="store_write", reason=str(error)
        ) from error
