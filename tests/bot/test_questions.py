"""What captions ask for, and what buttons remember."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.questions import FlagError, Flags, Question, Questions, parse_flags, parse_topk
from engine.catalog import Catalog
from engine.errors import UnknownMetricError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("caption", "flags"),
    [
        ("/metric l1 /topk 3 #tiger", Flags("l1", 3, "tiger")),
        ("#tiger /topk 3 /metric l1", Flags("l1", 3, "tiger")),
        ("look at this, please", Flags(text="look at this, please")),
        ("/topk@lookalike_bot 10", Flags(topk=10)),
        ("who is it? /metric=euclidean", Flags(metric="l2", text="who is it?")),
        ("/metric L1\n#hổ", Flags("l1", None, "hổ")),
        ("and/or 1/2 a#b", Flags(text="and/or 1/2 a#b")),
        ("/mirror", Flags(mirror=True)),
        (
            "is it /denoise /mirror this one? #tiger",
            Flags(None, None, "tiger", True, True, "is it this one?"),
        ),
        ("/mirror@lookalike_bot /topk 3 /mirror", Flags(topk=3, mirror=True)),
        ("either/mirror or/denoise", Flags(text="either/mirror or/denoise")),
        ("", Flags()),
    ],
)
def test_flags_are_read_in_any_order_among_other_words(caption: str, flags: Flags) -> None:
    assert parse_flags(caption) == flags


@pytest.mark.parametrize("caption", ["/topk 0", "/topk 11", "/topk abc", "/topk", "/save beach"])
def test_wrong_flags_are_named(caption: str) -> None:
    with pytest.raises(FlagError):
        parse_flags(caption)


def test_unknown_metric_is_named() -> None:
    with pytest.raises(UnknownMetricError, match="l9"):
        parse_flags("/metric l9")


@pytest.mark.parametrize("value", ["0", "11", "abc", "-1", "3.5", "³", "٣", ""])
def test_topk_is_a_whole_number_from_one_to_ten(value: str) -> None:
    with pytest.raises(FlagError):
        parse_topk(value)


QUESTION = Question(chat_id=1, reply_to=2, metric="l1", topk=3, file_ids=("f",))


def test_key_depends_on_what_is_asked_and_not_on_the_answer() -> None:
    assert QUESTION.key == replace(QUESTION, shown=("a", "b")).key
    assert QUESTION.key != replace(QUESTION, page=1).key
    assert QUESTION.key != replace(QUESTION, mirror=True).key
    assert replace(QUESTION, denoise=True).key != replace(QUESTION, mirror=True).key


def test_questions_are_found_again_after_a_restart_by_their_own_chat(tmp_path: Path) -> None:
    answered = replace(QUESTION, shown=("a", "b"), category="hổ", mirror=True)
    address = f"sqlite:///{tmp_path / 'bot.db'}"
    with Catalog.open(address) as catalog:
        Questions(catalog, 5).keep(answered)
        Questions(catalog, 5).keep(answered)
    with Catalog.open(address) as catalog:
        questions = Questions(catalog, 5)
        questions.prune()
        assert questions.find(answered.key, chat_id=1) == answered
        assert questions.find(answered.key, chat_id=99) is None
        assert Questions(catalog, 6).find(answered.key, chat_id=1) is None
