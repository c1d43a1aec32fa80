"""Rows: many vectors of one width on disk, scanned in place through a memory map.

Two files make one store. `NAME.<generation>` holds the rows and nothing else, one after the other
from its first byte, so that BLAS and compiled loops run over it at full speed. `NAME` itself is the
log of what they are (`engine.rowlog`). Opening reads the log only, 5 MB for 100,000 rows, and a
reader follows a writer by reading what was added to it.

Safety rests on order: a row is on disk before its record is, so a log torn at any byte loses what
was being written and nothing else. Compaction writes a new generation beside the old one and
switches to it by renaming one file.

Only what is touched is read into memory, and the system takes those pages back when it needs them:
a store larger than memory works, at the speed of the disk.
"""

from __future__ import annotations

import mmap
import os
import secrets
import zlib
from contextlib import suppress
from dataclasses import dataclass
from threading import RLock
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from engine import rowlog
from engine.errors import StoreError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import ArrayLike, DTypeLike, NDArray

_COPY_BYTES = 16 << 20
_SLACK_BYTES = 256 << 20


@dataclass(frozen=True, slots=True)
class View:
    """The rows at one moment. It stays true to that moment while the store goes on changing.

    Attributes:
        keys: (n,) uint64, 0 where the row is deleted.
        rows: (n, width), read-only, memory-mapped, contiguous.
        sums: (n,) float64, the sum of each row.
        squares: (n,) float64, the sum of each row's squares.
        crcs: (n,) uint32, each row's CRC-32 when it was written.
        generation: Changes when compaction moves rows; positions hold within one.
    """

    keys: NDArray[np.uint64]
    rows: NDArray[Any]
    sums: NDArray[np.float64]
    squares: NDArray[np.float64]
    crcs: NDArray[np.uint32]
    generation: int


