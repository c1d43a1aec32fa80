"""Processes that clean pictures.

What decodes strangers' bytes runs apart: a picture that crashes its decoder ends a cleaner, not
the bot, and a crawl takes little of the interpreter in which questions are answered.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections import deque
from contextlib import suppress
from queue import SimpleQueue
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.crawl.cleaner import READY
from engine.crawl.cleaning import Cleaned, Reason, Refusal
from engine.crawl.errors import StoppedError
from engine.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path
    from typing import IO

LOG = logging.getLogger(__name__)

CLEANERS = max(1, min(4, (os.cpu_count() or 2) // 2))
"""Processes; one cleans some 500 pictures of 450 pixels in a second."""

BATCH = 8
"""Pictures that are asked for together, so that a process never waits for the next request."""

ATTEMPTS = 2
"""Processes that one picture may end before it is taken to be the reason."""


class Cleaners:
    """A few processes of `engine.crawl.cleaner`, started at once, awaited when first needed.

    Args:
        side: Of the thumbnails that come with what is cleaned, in pixels.
        count: How many.

    Raises:
        StoreError: None can be started.
    """

    def __init__(self, side: int, count: int = CLEANERS) -> None:
        self._large = Lock()
        self._every = [_Cleaner(side) for _ in range(count)]
        self._idle: SimpleQueue[_Cleaner] = SimpleQueue()
        for cleaner in self._every:
            self._idle.put(cleaner)

    def clean(self, paths: Sequence[Path]) -> Iterator[tuple[Path, Cleaned | Refusal]]:
        """What `engine.crawl.cleaning.clean` makes of files, with thumbnails. From any thread.

        Args:
            paths: `BATCH` files at most.

        Yields:
            Each file with its result, as they are made.

        Raises:
            StoreError: A file cannot be read, or no process can be started.
            StoppedError: They were closed.
        """
        large = []
        for path, result in self._cleaned(paths, is_alone=False):
            if result is None:
                large.append(path)
            else:
                yield path, result
        for path in large:
            with self._large:
                [(_, result)] = self._cleaned([path], is_alone=True)
            yield path, result or Refusal(Reason.UNREADABLE)

    def _cleaned(
        self, paths: Sequence[Path], *, is_alone: bool
    ) -> Iterator[tuple[Path, Cleaned | Refusal | None]]:
        cleaner = self._idle.get()
        try:
            yield from cleaner.clean(paths, is_alone=is_alone)
        finally:
            self._idle.put(cleaner)

    def close(self) -> None:
        """End them at once; what they are at is given up."""
        for cleaner in self._every:
            cleaner.close()


class _Cleaner:
    """One process, replaced when a picture ends it. One caller at a time, but for `close`."""

    def __init__(self, side: int) -> None:
        self._side = side
        self._lock = Lock()
        self._is_closed = False
        self._start()

    def _start(self) -> None:
        with self._lock:
            if self._is_closed:
                raise StoppedError
            self._is_ready = False
            try:
                self._process = subprocess.Popen(
                    # What a decoder warns of is said by the reason for refusing, or by nothing.
                    [sys.executable, "-W", "ignore", "-m", "engine.crawl.cleaner"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    # A Ctrl-C is for the one who crawls; the end of its input ends a cleaner.
                    start_new_session=True,
                    # Its sums are small: threads for them would only get in each other's way.
                    env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
                )
            except OSError as error:
                raise _unusable(error) from error

    def clean(
        self, paths: Sequence[Path], *, is_alone: bool
    ) -> Iterator[tuple[Path, Cleaned | Refusal | None]]:
        """As `Cleaners.clean`; None for a large picture when it is not the only one."""
        waiting = deque(paths)
        attempts = 0
        try:
            while waiting:
                try:
                    self._ask(waiting, is_alone=is_alone)
                    while waiting:
                        result = self._answer()
                        attempts = 0
                        yield waiting.popleft(), result
                except (OSError, EOFError, ValueError) as error:  # the last: `close` was quicker
                    self._replace(error)
                    attempts += 1
                    if attempts == ATTEMPTS:
                        path = waiting.popleft()
                        LOG.warning("%s ends every process that is to decode it", path.name)
                        attempts = 0
                        yield path, Refusal(Reason.UNREADABLE)
        finally:
            if waiting:  # its answers must not be taken for those to come
                self._end()

    def _ask(self, paths: Iterable[Path], *, is_alone: bool) -> None:
        """Send requests: so few that they fit a pipe, whether or not anybody reads it."""
        requests, answers = self._pipes()
        if not self._is_ready:
            if answers.readline() != READY:
                raise EOFError
            self._is_ready = True
        for path in paths:
            request = {"path": os.fspath(path), "side": self._side, "is_alone": is_alone}
            requests.write(json.dumps(request).encode() + b"\n")
        requests.flush()

    def _answer(self) -> Cleaned | Refusal | None:
        _, answers = self._pipes()
        line = answers.readline()
        if not line.endswith(b"\n"):
            raise EOFError
        facts: dict[str, Any] = json.loads(line)
        if "unread" in facts:
            raise StoreError(
                f"The crawl's downloads cannot be read: {facts['unread']}.",
                key="store_write",
                reason=facts["unread"],
            )
        if "refused" in facts:
            return Refusal(Reason(facts["refused"]))
        if "is_large" in facts:
            return None
        data, thumb = (self._read(count) for count in facts.pop("bytes"))
        look = np.frombuffer(thumb, np.uint8).reshape(self._side, self._side, 3)
        return Cleaned(data=data, thumb=look, **facts)

    def _read(self, count: int) -> bytes:
        data = self._pipes()[1].read(count)
        if len(data) < count:
            raise EOFError
        return data

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        requests, answers = self._process.stdin, self._process.stdout
        if requests is None or answers is None:
            raise EOFError
        return requests, answers

    def _replace(self, error: Exception) -> None:
        """Start another process for one that ended.

        Raises:
            StoppedError: It was `close` that ended it.
            StoreError: It had never come to work.
        """
        self._end()
        if self._is_closed:
            raise StoppedError
        if not self._is_ready:
            raise _unusable(error) from error
        self._start()

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._is_closed = True
            self._end()

    def _end(self) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(OSError):  # what it never took
                    stream.close()


def _unusable(error: Exception) -> StoreError:
    return StoreError(
        f"Pictures cannot be cleaned: no process for it can be started ({error}).",
        key="store_write",
        reason=str(error),
    )
