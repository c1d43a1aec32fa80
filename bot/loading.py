"""The encoder on its way: loaded beside the questions, which wait for it, but not for long."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from engine.errors import LookalikeError

if TYPE_CHECKING:
    from engine.encoders import LazyEncoder

LOADING_WAIT_S = 20.0  # then pixels have to do, and the answer says so


class Loading:
    """The loading of one library's encoder."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None
        self._since = 0.0
        self._awaited: LazyEncoder | None = None

    def begin(self, encoder: LazyEncoder | None) -> None:
        """Load the encoder, again where that has failed: never in a searcher's thread."""
        if encoder is None or encoder.is_loaded:
            return
        if self._task is None or self._task.done() or encoder is not self._awaited:
            self._awaited = encoder
            self._task = asyncio.create_task(_load(encoder))
            self._since = asyncio.get_running_loop().time()

    async def is_over(self) -> bool:
        """Wait a while for the encoder; False while it still loads (a download takes minutes).

        All questions wait for the same moment: whoever comes later waits less.
        """
        if self._task is None or self._task.done():
            return True
        waited_s = asyncio.get_running_loop().time() - self._since
        await asyncio.wait({self._task}, timeout=max(LOADING_WAIT_S - waited_s, 0.0))
        return self._task.done()

    def cancel(self) -> None:
        """Wait no longer."""
        if self._task is not None:
            self._task.cancel()


async def _load(encoder: LazyEncoder) -> None:
    """Wait for the encoder without holding a thread; whether it came, the search will see."""
    encoder.prewarm()
    while _is_loading(encoder):  # noqa: ASYNC110 -- it ends in a thread of its own
        await asyncio.sleep(0.1)


def _is_loading(encoder: LazyEncoder) -> bool:
    try:
        encoder.load(timeout_s=0)
    except LookalikeError as error:
        return error.key == "encoder_loading"
    return False
