"""/categories, links into the bot, and /random: what there is, without a question."""

from __future__ import annotations

import asyncio
import itertools
import re
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update

from bot.i18n import Translator
from bot.links import PARAMETER, digest, link_to, opened_by, parameter_of
from bot.playground import Fault
from engine.catalog import CategoryCount, Photo
from engine.files import FileState
from engine.library import Library
from engine.schema import Image
from tests.bot.conftest import CATEGORIES, RunBot, answer_to

if TYPE_CHECKING:
    from pathlib import Path

    from bot.playground import Playground, User
    from engine.config import Settings

GONE = "This category is no longer there."
LONG = "a very long name that says all there is to say about what can be seen in these pictures"
SCRIPTS = {"con hổ", "老虎", "نمر", "тигр", "🐯", "a·b/c #d"}


def keys_of(message: dict[str, Any]) -> list[list[str]]:
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return [[key["text"] for key in row] for row in rows]


def data_of(message: dict[str, Any], text: str) -> str:
    keys = [key for row in message["reply_markup"]["inline_keyboard"] for key in row]
    return next(key["callback_data"] for key in keys if key["text"] == text)


async def say(user: User, text: str, playground: Playground) -> dict[str, Any]:
    """Say something; returns the first message that answers."""
    sent = await asyncio.to_thread(user.send_text, text)
    return await playground.until(sent["chat"]["id"], after=sent["message_id"])


async def press(user: User, message: dict[str, Any], button: str, playground: Playground) -> str:
    """Press a button; returns the words that the bot answers the press with."""
    asked = await asyncio.to_thread(user.press, message, button)
    return (await asyncio.to_thread(playground.answer_to, asked))["text"]


def keep_for_oneself(settings: Settings, category: str, owner: int = 77) -> None:
    """Make a category's pictures somebody's own."""
    with Library.open(settings, write=False) as library, library.catalog.session() as session:
        session.execute(update(Image).where(Image.category == category).values(owner=owner))


def rename(settings: Settings, names: dict[str, str]) -> None:
    with Library.open(settings, write=False) as library, library.catalog.session() as session:
        for old, new in names.items():
            session.execute(update(Image).where(Image.category == old).values(category=new))


def fill_with_categories(settings: Settings, names: list[str]) -> None:
    """Facts of a picture in each category, whose files are nowhere."""
    photos = [Photo(f"{n:016x}", name, 10, 10, n) for n, name in enumerate(names, 1)]
    files = [
        FileState(f"/nowhere/{photo.id}.jpg", photo.id, photo.category, 1, 1) for photo in photos
    ]
    with Library.open(settings, write=False) as library:
        library.catalog.add_pending(photos)
        library.catalog.files.record(files)
        library.catalog.mark_ready(photo.id for photo in photos)


# Links


def test_every_category_has_a_link_that_telegram_lets_pass() -> None:
    counts = [CategoryCount(name, 1) for name in (*CATEGORIES, *SCRIPTS, LONG * 20, "\ud800")]
    for each in counts:
        parameter = parameter_of(each.category)
        assert PARAMETER.fullmatch(parameter)
        assert link_to("a_bot", each.category) == f"https://t.me/a_bot?start={parameter}"
        assert opened_by(parameter, counts) is each
    assert len({digest(each.category) for each in counts}) == len(counts)


def test_link_can_be_written_by_hand() -> None:
    counts = [CategoryCount("Red panda", 2), CategoryCount("sky", 1)]
    assert opened_by("c_red_panda", counts) is counts[0]
    assert opened_by("c_red-panda", counts) is counts[0]
    assert opened_by("c_red", counts) is None
    assert opened_by("sky", counts) is None


# /categories


