from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from engine.config import Settings, load_settings
from engine.errors import (
    EmptyLibraryError,
    EncoderUnavailableError,
    ImageError,
    NoTextSideError,
    StoreError,
    UnknownCategoryError,
    UnknownImageError,
    UnknownMetricError,
)
from engine.library import Library
from engine.metrics import METRICS
from engine.search import MAX_TOPK, Query, Search

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

PIXELS = [name for name, metric in METRICS.items() if metric.space == "pixels"]


@pytest.fixture
def library(settings: Settings, gallery: Path) -> Iterator[Library]:
    with Library.open(settings, write=True) as library:
        library.index([gallery])
        yield library


@pytest.fixture
def search(library: Library) -> Search:
    return Search(library)


@pytest.mark.parametrize("metric", METRICS)
def test_same_photo_comes_first_under_every_metric(
    search: Search, gallery: Path, metric: str
) -> None:
    for path in gallery.rglob("*.jpg"):
        first = search.run(Query(images=(search.open_query(path),), metric=metric, topk=3))[0]
        assert first.path == path
        assert first.rank == 1
        assert first.percent == pytest.approx(100, abs=0.01)


@pytest.mark.parametrize("metric", METRICS)
def test_constant_picture_still_finds_itself(
    library: Library, search: Search, gallery: Path, metric: str
) -> None:
    for number, grey in enumerate((200, 40, 0)):
        Image.new("RGB", (90, 90), (grey, grey, grey)).save(gallery / "lion" / f"flat{number}.png")
    library.index([gallery])
    for number in range(3):
        path = gallery / "lion" / f"flat{number}.png"
        matches = search.run(Query(images=(search.open_query(path),), metric=metric, topk=10))
        assert matches[0].path == path
        assert len({match.image_id for match in matches}) == 10
        assert all(np.isfinite(match.score) for match in matches)


@pytest.mark.parametrize("metric", METRICS)
def test_pages_neither_repeat_nor_skip(search: Search, gallery: Path, metric: str) -> None:
    query = Query(images=(search.open_query(gallery / "lion" / "1.jpg"),), metric=metric)
    whole = search.run(replace(query, topk=12))
    pages = [search.run(replace(query, topk=5, page=page)) for page in range(4)]
    assert [len(page) for page in pages] == [5, 5, 2, 0]
    assert [match for page in pages for match in page] == whole
    assert [match.rank for match in whole] == list(range(1, 13))
    assert len({match.image_id for match in whole}) == 12


def test_scores_stand_in_their_metrics_order(search: Search, gallery: Path) -> None:
    for name, metric in METRICS.items():
        query = Query(images=(search.open_query(gallery / "lion" / "2.jpg"),), metric=name, topk=12)
        scores = [match.score for match in search.run(query)]
        assert scores == sorted(scores, reverse=metric.larger_is_better)


def test_category_keeps_to_itself_in_any_spelling(search: Search, gallery: Path) -> None:
    image = search.open_query(gallery / "lion" / "1.jpg")
    for spelled in ("red car", "Red_Car", "red-car"):
        for metric in ("clip", "l1"):
            query = Query(images=(image,), category=spelled, topk=10, metric=metric)
            assert [match.category for match in search.run(query)] == ["red car"] * 4


def test_unknown_category_names_the_nearest(search: Search, gallery: Path) -> None:
    image = search.open_query(gallery / "lion" / "1.jpg")
    with pytest.raises(UnknownCategoryError, match="Did you mean tiger"):
        search.run(Query(images=(image,), category="tigr"))
    with pytest.raises(UnknownCategoryError, match="no category 'xyz'"):
        search.run(Query(images=(image,), category="xyz"))


@pytest.mark.parametrize("metric", METRICS)
def test_more_like_a_picture_leaves_it_out(search: Search, library: Library, metric: str) -> None:
    for name in library.catalog.all_ids()[:3]:
        matches = search.run(Query(like=(name,), metric=metric, topk=20))
        assert len(matches) == 11
        assert name not in {match.image_id for match in matches}


def test_more_like_a_picture_that_is_gone_says_so(search: Search) -> None:
    with pytest.raises(UnknownImageError):
        search.run(Query(like=("0123456789abcdef",)))


