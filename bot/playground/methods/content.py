"""What most sending methods share: formatted text, media, and the place where a message goes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.playground.arguments import Arguments
from bot.playground.entities import parse, recognise, trim, units
from bot.playground.errors import WRONG_FILE, bad_request
from bot.playground.files import make_media, make_photo
from bot.playground.keyboards import read_markup

if TYPE_CHECKING:
    from bot.playground.arguments import Upload
    from bot.playground.calls import Call
    from bot.playground.chats import Chat
    from bot.playground.files import Media

JSON = dict[str, Any]

TEXT_UNITS = 4096
CAPTION_UNITS = 1024


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message goes, and the fields that say so."""

    chat: Chat
    fields: JSON


def formatted(arguments: Arguments, name: str, entities: str) -> tuple[str, list[JSON]]:
    """Text and entities of an argument, by `parse_mode` or the list named `entities`.

    Raises:
        ApiError: The marks do not fit together.
    """
    text = arguments.text(name)
    given = arguments.array(entities, "entities")
    plain, found = (text, given) if given else parse(text, arguments.text("parse_mode"))
    plain, found = trim(plain, found)
    return plain, recognise(plain, found)


def text_fields(arguments: Arguments) -> JSON:
    """`text` and `entities` of a message.

    Raises:
        ApiError: It is empty, too long, or its marks do not fit together.
    """
    text, entities = formatted(arguments, "text", "entities")
    if not text:
        raise bad_request("message text is empty")
    if units(text) > TEXT_UNITS:
        raise bad_request("message is too long")
    return {"text": text, "entities": entities} if entities else {"text": text}


def caption_fields(arguments: Arguments) -> JSON:
    """`caption` and `caption_entities`; empty where there is none.

    Raises:
        ApiError: It is too long, or its marks do not fit together.
    """
    text, entities = formatted(arguments, "caption", "caption_entities")
    if units(text) > CAPTION_UNITS:
        raise bad_request("message caption is too long")
    fields: JSON = {"caption": text} if text else {}
    if entities:
        fields["caption_entities"] = entities
    if arguments.boolean("show_caption_above_media"):
        fields["show_caption_above_media"] = True
    return fields


async def media_of(call: Call, kind: str, arguments: Arguments, *, part: str = "") -> Media:
    """The photo, document… that a call sends: an upload, or a file the server has.

    Args:
        call: The call, which has the uploads.
        kind: What it is sent as.
        arguments: Where the file is named: those of the call, or of one `InputMedia`.
        part: Name of the argument; the kind, unless given.

    Raises:
        ApiError: There is none, or it cannot be used.
    """
    reference = arguments.text(part or kind)
    upload = call.arguments.upload(reference, part or kind)
    if upload:
        small = call.arguments.upload(arguments.text("thumbnail"), "thumbnail")
        return await receive(call, kind, upload, small)
    if reference.startswith("attach://") or not reference:
        if part:
            raise bad_request("can't parse InputMedia: media not found")
        raise bad_request(f"there is no {kind} in the request")
    if reference.startswith(("http://", "https://")):
        # The real server would fetch it; this one talks to nothing outside the machine.
        raise bad_request("failed to get HTTP URL content")
    if "/" in reference:
        raise bad_request(WRONG_FILE)
    with call.account.bell:
        return call.account.files.media(reference, kind)


async def receive(call: Call, kind: str, upload: Upload, small: Upload | None = None) -> Media:
    """Take in an uploaded file; decoding does not hold up the server."""
    unique_id = call.account.new_unique_id()
    if kind == "photo":
        return await asyncio.to_thread(make_photo, upload.data, unique_id)
    return await asyncio.to_thread(
        make_media,
        kind,
        upload.data,
        unique_id,
        name=upload.name,
        mime=upload.mime,
        thumbnail=small.data if small else None,
    )


def place_of(call: Call, *, markup: bool = True) -> Place:
    """Chat, topic, answered message and keyboard of a call that sends.

    Args:
        call: The call.
        markup: False for albums, on which keyboards are ignored.

    Raises:
        ApiError: The bot cannot write there, or what it answers is gone.
    """
    fields: JSON = {}
    keyboard = read_markup(call.arguments) if markup else None
    if keyboard and "inline_keyboard" in keyboard:
        fields["reply_markup"] = keyboard
    chat = call.account.writable(call.arguments.text("chat_id"))
    thread = call.arguments.integer("message_thread_id")
    if thread:
        if thread not in chat.topics:
            raise bad_request("message thread not found")
        fields |= {"message_thread_id": thread, "is_topic_message": True}
    return Place(chat, fields | _reply_fields(call.arguments, chat))


def _reply_fields(arguments: Arguments, chat: Chat) -> JSON:
    reply = arguments.object("reply_parameters", "reply parameters") or {
        "message_id": arguments.integer("reply_to_message_id"),
        "allow_sending_without_reply": arguments.boolean("allow_sending_without_reply"),
    }
    wanted = Arguments(reply).integer("message_id")
    if not wanted:
        return {}
    replied = chat.reply_target(wanted)
    if replied is None:
        if Arguments(reply).boolean("allow_sending_without_reply"):
            return {}
        raise bad_request("message to be replied not found")
    fields: JSON = {"reply_to_message": replied}
    if reply.get("quote"):
        said = replied.get("text") or replied.get("caption") or ""
        if reply["quote"] not in said:
            raise bad_request("QUOTE_TEXT_INVALID")
        fields["quote"] = {"text": reply["quote"], "position": said.index(reply["quote"])}
    return fields
