"""Every command answers somebody whose Telegram is Vietnamese in Vietnamese."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from bot.i18n import Translator
from tests.bot.conftest import RunBot, answer_to, draw

if TYPE_CHECKING:
    from bot.playground import Playground, User

SAY = Translator("vi")
WORDS = {
    "/text": SAY("text.usage"),
    "/mix": SAY("mix.usage"),
    "/compare": SAY("compare.usage"),
    "/tag": SAY("tag.usage"),
    "/locate": SAY("locate.usage"),
    "/save": SAY("save.usage"),
    "/mine": SAY("mine.empty"),
    "/mine maybe": SAY("mine.usage"),
    "/mine allow on": SAY("mine.allow_private"),
    "/mine only": SAY("mine.chosen_own"),
    "/mine on": SAY("mine.chosen_both"),
    "/export": SAY("mine.empty"),
    "/forget": SAY("forget.nothing"),
    "/crawl tiger": SAY("admins_only"),
    "/stats": SAY("admins_only"),
    "/nonsense": SAY("unknown_command"),
    "/topk 11": "1 đến 10",
    "/categories elephants": "danh mục",
    "/random elephants": "danh mục",
}


@pytest.fixture
def linh(playground: Playground) -> User:
    return playground.user(1, "Linh", "vi")


async def said(playground: Playground, user: User, text: str) -> dict[str, Any]:
    sent = await asyncio.to_thread(user.send_text, text)
    return await playground.until(1, after=sent["message_id"], timeout=30)


async def test_words_of_every_command(run_bot: RunBot, playground: Playground, linh: User) -> None:
    async with run_bot():
        for command, words in WORDS.items():
            answer = await said(playground, linh, command)
            assert words in answer["text"], command


async def test_pictures_of_every_command(
    run_bot: RunBot, playground: Playground, linh: User
) -> None:
    async with run_bot(metric="l1"):
        sent = await asyncio.to_thread(linh.send_photo, draw("tiger", 0))
        answer = await answer_to(playground, sent)
        assert all("giống" in caption for caption in answer.captions)
        keys = [key["text"] for row in answer.words["reply_markup"]["inline_keyboard"]
                for key in row]  # fmt: skip
        assert keys[-3:] == [SAY("button.only", category="tiger"), SAY("button.next"),
                             SAY("button.metric")]  # fmt: skip
        for caption, words in (
            ("/compare", SAY("compare.done")),
            ("/tag", SAY("tag.neighbours")),
            ("/save biển", SAY.count("save.done", 1, category="biển")),
        ):
            sent = await asyncio.to_thread(linh.send_photo, draw("sky", 1), caption)
            shown = await playground.until(1, after=sent["message_id"], timeout=30)
            assert words in shown.get("caption", "") + shown.get("text", ""), caption
        forget = await said(playground, linh, "/forget")
        assert SAY.count("forget.sure", 1) in forget["text"]
        listed = await said(playground, linh, "/categories")
        assert "reply_markup" in listed
        chance = await said(playground, linh, "/random")
        labels = [key["text"] for row in chance["reply_markup"]["inline_keyboard"] for key in row]
        assert labels == [SAY("button.like_it"), SAY("button.another")]
