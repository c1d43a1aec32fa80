"""The memory of a process's children, watched while they come and go."""

from __future__ import annotations

import re
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

POLL_S = 0.02


def peak_mb(pid: int) -> int:
    """The most memory a process has had resident so far; 0 when it has ended."""
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0
    return int(found[1]) // 1024 if found else 0


@contextmanager
def watched(pid: int) -> Iterator[dict[int, int]]:
    """Each child's `peak_mb` by its pid, kept up to date until the block ends."""
    peaks: dict[int, int] = {}
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(POLL_S):
            for task in Path(f"/proc/{pid}/task").glob("*/children"):
                try:
                    children = task.read_text().split()
                except OSError:
                    continue
                for child in map(int, children):
                    peaks[child] = max(peaks.get(child, 0), peak_mb(child))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield peaks
    finally:
        ended.set()
        thread.join()
