from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest

from engine.checking import Trouble
from engine.config import Settings, load_settings
from engine.errors import StoreError
from engine.library import Library

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def library(settings: Settings, gallery: Path) -> Iterator[Library]:
    with Library.open(settings, write=True) as library:
        library.index([gallery])
        yield library


def found(library: Library) -> dict[str, int]:
    return {finding.what: finding.count for finding in library.check().findings}


def repaired(library: Library) -> bool:
    report = library.check(repair=True)
    return bool(report.findings) and report.is_clean and library.check().is_clean


def test_whole_library_is_clean(library: Library) -> None:
    report = library.check()
    assert report.is_clean
    assert report.pictures == 12


def test_files_gone_and_changed(
    library: Library, gallery: Path, paint: Callable[[Path, int], Path]
) -> None:
    (gallery / "lion" / "0.jpg").unlink()
    paint(gallery / "tiger" / "1.jpg", 4321)
    assert found(library) == {Trouble.GONE: 1, Trouble.CHANGED: 1}
    assert repaired(library)
    counts = {each.category: each.count for each in library.categories()}
    assert counts == {"lion": 3, "red car": 4, "tiger": 4}


def test_missing_disk_is_not_taken_for_deleted_files(library: Library, gallery: Path) -> None:
    away = gallery.rename(gallery.parent / "away")
    with pytest.raises(StoreError, match="disk"):
        library.check(repair=True)
    away.rename(gallery)
    assert library.check().is_clean


def test_lacking_thumbnails_and_embeddings_are_made_again(library: Library) -> None:
    assert library.vectors is not None
    names = library.catalog.all_ids()
    library.thumbnails.delete(names[:2])
    library.vectors.delete(names[1:4])
    assert found(library) == {Trouble.NO_THUMBNAIL: 2, Trouble.NO_VECTOR: 3}
    assert repaired(library)


def test_rows_of_no_picture_are_dropped(library: Library) -> None:
    library.catalog.remove_images(library.catalog.all_ids()[:2])
    troubles = found(library)
    assert troubles[Trouble.STRAY_THUMBNAIL] == 2
    assert troubles[Trouble.STRAY_VECTOR] == 2
    assert repaired(library)
    assert library.catalog.count() == 10


def test_picture_that_lost_its_files_is_dropped(library: Library, gallery: Path) -> None:
    library.catalog.files.forget([str(gallery / "lion" / "0.jpg")])
    assert found(library) == {Trouble.FILELESS: 1}
    assert repaired(library)


def test_unfinished_pictures_are_finished(library: Library) -> None:
    library.catalog.mark_pending(library.catalog.all_ids()[:3])
    assert found(library) == {Trouble.UNFINISHED: 3}
    assert repaired(library)
    assert library.catalog.count() == 12


def test_private_pictures_that_anybody_could_find_are_taken_back(library: Library) -> None:
    from engine.schema import Image

    assert library.vectors is not None
    private, public, *_ = library.catalog.all_ids()
    library.vectors.add([public], library.vectors.get([public]), shared=[False])
    with library.catalog.session() as session:
        session.get_one(Image, private).owner = 42
    assert found(library) == {Trouble.MISPLACED: 2}
    assert repaired(library)
    assert library.vectors.private_ids() == [private]
    assert library.vectors._collection is not None
    assert private not in library.vectors._collection.ids()
    assert public in library.vectors._collection.ids()


def test_damaged_rows_are_found_and_made_again(settings: Settings, gallery: Path) -> None:
    with Library.open(settings, write=True) as library:
        library.index([gallery])
    for file in settings.vectors_dir.glob("*.*"):
        if re.fullmatch(r"\.[0-9a-f]{16}", file.suffix) and file.stat().st_size:
            with file.open("r+b") as rows:
                rows.seek(40)
                rows.write(b"\x55\xaa" * 4)
    with Library.open(settings, write=True) as library:
        troubles = found(library)
        assert troubles.get(Trouble.BAD_THUMBNAIL) == 1, troubles
        assert troubles.get(Trouble.BAD_VECTOR) == 1, troubles
        assert repaired(library)
        assert library.catalog.count() == 12


def test_unknown_file_in_the_librarys_folder_is_set_aside(
    library: Library, settings: Settings, gallery: Path
) -> None:
    stray = settings.library_dir / "lion" / "stray.jpg"
    stray.parent.mkdir()
    shutil.copy(gallery / "lion" / "0.jpg", stray)
    assert found(library) == {Trouble.STRAY_FILE: 1}
    assert repaired(library)
    assert (settings.data_dir / "strays" / "stray.jpg").exists()


def test_reader_checks_without_chroma(settings: Settings, library: Library) -> None:
    with Library.open(settings, write=False) as reader:
        assert reader.check().is_clean


def test_embeddings_that_cannot_be_made_are_left_and_said(
    library: Library, settings: Settings, tmp_path: Path
) -> None:
    library.close()
    absent = load_settings(
        data_dir=settings.data_dir, encoder=f"timm:local-dir:{tmp_path / 'absent'}"
    )
    with Library.open(absent, write=True) as reopened:
        report = reopened.check(repair=True)
    assert not report.is_clean
    assert report.without_encoder
    assert [finding.what for finding in report.left] == [Trouble.NO_VECTOR]
