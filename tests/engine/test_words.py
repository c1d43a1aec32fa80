"""Questions in words, taken apart."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import engine.words
from engine.errors import WordsError
from engine.words import MOST_PHRASES, Words, parse_words, prompts

NAMES = st.text("abcđéửxyz", min_size=1, max_size=6)


@pytest.mark.parametrize(
    ("text", "wanted", "unwanted"),
    [
        ("red car", ["red car"], []),
        ("  red \n car ", ["red car"], []),
        ("beach -people", ["beach"], ["people"]),
        ("-people beach -dogs at night", ["beach at night"], ["people", "dogs"]),
        ('beach -"palm trees"', ["beach"], ["palm trees"]),
        ('"red car" "at night"', ["red car", "at night"], []),
        ('old "red car" house', ["old house", "red car"], []),
        ("bãi biển -“xe máy” —người", ["bãi biển"], ["xe máy", "người"]),
        ("black-and-white t-shirt", ["black-and-white t-shirt"], []),
        ('"rock -n- roll"', ["rock -n- roll"], []),
        ('"a red car', ["a red car"], []),
        ("cat -dog -dog", ["cat"], ["dog"]),
        ("-people", [], ["people"]),
        ("bướm", ["bướm"], []),
    ],
)
def test_words_are_taken_apart(text: str, wanted: list[str], unwanted: list[str]) -> None:
    assert parse_words(text) == Words(tuple(wanted), tuple(unwanted))


@pytest.mark.parametrize("text", ["beach - people", "-", "– beach", "beach --", "cat -\tdog"])
def test_a_lone_dash_says_where_it_belongs(text: str) -> None:
    with pytest.raises(WordsError, match="right before the word") as caught:
        parse_words(text)
    assert caught.value.key == "words_lone_dash"


@pytest.mark.parametrize("text", ["", "  \n", '""', "🎉", "?!", '-""'])
def test_a_text_without_words_is_refused(text: str) -> None:
    with pytest.raises(WordsError) as caught:
        parse_words(text)
    assert caught.value.key == "words_empty"


def test_more_phrases_than_anybody_needs_are_refused() -> None:
    most = " ".join(f"-w{number}" for number in range(MOST_PHRASES))
    assert len(parse_words(most).unwanted) == MOST_PHRASES
    with pytest.raises(WordsError) as caught:
        parse_words(f"{most} more")
    assert caught.value.key == "words_too_many"


@given(
    st.lists(NAMES, min_size=1, max_size=5),
    st.lists(st.lists(NAMES, min_size=1, max_size=3), max_size=4),
    st.randoms(),
)
def test_order_and_quotes_do_not_change_what_is_wanted(
    loose: list[str], phrases: list[list[str]], chance: object
) -> None:
    parts = [f'-"{" ".join(phrase)}"' for phrase in phrases]
    for word in reversed(loose):
        parts.insert(chance.randint(0, len(parts)), word)  # type: ignore[attr-defined]
    found = parse_words(" ".join(parts))
    assert sorted(" ".join(found.wanted).split()) == sorted(loose)
    assert found.unwanted == tuple(dict.fromkeys(" ".join(phrase) for phrase in phrases))


@given(st.text(max_size=60))
def test_any_text_is_understood_or_refused(text: str) -> None:
    try:
        words = parse_words(text)
    except WordsError:
        assume(False)
    assert words.wanted or words.unwanted
    for phrase in (*words.wanted, *words.unwanted):
        assert phrase == " ".join(phrase.split())
        assert any(letter.isalnum() for letter in phrase)


def test_phrases_are_framed_in_their_language_unless_they_are_already() -> None:
    assert prompts("red car") == ["red car", "a photo of red car"]
    assert prompts("con mèo") == ["con mèo", "ảnh chụp con mèo"]
    assert prompts("a drawing of a cat") == ["a drawing of a cat"]
    assert prompts("Ảnh một con mèo") == ["Ảnh một con mèo"]


def test_examples_in_the_documentation_are_true() -> None:
    assert doctest.testmod(engine.words).failed == 0
