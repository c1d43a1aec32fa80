"""One's own collection: kept, found, shown, exported and forgotten, and seen by nobody else."""

from __future__ import annotations

import asyncio
import io
import re
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from bot.handlers.saving import Label, label_of
from bot.playground import Photo
from engine.catalog import Catalog
from engine.holdings import Holdings
from engine.library import Library
from tests.bot.collection import picture
from tests.bot.conftest import RunBot, answer_to, draw

if TYPE_CHECKING:
    from bot.playground import Playground, User
    from engine.config import Settings

GROUP = -1001
SECRET = "secret beach"


@pytest.mark.parametrize(
    ("words", "label"),
    [
        ("", Label()),
        ("beach", Label("beach")),
        ("bãi biển đẹp", Label("bãi biển đẹp")),
        ("the beach where we met", Label(None, "the beach where we met")),
        ("#red_panda at noon", Label("red panda", "at noon")),
    ],
)
def test_words_after_save_name_a_category_or_a_title(words: str, label: Label) -> None:
    assert label_of(words) == label


async def say(user: User, text: str, **where: Any) -> dict[str, Any]:
    return await asyncio.to_thread(user.send_text, text, **where)


async def told(playground: Playground, sent: dict[str, Any]) -> str:
    answer = await playground.until(sent["chat"]["id"], after=sent["message_id"])
    return str(answer.get("text") or answer.get("caption"))


async def save(user: User, name: str, words: str = SECRET, **where: Any) -> dict[str, Any]:
    return await asyncio.to_thread(user.send_photo, picture(name), f"/save {words}", **where)


async def pressed(playground: Playground, user: User, message: dict[str, Any], key: str) -> str:
    asked = await asyncio.to_thread(user.press, message, key)
    return str((await asyncio.to_thread(playground.answer_to, asked))["text"])


async def test_saved_picture_is_found_by_its_owner_and_by_nobody_else(
    run_bot: RunBot, playground: Playground
) -> None:
    owner, other = playground.user(1, "Sam", "en"), playground.user(2, "Kim", "en")
    admin = playground.user(9, "Ada", "en")
    group = playground.group(GROUP, "Friends", [owner, other, admin])
    async with run_bot(admin_ids=(9,)):
        kept = await told(playground, await save(owner, "mine"))
        asked = await asyncio.to_thread(owner.send_photo, picture("mine"), "/topk 10")
        found = await answer_to(playground, asked)
        for user in (other, admin):
            for caption in ("/topk 10", "/metric l2 /topk 10", f"#{SECRET.replace(' ', '_')}"):
                asked = await asyncio.to_thread(user.send_photo, picture("mine"), caption)
                answer = await answer_to(playground, asked)
                assert SECRET not in "\n".join([*answer.captions, answer.words["text"]]).replace(
                    f"no category “{SECRET}”", ""
                )
            for words in ("/categories", "/random", "/stats", "/mine", f"/categories {SECRET}"):
                text = await told(playground, await say(user, words))
                assert "secret" not in text.replace(f"“{SECRET}”", ""), words
            inline = await asyncio.to_thread(user.ask_inline, "secret")
            results = await asyncio.to_thread(playground.answer_to, inline)
            assert not [each for each in results["results"] if "secret" in str(each)]
        asked = await asyncio.to_thread(
            owner.send_photo, picture("mine"), "@lookalike_bot /topk 10", chat_id=group.id
        )
        in_group = await answer_to(playground, asked)
        counted = await told(playground, await say(admin, "/stats"))
    assert "Kept for you alone, in “secret beach”." in kept
    assert "1 of 500" in kept
    assert found.captions[0].startswith("#1 · secret beach · ")
    assert "🔒 yours" in found.captions[0]
    assert not any("🔒" in line for line in found.captions[1:])
    assert not any("secret" in line for line in in_group.captions)
    assert re.search(r"\b18 pictures", counted)


async def test_one_content_can_be_everyones_and_several_peoples(
    run_bot: RunBot, playground: Playground, settings: Settings
) -> None:
    users = [playground.user(number, "Sam", "en") for number in (1, 2)]
    async with run_bot():
        for user in users:
            sent = await asyncio.to_thread(user.send_photo, draw("tiger", 0), "/save cats")
            assert "Kept for you alone" in await told(playground, sent)
            again = await asyncio.to_thread(user.send_again, sent, "/save elsewhere")
            assert "already, in “cats”" in await told(playground, again)
        sent = await say(users[0], "/forget")
        question = await playground.until(1, after=sent["message_id"])
        await asyncio.to_thread(users[0].press, question, "Remove")
        await playground.until(1, lambda m: "all gone" in m.get("text", ""))
        asked = await asyncio.to_thread(users[1].send_photo, draw("tiger", 0), "/topk 3")
        answer = await answer_to(playground, asked)
    assert "cats" in "\n".join(answer.captions)
    assert "tiger" in "\n".join(answer.captions)
    with Library.open(settings, write=True) as library:
        assert library.check().is_clean
        assert library.catalog.ids_of(1) == []
        assert len(library.catalog.ids_of(2)) == 1


