"""What a source is, and the reading of answers that all of them share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from engine.crawl.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.crawl.candidate import Candidate
    from engine.crawl.fetch import Fetcher


class Source(Protocol):
    """Where candidates come from."""

    @property
    def name(self) -> str:
        """Its name in the settings and in captions."""
        ...

    def candidates(self, topic: str, fetcher: Fetcher) -> Iterator[Candidate]:
        """Pictures of a topic, the best first; asks for the next page when it is needed.

        Raises:
            SourceError: It answers with what cannot be read.
            FetchError: It does not answer.
            StoppedError: The fetcher was told to stop.
        """
        ...


def unreadable(source: str, what: str) -> SourceError:
    """The error for an answer that is not as it should be."""
    return SourceError(
        f"{source} answers with something that cannot be read: {what}.",
        key="source_unreadable",
        source=source,
        reason=what,
    )


def member(value: object, *path: str) -> Any:  # noqa: ANN401 - JSON
    """What lies at a path of keys in JSON; None where it ends early."""
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def text(value: object) -> str | None:
    """A text that says something, or None."""
    if not isinstance(value, str):
        return None
    return " ".join(value.split()) or None


def number(value: object) -> int | None:
    """A positive whole number, also one written as text, or None."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    return value if isinstance(value, int) and value > 0 else None


def web_address(value: object) -> str | None:
    """An http(s) address, or None; `//host/…` gets https."""
    address = text(value)
    if address is None:
        return None
    if address.startswith("//"):
        address = f"https:{address}"
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    return address if parts.scheme in {"http", "https"} and parts.hostname else None
