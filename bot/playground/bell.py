"""A lock with a bell: threads and coroutines wait until something about the state is true."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

T = TypeVar("T")


class Bell:
    """The one lock of a playground's state; whoever changes the state rings it.

    The state changes from the server's event loop and from the threads of tests alike. Nothing
    awaits while it holds the lock.
    """

    def __init__(self) -> None:
        self._condition = threading.Condition(threading.RLock())
        self._sleepers: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    def __enter__(self) -> None:
        self._condition.acquire()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._condition.release()

    def ring(self) -> None:
        """Let everybody who waits look again."""
        with self._condition:
            self._condition.notify_all()
            for loop, event in self._sleepers:
                loop.call_soon_threadsafe(event.set)

    def wait(self, look: Callable[[], T | None], timeout_s: float) -> T | None:
        """Block the thread until `look()` gives something true; `None` after `timeout_s`."""
        deadline = time.monotonic() + timeout_s
        with self._condition:
            while not (found := look()):
                left = deadline - time.monotonic()
                if left <= 0 or not self._condition.wait(left):
                    return look() or None
            return found

    async def sleep(self, look: Callable[[], T | None], timeout_s: float) -> T | None:
        """Like `wait`, for a coroutine of any event loop."""
        event = asyncio.Event()
        sleeper = (asyncio.get_running_loop(), event)
        with self._condition:
            self._sleepers.add(sleeper)
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    event.clear()
                    with self._condition:
                        found = look()
                    if found:
                        return found
                    await event.wait()
        except TimeoutError:
            return None
        finally:
            with self._condition:
                self._sleepers.discard(sleeper)
