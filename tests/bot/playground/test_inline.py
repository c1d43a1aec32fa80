"""Inline queries on the server: answers are checked, results can be sent."""

from __future__ import annotations

import pytest
from telegram import InlineQueryResultCachedPhoto, InlineQueryResultsButton
from telegram.error import BadRequest

SAM = 1


@pytest.fixture
async def photo(bot, picture) -> str:
    return (await bot.send_photo(SAM, picture())).photo[-1].file_id


async def asked_by(sam, bot, query="tiger", offset=""):
    asked = sam.ask_inline(query, offset)
    updates = await bot.get_updates(timeout=1, allowed_updates=["inline_query", "message"])
    return asked, updates[-1].inline_query


async def test_a_query_is_answered_with_photos_and_a_button(bot, sam, playground, photo):
    asked, query = await asked_by(sam, bot, "tiger", "c50")
    assert (query.query, query.offset, query.from_user.id) == ("tiger", "c50", SAM)
    await query.answer(
        [InlineQueryResultCachedPhoto("a", photo, caption="<b>tiger</b>", parse_mode="HTML")],
        cache_time=30, is_personal=True, next_offset="c100",
        button=InlineQueryResultsButton("More", start_parameter="c_tiger"),
    )  # fmt: skip
    answer = playground.answer_to(asked)
    assert (answer["next_offset"], answer["cache_time"], answer["is_personal"]) == (
        "c100",
        30,
        True,
    )
    assert answer["button"] == {"text": "More", "start_parameter": "c_tiger"}
    (result,) = answer["results"]
    assert result["content"]["caption"] == "tiger"
    assert result["content"]["photo"][-1]["file_id"] == photo


async def test_a_result_is_sent_in_the_persons_name_via_the_bot(bot, sam, playground, photo):
    asked, query = await asked_by(sam, bot)
    await query.answer([InlineQueryResultCachedPhoto("a", photo, caption="tiger")])
    group = playground.group(-1_001_000_000_001, "Zoo", [sam]).id
    sent = sam.choose_inline(asked, "a", chat_id=group)
    assert sent["from"]["id"] == SAM
    assert sent["via_bot"]["id"] == bot.id
    seen = (await bot.get_updates(timeout=1))[-1].message
    assert (seen.via_bot.id, seen.caption, seen.chat.id) == (bot.id, "tiger", group)
    for wrong in (asked, sam.ask_inline("another")):
        with pytest.raises(LookupError, match="no result"):
            sam.choose_inline(wrong, "b")


async def test_what_telegram_would_refuse_is_refused(bot, sam, playground, photo):
    asked, _ = await asked_by(sam, bot)
    result = {"type": "photo", "id": "a", "photo_file_id": photo}
    long = result | {"caption": "x" * 1025}
    for given, reason in (
        ({"results": [result | {"photo_file_id": "dead"}]}, "Wrong file identifier"),
        ({"results": [long]}, "caption is too long"),
        ({"results": [result], "next_offset": "x" * 65}, "Next_offset_invalid"),
        ({"results": [], "button": {"text": "Go", "start_parameter": "no spaces"}}, "Start_param"),
        ({"results": [], "button": {"text": " ", "start_parameter": "a"}}, "Button_text_invalid"),
    ):
        # The name's case keeps PTB from checking first.
        with pytest.raises(BadRequest, match=reason):
            await bot.do_api_request("ANSWERinlineQuery", {"inline_query_id": asked.id} | given)
    playground.kill_file(photo)
    with pytest.raises(BadRequest, match="Wrong file identifier"):
        await bot.answer_inline_query(asked.id, [InlineQueryResultCachedPhoto("a", photo)])
    await bot.answer_inline_query(asked.id, [])
    with pytest.raises(BadRequest, match="Query is too old"):
        await bot.answer_inline_query(asked.id, [])
