"""The spool: what a download leaves behind when it ends well, badly, or in the middle."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from engine.crawl.spool import Spool, sweep
from engine.errors import StoreError

ROOT = Path(__file__).resolve().parents[3]
URL = "http://host/a.jpg"


def names(folder):
    return sorted(path.name for path in (folder / "crawl" / "1").iterdir())


def test_a_download_is_there_when_its_block_ended_well(tmp_path):
    spool = Spool(tmp_path, 1)
    with spool.receiving(URL) as part:
        part.begin(7)
        part.write(b"half of")
        assert not spool.has(URL)
        part.begin(None)
        part.write(b"pic")
        part.write(b"ture")
    assert spool.path(URL).read_bytes() == b"picture"
    assert len(names(tmp_path)) == 1
    spool.drop([URL])
    assert not spool.has(URL)
    assert not Spool(tmp_path, 1).has(URL)
    assert names(tmp_path) == []


def test_files_of_what_was_dealt_with_are_used_again(tmp_path):
    spool = Spool(tmp_path, 1)
    for number in range(6):
        urls = [f"{URL}?{number}-{each}" for each in range(3)]
        for url in urls:
            with spool.receiving(url) as part:
                part.begin(len(url))
                part.write(url.encode())
        assert [spool.path(url).read_text() for url in urls] == urls
        spool.drop([*urls, f"{URL}?unknown"])
        assert len(names(tmp_path)) == 3


def test_what_failed_leaves_nothing(tmp_path):
    spool = Spool(tmp_path, 1)

    def fail():
        with spool.receiving(URL) as part:
            part.begin(100)
            part.write(b"half")
            raise ValueError("cut")

    with pytest.raises(ValueError, match="cut"):
        fail()
    assert not spool.has(URL)
    assert names(tmp_path) == []


@pytest.mark.parametrize(("length", "is_kept"), [(7, True), (8, False), (6, False), (None, False)])
def test_after_a_sudden_end_what_has_its_full_length_is_whole(tmp_path, length, is_kept):
    program = (
        "import os, pathlib, sys; from engine.crawl.spool import Spool\n"
        "with Spool(pathlib.Path(sys.argv[1]), 1).receiving(sys.argv[2]) as part:\n"
        f"    part.begin({length}); part.write(b'picture'); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", program, tmp_path, URL], cwd=ROOT, check=True)
    spool = Spool(tmp_path, 1)
    assert spool.has(URL) == is_kept
    assert len(names(tmp_path)) == is_kept
    assert not is_kept or spool.path(URL).read_bytes() == b"picture"


def test_files_of_other_names_are_cleared_away(tmp_path):
    folder = Spool(tmp_path, 1)._folder
    for name in (".DS_Store", "0123.7.part", "0123", "0123.", "0123.-7", "0123.7.7"):
        (folder / name).write_bytes(b"picture")
    (folder / "4567.7").write_bytes(b"picture")
    Spool(tmp_path, 1)
    assert names(tmp_path) == ["4567.7"]


def test_an_empty_file_that_somebody_deleted_is_made_anew(tmp_path):
    spool = Spool(tmp_path, 1)
    for url in (URL, f"{URL}?2"):
        with spool.receiving(url) as part:
            part.begin(7)
            part.write(b"picture")
        assert spool.path(url).read_bytes() == b"picture"
        spool.path(url).unlink()
        spool._empty.append(spool.path(url))


def test_sweeping_spares_a_crawl_that_begins_meanwhile(tmp_path):
    for number in (1, 2):
        Spool(tmp_path, number)

    def unfinished():
        Spool(tmp_path, 3)
        return [2]

    sweep(tmp_path, unfinished)
    assert sorted(path.name for path in (tmp_path / "crawl").iterdir()) == ["2", "3"]


def test_a_folder_that_cannot_be_written_is_a_store_error(tmp_path):
    spool = Spool(tmp_path, 1)
    spool.close()
    with pytest.raises(StoreError), spool.receiving(URL) as part:
        part.begin(3)
