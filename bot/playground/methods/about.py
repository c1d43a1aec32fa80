"""What the bot is and says about itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.playground.errors import bad_request
from bot.playground.profile import check_commands, scope_key

if TYPE_CHECKING:
    from bot.playground.calls import Call, Method

JSON = dict[str, Any]


async def get_me(call: Call) -> JSON:
    """`getMe`."""
    return call.account.me()


async def done(_call: Call) -> bool:
    """`logOut` and `close`, which have nothing to do here."""
    return True


def _scope(call: Call) -> tuple[str, str]:
    scope = call.arguments.object("scope", "BotCommandScope")
    key = scope_key(scope)
    if scope and "chat_id" in scope:
        call.account.chat(scope["chat_id"])
    return key, call.arguments.text("language_code")


async def set_my_commands(call: Call) -> bool:
    """`setMyCommands`."""
    commands = check_commands(call.arguments.array("commands", "commands"))
    with call.account.bell:
        call.account.profile.commands[_scope(call)] = commands
        for chat in call.account.chats.values():
            call.account.record("commands", chat, {})
    return True


async def get_my_commands(call: Call) -> list[JSON]:
    """`getMyCommands`."""
    return call.account.profile.commands.get(_scope(call), [])


async def delete_my_commands(call: Call) -> bool:
    """`deleteMyCommands`."""
    call.account.profile.commands.pop(_scope(call), None)
    return True


def _text_methods(what: str, title: str) -> dict[str, Method]:
    async def write(call: Call) -> bool:
        language = call.arguments.text("language_code")
        call.account.profile.set_text(what, language, call.arguments.text(what))
        return True

    async def read(call: Call) -> JSON:
        default = call.account.name if what == "name" else ""
        language = call.arguments.text("language_code")
        return {what: call.account.profile.text(what, language, default)}

    return {f"setMy{title}": write, f"getMy{title}": read}


async def set_chat_menu_button(call: Call) -> bool:
    """`setChatMenuButton`."""
    button = call.arguments.object("menu_button", "MenuButton") or {"type": "default"}
    if button.get("type") not in {"commands", "web_app", "default"}:
        raise bad_request("MenuButton has unsupported type")
    call.account.profile.menu_button = button
    return True


async def get_chat_menu_button(call: Call) -> JSON:
    """`getChatMenuButton`."""
    return call.account.profile.menu_button


METHODS: dict[str, Method] = {
    "getMe": get_me,
    "logOut": done,
    "close": done,
    "setMyCommands": set_my_commands,
    "getMyCommands": get_my_commands,
    "deleteMyCommands": delete_my_commands,
    **_text_methods("name", "Name"),
    **_text_methods("description", "Description"),
    **_text_methods("short_description", "ShortDescription"),
    "setChatMenuButton": set_chat_menu_button,
    "getChatMenuButton": get_chat_menu_button,
}
