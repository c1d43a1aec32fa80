"""Private pictures: apart from everyone's in every store, and gone for good when removed."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from PIL import Image

from engine.crawl.adding import add_picture
from engine.errors import EmptyLibraryError, QuotaError, UnknownCategoryError, UnknownImageError
from engine.holdings import Holdings
from engine.library import Library
from engine.query import Query
from engine.search import Search
from engine.stores import Stores

SAM, KIM = 42, 7


def drawn(number):
    coarse = np.random.default_rng(1000 + number).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    written = io.BytesIO()
    Image.fromarray(coarse).resize((160, 120), Image.Resampling.BICUBIC).save(written, "PNG")
    return written.getvalue()


@pytest.fixture(params=["clip", "l1"])
def metric(request):
    return request.param


@pytest.fixture
def library(settings, gallery):
    with Library.open(settings, write=True) as opened:
        opened.index([gallery])
        yield opened


def asked(search, number, **other):
    return Query(images=(search.open_query(drawn(number)),), topk=20, **other)


def test_a_question_sees_what_its_scope_says(library, metric):
    kept = Holdings(library, SAM).keep(drawn(1), "beach", quota=9)
    Holdings(library, KIM).keep(drawn(1), "theirs", quota=9)
    search = Search(library)
    for scope, count, own in (("both", 13, 1), ("own", 1, 1), ("shared", 12, 0)):
        found = search.run(asked(search, 1, metric=metric, owner=SAM, scope=scope))
        assert (len(found), sum(match.owner == SAM for match in found)) == (count, own)
        assert "theirs" not in {match.category for match in found}
    assert len(search.run(asked(search, 1, metric=metric))) == 12
    found = search.run(asked(search, 1, metric=metric, owner=SAM))
    assert found[0].image_id == kept.photo.id


def test_pages_of_both_fit_together(library, metric):
    for number in range(5):
        Holdings(library, SAM).keep(drawn(number), "beach", quota=9)
        Holdings(library, KIM).keep(drawn(number), "beach", quota=9)
    search = Search(library)
    query = replace(asked(search, 2, metric=metric, owner=SAM), topk=4)
    pages = [search.run(replace(query, page=page)) for page in range(6)]
    ids = [match.image_id for page in pages for match in page]
    assert len(ids) == len(set(ids)) == 17
    assert ids == [match.image_id for match in search.run(replace(query, topk=20))]


def test_what_somebody_else_keeps_is_to_others_as_if_it_were_not(library):
    kept = Holdings(library, SAM).keep(drawn(1), "secret", quota=9)
    search = Search(library)
    with pytest.raises(UnknownImageError):
        search.run(Query(like=(kept.photo.id,), owner=KIM))
    with pytest.raises(UnknownCategoryError) as caught:
        search.run(asked(search, 1, category="secre", owner=KIM))
    assert "secret" not in str(caught.value)
    with pytest.raises(UnknownCategoryError, match="secret"):
        search.run(asked(search, 1, category="secre", owner=SAM))
    stats = library.stats()
    assert (stats.pictures, stats.categories, stats.files, stats.embedded) == (12, 3, 12, 12)
    assert isinstance(add_picture(library, drawn(1), "open"), str), "no duplicate of a private one"
    assert Holdings(library, KIM).keep(drawn(1), "mine", quota=9).is_new


def test_a_library_of_private_pictures_only_is_empty_to_others(settings):
    with Library.open(settings, write=True) as library:
        Holdings(library, SAM).keep(drawn(1), "beach", quota=9)
        search = Search(library)
        assert len(search.run(asked(search, 1, owner=SAM, metric="l1"))) == 1
        for owner in (None, KIM):
            with pytest.raises(EmptyLibraryError):
                search.run(asked(search, 1, owner=owner, metric="l1"))
        with pytest.raises(EmptyLibraryError) as caught:
            search.run(asked(search, 1, owner=KIM, scope="own", metric="l1"))
        assert caught.value.key == "empty_collection"


def test_quota_counts_each_picture_once(library):
    holdings = Holdings(library, SAM)
    first = holdings.keep(drawn(1), "Beach", quota=2)
    assert (first.is_new, first.count) == (True, 1)
    again = holdings.keep(drawn(1), "other", quota=2)
    assert (again.is_new, again.photo.category) == (False, "Beach")
    assert holdings.keep(drawn(1), "x", quota=2, since=datetime(2020, 1, 1, tzinfo=UTC)).is_new
    assert holdings.keep(drawn(2), "beach", quota=2).photo.category == "Beach"
    with pytest.raises(QuotaError, match="2 pictures"):
        holdings.keep(drawn(3), "beach", quota=2)
    assert not holdings.keep(drawn(2), "beach", quota=2).is_new
    assert Holdings(library, KIM).keep(drawn(3), "beach", quota=2).is_new


def test_nobody_drops_what_is_not_his(library):
    kept = Holdings(library, SAM).keep(drawn(1), "beach", quota=9)
    assert not Holdings(library, KIM).drop(kept.photo.id)
    shared = library.catalog.shared_ids()[0]
    assert not Holdings(library, SAM).drop(shared)
    assert Holdings(library, SAM).drop(kept.photo.id)
    assert library.catalog.shared_ids()[0] == shared


def test_removed_pictures_leave_no_bytes_in_any_encoders_matrix(settings, gallery):
    with Library.open(settings, write=True) as library:
        library.index([gallery])
        kept = Holdings(library, SAM).keep(drawn(1), "beach", quota=9)
        vector = library.vectors.get([kept.photo.id])[0].tobytes()
        thumb = library.thumbnails.get([kept.photo.id])[0].tobytes()
    rows = {path: path.read_bytes() for path in settings.vectors_dir.glob("*.private.rows.*")}
    assert any(vector in data for data in rows.values())
    assert any(thumb in data for data in rows.values())
    without = settings.model_copy(update={"encoder": "none"})
    with Library.open(without, write=True) as library:
        assert Holdings(library, SAM).clear() == 1
    for path in settings.vectors_dir.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert vector not in data
            assert thumb not in data
    assert not list(settings.library_dir.glob("@*"))


@pytest.mark.parametrize("step", ["unlink", "discard"])
def test_a_removal_cut_off_is_ended_by_the_next_start(settings, gallery, monkeypatch, step):
    class CutError(BaseException):
        pass

    def cut(*_, **__):
        raise CutError

    with Library.open(settings, write=True) as library:
        library.index([gallery])
        for number in range(3):
            Holdings(library, SAM).keep(drawn(number), "beach", quota=9)
        with monkeypatch.context() as patch:
            patch.setattr(
                *(("pathlib.Path.unlink", cut) if step == "unlink" else (Stores, "discard", cut))
            )
            with pytest.raises(CutError):
                Holdings(library, SAM).clear()
        search = Search(library)
        assert not [m for m in search.run(asked(search, 1, owner=SAM)) if m.owner]
    with Library.open(settings, write=True) as library:
        assert library.catalog.all_ids_of(SAM) == []
        assert library.check().is_clean
    assert not list(settings.library_dir.glob("@*"))


def test_another_encoder_embeds_private_pictures_under_their_own_ids(settings, gallery):
    without = settings.model_copy(update={"encoder": "none"})
    with Library.open(without, write=True) as library:
        library.index([gallery])
        kept = Holdings(library, SAM).keep(drawn(1), "beach", quota=9)
        shared = Holdings(library, KIM).keep(drawn(1), "beach", quota=9)
    with Library.open(settings, write=True) as library:
        library.index([gallery])
        assert library.catalog.ids_of(SAM) == [kept.photo.id]
        assert library.vectors.private_ids() == sorted([kept.photo.id, shared.photo.id])
        assert library.check().is_clean
        search = Search(library)
        assert search.run(asked(search, 1, owner=SAM))[0].image_id == kept.photo.id


@pytest.mark.parametrize("step", ["_write_files", "catalog", "thumbnails", "vectors"])
def test_a_picture_whose_keeping_was_cut_off_is_whole_after_the_next_attempt(
    settings, gallery, monkeypatch, step
):
    class CutError(BaseException):
        pass

    def cut(*_, **__):
        raise CutError

    with Library.open(settings, write=True) as library:
        library.index([gallery])
        with monkeypatch.context() as patch:
            if step == "_write_files":
                patch.setattr(library.stores, step, cut)
            elif step == "catalog":
                patch.setattr(library.catalog, "mark_ready", cut)
            else:
                patch.setattr(getattr(library, step), "add", cut)
            with pytest.raises(CutError):
                Holdings(library, SAM).keep(drawn(1), "beach", quota=9)
    with Library.open(settings, write=True) as library:
        started = datetime(2020, 1, 1, tzinfo=UTC)
        kept = Holdings(library, SAM).keep(drawn(1), "beach", quota=9, since=started)
        assert (kept.is_new, kept.count) == (True, 1)
        search = Search(library)
        found = search.run(asked(search, 1, owner=SAM, metric="l1"))
        assert found[0].image_id == kept.photo.id
        assert library.check().is_clean
