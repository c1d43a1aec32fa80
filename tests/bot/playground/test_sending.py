from __future__ import annotations

import io
from collections import Counter

import httpx
import pytest
from PIL import Image
from telegram import (
    Bot,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaDocument,
    InputMediaPhoto,
    ReplyParameters,
)
from telegram.error import BadRequest, Forbidden, InvalidToken, NetworkError

from bot.playground import Playground

SAM = 1


async def test_the_bot_learns_who_it_is(bot, playground):
    me = await bot.get_me()
    assert (me.id, me.username, me.is_bot) == (playground.account.id, "lookalike_bot", True)


async def test_text_arrives_with_its_formatting(bot, playground):
    await bot.send_message(SAM, "😀 <b>bold <i>both</i></b> &lt;", parse_mode="HTML")
    message = playground.wait_for(SAM)
    assert message["text"] == "😀 bold both <"
    assert [(e["type"], e["offset"], e["length"]) for e in message["entities"]] == [
        ("bold", 3, 9),
        ("italic", 8, 4),
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Message text is empty"),
        (" \n ", "Message text is empty"),
        ("x" * 4097, "Message is too long"),
    ],
)
async def test_text_must_be_there_and_not_too_long(bot, text, reason):
    with pytest.raises(BadRequest, match=reason):
        await bot.send_message(SAM, text)


async def test_an_unknown_chat_is_not_found(bot):
    with pytest.raises(BadRequest, match="Chat not found"):
        await bot.send_message(99, "hello")


async def test_a_bot_cannot_write_first(bot, playground):
    user = playground.user(2, "Eve", has_started=False)
    with pytest.raises(BadRequest, match="Chat not found"):
        await bot.send_message(2, "hello")
    user.send_text("/start")
    await bot.send_message(2, "hello")


async def test_a_person_who_blocked_the_bot_gets_nothing(bot, sam, playground):
    sam.block()
    with pytest.raises(Forbidden, match="bot was blocked by the user"):
        await bot.send_message(SAM, "hello")
    sam.unblock()
    await bot.send_message(SAM, "hello")
    assert len(playground.answers(SAM)) == 1
    changes = [u["my_chat_member"]["new_chat_member"]["status"]
               for u in playground.account.updates.waiting()]  # fmt: skip
    assert changes == ["kicked", "member"]


async def test_a_photo_comes_in_several_sizes_and_can_be_downloaded(bot, picture):
    message = await bot.send_photo(SAM, picture(size=(2000, 1000)), caption="wide")
    assert [max(s.width, s.height) for s in message.photo] == [90, 320, 800, 1280]
    file = await bot.get_file(message.photo[-1].file_id)
    assert file.file_unique_id == message.photo[-1].file_unique_id
    downloaded = Image.open(io.BytesIO(await file.download_as_bytearray()))
    assert (downloaded.size, downloaded.format) == ((1280, 640), "JPEG")


async def test_a_photo_that_lies_on_its_side_is_turned(bot):
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (300, 100)).save(out, "JPEG", exif=exif)
    message = await bot.send_photo(SAM, out.getvalue())
    assert (message.photo[-1].width, message.photo[-1].height) == (100, 300)


async def test_a_file_id_sends_the_same_photo_again(bot, picture, playground):
    first = await bot.send_photo(SAM, picture())
    again = await bot.send_photo(SAM, first.photo[0].file_id)
    assert again.photo == first.photo
    assert playground.calls("sendPhoto")[-1].arguments["photo"] == first.photo[0].file_id


async def test_a_dead_file_id_is_refused(bot, picture, playground):
    first = await bot.send_photo(SAM, picture())
    playground.kill_file(first.photo[-1].file_id)
    for work in (bot.send_photo(SAM, first.photo[-1].file_id), bot.get_file(first.photo[-1])):
        with pytest.raises(BadRequest, match=r"(?i)wrong file"):
            await work


