"""The whole bot against a Bot API server on this machine."""

from __future__ import annotations

import asyncio
import io
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image, ImageOps

from bot.app import LookalikeBot, run
from bot.playground import Fault, Photo, Playground
from engine.config import Settings, load_settings
from engine.search import Search
from tests.bot.conftest import RunBot, answer_to, draw

if TYPE_CHECKING:
    from pathlib import Path

    from engine.search import Match, Query


def keyboard(message: dict[str, Any]) -> list[list[str]]:
    return [[key["text"] for key in row] for row in message["reply_markup"]["inline_keyboard"]]


async def test_photo_is_answered_by_an_album_and_buttons(
    run_bot: RunBot, playground: Playground
) -> None:
    user = playground.user(1, "Sam", "en")
    async with run_bot():
        sent = await asyncio.to_thread(user.send_photo, draw("tiger", 0))
        answer = await answer_to(playground, sent)
    assert re.fullmatch(r"#1 · tiger · \d+% similar", answer.captions[0])
    assert len(answer.captions) == 3
    assert {m["media_group_id"] for m in answer.pictures} == {answer.pictures[0]["media_group_id"]}
    assert answer.pictures[0]["reply_to_message"]["message_id"] == sent["message_id"]
    assert "pixels" in answer.words["text"]
    assert keyboard(answer.words) == [
        ["≈ #1", "≈ #2", "≈ #3"],
        ["Only #tiger"],
        ["Next page ›", "Other metric"],
    ]
    assert playground.calls("sendChatAction")


async def test_flags_in_the_caption_hold_for_this_question(
    run_bot: RunBot, playground: Playground
) -> None:
    user = playground.user(1, "Sam", "en")
    async with run_bot():
        for caption, count in (("#red_panda /topk 5 /metric l2 please", 5), ("", 3)):
            sent = await asyncio.to_thread(user.send_photo, draw("tiger", 0), caption)
            answer = await answer_to(playground, sent)
            assert len(answer.captions) == count
            if caption:
                assert all("red panda" in line for line in answer.captions)
                assert "l2" in answer.words["text"]


async def test_single_match_is_a_plain_photo(run_bot: RunBot, playground: Playground) -> None:
    user = playground.user(1, "Sam", "en")
    async with run_bot():
        sent = await asyncio.to_thread(user.send_photo, draw("sky", 1), "/topk 1")
        answer = await answer_to(playground, sent)
    (caption,) = answer.captions
    assert caption.startswith("#1 · sky · ")
    assert "media_group_id" not in answer.pictures[0]


async def test_several_photos_at_once_are_one_question(
    run_bot: RunBot, playground: Playground
) -> None:
    user = playground.user(1, "Sam", "en")
    async with run_bot():
        photos = [Photo(draw("sky", n)) for n in range(3)]
        sent = await asyncio.to_thread(user.send_album, photos, "/topk 4")
        answer = await answer_to(playground, sent[-1])
        await asyncio.sleep(0.3)
        texts = [m for m in playground.answers(1) if "text" in m]
    assert len(texts) == 1
    assert len(answer.captions) == 4


async def test_buttons_bring_more_next_page_and_other_metric(
    run_bot: RunBot, playground: Playground
) -> None:
    user = playground.user(1, "Sam", "en")
    async with run_bot():
        sent = await asyncio.to_thread(user.send_photo, draw("tiger", 0), "/metric l1")
        first = await answer_to(playground, sent)
        asked = await asyncio.to_thread(user.press, first.words, "Next page ›")
        second = await answer_to(playground, first.words)
        assert asked.answer is not None
        assert [line[:2] for line in second.captions] == ["#4", "#5", "#6"]
        assert "page 2" in second.words["text"]
        await asyncio.to_thread(user.press, second.words, "≈ #5")
        alike = await answer_to(playground, second.words)
        assert alike.captions[0].startswith("#1")
        await asyncio.to_thread(user.press, first.words, "Other metric")
        changed = await playground.until(1, lambda m: "l2 – pixels" in str(m.get("reply_markup")))
        assert changed["message_id"] == first.words["message_id"]
        await asyncio.to_thread(user.press, changed, "l2 – pixels")
        other = await answer_to(playground, alike.words)
        assert "l2" in other.words["text"]


