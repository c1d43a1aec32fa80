"""The owner lock: one process writes a library at a time, and whoever is refused learns which."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path

from engine.errors import LibraryLockedError

NAME = "library.lock"
"""The lock file's name within ``DATA_DIR``."""


class OwnerLock:
    """An advisory lock on a file that says who holds it.

    The kernel drops the lock when its holder ends, however it ends, so a killed process leaves
    nothing to clear away; the text it left is only ever shown while somebody does hold the lock.

    Args:
        folder: The library's ``DATA_DIR``.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock, without waiting.

        Raises:
            LibraryLockedError: Somebody else holds it; the message names the holder in one line.
        """
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _described(os.pread(descriptor, 4096, 0))
            os.close(descriptor)
            raise LibraryLockedError(
                f"The library {self.path.parent} is being written by {holder}; "
                "wait until it has ended, or stop it.",
                key="library_locked",
                holder=holder,
            ) from None
        except OSError:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, _holder(), 0)

    def release(self) -> None:
        """Give the lock back; does nothing when it is not held."""
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None


def _holder() -> bytes:
    script = Path(sys.argv[0])
    program = f"python -m {script.parent.name}" if script.stem == "__main__" else script.name
    return json.dumps(
        {
            "command": " ".join([program, *sys.argv[1:2]])[:120],
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "since": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
        }
    ).encode()


def _described(text: bytes) -> str:
    """Words for a holder; it may have been caught between taking the lock and writing its name."""
    try:
        holder = json.loads(text)
        return (
            f"`{holder['command']}` (process {holder['pid']} on {holder['host']}, "
            f"since {holder['since']})"
        )
    except (ValueError, KeyError, TypeError):
        return "another process"
