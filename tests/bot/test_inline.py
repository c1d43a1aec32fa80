"""Inline mode: what is offered while somebody types, and what is not."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from bot.demo import demo_encoder
from bot.links import digest
from bot.playground import Fault
from bot.strips import MOST, Strips, fitting_categories
from engine.catalog import CategoryCount, Photo
from engine.config import load_settings
from engine.files import FileState
from engine.library import Library
from engine.schema import Image, Inbox
from tests.bot.conftest import RunBot, answer_to, draw
from tests.bot.test_browsing import keep_for_oneself

if TYPE_CHECKING:
    from pathlib import Path

    from bot.app import LookalikeBot
    from bot.playground import Playground, User
    from engine.config import Settings

JSON = dict[str, Any]


async def ask(user: User, playground: Playground, query: str, offset: str = "") -> JSON:
    """The bot's answer to an inline query."""
    asked = await asyncio.to_thread(user.ask_inline, query, offset)
    return await asyncio.to_thread(playground.answer_to, asked)


async def look_at(user: User, playground: Playground, category: str) -> list[JSON]:
    """Have the bot send all pictures of a category: then Telegram has them."""
    sent = await asyncio.to_thread(user.send_text, "/topk 10")
    await playground.until(1, after=sent["message_id"])
    sent = await asyncio.to_thread(user.send_text, f"/categories {category}")
    return (await answer_to(playground, sent)).pictures


def ids(answer: JSON) -> list[str]:
    return [result["id"] for result in answer["results"]]


async def cache(bot: LookalikeBot, names: list[str], file_id: str) -> None:
    """Let pictures have a file id: that of one that was sent stands for all."""
    stores = await bot.desk.opened()
    await bot.desk.call(stores.file_ids.remember, dict.fromkeys(names, file_id))


def fill(settings: Settings, category: str, count: int) -> list[str]:
    """A category of so many pictures, of which only the facts are there."""
    photos = [Photo(f"{n * 7919 + 1:016x}", category, 10, 10, n) for n in range(count)]
    files = [FileState(f"/nowhere/{p.id}.jpg", p.id, category, 1, 1) for p in photos]
    with Library.open(settings, write=False) as library:
        library.catalog.add_pending(photos)
        library.catalog.files.record(files)
        library.catalog.mark_ready(photo.id for photo in photos)
    return sorted(photo.id for photo in photos)


# What is offered


async def test_category_offers_what_the_bot_has_sent_before(
    run_bot: RunBot, playground: Playground
) -> None:
    user = playground.user(1, "Sam", "en")
    async with run_bot() as bot:
        nothing = await ask(user, playground, "tiger")
        assert nothing["results"] == []
        assert nothing["button"] == {
            "text": "tiger: see all 6 in the chat",
            "start_parameter": f"c_{digest('tiger')}",
        }
        pictures = await look_at(user, playground, "tiger")
        catalog = (await bot.desk.opened()).catalog
        for typed in ("tiger", " TIGER ", "tig", "t"):
            answer = await ask(user, playground, typed)
            assert ids(answer) == catalog.ids_in("tiger"), typed
            assert answer["is_personal"]
            assert 0 < answer["cache_time"] <= 60
            assert answer["next_offset"] == ""
        shown = {p["file_id"] for m in pictures for p in m["photo"]}
        assert {result["photo_file_id"] for result in answer["results"]} < shown
        assert {result["caption"] for result in answer["results"]} == {"tiger"}
        assert ids(await ask(user, playground, "panda")) == []


