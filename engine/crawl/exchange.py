"""One request and its answer: bounded in bytes and time, and every failure named."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from importlib.metadata import version
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

import requests
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import HTTPError

from engine.crawl.body import Memory, receive
from engine.crawl.errors import AddressError, FetchError, StoppedError
from engine.crawl.guard import Guard, GuardedAdapter, resolve
from engine.crawl.politeness import retry_after_s
from engine.crawl.robots import AGENT
from engine.crawl.watch import Download, Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from threading import Event

    from engine.crawl.body import Sink

READ_TIMEOUT_S = 10.0

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_KEYS = {
    401: "fetch_forbidden",
    403: "fetch_forbidden",
    404: "fetch_missing",
    408: "fetch_timeout",
    410: "fetch_missing",
    429: "fetch_busy",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer: the address it came from in the end, its headers, its decoded bytes.

    `content` is empty when the bytes went elsewhere.
    """

    url: str
    headers: Mapping[str, str]
    content: bytes

    def text(self) -> str:
        """The body as text: UTF-8, with what is not replaced."""
        return self.content.decode("utf-8-sig", errors="replace")

    def json(self) -> Any:  # noqa: ANN401 - whoever asked knows what to look for
        """The body as JSON.

        Raises:
            FetchError: It is none.
        """
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError):
            host = urlsplit(self.url).hostname or self.url
            raise FetchError(
                f"{host} answered with something that is no JSON.", key="fetch_malformed", host=host
            ) from None


class Exchanges:
    """Makes single requests, guarded and under a deadline. Safe to use from several threads.

    Args:
        allow: ``host:port`` pairs that may be private and on any port.
        contact: Stands in the User-Agent.
        deadline_s: For one request, from connecting to the last byte.
        resolver: Gives a host's addresses.
        verify: Certificates to trust: those of certifi when True, else a file's.
    """

    def __init__(
        self,
        allow: Iterable[str],
        *,
        contact: str,
        deadline_s: float,
        resolver: Callable[[str, int], list[str]] = resolve,
        verify: bool | str = True,
    ) -> None:
        self._deadline_s = deadline_s
        self._verify = verify
        self._watch = Watch()
        guard = Guard(allow, watch=self._watch, resolver=resolver)
        self._session = _session(GuardedAdapter(guard), contact)

    def close(self) -> None:
        """Close idle connections."""
        self._session.close()

    def get(
        self,
        url: str,
        headers: Mapping[str, str],
        *,
        max_bytes: int,
        stop: Event | None,
        on_sent: Callable[[], None],
        sink: Sink | None = None,
    ) -> Answer | str:
        """One request: the answer, or where it redirects to.

        Args:
            url: What to ask for.
            headers: Of the request.
            max_bytes: Of the decoded body.
            stop: Ends it.
            on_sent: Called when the request has been sent.
            sink: Where the body goes; into the answer when None.

        Raises:
            FetchError: It gave neither.
            StoppedError: `stop` was set.
        """
        host = urlsplit(url).hostname or url
        download = Download(self._deadline_s, stop, on_sent)
        self._watch.begin(download)
        try:
            request = self._session.prepare_request(requests.Request("GET", url, headers=headers))
            # Not by the session: it reads the whole body of a redirect, however long.
            response = self._session.get_adapter(url).send(
                request,
                stream=True,
                timeout=min(READ_TIMEOUT_S, self._deadline_s),
                verify=self._verify,
            )
            with response:
                if response.status_code in _REDIRECTS and response.headers.get("location"):
                    return urljoin(url, self._session.get_redirect_target(response) or url)
                _judge(response, host)
                memory = Memory()
                receive(response, host, max_bytes, sink or memory)
            if not download.is_cut:
                return Answer(url, CaseInsensitiveDict(response.headers), memory.content)
            raise _cut_or(download, stop, _late(host, download))
        except requests.exceptions.SSLError as error:
            raise _unreachable(host, "its certificate is not valid", is_transient=False) from error
        except (requests.Timeout, TimeoutError) as error:
            raise _cut_or(download, stop, _late(host, download)) from error
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema) as error:
            raise AddressError(host, "this is no web address") from error
        except (requests.RequestException, HTTPError, OSError) as error:
            trouble = (
                _late(host, download) if download.is_cut else _unreachable(host, _cause(error))
            )
            raise _cut_or(download, stop, trouble) from error
        except ValueError as error:
            raise AddressError(host, "this is no web address") from error
        finally:
            self._watch.end(download)


def _session(adapter: GuardedAdapter, contact: str) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.adapters.clear()
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.headers["User-Agent"] = f"{AGENT}/{version('lookalike')} ({contact})"
    return session


def _cut_or(
    download: Download, stop: Event | None, trouble: FetchError
) -> FetchError | StoppedError:
    return StoppedError() if download.is_cut and stop is not None and stop.is_set() else trouble


def _judge(response: requests.Response, host: str) -> None:
    """Raise for what is no success."""
    status = response.status_code
    if status == 200:
        return
    is_transient = status in {408, 425, 429} or (status >= 500 and status != 501)
    raise FetchError(
        f"{host} answered {status}.",
        key=_KEYS.get(status, "fetch_server" if status >= 500 else "fetch_status"),
        is_transient=is_transient,
        status=status,
        retry_after_s=retry_after_s(response.headers.get("retry-after")) if is_transient else None,
        host=host,
        code=status,
    )


def _late(host: str, download: Download) -> FetchError:
    # Who has used up the whole deadline would do so again.
    return FetchError(
        f"{host} takes too long.",
        key="fetch_timeout",
        is_transient=not download.is_cut,
        host=host,
    )


def _unreachable(host: str, reason: str, *, is_transient: bool = True) -> FetchError:
    return FetchError(
        f"{host} cannot be reached: {reason}.",
        key="fetch_connection",
        is_transient=is_transient,
        host=host,
        reason=reason,
    )


def _cause(error: BaseException) -> str:
    """The innermost error's name: the messages are long and full of object addresses."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__ or error
    return type(error).__name__