async def test_categories_are_listed_with_counts_and_opened_by_a_button(
    run_bot: RunBot, playground: Playground
) -> None:
    user = playground.user(1, "Sam", "en")
    async with run_bot():
        listed = await say(user, "/categories", playground)
        assert listed["text"].startswith("3 categories with 18 pictures.")
        assert keys_of(listed) == [["red panda · 6", "sky · 6"], ["tiger · 6"]]
        assert await press(user, listed, "tiger · 6", playground) == ""
        first = await answer_to(playground, listed)
        assert first.captions == ["#1 · tiger", "#2 · tiger", "#3 · tiger"]
        assert first.words["text"].startswith("tiger · 1–3 of 6\n")
        assert f"https://t.me/lookalike_bot?start=c_{digest('tiger')}" in first.words["text"]
        assert keys_of(first.words) == [
            ["≈ #1", "≈ #2", "≈ #3"],
            ["Next page ›", "All categories"],
        ]
        await press(user, first.words, "Next page ›", playground)
        second = await answer_to(playground, first.words)
        assert second.captions == ["#4 · tiger", "#5 · tiger", "#6 · tiger"]
        assert keys_of(second.words)[-1] == ["All categories"]
        seen = {m["photo"][-1]["file_unique_id"] for m in (*first.pictures, *second.pictures)}
        assert len(seen) == 6, "no picture comes twice"
        await press(user, second.words, "≈ #5", playground)
        alike = await answer_to(playground, second.words)
        assert re.fullmatch(r"#1 · .+ · \d+% similar", alike.captions[0])


async def test_category_can_be_named_and_a_wrong_name_is_helped(
    run_bot: RunBot, playground: Playground
) -> None:
    user = playground.user(1, "Linh", "vi")
    async with run_bot():
        sent = await asyncio.to_thread(user.send_text, "/categories Red_Panda")
        answer = await answer_to(playground, sent)
        assert answer.captions[0] == "#1 · red panda"
        assert answer.words["text"].startswith("red panda · ảnh 1–3 trên tổng số 6\n")
        told = await say(user, "/categories tigre", playground)
        assert told["text"] == "Không có danh mục “tigre”. Có phải ý bạn là tiger?"
        await press(user, told, "Tất cả danh mục", playground)
        listed = await playground.until(1, after=told["message_id"])
    assert listed["text"].startswith("Có 3 danh mục, tổng cộng 18 ảnh.")


async def test_pages_turn_in_place_and_names_of_any_script_are_shown(
    run_bot: RunBot, playground: Playground, settings: Settings
) -> None:
    user = playground.user(1, "Sam", "en")
    names = [*SCRIPTS, LONG, *(f"topic {n:02}" for n in range(30))]
    fill_with_categories(settings, names)
    async with run_bot():
        first = await say(user, "/categories", playground)
        assert first["text"].startswith("40 categories with 55 pictures.")
        shown = []
        for page in range(1, 4):
            current = await playground.until(
                1, lambda m, p=page: f"{p} / 3" in str(m.get("reply_markup"))
            )
            assert current["message_id"] == first["message_id"]
            shown += [key for row in keys_of(current)[:-1] for key in row]
            await press(user, current, "›", playground)
        again = await playground.until(1, lambda m: "1 / 3" in str(m.get("reply_markup")))
        await press(user, again, "‹", playground)
        await playground.until(1, lambda m: "3 / 3" in str(m.get("reply_markup")))
    assert len(shown) == 40
    assert {f"{name} · 1" for name in SCRIPTS} < set(shown)
    (long,) = (key for key in shown if key.startswith("a very long"))
    assert long.endswith("… · 1")
    assert len(long) < 32


async def test_links_open_a_category_or_the_list(run_bot: RunBot, playground: Playground) -> None:
    user = playground.user(1, "Sam", "en")
    async with run_bot():
        for parameter in (parameter_of("tiger"), "c_tiger"):
            sent = await asyncio.to_thread(user.send_text, f"/start {parameter}")
            assert (await answer_to(playground, sent)).captions[0] == "#1 · tiger"
        assert "3 categories" in (await say(user, "/start categories", playground))["text"]
        gone = await say(user, f"/start {parameter_of('owl')}", playground)
        assert gone["text"] == GONE
        assert keys_of(gone) == [["All categories"]]
        for other in ("/start", "/start whatever"):
            assert "Send me a photo" in (await say(user, other, playground))["text"]


