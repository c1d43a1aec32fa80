"""A failing handler ends in an answer all the same, and tells nobody how the machine looks."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from sqlalchemy.exc import OperationalError
from telegram.error import BadRequest

from bot import album
from bot.line import Line
from bot.preferences import Choices, Preferences
from engine.errors import StoreError
from engine.search import Search
from tests.bot.conftest import RunBot, answer_to, draw

if TYPE_CHECKING:
    from bot.playground import Playground


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        ("not enough rights to send photos to the chat", "not allowed to send pictures"),
        ("something new", "something went wrong"),
    ],
)
async def test_answer_that_telegram_refuses_is_no_silence(
    run_bot: RunBot,
    playground: Playground,
    monkeypatch: pytest.MonkeyPatch,
    refusal: str,
    words: str,
) -> None:
    async def refuse(*_: object) -> None:
        raise BadRequest(refusal)

    monkeypatch.setattr(album.AlbumReply, "_send_media", refuse)
    user = playground.user(1, "Sam", "en")
    async with run_bot():
        sent = await asyncio.to_thread(user.send_photo, draw("sky", 0))
        answer = await playground.until(1, after=sent["message_id"])
    assert words in answer["text"]


async def test_question_waits_until_the_database_is_back(
    run_bot: RunBot, playground: Playground, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = Preferences.of, []

    def locked_at_first(self: Preferences, chat_id: int) -> Choices:
        calls.append(chat_id)
        if len(calls) == 1:
            raise OperationalError("select", {}, Exception("database is locked"))
        return real(self, chat_id)

    monkeypatch.setattr(Preferences, "of", locked_at_first)
    monkeypatch.setattr(Line, "_wait_s", lambda *_: 0.1)
    user = playground.user(1, "Sam", "en")
    async with run_bot():
        sent = await asyncio.to_thread(user.send_photo, draw("sky", 0))
        assert len((await answer_to(playground, sent)).captions) == 3
    assert len(playground.answers(1)) == 4


async def test_library_out_of_order_is_told_without_its_paths(
    run_bot: RunBot,
    playground: Playground,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*_: object) -> None:
        raise StoreError("/srv/x is torn", key="store_broken", path="/srv/x", reason="torn")

    monkeypatch.setattr(Search, "run", fail)
    user = playground.user(1, "Sam", "en")
    async with run_bot():
        sent = await asyncio.to_thread(user.send_photo, draw("sky", 0))
        answer = await playground.until(1, after=sent["message_id"])
    assert "out of order" in answer["text"]
    assert "/srv" not in answer["text"]
    assert "/srv/x is torn" in caplog.text
