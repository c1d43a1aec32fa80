"""The heartbeat tells a living bot from a dead one."""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING

from bot import health
from engine.config import load_settings

if TYPE_CHECKING:
    from pathlib import Path


async def test_bot_is_healthy_while_its_heart_beats(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path / "data", _env_file=None)
    assert not health.is_healthy(settings)
    beating = asyncio.create_task(health.beat(settings))
    async with asyncio.timeout(5):
        while not health.is_healthy(settings):  # noqa: ASYNC110 -- it waits for a file
            await asyncio.sleep(0.01)
    beating.cancel()
    long_ago = time.time() - health.DEAD_AFTER_S - 1
    os.utime(tmp_path / "data" / "bot.heartbeat", (long_ago, long_ago))
    assert not health.is_healthy(settings)
    health.rest(settings)
    assert not health.is_healthy(settings)
