"""Who talks where: people, chats and the messages in them, as the Bot API shows them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

JSON = dict[str, Any]
ChatKind = Literal["private", "group", "supergroup"]


@dataclass(frozen=True, slots=True)
class Person:
    """A Telegram user who is no bot."""

    id: int
    name: str
    language_code: str | None = "en"
    username: str | None = None
    is_admin: bool = False

    def as_json(self) -> JSON:
        """The Bot API's `User`."""
        shown: JSON = {"id": self.id, "is_bot": False, "first_name": self.name}
        if self.username:
            shown["username"] = self.username
        if self.language_code:
            shown["language_code"] = self.language_code
        return shown


@dataclass(slots=True)
class Chat:
    """A chat that one bot is in, with everything said there. Locked by the `Bell` of its account.

    Attributes:
        members: Ids of the people in it.
        has_started: Private chats: the person has written to the bot at least once.
        is_blocked: The bot can no longer send here: blocked, or put out of the group.
        topics: Forums: thread id and name of each topic.
        messages: By message id; deleted ones are gone.
        reactions: The bot's reaction to a message, by message id.
        action: What the bot says it is doing, and until when (`time.time()`).
    """

    id: int
    kind: ChatKind
    title: str
    members: dict[int, Person] = field(default_factory=dict)
    has_started: bool = True
    is_blocked: bool = False
    is_forum: bool = False
    topics: dict[int, str] = field(default_factory=dict)
    messages: dict[int, JSON] = field(default_factory=dict)
    reactions: dict[int, str] = field(default_factory=dict)
    action: tuple[str, float] = ("", 0.0)

    def as_json(self) -> JSON:
        """The Bot API's `Chat`."""
        shown: JSON = {"id": self.id, "type": self.kind}
        if self.kind == "private":
            person = self.members[self.id]
            shown["first_name"] = person.name
            if person.username:
                shown["username"] = person.username
        else:
            shown["title"] = self.title
        if self.is_forum:
            shown["is_forum"] = True
        return shown

    def reply_target(self, message_id: int) -> JSON | None:
        """A message as it stands inside an answer to it: without what it answers itself."""
        message = self.messages.get(message_id)
        if message is None:
            return None
        return {key: value for key, value in message.items() if key != "reply_to_message"}


def is_for_bot(message: JSON, username: str) -> bool:
    """Whether a bot in privacy mode sees this group message.

    That is a command, a mention, a reply to it, or a message sent by its inline results.

    Rules from https://core.telegram.org/bots/features#privacy-mode.
    """
    replied = message.get("reply_to_message", {}).get("from", {})
    if username in {replied.get("username"), message.get("via_bot", {}).get("username")}:
        return True
    text = message.get("text") or message.get("caption") or ""
    in_utf16 = text.encode("utf-16-le")
    for entity in message.get("entities") or message.get("caption_entities") or []:
        start, end = entity["offset"] * 2, (entity["offset"] + entity["length"]) * 2
        said = in_utf16[start:end].decode("utf-16-le").lower()
        if entity["type"] == "mention" and said == f"@{username.lower()}":
            return True
        if entity["type"] == "bot_command" and said.partition("@")[2] in {"", username.lower()}:
            return True
    return False
