"""Deadlines for downloads, kept by a thread that watches the clock."""

from __future__ import annotations

import os
import socket
import threading
import time
from typing import TYPE_CHECKING

from engine.crawl.politeness import STOP_POLL_S

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event


class Download:
    """One exchange with a server: its deadline, and the line to cut when it is over.

    Args:
        deadline_s: Seconds from now.
        stop: Ends it earlier.
        on_sent: Called when the request has been sent.
    """

    def __init__(
        self, deadline_s: float, stop: Event | None, on_sent: Callable[[], None] = lambda: None
    ) -> None:
        self._ends = time.monotonic() + deadline_s
        self._stop = stop
        self.on_sent = on_sent
        self._line: socket.socket | None = None
        self.is_cut = False

    @property
    def left_s(self) -> float:
        """Seconds until the deadline."""
        return max(0.0, self._ends - time.monotonic())

    @property
    def is_over(self) -> bool:
        """Whether the deadline has passed, or somebody wants it to stop."""
        return self.left_s == 0 or (self._stop is not None and self._stop.is_set())

    def takes(self, descriptor: int) -> None:
        """Say over which connection it runs."""
        self.release()
        # A handle of its own: TLS takes the first one away, and after a server's "Connection:
        # close" it is closed before the body has come.
        self._line = socket.socket(fileno=os.dup(descriptor))

    def release(self) -> None:
        """Let go of the connection."""
        line, self._line = self._line, None
        if line is not None:
            line.close()

    def cut(self) -> None:
        """End it: whoever reads from the connection gets no more."""
        self.is_cut = True
        if self._line is not None:
            try:
                self._line.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # It had ended by itself.


class Watch:
    """Cuts downloads that are over: a read's own timeout starts anew with every byte."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._downloads: set[Download] = set()
        self._thread: threading.Thread | None = None
        self._current = threading.local()

    @property
    def current(self) -> Download | None:
        """The calling thread's download."""
        return getattr(self._current, "download", None)

    def begin(self, download: Download) -> None:
        """Watch a download of the calling thread."""
        self._current.download = download
        with self._changed:
            self._downloads.add(download)
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="lookalike-watch", daemon=True
                )
                self._thread.start()

    def end(self, download: Download) -> None:
        """Watch it no more."""
        self._current.download = None
        with self._changed:
            self._downloads.discard(download)
            download.release()

    def _run(self) -> None:
        idle_since = time.monotonic()
        while True:
            with self._changed:
                now = time.monotonic()
                if self._downloads:
                    idle_since = now
                elif now - idle_since > 1:
                    self._thread = None
                    return
                for download in self._downloads:
                    if download.is_over:
                        download.cut()
            time.sleep(STOP_POLL_S)