async def test_attribution_goes_with_the_picture_in_the_askers_language(
    run_bot: RunBot, playground: Playground, settings: Settings
) -> None:
    with Library.open(settings, write=False) as library, library.catalog.session() as session:
        facts = {"creator": "Ann", "licence": "CC BY 4.0", "source": "openverse"}
        session.execute(update(Image).values(facts))
    sam, linh = playground.user(1, "Sam", "en"), playground.user(2, "Linh", "vi")
    async with run_bot():
        await look_at(sam, playground, "tiger")
        captions = [
            (await ask(user, playground, "tiger"))["results"][0]["caption"] for user in (sam, linh)
        ]
        await asyncio.to_thread(linh.send_text, "/language en")
        await playground.until(2)
        captions.append((await ask(linh, playground, "tiger"))["results"][0]["caption"])
        vietnamese = await ask(playground.user(3, "An", "vi"), playground, "xyzxyz")
    english = "tiger\nby Ann\nCC BY 4.0 · openverse"
    assert captions == [english, "tiger\nTác giả: Ann\nCC BY 4.0 · openverse", english]
    assert vietnamese["button"]["text"] == "Không tìm thấy – xem tất cả danh mục"


async def test_nothing_typed_offers_any_pictures_and_nothing_found_a_way_in(
    run_bot: RunBot, playground: Playground
) -> None:
    user = playground.user(1, "Sam", "en")
    async with run_bot():
        await look_at(user, playground, "tiger")
        await look_at(user, playground, "sky")
        anything = await ask(user, playground, "")
        assert len(set(ids(anything))) == 12
        assert anything["button"] == {"text": "All categories", "start_parameter": "categories"}
        nothing = await ask(user, playground, "xyzxyz")
        assert nothing["results"] == []
        assert nothing["button"]["text"] == "Nothing found – see all categories"
        mistyped = await ask(user, playground, "tigre")
        assert len(ids(mistyped)) == 6
        sent = await asyncio.to_thread(
            user.send_text, f"/start {nothing['button']['start_parameter']}"
        )
        listed = await playground.until(1, after=sent["message_id"])
    assert "3 categories" in listed["text"]


async def test_pages_of_fifty_follow_one_another_without_repeating(
    run_bot: RunBot, playground: Playground, settings: Settings
) -> None:
    user = playground.user(1, "Sam", "en")
    names = fill(settings, "owl", 120)
    async with run_bot() as bot:
        pictures = await look_at(user, playground, "tiger")
        await cache(bot, names, pictures[0]["photo"][-1]["file_id"])
        for typed, wanted in (("owl", set(names)), ("", None)):
            seen: list[str] = []
            offset, sizes = "", []
            while True:
                page = await ask(user, playground, typed, offset)
                seen += ids(page)
                sizes.append(len(ids(page)))
                assert bool(page["button"]) is not bool(offset), "only above the first page"
                offset = page["next_offset"]
                if not offset:
                    break
            assert sizes[:2] == [MOST, MOST]
            assert len(seen) == len(set(seen))
            assert wanted is None or set(seen) == wanted
            assert wanted is not None or len(seen) == 126


@pytest.mark.parametrize(
    "offset", ["x", "c-1", "c9999999", "r0:zz", "c0:", "ć1", "c" * 64, f"r{0:016x}:{0:016x}"]
)
async def test_offset_that_makes_no_sense_finds_nothing(
    run_bot: RunBot, playground: Playground, offset: str
) -> None:
    user = playground.user(1, "Sam", "en")
    async with run_bot():
        await look_at(user, playground, "tiger")
        answer = await ask(user, playground, "tiger", offset)
    assert (answer["results"], answer["next_offset"], answer["button"]) == ([], "", None)


async def test_empty_library_offers_the_way_in(
    run_bot: RunBot, playground: Playground, tmp_path: Path
) -> None:
    user = playground.user(1, "Sam", "en")
    async with run_bot(data_dir=tmp_path / "nothing"):
        for typed in ("", "tiger"):
            answer = await ask(user, playground, typed)
            assert answer["results"] == []
            assert answer["button"]["start_parameter"] == "categories"


