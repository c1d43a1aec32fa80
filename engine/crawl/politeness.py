"""Patience with hosts: few connections, gaps between requests, and waiting when told to."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Literal

from engine.crawl.errors import StoppedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from threading import Event

CONNECTIONS = 2
"""Requests under way at one host."""
API_CONNECTIONS = 1
"""Of them, requests to an API (Wikimedia asks for one at a time)."""
STOP_POLL_S = 0.05
"""How soon a waiting thread sees that it is to stop."""

Lane = Literal["media", "api"]


@dataclass(slots=True)
class _Host:
    changed: threading.Condition = field(default_factory=threading.Condition)
    active: dict[Lane, int] = field(default_factory=lambda: {"media": 0, "api": 0})
    delay_s: float = 0.0
    next_start: float = 0.0
    starting: object | None = None

    def wait_s(self, lane: Lane, now: float) -> float | None:
        """Seconds until a request may start; None while others must end first."""
        if sum(self.active.values()) >= CONNECTIONS:
            return None
        if lane == "api" and self.active["api"] >= API_CONNECTIONS:
            return None
        if self.starting is not None:
            return None
        return max(0.0, self.next_start - now)

    def begin(self, turn: object) -> None:
        """Count the gap to the next request from now, if it is this turn that was starting."""
        with self.changed:
            if self.starting is not turn:
                return
            self.starting = None
            self.next_start = max(self.next_start, time.monotonic() + self.delay_s)
            self.changed.notify_all()


class Politeness:
    """Gives turns at hosts, over all threads. A host is a name and a port.

    Args:
        delay_s: Least time between the starts of two requests to one host.
        is_limited: False lifts the limit of connections too (for benchmarks).
    """

    def __init__(self, delay_s: float, *, is_limited: bool = True) -> None:
        self._delay_s = delay_s
        self._is_limited = is_limited
        self._lock = threading.Lock()
        self._hosts: dict[str, _Host] = {}

    @contextmanager
    def turn(
        self, host: str, *, lane: Lane = "media", stop: Event | None = None
    ) -> Iterator[Callable[[], None]]:
        """Wait until `host` may be asked; the turn lasts as long as the block.

        The block is given what to call when its request has been sent: from then on the gap is
        counted, for connecting takes a while, and until then nobody else starts.

        Raises:
            StoppedError: `stop` was set meanwhile.
        """
        state = self._host(host)
        turn = object()
        self._enter(state, lane, stop, turn)
        try:
            yield lambda: state.begin(turn)
        finally:
            state.begin(turn)
            with state.changed:
                state.active[lane] -= 1
                state.changed.notify_all()

    def hold(self, host: str, seconds: float) -> None:
        """Let nobody ask `host` for so long, as it asked for with Retry-After."""
        state = self._host(host)
        with state.changed:
            state.next_start = max(state.next_start, time.monotonic() + seconds)
            state.changed.notify_all()

    def slow_down(self, host: str, delay_s: float) -> None:
        """Keep at least this gap at `host` from now on, the request just made included."""
        state = self._host(host)
        with state.changed:
            if delay_s > state.delay_s:
                state.next_start += delay_s - state.delay_s
                state.delay_s = delay_s

    def _enter(self, state: _Host, lane: Lane, stop: Event | None, turn: object) -> None:
        with state.changed:
            while True:
                if stop is not None and stop.is_set():
                    raise StoppedError
                now = time.monotonic()
                wait_s = state.wait_s(lane, now)
                if wait_s is None and not self._is_limited:
                    wait_s = max(0.0, state.next_start - now)
                if wait_s == 0:
                    break
                state.changed.wait(STOP_POLL_S if wait_s is None else min(wait_s, STOP_POLL_S))
            state.active[lane] += 1
            state.next_start = now + state.delay_s
            state.starting = turn if state.delay_s > 0 else None

    def _host(self, host: str) -> _Host:
        with self._lock:
            if host not in self._hosts:
                self._hosts[host] = _Host(delay_s=self._delay_s)
            return self._hosts[host]


def retry_after_s(header: str | None) -> float | None:
    """Seconds that a Retry-After header asks for (a number or an HTTP date); None when unreadable.

    RFC 9110, section 10.2.3.
    """
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
