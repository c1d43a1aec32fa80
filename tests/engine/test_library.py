from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from engine.catalog import Photo
from engine.config import Settings, load_settings
from engine.crawl.cleaning import Cleaned, clean
from engine.errors import (
    EmptyLibraryError,
    LibraryLockedError,
    StoreError,
    UnknownCategoryError,
    UnknownImageError,
)
from engine.files import FileState
from engine.images import image_id
from engine.library import Library, NewPicture
from engine.stores import folder_name

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_second_writer_is_refused_and_told_who_writes(settings: Settings) -> None:
    with (
        Library.open(settings, write=True),
        pytest.raises(LibraryLockedError, match=f"process {os.getpid()} "),
        Library.open(settings, write=True),
    ):
        pass
    with Library.open(settings, write=True):
        pass


def test_reading_where_nothing_is_says_how_to_begin(settings: Settings) -> None:
    with (
        pytest.raises(EmptyLibraryError, match="lookalike index"),
        Library.open(settings, write=False),
    ):
        pass
    assert not settings.data_dir.exists()


def test_data_dir_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    settings = load_settings(data_dir=tmp_path / "file", encoder="none")
    with pytest.raises(StoreError, match=r"DATA_DIR .*file"), Library.open(settings, write=True):
        pass


def test_categories_and_stats_load_nothing_heavy(settings: Settings, gallery: Path) -> None:
    with Library.open(settings, write=True) as library:
        library.index([gallery])
    program = """
import sys
from engine.config import load_settings
from engine.images import image_id
from engine.library import Library, NewPicture
from engine.stores import folder_name
with Library.open(load_settings(data_dir=sys.argv[1], encoder=sys.argv[2]), write=False) as library:
    print(sum(each.count for each in library.categories()), library.stats().embedded)
print([name for name in ("torch", "chromadb", "numba", "scipy", "timm") if name in sys.modules])
"""
    command = [sys.executable, "-c", program, str(settings.data_dir), settings.encoder]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["12 12", "[]"]


def test_stats_count_what_is_there(settings: Settings, gallery: Path) -> None:
    with Library.open(settings, write=True) as library:
        library.index([gallery])
        stats = library.stats()
    assert (stats.pictures, stats.categories, stats.files, stats.embedded) == (12, 3, 12, 12)
    assert stats.file_bytes == sum(path.stat().st_size for path in gallery.rglob("*.jpg"))
    assert stats.index_bytes > 12 * 64 * 64 * 3


def test_remove_by_category_path_and_id(settings: Settings, gallery: Path) -> None:
    with Library.open(settings, write=True) as library:
        library.index([gallery])
        assert library.remove(category="lion") == 4
        assert library.remove(paths=[gallery / "tiger" / "0.jpg"]) == 1
        assert library.remove(paths=[gallery / "tiger"]) == 3
        assert library.remove(ids=library.catalog.all_ids()[:2]) == 2
        assert library.catalog.count() == 2
        assert library.check().is_clean
    assert len(list(gallery.rglob("*.jpg"))) == 12


def test_remove_of_what_is_not_there_removes_nothing(settings: Settings, gallery: Path) -> None:
    with Library.open(settings, write=True) as library:
        library.index([gallery])
        some = library.catalog.all_ids()[0]
        with pytest.raises(UnknownImageError, match="0000000000000000"):
            library.remove(ids=[some, "0" * 16])
        with pytest.raises(UnknownImageError, match="elsewhere"):
            library.remove(paths=[gallery / "elsewhere"])
        with pytest.raises(UnknownCategoryError, match="lion"):
            library.remove(category="loin")
        assert library.catalog.count() == 12


def test_remove_deletes_files_only_where_the_library_stored_them(
    settings: Settings, gallery: Path
) -> None:
    with Library.open(settings, write=True) as library:
        library.index([gallery])
        own = gallery / "lion" / "0.jpg"
        [state] = library.catalog.files.states(own).values()
        copy = settings.library_dir / "lion" / "copy.jpg"
        copy.parent.mkdir()
        copy.write_bytes(own.read_bytes())
        info = copy.stat()
        stored = FileState(
            str(copy.resolve()), state.image_id, "lion", info.st_size, info.st_mtime_ns, True
        )
        library.catalog.files.record([stored])
        library.remove(ids=[state.image_id])
        assert own.exists()
        assert not copy.exists()
        assert library.check().is_clean


def test_opening_settles_what_a_crash_left(settings: Settings, gallery: Path) -> None:
    with Library.open(settings, write=True) as library:
        library.index([gallery])
        names = library.catalog.all_ids()
        library.catalog.mark_pending(names[:5])
        library.catalog.add_pending([Photo("f" * 16, "lion", 10, 10, 0)])
        library.thumbnails.delete(names[:1])
    with Library.open(settings, write=True) as library:
        assert library.catalog.all_ids(None) == names
        assert library.catalog.pending_ids() == names[:1]
        library.index([])
        assert library.catalog.pending_ids() == []
        assert library.check().is_clean


