"""Downloads not cleaned yet: on disk, so that memory stays bounded and a crash loses none."""

from __future__ import annotations

import os
import shutil
from collections import deque
from contextlib import contextmanager, suppress
from io import FileIO
from typing import TYPE_CHECKING

from engine.crawls import url_digest
from engine.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

FOLDER = "crawl"
"""Folder in ``DATA_DIR``; empty when no crawl is under way."""


class Spool:
    """The downloads of one crawl, a file for each address, named by its digest and its length.

    A download is written while it comes. Its file is whole when it has the length that its name
    says, so after a `kill -9` one whose last byte was written is whole, whatever was to be done
    with it; only where a server told no length, the name gets it at the end. Nothing is forced to
    disk: after a power cut an address may well be asked once more.

    The file of a download that was dealt with is emptied and takes up a later one: to make and to
    delete files again and again costs some file systems more than the downloads themselves.

    Args:
        data_dir: The library's ``DATA_DIR``.
        crawl_id: The crawl's number in the log.
    """

    def __init__(self, data_dir: Path, crawl_id: int) -> None:
        self._folder = data_dir / FOLDER / str(crawl_id)
        self._whole: dict[str, Path] = {}
        self._empty: deque[Path] = deque()
        with _explained():
            self._folder.mkdir(parents=True, exist_ok=True)
            for path in list(self._folder.iterdir()):
                digest, _, length = path.name.partition(".")
                if length.isdecimal() and path.stat().st_size == int(length):
                    self._whole[digest] = path
                else:
                    path.unlink()

    def has(self, url: str) -> bool:
        """Whether the download of an address is here."""
        return url_digest(url) in self._whole

    @contextmanager
    def receiving(self, url: str) -> Iterator[Part]:
        """Keep what comes during the block, if the block ends well.

        Raises:
            StoreError: It cannot be written.
        """
        digest = url_digest(url)
        part = Part(self._folder / digest, self._empty)
        try:
            yield part
        except BaseException:
            part.discard()
            raise
        self._whole[digest] = part.finish()

    def path(self, url: str) -> Path:
        """Where the download of an address lies.

        Raises:
            KeyError: It is not here.
        """
        return self._whole[url_digest(url)]

    def drop(self, urls: Iterable[str]) -> None:
        """Let go of downloads that were dealt with; of those that are not here, nothing happens."""
        for url in urls:
            path = self._whole.pop(url_digest(url), None)
            if path is not None:
                with _explained(), suppress(FileNotFoundError):
                    os.truncate(path, 0)
                    self._empty.append(path)

    def close(self) -> None:
        """Delete all of it: the crawl is over."""
        shutil.rmtree(self._folder, ignore_errors=True)


class Part:
    """A download that is coming; a sink for `engine.crawl.fetch`.

    Args:
        path: Where it is to lie, but for the length in its name.
        empty: Files to take before one is made.
    """

    def __init__(self, path: Path, empty: deque[Path]) -> None:
        self._stem = path
        self._empty = empty
        self._file: FileIO | None = None

    def begin(self, length: int | None) -> None:
        """Start anew, with a body of so many bytes."""
        if self._file is not None:
            self.discard()
        self._path = self._stem if length is None else self._named(length)
        with _explained():
            # Not into a file of that name: a run that was told to end may be writing there yet.
            try:
                self._empty.popleft().replace(self._path)
            except (IndexError, FileNotFoundError):
                self._path.unlink(missing_ok=True)
            self._file = FileIO(self._path, "w")

    def write(self, data: bytes) -> None:
        """Write the next piece at once; nothing is held back in a buffer."""
        with _explained():
            rest = memoryview(data)
            while rest and self._file is not None:
                rest = rest[self._file.write(rest) :]

    def finish(self) -> Path:
        """It is whole; returns the path of its file."""
        with _explained():
            if self._file is not None and self._path == self._stem:
                self._path = self._path.replace(self._named(self._file.tell()))
            self._close()
        return self._path

    def discard(self) -> None:
        """It is void."""
        with _explained():
            if self._file is not None:
                self._close()
                self._path.unlink(missing_ok=True)

    def _named(self, length: int) -> Path:
        return self._stem.with_name(f"{self._stem.name}.{length}")

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
