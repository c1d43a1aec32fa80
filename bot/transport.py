"""HTTP to Telegram, saying of each failure whether the call can have taken effect."""

from __future__ import annotations

import asyncio
import json
import random
import ssl
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import aiohttp
import certifi
from telegram.error import NetworkError, TelegramError
from telegram.request import BaseRequest, RequestData

if TYPE_CHECKING:
    from collections.abc import Iterator

    from telegram._utils.types import ODVInput

CONNECTIONS = 64
SLOW_BYTES_PER_S = 128 * 1024  # an upload may be as slow as this beside what it is given anyway


class UnsentError(NetworkError):
    """The request had no effect: it never reached the server as a whole."""


class UnclearError(NetworkError):
    """The request may have taken effect; its answer was lost."""


class FloodError(TelegramError):
    """429: the server asks for a pause. Stands for PTB's `RetryAfter`, in plain seconds.

    PTB's own warns of a change of type each time it is made, unless an environment variable is set.
    """

    def __init__(self, retry_after_s: float) -> None:
        super().__init__(f"Too Many Requests: retry after {retry_after_s:g}")
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to try.

    Attributes:
        tries: Attempts for one call, the first included; waits for 429 do not count.
        first_wait_s: Longest wait before the second attempt; doubles each time, with jitter.
        longest_wait_s: Cap of that doubling.
        longest_flood_s: A 429 that asks for more than this is reported instead of waited for.
    """

    tries: int = 9
    first_wait_s: float = 0.15
    longest_wait_s: float = 8.0
    longest_flood_s: float = 120.0

    def waits(self) -> Iterator[float]:
        """Seconds to wait before each further attempt."""
        for attempt in range(self.tries - 1):
            longest = min(self.first_wait_s * 2**attempt, self.longest_wait_s)
            yield longest * random.uniform(0.5, 1.0)


class Request(BaseRequest):
    """PTB's way to HTTP, over aiohttp.

    PTB's own client (httpx) spends several times as long on each call, and the more so the more
    connections are open; and its errors no longer say how far a request had come.

    Args:
        connect_s: For a connection.
        read_s: For an answer, unless the call names a time of its own.
        upload_s: Added for calls that carry files, and for downloads.
    """

    def __init__(self, *, connect_s: float, read_s: float, upload_s: float = 0.0) -> None:
        self._connect_s = connect_s
        self._read_s = read_s
        self._upload_s = upload_s
        self._session: aiohttp.ClientSession | None = None

    @property
    def read_timeout(self) -> float:
        """Seconds; PTB adds to it what `getUpdates` may take."""
        return self._read_s

    async def initialize(self) -> None:
        """Open the pool of connections."""
        if self._session is None:
            context = ssl.create_default_context(cafile=certifi.where())
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=CONNECTIONS, ssl=context),
                headers={"User-Agent": self.USER_AGENT},
                trust_env=True,
            )

    async def shutdown(self) -> None:
        """Close all connections."""
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()

    async def do_request(  # noqa: D102, PLR0917 -- as in PTB
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,
        write_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,
        connect_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,
        pool_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        del write_timeout, connect_timeout, pool_timeout  # one limit for the whole call
        if self._session is None:
            raise UnsentError("there is no connection")
        whole_s = read_timeout if isinstance(read_timeout, int | float) else self._read_s
        if request_data is not None and request_data.contains_files:
            whole_s += self._upload_s + _size(request_data) / SLOW_BYTES_PER_S
        silence_s = None
        if method == "GET":  # the download of a file; it may last, but not stand still
            silence_s, whole_s = whole_s, whole_s + self._upload_s
        timeout = aiohttp.ClientTimeout(
            total=whole_s, sock_connect=self._connect_s, sock_read=silence_s
        )
        try:
            async with self._session.request(
                method, url, data=_form(request_data), timeout=timeout
            ) as response:
                payload = await response.read()
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise UnsentError(type(error).__name__) from None
        except (aiohttp.ClientError, OSError) as error:
            # Only the kind of error: some name the address, which holds the token.
            raise UnclearError(type(error).__name__) from None
        if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise UnclearError(f"the server answered {response.status}")
        if response.status == HTTPStatus.TOO_MANY_REQUESTS:
            raise FloodError(_asked_s(payload))
        return response.status, payload


def _size(request_data: RequestData) -> int:
    parts = (content for _, content, _ in request_data.multipart_data.values())
    return sum(len(content) if isinstance(content, bytes) else 0 for content in parts)


def _form(request_data: RequestData | None) -> aiohttp.FormData | dict[str, str] | None:
    if request_data is None:
        return None
    if not request_data.contains_files:
        return request_data.json_parameters
    form = aiohttp.FormData()
    for name, value in request_data.json_parameters.items():
        form.add_field(name, value)
    for name, (filename, content, mime_type) in request_data.multipart_data.items():
        form.add_field(name, content, filename=filename, content_type=mime_type)
    return form


def _asked_s(payload: bytes) -> float:
    try:
        return float(json.loads(payload)["parameters"]["retry_after"])
    except (ValueError, KeyError, TypeError):
        return 1.0


class PollingRequest(Request):
    """For `getUpdates`, which can be repeated at once: an open line matters more than a pause."""

    def __init__(self, *, patience: Patience, connect_s: float, read_s: float) -> None:
        super().__init__(connect_s=connect_s, read_s=read_s)
        self._patience = patience

    async def do_request(self, *args: Any, **kwargs: Any) -> tuple[int, bytes]:  # noqa: ANN401, D102 -- as above
        for wait_s in self._patience.waits():
            try:
                return self._accepted(await super().do_request(*args, **kwargs))
            except FloodError as error:
                await asyncio.sleep(min(error.retry_after_s, self._patience.longest_flood_s))
            except NetworkError:
                await asyncio.sleep(wait_s)
        return self._accepted(await super().do_request(*args, **kwargs))

    @staticmethod
    def _accepted(response: tuple[int, bytes]) -> tuple[int, bytes]:
        """Telegram's servers sometimes know no token for a while; PTB would never ask again."""
        if response[0] in {HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND}:
            raise UnsentError(f"the token is not accepted ({response[0]})")
        return response
