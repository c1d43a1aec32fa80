"""Answers to buttons and to inline queries."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from bot.playground.arguments import Arguments
from bot.playground.errors import QUERY_TOO_OLD, bad_request
from bot.playground.methods.content import caption_fields

if TYPE_CHECKING:
    from bot.playground.calls import Call, Method

JSON = dict[str, Any]

LONGEST_ANSWER = 200
MOST_RESULTS = 50
OFFSET_BYTES = 64
_START_PARAMETER = re.compile(r"[A-Za-z0-9_-]{1,64}")


async def answer_callback_query(call: Call) -> bool:
    """`answerCallbackQuery`."""
    text = call.arguments.text("text")
    if len(text) > LONGEST_ANSWER:
        raise bad_request("MESSAGE_TOO_LONG")
    answer = {"text": text, "show_alert": call.arguments.boolean("show_alert")}
    number = call.arguments.text("callback_query_id")
    if not call.account.answer(call.account.callbacks, number, answer):
        raise bad_request(QUERY_TOO_OLD)
    return True


async def answer_inline_query(call: Call) -> bool:
    """`answerInlineQuery`."""
    results = call.arguments.array("results", "inline query results") or []
    if len(results) > MOST_RESULTS:
        raise bad_request("RESULTS_TOO_MUCH")
    names = [str(result.get("id", "")) for result in results]
    if any(not 1 <= len(name.encode()) <= 64 for name in names):
        raise bad_request("RESULT_ID_INVALID")
    if len(set(names)) != len(names):
        raise bad_request("RESULT_ID_DUPLICATE")
    next_offset = call.arguments.text("next_offset")
    if len(next_offset.encode()) > OFFSET_BYTES:
        raise bad_request("NEXT_OFFSET_INVALID")
    answer = {
        "results": [_checked(call, result) for result in results],
        "next_offset": next_offset,
        "cache_time": call.arguments.integer("cache_time", 300),
        "is_personal": call.arguments.boolean("is_personal"),
        "button": _button(call),
    }
    number = call.arguments.text("inline_query_id")
    if not call.account.answer(call.account.inline, number, answer):
        raise bad_request(QUERY_TOO_OLD)
    return True


def _checked(call: Call, result: JSON) -> JSON:
    """A result; one that names a photo of the server's gets the content that it would send."""
    if result.get("type") != "photo" or "photo_file_id" not in result:
        return result
    with call.account.bell:
        media = call.account.files.media(str(result["photo_file_id"]), "photo")
        content = call.account.files.fields(media) | caption_fields(Arguments(result))
    return result | {"content": content}


def _button(call: Call) -> JSON | None:
    """The button above the results: https://core.telegram.org/bots/api#inlinequeryresultsbutton."""
    button = call.arguments.object("button", "InlineQueryResultsButton")
    if not button:
        return None
    if not str(button.get("text", "")).strip():
        raise bad_request("BUTTON_TEXT_INVALID")
    parameter = str(button.get("start_parameter", ""))
    if "web_app" not in button and not _START_PARAMETER.fullmatch(parameter):
        raise bad_request("START_PARAM_INVALID")
    return button


METHODS: dict[str, Method] = {
    "answerCallbackQuery": answer_callback_query,
    "answerInlineQuery": answer_inline_query,
}
