"""The library: the one owner of what is stored, and all that can be done to it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Self

import numpy as np

from engine import checking, indexing
from engine.duplicates import Originals
from engine.encoders import encoder_from
from engine.errors import (
    EmptyLibraryError,
    EncoderUnavailableError,
    StoreError,
    UnknownCategoryError,
    UnknownImageError,
)
from engine.files import FileState
from engine.images import MIN_SIDE, open_image, thumbnail
from engine.locks import OwnerLock
from engine.stores import Batch, Stores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path
    from threading import Event
    from types import TracebackType

    from numpy.typing import NDArray

    from engine.catalog import Catalog, CategoryCount, Photo
    from engine.checking import CheckReport
    from engine.config import Settings
    from engine.crawls import CrawlLog
    from engine.encoders import LazyEncoder
    from engine.indexing import IndexReport, Progress
    from engine.pixels import Thumbnails
    from engine.vectors import Vectors


@dataclass(frozen=True, slots=True)
class LibraryStats:
    """The library in figures; bytes are those of files and folders on disk.

    Pictures that people keep for themselves are not counted, save in the size of the index.
    """

    pictures: int
    pending: int
    near_duplicates: int
    categories: int
    files: int
    file_bytes: int
    encoder: str | None
    """Name of the encoder in the settings; None for pixel search only."""
    embedded: int
    """Pictures that this encoder has embedded."""
    index_bytes: int
    """What thumbnails, vectors and catalogue take, those of private pictures included."""


@dataclass(frozen=True, slots=True)
class NewPicture:
    """A picture given as bytes: what the file is to hold, and its facts (`photo.id` included).

    `thumb` is the file's thumbnail where somebody made it already, of the library's size.
    """

    data: bytes
    photo: Photo
    thumb: NDArray[np.uint8] | None = None


class Library:
    """A library in ``DATA_DIR``, open for reading or writing. A context manager.

    Any number of readers work beside one writer.
    """

    def __init__(self, settings: Settings, stores: Stores, lock: OwnerLock | None) -> None:
        self.settings = settings
        self.stores = stores
        self._lock = lock
        self.keeping = Lock()
        """Held while a private picture is counted against a quota and stored, or all are removed"""

    @classmethod
    def open(cls, settings: Settings, *, write: bool) -> Self:
        """Open the library that the settings name.

        Args:
            settings: Where it lies and which encoder it is searched with.
            write: Take the owner lock, make what is missing, and settle what a crash left.

        Raises:
            LibraryLockedError: Another process writes it (`write` only); the message names it.
            EmptyLibraryError: There is none yet (reading only).
            StoreError: Its folder or one of its stores cannot be used.
        """
        encoder = encoder_from(settings)
        if not write:
            if settings.database_url is None and not (settings.data_dir / "lookalike.db").exists():
                raise EmptyLibraryError(
                    f"There is no library in {settings.data_dir} yet. "
                    "Fill it with: lookalike index FOLDER",
                    key="empty_library",
                )
            return cls(settings, Stores(settings, encoder, write=False), None)
        try:
            settings.library_dir.mkdir(parents=True, exist_ok=True)
            settings.vectors_dir.mkdir(exist_ok=True)
            lock = OwnerLock(settings.data_dir)
            lock.acquire()
        except OSError as error:
            raise StoreError(
                f"DATA_DIR {settings.data_dir} cannot be used: {error.strerror or error}.",
                key="data_dir",
                path=str(settings.data_dir),
                reason=error.strerror or str(error),
            ) from error
        try:
            stores = Stores(settings, encoder, write=True)
            stores.repair()
        except BaseException:
            lock.release()
            raise
        return cls(settings, stores, lock)

    def close(self) -> None:
        """Close the stores and give the owner lock back."""
        self.stores.close()
        if self._lock is not None:
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def is_writable(self) -> bool:
        """Whether this process is the library's owner."""
        return self.stores.is_writable

    @property
    def catalog(self) -> Catalog:
        """Facts about pictures and files."""
        return self.stores.catalog

    @property
    def crawls(self) -> CrawlLog:
        """The log of crawls, past ones and those to come."""
        return self.stores.crawls

    @property
    def thumbnails(self) -> Thumbnails:
        """Thumbnails for pixel search."""
        return self.stores.thumbnails

    @property
    def vectors(self) -> Vectors | None:
        """The encoder's vectors; None without an encoder, and until something was embedded."""
        return self.stores.vectors

    @property
    def encoder(self) -> LazyEncoder | None:
        """The encoder, loaded when first needed; None for pixel search only."""
        return self.stores.encoder

    def refresh(self) -> None:
        """See what another process wrote meanwhile; the owner itself has nothing to do here."""
        if not self.is_writable:
            self.stores.refresh()

    def index(
        self,
        paths: Sequence[Path],
        *,
        category: str | None = None,
        progress: Callable[[Progress], None] | None = None,
        stop: Event | None = None,
    ) -> IndexReport:
        """Bring the library up to date with files and folders; see `engine.indexing.index`."""
        return indexing.index(self.stores, paths, category=category, progress=progress, stop=stop)

    def add(self, pictures: Sequence[NewPicture]) -> list[str]:
        """Store pictures as files of the library's own, with thumbnails and embeddings.

        Without an encoder they are found by their pixels, and embedded by the next index run.

        Args:
            pictures: JPEG files, a batch that fits in memory; `engine.crawl.cleaning` makes them.

        Returns:
            Ids of the pictures that the library did not have, in order.

        Raises:
            ImageError: One is no picture; nothing was stored.
            StoreError: They could not be written.
        """
        known = self.catalog.facts(each.photo.id for each in pictures)
        new = {
            each.photo.id: each
            for each in pictures
            if each.photo.id not in known or known[each.photo.id].state == "pending"
        }
        try:
            encoder = self.stores.load_encoder()
        except EncoderUnavailableError:
            encoder = None
        batch = Batch()
        crops = []
        # Whole seconds, which every file system can hold: a file must stay as it was recorded.
        moment = int(time.time()) * 1_000_000_000
        for name, each in new.items():
            photo, path = each.photo, str(self.stores.path_of(each.photo))
            batch.photos.append(photo)
            batch.files.append(
                FileState(path, name, photo.category, len(each.data), moment, is_stored=True)
            )
            batch.contents[path] = each.data
            thumb = each.thumb
            if thumb is None or encoder is not None:
                image = open_image(each.data, min_side=MIN_SIDE)
                thumb = thumbnail(image, self.thumbnails.side) if thumb is None else thumb
                if encoder is not None:
                    crops.append(encoder.prepare(image))
            batch.thumbs[name] = thumb
        if encoder is not None and crops:
            batch.vectors = dict(zip(new, encoder.embed_prepared(np.stack(crops)), strict=True))
        if new:
            self.stores.put(batch)
        return list(new)

    def nearest(self, phash: int, *, owner: int | None = None) -> str | None:
        """The picture (everyone's, or one owner's) that one of this look would nearly repeat."""
        return Originals(*self.catalog.phashes(owner)).nearest(phash)

    def remove(
        self,
        *,
        ids: Iterable[str] = (),
        category: str | None = None,
        paths: Iterable[Path] = (),
    ) -> int:
        """Take pictures out of the library.

        Files that the library stored itself are deleted, all others stay where they are. What was
        begun ends, by the next start where need be: see `Stores.remove`.

        Args:
            ids: Pictures by id.
            category: Everyone's pictures of one category.
            paths: Files, or folders with all that is known beneath them.

        Returns:
            Number of pictures removed. A picture that lies in another file too goes as well.

        Raises:
            UnknownImageError: An id or path is not in the library; nothing was removed.
            UnknownCategoryError: No picture has the category.
        """
        chosen = list(ids)
        known = self.catalog.facts(chosen)
        for name in chosen:
            if name not in known:
                raise UnknownImageError(
                    f"There is no picture {name} in the library.", key="unknown_image", image=name
                )
        for path in paths:
            known_files = self.catalog.files.states(path.resolve())
            if not known_files:
                raise UnknownImageError(
                    f"Nothing of {path} is in the library.", key="unknown_path", path=str(path)
                )
            chosen += [state.image_id for state in known_files.values()]
        if category is not None:
            members = self.catalog.ids_in(category)
            if not members:
                raise self.unknown_category(category)
            chosen += members
            # Else a crawl would pass over all that was ever found for it.
            self.crawls.forget(category)
        return self.stores.remove(sorted(set(chosen)))

    def check(
        self, *, repair: bool = False, progress: Callable[[int, int], None] | None = None
    ) -> CheckReport:
        """Compare all that is stored with each other and with the files; see `engine.checking`."""
        return checking.check(self.stores, repair=repair, progress=progress)

    def categories(self) -> list[CategoryCount]:
        """Everyone's categories with the number of pictures that can be found in each."""
        return self.catalog.categories()

    def unknown_category(
        self, name: str, owners: Iterable[int | None] = (None,)
    ) -> UnknownCategoryError:
        """The error for a category that nothing of these owners has, naming their nearest ones."""
        from difflib import get_close_matches

        counts = (each for owner in owners for each in self.catalog.categories(owner))
        by_key = {each.category.casefold(): each.category for each in counts}
        near = [by_key[key] for key in get_close_matches(name.casefold(), by_key, n=3)]
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        return UnknownCategoryError(
            f"There is no category {name!r}.{hint}",
            key="unknown_category_near" if near else "unknown_category",
            category=name,
            near=", ".join(near),
        )

    def stats(self) -> LibraryStats:
        """The library in figures."""
        totals = self.catalog.totals()
        vectors = self.vectors
        own = [*self.settings.data_dir.glob("*.db*"), *self.settings.vectors_dir.rglob("*")]
        return LibraryStats(
            pictures=totals.pictures,
            pending=totals.pending,
            near_duplicates=totals.near_duplicates,
            categories=totals.categories,
            files=totals.files,
            file_bytes=totals.bytes,
            encoder=self.settings.encoder if self.encoder else None,
            embedded=vectors.shared if vectors is not None else 0,
            index_bytes=sum(path.stat().st_size for path in own if path.is_file()),
        )