async def test_stale_buttons_are_answered_politely_also_after_a_restart(
    run_bot: RunBot, playground: Playground, settings: Settings
) -> None:
    user = playground.user(1, "Sam", "en")
    linh = playground.user(2, "Linh", "vi")
    async with run_bot():
        listed = await say(user, "/categories", playground)
        await press(user, listed, "tiger · 6", playground)
        opened = await answer_to(playground, listed)
        hers = await say(linh, "/categories", playground)
    async with run_bot():
        await press(user, listed, "sky · 6", playground)
        after = await playground.until(1, lambda m: "sky · 1–3 of 6" in m.get("text", ""))
        assert "≈ #1" in keys_of(after)[0]
    with Library.open(settings, write=True) as library:
        library.remove(category="tiger")
    async with run_bot():
        assert await press(user, listed, "tiger · 6", playground) == GONE
        assert await press(user, opened.words, "Next page ›", playground) == GONE
        assert await press(linh, hers, "tiger · 6", playground) == "Danh mục này không còn nữa."
        newest = playground.answers(1)[-1]["message_id"]
        await press(user, opened.words, "≈ #2", playground)
        told = await playground.until(1, after=newest)
    assert told["text"] == "That picture is no longer in the library."


async def test_page_behind_the_last_one_is_said_to_be_none(
    run_bot: RunBot, playground: Playground
) -> None:
    """More pictures at once than when the button was made: what it leads to is shown already."""
    user = playground.user(1, "Sam", "en")
    async with run_bot():
        sent = await asyncio.to_thread(user.send_text, "/categories tiger")
        opened = await answer_to(playground, sent)
        await say(user, "/topk 10", playground)
        newest = playground.answers(1)[-1]["message_id"]
        await press(user, opened.words, "Next page ›", playground)
        told = await playground.until(1, after=newest)
    assert told["text"] == "That was all, there are no more pictures."


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "My library is still empty."), ("vi", "Thư viện của mình còn trống.")],
)
async def test_empty_library_is_said_to_be_empty(
    run_bot: RunBot, playground: Playground, tmp_path: Path, language: str, words: str
) -> None:
    user = playground.user(1, "Sam", language)
    async with run_bot(data_dir=tmp_path / "nothing"):
        for text in ("/categories", "/random", "/start categories", "/start c_tiger"):
            assert (await say(user, text, playground))["text"].startswith(words), text


async def test_files_that_are_gone_are_told_of(
    run_bot: RunBot, playground: Playground, settings: Settings
) -> None:
    user = playground.user(1, "Sam", "en")
    fill_with_categories(settings, ["lost"])
    async with run_bot():
        for text in ("/categories lost", "/random lost"):
            told = await say(user, text, playground)
            assert told["text"].startswith("The files of my pictures cannot be found")


async def test_in_a_group_what_is_opened_replies(run_bot: RunBot, playground: Playground) -> None:
    user = playground.user(1, "Sam", "en")
    group = playground.group(-1_001_000_000_002, "Zoo", [user], topics=["Cats"])
    async with run_bot():
        sent = await asyncio.to_thread(
            user.send_text, "/categories tiger", chat_id=group.id, thread=2
        )
        answer = await answer_to(playground, sent)
        drawn = await asyncio.to_thread(user.send_text, "/random", chat_id=group.id, thread=2)
        picture = await playground.until(group.id, after=drawn["message_id"])
    assert answer.pictures[0]["reply_to_message"]["message_id"] == sent["message_id"]
    assert {m["message_thread_id"] for m in (*answer.pictures, answer.words, picture)} == {2}


# /random


async def test_random_brings_a_picture_another_one_and_more_like_it(
    run_bot: RunBot, playground: Playground
) -> None:
    user = playground.user(1, "Sam", "en")
    async with run_bot():
        first = await say(user, "/random", playground)
        assert first["caption"] in CATEGORIES
        assert keys_of(first) == [["≈ More like it", "🎲 Another one"]]
        seen = [first]
        for _ in range(6):
            await press(user, seen[-1], "🎲 Another one", playground)
            seen.append(await playground.until(1, after=seen[-1]["message_id"]))
        names = [data_of(message, "≈ More like it") for message in seen]
        assert all(a != b for a, b in itertools.pairwise(names)), "never the same again"
        assert len(set(names)) > 3
    async with run_bot():
        await press(user, first, "≈ More like it", playground)
        alike = await answer_to(playground, seen[-1])
    assert len(alike.captions) == 3
    assert alike.pictures[0]["reply_to_message"]["message_id"] == first["message_id"]