async def test_file_ids_belong_to_one_bot(picture):
    playground = Playground()
    other = playground.add_bot("77:other", "other_bot")
    playground.user(SAM)
    playground.user(SAM, account=other)
    async with playground:
        urls = {"base_url": f"{playground.url}/bot", "base_file_url": f"{playground.url}/file/bot"}
        async with Bot(playground.token, **urls) as one, Bot("77:other", **urls) as two:
            sent = await one.send_photo(SAM, picture())
            with pytest.raises(BadRequest, match="Wrong file identifier"):
                await two.send_photo(SAM, sent.photo[-1].file_id)


@pytest.mark.parametrize(
    ("size", "reason"),
    [((10, 300), "Photo_invalid_dimensions"), ((9000, 1001), "Photo_invalid_dimensions")],
)
async def test_odd_dimensions_are_refused(bot, picture, size, reason):
    with pytest.raises(BadRequest, match=reason):
        await bot.send_photo(SAM, picture(size=size))


async def test_bytes_that_are_no_picture_are_refused(bot, picture):
    for data in (b"not a picture", picture(size=(600, 600))[:700]):
        with pytest.raises(BadRequest, match="Image_process_failed"):
            await bot.send_photo(SAM, data)


async def test_a_photo_of_more_than_ten_megabytes_is_refused(bot):
    with pytest.raises(BadRequest, match="too big for a photo; the maximum size is 10485760"):
        await bot.send_photo(SAM, bytes(10 * 1024 * 1024 + 1))


async def test_a_file_of_more_than_fifty_megabytes_is_refused(bot):
    with pytest.raises(NetworkError, match="Request Entity Too Large"):
        await bot.send_document(SAM, bytes(50 * 1024 * 1024 + 1))


async def test_a_caption_is_at_most_1024_long(bot, picture):
    await bot.send_photo(SAM, picture(), caption="é" * 1024)
    with pytest.raises(BadRequest, match="Message caption is too long"):
        await bot.send_photo(SAM, picture(), caption="😀" * 513)


async def test_a_document_keeps_its_bytes(bot, picture):
    data = picture(kind="PNG")
    message = await bot.send_document(SAM, data, filename="a.png", caption="as it is")
    file = await bot.get_file(message.document)
    assert await file.download_as_bytearray() == data
    assert message.document.thumbnail.width == 320
    with pytest.raises(BadRequest, match=r"(?i)use file of type Document as Photo"):
        await bot.send_photo(SAM, message.document.file_id)


async def test_other_media_arrive(bot, picture):
    gif = picture(kind="GIF")
    assert (await bot.send_animation(SAM, gif)).animation.width == 400
    assert (await bot.send_sticker(SAM, picture(kind="WEBP"))).sticker.thumbnail
    assert (await bot.send_video(SAM, b"\0\0\0\x18ftypmp42")).video.file_id


async def test_a_large_file_cannot_be_downloaded(bot, sam):
    sent = sam.send_document(bytes(20 * 1024 * 1024 + 1), "large.bin", "application/zip")
    with pytest.raises(BadRequest, match="File is too big"):
        await bot.get_file(sent["document"]["file_id"])


async def test_an_album_is_several_messages_of_one_group(bot, picture, playground, sam):
    question = sam.send_photo(picture("red"))
    media = [InputMediaPhoto(picture(), caption=f"<b>{n}</b>", parse_mode="HTML") for n in range(3)]
    sent = await bot.send_media_group(
        SAM, media, reply_parameters=ReplyParameters(question["message_id"])
    )
    assert [m.caption for m in sent] == ["0", "1", "2"]
    assert len({m.media_group_id for m in sent}) == 1
    assert len({m.message_id for m in sent}) == 3
    assert all(m.reply_to_message.message_id == question["message_id"] for m in sent)
    again = await bot.send_media_group(SAM, [InputMediaPhoto(m.photo[-1].file_id) for m in sent])
    assert again[0].media_group_id != sent[0].media_group_id


async def test_an_album_of_one_is_a_plain_message(bot, picture):
    (sent,) = await bot.send_media_group(SAM, [InputMediaPhoto(picture())])
    assert sent.media_group_id is None


async def test_keyboards_on_albums_are_ignored(bot, picture):
    markup = '{"inline_keyboard":[[{"text":"a","callback_data":"b"}]]}'
    media = [InputMediaPhoto(picture()), InputMediaPhoto(picture())]
    sent = await bot.send_media_group(SAM, media, api_kwargs={"reply_markup": markup})
    assert all(m.reply_markup is None for m in sent)


