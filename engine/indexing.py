"""The indexing pipeline: from folders to rows, keeping the encoder busy and memory bounded.

Threads read, decode and prepare pictures a few batches ahead; the calling thread embeds; one more
thread stores what was embedded. Whatever was stored stays stored when a run ends, however it ends,
and the next run takes up the rest.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Literal

import numpy as np

from engine.duplicates import Originals
from engine.encoders.encoder import NOT_FINITE
from engine.errors import EncoderUnavailableError
from engine.files import FileState
from engine.reading import Read, Reader
from engine.scan import Problem, Scan
from engine.stores import Batch, Stores

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from engine.encoders.encoder import BatchedEncoder

EMBED_BATCH = 32
"""Least pictures per call of the encoder; more where it takes more at once (a GPU)."""
STORE_BATCH = 128
STORE_EVERY_S = 0.5
"""Pictures per transaction, so that one fsync serves many; sooner where embedding is slow, so that
a crash costs little work."""
AHEAD = 3
"""Batches in flight between reading and embedding (5 MB each at 32 × 224 × 224)."""
WAITING = 4
"""Batches of files, known ones included, after which those waiting are handed on."""
WORKERS = 2
REPORT_EVERY_S = 0.1


Phase = Literal["scanning", "reading", "cleaning", "done"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an index run is; counts of files, except where it says pictures."""

    phase: Phase = "scanning"
    found: int = 0
    done: int = 0
    """Of `found`: skipped ones, and those read."""
    added: int = 0
    """Pictures the library did not have."""
    embedded: int = 0
    """Pictures that were given an embedding, new ones and older ones that lacked it."""
    skipped: int = 0
    """Unchanged since the last run."""
    moved: int = 0
    """Known by content, under a path that is gone."""
    duplicates: int = 0
    """Same content as another file that is still there: stored once."""
    near_duplicates: int = 0
    """Pictures marked as nearly repeating another."""
    removed: int = 0
    """Pictures whose last file is gone."""
    failed: int = 0


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What an index run did."""

    counts: Progress
    problems: tuple[Problem, ...] = ()
    without_encoder: str | None = None
    """Why nothing could be embedded, in words; pictures are found by their pixels all the same."""
    stopped: bool = False
    seconds: float = 0.0


def index(
    stores: Stores,
    paths: Sequence[Path],
    *,
    category: str | None = None,
    again: Sequence[FileState] = (),
    progress: Callable[[Progress], None] | None = None,
    stop: Event | None = None,
) -> IndexReport:
    """Bring a library up to date with the files under some paths.

    Pictures anywhere in the library that lack a thumbnail or an embedding (another encoder, an
    interrupted run) are completed as well, so no paths at all is a sensible call.

    Args:
        stores: The library's stores, open for writing.
        paths: Folders and files; see `engine.scan.Scan` for their categories.
        category: One category for everything found.
        again: Known files to read anew, under the category they are recorded with.
        progress: Called now and then on this thread.
        stop: When set, the run ends soon, with all it embedded stored.

    Raises:
        UnknownImageError: A path does not exist.
    """
    scan = Scan(paths, category, avoid=stores.settings.data_dir)
    return _Run(stores, scan, again, progress, stop or Event()).run()


class _Run:
    """One index run. Decisions are made on the calling thread; the others only work."""

    def __init__(
        self,
        stores: Stores,
        scan: Scan,
        again: Sequence[FileState],
        progress: Callable[[Progress], None] | None,
        stop: Event,
    ) -> None:
        self._stores = stores
        self._catalog = stores.catalog
        self._scan = scan
        self._again = again
        self._progress = progress
        self._stop = stop
        self._phase: Phase = "scanning"
        self._counts: Counter[str] = Counter()
        self._problems: list[Problem] = []
        self._broken: list[str] = []
        self._reported_at = 0.0
        self._stored_at = time.monotonic()
        self._encoder: BatchedEncoder | None = None
        self._embed_batch = EMBED_BATCH
        self._without_encoder: str | None = None
        self._waiting: list[Read] = []
        self._batch = Batch()
        self._storing: deque[Future[list[str]]] = deque()
        self._orphans: set[str] = set()

    def run(self) -> IndexReport:
        """Scan, process, clean."""
        started = time.monotonic()
        self._states = {file.path: file for file in self._again}
        for path in self._scan.paths:
            self._states |= self._catalog.files.states(path)
        self._gone = set(self._states) - {file.path for file in self._again}
        # Left by a run that was stopped. Pending ones may be somebody's who is just storing them.
        self._orphans.update(self._catalog.files.orphans())
        self._orphans.difference_update(self._catalog.pending_ids())
        todo = self._changed()
        # Not for a run that is to end: loading a network can take minutes.
        if not self._stop.is_set():
            todo += self._lacking(todo)
        self._counts["done"] = self._counts["skipped"]
        if todo and not self._stop.is_set():
            self._phase = "reading"
            self._gone_ids = {self._states[path].image_id for path in self._gone}
            self._originals = Originals(*self._catalog.phashes())
            self._process(todo)
        stopped = self._stop.is_set()
        if not stopped:
            self._phase = "cleaning"
            self._report(now=True)
            self._clean()
            self._phase = "done"
        self._report(now=True)
        return IndexReport(
            counts=self._snapshot(),
            problems=(*self._scan.problems, *self._problems),
            without_encoder=self._without_encoder,
            stopped=stopped,
            seconds=time.monotonic() - started,
        )

    def _changed(self) -> list[FileState]:
        """Files that are new or differ from what is recorded in size or time."""
        todo = [_as_it_is(file) for file in self._again]
        self._counts["found"] = len(todo)
        recategorised: list[FileState] = []
        seen: set[str] = set()
        for found in self._scan:
            if self._stop.is_set():
                break
            if found.path in seen:  # given singly and with its folder
                continue
            seen.add(found.path)
            self._gone.discard(found.path)
            old = self._states.get(found.path)
            file = FileState(
                path=found.path,
                image_id=old.image_id if old else "",
                category=found.category,
                size=found.size,
                mtime_ns=found.mtime_ns,
                is_stored=old.is_stored if old else False,
            )
            if old is None or (old.size, old.mtime_ns) != (file.size, file.mtime_ns):
                todo.append(file)
            else:
                self._counts["skipped"] += 1
                if old.category != file.category:
                    recategorised.append(file)
            self._counts["found"] += 1
            self._report()
        self._catalog.files.record(recategorised)
        return todo

    def _lacking(self, changed: Sequence[FileState]) -> list[FileState]:
        """A file of each picture that lacks a thumbnail or, with an encoder, an embedding."""
        ids = self._catalog.all_ids(None)
        no_thumbnail = set(self._stores.thumbnails.missing(ids))
        no_vector = set(self._stores.missing_vectors(ids))
        if changed or no_thumbnail or no_vector:
            try:
                self._encoder = self._stores.load_encoder()
            except EncoderUnavailableError as error:
                self._without_encoder = str(error)
        if self._encoder is None:
            no_vector.clear()
        else:
            self._embed_batch = max(EMBED_BATCH, self._encoder.max_rows)
        self._known = set(ids)
        self._has_thumbnail = set(ids) - no_thumbnail
        self._has_vector = set(ids) - no_vector
        self._reader = Reader(
            self._encoder,
            self._stores.thumbnails.side,
            self._has_thumbnail,
            self._has_vector,
            self._catalog.owners(),
        )
        taken = {file.path for file in changed}
        files: list[FileState] = []
        for states in self._catalog.files.of(sorted(no_thumbnail | no_vector)).values():
            # A file that is still there, if the picture has several.
            left = [state for state in states if state.path not in taken]
            if len(left) > 1:
                left.sort(key=lambda state: not Path(state.path).is_file())
            if left:
                is_counted = left[0].path in self._states and left[0].path not in self._gone
                self._counts["skipped" if is_counted else "found"] += -1 if is_counted else 1
                files.append(left[0])
        self._states |= {file.path: file for file in files}
        return files

    def _process(self, todo: Sequence[FileState]) -> None:
        with (
            ThreadPoolExecutor(WORKERS, "lookalike-read") as readers,
            ThreadPoolExecutor(1, "lookalike-store") as self._storer,
        ):
            files = iter(todo)
            ahead: deque[Future[Read]] = deque()
            try:
                while not self._stop.is_set():
                    while (
                        len(ahead) < AHEAD * self._embed_batch
                        and (file := next(files, None)) is not None
                    ):
                        ahead.append(readers.submit(self._reader.read, file))
                    if not ahead:
                        break
                    self._take(ahead.popleft().result())
                    self._report()
                if not self._stop.is_set():
                    self._embed()
            finally:
                # Also on Ctrl-C or an error: what was embedded is kept, what was only read is not.
                readers.shutdown(wait=False, cancel_futures=True)
                self._store()
                while self._storing:
                    self._await_store()

    def _take(self, read: Read) -> None:
        """Decide what becomes of a file that was read."""
        self._counts["done"] += 1
        file, photo = read.file, read.photo
        if read.problem is not None:
            self._counts["failed"] += 1
            self._problems.append(Problem(file.path, read.problem))
            if read.is_broken:
                self._broken.append(file.path)
            return
        name, old = file.image_id, self._states.get(file.path)
        counts: list[str] = []
        if name not in self._known and photo is not None:
            counts.append("added")
            near_of = self._originals.nearest(photo.phash) if photo.owner is None else None
            if near_of is not None:
                counts.append("near_duplicates")
                photo = replace(photo, near_of=near_of)
            elif photo.owner is None:
                self._originals.add(name, photo.phash)
            self._known.add(name)
        else:
            photo = None
            if old is None or old.image_id != name:
                counts.append("moved" if name in self._gone_ids else "duplicates")
                self._gone_ids.discard(name)
        # Of two files with one content in flight at once, both were worked on: the first counts.
        thumb = None if name in self._has_thumbnail else read.thumb
        prepared = None if name in self._has_vector else read.prepared
        if thumb is not None:
            self._has_thumbnail.add(name)
        if prepared is not None:
            self._has_vector.add(name)
        self._waiting.append(Read(file, photo, thumb, prepared, counts=tuple(counts)))
        to_embed = sum(waiting.prepared is not None for waiting in self._waiting)
        if to_embed >= self._embed_batch or len(self._waiting) >= WAITING * self._embed_batch:
            self._embed()

    def _embed(self) -> None:
        """Embed what waits and hand it on; stored when there is enough of it."""
        waiting, self._waiting = self._waiting, []
        batch = self._batch
        to_embed = [read for read in waiting if read.prepared is not None]
        vectors = self._vectors_of(to_embed)
        self._counts["embedded"] += len(vectors)
        batch.vectors |= vectors
        for read in waiting:
            self._counts.update(read.counts)
            batch.files.append(read.file)
            if read.photo is not None:
                batch.photos.append(read.photo)
            if read.thumb is not None:
                batch.thumbs[read.file.image_id] = read.thumb
        is_time = time.monotonic() - self._stored_at >= STORE_EVERY_S
        if is_time or len(batch.files) >= STORE_BATCH:
            self._store()

    def _vectors_of(self, reads: Sequence[Read]) -> dict[str, NDArray[np.float32]]:
        """Vectors by id; pictures for which the network gives no numbers are passed over."""
        crops = [read.prepared for read in reads if read.prepared is not None]
        if not crops or self._encoder is None:
            return {}
        try:
            vectors = self._encoder.embed_prepared(np.stack(crops))
        except EncoderUnavailableError as error:
            if error.key != NOT_FINITE:
                raise
            if len(reads) > 1:
                # One of them is to blame, and not for the others.
                return {
                    name: row for read in reads for name, row in self._vectors_of([read]).items()
                }
            self._counts["failed"] += 1
            self._problems.append(Problem(reads[0].file.path, str(error)))
            return {}
        return {read.file.image_id: row for read, row in zip(reads, vectors, strict=True)}

    def _store(self) -> None:
        """Store in the background; waits when two batches are being stored already."""
        self._stored_at = time.monotonic()
        batch, self._batch = self._batch, Batch()
        while len(self._storing) > 1:
            self._await_store()
        if batch.files:
            self._storing.append(self._storer.submit(self._stores.put, batch))

    def _await_store(self) -> None:
        self._orphans.update(self._storing.popleft().result())

    def _clean(self) -> None:
        """Drop files that are gone or broken, and pictures whose last file that was."""
        gone = [path for path in self._gone if self._scan.covers(path)]
        gone += [path for path in self._broken if path in self._states]
        self._orphans.update(self._catalog.files.forget(gone))
        self._orphans &= set(self._catalog.files.orphans())
        self._counts["removed"] += self._stores.discard(sorted(self._orphans))

    def _snapshot(self) -> Progress:
        return Progress(phase=self._phase, **self._counts)

    def _report(self, *, now: bool = False) -> None:
        moment = time.monotonic()
        if self._progress and (now or moment - self._reported_at >= REPORT_EVERY_S):
            self._reported_at = moment
            self._progress(self._snapshot())


def _as_it_is(file: FileState) -> FileState:
    """A known file with the size and time it has now; unchanged where it is gone."""
    try:
        info = Path(file.path).stat()
    except OSError:
        return file
    return replace(file, size=info.st_size, mtime_ns=info.st_mtime_ns)
