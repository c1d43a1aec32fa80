"""How far long work is, as a bar or as plain lines; and how it is stopped."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Protocol

from engine.cli import output

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from rich.progress import Progress

LINE_EVERY_S = 10.0
SHOW_CURSOR = b"\x1b[?25h"


class Display(Protocol):
    """Shows how far the work is."""

    def show(self, done: int, total: int | None, words: str) -> None:
        """Update: `done` of `total` (None: not known yet), and what is being done."""


@contextlib.contextmanager
def display() -> Iterator[Display]:
    """A display on stderr that fits where stderr goes; the bar is gone when the work is."""
    if not sys.stderr.isatty():
        yield _Lines()
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        yield _Bar(bar)


@contextlib.contextmanager
def interruptible() -> Iterator[threading.Event]:
    """Turn the first Ctrl-C (or SIGTERM) into an event; the second ends the process at once.

    The library is safe against a sudden end, so the second may be as hard as it likes.
    """
    stop = threading.Event()

    def interrupt(number: int, _frame: FrameType | None) -> None:
        # Straight to the descriptor: the handler may have interrupted a write to sys.stderr.
        if stop.is_set():
            os.write(2, SHOW_CURSOR if os.isatty(2) else b"")
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        stop.set()
        os.write(2, b"Stopping; what is in hand is stored first. Again to end at once.\n")

    before = {
        number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Bar:
    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._task = bar.add_task("", total=None)

    def show(self, done: int, total: int | None, words: str) -> None:
        self._bar.update(self._task, completed=done, total=total, description=words)


class _Lines:
    """The first line comes after `LINE_EVERY_S`: short work prints only its result."""

    def __init__(self) -> None:
        self._next = time.monotonic() + LINE_EVERY_S

    def show(self, done: int, total: int | None, words: str) -> None:
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + LINE_EVERY_S
        output.note(f"{words}: {done:,}" + (f" of {total:,}" if total is not None else ""))