async def test_a_bad_album_sends_nothing(bot, picture, playground):
    photo = InputMediaPhoto(picture())
    bad = {
        "too many messages": [photo] * 11,
        "can't be mixed": [photo, InputMediaDocument(picture())],
        r'message #2 with the error message "Image_process_failed': [
            photo, InputMediaPhoto(b"?")],
        r'message #1 with the error message "Wrong file identifier': [
            InputMediaPhoto("AgACAgQAAxDead"), photo],
    }  # fmt: skip
    for reason, media in bad.items():
        with pytest.raises(BadRequest, match=f"(?i){reason}"):
            await bot.send_media_group(SAM, media)
    url = f"{playground.url}/bot{playground.token}/sendMediaGroup"
    async with httpx.AsyncClient() as client:
        empty = await client.get(url, params={"chat_id": SAM, "media": "[]"})
    assert empty.json()["description"] == "Bad Request: there are no messages to send"
    assert playground.answers(SAM) == []


async def test_what_is_answered_must_be_there(bot):
    with pytest.raises(BadRequest, match="Message to be replied not found"):
        await bot.send_message(SAM, "to nothing", reply_parameters=ReplyParameters(555))
    lenient = ReplyParameters(555, allow_sending_without_reply=True)
    sent = await bot.send_message(SAM, "to nothing", reply_parameters=lenient)
    assert sent.reply_to_message is None


@pytest.mark.parametrize(
    ("button", "reason"),
    [
        ({"text": "a", "callback_data": "ä" * 33}, "Button_data_invalid"),
        ({"text": "a", "callback_data": ""}, "Button_data_invalid"),
        ({"text": "a"}, "text buttons are unallowed"),
        ({"text": " ", "callback_data": "b"}, 'field "text" must be'),
        ({"text": "a", "url": "not an address"}, "is invalid"),
    ],
)
async def test_buttons_are_checked(bot, button, reason):
    with pytest.raises(BadRequest, match=reason):
        await bot.send_message(
            SAM, "x", api_kwargs={"reply_markup": {"inline_keyboard": [[button]]}}
        )


async def test_64_bytes_of_button_data_pass(bot):
    markup = InlineKeyboardMarkup([[InlineKeyboardButton("a", callback_data="ä" * 32)]])
    sent = await bot.send_message(SAM, "x", reply_markup=markup)
    assert sent.reply_markup == markup


async def test_chat_actions_show_and_end_with_the_next_message(bot, playground):
    await bot.send_chat_action(SAM, "upload_photo")
    assert playground.account.chats[SAM].action[0] == "upload_photo"
    await bot.send_message(SAM, "here")
    assert playground.account.chats[SAM].action[0] == ""
    with pytest.raises(BadRequest, match="Wrong parameter action"):
        await bot.send_chat_action(SAM, "juggling")


async def test_copies_and_forwards(bot, picture, sam):
    photo = sam.send_photo(picture(), "mine")
    copied = await bot.copy_message(SAM, SAM, photo["message_id"], caption="ours")
    forwarded = await bot.forward_message(SAM, SAM, photo["message_id"])
    assert copied.message_id == photo["message_id"] + 1
    assert forwarded.forward_origin.sender_user.id == SAM
    assert forwarded.photo[0].file_unique_id == photo["photo"][0]["file_unique_id"]


async def test_an_unknown_token_is_refused(new_bot):
    with pytest.raises(InvalidToken):
        async with new_bot("4200001:wrong"):
            pass


async def test_an_unknown_method_is_not_found(bot):
    with pytest.raises(Exception, match=r"(?i)not.found"):
        await bot.do_api_request("juggle")


async def test_private_chats_share_one_numbering_and_supergroups_have_their_own(
    bot, playground, sam
):
    other = playground.user(2, "Eve")
    playground.group(-1_000_000_000_007, "Friends", [sam, other])
    ids = [(await bot.send_message(chat, "x")).message_id for chat in (1, 2, 1, -1_000_000_000_007)]
    assert ids == [1, 2, 3, 1]
    assert max(Counter(ids).values()) == 2
