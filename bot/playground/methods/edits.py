"""Methods that change or delete what has been sent, and reactions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.playground.arguments import Arguments
from bot.playground.errors import NOT_MODIFIED, bad_request
from bot.playground.keyboards import read_markup
from bot.playground.methods.content import caption_fields, media_of, text_fields

if TYPE_CHECKING:
    from bot.playground.calls import Call, Method
    from bot.playground.chats import Chat

JSON = dict[str, Any]

_TEXT = frozenset({"text", "entities"})
_CAPTION = frozenset({"caption", "caption_entities", "show_caption_above_media"})
_MEDIA = frozenset({"photo", "document", "animation", "video", "sticker"})
_REACTIONS = frozenset(
    "👍👎❤🔥🥰👏😁🤔🤯😱🤬😢🎉🤩🤮💩🙏👌🕊🤡🥱🥴😍🐳🌚🌭💯🤣⚡🍌🏆💔🤨😐🍓🍾💋🖕😈😴😭🤓👻👀🎃🙈😇😨🤝✍🤗🫡🎅🎄☃💅🤪🗿🆒💘🙉🦄😘💊🙊😎👾😡"
)


async def edit_message_text(call: Call) -> JSON:
    """`editMessageText`."""
    content = text_fields(call.arguments)
    with call.account.bell:
        chat, message = _own_message(call)
        if "text" not in message:
            raise bad_request("there is no text in the message to edit")
        return _change(call, chat, message, _TEXT, content)


async def edit_message_caption(call: Call) -> JSON:
    """`editMessageCaption`."""
    content = caption_fields(call.arguments)
    with call.account.bell:
        chat, message = _own_message(call)
        if not _MEDIA & message.keys() or "sticker" in message:
            raise bad_request("there is no caption in the message to edit")
        return _change(call, chat, message, _CAPTION, content)


async def edit_message_media(call: Call) -> JSON:
    """`editMessageMedia`."""
    given = Arguments(call.arguments.object("media", "InputMedia") or {})
    kind = given.text("type")
    if kind not in _MEDIA - {"sticker"}:
        raise bad_request("can't parse InputMedia: type is unsupported")
    caption = caption_fields(given)
    with call.account.bell:
        _own_message(call)
    media = await media_of(call, kind, given, part="media")
    with call.account.bell:
        chat, message = _own_message(call)
        if "media_group_id" in message and kind not in message:
            raise bad_request("can't change media type in the album")
        content = call.account.message_media(media) | caption
        return _change(call, chat, message, _TEXT | _CAPTION | _MEDIA, content)


async def edit_message_reply_markup(call: Call) -> JSON:
    """`editMessageReplyMarkup`."""
    with call.account.bell:
        chat, message = _own_message(call)
        return _change(call, chat, message, frozenset(), {})


def _own_message(call: Call) -> tuple[Chat, JSON]:
    chat = call.account.writable(call.arguments.text("chat_id"))
    number = call.arguments.integer("message_id")
    if not number:
        raise bad_request("message identifier is not specified")
    message = chat.messages.get(number)
    if message is None:
        raise bad_request("message to edit not found")
    if message["from"]["id"] != call.account.id or "forward_origin" in message:
        raise bad_request("message can't be edited")
    return chat, message


def _change(call: Call, chat: Chat, message: JSON, replaced: frozenset[str], new: JSON) -> JSON:
    """Put `new` in the place of the fields `replaced`; without `reply_markup` the keyboard goes."""
    dropped = replaced | {"reply_markup", "edit_date"}
    changed = {key: value for key, value in message.items() if key not in dropped} | new
    if markup := read_markup(call.arguments):
        changed["reply_markup"] = markup
    if changed == {key: value for key, value in message.items() if key != "edit_date"}:
        raise bad_request(NOT_MODIFIED)
    call.account.change(chat, changed)
    return changed


async def delete_message(call: Call) -> bool:
    """`deleteMessage`."""
    number = call.arguments.integer("message_id")
    if not number:
        raise bad_request("message identifier is not specified")
    if not call.account.delete(call.chat(), number):
        raise bad_request("message to delete not found")
    return True


async def delete_messages(call: Call) -> bool:
    """`deleteMessages`: those that are not there are skipped."""
    numbers = call.arguments.array("message_ids", "message identifiers") or []
    if not 1 <= len(numbers) <= 100:
        raise bad_request("message identifiers are not specified")
    chat = call.chat()
    for number in numbers:
        call.account.delete(chat, int(number))
    return True


async def set_message_reaction(call: Call) -> bool:
    """`setMessageReaction`: a bot may set one."""
    chosen = call.arguments.array("reaction", "reactions") or []
    if len(chosen) > 1:
        raise bad_request("REACTIONS_TOO_MANY")
    emoji = str(chosen[0].get("emoji", "")) if chosen else ""
    if chosen and emoji.rstrip("\ufe0f") not in _REACTIONS:
        raise bad_request("REACTION_INVALID")
    with call.account.bell:
        chat = call.account.writable(call.arguments.text("chat_id"))
        number = call.arguments.integer("message_id")
        if number not in chat.messages:
            raise bad_request("message to react not found")
        chat.reactions[number] = emoji
        call.account.record("reaction", chat, {"message_id": number, "emoji": emoji})
    return True


METHODS: dict[str, Method] = {
    "editMessageText": edit_message_text,
    "editMessageCaption": edit_message_caption,
    "editMessageMedia": edit_message_media,
    "editMessageReplyMarkup": edit_message_reply_markup,
    "deleteMessage": delete_message,
    "deleteMessages": delete_messages,
    "setMessageReaction": set_message_reaction,
}
