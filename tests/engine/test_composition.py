"""Words and pictures asked together, over a library of drawings and the demo's encoder."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pytest

from engine.drawings import HELD_OUT_SEED, TOPICS, draw
from engine.errors import WordsError
from engine.library import Library
from engine.metrics import METRICS
from engine.search import Match, Query, Search

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.config import Settings

BY_MEANING = [name for name, metric in METRICS.items() if metric.space == "embeddings"]
COLOURS = ("red", "blue", "green", "yellow", "orange", "purple", "black", "white")


@pytest.fixture(scope="module")
def search(drawn_settings: Settings) -> Iterator[Search]:
    with Library.open(drawn_settings, write=False) as library:
        yield Search(library)


def subject(match: Match) -> list[str]:
    """What is drawn in a picture of the library, in words: `["a", "red", "car"]`."""
    return draw(match.category, int(match.path.stem), 32).subject.split()


def offered(search: Search) -> set[tuple[str, str]]:
    """Topics and colours of which the library has at least two pictures."""
    counts: dict[tuple[str, str], int] = {}
    for topic in TOPICS:
        for match in search.run(Query(text=topic, category=topic, topk=100)):
            for colour in set(subject(match)) & set(COLOURS):
                counts[topic, colour] = counts.get((topic, colour), 0) + 1
    return {each for each, count in counts.items() if count >= 2}


@pytest.mark.parametrize("metric", BY_MEANING)
def test_words_find_their_topic_and_say_that_they_did(search: Search, metric: str) -> None:
    hits, percents, weak = [], [], []
    for topic in TOPICS:
        matches = search.run(Query(text=topic, metric=metric))
        hits += [match.category == topic for match in matches]
        percents.append(matches[0].percent)
        weak.append(matches[0].is_weak)
    assert np.mean(hits) >= 0.9
    assert np.median(percents) >= 75
    assert np.mean(weak) <= 0.1


def test_held_out_drawings_described_in_words_find_their_topic(search: Search) -> None:
    """The captions of drawings that are in no gallery: a colour, a number, a place."""
    hits = []
    for topic, seed in product(TOPICS, range(HELD_OUT_SEED, HELD_OUT_SEED + 4)):
        matches = search.run(Query(text=draw(topic, seed, 32).caption))
        hits += [match.category == topic for match in matches]
    assert np.mean(hits) >= 0.9


def test_held_out_drawings_find_their_topic(search: Search) -> None:
    hits = []
    for topic, seed in product(TOPICS, range(HELD_OUT_SEED, HELD_OUT_SEED + 4)):
        matches = search.run(Query(images=(draw(topic, seed).image,)))
        hits += [match.category == topic for match in matches]
    assert np.mean(hits) >= 0.9


@pytest.mark.parametrize("text", ["elephant", "train", "saxophone", "xyzzy", "a nice holiday"])
def test_words_for_what_is_not_there_are_said_to_be_weak(search: Search, text: str) -> None:
    matches = search.run(Query(text=text))
    assert all(match.is_weak for match in matches)
    assert max(match.percent for match in matches) < 50


@pytest.mark.parametrize("metric", BY_MEANING)
def test_percentages_never_rise_along_an_answer(search: Search, metric: str) -> None:
    image = draw("car", HELD_OUT_SEED).image
    for query in (
        Query(text="red car", metric=metric, topk=100),
        Query(text="car -red", metric=metric, topk=100),
        Query(images=(image,), text="at night -red", metric=metric, topk=100),
    ):
        percents = [match.percent for match in search.run(query)]
        assert len(percents) == 100
        assert percents == sorted(percents, reverse=True)
        assert all(0 <= percent <= 100 for percent in percents)


def test_unwanted_colours_are_seldom_shown_and_the_topic_stays(search: Search) -> None:
    topics, seen, seen_before = [], [], []
    for topic, colour in sorted(offered(search)):
        before = search.run(Query(text=topic))
        matches = search.run(Query(text=f"{topic} -{colour}"))
        topics += [match.category == topic for match in matches]
        seen += [colour in subject(match) for match in matches]
        seen_before += [colour in subject(match) for match in before]
    assert np.mean(topics) >= 0.9
    assert np.mean(seen_before) >= 0.15
    assert np.mean(seen) <= 0.4 * np.mean(seen_before)


def test_unwanted_category_is_left_out_by_its_name(search: Search) -> None:
    image = draw("fish", HELD_OUT_SEED).image
    assert search.run(Query(images=(image,)))[0].category == "fish"
    matches = search.run(Query(images=(image,), text="-Fish", topk=100))
    assert len(matches) == 100
    assert "fish" not in {match.category for match in matches}


def test_words_beside_a_picture_turn_the_answer_and_keep_the_subject(search: Search) -> None:
    kept, turned, turned_before = [], [], []
    for topic, colour in sorted(offered(search)):
        drawing = draw(topic, HELD_OUT_SEED, 128)
        if colour in drawing.subject.split():
            continue
        before = search.run(Query(images=(drawing.image,), topk=2))
        matches = search.run(Query(images=(drawing.image,), text=colour, topk=2))
        kept += [match.category == topic for match in matches]
        turned += [colour in subject(match) for match in matches]
        turned_before += [colour in subject(match) for match in before]
    assert np.mean(kept) >= 0.8
    assert np.mean(turned) >= np.mean(turned_before) + 0.3


@pytest.mark.parametrize("metric", BY_MEANING)
@pytest.mark.parametrize("category", [None, "car"])
def test_pages_neither_repeat_nor_skip(search: Search, metric: str, category: str | None) -> None:
    image = draw("car", HELD_OUT_SEED).image
    for query in (
        Query(text='night -"red car" -cat', metric=metric, category=category),
        Query(images=(image,), text="blue -cat", metric=metric, category=category, mirror=True),
        Query(images=(image,), metric=metric, category=category, mirror=True, denoise=True),
    ):
        whole = search.run(replace(query, topk=60))
        pages = [search.run(replace(query, topk=7, page=page)) for page in range(9)]
        shown = [match for page in pages for match in page]
        assert [match.image_id for match in shown[:60]] == [match.image_id for match in whole]
        assert len({match.image_id for match in shown}) == len(shown)
        assert category is None or {match.category for match in shown} == {category}
        if query.text:
            assert "cat" not in {match.category for match in shown}


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("-car", "words_only_unwanted"),
        ("car - red", "words_lone_dash"),
        (" ", "words_empty"),
        ("?", "words_empty"),
    ],
)
def test_words_that_cannot_be_asked_say_why(search: Search, text: str, key: str) -> None:
    with pytest.raises(WordsError) as caught:
        search.run(Query(text=text))
    assert caught.value.key == key


@pytest.mark.parametrize(
    ("text", "nearest"),
    [("baloon", "balloon"), ("hot ballon", "balloon"), ("Catt", "cat"), ("bướm", "butterfly"),
     ("con mèo", "cat"), ("đồng hồ", "clock")],
)  # fmt: skip
def test_unknown_words_get_the_nearest_topics(search: Search, text: str, nearest: str) -> None:
    near = search.nearest_topics(text)
    assert near[0] == nearest
    assert len(near) == len(set(near)) == 3
    assert set(near) <= set(TOPICS)


def test_topics_are_near_in_spelling_without_an_encoder(drawn_settings: Settings) -> None:
    blind = drawn_settings.model_copy(update={"encoder": "none"})
    with Library.open(blind, write=False) as library:
        search = Search(library)
        assert search.nearest_topics("mushrom")[0] == "mushroom"
        assert search.nearest_topics("bướm") == []
        assert not search.reads("bướm")