@pytest.fixture
def new_pictures(tmp_path: Path, paint: Callable[[Path, int], Path]) -> list[NewPicture]:
    pictures = []
    for number in range(3):
        data = paint(tmp_path / "new" / f"{number}.jpg", 500 + number).read_bytes()
        cleaned = clean(data, is_strict=False)
        assert isinstance(cleaned, Cleaned)
        facts = cleaned.photo("Sea/side", source="chat", creator="somebody")
        pictures.append(NewPicture(cleaned.data, facts))
    return pictures


def test_pictures_given_as_bytes_are_stored_found_and_removed(
    settings: Settings, new_pictures: list[NewPicture]
) -> None:
    ids = [each.photo.id for each in new_pictures]
    with Library.open(settings, write=True) as library:
        assert library.add(new_pictures) == ids
        facts = library.catalog.facts(ids)
        for each in new_pictures:
            path = facts[each.photo.id].path
            assert path is not None
            assert image_id(path.read_bytes()) == path.stem == each.photo.id
        assert facts[ids[0]].creator == "somebody"
        assert library.vectors is not None
        assert library.vectors.missing(ids) == library.thumbnails.missing(ids) == []
        assert library.index([]).counts.found == 0
        assert library.check().is_clean
        assert library.nearest(new_pictures[2].photo.phash) == ids[2]
        library.remove(category="Sea/side")
        assert not [path for path in settings.library_dir.rglob("*") if path.is_file()]
        assert library.check().is_clean


def test_pictures_the_library_has_are_not_added_again(
    pixel_settings: Settings, new_pictures: list[NewPicture]
) -> None:
    with Library.open(pixel_settings, write=True) as library:
        library.add(new_pictures[:1])
        assert library.add([*new_pictures, new_pictures[2]]) == [
            each.photo.id for each in new_pictures[1:]
        ]
        assert library.add(new_pictures) == []
        assert library.catalog.count() == 3


def test_somebodys_own_picture_lies_apart_and_is_not_everyones(
    settings: Settings, new_pictures: list[NewPicture]
) -> None:
    private = NewPicture(new_pictures[0].data, replace(new_pictures[0].photo, owner=42))
    with Library.open(settings, write=True) as library:
        [name] = library.add([private])
        path = library.catalog.facts([name])[name].path
        assert path is not None
        assert "@42" in path.parts
        assert library.categories() == []
        assert library.catalog.shared_ids() == []
        stats = library.stats()
        told = (stats.pictures, stats.categories, stats.files, stats.file_bytes, stats.embedded)
        assert told == (0, 0, 0, 0, 0)
        assert library.check().is_clean


def test_a_crash_between_facts_and_file_leaves_nothing_behind(
    pixel_settings: Settings, new_pictures: list[NewPicture], monkeypatch: pytest.MonkeyPatch
) -> None:
    class PowerCutError(Exception):
        pass

    def cut(*_: object) -> None:
        raise PowerCutError

    with Library.open(pixel_settings, write=True) as library:
        monkeypatch.setattr(os, "fsync", cut)
        with pytest.raises(PowerCutError):
            library.add(new_pictures)
        monkeypatch.undo()
        assert len(library.catalog.pending_ids()) == 3
        assert list(pixel_settings.library_dir.rglob(".*.part"))
    with Library.open(pixel_settings, write=True) as library:
        assert library.catalog.all_ids(None) == []
        assert not [path for path in pixel_settings.library_dir.rglob("*") if path.is_file()]
        assert library.check().is_clean
        assert len(library.add(new_pictures)) == 3


def test_a_crash_after_the_file_is_completed_by_the_next_index_run(
    settings: Settings, new_pictures: list[NewPicture], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Library.open(settings, write=True) as library:
        monkeypatch.setattr(library.thumbnails, "add", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            library.add(new_pictures)
    with Library.open(settings, write=True) as library:
        assert len(library.catalog.pending_ids()) == 3
        library.index([])
        assert library.catalog.count() == 3
        assert library.check().is_clean
        name = new_pictures[0].photo.id
        assert library.catalog.facts([name])[name].creator == "somebody"


@pytest.mark.parametrize(
    ("category", "folder"),
    [
        ("tiger", "tiger"),
        ("red car", "red car"),
        ("hổ đông dương", "hổ đông dương"),
        ("老虎", "老虎"),
    ],
)
def test_plain_categories_name_their_folders(category: str, folder: str) -> None:
    assert folder_name(category) == folder


def test_other_categories_get_safe_folders_and_each_its_own() -> None:
    names = [
        "..", ".", "", " ", "/", "a/b", "a-b", "a\\b", "a:b", "A-B", "con", "CON", "nul.txt",
        "lpt1", "🐯", "🦁", "a\0b", "\udcff", "x" * 300, "x" * 301, "hổ" * 90, "Tiger", " tiger",
        "tiger ",
        "../../etc/passwd", "-rf", ".hidden", "@42", "~", "a\nb", folder_name("a/b"),
    ]  # fmt: skip
    folders = [folder_name(name) for name in names]
    assert len(set(folders)) == len(names)
    for folder in folders:
        assert 0 < len(folder.encode()) <= 100
        assert not set(folder) & set('/\\:*?"<>|\0\n.@~')
        assert folder == folder.strip(" -")
        assert folder.casefold() not in {"con", "nul", "lpt1"}
