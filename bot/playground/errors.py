"""What the server refuses, in the words of Telegram's own server."""

from __future__ import annotations

from typing import Any

NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same"
    " as a current content and reply markup of the message"
)
WRONG_FILE = "wrong file identifier/HTTP URL specified"
QUERY_TOO_OLD = "query is too old and response timeout expired or query ID is invalid"
TERMINATED = (
    "terminated by other getUpdates request; make sure that only one bot instance is running"
)
WEBHOOK_IS_ACTIVE = (
    "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook"
    " first"
)
BLOCKED = "bot was blocked by the user"

_TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    409: "Conflict",
    413: "Request Entity Too Large",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
}


class ApiError(Exception):
    """A call that fails.

    Args:
        code: HTTP status, which is also `error_code`.
        reason: Telegram's words after the status's title; empty for the title alone.
        retry_after: Seconds to wait, with 429.
    """

    def __init__(self, code: int, reason: str = "", *, retry_after: int | None = None) -> None:
        title = _TITLES.get(code, "Error")
        self.code = code
        self.description = f"{title}: {reason}" if reason else title
        self.retry_after = retry_after
        super().__init__(self.description)

    def as_json(self) -> dict[str, Any]:
        """The answer's body."""
        body: dict[str, Any] = {
            "ok": False,
            "error_code": self.code,
            "description": self.description,
        }
        if self.retry_after is not None:
            body["parameters"] = {"retry_after": self.retry_after}
        return body


def bad_request(reason: str) -> ApiError:
    """400 with Telegram's words."""
    return ApiError(400, reason)


def flood(retry_after: int) -> ApiError:
    """429, to be repeated after so many seconds."""
    return ApiError(429, f"retry after {retry_after}", retry_after=retry_after)
