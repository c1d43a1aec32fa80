"""Export: address lists as they were found, and splits that stay what they are."""

from __future__ import annotations

import csv
import json
import zipfile

import pytest

from engine.crawl.cleaning import clean
from engine.crawls import FoundUrl, UrlOutcome
from engine.errors import EmptyLibraryError, StoreError
from engine.export import CREDITS, export_images, export_urls, split
from engine.library import Library, NewPicture


@pytest.fixture
def library(pixel_settings, gallery):
    with Library.open(pixel_settings, write=True) as opened:
        opened.index([gallery])
        yield opened


@pytest.fixture
def crawled(pixel_settings):
    """A library whose crawls came upon a few addresses in different ways."""
    with Library.open(pixel_settings, write=True) as opened:
        for topic in ("hổ", "a/b"):
            crawl = opened.crawls.queue(topic, category=topic, wanted=5, sources=["x"])
            urls = [f"http://host/{topic}/{number}" for number in range(4)]
            opened.crawls.take(crawl, [FoundUrl(url, {"url": url}) for url in urls])
            opened.crawls.settle(
                crawl,
                [
                    UrlOutcome(urls[0], "fetched", image_id="0" * 16),
                    UrlOutcome(urls[1], "refused", "blurred"),
                    UrlOutcome(urls[2], "failed", "http_404"),
                ],
            )
        yield opened


def files(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_addresses_go_to_a_text_file_for_each_topic(crawled, tmp_path):
    assert export_urls(crawled, tmp_path / "urls") == {"hổ": 2, "a/b": 2}
    written = files(tmp_path / "urls")
    assert len(written) == 2
    assert written["hổ.txt"].decode() == "http://host/hổ/0\nhttp://host/hổ/3\n"


def test_addresses_go_to_json_by_category_and_term(crawled, tmp_path):
    export_urls(crawled, tmp_path / "new" / "urls.json", {"hổ": "animal"})
    assert json.loads((tmp_path / "new" / "urls.json").read_text()) == {
        "animal": {"hổ": ["http://host/hổ/0", "http://host/hổ/3"]},
        "a/b": {"a/b": ["http://host/a/b/0", "http://host/a/b/3"]},
    }


def test_without_addresses_it_says_how_to_find_some(library, tmp_path):
    with pytest.raises(EmptyLibraryError, match="lookalike crawl"):
        export_urls(library, tmp_path / "urls")
    assert not (tmp_path / "urls").exists()


def test_images_are_split_exactly_and_alike_every_time(library, gallery, tmp_path):
    report = export_images(library, tmp_path / "one", train=3, test=1)
    assert (report.categories, report.train, report.test, report.missing) == (3, 9, 3, ())
    export_images(library, tmp_path / "two", train=3, test=1)
    one = files(tmp_path / "one")
    assert one == files(tmp_path / "two")
    pictures = {place: data for place, data in one.items() if place != CREDITS}
    assert sorted(pictures.values()) == sorted(files(gallery).values())
    folders = {place.rsplit("/", 1)[0] for place in pictures}
    assert folders == {f"{p}/{c}" for p in ("train", "test") for c in ("lion", "red car", "tiger")}


def test_pictures_that_come_later_never_move_others_across(library, gallery, paint):
    before = split(library, train=2, test=1)
    for number in range(4, 24):
        for place, category in enumerate(("lion", "red car", "tiger")):
            paint(gallery / category / f"{number}.jpg", 1000 + number * 3 + place)
    library.index([gallery])
    after = split(library, train=2, test=1)
    for old, new in zip(before, after, strict=True):
        assert not set(old.test) & set(new.train)
        assert not set(old.train) & set(new.test)


def test_few_pictures_go_to_training_first(library):
    for train, test, sizes in ((19, 1, (3, 1)), (19, 9, (1, 3)), (0, 9, (0, 4)), (2, 0, (2, 0))):
        for each in split(library, train=train, test=test):
            assert (len(each.train), len(each.test)) == sizes
            assert not set(each.train) & set(each.test)


def test_near_duplicates_and_private_pictures_stay_out(library, gallery):
    ids = library.catalog.ids_in("lion")
    library.catalog.mark_near({ids[0]: ids[1]})
    cleaned = clean((gallery / "tiger" / "0.jpg").read_bytes(), is_strict=False)
    library.add([NewPicture(cleaned.data, cleaned.photo("lion", owner=7))])
    [lion, *_] = split(library, train=9, test=1)
    assert set(lion.train + lion.test) == set(ids[1:])


def test_credits_name_every_file(library, tmp_path):
    export_images(library, tmp_path / "out", train=3, test=1)
    with (tmp_path / "out" / CREDITS).open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["file"] for row in rows} == set(files(tmp_path / "out")) - {CREDITS}
    assert set(rows[0]) >= {"creator", "licence", "licence_url", "landing_page"}


def test_an_archive_holds_the_same_and_is_the_same_every_time(library, tmp_path):
    export_images(library, tmp_path / "out")
    export_images(library, tmp_path / "one", as_zip=True)
    export_images(library, tmp_path / "two.zip", as_zip=True)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == files(tmp_path / "out")


def test_files_that_are_gone_are_named_and_nothing_is_overwritten(library, gallery, tmp_path):
    (gallery / "lion" / "0.jpg").unlink()
    report = export_images(library, tmp_path / "out")
    assert (len(report.missing), report.train + report.test) == (1, 11)
    with pytest.raises(StoreError, match="not empty"):
        export_images(library, tmp_path / "out")
    export_images(library, tmp_path / "one.zip", as_zip=True)
    with pytest.raises(StoreError, match="already"):
        export_images(library, tmp_path / "one.zip", as_zip=True)