async def test_mine_chooses_where_questions_look_and_it_is_remembered(
    run_bot: RunBot, playground: Playground
) -> None:
    user = playground.user(1, "Linh", "vi")
    async with run_bot():
        assert "chưa lưu ảnh nào" in await told(playground, await say(user, "/mine"))
        assert "chỉ tìm trong bộ sưu tập" in await told(playground, await say(user, "/mine only"))
        asked = await asyncio.to_thread(user.send_photo, picture("a"))
        assert "/mine on" in (await answer_to(playground, asked)).words["text"]
        kept = await told(playground, await save(user, "a", "bãi biển"))
        assert "Đã lưu 1 ảnh cho riêng bạn, ở mục “bãi biển”." in kept
    async with run_bot():
        asked = await asyncio.to_thread(user.send_photo, picture("a"))
        only = await answer_to(playground, asked)
        await told(playground, await say(user, "/mine off"))
        asked = await asyncio.to_thread(user.send_photo, picture("a"))
        shared = await answer_to(playground, asked)
        wrong = await told(playground, await say(user, "/mine maybe"))
    (caption,) = only.captions
    assert "bãi biển" in caption
    assert "🔒 ảnh của bạn" in caption
    assert len(shared.captions) == 3
    assert not any("bãi" in line for line in shared.captions)
    assert "/mine on, off hoặc only" in wrong


async def test_mine_shows_pages_and_deletes_after_asking(
    run_bot: RunBot, playground: Playground, settings: Settings
) -> None:
    user = playground.user(1, "Sam", "en")
    async with run_bot():
        album = [Photo(picture(f"page {number}")) for number in range(10)]
        sent = await asyncio.to_thread(user.send_album, album, "/save #trip by the sea")
        assert "10 pictures kept for you alone" in await told(playground, sent[-1])
        sent = await say(user, "/mine")
        shown = await playground.until(1, lambda m: "photo" in m, after=sent["message_id"])
        assert shown["caption"].startswith("10 pictures, seen by nobody else · page 1 of 2")
        assert "9. trip – by the sea" in shown["caption"]
        await asyncio.to_thread(user.press, shown, "›")
        shown = await playground.until(1, lambda m: "page 2 of 2" in m.get("caption", ""))
        await asyncio.to_thread(user.press, shown, "🗑 10")
        shown = await playground.until(1, lambda m: "Delete 10" in str(m.get("reply_markup")))
        await asyncio.to_thread(user.press, shown, "Delete 10")
        shown = await playground.until(1, lambda m: "9 pictures" in m.get("caption", ""))
        await asyncio.to_thread(user.press, shown, "here only")
        await playground.until(1, lambda m: "Questions look here only." in m.get("caption", ""))
    with Catalog.open(settings.database) as catalog:
        assert len(catalog.ids_of(1)) == 9


async def test_wrong_ways_get_one_helpful_line(run_bot: RunBot, playground: Playground) -> None:
    user = playground.user(1, "Sam", "en")
    async with run_bot(collection_quota=1):
        assert "captioned /save beach" in await told(playground, await say(user, "/save beach"))
        text = await say(user, "hello there")
        await told(playground, text)
        sent = await say(user, "/save x", reply_to=text["message_id"])
        assert "captioned /save beach" in await told(playground, sent)
        assert "Nothing is kept here yet" in await told(playground, await say(user, "/export"))
        assert "nothing to forget" in await told(playground, await say(user, "/forget"))
        assert "choice for groups" in await told(playground, await say(user, "/mine allow on"))
        shown = await asyncio.to_thread(user.send_photo, picture("a"))
        await answer_to(playground, shown)
        sent = await say(user, "/save", reply_to=shown["message_id"])
        assert "in “saved”" in await told(playground, sent)
        assert "can hold 1 pictures" in await told(playground, await save(user, "b"))
        broken = await asyncio.to_thread(
            user.send_document, b"rubbish", "a.jpg", "image/jpeg", "/save"
        )
        assert "Not kept" in await told(playground, broken)


