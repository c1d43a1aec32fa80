"""Settings of a group: changed by its admins only, used by everybody."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from tests.bot.conftest import RunBot, draw

if TYPE_CHECKING:
    from bot.playground import Playground

GROUP = -1_001_000_000_001


async def told(playground: Playground, after: int) -> dict[str, Any]:
    return await playground.until(GROUP, lambda m: "text" in m, 20, after=after)


async def test_only_admins_of_a_group_change_what_holds_in_it(
    run_bot: RunBot, playground: Playground
) -> None:
    sam = playground.user(1, "Sam", "en")
    ada = playground.user(2, "Ada", "en", is_admin=True)
    playground.group(GROUP, "Zoo", [sam, ada])
    async with run_bot():
        sent = await asyncio.to_thread(sam.send_text, "/topk 1", chat_id=GROUP)
        refused = await told(playground, sent["message_id"])
        sent = await asyncio.to_thread(sam.send_text, "/topk", chat_id=GROUP)
        chooser = await told(playground, sent["message_id"])
        pressed = await asyncio.to_thread(sam.press, chooser, "set:topk:1")
        alert = await asyncio.to_thread(playground.answer_to, pressed)
        sent = await asyncio.to_thread(ada.send_text, "/topk 2", chat_id=GROUP)
        changed = await told(playground, sent["message_id"])
        photo = await asyncio.to_thread(
            sam.send_photo, draw("sky", 0), "@lookalike_bot", chat_id=GROUP
        )
        answer = await told(playground, photo["message_id"])
    assert refused["text"] == "In a group only its admins can change this."
    assert alert["text"] == refused["text"]
    assert changed["text"] == "From now on you get 2 pictures."
    assert answer["text"].startswith("2 pictures")


async def test_private_chat_is_ones_own(run_bot: RunBot, playground: Playground) -> None:
    sam = playground.user(1, "Sam", "vi")
    async with run_bot():
        sent = await asyncio.to_thread(sam.send_text, "/topk 2")
        changed = await playground.until(1, after=sent["message_id"])
    assert changed["text"] == "Từ giờ mỗi lần bạn sẽ nhận được 2 ảnh."
