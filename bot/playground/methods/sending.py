"""Methods that send one message, and the chat action."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.playground.errors import bad_request
from bot.playground.methods.content import caption_fields, media_of, place_of, text_fields

if TYPE_CHECKING:
    from bot.playground.calls import Call, Method

JSON = dict[str, Any]

_ACTIONS = frozenset({
    "typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice",
    "upload_document", "choose_sticker", "find_location", "record_video_note",
    "upload_video_note",
})  # fmt: skip
_NOT_COPIED = frozenset({
    "message_id", "from", "chat", "date", "edit_date", "reply_to_message", "reply_markup",
    "media_group_id", "message_thread_id", "is_topic_message", "quote",
})  # fmt: skip


async def send_message(call: Call) -> JSON:
    """`sendMessage`."""
    content = text_fields(call.arguments)
    with call.account.bell:
        place = place_of(call)
        return call.account.post(place.chat, call.account.as_user(), content | place.fields)


def _sender(kind: str) -> Method:
    async def send(call: Call) -> JSON:
        caption = {} if kind == "sticker" else caption_fields(call.arguments)
        with call.account.bell:
            place_of(call)  # before the work of taking the file in
        media = await media_of(call, kind, call.arguments)
        with call.account.bell:
            place = place_of(call)
            content = call.account.message_media(media) | caption | place.fields
            return call.account.post(place.chat, call.account.as_user(), content)

    return send


async def send_chat_action(call: Call) -> bool:
    """`sendChatAction`."""
    action = call.arguments.text("action")
    if action not in _ACTIONS:
        raise bad_request("wrong parameter action in request")
    chat = call.account.writable(call.arguments.text("chat_id"))
    call.account.show_action(chat, action)
    return True


def _source(call: Call) -> JSON:
    chat = call.account.chat(call.arguments.text("from_chat_id"))
    message = chat.messages.get(call.arguments.integer("message_id"))
    if message is None:
        raise bad_request("message to copy not found")
    return message


async def copy_message(call: Call) -> JSON:
    """`copyMessage`."""
    with call.account.bell:
        content = {k: v for k, v in _source(call).items() if k not in _NOT_COPIED}
        if "caption" in call.arguments:
            content.pop("caption", None)
            content.pop("caption_entities", None)
            content |= caption_fields(call.arguments)
        place = place_of(call)
        sent = call.account.post(place.chat, call.account.as_user(), content | place.fields)
    return {"message_id": sent["message_id"]}


async def forward_message(call: Call) -> JSON:
    """`forwardMessage`."""
    with call.account.bell:
        source = _source(call)
        content = {k: v for k, v in source.items() if k not in _NOT_COPIED}
        content.setdefault(
            "forward_origin",
            {"type": "user", "date": source["date"], "sender_user": source["from"]},
        )
        place = place_of(call)
        return call.account.post(place.chat, call.account.as_user(), content | place.fields)


METHODS: dict[str, Method] = {
    "sendMessage": send_message,
    "sendPhoto": _sender("photo"),
    "sendDocument": _sender("document"),
    "sendAnimation": _sender("animation"),
    "sendVideo": _sender("video"),
    "sendSticker": _sender("sticker"),
    "sendChatAction": send_chat_action,
    "copyMessage": copy_message,
    "forwardMessage": forward_message,
}
