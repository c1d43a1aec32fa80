from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from engine.config import Settings, load_settings
from engine.errors import UnknownImageError
from engine.images import MIN_SIDE, open_image
from engine.library import Library

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from engine.indexing import IndexReport, Progress


def run(settings: Settings, *paths: Path, **options: object) -> IndexReport:
    with Library.open(settings, write=True) as library:
        return library.index(paths, **options)  # type: ignore[arg-type]


def embedded_rows(library: Library) -> int:
    assert library.vectors is not None
    return library.vectors._shared.appended


def test_folders_become_categories_and_every_picture_is_embedded_once(
    settings: Settings, gallery: Path
) -> None:
    with Library.open(settings, write=True) as library:
        report = library.index([gallery])
        counts = {each.category: each.count for each in library.categories()}
        assert embedded_rows(library) == 12
        assert library.check().is_clean
    assert counts == {"lion": 4, "red car": 4, "tiger": 4}
    assert (report.counts.added, report.counts.embedded, report.counts.failed) == (12, 12, 0)
    assert report.counts.done == report.counts.found == 12
    assert not report.problems
    assert not report.stopped


def test_second_run_reads_no_picture_and_loads_no_network(
    settings: Settings, gallery: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(settings, gallery)
    monkeypatch.setattr("engine.reading.image_id", lambda _: pytest.fail("a picture was read"))
    with Library.open(settings, write=True) as library:
        report = library.index([gallery])
        assert library.encoder is not None
        assert not library.encoder.is_loaded
    assert (report.counts.skipped, report.counts.added, report.counts.embedded) == (12, 0, 0)


def test_moved_file_keeps_its_embedding_and_takes_its_new_category(
    settings: Settings, gallery: Path
) -> None:
    run(settings, gallery)
    (gallery / "lion" / "0.jpg").rename(gallery / "tiger" / "was-lion.jpg")
    with Library.open(settings, write=True) as library:
        report = library.index([gallery])
        counts = {each.category: each.count for each in library.categories()}
        assert embedded_rows(library) == 12
        assert library.check().is_clean
    assert counts == {"lion": 3, "red car": 4, "tiger": 5}
    assert (report.counts.moved, report.counts.removed, report.counts.added) == (1, 0, 0)


def test_renamed_folder_is_recognised_as_a_whole(settings: Settings, gallery: Path) -> None:
    run(settings, gallery)
    (gallery / "lion").rename(gallery / "cat")
    report = run(settings, gallery)
    assert (report.counts.moved, report.counts.embedded, report.counts.removed) == (4, 0, 0)


def test_exact_duplicates_are_stored_once(settings: Settings, gallery: Path) -> None:
    for number in range(3):
        shutil.copy(gallery / "tiger" / "0.jpg", gallery / "tiger" / f"copy-{number}.jpg")
    with Library.open(settings, write=True) as library:
        report = library.index([gallery])
        assert embedded_rows(library) == 12
        assert library.catalog.totals().files == 15
    assert (report.counts.added, report.counts.duplicates) == (12, 3)
    (gallery / "tiger" / "0.jpg").unlink()
    report = run(settings, gallery)
    assert (report.counts.removed, report.counts.skipped) == (0, 14)


def test_near_duplicates_are_marked_and_kept(settings: Settings, gallery: Path) -> None:
    original = gallery / "tiger" / "0.jpg"
    Image.open(original).save(gallery / "tiger" / "again.jpg", quality=50)
    with Library.open(settings, write=True) as library:
        report = library.index([gallery])
        [marked] = [
            photo
            for photo in library.catalog.facts(library.catalog.all_ids()).values()
            if photo.near_of
        ]
        [first] = library.catalog.facts([str(marked.near_of)]).values()
    assert report.counts.near_duplicates == 1
    assert {marked.path, first.path} == {original, gallery / "tiger" / "again.jpg"}


def test_deleted_files_are_dropped_but_only_under_the_folders_given(
    settings: Settings, gallery: Path
) -> None:
    run(settings, gallery)
    (gallery / "lion" / "0.jpg").unlink()
    (gallery / "tiger" / "0.jpg").unlink()
    report = run(settings, gallery / "tiger")
    assert report.counts.removed == 1
    with Library.open(settings, write=True) as library:
        assert library.catalog.count() == 11
        library.index([gallery])
        assert library.catalog.count() == 10
        assert library.check().is_clean


def test_changed_file_replaces_its_picture(
    settings: Settings, gallery: Path, paint: Callable[[Path, int], Path]
) -> None:
    run(settings, gallery)
    paint(gallery / "lion" / "0.jpg", 99)
    with Library.open(settings, write=True) as library:
        report = library.index([gallery])
        assert library.catalog.count() == 12
        assert library.check().is_clean
    assert (report.counts.added, report.counts.removed, report.counts.skipped) == (1, 1, 11)


def test_touched_file_is_read_but_not_embedded(settings: Settings, gallery: Path) -> None:
    run(settings, gallery)
    os.utime(gallery / "lion" / "0.jpg")
    report = run(settings, gallery)
    assert (report.counts.embedded, report.counts.moved, report.counts.duplicates) == (0, 0, 0)
    assert run(settings, gallery).counts.skipped == 12


def test_one_bad_file_is_reported_and_stops_nothing(settings: Settings, gallery: Path) -> None:
    (gallery / "lion" / "bad.jpg").write_bytes(b"this is no picture")
    whole = (gallery / "lion" / "0.jpg").read_bytes()
    (gallery / "lion" / "half.jpg").write_bytes(whole[: len(whole) // 2])
    (gallery / "lion" / "empty.jpg").touch()
    report = run(settings, gallery)
    assert (report.counts.added, report.counts.failed) == (12, 3)
    named = {Path(problem.path).name: problem.reason for problem in report.problems}
    assert set(named) == {"bad.jpg", "half.jpg", "empty.jpg"}
    assert all(named.values())


def test_picture_that_overflows_the_network_is_kept_without_embedding(
    settings: Settings, gallery: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Library.open(settings, write=True) as library:
        assert library.encoder is not None
        encoder = library.encoder.load()
        real = encoder._images
        image = encoder.prepare(open_image(gallery / "lion" / "2.jpg", min_side=MIN_SIDE))

        def overflowing(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
            vectors = real(crops)
            vectors[(crops == image).all(axis=(1, 2, 3))] = np.nan
            return vectors

        monkeypatch.setattr(encoder, "_images", overflowing)
        report = library.index([gallery])
        assert library.catalog.count() == 12
        assert embedded_rows(library) == report.counts.embedded == 11
    assert report.counts.failed == 1
    [problem] = report.problems
    assert problem.path.endswith("lion/2.jpg")
    assert "not finite" in problem.reason


def test_file_that_broke_takes_its_picture_along(settings: Settings, gallery: Path) -> None:
    run(settings, gallery)
    (gallery / "lion" / "0.jpg").write_bytes(b"broken now")
    with Library.open(settings, write=True) as library:
        report = library.index([gallery])
        assert library.catalog.count() == 11
    assert (report.counts.failed, report.counts.removed) == (1, 1)


def test_file_that_cannot_be_read_just_now_keeps_its_picture(
    settings: Settings, gallery: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(settings, gallery)
    os.utime(gallery / "lion" / "0.jpg")
    real = Path.read_bytes

    def read_bytes(path: Path) -> bytes:
        if path.suffix == ".jpg":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    with Library.open(settings, write=True) as library:
        report = library.index([gallery])
        assert library.catalog.count() == 12
    assert [problem.reason for problem in report.problems] == ["Permission denied"]


def test_picture_that_memory_did_not_suffice_for_is_kept(
    settings: Settings, gallery: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(settings, gallery)
    with (gallery / "lion" / "0.jpg").open("ab") as file:
        file.write(b"\0")

    def short(_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("engine.images._upright", short)
    with Library.open(settings, write=True) as library:
        report = library.index([gallery])
        assert library.catalog.count() == 12
        monkeypatch.undo()
        assert library.index([gallery]).counts.failed == 0
        assert library.check().is_clean
    assert (report.counts.failed, report.counts.removed) == (1, 0)


def test_lacking_picture_is_completed_from_whichever_of_its_files_is_there(
    pixel_settings: Settings, gallery: Path
) -> None:
    shutil.copy(gallery / "lion" / "0.jpg", gallery / "tiger" / "copy.jpg")
    with Library.open(pixel_settings, write=True) as library:
        library.index([gallery])
        files = library.catalog.files.of(library.catalog.all_ids())
        [name] = [name for name, states in files.items() if len(states) == 2]
        library.thumbnails.delete([name])
        (gallery / "lion" / "0.jpg").unlink()
        assert library.index([]).counts.failed == 0
        assert not library.thumbnails.missing([name])


def test_one_category_for_everything_can_be_given_and_changed(
    pixel_settings: Settings, gallery: Path
) -> None:
    run(pixel_settings, gallery, category="cats")
    with Library.open(pixel_settings, write=True) as library:
        assert [each.category for each in library.categories()] == ["cats"]
        report = library.index([gallery])
        assert [each.category for each in library.categories()] == ["lion", "red car", "tiger"]
    assert report.counts.skipped == 12


def test_library_without_encoder_is_completed_when_there_is_one(
    settings: Settings, pixel_settings: Settings, gallery: Path
) -> None:
    assert run(pixel_settings, gallery).without_encoder is None
    with Library.open(settings, write=True) as library:
        thumbnails = library.thumbnails.appended
        report = library.index([])
        assert library.thumbnails.appended == thumbnails
        assert embedded_rows(library) == 12
        assert library.check().is_clean
    assert (report.counts.added, report.counts.embedded) == (0, 12)
    assert (report.counts.moved, report.counts.duplicates) == (0, 0)


def test_file_given_singly_and_with_its_folder_is_one_file(
    pixel_settings: Settings, gallery: Path
) -> None:
    report = run(pixel_settings, gallery / "lion" / "0.jpg", gallery)
    assert (report.counts.found, report.counts.added, report.counts.duplicates) == (12, 12, 0)


def test_one_gone_file_is_moved_once_however_many_copies_appear(
    pixel_settings: Settings, gallery: Path
) -> None:
    run(pixel_settings, gallery)
    shutil.copy(gallery / "lion" / "0.jpg", gallery / "tiger" / "copy.jpg")
    (gallery / "lion" / "0.jpg").rename(gallery / "tiger" / "moved.jpg")
    report = run(pixel_settings, gallery)
    assert (report.counts.moved, report.counts.duplicates) == (1, 1)


def test_encoder_that_cannot_be_loaded_leaves_pixel_search(tmp_path: Path, gallery: Path) -> None:
    settings = load_settings(
        data_dir=tmp_path / "data", encoder=f"timm:local-dir:{tmp_path / 'absent'}"
    )
    report = run(settings, gallery)
    assert report.counts.added == 12
    assert report.counts.embedded == 0
    assert report.without_encoder
    report = run(settings, gallery)
    assert (report.counts.skipped, report.counts.done) == (12, 12)


def test_progress_grows_to_the_number_found(settings: Settings, gallery: Path) -> None:
    seen: list[Progress] = []
    run(settings, gallery, progress=seen.append)
    assert [now.phase for now in seen[-2:]] == ["cleaning", "done"]
    assert all(a.done <= b.done for a, b in pairwise(seen))
    assert seen[-1].done == seen[-1].found == 12


def test_a_stopped_run_is_taken_up_by_the_next(
    settings: Settings, tmp_path: Path, paint: Callable[[Path, int], Path]
) -> None:
    many = tmp_path / "many"
    for number in range(300):
        paint(many / f"{number:03}.jpg", number)
    stop = threading.Event()

    def progress(now: Progress) -> None:
        if now.embedded >= 40:
            stop.set()

    first = run(settings, many, progress=progress, stop=stop)
    assert first.stopped
    with Library.open(settings, write=True) as library:
        done = library.catalog.count()
        assert 0 < done < 300
        assert embedded_rows(library) == done
        assert first.counts.added == first.counts.embedded == done, "what was stored is counted"
        second = library.index([many])
        assert not second.stopped
        assert embedded_rows(library) == library.catalog.count() == 300
        assert library.check().is_clean


def test_run_stopped_while_scanning_loads_no_network(settings: Settings, gallery: Path) -> None:
    stop = threading.Event()
    with Library.open(settings, write=True) as library:
        report = library.index([gallery], progress=lambda _: stop.set(), stop=stop)
        assert report.stopped
        assert library.encoder is not None
        assert not library.encoder.is_loaded


def test_picture_replaced_in_a_stopped_run_is_dropped_by_the_next(
    pixel_settings: Settings, gallery: Path, paint: Callable[[Path, int], Path]
) -> None:
    with Library.open(pixel_settings, write=True) as library:
        library.index([gallery])
        paint(gallery / "lion" / "0.jpg", 99)
        stop = threading.Event()

        def progress(now: Progress) -> None:
            if now.phase == "reading" and now.added:
                stop.set()

        for number in range(100, 400):
            paint(gallery / "tiger" / f"{number}.jpg", number)
        assert library.index([gallery], progress=progress, stop=stop).stopped
        assert len(library.catalog.files.orphans()) == 1
        assert library.index([gallery]).counts.removed == 1
        assert library.check().is_clean


def test_file_that_grew_too_large_takes_its_picture_along(
    pixel_settings: Settings, gallery: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(pixel_settings, gallery)
    with (gallery / "lion" / "0.jpg").open("ab") as file:
        file.write(bytes(20_000))
    monkeypatch.setattr("engine.reading.MAX_BYTES", 20_000)
    with Library.open(pixel_settings, write=True) as library:
        report = library.index([gallery])
        assert library.check().is_clean
    assert (report.counts.failed, report.counts.removed) == (1, 1)


def test_missing_folder_is_a_mistake_said_at_once(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(UnknownImageError, match="absent"):
        run(settings, tmp_path / "absent")


def test_same_content_in_flight_twice_is_stored_once(
    settings: Settings, tmp_path: Path, paint: Callable[[Path, int], Path]
) -> None:
    first = paint(tmp_path / "same" / "000.jpg", 1)
    for number in range(1, 40):
        shutil.copy(first, tmp_path / "same" / f"{number:03}.jpg")
    with Library.open(settings, write=True) as library:
        report = library.index([tmp_path / "same"])
        assert embedded_rows(library) == 1
        assert library.check().is_clean
    assert (report.counts.added, report.counts.duplicates) == (1, 39)


KILLED_RUNS = """
import os, random, signal, sys, time
from pathlib import Path
import chromadb, timm, torch
from engine.config import load_settings
from engine.library import Library

data_dir, encoder, photos = sys.argv[1:]
settings = load_settings(data_dir=data_dir, encoder=encoder, device="cpu")
moments = random.Random(7)
for _ in range(10):
    embedded, says = os.pipe()
    child = os.fork()
    if not child:
        try:
            told = 0
            def progress(now):
                global told
                batches = now.embedded // 32
                os.write(says, b"x" * (batches - told))
                told = batches
            with Library.open(settings, write=True) as library:
                library.index([Path(photos)], progress=progress)
        finally:
            os._exit(0)
    os.close(says)
    for _ in range(moments.randint(1, 4)):
        os.read(embedded, 1)
    time.sleep(moments.uniform(0, 0.4))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with Library.open(settings, write=False) as library:
        print(library.catalog.count(), flush=True)
"""


def test_killed_ten_times_the_library_is_complete_and_nothing_embedded_twice(
    shared_data: Path, tmp_path: Path
) -> None:
    encoder = f"timm:local-dir:{shared_data / 'encoders' / 'mobilenetv2-imagenet'}"
    photos = shared_data / "photos" / "train"
    # One process loads the libraries and forks ten runs, which it kills: imports cost seconds.
    command = [sys.executable, "-c", KILLED_RUNS, str(tmp_path), encoder, str(photos)]
    # One thread: several fight over a core that other work wants too.
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    killed = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=240, env=environment
    )
    counts = [int(line) for line in killed.stdout.split()]
    assert len(counts) == 10
    assert counts == sorted(counts)
    assert len(set(counts)) > 3, "the kills should have caught the run at different stages"
    settings = load_settings(data_dir=tmp_path, encoder=encoder, device="cpu")
    with Library.open(settings, write=True) as library:
        library.index([photos])
        files = {str(path) for path in photos.resolve().rglob("*.jpg")}
        assert set(library.catalog.files.states()) == files
        assert embedded_rows(library) == library.catalog.count()
        report = library.check()
    assert report.is_clean, report.findings