@pytest.mark.parametrize("metric", METRICS)
def test_more_like_a_picture_that_lacks_its_rows_is_asked_by_its_file(
    search: Search, library: Library, metric: str
) -> None:
    name, *_ = library.catalog.all_ids()
    query = Query(like=(name,), metric=metric, topk=20)
    before = [match.image_id for match in search.run(query)]
    assert library.vectors is not None
    library.thumbnails.delete([name])
    library.vectors.delete([name])
    assert [match.image_id for match in search.run(query)] == before
    [photo] = library.catalog.facts([name]).values()
    assert photo.path is not None
    photo.path.unlink()
    with pytest.raises(UnknownImageError, match="no longer"):
        search.run(query)


def test_more_like_a_picture_of_somebody_else_is_refused(search: Search, library: Library) -> None:
    name, *_ = library.catalog.all_ids()
    with library.catalog.session() as session:
        from engine.schema import Image as Row

        session.get_one(Row, name).owner = 42
    for metric in ("clip", "l1"):
        with pytest.raises(UnknownImageError):
            search.run(Query(like=(name,), metric=metric))
        assert len(search.run(Query(like=(name,), metric=metric, owner=42))) == 5


@pytest.mark.parametrize("metric", ["clip", "l2", "cosine"])
def test_several_pictures_are_one_question(search: Search, gallery: Path, metric: str) -> None:
    paths = [gallery / "lion" / "0.jpg", gallery / "tiger" / "3.jpg"]
    images = tuple(search.open_query(path) for path in paths)
    matches = search.run(Query(images=images, metric=metric, topk=2))
    assert {match.path for match in matches} == set(paths)


def test_empty_library_says_how_to_fill_it(settings: Settings, gallery: Path) -> None:
    with Library.open(settings, write=True) as library:
        search = Search(library)
        image = search.open_query(gallery / "lion" / "0.jpg")
        for metric in ("clip", "l1"):
            with pytest.raises(EmptyLibraryError, match="lookalike index"):
                search.run(Query(images=(image,), metric=metric))


def test_without_encoder_pixels_answer_and_clip_says_why(
    pixel_settings: Settings, gallery: Path
) -> None:
    with Library.open(pixel_settings, write=True) as library:
        library.index([gallery])
        search = Search(library)
        image = search.open_query(gallery / "lion" / "0.jpg")
        for metric in PIXELS:
            assert len(search.run(Query(images=(image,), metric=metric))) == 5
        with pytest.raises(EncoderUnavailableError, match="ENCODER=none"):
            search.run(Query(images=(image,)))


def test_other_encoder_than_the_indexed_one_says_what_to_do(
    pixel_settings: Settings, settings: Settings, gallery: Path
) -> None:
    with Library.open(pixel_settings, write=True) as library:
        library.index([gallery])
    with Library.open(settings, write=True) as library:
        search = Search(library)
        image = search.open_query(gallery / "lion" / "0.jpg")
        with pytest.raises(EncoderUnavailableError, match="lookalike index"):
            search.run(Query(images=(image,)))


def test_words_need_a_clip_metric_and_a_text_side(search: Search) -> None:
    with pytest.raises(UnknownMetricError, match="clip"):
        search.run(Query(text="red car", metric="l1"))
    with pytest.raises(NoTextSideError, match="pictures only"):
        search.run(Query(text="red car"))


def test_match_whose_file_is_gone_is_left_out(search: Search, gallery: Path) -> None:
    query = Query(images=(search.open_query(gallery / "lion" / "1.jpg"),), topk=3)
    best = search.run(query)
    best[1].path.unlink()
    again = search.run(query)
    assert [match.image_id for match in again[:2]] == [best[0].image_id, best[2].image_id]
    assert [match.rank for match in again] == [1, 2, 3]
    shutil.rmtree(gallery)
    with pytest.raises(StoreError, match="cannot be found"):
        search.run(query)


def test_pictures_of_others_never_appear(search: Search, library: Library, gallery: Path) -> None:
    name = search.run(Query(images=(search.open_query(gallery / "lion" / "1.jpg"),)))[0].image_id
    with library.catalog.session() as session:
        from engine.schema import Image as Row

        session.get_one(Row, name).owner = 42
    for metric in METRICS:
        query = Query(images=(search.open_query(gallery / "lion" / "1.jpg"),), metric=metric)
        assert name not in {match.image_id for match in search.run(replace(query, topk=12))}
        assert name == search.run(replace(query, owner=42))[0].image_id
        assert name not in {m.image_id for m in search.run(replace(query, owner=7, topk=12))}
    with pytest.raises(UnknownCategoryError):
        search.run(replace(query, category="none such"))