async def test_random_keeps_to_a_category_that_was_named(
    run_bot: RunBot, playground: Playground, settings: Settings
) -> None:
    user = playground.user(1, "Linh", "vi")
    async with run_bot():
        message = await say(user, "/random #Red_Panda", playground)
        assert keys_of(message) == [["≈ Ảnh tương tự", "🎲 Ảnh khác"]]
        for _ in range(4):
            assert message["caption"] == "red panda"
            await press(user, message, "🎲 Ảnh khác", playground)
            message = await playground.until(1, after=message["message_id"])
        told = await say(user, "/random tigre", playground)
        assert told["text"] == "Không có danh mục “tigre”. Có phải ý bạn là tiger?"
        rename(settings, {"red panda": "gấu trúc đỏ"})
        pressed = await press(user, message, "🎲 Ảnh khác", playground)
    assert pressed == "Danh mục này không còn nữa."


async def test_nobody_is_shown_what_somebody_keeps_for_himself(
    run_bot: RunBot, playground: Playground, settings: Settings
) -> None:
    owner = playground.user(77, "Olga", "en")
    keep_for_oneself(settings, "tiger", owner=77)
    keep_for_oneself(settings, "sky", owner=78)
    with Library.open(settings, write=False) as library:
        secret = library.catalog.ids_in("tiger", 77)[0]
    async with run_bot():
        listed = await say(owner, "/categories", playground)
        assert keys_of(listed) == [["red panda · 6"]]
        for _ in range(8):
            assert (await say(owner, "/random", playground))["caption"] == "red panda"
        for text in ("/random tiger", "/categories tiger"):
            told = await say(owner, text, playground)
            assert "no category" in told["text"]
        assert (await say(owner, "/start c_tiger", playground))["text"] == GONE
        assert secret not in str(playground.answers(77))


async def test_answer_that_was_begun_is_finished_as_it_was_begun(
    run_bot: RunBot, playground: Playground
) -> None:
    """The album arrives, its buttons do not: the next process sends what is missing only."""
    user = playground.user(1, "Sam", "en")
    playground.faults.next("sendMessage", Fault("cut"), times=99)
    async with run_bot():
        sent = await asyncio.to_thread(user.send_text, "/categories tiger")
        await playground.until(1, lambda m: m.get("caption") == "#3 · tiger")
    playground.faults.clear()
    async with run_bot():
        answer = await answer_to(playground, sent, timeout_s=20)
    assert answer.captions == ["#1 · tiger", "#2 · tiger", "#3 · tiger"]
    assert len(playground.answers(1)) == 4


async def test_nothing_is_lost_or_sent_twice_whatever_the_server_does(
    run_bot: RunBot, playground: Playground
) -> None:
    user = playground.user(1, "Sam", "en")
    playground.faults.share(0.25, seed=5)
    orders = ["/random", "/categories tiger", "/random sky", "/categories"] * 2
    async with run_bot():
        for order in orders:
            await asyncio.to_thread(user.send_text, order)
        await playground.until(1, lambda _: len(playground.answers(1)) >= 14, 60)
        playground.faults.clear()
        await asyncio.sleep(1.0)
    answers = playground.answers(1)
    captions = [m["caption"] for m in answers if "photo" in m]
    assert len(captions) == 2 * (1 + 3 + 1)
    assert captions.count("#2 · tiger") == 2
    texts = [m["text"].split("\n")[0] for m in answers if "text" in m]
    assert texts == ["tiger · 1–3 of 6", "3 categories with 18 pictures."] * 2


def test_numbers_of_buttons_follow_the_language() -> None:
    assert Translator("vi")("button.like", rank=Translator("vi").number(1234)) == "≈ #1.234"
