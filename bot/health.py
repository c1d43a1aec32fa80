"""A heartbeat that a container's health check can ask for cheaply."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from engine.config import Settings

EVERY_S = 15.0
DEAD_AFTER_S = 60.0


def _file(settings: Settings) -> Path:
    return settings.data_dir / "bot.heartbeat"


def is_healthy(settings: Settings) -> bool:
    """Whether a bot with this `DATA_DIR` has shown life within the last minute."""
    try:
        return time.time() - _file(settings).stat().st_mtime < DEAD_AFTER_S
    except OSError:
        return False


async def beat(settings: Settings) -> None:
    """Show life for as long as the event loop turns. Runs until cancelled."""
    while True:
        await asyncio.to_thread(_touch, _file(settings))
        await asyncio.sleep(EVERY_S)


def _touch(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()


def rest(settings: Settings) -> None:
    """Take the sign of life away: the bot has stopped."""
    _file(settings).unlink(missing_ok=True)