def test_pages_fit_together_for_owners_of_private_pictures_whatever_the_index_misses(
    search: Search, library: Library, gallery: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert library.vectors is not None
    query = Query(images=(search.open_query(gallery / "lion" / "1.jpg"),), topk=12, owner=42)
    _, missed, private, *_ = [match.image_id for match in search.run(query)]
    with library.catalog.session() as session:
        from engine.schema import Image as Row

        session.get_one(Row, private).owner = 42
    library.vectors.add([private], library.vectors.get([private]), shared=[False])
    real = library.vectors.query

    def lossy(vector: NDArray[np.float32], k: int) -> list[tuple[str, float]]:
        return [each for each in real(vector, k + 1) if each[0] != missed][:k]

    monkeypatch.setattr(library.vectors, "query", lossy)
    for module in ("ranking", "search"):
        monkeypatch.setattr(f"engine.{module}.HEAD", 4)
    pages = [search.run(replace(query, topk=2, page=page)) for page in range(7)]
    shown = [match.image_id for page in pages for match in page]
    assert sorted(shown) == library.catalog.all_ids()
    assert shown[1] == private


def test_readers_answer_beside_a_writer_and_see_its_progress(
    settings: Settings, gallery: Path, tmp_path: Path, paint: Callable[[Path, int], Path]
) -> None:
    with Library.open(settings, write=True) as writer:
        writer.index([gallery])
        with Library.open(settings, write=False) as reader:
            search = Search(reader)
            for metric in METRICS:
                query = Query(
                    images=(search.open_query(gallery / "lion" / "0.jpg"),), metric=metric
                )
                assert search.run(query) == Search(writer).run(query)
            path = paint(gallery / "lion" / "new.jpg", 1234)
            writer.index([gallery])
            for metric in METRICS:
                query = Query(images=(search.open_query(path),), metric=metric, topk=1)
                assert [match.path for match in search.run(query)] == [path]


def test_broken_question_is_an_image_error(search: Search, tmp_path: Path) -> None:
    with pytest.raises(ImageError):
        search.open_query(b"no picture")


def test_file_that_cannot_be_asked_with_is_named_and_not_read(
    search: Search, tmp_path: Path
) -> None:
    with pytest.raises(UnknownImageError, match=r"absent\.jpg"):
        search.open_query(tmp_path / "absent.jpg")
    with pytest.raises(UnknownImageError):
        search.open_query(tmp_path)
    huge = tmp_path / "huge.jpg"
    with huge.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(ImageError, match="larger"):
        search.open_query(huge)


@pytest.mark.parametrize(
    "query",
    [
        Query(),
        Query(like=("a",), topk=0),
        Query(like=("a",), topk=MAX_TOPK + 1),
        Query(like=("a",), page=-1),
    ],
)
def test_query_that_makes_no_sense_is_a_programmers_mistake(search: Search, query: Query) -> None:
    with pytest.raises(ValueError, match=r"query needs|topk must"):
        search.run(query)


def test_real_photos_are_found_by_meaning_and_by_pixels(shared_data: Path, tmp_path: Path) -> None:
    encoder = f"timm:local-dir:{shared_data / 'encoders' / 'mobilenetv2-imagenet'}"
    settings = load_settings(data_dir=tmp_path / "data", encoder=encoder, device="cpu")
    tests = sorted((shared_data / "photos" / "test").rglob("*.jpg"))
    figures = {}
    with Library.open(settings, write=True) as library:
        library.index([shared_data / "photos" / "train"])
        search = Search(library)
        for metric in ("clip", "l1", "l2", "cosine", "correlation"):
            hits = []
            for path in tests:
                matches = search.run(Query(images=(search.open_query(path),), metric=metric))
                hits.append([match.category == path.parent.name for match in matches])
            figures[metric] = (np.mean([hit[0] for hit in hits]), np.mean([any(h) for h in hits]))
    assert figures["clip"][0] >= 0.85
    assert figures["clip"][1] >= 0.97
    expected = {"l1": 0.117, "l2": 0.100, "cosine": 0.083, "correlation": 0.050}
    for metric, top_1 in expected.items():
        assert figures[metric][0] == pytest.approx(top_1, abs=0.03), metric
