"""What a person does in Telegram, for tests and the page."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from bot.playground.account import Asked, private_chat
from bot.playground.entities import recognise
from bot.playground.errors import ApiError
from bot.playground.files import make_media, make_photo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.playground.account import Account
    from bot.playground.chats import Chat, Person
    from bot.playground.files import Media

JSON = dict[str, Any]


class Where(TypedDict, total=False):
    """Where a message goes, if not simply to the private chat: group, topic, answered message."""

    chat_id: int
    thread: int
    reply_to: int


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo for `User.send_album`."""

    data: bytes
    caption: str = ""


class User:
    """A person who talks to one bot. Everything may be called from any thread, and blocks briefly.

    What they send goes to their private chat with the bot unless `chat_id` names a group; the
    methods return the message as the Bot API shows it.
    """

    def __init__(self, person: Person, account: Account) -> None:
        self.person = person
        self.account = account

    @property
    def id(self) -> int:
        """The person's id, and that of the private chat."""
        return self.person.id

    def send_text(self, text: str, **where: Unpack[Where]) -> JSON:
        """Send a text; commands, mentions and links in it are recognised.

        Args:
            text: What to say.
            where: See `Where`.
        """
        entities = recognise(text, [])
        content: JSON = {"text": text} | ({"entities": entities} if entities else {})
        return self._send(content, **where)

    def send_photo(
        self,
        data: bytes,
        caption: str = "",
        *,
        forward: bool = False,
        **where: Unpack[Where],
    ) -> JSON:
        """Send a photo; `forward`: as if it had come from somebody else."""
        media = make_photo(data, self.account.new_unique_id())
        return self._send(self._with_caption(media, caption, forward=forward), **where)

    def send_again(
        self,
        message: JSON,
        caption: str = "",
        *,
        forward: bool = False,
        **where: Unpack[Where],
    ) -> JSON:
        """Send or forward the picture of an earlier message: the same `file_unique_id`."""
        kept = ("photo", "document", "sticker", "animation", "video")
        content = {key: message[key] for key in kept if key in message}
        return self._send(content | self._caption(caption, forward=forward), **where)

    def send_document(
        self,
        data: bytes,
        name: str = "picture.jpg",
        mime: str = "image/jpeg",
        caption: str = "",
        *,
        forward: bool = False,
        **where: Unpack[Where],
    ) -> JSON:
        """Send a file as it is."""
        media = self._media("document", data, name, mime)
        return self._send(self._with_caption(media, caption, forward=forward), **where)

    def send_sticker(
        self, data: bytes, *, is_animated: bool = False, **where: Unpack[Where]
    ) -> JSON:
        """Send a sticker: WebP, or with `is_animated` a TGS."""
        mime = "application/x-tgsticker" if is_animated else "image/webp"
        media = self._media("sticker", data, "sticker.webp", mime)
        return self._send(
            self._fields(dataclasses.replace(media, is_animated=is_animated)), **where
        )

    def send_animation(
        self,
        data: bytes,
        caption: str = "",
        *,
        thumbnail: bytes | None = None,
        **where: Unpack[Where],
    ) -> JSON:
        """Send a GIF, or an MP4 with the picture to be its thumbnail."""
        mime = "image/gif" if data[:3] == b"GIF" else "video/mp4"
        media = self._media("animation", data, "animation.mp4", mime, thumbnail)
        return self._send(self._with_caption(media, caption), **where)

    def send_video(
        self,
        data: bytes,
        caption: str = "",
        *,
        thumbnail: bytes | None = None,
        **where: Unpack[Where],
    ) -> JSON:
        """Send a video with the picture to be its thumbnail."""
        media = self._media("video", data, "video.mp4", "video/mp4", thumbnail)
        return self._send(self._with_caption(media, caption), **where)

    def send_album(
        self, photos: Sequence[Photo | bytes], caption: str = "", **where: Unpack[Where]
    ) -> list[JSON]:
        """Send several photos at once; `caption` goes on the first."""
        given = [photo if isinstance(photo, Photo) else Photo(photo) for photo in photos]
        if caption:
            given[0] = dataclasses.replace(given[0], caption=caption)
        made = [make_photo(photo.data, self.account.new_unique_id()) for photo in given]
        group = {"media_group_id": f"{self.id % 10_000}{time.time_ns()}"}
        with self.account.bell:  # nobody's message comes between
            return [
                self._send(self._with_caption(media, photo.caption) | group, **where)
                for media, photo in zip(made, given, strict=True)
            ]

    def edit(self, message: JSON, text: str) -> JSON:
        """Change the text or caption of one's own message."""
        name, entities = ("text", "entities") if "text" in message else (
            "caption", "caption_entities")  # fmt: skip
        changed = {k: v for k, v in message.items() if k not in {name, entities}} | {name: text}
        if found := recognise(text, []):
            changed[entities] = found
        self.account.change(self.account.chats[message["chat"]["id"]], changed)
        return changed

    def delete(self, message: JSON) -> None:
        """Delete a message; the bot is not told."""
        self.account.delete(self.account.chats[message["chat"]["id"]], message["message_id"])

    def press(self, message: JSON, button: str | tuple[int, int]) -> Asked:
        """Press an inline button.

        Args:
            message: The message, as it was; the button is looked up in it as it is now.
            button: Its text, its `callback_data`, or row and column from 0.

        Returns:
            The query; `Asked.answer` holds the bot's answer once it is there.

        Raises:
            LookupError: There is no such button with `callback_data`.
        """
        with self.account.bell:
            chat = self.account.chats[message["chat"]["id"]]
            current = chat.messages[message["message_id"]]
            data = _callback_data(current, button)
            asked = self.account.ask(self.account.callbacks, self.person, chat.id)
            query = {
                "id": asked.id,
                "from": self.person.as_json(),
                "message": current,
                "chat_instance": str(chat.id * 7919),
                "data": data,
            }
            self.account.updates.add("callback_query", query)
            return asked

    def ask_inline(self, query: str, offset: str = "") -> Asked:
        """Type `@bot query` somewhere; `Asked.answer` will hold the results."""
        with self.account.bell:
            asked = self.account.ask(self.account.inline, self.person, self.id)
            content = {
                "id": asked.id,
                "from": self.person.as_json(),
                "query": query,
                "offset": offset,
                "chat_type": "sender",
            }
            self.account.updates.add("inline_query", content)
            return asked

    def choose_inline(self, asked: Asked, result_id: str, **where: Unpack[Where]) -> JSON:
        """Send one of the results of an inline query, which says by which bot it was found.

        Raises:
            LookupError: There is no such result, or it is none that a photo can be made of.
        """
        for result in (asked.answer or {}).get("results", ()):
            if result["id"] == result_id and "content" in result:
                via = {"via_bot": self.account.as_user()}
                return self._send(result["content"] | via, **where)
        raise LookupError(f"no result {result_id!r} that could be sent")

    def react(self, message: JSON, emoji: str) -> None:
        """Put a reaction under a message; bots hear of it only if they asked for such updates."""
        with self.account.bell:
            chat = self.account.chats[message["chat"]["id"]]
            content = {
                "chat": chat.as_json(),
                "message_id": message["message_id"],
                "user": self.person.as_json(),
                "date": int(time.time()),
                "old_reaction": [],
                "new_reaction": [{"type": "emoji", "emoji": emoji}] if emoji else [],
            }
            self.account.updates.add("message_reaction", content)

    def block(self) -> None:
        """Block the bot."""
        self._change_membership("kicked")

    def unblock(self) -> None:
        """Let the bot write again."""
        self._change_membership("member")

    def _change_membership(self, status: str) -> None:
        with self.account.bell:
            chat = self.account.chats[self.id]
            old = "kicked" if chat.is_blocked else "member"
            chat.is_blocked = status == "kicked"
            bot = self.account.as_user()

            def member(status: str) -> JSON:
                until = {"until_date": 0} if status == "kicked" else {}
                return {"status": status, "user": bot, **until}

            content = {
                "chat": chat.as_json(),
                "from": self.person.as_json(),
                "date": int(time.time()),
                "old_chat_member": member(old),
                "new_chat_member": member(status),
            }
            self.account.updates.add("my_chat_member", content)
            self.account.record("membership", chat, {"is_blocked": chat.is_blocked})

    def _send(self, content: JSON, *, chat_id: int = 0, thread: int = 0, reply_to: int = 0) -> JSON:
        with self.account.bell:
            chat = self._chat(chat_id)
            where: JSON = {}
            if thread:
                where = {"message_thread_id": thread, "is_topic_message": True}
            if reply_to and (replied := chat.reply_target(reply_to)):
                where["reply_to_message"] = replied
            return self.account.post(chat, self.person.as_json(), content | where)

    def _chat(self, chat_id: int) -> Chat:
        if chat_id:
            return self.account.chats[chat_id]
        chat = self.account.open_chat(private_chat(self.person))
        chat.has_started = True
        return chat

    def _media(
        self, kind: str, data: bytes, name: str, mime: str, thumbnail: bytes | None = None
    ) -> Media:
        unique_id = self.account.new_unique_id()
        try:
            return make_media(kind, data, unique_id, name=name, mime=mime, thumbnail=thumbnail)
        except ApiError as error:
            raise ValueError(error.description) from None

    def _with_caption(self, media: Media, caption: str, *, forward: bool = False) -> JSON:
        return self._fields(media) | self._caption(caption, forward=forward)

    def _caption(self, caption: str, *, forward: bool) -> JSON:
        content: JSON = {}
        if caption:
            content["caption"] = caption
            if found := recognise(caption, []):
                content["caption_entities"] = found
        if forward:
            content["forward_origin"] = {
                "type": "hidden_user",
                "date": int(time.time()) - 60,
                "sender_user_name": "Somebody",
            }
        return content

    def _fields(self, media: Media) -> JSON:
        return self.account.message_media(media)


def _callback_data(message: JSON, button: str | tuple[int, int]) -> str:
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    if isinstance(button, tuple):
        chosen = rows[button[0]][button[1]]
        if "callback_data" in chosen:
            return str(chosen["callback_data"])
    for one in (one for row in rows for one in row):
        if "callback_data" in one and button in {one["text"], one["callback_data"]}:
            return str(one["callback_data"])
    texts = [one["text"] for row in rows for one in row]
    raise LookupError(f"no button {button!r} with callback data; there are {texts}")
