"""The body of an answer: counted while it comes, and put where it is to lie at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from engine.crawl.errors import FetchError

if TYPE_CHECKING:
    import requests

CHUNK = 64 * 1024
ENCODED_CHUNK = 16 * 1024
"""Of a compressed body less is read at a time: it may become a thousand times as much."""


class Sink(Protocol):
    """Takes a body piece by piece."""

    def begin(self, length: int | None) -> None:
        """A body of so many bytes comes (None: unknown); what came before is void."""
        ...

    def write(self, data: bytes) -> None:
        """Take the next piece."""
        ...


class Memory:
    """A sink for what is read at once: pages, answers of an API."""

    def __init__(self) -> None:
        self._taken = bytearray()

    def begin(self, length: int | None) -> None:  # noqa: ARG002 - as the protocol says
        """As `Sink.begin`."""
        self._taken.clear()

    def write(self, data: bytes) -> None:
        """As `Sink.write`."""
        self._taken += data

    @property
    def content(self) -> bytes:
        """What came."""
        return bytes(self._taken)


def receive(response: requests.Response, host: str, max_bytes: int, sink: Sink) -> None:
    """Read a body to its end; decoded bytes are counted, for few of gzip can be gigabytes.

    Raises:
        FetchError: It is larger than `max_bytes`.
    """
    is_encoded = response.headers.get("content-encoding", "identity").lower() != "identity"
    declared = response.headers.get("content-length", "")
    length = int(declared) if declared.isascii() and declared.isdigit() else None
    if length is not None and length > max_bytes:
        raise too_large(host, max_bytes)
    sink.begin(None if is_encoded else length)
    received = 0
    chunk_bytes = ENCODED_CHUNK if is_encoded else CHUNK
    while chunk := response.raw.read1(chunk_bytes, decode_content=True):
        received += len(chunk)
        if received > max_bytes:
            raise too_large(host, max_bytes)
        sink.write(chunk)


def too_large(host: str, max_bytes: int) -> FetchError:
    """The error for more than what is taken."""
    return FetchError(
        f"{host} sends more than {max_bytes} bytes.",
        key="fetch_too_large",
        host=host,
        max_bytes=max_bytes,
    )
