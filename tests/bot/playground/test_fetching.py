from __future__ import annotations

import asyncio

import httpx
import pytest
from telegram.error import Conflict
from telegram.ext import Application, MessageHandler, filters

SAM = 1


async def test_updates_stay_until_they_are_confirmed(bot, sam):
    sam.send_text("one")
    sam.send_text("two")
    first = await bot.get_updates()
    assert [u.message.text for u in await bot.get_updates()] == ["one", "two"]
    assert [u.message.text for u in await bot.get_updates(offset=first[1].update_id)] == ["two"]
    assert [u.message.text for u in await bot.get_updates(limit=1, offset=-1)] == ["two"]
    assert await bot.get_updates(offset=first[1].update_id + 1) == ()


async def test_a_long_poll_ends_with_the_first_update(bot, sam):
    poll = asyncio.ensure_future(bot.get_updates(timeout=10))
    await asyncio.sleep(0.1)
    assert not poll.done()
    sam.send_text("hello")
    assert (await asyncio.wait_for(poll, 2))[0].message.text == "hello"


async def test_the_first_of_two_pollers_ends_with_a_conflict(bot, new_bot):
    first = asyncio.ensure_future(bot.get_updates(timeout=10))
    await asyncio.sleep(0.1)
    async with new_bot() as second:
        assert await second.get_updates(timeout=0) == ()
    with pytest.raises(Conflict, match="terminated by other getUpdates request; make sure that"):
        await first


async def test_only_the_kinds_asked_for_arrive(bot, sam):
    await bot.get_updates(allowed_updates=["edited_message", "message_reaction"])
    sent = sam.send_text("one")
    sam.edit(sent, "two")
    sam.react(sent, "👍")
    updates = await bot.get_updates(timeout=1)
    assert updates[0].edited_message.text == "two"
    assert updates[1].message_reaction.new_reaction[0].emoji == "👍"


async def test_what_people_send_is_what_telegram_would_show(bot, sam, picture):
    sam.send_text("/start@lookalike_bot now #tiger https://example.org")
    sam.send_photo(picture(), "/metric l1", forward=True)
    sam.send_album([picture("red"), picture("blue")], "both")
    sam.send_document(picture(kind="PNG"), "a.png", "image/png")
    sam.send_sticker(picture(kind="WEBP"))
    sam.send_sticker(b"\x1f\x8btgs", is_animated=True)
    sam.send_animation(b"mp4 here", thumbnail=picture())
    sam.send_video(b"mp4 here", thumbnail=picture())
    messages = [u.message for u in await bot.get_updates(timeout=1)]
    assert [e.type for e in messages[0].entities] == ["bot_command", "hashtag", "url"]
    assert messages[1].forward_origin
    assert messages[1].caption_entities[0].type == "bot_command"
    assert messages[2].media_group_id == messages[3].media_group_id
    assert [m.caption for m in messages[2:4]] == ["both", None]
    assert messages[4].document.mime_type == "image/png"
    assert not messages[5].sticker.is_animated
    assert messages[6].sticker.is_animated
    assert messages[7].animation.thumbnail.width == 320
    assert messages[8].video.thumbnail
    (again,) = [sam.send_again(messages[1].to_dict(), forward=True)]
    assert again["photo"][0]["file_unique_id"] == messages[1].photo[0].file_unique_id


@pytest.mark.parametrize("style", ["query", "form", "json", "multipart"])
async def test_arguments_may_come_in_any_style_and_methods_in_any_case(playground, sam, style):
    values = {"chat_id": "1", "text": "hi", "reply_markup": '{"inline_keyboard":[]}'}
    url = f"{playground.url}/bot{playground.token}/SENDmessage"
    async with httpx.AsyncClient() as client:
        match style:
            case "query":
                answer = await client.get(url, params=values)
            case "form":
                answer = await client.post(url, data=values)
            case "json":
                answer = await client.post(url, json={**values, "chat_id": 1, "reply_markup": {}})
            case _:
                answer = await client.post(url, data=values, files={"unused": b"x"})
    assert answer.json()["result"]["text"] == "hi"


async def test_an_application_answers_by_polling(playground, sam):
    application = _echo(playground)
    async with application:
        await application.updater.start_polling()
        await application.start()
        sam.send_text("hello")
        assert (await playground.until(SAM))["text"] == "you said hello"
        await application.updater.stop()
        await application.stop()
    assert [c.method for c in playground.calls()[:2]] == ["getme", "deletewebhook"]
    assert playground.account.updates.waiting() == []


async def test_an_application_answers_by_webhook(playground, sam, unused_tcp_port):
    application = _echo(playground)
    async with application:
        await application.updater.start_webhook(
            "127.0.0.1",
            unused_tcp_port,
            "hook",
            webhook_url=f"http://127.0.0.1:{unused_tcp_port}/hook",
            secret_token="a-secret",
        )
        await application.start()
        sam.send_text("hello")
        assert (await playground.until(SAM))["text"] == "you said hello"
        with pytest.raises(Conflict, match="can't use getUpdates method while webhook is active"):
            await application.bot.get_updates()
        info = await application.bot.get_webhook_info()
        assert info.url.endswith("/hook")
        await application.updater.stop()
        sam.send_text("is anybody there?")
        hook = playground.account.webhook
        assert await playground.bell.sleep(lambda: hook.get("last_error_message"), 5)
        info = await application.bot.get_webhook_info()
        assert (info.pending_update_count, info.last_error_message[:10]) == (1, "Connection")
        await application.updater.start_webhook(
            "127.0.0.1",
            unused_tcp_port,
            "hook",
            webhook_url=f"http://127.0.0.1:{unused_tcp_port}/hook",
            secret_token="a-secret",
        )
        await playground.until(SAM, lambda m: m["text"] == "you said is anybody there?")
        await application.bot.delete_webhook(drop_pending_updates=True)
        await application.updater.stop()
        await application.stop()


async def test_a_webhook_elsewhere_is_refused(bot):
    with pytest.raises(Exception, match="Bad webhook"):
        await bot.set_webhook("https://example.org/hook")


def _echo(playground):
    async def echo(update, _context) -> None:
        await update.message.reply_text(f"you said {update.message.text}")

    application = (
        Application.builder()
        .token(playground.token)
        .base_url(f"{playground.url}/bot")
        .base_file_url(f"{playground.url}/file/bot")
        .build()
    )
    application.add_handler(MessageHandler(filters.TEXT, echo))
    return application


@pytest.fixture
def unused_tcp_port() -> int:
    import socket

    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]
