"""The vectors of one encoder: an exact matrix, and for its writer a Chroma collection beside it.

The matrix is written first and is what counts; Chroma is put right from it.
"""

from __future__ import annotations

import hashlib
import logging
import re
from contextlib import contextmanager, suppress
from threading import RLock
from typing import TYPE_CHECKING, Self

import numpy as np

from engine.errors import StoreError
from engine.rows import RowFile
from engine.vectors.exact import nearest
from engine.vectors.mirror import SLACK, Mirror, id_of, keys_of, lacking

if TYPE_CHECKING:
    from collections.abc import Collection as Ids
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from engine.config import Settings
    from engine.metrics import Formula
    from engine.rows import View
    from engine.vectors.collection import Collection

log = logging.getLogger(__name__)

COMPACT_FROM = 1000
"""Deleted rows from which a matrix is compacted, if they are also a third of all."""


class Vectors:
    """One encoder's vectors by picture id. Safe to use from several threads.

    Two matrices: pictures that are everyone's, which Chroma holds too, and private ones, which
    nobody finds who does not name them (`among`).
    """

    def __init__(
        self, shared: RowFile, private: RowFile, collection: Collection | None, unclean: Path
    ) -> None:
        self._shared = shared
        self._private = private
        self._collection = collection
        self._unclean = unclean
        self._writing = RLock()
        self._is_unsure = False

    @classmethod
    def stored_dimension(cls, settings: Settings, encoder_key: str) -> int | None:
        """How wide this encoder's stored vectors are; None when there are none."""
        name = _name(encoder_key)
        found = re.compile(re.escape(name) + r"-(\d+)\.rows")
        matches = (found.fullmatch(path.name) for path in settings.vectors_dir.glob(f"{name}-*"))
        return max((int(match[1]) for match in matches if match), default=None)

    @staticmethod
    def erase_private(settings: Settings, ids: Sequence[str], *, but: str | None = None) -> None:
        """Erase the private vectors that encoders of the past made of these pictures.

        Args:
            settings: `vectors_dir`.
            ids: Pictures that are removed.
            but: `Encoder.key` of the encoder whose vectors are open, and deleted by `delete`.
        """
        name = None if but is None else _name(but)
        for path in settings.vectors_dir.glob("*.private.rows"):
            match = re.fullmatch(r"(.+)-(\d+)\.private\.rows", path.name)
            if match is None or match[1] == name:
                continue
            with RowFile.open(path, width=int(match[2]), dtype=np.float32, write=True) as file:
                file.delete(keys_of(ids), erase=True)

    @classmethod
    def open(cls, settings: Settings, encoder_key: str, dimension: int, *, write: bool) -> Self:
        """Open an encoder's vectors; a writer also opens Chroma and puts it right.

        Args:
            settings: `vectors_dir` and `chroma_url`.
            encoder_key: `Encoder.key`; another encoder's vectors stay as they are.
            dimension: Values per vector.
            write: Open for writing; the caller holds the library's lock. A reader sees the
                matrices only.

        Raises:
            StoreError: The files are damaged, or Chroma cannot be used or reached.
        """
        folder, name = settings.vectors_dir, f"{_name(encoder_key)}-{dimension}"
        files: list[RowFile] = []
        try:
            for suffix in ("rows", "private.rows"):
                path = folder / f"{name}.{suffix}"
                files.append(RowFile.open(path, width=dimension, dtype=np.float32, write=write))
            collection = _collection(name, settings) if write else None
        except BaseException:
            for file in files:
                file.close()
            raise
        vectors = cls(files[0], files[1], collection, folder / f"{name}.unclean")
        try:
            vectors._put_right()
        except BaseException:
            vectors._release()
            raise
        return vectors

    def close(self) -> None:
        """Close everything; the next start then need not compare Chroma with the matrix."""
        with self._writing:
            self._release()
            if self._collection is not None and not self._is_unsure:
                self._unclean.unlink(missing_ok=True)

    def __len__(self) -> int:
        return len(self._shared) + len(self._private)

    @property
    def shared(self) -> int:
        """Number of vectors of pictures that are everyone's."""
        return len(self._shared)

    @property
    def dimension(self) -> int:
        """Values per vector."""
        return int(self._shared.rows.shape[1])

    def refresh(self) -> bool:
        """A reader sees what the writing process did meanwhile; returns whether it did anything."""
        changed = [file.refresh() for file in (self._shared, self._private)]
        return any(changed)

    def ids(self) -> list[str]:
        """Ids of all pictures that have a vector, in order."""
        keys = np.concatenate([self._shared.keys, self._private.keys])
        return [id_of(key) for key in np.sort(keys[keys != 0]).tolist()]

    def private_ids(self) -> list[str]:
        """Ids of the pictures whose vector is kept from everybody, in order."""
        keys = self._private.keys
        return [id_of(key) for key in np.sort(keys[keys != 0]).tolist()]

    def missing(self, ids: Sequence[str]) -> list[str]:
        """Those of these pictures that have no vector."""
        return lacking(ids, (self._shared, self._private))

    def get(self, ids: Sequence[str]) -> NDArray[np.float32]:
        """The vectors (n, d) of these pictures.

        Raises:
            KeyError: One of them has none.
        """
        keys = keys_of(ids)
        found = np.empty((len(ids), self.dimension), np.float32)
        absent = np.ones(len(ids), dtype=np.bool_)
        for file in (self._shared, self._private):
            view, at = _located(file, keys)
            found[at >= 0] = view.rows[at[at >= 0]]
            absent &= at < 0
        if absent.any():
            raise KeyError(ids[int(np.flatnonzero(absent)[0])])
        return found

    def sample(self, count: int) -> NDArray[np.float32]:
        """Vectors (m, d) of at most `count` shared pictures, spread evenly over all."""
        view = self._shared.view
        live = np.flatnonzero(view.keys)
        if len(live) > count:
            live = live[np.linspace(0, len(live) - 1, count).astype(np.intp)]
        found: NDArray[np.float32] = view.rows[live]
        return found

    def verify(self) -> list[str]:
        """Ids whose vector on disk is not what was written."""
        return [id_of(key) for file in (self._shared, self._private) for key in file.verify()]

    def add(
        self,
        ids: Sequence[str],
        vectors: NDArray[np.float32],
        *,
        shared: Sequence[bool] | None = None,
    ) -> None:
        """Store vectors, durably; a picture that has one gets the new one.

        Args:
            ids: Pictures (n), each once.
            vectors: (n, d) float32, unit rows.
            shared: Per picture, whether it is everyone's (default: all are). Others never enter
                Chroma.

        Raises:
            StoreError: Chroma cannot take them. The matrix has them, and the next start brings
                Chroma up to it.
        """
        is_shared = np.ones(len(ids), np.bool_) if shared is None else np.array(shared, np.bool_)
        keys = keys_of(ids)
        with self._changing() as collection:
            known = [ids[at] for at in np.flatnonzero(self._shared.positions(keys) >= 0).tolist()]
            self._shared.delete(keys[~is_shared])
            self._private.delete(keys[is_shared])
            self._private.append(keys[~is_shared], vectors[~is_shared])
            self._shared.append(keys[is_shared], vectors[is_shared])
            if known:
                collection.delete(known)
            at = np.flatnonzero(is_shared).tolist()
            collection.add([ids[i] for i in at], vectors[at])

    def delete(self, ids: Sequence[str]) -> None:
        """Delete vectors, private ones without trace; pictures that have none do not matter."""
        keys = keys_of(ids)
        with self._changing() as collection:
            known = [ids[at] for at in np.flatnonzero(self._shared.positions(keys) >= 0).tolist()]
            for file in (self._shared, self._private):
                file.delete(keys, erase=file is self._private)
                dead = file.appended - len(file)
                if dead >= COMPACT_FROM and 3 * dead > file.appended:
                    # A full disk is no reason to keep what is to be deleted.
                    with suppress(OSError):
                        file.compact()
            collection.delete(known)

    def query(self, vector: NDArray[np.float32], k: int) -> list[tuple[str, float]]:
        """The k nearest shared pictures and their cosine similarities, best first, ties by id.

        By Chroma's index: fast in any size, and nearly always the same as `exact`. A reader, and a
        writer whose Chroma fails just now, answers from the matrix.

        Args:
            vector: (d,), unit length.
            k: How many; fewer are returned where there are fewer.
        """
        if self._collection is None or self._is_unsure or k <= 0:
            return self.exact(vector, "cosine", k)
        try:
            [found] = self._collection.nearest(np.asarray(vector, np.float32)[None], k + SLACK)
        except StoreError as error:
            log.warning("Answering without Chroma: %s", error)
            return self.exact(vector, "cosine", k)
        view, at = _located(self._shared, keys_of([name for name, _ in found]))
        at = at[at >= 0]
        if len(at) < min(k, len(self._shared)):
            # The index lost records, which `check` will report; the answer is whole all the same.
            return self.exact(vector, "cosine", k)
        return _named(nearest([(view, at)], vector, "cosine", k))

    def exact(
        self,
        vector: NDArray[np.float32],
        formula: Formula,
        k: int,
        *,
        among: Ids[str] | None = None,
    ) -> list[tuple[str, float]]:
        """The k best pictures and their scores by comparing all, best first, ties by id.

        Args:
            vector: (d,).
            formula: One of `engine.metrics`; scores are those of `metrics.scores`.
            k: How many; fewer are returned where there are fewer.
            among: Look at these pictures only, private ones too; None: at all shared ones.
        """
        query = np.asarray(vector, np.float32)
        if among is None:
            return _named(nearest([(self._shared.view, None)], query, formula, k))
        keys = np.unique(keys_of(list(among)))
        parts = []
        for file in (self._shared, self._private):
            view, at = _located(file, keys)
            parts.append((view, np.sort(at[at >= 0])))
        return _named(nearest(parts, query, formula, k))

    def audit(self) -> list[str]:
        """Ids, in order, that Chroma does not find although it should, or should not hold at all.

        Every vector is asked for by itself: after many deletes Chroma's index can lose a record
        that it still counts (chroma-core/chroma, issue 7758). A reader has nothing to audit.
        """
        with self._writing:
            if self._collection is None:
                return []
            return self._mirror(self._collection).audit()

    def rebuild(self) -> None:
        """Make the Chroma collection anew from the matrix.

        The matrix is only read, so a crash on the way loses nothing: the next start goes on.
        Questions are answered from the matrix meanwhile.
        """
        with self._writing:
            # From here on questions are answered from the matrix.
            self._is_unsure = True
            with self._changing(mend=False) as collection:
                self._mirror(collection).make_anew()
            self._is_unsure = False

    @contextmanager
    def _changing(self, *, mend: bool = True) -> Iterator[Collection]:
        """Hold the pen; on disk stands that Chroma and the matrix may differ until `close`.

        Args:
            mend: Make up first for a change that failed half-way.
        """
        if self._collection is None:
            raise ValueError("these vectors are open for reading")
        with self._writing:
            self._unclean.touch()
            if mend and self._is_unsure:
                self._mirror(self._collection).reconcile()
                self._is_unsure = False
            try:
                yield self._collection
            except BaseException:
                self._is_unsure = True
                raise

    def _release(self) -> None:
        if self._collection is not None:
            self._collection.close()
        self._shared.close()
        self._private.close()

    def _put_right(self) -> None:
        """Bring Chroma to what the matrix holds, after a crash or somebody else's hand."""
        if self._collection is None:
            return
        try:
            is_alike = self._collection.count() == len(self._shared)
            if self._unclean.exists() or not is_alike:
                with self._changing():
                    self._mirror(self._collection).reconcile()
            if self._mirror(self._collection).finds_its_own():
                return
            reason = "its index does not find what it holds"
        except StoreError as error:
            if self._collection.is_served:
                raise
            reason = str(error)
        log.warning("Making the Chroma collection %s anew: %s", self._collection.name, reason)
        self.rebuild()

    def _mirror(self, collection: Collection) -> Mirror:
        return Mirror(collection, self._shared, self._private)


def _collection(name: str, settings: Settings) -> Collection:
    # Late: a reader never needs Chroma, and importing it takes half a second.
    from engine.vectors.collection import Collection

    return Collection(name, settings.vectors_dir, settings.chroma_url)


def _name(encoder_key: str) -> str:
    """A name for files and collections: readable, and different for different encoders."""
    digest = hashlib.sha256(encoder_key.encode()).hexdigest()[:8]
    readable = re.sub(r"[^a-zA-Z0-9]+", "-", encoder_key).strip("-")[:80]
    return f"{readable or 'encoder'}-{digest}"


def _named(found: Sequence[tuple[int, float]]) -> list[tuple[str, float]]:
    return [(id_of(key), score) for key, score in found]


def _located(file: RowFile, keys: NDArray[np.uint64]) -> tuple[View, NDArray[np.intp]]:
    """A view and the keys' positions in that very view, while another thread may be writing."""
    while True:
        view = file.view
        at = file.positions(keys)
        if file.view is view:
            return view, at