async def test_mirrored_and_grainy_photos_find_their_original_when_asked_so(
    run_bot: RunBot, playground: Playground
) -> None:
    with Image.open(io.BytesIO(draw("sky", 3))) as image:
        flipped = ImageOps.mirror(image)
    for x in range(0, flipped.width, 9):
        flipped.putpixel((x, x * 7 % flipped.height), (255, 0, 255))
    written = io.BytesIO()
    flipped.save(written, "PNG")
    user = playground.user(1, "Sam", "en")
    async with run_bot():
        percents = []
        for caption in ("/topk 1", "/mirror /denoise /topk 1"):
            sent = await asyncio.to_thread(user.send_photo, written.getvalue(), caption)
            answer = await answer_to(playground, sent)
            percents.append(int(re.search(r"(\d+)%", answer.captions[0])[1]))
        assert percents[1] > percents[0]
        assert percents[1] >= 97
        await asyncio.to_thread(user.press, answer.words, "Next page ›")
        following = await answer_to(playground, answer.words)
    assert following.captions[0].startswith("#2")


async def test_answer_without_anything_alike_says_so(
    run_bot: RunBot, playground: Playground
) -> None:
    written = io.BytesIO()
    stripes = Image.new("RGB", (160, 120), "white")
    for x in range(0, 160, 2):
        stripes.paste("black", (x, 60 * (x // 2 % 2), x + 1, 60 * (x // 2 % 2) + 60))
    ImageOps.invert(stripes.rotate(45)).save(written, "PNG")
    user = playground.user(1, "Sam", "en")
    async with run_bot():
        sent = await asyncio.to_thread(user.send_photo, written.getvalue(), "/metric correlation")
        assert "really alike" in (await answer_to(playground, sent)).words["text"]
        sent = await asyncio.to_thread(user.send_photo, draw("sky", 3), "/metric correlation")
        assert "really alike" not in (await answer_to(playground, sent)).words["text"]


async def test_settings_and_buttons_survive_a_restart(
    run_bot: RunBot, playground: Playground
) -> None:
    user = playground.user(1, "Sam", "en")
    async with run_bot():
        for words in ("/topk 2", "/metric euclidean", "/language vi"):
            sent = await asyncio.to_thread(user.send_text, words)
            await playground.until(1, after=sent["message_id"])
        sent = await asyncio.to_thread(user.send_photo, draw("sky", 2))
        answer = await answer_to(playground, sent)
    assert len(answer.captions) == 2
    assert re.fullmatch(r"#1 · sky · giống \d+%", answer.captions[0])
    async with run_bot():
        await asyncio.to_thread(user.press, answer.words, "Trang sau ›")
        second = await answer_to(playground, answer.words)
    assert [line[:2] for line in second.captions] == ["#3", "#4"]
    assert "l2" in second.words["text"]


async def test_choosers_offer_buttons_and_edit_in_place(
    run_bot: RunBot, playground: Playground
) -> None:
    user = playground.user(1, "Sam", "en")
    async with run_bot():
        for command, button, reply in (
            ("/metric", "l2 – pixels", "From now on I compare by l2 – pixels."),
            ("/topk", "7", "From now on you get 7 pictures."),
            ("/language", "Tiếng Việt", "Từ giờ mình sẽ nói tiếng Việt."),
        ):
            sent = await asyncio.to_thread(user.send_text, command)
            chooser = await playground.until(1, after=sent["message_id"])
            await asyncio.to_thread(user.press, chooser, button)
            changed = await playground.until(1, lambda m, r=reply: m.get("text") == r)
            assert changed["message_id"] == chooser["message_id"]


WORDS = {
    "/start": "Send me a photo",
    "/help": "/metric l1",
    "/settings": "Pictures per answer: 3",
    "/topk 11": "1 to 10",
    "/topk 0": "1 to 10",
    "/topk abc": "1 to 10",
    "/metric l3": "Did you mean",
    "/language xx": "en or vi",
    "/nonsense": "/help",
    f"/metric {'x' * 4000}": "no metric",
    "hello": "no image model",
}


async def test_words_get_one_helpful_answer(run_bot: RunBot, playground: Playground) -> None:
    user = playground.user(1, "Sam", "en")
    async with run_bot():
        for words, part in WORDS.items():
            sent = await asyncio.to_thread(user.send_text, words)
            answer = await playground.until(1, after=sent["message_id"])
            assert part in answer["text"], words
        await asyncio.sleep(0.2)
    assert len(playground.answers(1)) == len(WORDS)


def png(size: tuple[int, int]) -> bytes:
    written = io.BytesIO()
    Image.new("1", size).save(written, "PNG")
    return written.getvalue()


async def test_bad_input_gets_one_helpful_line(run_bot: RunBot, playground: Playground) -> None:
    user = playground.user(1, "Sam", "en")
    broken = draw("tiger", 0)[:3000]
    async with run_bot():
        for send, part in (
            (lambda: user.send_document(b"%PDF", "a.pdf", "application/pdf"), "no picture"),
            (lambda: user.send_document(b"rubbish", "a.jpg", "image/jpeg"), "no picture I can"),
            (lambda: user.send_document(broken, "a.jpg", "image/jpeg"), "damaged"),
            (lambda: user.send_document(png((9000, 9000)), "a.png", "image/png"), "million pixels"),
            (lambda: user.send_document(bytes(21 << 20), "a.jpg", "image/jpeg"), "20 MB"),
            (lambda: user.send_photo(draw("sky", 0), "#unicorn"), "no category"),
            (lambda: user.send_photo(draw("sky", 0), "/topk 12"), "1 to 10"),
            (lambda: user.send_photo(draw("sky", 0), "/metric foo"), "no metric"),
        ):
            sent = await asyncio.to_thread(send)
            answer = await playground.until(1, after=sent["message_id"])
            assert part in answer["text"]
            assert "\n" not in answer["text"]


async def test_every_kind_of_picture_is_looked_at(run_bot: RunBot, playground: Playground) -> None:
    user = playground.user(1, "Sam", "en")
    picture = draw("sky", 3)
    webp = io.BytesIO()
    Image.open(io.BytesIO(picture)).save(webp, "WEBP")
    async with run_bot():
        for send in (
            lambda: user.send_document(picture),
            lambda: user.send_sticker(webp.getvalue()),
            lambda: user.send_video(b"video", thumbnail=picture),
            lambda: user.send_photo(picture, "from elsewhere #sunset", forward=True),
        ):
            sent = await asyncio.to_thread(send)
            answer = await answer_to(playground, sent)
            assert "sky" in answer.captions[0]


async def test_file_ids_are_sent_again_and_a_dead_one_is_replaced(
    run_bot: RunBot, playground: Playground
) -> None:
    user = playground.user(1, "Sam", "en")
    async with run_bot():
        file_ids = []
        for turn in range(3):
            sent = await asyncio.to_thread(user.send_photo, draw("tiger", 0))
            answer = await answer_to(playground, sent)
            assert len(answer.captions) == 3
            file_ids.append([m["photo"][-1]["file_id"] for m in answer.pictures])
            if turn == 1:
                playground.kill_file(file_ids[1][0])
    assert file_ids[0] == file_ids[1]
    assert file_ids[2][0] != file_ids[1][0]


async def test_group_hears_the_bot_only_when_it_speaks_to_it(
    run_bot: RunBot, playground: Playground
) -> None:
    user = playground.user(1, "Sam", "en")
    group = playground.group(-1001, "Friends", [user])
    playground.account.reads_groups = True
    async with run_bot():
        picture = draw("sky", 0)

        async def say(*args: Any, **where: Any) -> dict[str, Any]:
            return await asyncio.to_thread(user.send_photo, *args, chat_id=group.id, **where)

        silent = await say(picture)
        await asyncio.to_thread(user.send_text, "hello", chat_id=group.id)
        sent = await say(picture, "@lookalike_bot")
        answer = await answer_to(playground, sent)
        assert len(answer.captions) == 3
        assert not [m for m in playground.answers(group.id) if m["message_id"] < sent["message_id"]]
        reply = await say(picture, reply_to=answer.words["message_id"])
        again = await answer_to(playground, reply)
        named = await asyncio.to_thread(
            user.send_text, "@lookalike_bot", chat_id=group.id, reply_to=silent["message_id"]
        )
        assert len((await answer_to(playground, named)).captions) == len(again.captions) == 3


async def test_somebody_elses_caption_is_not_taken_for_the_askers_words(
    run_bot: RunBot, playground: Playground
) -> None:
    asker, other = playground.user(1, "Sam", "en"), playground.user(2, "Kim", "en")
    group = playground.group(-1001, "Friends", [asker, other])
    playground.account.reads_groups = True
    async with run_bot():
        picture = await asyncio.to_thread(
            other.send_photo, draw("sky", 0), "#sunset", chat_id=group.id
        )
        asked = await asyncio.to_thread(
            asker.send_text,
            "@lookalike_bot #tiger",
            chat_id=group.id,
            reply_to=picture["message_id"],
        )
        answer = await answer_to(playground, asked)
    assert all("tiger" in line for line in answer.captions)


async def test_buttons_name_the_pictures_that_could_be_sent(
    run_bot: RunBot, playground: Playground, settings: Settings
) -> None:
    user = playground.user(1, "Sam", "en")
    broken = settings.data_dir / "broken.jpg"
    broken.write_bytes(b"no picture")

    def search(self: Search, query: Query) -> list[Match]:
        first, second, third = real(self, query)
        return [first, replace(second, path=broken), third]

    real = Search.run
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Search, "run", search)
        async with run_bot():
            sent = await asyncio.to_thread(user.send_photo, draw("tiger", 0))
            answer = await answer_to(playground, sent)
    assert [line[:2] for line in answer.captions] == ["#1", "#3"]
    assert keyboard(answer.words)[0] == ["≈ #1", "≈ #3"]


async def test_answer_arrives_although_the_question_was_deleted(
    run_bot: RunBot, playground: Playground
) -> None:
    user = playground.user(1, "Sam", "en")
    playground.faults.next("download", Fault("slow", delay_s=0.5))
    async with run_bot():
        sent = await asyncio.to_thread(user.send_photo, draw("sky", 0))
        await asyncio.to_thread(user.delete, sent)
        assert len((await answer_to(playground, sent)).captions) == 3


async def test_blocked_bot_forgets_quietly_and_serves_the_others(
    run_bot: RunBot, playground: Playground, caplog: pytest.LogCaptureFixture
) -> None:
    gone, here = playground.user(1, "Gone", "en"), playground.user(2, "Here", "en")
    async with run_bot():
        await asyncio.to_thread(gone.send_photo, draw("sky", 0))
        await asyncio.to_thread(gone.block)
        sent = await asyncio.to_thread(here.send_photo, draw("sky", 0))
        assert len((await answer_to(playground, sent)).captions) == 3
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_other_poller_is_waited_out(run_bot: RunBot, playground: Playground) -> None:
    user = playground.user(1, "Sam", "en")
    playground.faults.next("getUpdates", "conflict", times=2)
    async with run_bot():
        sent = await asyncio.to_thread(user.send_text, "/start")
        assert await playground.until(1, after=sent["message_id"])


async def test_left_questions_are_answered_after_a_restart_and_none_twice(
    run_bot: RunBot, playground: Playground
) -> None:
    users = [playground.user(number, "Sam", "en") for number in range(1, 6)]
    async with run_bot() as bot:
        playground.faults.share(1.0, kinds=["flood"], methods=["sendMediaGroup"])
        sent = [await asyncio.to_thread(user.send_photo, draw("sky", 0)) for user in users]
        while bot.line.in_hand < len(users):  # noqa: ASYNC110 -- it waits for the bot
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.3)
        playground.faults.clear()
    async with run_bot():
        answers = [await answer_to(playground, message) for message in sent]
        await asyncio.sleep(0.5)
    assert all(len(answer.captions) == 3 for answer in answers)
    for user in users:
        assert len(playground.answers(user.id)) == 4


async def test_notice_of_a_process_that_was_cut_goes_with_the_next_one(
    run_bot: RunBot, playground: Playground, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = playground.user(1, "Sam", "en")
    monkeypatch.setattr("bot.busy.NOTICE_AFTER_S", 0.05)
    monkeypatch.setattr("bot.app.FINISH_WITHIN_S", 0.2)
    async with run_bot() as bot:
        monkeypatch.setattr(bot.gallery, "ask", lambda _: asyncio.Event().wait())
        playground.faults.share(1.0, kinds=["bad_gateway"], methods=["deleteMessage"])
        sent = await asyncio.to_thread(user.send_photo, draw("sky", 0))
        notice = await playground.until(1, after=sent["message_id"])
        assert "searching" in notice["text"]
        await asyncio.sleep(0.2)
    playground.faults.clear()
    assert [m["message_id"] for m in playground.answers(1)] == [notice["message_id"]]
    monkeypatch.setattr("bot.busy.NOTICE_AFTER_S", 60.0)
    async with run_bot():
        answer = await answer_to(playground, sent)
        await asyncio.sleep(0.3)
    assert len(answer.captions) == 3
    assert notice["message_id"] not in {m["message_id"] for m in playground.answers(1)}


async def test_forty_chats_with_three_photos_each_get_every_answer_once(
    run_bot: RunBot, playground: Playground
) -> None:
    users = [playground.user(number, f"User {number}", "en") for number in range(1, 41)]
    async with run_bot():
        playground.faults.share(0.10, seed=1)

        def ask_all() -> None:
            for turn in range(3):
                for user in users:
                    user.send_photo(draw("tiger", turn))

        await asyncio.to_thread(ask_all)

        def finished() -> bool:
            sent = [m for user in users for m in playground.answers(user.id)]
            return sum("reply_markup" in message for message in sent) >= 120

        async with asyncio.timeout(120):
            while not finished():  # noqa: ASYNC110 -- it waits for the server
                await asyncio.sleep(0.1)
        playground.faults.clear()
        await asyncio.sleep(1.0)
    for user in users:
        answers = playground.answers(user.id)
        assert sum("text" in message for message in answers) == 3, user.id
        assert sum("photo" in message for message in answers) == 9, user.id
        ranks = [message["caption"][:2] for message in answers if "photo" in message]
        assert ranks == ["#1", "#2", "#3"] * 3, user.id


async def test_wrong_token_ends_with_one_clear_line(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = settings.model_copy(
        update={"telegram_token": load_settings(telegram_token="1:wrong").telegram_token}
    )
    assert await LookalikeBot(wrong).run() == 1
    assert [r.getMessage() for r in caplog.records if "BotFather" in r.getMessage()]


def test_missing_token_ends_with_one_clear_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(load_settings(telegram_token=None, data_dir=tmp_path, _env_file=None)) == 1
    assert "BotFather" in capsys.readouterr().err


async def test_forward_of_a_known_photo_is_answered_without_fetching_it_again(
    run_bot: RunBot, playground: Playground
) -> None:
    sam, linh = playground.user(1, "Sam", "en"), playground.user(2, "Linh", "vi")
    async with run_bot(metric="l1"):
        sent = await asyncio.to_thread(sam.send_photo, draw("tiger", 0))
        first = await answer_to(playground, sent)
        fetched = len(playground.calls("getFile"))
        forwarded = await asyncio.to_thread(linh.send_again, sent, forward=True)
        second = await answer_to(playground, forwarded)
        assert len(playground.calls("getFile")) == fetched
        other = await asyncio.to_thread(linh.send_again, sent, "/topk 1")
        await answer_to(playground, other)
        assert len(playground.calls("getFile")) == fetched + 1
    assert [caption.split(" · ")[:2] for caption in second.captions] == [
        caption.split(" · ")[:2] for caption in first.captions
    ]
    assert "giống" in second.captions[0], "in the language of whoever asks"
