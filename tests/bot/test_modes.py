"""Other ways to run: by webhook, beside another owner of the library, without a usable encoder."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import aiohttp
from pydantic import SecretStr

from bot import line
from bot.app import LookalikeBot
from engine.config import load_settings
from engine.library import Library
from tests.bot.conftest import RunBot, answer_to, draw

if TYPE_CHECKING:
    import pytest

    from bot.playground import Playground
    from engine.config import Settings


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_webhook_brings_questions_as_polling_does(
    run_bot: RunBot, playground: Playground
) -> None:
    user = playground.user(1, "Sam", "en")
    port = free_port()
    async with run_bot(
        webhook_url=f"http://127.0.0.1:{port}/hook",
        webhook_port=port,
        webhook_secret=SecretStr("a-secret"),
    ):
        sent = await asyncio.to_thread(user.send_photo, draw("tiger", 1))
        answer = await answer_to(playground, sent)
    assert len(answer.captions) == 3
    assert not playground.calls("getUpdates")


async def test_webhook_without_a_secret_of_ones_own_still_takes_nobody_else_for_telegram(
    run_bot: RunBot, playground: Playground
) -> None:
    user = playground.user(1, "Sam", "en")
    port = free_port()
    url = f"http://127.0.0.1:{port}/bots/(one)+two"
    chat = {"id": 1, "type": "private"}
    forged = {"update_id": 1, "message": {"message_id": 1, "date": 1, "chat": chat}}
    async with run_bot(webhook_url=url, webhook_port=port):
        sent = await asyncio.to_thread(user.send_photo, draw("tiger", 1))
        assert len((await answer_to(playground, sent)).captions) == 3
        async with aiohttp.ClientSession() as stranger:
            for headers in ({}, {"X-Telegram-Bot-Api-Secret-Token": "guess"}):
                async with stranger.post(url, json=forged, headers=headers) as response:
                    assert response.status == 403


async def test_webhook_that_telegram_refuses_ends_the_bot_with_one_clear_line(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = settings.model_copy(
        update={
            "webhook_url": "http://127.0.0.1:9/hook",
            "webhook_secret": SecretStr("not allowed!"),
        }
    )
    async with asyncio.timeout(20):
        assert await LookalikeBot(wrong).run() == 1
    assert "WEBHOOK_SECRET" in caplog.text
    assert "not allowed!" not in caplog.text


async def test_word_about_a_flood_is_for_those_who_speak_to_the_bot(
    run_bot: RunBot, playground: Playground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "GREETING_WAITING", 0)
    user = playground.user(1, "Sam", "en")
    group = playground.group(-1001, "Friends", [user])
    playground.account.reads_groups = True
    async with run_bot():
        for _ in range(3):
            await asyncio.to_thread(user.send_photo, draw("sky", 0), chat_id=group.id)
        await asyncio.to_thread(user.send_photo, draw("sky", 0), "@lookalike_bot", chat_id=group.id)
        await playground.until(group.id, lambda m: "one after another" in m.get("text", ""))
        await playground.until(group.id, lambda m: "reply_markup" in m)
    words = [m["text"] for m in playground.answers(group.id) if "text" in m]
    assert sum("one after another" in text for text in words) == 1


async def test_bot_reads_the_library_while_somebody_else_owns_it(
    run_bot: RunBot, playground: Playground, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    user = playground.user(1, "Sam", "en")
    owner = await asyncio.to_thread(Library.open, settings, write=True)
    try:
        async with run_bot():
            sent = await asyncio.to_thread(user.send_photo, draw("tiger", 1))
            answer = await answer_to(playground, sent)
    finally:
        await asyncio.to_thread(owner.close)
    assert "tiger" in answer.captions[0]
    assert "as a reader" in caplog.text


async def test_without_a_usable_encoder_pixels_have_to_do_and_the_answer_says_so(
    run_bot: RunBot, playground: Playground
) -> None:
    user = playground.user(1, "Sam", "en")
    async with run_bot(encoder="open_clip:local-dir:/nowhere/at/all", metric="clip"):
        sent = await asyncio.to_thread(user.send_photo, draw("tiger", 1))
        answer = await answer_to(playground, sent, timeout_s=30)
    assert "tiger" in answer.captions[0]
    assert "l1" in answer.words["text"]
    assert "No image model" in answer.words["text"]


async def test_empty_library_is_told(
    run_bot: RunBot, playground: Playground, tmp_path_factory: pytest.TempPathFactory
) -> None:
    user = playground.user(1, "Linh", "vi")
    async with run_bot(data_dir=tmp_path_factory.mktemp("new") / "data"):
        sent = await asyncio.to_thread(user.send_photo, draw("tiger", 1))
        answer = await playground.until(1, after=sent["message_id"])
    assert "còn trống" in answer["text"]


async def test_wrong_encoder_ends_the_bot_with_one_clear_line(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = load_settings(**settings.model_dump() | {"encoder": "nonsense"}, _env_file=None)
    async with asyncio.timeout(20):
        assert await LookalikeBot(wrong).run() == 1
    assert "ENCODER" in caplog.text
