"""Downloads not cleaned yet: on disk, so that memory stays bounded and a crash loses none."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from engine.crawls import url_digest
from engine.errors import StoreError
from engine.stores import PART

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

FOLDER = "crawl"
"""Folder in ``DATA_DIR``; empty when no crawl is under way."""


class Spool:
    """The downloads of one crawl, a file for each address, named by its digest.

    A file is renamed into place when it is whole. It is not forced to disk: that it outlives its
    process is enough, after a power cut an address may well be asked once more.

    Args:
        data_dir: The library's ``DATA_DIR``.
        crawl_id: The crawl's number in the log.
    """

    def __init__(self, data_dir: Path, crawl_id: int) -> None:
        self._folder = data_dir / FOLDER / str(crawl_id)
        with _explained():
            self._folder.mkdir(parents=True, exist_ok=True)

    def has(self, url: str) -> bool:
        """Whether the download of an address is here."""
        return self._path(url).exists()

    def write(self, url: str, data: bytes) -> None:
        """Keep a download.

        Raises:
            StoreError: It cannot be written.
        """
        path = self._path(url)
        half = path.with_suffix(PART)
        with _explained():
            half.write_bytes(data)
            half.replace(path)

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


def sweep(data_dir: Path, unfinished: Iterable[int]) -> None:
    """Delete the downloads of all crawls but these."""
    kept = {str(number) for number in unfinished}
    folder = data_dir / FOLDER
    if folder.is_dir():
        for entry in os.scandir(folder):
            if entry.name not in kept and entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path, ignore_errors=True)


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"The crawl's downloads cannot be kept: {error}.", key="store_write", reason=str(error)
        ) from error
