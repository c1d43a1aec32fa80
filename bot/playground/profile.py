"""What a bot says about itself: commands by scope and language, and descriptions."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bot.playground.errors import bad_request

if TYPE_CHECKING:
    from bot.playground.chats import Chat, Person

JSON = dict[str, Any]
_COMMAND = re.compile(r"[a-z0-9_]{1,32}")
_SCOPES = {
    "default": (), "all_private_chats": (), "all_group_chats": (), "all_chat_administrators": (),
    "chat": ("chat_id",), "chat_administrators": ("chat_id",),
    "chat_member": ("chat_id", "user_id"),
}  # fmt: skip
# Longest texts: https://core.telegram.org/bots/api#setmydescription and its neighbours
LONGEST = {"name": 64, "description": 512, "short_description": 120}


@dataclass(slots=True)
class Profile:
    """What one bot has set."""

    commands: dict[tuple[str, str], list[JSON]] = field(default_factory=dict)
    texts: dict[tuple[str, str], str] = field(default_factory=dict)
    menu_button: JSON = field(default_factory=lambda: {"type": "commands"})

    def menu(self, chat: Chat, person: Person) -> list[JSON]:
        """The commands that this person is offered in this chat.

        Order of scopes from https://core.telegram.org/bots/api#determining-list-of-commands.
        """
        admin = ["all_chat_administrators"] if person.is_admin else []
        scopes = ["all_private_chats"] if chat.kind == "private" else [*admin, "all_group_chats"]
        member = [f"chat_member:{chat.id}:{person.id}"] if chat.kind != "private" else []
        for scope in [*member, f"chat:{chat.id}", *scopes, "default"]:
            for language in dict.fromkeys([person.language_code or "", ""]):
                if found := self.commands.get((scope, language)):
                    return found
        return []

    def set_text(self, what: str, language: str, text: str) -> None:
        """Set name, description or short description.

        Raises:
            ApiError: It is too long.
        """
        if len(text) > LONGEST[what]:
            raise bad_request(f"BOT_{what.upper()}_INVALID")
        self.texts[what, language] = text

    def text(self, what: str, language: str, default: str = "") -> str:
        """The text for a language, else the one for all."""
        return self.texts.get((what, language)) or self.texts.get((what, "")) or default


def scope_key(scope: JSON | None) -> str:
    """A scope as a name.

    Raises:
        ApiError: There is no such scope.
    """
    scope = scope or {"type": "default"}
    kind = str(scope.get("type"))
    if kind not in _SCOPES:
        raise bad_request("can't parse BotCommandScope: Unsupported type specified")
    return ":".join([kind, *(str(scope.get(name)) for name in _SCOPES[kind])])


def check_commands(commands: list[Any] | None) -> list[JSON]:
    """Commands that Telegram takes.

    Raises:
        ApiError: One of them is wrong, or there are more than 100.
    """
    if len(commands or []) > 100:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    checked = []
    for command in commands or []:
        name = str(command.get("command", "")).removeprefix("/")
        description = str(command.get("description", "")).strip()
        if not _COMMAND.fullmatch(name):
            raise bad_request("BOT_COMMAND_INVALID")
        if not 1 <= len(description) <= 256:
            raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
        checked.append({"command": name, "description": description})
    return checked
