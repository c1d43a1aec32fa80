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
    from pathlib import Path

LOG = logging.getLogger(__name__)

CLEANERS = max(1, min(4, (os.cpu_count() or 2) // 2))
"""Pictures cleaned at once; one process cleans some 500 of 450 pixels in a second."""

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
        self._side = side
        self._large = Lock()
        self._every = [_Cleaner() for _ in range(count)]
        self._idle: SimpleQueue[_Cleaner] = SimpleQueue()
        for cleaner in self._every:
            self._idle.put(cleaner)

    def clean(self, path: Path) -> Cleaned | Refusal:
        """What `engine.crawl.cleaning.clean` makes of a file, with its thumbnail. From any thread.

        Raises:
            StoreError: The file cannot be read, or no cleaner can be started.
            StoppedError: The cleaners were closed.
        """
        result = self._asked(path, is_alone=False)
        if result is None:
            with self._large:
                result = self._asked(path, is_alone=True)
        return result or Refusal(Reason.UNREADABLE)

    def _asked(self, path: Path, *, is_alone: bool) -> Cleaned | Refusal | None:
        cleaner = self._idle.get()
        try:
            return cleaner.clean(path, self._side, is_alone=is_alone)
        finally:
            self._idle.put(cleaner)

    def close(self) -> None:
        """End them at once; what they are at is given up."""
        for cleaner in self._every:
            cleaner.close()


class _Cleaner:
    """One process, replaced when a picture ends it. One caller at a time, but for `close`."""

    def __init__(self) -> None:
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
                    [sys.executable, "-m", "engine.crawl.cleaner"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    # A Ctrl-C is for the one who crawls; the end of its input ends a cleaner.
                    start_new_session=True,
                    # Its sums are small: threads for them would only get in each other's way.
                    env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
                )
            except OSError as error:
                raise _unusable(error) from error

    def clean(self, path: Path, side: int, *, is_alone: bool) -> Cleaned | Refusal | None:
        """As `Cleaners.clean`; None for a large picture when it is not the only one."""
        request = {"path": os.fspath(path), "side": side, "is_alone": is_alone}
        for _ in range(ATTEMPTS):
            try:
                facts, body = self._exchange(json.dumps(request).encode() + b"\n")
                break
            except (OSError, EOFError, ValueError) as error:  # the last: `close` was quicker
                self._reap()
                if not self._is_ready:
                    raise _unusable(error) from error
                self._start()
        else:
            LOG.warning("a picture ends every process that is to decode it (%s)", path.name)
            return Refusal(Reason.UNREADABLE)
        if "unread" in facts:
            reason = facts["unread"]
            raise StoreError(
                f"The crawl's downloads cannot be read: {reason}.", key="store_write", reason=reason
            )
        if "refused" in facts:
            return Refusal(Reason(facts["refused"]))
        if "is_large" in facts:
            return None
        data_bytes, _ = facts.pop("bytes")
        thumb = np.frombuffer(body[data_bytes:], np.uint8).reshape(side, side, 3)
        return Cleaned(data=body[:data_bytes], thumb=thumb, **facts)

    def _exchange(self, request: bytes) -> tuple[dict[str, Any], bytes]:
        requests, answers = self._process.stdin, self._process.stdout
        if requests is None or answers is None:
            raise EOFError
        if not self._is_ready:
            if answers.readline() != READY:
                raise EOFError
            self._is_ready = True
        requests.write(request)
        requests.flush()
        line = answers.readline()
        if not line.endswith(b"\n"):
            raise EOFError
        facts: dict[str, Any] = json.loads(line)
        wanted = sum(facts.get("bytes", ()))
        body = answers.read(wanted)
        if len(body) < wanted:
            raise EOFError
        return facts, body

    def _reap(self) -> None:
        """See the process to its end.

        Raises:
            StoppedError: It was `close` that ended it.
        """
        self._end()
        if self._is_closed:
            raise StoppedError

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
