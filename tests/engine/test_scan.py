from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.errors import UnknownImageError
from engine.scan import Scan


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "photos"
    for name in (
        "top.jpg", "tiger/a.JPG", "tiger/deep/er/b.png", "lion/c.webp", "lion/notes.txt",
        ".hidden/d.jpg", "lion/.e.jpg",
    ):  # fmt: skip
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x")
    return root


def test_first_sub_folder_is_the_category_and_hidden_files_are_passed_over(tree: Path) -> None:
    found = {Path(file.path).name: file.category for file in Scan([tree])}
    assert found == {"top.jpg": "photos", "a.JPG": "tiger", "b.png": "tiger", "c.webp": "lion"}


def test_single_file_has_its_folders_name_and_a_given_category_wins(tree: Path) -> None:
    file = tree / "tiger" / "a.JPG"
    assert [found.category for found in Scan([file])] == ["tiger"]
    assert {found.category for found in Scan([tree, file], category="cats")} == {"cats"}


def test_size_and_time_are_those_of_the_file(tree: Path) -> None:
    file = tree / "tiger" / "a.JPG"
    [found] = Scan([file])
    assert (found.size, found.mtime_ns) == (1, file.stat().st_mtime_ns)


def test_links_in_a_circle_end(tree: Path) -> None:
    (tree / "tiger" / "again").symlink_to(tree)
    (tree / "zoo").symlink_to(tree / "lion")
    (tree / "nowhere.jpg").symlink_to(tree / "gone.jpg")
    found = [Path(file.path).name for file in Scan([tree])]
    assert sorted(found) == ["a.JPG", "b.png", "c.webp", "top.jpg"]


def test_same_folder_by_two_names_is_one(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tree)
    assert [f.path for f in Scan([Path("tiger")])] == [f.path for f in Scan([tree / "tiger"])]


def test_the_librarys_own_folder_is_avoided_unless_asked_for(tree: Path) -> None:
    own = tree / "lion"
    assert "c.webp" not in {Path(f.path).name for f in Scan([tree], avoid=own)}
    assert [Path(f.path).name for f in Scan([own], avoid=own)] == ["c.webp"]


def test_a_path_that_is_not_there_is_named(tree: Path) -> None:
    with pytest.raises(UnknownImageError, match="absent"):
        Scan([tree / "absent"])


def test_a_name_that_is_no_text_is_reported(tree: Path) -> None:
    raw = os.fsencode(tree / "tiger") + b"/\xff\xfe.jpg"
    try:
        descriptor = os.open(raw, os.O_CREAT | os.O_WRONLY)
    except OSError:
        pytest.skip("this file system takes Unicode names only")
    os.close(descriptor)
    scan = Scan([tree])
    assert len(list(scan)) == 4
    assert [problem.reason for problem in scan.problems] == ["its name is not valid Unicode"]


def test_what_lies_in_an_unreadable_folder_is_not_called_gone(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.scandir

    def scandir(path: str) -> object:
        if str(path).endswith("tiger"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    scan = Scan([tree])
    assert len(list(scan)) == 2
    assert scan.problems[0].reason == "Permission denied"
    assert not scan.covers(str(tree / "tiger" / "a.JPG"))
    assert scan.covers(str(tree / "lion" / "gone.jpg"))
    assert not scan.covers("/elsewhere/x.jpg")
