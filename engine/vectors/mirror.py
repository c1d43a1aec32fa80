"""The mirror: a Chroma collection compared with the exact matrix it is derived from, and mended."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from engine.rows import RowFile
    from engine.vectors.collection import Collection

log = logging.getLogger(__name__)

SLACK = 16
"""Neighbours asked of Chroma beyond those wanted: some may be deleted just now, or tie."""

SAME = 1e-3
"""Cosine distance up to which a stored vector counts as the one asked with (audit)."""

EQUAL = 1e-6
"""Cosine distance up to which two vectors count as equal: Chroma's rounding."""

SAMPLE = 32
"""Vectors asked for when a collection is opened."""

BLOCK = 4096
"""Rows read from a matrix at a time."""


class Mirror:
    """A collection beside the matrices; the caller holds the pen while it is used.

    Args:
        collection: What is to agree with `shared`.
        shared: The vectors that everybody may find.
        private: Those that the collection must not hold.
    """

    def __init__(self, collection: Collection, shared: RowFile, private: RowFile) -> None:
        self._collection = collection
        self._shared = shared
        self._private = private

    def audit(self) -> list[str]:
        """See `Vectors.audit`."""
        stored = set(self._collection.ids())
        lost = set(stored)
        for ids, rows in self._blocks():
            lost.difference_update(ids)
            answers = self._collection.nearest(rows, SLACK)
            for name, answer in zip(ids, answers, strict=True):
                if name not in stored or not _is_found(name, answer):
                    lost.add(name)
        return sorted(lost)

    def make_anew(self) -> None:
        """Empty the collection and fill it from the matrix."""
        if self._collection.is_served:
            self._adopt(set(self._collection.ids()))
        self._collection.recreate()
        for ids, rows in self._blocks():
            self._collection.add(ids, rows)

    def reconcile(self) -> None:
        """Compare all ids; add to Chroma what it lacks, delete what it has too much."""
        stored = set(self._collection.ids())
        excess = stored - {name for ids, _ in self._blocks() for name in ids}
        if self._collection.is_served:
            self._adopt(excess)
            excess &= {id_of(key) for key in self._private.keys.tolist()}
        self._collection.delete(sorted(excess))
        added = 0
        for ids, rows in self._blocks():
            lacking = [at for at, name in enumerate(ids) if name not in stored]
            self._collection.add([ids[at] for at in lacking], rows[lacking])
            added += len(lacking)
        if excess or added:
            log.info("Chroma put right: %d added, %d deleted", added, len(excess))

    def finds_its_own(self) -> bool:
        """Whether a sample of the vectors is found: an index whose files are gone counts on.

        It also loads the index, which the first person to ask need not wait for then. Single
        losses are for `audit` to find.
        """
        view = self._shared.view
        live = np.flatnonzero(view.keys)
        at = live[:: max(1, len(live) // SAMPLE)][:SAMPLE]
        rows = view.rows[at]
        answers = self._collection.nearest(rows, SLACK) if len(at) else []
        ids = [id_of(key) for key in view.keys[at].tolist()]
        found = [_is_found(*each) for each in zip(ids, answers, strict=True)]
        return 2 * sum(found) >= len(found)

    def _adopt(self, ids: set[str]) -> None:
        """Take over vectors that another machine put on the common server.

        To delete them, as from an embedded database, would undo that machine's work.
        """
        wanted = lacking(sorted(ids), (self._shared, self._private))
        for start in range(0, len(wanted), BLOCK):
            names, rows = self._collection.get(wanted[start : start + BLOCK])
            if names:
                self._shared.append(keys_of(names), rows)

    def _blocks(self, size: int = BLOCK) -> Iterator[tuple[list[str], NDArray[np.float32]]]:
        """Ids (n) and vectors (n, d) of all shared pictures, some at a time."""
        view = self._shared.view
        live = np.flatnonzero(view.keys)
        for start in range(0, len(live), size):
            at = live[start : start + size]
            yield [id_of(key) for key in view.keys[at].tolist()], view.rows[at]


def keys_of(ids: Sequence[str]) -> NDArray[np.uint64]:
    """The row files' keys of these ids (n)."""
    return np.fromiter((int(name, 16) for name in ids), dtype=np.uint64, count=len(ids))


def id_of(key: int) -> str:
    """The id of a row file's key."""
    return f"{key:016x}"


def lacking(ids: Sequence[str], files: Sequence[RowFile]) -> list[str]:
    """Those of these ids that none of the files has."""
    keys = keys_of(ids)
    absent = np.ones(len(ids), dtype=np.bool_)
    for file in files:
        absent &= file.positions(keys) < 0
    return [ids[at] for at in np.flatnonzero(absent).tolist()]


def _is_found(name: str, answer: Sequence[tuple[str, float]]) -> bool:
    """Whether a vector's self-query gave it back, with the value it should have.

    Among very many equal ones nobody can tell; HNSW itself reaches only some of those.
    """
    similarity = dict(answer).get(name)
    if similarity is None:
        return len(answer) == SLACK and answer[-1][1] >= 1 - EQUAL
    return similarity >= 1 - SAME
