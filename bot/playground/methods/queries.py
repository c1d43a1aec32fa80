"""Answers to buttons and to inline queries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.playground.errors import QUERY_TOO_OLD, bad_request

if TYPE_CHECKING:
    from bot.playground.calls import Call, Method

JSON = dict[str, Any]

LONGEST_ANSWER = 200
MOST_RESULTS = 50


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
    answer = {"results": results, "next_offset": call.arguments.text("next_offset")}
    number = call.arguments.text("inline_query_id")
    if not call.account.answer(call.account.inline, number, answer):
        raise bad_request(QUERY_TOO_OLD)
    return True


METHODS: dict[str, Method] = {
    "answerCallbackQuery": answer_callback_query,
    "answerInlineQuery": answer_inline_query,
}
