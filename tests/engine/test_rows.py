"""Row files: what was added is there, whatever crashes, is deleted, compacted or read meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import rowlog
from engine.errors import StoreError
from engine.rows import RowFile

if TYPE_CHECKING:
    from pathlib import Path

WIDTH = 24


def rows_for(keys: list[int], width: int = WIDTH) -> np.ndarray:
    """Rows that tell their key."""
    return np.array([[(key * 7 + at) % 256 for at in range(width)] for key in keys], np.uint8)


def opened(path: Path, *, write: bool = True) -> RowFile:
    return RowFile.open(path, width=WIDTH, dtype=np.uint8, write=write)


def holds(store: RowFile, keys: list[int]) -> bool:
    """Whether exactly these keys are there, each with its own row, and unharmed."""
    at = store.positions(keys)
    return (
        sorted(store.keys[store.keys != 0].tolist()) == sorted(keys)
        and len(store) == len(keys)
        and bool((at >= 0).all())
        and np.array_equal(store.rows[at], rows_for(keys).reshape(-1, WIDTH))
        and store.verify() == []
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.rows"


def test_rows_are_found_again_after_opening(path: Path) -> None:
    with opened(path) as store:
        store.append([3, 1, 2], rows_for([3, 1, 2]))
        assert holds(store, [1, 2, 3])
    with opened(path, write=False) as store:
        assert holds(store, [1, 2, 3])
        assert store.keys.tolist() == [3, 1, 2]
        assert store.positions([2, 9, 3]).tolist() == [2, -1, 0]
        assert 1 in store
        assert 9 not in store


def test_sums_and_squares_are_those_of_the_rows(path: Path) -> None:
    rows = np.random.default_rng(0).integers(0, 256, (50, WIDTH), dtype=np.uint8)
    with opened(path) as store:
        store.append(np.arange(1, 51), rows)
        assert store.sums.tolist() == rows.sum(axis=1, dtype=float).tolist()
        assert store.squares.tolist() == (rows.astype(float) ** 2).sum(axis=1).tolist()


def test_float_rows_keep_every_bit(path: Path) -> None:
    rows = np.random.default_rng(1).normal(size=(10, 7)).astype(np.float32)
    with RowFile.open(path, width=7, dtype=np.float32, write=True) as store:
        store.append(np.arange(1, 11), rows)
    with RowFile.open(path, width=7, dtype=np.float32, write=False) as store:
        assert np.array_equal(store.rows, rows)


def test_a_key_added_again_gets_its_new_row(path: Path) -> None:
    with opened(path) as store:
        store.append([1, 2], rows_for([8, 2]))
        store.append([1, 3], rows_for([1, 3]))
        assert holds(store, [1, 2, 3])
        assert store.appended == 4
    assert holds(opened(path), [1, 2, 3])


def test_deleted_rows_are_gone_for_good(path: Path) -> None:
    with opened(path) as store:
        store.append([1, 2, 3], rows_for([1, 2, 3]))
        assert store.delete([2, 2, 77]) == 1
        assert store.delete([2]) == 0
        assert holds(store, [1, 3])
        assert store.keys.tolist() == [1, 0, 3]
    assert holds(opened(path), [1, 3])


def test_compaction_gives_the_room_back(path: Path) -> None:
    keys = list(range(1, 2001))
    with opened(path) as store:
        store.append(keys, rows_for(keys))
        store.delete(keys[10:])
        before = sum(each.stat().st_size for each in path.parent.iterdir())
        store.compact()
        after = sum(each.stat().st_size for each in path.parent.iterdir())
        assert after * 10 < before
        assert len(list(path.parent.iterdir())) == 2
        assert holds(store, keys[:10])
        store.append([5000], rows_for([5000]))
        assert holds(store, [*keys[:10], 5000])
    assert holds(opened(path), [*keys[:10], 5000])


def test_opening_for_writing_compacts_what_is_mostly_deleted(path: Path) -> None:
    with opened(path) as store:
        store.append([1, 2, 3], rows_for([1, 2, 3]))
        store.delete([1, 3])
    with opened(path) as store:
        assert store.appended == 1
        assert holds(store, [2])


def test_a_reader_follows_the_writer(path: Path) -> None:
    reader = opened(path, write=False)
    assert len(reader) == 0
    assert not reader.refresh()
    writer = opened(path)
    assert reader.refresh()
    for step in range(1, 6):
        keys = list(range(step * 1000, step * 1000 + 300))
        writer.append(keys, rows_for(keys))
        assert reader.refresh()
        assert holds(reader, writer.keys[writer.keys != 0].tolist())
        assert not reader.refresh()
        writer.delete(keys[:100])
        assert reader.refresh()
        if step % 2:
            writer.compact()
            assert reader.refresh()
        assert holds(reader, writer.keys[writer.keys != 0].tolist())


def test_a_reader_recovers_from_files_that_could_not_be_used_for_a_while(path: Path) -> None:
    with opened(path) as writer:
        writer.append([1, 2, 3], rows_for([1, 2, 3]))
        reader = opened(path, write=False)
        writer.delete([1])
        writer.compact()
        [payload] = path.parent.glob("store.rows.*[0-9a-f]")
        away = payload.rename(path.parent / "away")
        for _ in range(2):
            with pytest.raises(StoreError, match="rows are gone"):
                reader.refresh()
            assert holds(reader, [1, 2, 3])
        away.rename(payload)
        assert reader.refresh()
        assert holds(reader, [2, 3])
        reader.close()


def test_a_view_stays_true_while_the_store_changes(path: Path) -> None:
    store = opened(path)
    store.append([1, 2, 3], rows_for([1, 2, 3]))
    view = store.view
    store.delete([1])
    store.compact()
    store.append(list(range(10, 500)), rows_for(list(range(10, 500))))
    store.close()
    assert view.keys.tolist() == [1, 2, 3]
    assert np.array_equal(view.rows, rows_for([1, 2, 3]))


def test_positions_belong_to_the_view_they_are_asked_for(path: Path) -> None:
    with opened(path) as store:
        store.append([1, 2, 3], rows_for([1, 2, 3]))
        view = store.view
        store.delete([1])
        store.compact()
        assert store.positions([3], view).tolist() == [2]
        assert store.positions([3]).tolist() == [1]


def test_a_log_torn_at_any_byte_loses_only_the_last_append(path: Path) -> None:
    with opened(path) as store:
        store.append([1, 2], rows_for([1, 2]))
        store.delete([2])
        whole = path.stat().st_size
        store.append([3, 4], rows_for([3, 4]))
    [payload] = path.parent.glob("store.rows.*")
    log, rows = path.read_bytes(), payload.read_bytes()
    assert len(log) == whole + 2 * rowlog.RECORD.itemsize
    for end in range(whole, len(log) + 1):
        path.write_bytes(log[:end])
        payload.write_bytes(rows)
        kept = [1, 3, 4][: 1 + (end - whole) // rowlog.RECORD.itemsize]
        with opened(path, write=False) as reader:
            assert holds(reader, kept)
        with opened(path) as store:
            assert holds(store, kept)
            store.append([9], rows_for([9]))
        with opened(path) as store:
            assert holds(store, [*kept, 9])


@pytest.mark.parametrize("filler", [b"\0", b"\xff", b"\x5a"])
def test_a_tail_of_rubbish_is_cut_off(path: Path, filler: bytes) -> None:
    with opened(path) as store:
        store.append([1], rows_for([1]))
    good = path.read_bytes()
    for length in (1, rowlog.RECORD.itemsize, 5 * rowlog.RECORD.itemsize + 3):
        path.write_bytes(good + filler * length)
        with opened(path) as store:
            assert holds(store, [1])
        assert path.read_bytes() == good


def test_a_damaged_record_costs_only_itself(path: Path) -> None:
    with opened(path) as store:
        store.append([1, 2, 3], rows_for([1, 2, 3]))
    log = bytearray(path.read_bytes())
    log[rowlog.HEADER.itemsize + rowlog.RECORD.itemsize + 20] ^= 1
    path.write_bytes(log)
    with opened(path, write=False) as reader:
        assert holds(reader, [1])
    with opened(path) as store:
        assert holds(store, [1, 3])
        store.append([4], rows_for([4]))
    with opened(path, write=False) as reader:
        assert holds(reader, [1, 3, 4])


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_a_changed_byte_of_the_log_never_invents_rows(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("rows") / "store.rows"
    with opened(path) as store:
        store.append([1, 2, 3], rows_for([1, 2, 3]))
        store.delete([2])
    log = bytearray(path.read_bytes())
    log[data.draw(st.integers(0, len(log) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(log)
    try:
        store = opened(path)
    except StoreError:
        return
    with store:
        assert set(store.keys.tolist()) <= {0, 1, 2, 3}
        assert store.verify() == []


def test_rows_cut_short_count_as_lost(path: Path) -> None:
    keys = list(range(1, 1001))
    with opened(path) as store:
        store.append(keys, rows_for(keys))
    [payload] = path.parent.glob("store.rows.*")
    os.truncate(payload, 600 * WIDTH + 5)
    with opened(path, write=False) as reader:
        assert holds(reader, keys[:600])
    with opened(path) as store:
        assert holds(store, keys[:600])
        store.append([2000], rows_for([2000]))
    assert holds(opened(path), [*keys[:600], 2000])


def test_verify_names_rows_that_changed_on_disk(path: Path) -> None:
    with opened(path) as store:
        store.append([1, 2, 3], rows_for([1, 2, 3]))
    [payload] = path.parent.glob("store.rows.*")
    with payload.open("r+b") as file:
        file.seek(WIDTH + 3)
        file.write(b"\xee")
    with opened(path) as store:
        assert store.verify() == [2]


def test_what_a_crashed_compaction_left_is_removed(path: Path) -> None:
    with opened(path) as store:
        store.append([1], rows_for([1]))
    (path.parent / "store.rows.0123456789abcdef").write_bytes(b"half")
    (path.parent / "store.rows.new").write_bytes(b"half")
    with opened(path) as store:
        assert holds(store, [1])
        store.compact()
        assert holds(store, [1])
    assert len(list(path.parent.iterdir())) == 2


@pytest.mark.parametrize("moment", [1, 2, 3])
def test_a_compaction_that_fails_at_any_step_loses_nothing_and_leaves_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch, moment: int
) -> None:
    real, calls = os.fsync, 0

    def full(handle: int) -> None:
        nonlocal calls
        calls += 1
        if calls == moment:
            raise OSError(28, "No space left on device")
        real(handle)

    with opened(path) as store:
        store.append([1, 2, 3], rows_for([1, 2, 3]))
        store.delete([2])
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            store.compact()
        monkeypatch.setattr(os, "fsync", real)
        assert holds(store, [1, 3])
        store.append([4], rows_for([4]))
        assert holds(opened(path, write=False), [1, 3, 4])
        assert len(list(path.parent.glob("store.rows.*[0-9a-f]"))) == 1
    assert holds(opened(path), [1, 3, 4])


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 500, bytes(500)])
def test_other_files_are_refused_and_left_alone(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    for write in (False, True):
        with pytest.raises(StoreError, match=r"store\.rows cannot be used"):
            opened(path, write=write)
    assert path.read_bytes() == content


def test_another_width_or_type_is_refused(path: Path) -> None:
    opened(path).close()
    with pytest.raises(StoreError, match="24"):
        RowFile.open(path, width=25, dtype=np.uint8, write=True)
    with pytest.raises(StoreError, match="cannot be used"):
        RowFile.open(path, width=WIDTH, dtype=np.float32, write=False)


def test_wrong_rows_are_refused_before_anything_is_written(path: Path) -> None:
    with opened(path) as store:
        for keys, rows in (
            ([1], rows_for([1, 2])),
            ([1], rows_for([1]).astype(np.float32)),
            ([1], rows_for([1], width=5)),
            ([0], rows_for([1])),
            ([1, 1], rows_for([1, 1])),
        ):
            with pytest.raises(ValueError, match="must be"):
                store.append(keys, rows)
        store.append([], np.empty((0, WIDTH), np.uint8))
        assert holds(store, [])
    with pytest.raises(ValueError, match="not open for writing"):
        opened(path, write=False).append([1], rows_for([1]))


def test_a_full_disk_leaves_the_store_as_it_was(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.pwrite
    with opened(path) as store:
        store.append([1], rows_for([1]))
        for budget in (0, 10, WIDTH, WIDTH + 7, 2 * WIDTH + 5, 2 * WIDTH + 60):
            left = budget

            def limited(handle: int, data: memoryview, offset: int) -> int:
                nonlocal left
                if not left:
                    raise OSError(28, "No space left on device")
                written = real(handle, data[:left], offset)
                left -= written
                return written

            monkeypatch.setattr(os, "pwrite", limited)
            with pytest.raises(OSError, match="No space"):
                store.append([5, 6], rows_for([5, 6]))
            monkeypatch.setattr(os, "pwrite", real)
            assert holds(store, [1])
            assert holds(opened(path, write=False), [1])
        store.append([7], rows_for([7]))
    assert holds(opened(path), [1, 7])


def test_threads_read_while_one_writes(path: Path) -> None:
    with opened(path) as store, ThreadPoolExecutor(4) as pool:
        stop = time.monotonic() + 1.0

        def read() -> bool:
            while time.monotonic() < stop:
                view = store.view
                at = np.flatnonzero(view.keys)
                expected = (
                    view.keys[at, None] * np.uint64(7) + np.arange(WIDTH, dtype=np.uint64)
                ) % 256
                if not np.array_equal(view.rows[at], expected):
                    return False
            return True

        readers = [pool.submit(read) for _ in range(3)]
        key = 1
        while time.monotonic() < stop:
            keys = list(range(key, key + 20))
            store.append(keys, rows_for(keys))
            store.delete(keys[::3])
            if key % 100 == 1:
                store.compact()
            key += 20
        assert all(reader.result() for reader in readers)


WRITER = """
import sys
from pathlib import Path
import numpy as np
from engine.rows import RowFile

