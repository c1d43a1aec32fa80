"""Crawls by the bot: ordered, told of, cancelled, interrupted; /add and /remove."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

import pytest

from engine.library import Library
from tests.bot.collection import Collection, collection, picture
from tests.bot.conftest import RunBot, answer_to, draw

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.playground import Playground, User
    from engine.config import Settings

ADMIN = 9
REFUSED = "Only this bot's admins can do that."


@pytest.fixture
def site() -> Iterator[Collection]:
    with collection() as site:
        yield site


@pytest.fixture
def admin(playground: Playground) -> User:
    return playground.user(ADMIN, "Ada", "en")


@pytest.fixture
def run_crawler(run_bot: RunBot, site: Collection) -> Any:
    """The bot, with an admin and a collection to crawl."""
    return lambda **changes: run_bot(admin_ids=(ADMIN,), **site.settings, **changes)


async def say(user: User, text: str) -> dict[str, Any]:
    return await asyncio.to_thread(user.send_text, text)


async def message_with(
    playground: Playground, text: str, *, chat: int = ADMIN, after: int = 0, timeout_s: float = 15
) -> dict[str, Any]:
    def fits(message: dict[str, Any]) -> bool:
        return bool(re.search(text, message.get("text", "") + message.get("caption", "")))

    return await playground.until(chat, fits, timeout_s, after=after)


def keys_of(message: dict[str, Any]) -> list[str]:
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return [key["text"] for row in rows for key in row]


async def test_crawl_fills_a_category_and_shows_what_is_new(
    run_crawler: Any, playground: Playground, admin: User, site: Collection
) -> None:
    site.add("penguin", 7)
    async with run_crawler():
        order = await say(admin, "/crawl penguin 5")
        end = await message_with(playground, "penguin: 5 new pictures")
        progress = await message_with(playground, "✅ Done")
        asked = await asyncio.to_thread(admin.send_photo, picture("penguin/0/0.png"), "#penguin")
        answer = await answer_to(playground, asked)
    assert "photo" in end
    assert end["reply_to_message"]["message_id"] == progress["message_id"]
    assert progress["reply_to_message"]["message_id"] == order["message_id"]
    assert "found 5 · added 5" in progress["text"]
    assert not keys_of(progress), "nothing is left to cancel"
    assert "by Ann" in answer.captions[0]
    assert "CC BY 4.0" in answer.captions[0]
    assert "https://example.org/" in answer.captions[0]
    assert len(site.fetched()) == 5, "no more is asked for than is wanted"


async def test_refusals_are_told_by_reason_and_in_the_admins_language(
    run_crawler: Any, playground: Playground, site: Collection
) -> None:
    admin = playground.user(ADMIN, "Ánh", "vi")
    site.add("rùa", 3)
    first, second, third = (url.removeprefix(site.media.url) for url in site.topics["rùa"])
    site.media.pages[second] = (404, {}, b"")
    site.media.pages[third] = site.media.pages[first]
    async with run_crawler():
        await say(admin, "/crawl rùa")
        await message_with(playground, "rùa: đã thêm 1 ảnh mới")
        progress = await message_with(playground, "✅ Xong")
    assert "bỏ qua 1: 1 đã có trong thư viện" in progress["text"]
    assert "không tải được 1: 1 không còn nữa" in progress["text"]


async def test_nothing_found_is_told_in_words(
    run_crawler: Any, playground: Playground, admin: User
) -> None:
    async with run_crawler():
        await say(admin, "/crawl unobtainium")
        end = await message_with(playground, "nothing new could be added")
    assert "photo" not in end


async def test_source_that_fails_is_named(
    run_crawler: Any, playground: Playground, admin: User, site: Collection
) -> None:
    site.api.pages["/v1/images/"] = (403, {}, b"")
    async with run_crawler():
        await say(admin, "/crawl penguin")
        await message_with(playground, "nothing new could be added")
        progress = await message_with(playground, "✅ Done")
    assert "⚠️ openverse: 127.0.0.1" in progress["text"]


async def test_cancel_ends_a_crawl_at_once_and_keeps_what_there_is(
    run_crawler: Any, playground: Playground, admin: User, site: Collection, settings: Settings
) -> None:
    site.add("penguin", 40)
    site.media.latency_s = 0.4
    async with run_crawler():
        await say(admin, "/crawl penguin 40")
        progress = await message_with(playground, r"added [1-9]")
        assert keys_of(progress) == ["Cancel"]
        asked = len(site.fetched())
        await asyncio.to_thread(admin.press, progress, "Cancel")
        await message_with(playground, "🛑 Stopped")
        assert len(site.fetched()) <= asked + 4
        await message_with(playground, "new picture", timeout_s=5)
    with Library.open(settings, write=True) as library:
        assert library.check().is_clean
        (count,) = (each.count for each in library.categories() if each.category == "penguin")
    assert 0 < count < 40


async def test_topics_queue_and_no_topic_runs_twice(
    run_crawler: Any, playground: Playground, admin: User, site: Collection
) -> None:
    site.add("penguin", 4)
    site.add("owl", 2)
    site.media.latency_s = 0.4
    async with run_crawler():
        await say(admin, "/crawl penguin, owl")
        await message_with(playground, "penguin\nWaiting")
        again = await say(admin, "/crawl Penguin 9")
        told = await message_with(
            playground, "is being collected already", after=again["message_id"]
        )
        await say(admin, "/crawls")
        listed = await message_with(playground, "Crawls:")
        await message_with(playground, "owl: 2 new pictures")
        await message_with(playground, "penguin: 4 new pictures")
        await say(admin, "/crawls")
        past = await message_with(playground, "✅ #1 penguin – 4 of 20 added")
    assert "(#1)" in told["text"]
    assert keys_of(listed) == ["Cancel #1", "Cancel #2"]
    assert "✅ #2 owl – 2 of 20 added" in past["text"]
    assert len(site.fetched()) == 6


async def test_queued_crawl_can_be_cancelled_before_it_begins(
    run_crawler: Any, playground: Playground, admin: User, site: Collection
) -> None:
    site.add("penguin", 6)
    site.add("owl", 2)
    site.media.latency_s = 0.3
    async with run_crawler():
        await say(admin, "/crawl penguin, owl")
        waiting = await message_with(playground, "owl\nWaiting")
        await asyncio.to_thread(admin.press, waiting, "Cancel")
        await message_with(playground, "penguin: 6 new pictures")
        await message_with(playground, "🛑 Stopped")
    assert len(site.fetched()) == 6


async def test_crawl_goes_on_after_a_restart_in_the_same_message(
    run_crawler: Any, playground: Playground, admin: User, site: Collection
) -> None:
    site.add("penguin", 12)
    site.media.latency_s = 1.2
    async with run_crawler():
        await say(admin, "/crawl penguin 12")
        progress = await message_with(playground, r"added [1-9]")
    site.media.latency_s = 0.0
    async with run_crawler():
        await message_with(playground, "penguin: 12 new pictures")
        await asyncio.sleep(0.5)
    messages = playground.answers(ADMIN)
    (done,) = [m for m in messages if "✅ Done" in m.get("text", "")]
    assert done["message_id"] == progress["message_id"]
    assert "found 12 · added 12" in done["text"]
    assert sum("new pictures" in m.get("caption", "") for m in messages) == 1
    again = len(site.fetched()) - len(set(site.fetched()))
    assert again <= 2, "only what was under way when the bot was stopped"


@pytest.mark.parametrize(
    ("order", "answer"),
    [
        ("/crawl", "Say what to look for"),
        ("/crawl tiger 0", "1 to 500"),
        ("/crawl tiger from comons", "I know no source called “comons”"),
        ("/schedule tiger", "Say when"),
        ("/schedule tiger every 1m", "10 minutes at the earliest"),
        ("/unschedule x", "Say which one"),
        ("/unschedule 77", "There is no schedule #77"),
        ("/add tiger", "Send a photo captioned /add tiger"),
        ("/remove", "Say which category"),
        ("/remove tigre", "Did you mean tiger?"),
    ],
)
async def test_wrong_orders_get_one_helpful_line(
    run_crawler: Any, playground: Playground, admin: User, order: str, answer: str
) -> None:
    async with run_crawler():
        sent = await say(admin, order)
        told = await message_with(playground, answer, after=sent["message_id"])
    assert [m["message_id"] for m in playground.answers(ADMIN)] == [told["message_id"]]


async def test_others_are_refused_by_words_and_by_buttons(
    run_crawler: Any, playground: Playground, admin: User, site: Collection
) -> None:
    user = playground.user(1, "Sam", "en")
    group = playground.group(-1_001_000_000_001, "Zoo", [admin, user]).id
    site.add("penguin", 30)
    site.media.latency_s = 0.4
    async with run_crawler():
        for text in ("/crawl owl", "/crawls", "/schedule owl every 1h", "/schedules",
                     "/unschedule 1", "/remove tiger", "/add tiger"):  # fmt: skip
            sent = await say(user, text)
            await message_with(playground, REFUSED, chat=1, after=sent["message_id"])
        sent = await asyncio.to_thread(user.send_photo, draw("tiger", 0), "/add tiger")
        await message_with(playground, REFUSED, chat=1, after=sent["message_id"])
        await asyncio.to_thread(admin.send_text, "/crawl penguin 30", chat_id=group)
        progress = await message_with(playground, "penguin", chat=group)
        pressed = await asyncio.to_thread(user.press, progress, "Cancel")
        assert (await asyncio.to_thread(playground.answer_to, pressed))["text"] == REFUSED
        await asyncio.to_thread(admin.press, progress, "Cancel")
        await message_with(playground, "🛑 Stopped", chat=group)


async def test_photo_captioned_add_is_in_the_category(
    run_crawler: Any, playground: Playground, admin: User
) -> None:
    fresh = picture("a new one")
    async with run_crawler():
        await asyncio.to_thread(admin.send_photo, fresh, "/add Red_Panda")
        await message_with(playground, "Added to #red panda.")
        await asyncio.to_thread(admin.send_photo, fresh, "/add red panda")
        await message_with(playground, "Not added: there already.")
        sent = await asyncio.to_thread(admin.send_photo, picture("another"))
        await asyncio.to_thread(admin.send_text, "/add owl", reply_to=sent["message_id"])
        await message_with(playground, "Added to #owl.")
        album = await asyncio.to_thread(
            admin.send_album, [picture("c"), picture("d"), fresh], "/add owl"
        )
        told = await message_with(playground, "2 pictures added to #owl.")
        asked = await asyncio.to_thread(admin.send_photo, fresh, "/topk 1")
        answer = await answer_to(playground, asked)
        other = picture("somebody else's")
        passed_on = await asyncio.to_thread(admin.send_photo, other, "/add owl", forward=True)
        await answer_to(playground, passed_on)
    assert not [m for m in playground.answers(ADMIN) if "Added to #owl" in m.get("text", "")][1:], (
        "a command that somebody else wrote is none"
    )
    assert "Not added: there already." in told["text"]
    assert len(album) == 3
    assert answer.captions[0].startswith("#1 · red panda · ")


async def test_remove_asks_then_removes_all_of_it(
    run_crawler: Any, playground: Playground, admin: User, settings: Settings
) -> None:
    async with run_crawler() as bot:
        asked = await asyncio.to_thread(admin.send_photo, draw("tiger", 0), "#tiger")
        await answer_to(playground, asked)
        stores = await bot.desk.opened()
        ids = stores.catalog.ids_in("tiger")
        assert stores.file_ids.known(ids)
        await say(admin, "/remove tiger")
        sure = await message_with(playground, "Remove all 6 pictures of “tiger”")
        await asyncio.to_thread(admin.press, sure, "Keep")
        await message_with(playground, "Nothing was removed.")
        await say(admin, "/remove #Tiger")
        sure = await message_with(playground, "Remove all 6 pictures of “tiger”")
        await asyncio.to_thread(admin.press, sure, "Remove")
        await message_with(playground, "“tiger” is gone: 6 pictures removed.")
        assert not stores.file_ids.known(ids)
        asked = await asyncio.to_thread(admin.send_photo, draw("tiger", 0))
        answer = await answer_to(playground, asked)
    assert all("tiger" not in caption for caption in answer.captions)
    with Library.open(settings, write=True) as library:
        assert library.check().is_clean
        assert len(library.thumbnails) == 12


async def test_remove_ends_a_crawl_of_the_category_first(
    run_crawler: Any, playground: Playground, admin: User, site: Collection, settings: Settings
) -> None:
    site.add("penguin", 40)
    site.media.latency_s = 0.3
    async with run_crawler():
        await say(admin, "/crawl penguin 40")
        await message_with(playground, r"added [1-9]")
        await say(admin, "/remove penguin")
        sure = await message_with(playground, "of “penguin”")
        await asyncio.to_thread(admin.press, sure, "Remove")
        await message_with(playground, "“penguin” is gone")
        await message_with(playground, "🛑 Stopped")
        await asyncio.sleep(1.0)
    with Library.open(settings, write=True) as library:
        assert "penguin" not in {each.category for each in library.categories()}
        assert library.check().is_clean
