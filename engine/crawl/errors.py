"""What goes wrong while crawling, each with the key of its sentence.

A crawl counts failed addresses by these keys:

`fetch_missing` 404, 410 · `fetch_forbidden` 401, 403 · `fetch_busy` 429 · `fetch_server` 5xx ·
`fetch_status` any other · `fetch_timeout` · `fetch_connection` · `fetch_too_large` ·
`fetch_address` · `fetch_redirects` · `fetch_robots` · `fetch_stopped`
"""

from __future__ import annotations

from engine.errors import LookalikeError


class CrawlError(LookalikeError):
    """Something outside this machine did not give what a crawl wanted."""


class SourceError(CrawlError):
    """A source answers, but not with what can be used; `error.details["source"]` names it."""


class StoppedError(CrawlError):
    """The crawl was told to stop while this was waiting or downloading."""

    def __init__(self) -> None:
        super().__init__("The crawl was stopped.", key="fetch_stopped")


class FetchError(CrawlError):
    """An address gave nothing.

    Deliberately no `OSError`: urllib3 would take it for a broken connection and try again.

    Args:
        message: As for every `LookalikeError`.
        key: One of those listed above.
        is_transient: Whether the same request may well succeed later.
        status: The HTTP status, when there was an answer.
        retry_after_s: How long the host wants to be left alone, when it says so.
        details: As for every `LookalikeError`.
    """

    def __init__(
        self,
        message: str,
        *,
        key: str,
        is_transient: bool = False,
        status: int | None = None,
        retry_after_s: float | None = None,
        **details: str | float,
    ) -> None:
        super().__init__(message, key=key, **details)
        self.is_transient = is_transient
        self.status = status
        self.retry_after_s = retry_after_s


class AddressError(FetchError):
    """The address leads where a crawler must not go: a private network, an unusual port."""

    def __init__(self, host: str, reason: str) -> None:
        super().__init__(
            f"{host} is not asked: {reason}.", key="fetch_address", host=host, reason=reason
        )


class RobotsError(FetchError):
    """The site's robots.txt forbids the address, or cannot be read."""

    def __init__(self, host: str, reason: str) -> None:
        super().__init__(
            f"{host} is not asked: {reason}.", key="fetch_robots", host=host, reason=reason
        )
