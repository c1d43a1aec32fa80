from __future__ import annotations

import pytest
from telegram import InlineKeyboardButton, InlineKeyboardMarkup, InputMediaPhoto
from telegram.error import BadRequest

SAM = 1
KEYBOARD = InlineKeyboardMarkup([[InlineKeyboardButton("next", callback_data="n")]])


async def test_an_edit_replaces_the_text_and_drops_the_keyboard(bot, playground):
    sent = await bot.send_message(SAM, "searching…", reply_markup=KEYBOARD)
    edited = await sent.edit_text("found")
    assert (edited.text, edited.reply_markup) == ("found", None)
    assert edited.edit_date
    assert [m["text"] for m in playground.answers(SAM)] == ["found"]


async def test_an_edit_to_the_same_is_refused(bot):
    sent = await bot.send_message(SAM, "same", reply_markup=KEYBOARD)
    with pytest.raises(BadRequest, match="Message is not modified: specified new message"):
        await sent.edit_text("same", reply_markup=KEYBOARD)
    await sent.edit_text("same")
    with pytest.raises(BadRequest, match="not modified"):
        await sent.edit_reply_markup(None)


async def test_only_what_is_there_can_be_edited(bot, sam, picture):
    own, photo = await bot.send_message(SAM, "x"), await bot.send_photo(SAM, picture())
    theirs = sam.send_text("mine")["message_id"]
    for work, reason in (
        (bot.edit_message_text("y", SAM, 999), "Message to edit not found"),
        (bot.edit_message_text("y", SAM, theirs), "Message can't be edited"),
        (bot.edit_message_text("y", SAM, photo.id), "no text in the message"),
        (bot.edit_message_caption(SAM, own.id, caption="y"), "no caption in the message"),
        (bot.edit_message_text("", SAM, own.id), "Message text is empty"),
        (bot.edit_message_text("y", SAM, None), "identifier is not specified"),
    ):
        with pytest.raises(BadRequest, match=reason):
            await work


async def test_captions_and_pictures_change_in_place(bot, picture, playground):
    sent = await bot.send_photo(SAM, picture("red"), caption="red")
    await sent.edit_caption("rouge")
    changed = await sent.edit_media(InputMediaPhoto(picture("blue"), caption="blue"))
    assert changed.message_id == sent.message_id
    assert changed.photo[-1].file_unique_id != sent.photo[-1].file_unique_id
    assert [m["caption"] for m in playground.answers(SAM)] == ["blue"]
    text = await bot.send_message(SAM, "searching…")
    assert (await text.edit_media(InputMediaPhoto(picture()))).photo


async def test_messages_are_deleted_once(bot, playground):
    sent = [await bot.send_message(SAM, str(n)) for n in range(3)]
    await sent[0].delete()
    with pytest.raises(BadRequest, match="Message to delete not found"):
        await sent[0].delete()
    await bot.delete_messages(SAM, [m.id for m in sent])
    assert playground.messages(SAM) == []


async def test_a_reaction_is_seen(bot, sam, playground):
    sent = sam.send_text("look")
    await bot.set_message_reaction(SAM, sent["message_id"], "👍")
    assert playground.account.chats[SAM].reactions == {sent["message_id"]: "👍"}
    with pytest.raises(BadRequest, match="Reaction_invalid"):
        await bot.set_message_reaction(SAM, sent["message_id"], "🧮")


async def test_a_button_is_answered_once(bot, sam, playground):
    sent = await bot.send_message(SAM, "5 pictures", reply_markup=KEYBOARD)
    asked = sam.press(sent.to_dict(), "next")
    (update,) = await bot.get_updates(timeout=1)
    assert (update.callback_query.data, update.callback_query.message.message_id) == ("n", sent.id)
    await update.callback_query.answer("here", show_alert=True)
    assert playground.answer_to(asked) == {"text": "here", "show_alert": True}
    with pytest.raises(BadRequest, match="Query is too old and response timeout expired"):
        await update.callback_query.answer()


async def test_a_button_pressed_long_ago_is_too_old(bot, sam, playground):
    sent = await bot.send_message(SAM, "5 pictures", reply_markup=KEYBOARD)
    first, second = sam.press(sent.to_dict(), "n"), sam.press(sent.to_dict(), (0, 0))
    with pytest.raises(BadRequest, match="Message_too_long"):
        await bot.answer_callback_query(second.id, "x" * 201)
    playground.account.expire_queries()
    with pytest.raises(BadRequest, match="query id is invalid"):
        await bot.answer_callback_query(first.id)
    with pytest.raises(LookupError, match="there are"):
        sam.press(sent.to_dict(), "absent")


async def test_an_inline_query_has_at_most_50_results(bot, sam, playground):
    asked = sam.ask_inline("tiger")
    (update,) = await bot.get_updates(timeout=1)
    assert update.inline_query.query == "tiger"

    def results(count, prefix="r"):
        return [
            {"type": "photo", "id": f"{prefix}{n}", "photo_url": "u", "thumbnail_url": "u"}
            for n in range(count)
        ]

    async def answer(given):
        # The name's case keeps PTB from checking the number of results itself.
        await bot.do_api_request(
            "ANSWERinlineQuery", {"inline_query_id": asked.id, "results": given}
        )

    with pytest.raises(BadRequest, match="Results_too_much"):
        await answer(results(51))
    with pytest.raises(BadRequest, match="Result_id_duplicate"):
        await answer(results(2) + results(1))
    await answer(results(50))
    assert len(playground.answer_to(asked)["results"]) == 50