class RowFile:
    """A store of fixed-width rows under unique keys; safe to use from several threads.

    One process writes at a time (the library's lock sees to it), any number read beside it.
    """

    def __init__(self, path: Path, *, width: int, dtype: DTypeLike, write: bool) -> None:
        self._path = path
        self._width = width
        self._dtype = np.dtype(dtype)
        self._row_bytes = width * self._dtype.itemsize
        self._write = write
        self._lock = RLock()
        self._log = self._data = -1
        self._end = rowlog.HEADER.itemsize
        self._is_damaged = False
        self._mapped = np.empty((0, width), self._dtype)
        self._view = self._empty(0)
        self._sorted: tuple[View, NDArray[np.uint64], NDArray[np.intp]] | None = None
        self._live = 0

    @classmethod
    def open(cls, path: Path, *, width: int, dtype: DTypeLike, write: bool) -> Self:
        """Open a store.

        A writer makes it if it is absent, cuts off what a crash left torn, and compacts it when
        more rows are deleted than live. A reader finds an absent one empty, until `refresh`.

        Args:
            path: The log's path; the rows lie beside it.
            width: Values per row.
            dtype: `uint8` or `float32`.
            write: Open for writing.

        Raises:
            StoreError: It is no row file, holds rows of another width or type, or cannot be opened.
        """
        store = cls(path, width=width, dtype=dtype, write=write)
        try:
            if write:
                path.parent.mkdir(parents=True, exist_ok=True)
                if not path.exists():
                    store._begin(np.empty(0, np.intp))
            store._attach()
            if write:
                store._tidy()
        except OSError as error:
            store.close()
            raise store._broken(error.strerror or str(error)) from error
        except StoreError:
            store.close()
            raise
        return store

    def close(self) -> None:
        """Close the files. Views taken before stay usable."""
        with self._lock:
            for handle in (self._log, self._data):
                if handle >= 0:
                    os.close(handle)
            self._log = self._data = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        return self._live

    def __contains__(self, key: object) -> bool:
        return isinstance(key, int | np.integer) and bool(self.positions([int(key)])[0] >= 0)

    @property
    def view(self) -> View:
        """Keys, rows, sums and squares that belong together."""
        return self._view

    @property
    def keys(self) -> NDArray[np.uint64]:
        """(n,) keys in the order of the rows, 0 where the row is deleted."""
        return self._view.keys

    @property
    def rows(self) -> NDArray[Any]:
        """(n, width) rows, deleted ones among them; read-only and memory-mapped."""
        return self._view.rows

    @property
    def sums(self) -> NDArray[np.float64]:
        """(n,) sum of each row."""
        return self._view.sums

    @property
    def squares(self) -> NDArray[np.float64]:
        """(n,) sum of squares of each row."""
        return self._view.squares

    @property
    def appended(self) -> int:
        """Rows written since the last compaction, deleted ones included."""
        return len(self._view.keys)

    def positions(self, keys: ArrayLike, view: View | None = None) -> NDArray[np.intp]:
        """Where the keys' rows are in `view` (default: now): (n,) indices, -1 where absent."""
        wanted = np.asarray(keys, dtype=np.uint64)
        view = view or self._view
        cached = self._sorted
        if cached is None or cached[0] is not view:
            live = np.flatnonzero(view.keys)
            order = live[np.argsort(view.keys[live], kind="stable")]
            cached = self._sorted = (view, view.keys[order], order)
        _, known, order = cached
        if not len(known):
            return np.full(len(wanted), -1, dtype=np.intp)
        # Of a key that a crash left twice, the row written last counts.
        near = np.maximum(np.searchsorted(known, wanted, side="right") - 1, 0)
        return np.where(known[near] == wanted, order[near], -1)

    def append(self, keys: ArrayLike, rows: NDArray[Any]) -> None:
        """Add rows, durably: when this returns, they survive a crash.

        A key that is there already gets its new row; the old one is deleted.

        Args:
            keys: (n,) uint64, different from each other, none 0.
            rows: (n, width) of the store's dtype.

        Raises:
            ValueError: Shapes, dtype or keys are not as said above.
            OSError: It cannot be written; the store is as it was before.
        """
        names = np.asarray(keys, dtype=np.uint64)
        if rows.shape != (len(names), self._width) or rows.dtype != self._dtype:
            wanted = f"{self._dtype} ({len(names)}, {self._width})"
            raise ValueError(f"rows must be {wanted}, not {rows.dtype} {rows.shape}")
        if not names.all() or len(np.unique(names)) != len(names):
            raise ValueError("keys must be different from each other and from 0")
        if not len(names):
            return
        rows = np.ascontiguousarray(rows)
        figures = rowlog.summed(rows)
        with self._lock:
            self._need_writer()
            first = self.appended
            replaced = self.positions(names)
            replaced = replaced[replaced >= 0]
            self._reserve(first + len(rows))
            _write(self._data, rows, first * self._row_bytes)
            os.fsync(self._data)
            added = rowlog.puts(names, *figures, first)
            self._commit(np.concatenate([added, self._deletions(replaced)]))

    def delete(self, keys: ArrayLike, *, erase: bool = False) -> int:
        """Delete rows, durably; keys that are absent do no harm. Returns how many there were.

        Args:
            keys: (n,) uint64.
            erase: Overwrite the rows with zeros first. Without it they stay on the disk until the
                next compaction. Views taken before see the zeros.
        """
        with self._lock:
            self._need_writer()
            found = np.unique(self.positions(keys))
            found = found[found >= 0]
            if len(found):
                if erase:
                    blank = np.zeros(self._width, self._dtype)
                    for at in found.tolist():
                        _write(self._data, blank, at * self._row_bytes)
                    os.fsync(self._data)
                self._commit(self._deletions(found))
            return len(found)

    def compact(self) -> None:
        """Give the room of deleted rows back. Positions change; readers see it by `refresh`.

        Raises:
            OSError: There is no room for the copy; the store is as it was before.
        """
        with self._lock:
            self._need_writer()
            try:
                self._begin(np.flatnonzero(self._view.keys))
            finally:
                # Whatever failed: `path` names the old files or the new ones, and these are used.
                self._attach()
                self._remove_old_generations()

    def refresh(self) -> bool:
        """See what the writing process did meanwhile; returns whether anything changed.

        Raises:
            StoreError: The files cannot be used just now; what was seen before still is.
        """
        with self._lock:
            if self._write:
                return False
            before = self._view
            try:
                on_disk = self._path.stat().st_ino
                if self._log < 0 or on_disk != os.fstat(self._log).st_ino:
                    self._attach()
                else:
                    self._follow(self._view)
            except FileNotFoundError:
                return False
            except (OSError, StoreError) as error:
                # Half attached, it would go on from the old log's end in the new log.
                self.close()
                if isinstance(error, StoreError):
                    raise
                raise self._broken(error.strerror or str(error)) from error
            return self._view is not before

    def verify(self) -> list[int]:
        """Keys whose row on disk is not what was written, by checksum; reads everything."""
        view = self._view
        return [
            int(view.keys[at])
            for at in np.flatnonzero(view.keys)
            if zlib.crc32(view.rows[at]) != view.crcs[at]
        ]

    def _need_writer(self) -> None:
        if not self._write or self._log < 0:
            raise ValueError("this row file is not open for writing")

    def _empty(self, generation: int) -> View:
        zero = np.empty(0)
        keys, crcs = zero.astype(np.uint64), zero.astype(np.uint32)
        return View(keys, self._mapped[:0], zero, zero, crcs, generation)

    def _attach(self) -> None:
        """Open the files that `path` names now, and read the log from its start."""
        flags = (os.O_RDWR if self._write else os.O_RDONLY) | os.O_CLOEXEC
        for attempts_left in range(9, -1, -1):
            self.close()
            try:
                self._log = os.open(self._path, flags)
            except FileNotFoundError:
                return
            generation = self._read_header()
            try:
                self._data = os.open(self._data_path(generation), flags)
                break
            except FileNotFoundError:
                # Compacted between the two opens: the log at `path` is a newer one by now.
                if not attempts_left:
                    raise self._broken("its rows are gone") from None
        self._end = rowlog.HEADER.itemsize
        self._mapped = np.empty((0, self._width), self._dtype)
        self._follow(self._empty(generation))

    def _read_header(self) -> int:
        try:
            raw = os.pread(self._log, rowlog.HEADER.itemsize, 0)
            generation, width, dtype = rowlog.read_header(raw)
        except ValueError as error:
            raise self._broken(str(error)) from None
        if (width, dtype) != (self._width, self._dtype.str):
            raise self._broken(
                f"its rows are {width} × {dtype}, not {self._width} × {self._dtype.str}"
            )
        return generation

    def _broken(self, reason: str) -> StoreError:
        message = f"{self._path} cannot be used: {reason}"
        return StoreError(message, key="store_broken", path=str(self._path), reason=reason)

    def _follow(self, view: View) -> None:
        """Go on from `view`, which reaches up to `_end` in the log, to what the log says now."""
        size = (os.fstat(self._log).st_size - self._end) // rowlog.RECORD.itemsize
        raw = os.pread(self._log, size * rowlog.RECORD.itemsize, self._end)
        records = np.frombuffer(raw, rowlog.RECORD, len(raw) // rowlog.RECORD.itemsize)
        is_valid = records["check"] == rowlog.checks(records)
        whole = len(records) if is_valid.all() else int(is_valid.argmin())
        if self._write and is_valid[whole:].any():
            # What is torn lies at the end; this is damage. It costs the one record for a writer,
            # while a reader may be looking at a write in progress and waits.
            self._is_damaged = True
            records, whole = records[is_valid], int(is_valid.sum())
        self._end += whole * rowlog.RECORD.itemsize
        self._publish(self._extended(view, records[:whole]) if whole else view)

    def _extended(self, old: View, records: NDArray[np.void]) -> View:
        """A view with these records taken up."""
        puts = records[records["kind"] == rowlog.PUT]
        gone = records[records["kind"] == rowlog.DELETE]["row"].astype(np.intp)
        count = max([len(old.keys), *(puts["row"][-1:].astype(np.intp) + 1).tolist()])
        if count > len(self._mapped):
            self._map()
        if count > len(self._mapped):
            # Touching a map beyond its file's end kills the process: such rows count as lost.
            count, self._is_damaged = len(self._mapped), True
        puts = puts[puts["row"] < count]
        at = puts["row"].astype(np.intp)
        keys, sums, squares, crcs = (
            np.concatenate([each, np.zeros(count - len(each), each.dtype)])
            for each in (old.keys, old.sums, old.squares, old.crcs)
        )
        keys[at], sums[at], squares[at], crcs[at] = (
            puts["key"], puts["sum"], puts["squares"], puts["crc"],
        )  # fmt: skip
        keys[gone[gone < count]] = 0
        return View(keys, self._mapped[:count], sums, squares, crcs, old.generation)

    def _map(self) -> None:
        whole = os.fstat(self._data).st_size // self._row_bytes
        if whole:
            area = mmap.mmap(self._data, whole * self._row_bytes, prot=mmap.PROT_READ)
            self._mapped = np.frombuffer(area, self._dtype).reshape(whole, self._width)

    def _publish(self, view: View) -> None:
        self._live = int(np.count_nonzero(view.keys))
        self._view = view

    def _deletions(self, at: NDArray[np.intp]) -> NDArray[np.void]:
        return rowlog.deletes(self._view.keys[at], at)

    def _commit(self, records: NDArray[np.void]) -> None:
        try:
            _write(self._log, records, self._end)
            os.fsync(self._log)
        except OSError:
            # Records left beyond the end would come to life behind a later, shorter write.
            os.ftruncate(self._log, self._end)
            raise
        self._end += records.nbytes
        self._publish(self._extended(self._view, records))

    def _reserve(self, count: int) -> None:
        """Lengthen the file of rows ahead of need, so that it is not mapped anew at each append."""
        if count * self._row_bytes > os.fstat(self._data).st_size:
            slack = max(64, min(count // 4, _SLACK_BYTES // self._row_bytes))
            os.ftruncate(self._data, (count + slack) * self._row_bytes)

    def _begin(self, live: NDArray[np.intp]) -> None:
        """Write a new generation with the `live` rows of this one and rename it into place."""
        generation = secrets.randbits(63) + 1
        old = self._view
        with self._data_path(generation).open("xb") as data:
            step = max(1, _COPY_BYTES // self._row_bytes)
            for start in range(0, len(live), step):
                data.write(old.rows[live[start : start + step]].data)
            data.flush()
            os.fsync(data.fileno())
        fresh = self._path.with_name(f"{self._path.name}.new")
        figures = (old.keys[live], old.sums[live], old.squares[live], old.crcs[live])
        with fresh.open("wb") as log:
            log.write(rowlog.header(generation, self._width, self._dtype))
            log.write(rowlog.puts(*figures, 0).tobytes())
            log.flush()
            os.fsync(log.fileno())
        fresh.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _tidy(self) -> None:
        """A writer's first duty: nothing that a crash or a deletion left stays behind."""
        os.ftruncate(self._log, self._end)
        self._remove_old_generations()
        live = np.flatnonzero(self._view.keys)
        doubled = live[self.positions(self._view.keys[live]) != live]
        if len(doubled):
            self._commit(self._deletions(doubled))
        if self._is_damaged or self.appended > 2 * len(self):
            # A full disk is no reason to refuse work that needs no room.
            with suppress(OSError):
                self.compact()

    def _data_path(self, generation: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{generation:016x}")

    def _remove_old_generations(self) -> None:
        current = self._data_path(self._view.generation)
        for path in self._path.parent.glob(f"{self._path.name}.{'[0-9a-f]' * 16}"):
            if path != current:
                path.unlink(missing_ok=True)


def _write(handle: int, values: NDArray[Any], offset: int) -> None:
    rest = memoryview(values.view(np.uint8).reshape(-1).data)
    while rest:
        written = os.pwrite(handle, rest, offset)
        rest, offset = rest[written:], offset + written
