"""One question by several metrics, over real libraries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.errors import EncoderUnavailableError, NoTextSideError, UnknownMetricError
from engine.library import Library
from engine.lineup import line_up
from engine.metrics import METRICS
from engine.search import Query, Search

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engine.config import Settings


@pytest.fixture
def search(settings: Settings, gallery: Path) -> Iterator[Search]:
    with Library.open(settings, write=True) as library:
        library.index([gallery])
        yield Search(library)


@pytest.fixture
def pixel_search(pixel_settings: Settings, gallery: Path) -> Iterator[Search]:
    own = pixel_settings.model_copy(update={"data_dir": pixel_settings.data_dir / "pixels"})
    with Library.open(own, write=True) as library:
        library.index([gallery])
        yield Search(library)


@pytest.fixture
def query(gallery: Path, search: Search) -> Query:
    return Query(images=(search.open_query(gallery / "tiger" / "1.jpg"),), topk=3)


def test_every_metric_answers_as_it_does_alone(search: Search, query: Query) -> None:
    answers = line_up(search, query)
    assert [answer.metric for answer in answers] == list(METRICS)
    for answer in answers:
        alone = Query(images=query.images, topk=3, metric=answer.metric)
        assert answer.matches == search.run(alone)
        assert answer.matches[0].path.name == "1.jpg"


def test_chosen_metrics_come_in_their_order_once_each(search: Search, query: Query) -> None:
    answers = line_up(search, query, ["euclidean", "clip", "l2"])
    assert [answer.metric for answer in answers] == ["l2", "clip"]
    with pytest.raises(UnknownMetricError):
        line_up(search, query, ["clip", "best"])


def test_without_an_encoder_pixels_answer_unless_it_was_asked_for_by_name(
    pixel_search: Search, query: Query
) -> None:
    answers = line_up(pixel_search, query)
    assert [answer.metric for answer in answers] == ["l1", "l2", "cosine", "correlation"]
    assert all(len(answer.matches) == 3 for answer in answers)
    with pytest.raises(EncoderUnavailableError):
        line_up(pixel_search, query, ["l1", "clip"])


def test_words_are_for_embeddings_only(search: Search, pixel_search: Search) -> None:
    with pytest.raises(NoTextSideError):
        line_up(search, Query(text="a tiger"))
    with pytest.raises(EncoderUnavailableError):
        line_up(pixel_search, Query(text="a tiger"))
