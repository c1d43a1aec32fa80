from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from engine.errors import LibraryLockedError
from engine.locks import OwnerLock

if TYPE_CHECKING:
    from pathlib import Path

HOLDER = """
import sys, time
from pathlib import Path
from engine.locks import OwnerLock
OwnerLock(Path(sys.argv[1])).acquire()
print("held", flush=True)
time.sleep(60)
"""


def test_refusal_names_the_holder_in_one_line(tmp_path: Path) -> None:
    lock = OwnerLock(tmp_path)
    lock.acquire()
    with pytest.raises(LibraryLockedError, match=rf"process {os.getpid()} on .+since 20") as caught:
        OwnerLock(tmp_path).acquire()
    assert "\n" not in str(caught.value)
    assert str(os.getpid()) in str(caught.value.details["holder"])
    lock.release()
    again = OwnerLock(tmp_path)
    again.acquire()
    again.release()


def test_a_killed_holder_leaves_the_library_free(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(LibraryLockedError, match=f"process {process.pid} "):
            OwnerLock(tmp_path).acquire()
        process.send_signal(signal.SIGKILL)
        process.wait()
    lock = OwnerLock(tmp_path)
    lock.acquire()
    lock.release()


def test_a_holder_without_a_name_is_still_refused(tmp_path: Path) -> None:
    lock = OwnerLock(tmp_path)
    lock.acquire()
    lock.path.write_text("")
    with pytest.raises(LibraryLockedError, match="another process"):
        OwnerLock(tmp_path).acquire()
    lock.release()
    lock.release()
