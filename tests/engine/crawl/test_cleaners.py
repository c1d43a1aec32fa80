"""Cleaning in other processes: as here, whatever becomes of them."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.crawl import cleaners as module
from engine.crawl.cleaner import LARGE, answer
from engine.crawl.cleaners import Cleaners
from engine.crawl.cleaning import Cleaned, Reason, Refusal, clean
from engine.crawl.errors import StoppedError
from engine.errors import StoreError
from engine.images import MIN_SIDE, open_image, thumbnail

ROOT = Path(__file__).resolve().parents[3]
SIDE = 16


def picture(seed=1, size=(160, 120)):
    coarse = np.random.default_rng(seed).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(coarse).resize(size, Image.Resampling.NEAREST).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def cleaners():
    made = Cleaners(SIDE, 2)
    yield made
    made.close()


def one(cleaners, path):
    [(cleaned, result)] = cleaners.clean([path])
    assert cleaned == path
    return result


def kept(path, data):
    path.write_bytes(data)
    return path


def test_results_are_those_of_cleaning_here_with_the_stored_files_thumbnails(cleaners, tmp_path):
    files = (picture(), picture(2, (1600, 900)), b"", b"<svg", picture()[:99])
    paths = [kept(tmp_path / str(number), data) for number, data in enumerate(files)]
    for _ in range(3):
        results = dict(cleaners.clean(paths))
        assert list(results) == paths
        assert list(results.values()) == [clean(data) for data in files]
    for result in list(results.values())[:2]:
        expected = thumbnail(open_image(result.data, min_side=MIN_SIDE), SIDE)
        np.testing.assert_array_equal(result.thumb, expected)


def test_many_threads_share_a_few_processes(cleaners, tmp_path):
    paths = [kept(tmp_path / str(seed), picture(seed)) for seed in range(12)]
    results = {}
    threads = [
        threading.Thread(target=lambda path=path: results.update({path: one(cleaners, path)}))
        for path in paths
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {path: clean(path.read_bytes()) for path in paths}


def test_large_pictures_are_decoded_one_by_one(cleaners, tmp_path):
    flat = io.BytesIO()
    Image.new("RGB", (4000, LARGE // 4000 + 1)).save(flat, "PNG")
    path = kept(tmp_path / "large", flat.getvalue())
    assert answer(path, SIDE, is_alone=False) == ({"is_large": True}, b"")
    assert one(cleaners, path) == Refusal(Reason.UNIFORM)
    threads = [threading.Thread(target=one, args=(cleaners, path)) for _ in range(3)]
    with cleaners._large:
        for thread in threads:
            thread.start()
        time.sleep(0.5)
        assert all(thread.is_alive() for thread in threads)
        assert isinstance(one(cleaners, kept(tmp_path / "small", picture())), Cleaned)
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()


def test_a_process_that_was_ended_from_outside_is_replaced(cleaners, tmp_path):
    path = kept(tmp_path / "a", picture())
    for cleaner in cleaners._every * 3:
        assert isinstance(one(cleaners, path), Cleaned)
        cleaner._process.kill()
    assert isinstance(one(cleaners, path), Cleaned)


def test_a_picture_that_ends_every_process_is_unreadable_and_the_next_one_is_not(
    monkeypatch, tmp_path, caplog
):
    """As one that crashes its decoder would."""
    ending = (
        "import os; from engine.crawl import cleaner as m; clean = m.clean\n"
        "m.clean = lambda data: os.abort() if b'<crash' in data else clean(data); m.main()"
    )
    start = subprocess.Popen
    monkeypatch.setattr(
        module.subprocess,
        "Popen",
        lambda command, **options: start([command[0], "-c", ending], cwd=ROOT, **options),
    )
    cleaners = Cleaners(SIDE, 1)
    contents = [picture(1), b"<crash", picture(2), b"<crash again", picture(3)]
    paths = [kept(tmp_path / str(number), data) for number, data in enumerate(contents)]
    results = dict(cleaners.clean(paths))
    cleaners.close()
    for path, data in zip(paths, contents, strict=True):
        crashed = Refusal(Reason.UNREADABLE)
        assert results[path] == (crashed if b"<crash" in data else clean(data))
    assert "ends every process" in caplog.text


def test_answers_nobody_waited_for_are_not_taken_for_later_ones(cleaners, tmp_path):
    paths = [kept(tmp_path / str(seed), picture(seed)) for seed in range(6)]
    for path in paths:
        for _ in cleaners.clean(paths):
            break
        assert one(cleaners, path) == clean(path.read_bytes())


def test_a_file_that_cannot_be_read_is_the_stores_trouble(cleaners, tmp_path):
    with pytest.raises(StoreError, match="cannot be read"):
        one(cleaners, tmp_path / "absent")
    assert isinstance(one(cleaners, kept(tmp_path / "a", picture())), Cleaned)


@pytest.mark.parametrize("program", ["/nowhere/python", "/bin/false"])
def test_processes_that_do_not_start_are_told_of_rather_than_taken_for_bad_pictures(
    monkeypatch, tmp_path, program
):
    monkeypatch.setattr(module.sys, "executable", program)
    path = kept(tmp_path / "a", picture())

    def attempt():
        cleaners = Cleaners(SIDE, 1)
        try:
            one(cleaners, path)
        finally:
            cleaners.close()

    with pytest.raises(StoreError, match="no process for it can be started"):
        attempt()


def test_closing_ends_them_at_once(tmp_path):
    cleaners = Cleaners(SIDE, 1)
    path = kept(tmp_path / "a", picture())
    one(cleaners, path)
    process = cleaners._every[0]._process
    os.kill(process.pid, signal.SIGSTOP)  # in the midst of a picture
    caught = []

    def wait():
        try:
            one(cleaners, path)
        except StoppedError as error:
            caught.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.2)
    cleaners.close()
    thread.join(5)
    assert len(caught) == 1
    assert process.poll() is not None
    with pytest.raises(StoppedError):
        one(cleaners, path)


def test_none_outlives_a_process_that_is_killed():
    program = (
        "import sys, time; from engine.crawl.cleaners import Cleaners; made = Cleaners(16, 2)\n"
        "print(*(each._process.pid for each in made._every), flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as owner:
        pids = [int(pid) for pid in owner.stdout.readline().split()]
        owner.kill()
    ends = time.monotonic() + 20
    while any(map(is_alive, pids)) and time.monotonic() < ends:
        time.sleep(0.05)
    assert len(pids) == 2
    assert not any(map(is_alive, pids))


def is_alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