store = RowFile.open(Path(sys.argv[1]), width=4096, dtype=np.uint8, write=True)
key = int(store.keys.max(initial=0)) + 1
while True:
    keys = np.arange(key, key + 8)
    store.append(keys, np.repeat((keys % 251).astype(np.uint8)[:, None], 4096, axis=1))
    print(key + 7, flush=True)
    key += 8
    if key % 5 == 0:
        store.compact()
"""


def test_killed_writers_lose_nothing_that_was_reported_done(path: Path) -> None:
    rng = np.random.default_rng()
    done = 0
    for _ in range(6):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
        )
        first = writer.stdout.readline()
        time.sleep(float(rng.uniform(0, 0.15)))
        os.kill(writer.pid, signal.SIGKILL)
        reported = (first + writer.communicate()[0]).splitlines()
        done = max([done, *(int(line) for line in reported if line)])
        with RowFile.open(path, width=4096, dtype=np.uint8, write=True) as store:
            assert set(store.keys.tolist()).issuperset(range(1, done + 1))
            live = np.flatnonzero(store.keys)
            assert (store.rows[live] == (store.keys[live] % 251)[:, None]).all()
            assert store.verify() == []


LARGER_THAN_MEMORY = """
import resource, sys
from pathlib import Path
import numpy as np
from engine import metrics
from engine.rows import RowFile

store = RowFile.open(Path(sys.argv[1]), width=1 << 20, dtype=np.uint8, write=False)
data = next(int(line.split()[1]) << 10 for line in open("/proc/self/status") if "VmData" in line)
resource.setrlimit(resource.RLIMIT_DATA, (data + (64 << 20), data + (64 << 20)))
try:
    np.ones(len(store.rows) << 20, np.uint8)
except MemoryError:
    print("does not fit")
found = metrics.scores("l1", store.rows[150], store.rows)[0]
print(found.argmin(), found.min())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory limits as on Linux")
def test_a_store_larger_than_memory_still_answers(path: Path) -> None:
    with RowFile.open(path, width=1 << 20, dtype=np.uint8, write=True) as store:
        for start in range(0, 200, 20):
            keys = np.arange(start + 1, start + 21)
            store.append(keys, np.repeat(keys.astype(np.uint8)[:, None], 1 << 20, axis=1))
    done = subprocess.run(
        [sys.executable, "-c", LARGER_THAN_MEMORY, str(path)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )
    assert done.stdout.splitlines() == ["does not fit", "150 0.0"]