async def test_group_keeps_pictures_by_leave_of_its_admins_only(
    run_bot: RunBot, playground: Playground
) -> None:
    member, chief = playground.user(1, "Sam", "en"), playground.user(2, "Kim", "en", is_admin=True)
    ada = playground.user(9, "Ada", "en")
    group = playground.group(GROUP, "Friends", [member, chief, ada])
    here = {"chat_id": group.id}
    async with run_bot(admin_ids=(9,)):
        assert "keeps no pictures" in await told(playground, await save(member, "g", **here))
        for user in (member, ada):
            for words in ("/mine allow on", "/mine only", "/forget", "/export"):
                text = await told(playground, await say(user, words, **here))
                assert "Only this group's admins" in text
        assert "From now on" in await told(playground, await say(chief, "/mine allow on", **here))
        kept = await told(playground, await save(member, "g", **here))
        assert "Kept for this group alone, in “secret beach”." in kept
        asked = await asyncio.to_thread(ada.send_photo, picture("g"), "@lookalike_bot", **here)
        found = await answer_to(playground, asked)
        assert "🔒 this group's" in found.captions[0]
        asked = await asyncio.to_thread(member.send_photo, picture("g"))
        assert not any("secret" in line for line in (await answer_to(playground, asked)).captions)
        sent = await say(member, "/mine", **here)
        shown = await playground.until(GROUP, lambda m: "photo" in m, after=sent["message_id"])
        refusal = await pressed(playground, member, shown, "🗑 1")
        assert refusal == "Only this group's admins can do that."
        sent = await say(chief, "/forget", **here)
        question = await playground.until(GROUP, after=sent["message_id"])
        assert "admins" in await pressed(playground, ada, question, "Remove")
        await asyncio.to_thread(chief.press, question, "Remove")
        await playground.until(GROUP, lambda m: "all gone" in m.get("text", ""))


async def test_export_sends_all_in_parts(
    run_bot: RunBot, playground: Playground, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = playground.user(1, "Sam", "en")
    monkeypatch.setattr("bot.parcels.MOST_BYTES", 20_000)
    async with run_bot():
        for number in range(4):
            await told(playground, await save(user, f"e{number}", "#trip day one"))
        sent = await say(user, "/export")
        await playground.until(1, lambda m: "part 2 of" in m.get("caption", ""))
        await asyncio.sleep(0.5)
    parts = [m for m in playground.answers(1, sent["message_id"]) if "document" in m]
    names: list[str] = []
    for part in parts:
        data = playground.file(part["document"]["file_id"])
        assert len(data) < 22_000
        with zipfile.ZipFile(io.BytesIO(data)) as parcel:
            names += [name for name in parcel.namelist() if name.endswith(".jpg")]
            assert "day one" in parcel.read("pictures.csv").decode()
    assert len(set(names)) == 4
    assert all(name.startswith("trip/day one ") for name in names)


async def test_forget_leaves_nothing_behind(
    run_bot: RunBot, playground: Playground, settings: Settings
) -> None:
    user = playground.user(1, "Sam", "en")
    async with run_bot():
        await told(playground, await save(user, "f"))
        with Catalog.open(settings.database) as catalog:
            (name,) = catalog.ids_of(1)
        asked = await asyncio.to_thread(user.send_photo, picture("f"))
        answer = await answer_to(playground, asked)
        sent = await say(user, "/forget")
        question = await playground.until(1, after=sent["message_id"])
        assert "the one picture" in question["text"]
        await asyncio.to_thread(user.press, question, "Remove")
        await playground.until(1, lambda m: "all gone" in m.get("text", ""))
        assert "too old" in await pressed(playground, user, answer.words, "≈ #1")
    assert not list((settings.data_dir / "library").glob("@*"))
    for file in settings.data_dir.glob("lookalike.db*"):
        assert name.encode() not in file.read_bytes()
    with Library.open(settings, write=True) as library:
        assert library.check().is_clean
        assert library.thumbnails.missing([name]) == [name]


async def test_reader_of_the_library_says_so(
    run_bot: RunBot, playground: Playground, settings: Settings
) -> None:
    user = playground.user(1, "Sam", "en")
    with Library.open(settings, write=True) as library:
        Holdings(library, 1).keep(picture("r"), "kept", quota=5)
        async with run_bot():
            text = await told(playground, await save(user, "s"))
            assert "Another program is writing the library" in text
            assert "1 picture, seen by nobody else" in await told(
                playground, await say(user, "/mine")
            )
