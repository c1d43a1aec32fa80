"""Inline keyboards and other reply markups: what the server lets pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from bot.playground.errors import bad_request

if TYPE_CHECKING:
    from bot.playground.arguments import Arguments

JSON = dict[str, Any]

DATA_BYTES = 64
_ACTIONS = ("callback_data", "url", "switch_inline_query", "switch_inline_query_current_chat",
            "switch_inline_query_chosen_chat", "web_app", "login_url", "copy_text", "pay",
            "callback_game")  # fmt: skip


def read_markup(arguments: Arguments) -> JSON | None:
    """The `reply_markup` of a call, `None` where there is none.

    Raises:
        ApiError: It is no markup, or a button is wrong.
    """
    markup = arguments.object("reply_markup", "reply markup")
    if markup and "inline_keyboard" in markup:
        return inline_keyboard(markup)
    return markup or None


def inline_keyboard(markup: JSON) -> JSON | None:
    """The checked inline keyboard; `None` if it has no buttons, which removes one.

    Limits from https://core.telegram.org/bots/api#inlinekeyboardbutton.
    """
    rows = markup["inline_keyboard"]
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise bad_request('field "inline_keyboard" of the InlineKeyboardMarkup must be an Array')
    checked = [[_button(button) for button in row] for row in rows if row]
    if sum(len(row) for row in checked) > 100:
        raise bad_request("REPLY_MARKUP_TOO_LONG")
    return {"inline_keyboard": checked} if checked else None


def _button(button: object) -> JSON:
    where = "can't parse inline keyboard button"
    if not isinstance(button, dict):
        raise bad_request(f"{where}: expected an Object")
    if not str(button.get("text", "")).strip():
        raise bad_request(f'{where}: Field "text" must be of type String')
    actions = [name for name in _ACTIONS if name in button]
    if not actions:
        raise bad_request(f"{where}: Text buttons are unallowed in the inline keyboard")
    if "callback_data" in button:
        size = len(str(button["callback_data"]).encode())
        if not 1 <= size <= DATA_BYTES:
            raise bad_request("BUTTON_DATA_INVALID")
    if "url" in button and urlsplit(str(button["url"])).scheme not in {"http", "https", "tg"}:
        raise bad_request(
            f"inline keyboard button URL '{button['url']}' is invalid: Wrong HTTP URL"
        )
    return button