async def test_what_somebody_keeps_for_himself_is_never_offered(
    run_bot: RunBot, playground: Playground, settings: Settings
) -> None:
    """Not even to its owner: what he sends from there, others see."""
    owner = playground.user(1, "Olga", "en")
    async with run_bot():
        await look_at(owner, playground, "tiger")
        await look_at(owner, playground, "sky")
        assert len(ids(await ask(owner, playground, "tiger"))) == 6
    keep_for_oneself(settings, "tiger", owner=1)
    async with run_bot():
        for typed in ("tiger", "tig", "tigre"):
            answer = await ask(owner, playground, typed)
            assert answer["results"] == []
            assert "tiger" not in str(answer)
        assert {r["caption"] for r in (await ask(owner, playground, ""))["results"]} == {"sky"}


async def test_help_tells_of_inline_mode_where_it_is_on(
    run_bot: RunBot, playground: Playground, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = playground.user(1, "Sam", "en")
    me = playground.account.me()
    for is_on in (True, False):
        monkeypatch.setattr(
            playground.account, "me", lambda is_on=is_on: me | {"supports_inline_queries": is_on}
        )
        async with run_bot():
            sent = await asyncio.to_thread(user.send_text, "/help")
            told = await playground.until(1, after=sent["message_id"])
        assert ("type @lookalike_bot tiger" in told["text"]) is is_on


def test_categories_fit_as_one_types() -> None:
    counts = [CategoryCount(name, 1) for name in
              ("Red panda", "panda", "pandas and friends", "sky", "老虎", "con hổ")]  # fmt: skip

    def fitting(words: str) -> list[str]:
        return [each.category for each in fitting_categories(words, counts)]

    assert fitting("panda") == ["panda"]
    assert fitting("pand") == ["panda", "pandas and friends", "Red panda"]
    assert fitting("RED_PANDA") == ["Red panda"]
    assert fitting("老") == ["老虎"]
    assert fitting("hổ") == ["con hổ"]
    assert fitting("anda") == []


# Words


@pytest.mark.skipif(
    not (demo_encoder() / "open_clip_config.json").exists(), reason="the demo's model is missing"
)
async def test_words_find_what_pictures_show(
    run_bot: RunBot, playground: Playground, tmp_path: Path
) -> None:
    from engine.drawings import write_gallery

    data_dir, gallery = tmp_path / "drawn", tmp_path / "drawings"
    for path in write_gallery(gallery, 3):
        target = gallery / "all" / f"{path.parent.name}-{path.name}"
        target.parent.mkdir(exist_ok=True)
        path.rename(target)
    encoder = f"open_clip:local-dir:{demo_encoder()}"
    settings = load_settings(data_dir=data_dir, encoder=encoder, _env_file=None)
    with Library.open(settings, write=True) as library:
        library.index([gallery / "all"], category="all")
    user = playground.user(1, "Sam", "en")
    async with run_bot(data_dir=data_dir, encoder=encoder) as bot:
        sent = await asyncio.to_thread(user.send_text, "/random")
        picture = await playground.until(1, after=sent["message_id"])
        catalog = (await bot.desk.opened()).catalog
        await cache(bot, catalog.shared_ids(), picture["photo"][-1]["file_id"])
        await bot.gallery.read(lambda library: library.encoder and library.encoder.load())
        first = await ask(user, playground, "a drawing of a cactus")
        assert len(ids(first)) == MOST
        second = await ask(user, playground, "a drawing of a cactus", first["next_offset"])
        facts = catalog.facts(ids(first)[:3])
    assert all("cactus" in str(photo.path) for photo in facts.values())
    assert second["results"]
    assert not set(ids(first)) & set(ids(second))


# Sending one


async def test_result_that_was_sent_is_a_question_in_the_bots_own_chat_only(
    run_bot: RunBot, playground: Playground
) -> None:
    user = playground.user(1, "Sam", "en")
    group = playground.group(-1_001_000_000_003, "Zoo", [user])
    async with run_bot():
        await look_at(user, playground, "tiger")
        asked = await asyncio.to_thread(user.ask_inline, "tiger")
        answer = await asyncio.to_thread(playground.answer_to, asked)
        await asyncio.to_thread(user.choose_inline, asked, ids(answer)[0], chat_id=group.id)
        sent = await asyncio.to_thread(user.choose_inline, asked, ids(answer)[1])
        alike = await answer_to(playground, sent)
        await asyncio.sleep(0.3)
    assert sent["via_bot"]["username"] == "lookalike_bot"
    assert "similar" in alike.captions[0]
    assert playground.answers(group.id) == []


# What goes wrong


async def test_query_that_is_too_old_is_let_go_quietly(
    run_bot: RunBot, playground: Playground, caplog: pytest.LogCaptureFixture
) -> None:
    """The answer arrived and the word of it was lost: Telegram refuses the second attempt."""
    user = playground.user(1, "Sam", "en")

    def refused() -> list[Any]:
        return [r for r in playground.calls("answerInlineQuery") if r.status == 400]

    async with run_bot():
        playground.faults.next("answerInlineQuery", Fault("reset", took_effect=True))
        assert (await ask(user, playground, "tiger"))["button"]
        await asyncio.to_thread(playground.wait_until, refused)
        assert (await ask(user, playground, "sky"))["button"], "the next is answered as ever"
    assert "too old" in refused()[0].description
    assert playground.answers(1) == [], "no apology to somebody who only typed"
    assert not [r for r in caplog.records if r.levelname in {"WARNING", "ERROR"}]


async def test_dead_files_are_found_and_left_out(run_bot: RunBot, playground: Playground) -> None:
    user = playground.user(1, "Sam", "en")
    async with run_bot() as bot:
        await look_at(user, playground, "tiger")
        before = await ask(user, playground, "tiger")
        for result in before["results"][:2]:
            playground.kill_file(result["photo_file_id"])
        after = await ask(user, playground, "tiger")
        assert ids(after) == ids(before)[2:]
        known = (await bot.desk.opened()).file_ids.known(ids(before))
        assert sorted(known) == sorted(ids(after))
        await look_at(user, playground, "tiger")
        assert len(ids(await ask(user, playground, "tiger"))) == 6, "sent again, known again"


async def test_nothing_is_stored_and_nothing_taken_up_after_a_restart(
    run_bot: RunBot, playground: Playground, settings: Settings
) -> None:
    user = playground.user(1, "Sam", "en")
    async with run_bot() as bot:
        await ask(user, playground, "tiger")
        stores = await bot.desk.opened()
        assert stores.inbox.unanswered() == []
        with stores.catalog.session(read_only=True) as session:
            assert session.query(Inbox).count() == 0
        playground.faults.next("answerInlineQuery", Fault("hang", delay_s=30), times=9)
        asked = await asyncio.to_thread(user.ask_inline, "sky")
        await asyncio.to_thread(
            playground.wait_until, lambda: not playground.account.updates.waiting() or None
        )
    playground.faults.clear()
    async with run_bot():
        answer = await ask(user, playground, "tiger")
    assert answer["button"]
    assert asked.answer is None


async def test_trouble_with_the_database_leaves_the_bot_well(
    run_bot: RunBot, playground: Playground, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = playground.user(1, "Sam", "en")
    async with run_bot() as bot:
        with monkeypatch.context() as patch:
            broken = OperationalError("select", {}, OSError("disk"))
            patch.setattr(Strips, "find", lambda *_: (_ for _ in ()).throw(broken))
            await asyncio.to_thread(user.ask_inline, "tiger")
            await asyncio.sleep(0.3)
        assert (await ask(user, playground, "tiger"))["button"]
        assert bot.line._again == {}


async def test_buttons_and_photos_are_answered_beside_a_flood_of_queries(
    run_bot: RunBot, playground: Playground
) -> None:
    user, other = playground.user(1, "Sam", "en"), playground.user(2, "Max", "en")
    async with run_bot():
        for number in range(60):
            await asyncio.to_thread(other.ask_inline, f"tiger{number}")
        sent = await asyncio.to_thread(user.send_photo, draw("tiger", 0))
        assert len((await answer_to(playground, sent)).captions) == 3
        last = await ask(other, playground, "tiger")
    assert last["button"]
