"""A small drawn library, and the whole bot running over it against a playground."""

from __future__ import annotations

import asyncio
import contextlib
import io
import random
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image, ImageDraw

from bot.app import LookalikeBot, Timing
from bot.playground import Playground, running_playground
from bot.transport import Patience
from engine.config import Settings, load_settings

if TYPE_CHECKING:
    from pathlib import Path

CATEGORIES = {"red panda": "firebrick", "sky": "skyblue", "tiger": "orange"}
PER_CATEGORY = 6
QUICK = Timing(read_s=3.0, upload_s=3.0, poll_s=5, patience=Patience(first_wait_s=0.05))

RunBot = Callable[..., AbstractAsyncContextManager[LookalikeBot]]


def draw(category: str, number: int) -> bytes:
    """A picture of stripes in the category's colour, each number in its own places."""
    chance = random.Random(f"{category}{number}")
    image = Image.new("RGB", (160, 120), CATEGORIES[category])
    pen = ImageDraw.Draw(image)
    for _ in range(6):
        x, y = chance.randrange(160), chance.randrange(120)
        shade = chance.randrange(60)
        pen.ellipse((x, y, x + 40, y + 30), fill=(shade, shade, shade))
    written = io.BytesIO()
    image.save(written, "JPEG", quality=92)
    return written.getvalue()


@dataclass(frozen=True, slots=True)
class Answer:
    """What the bot sent for one question."""

    pictures: list[dict[str, Any]]
    words: dict[str, Any]

    @property
    def captions(self) -> list[str]:
        return [message["caption"] for message in self.pictures]


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A `DATA_DIR` with an indexed library of three categories."""
    from engine.library import Library

    folder = tmp_path_factory.mktemp("library")
    for category in CATEGORIES:
        (folder / "pictures" / category).mkdir(parents=True)
        for number in range(PER_CATEGORY):
            path = folder / "pictures" / category / f"{number}.jpg"
            path.write_bytes(draw(category, number))
    settings = load_settings(data_dir=folder / "data", encoder="none", _env_file=None)
    with Library.open(settings, write=True) as opened:
        opened.index([folder / "pictures"])
    return folder / "data"


@pytest.fixture
def playground() -> Iterator[Playground]:
    with running_playground() as playground:
        yield playground


@pytest.fixture
def settings(library: Path, tmp_path: Path, playground: Playground) -> Settings:
    """The library is shared by all tests, so each works on a copy of its catalogue."""
    import shutil

    data_dir = tmp_path / "data"
    shutil.copytree(library, data_dir)
    return load_settings(
        telegram_token=playground.token,
        telegram_api_url=playground.url,
        data_dir=data_dir,
        encoder="none",
        topk=3,
        _env_file=None,
    )


@pytest.fixture
def run_bot(settings: Settings) -> RunBot:
    """Run the bot within the test's event loop: `async with run_bot() as bot`."""

    @asynccontextmanager
    async def run(timing: Timing = QUICK, **changes: Any) -> AsyncIterator[LookalikeBot]:
        bot = LookalikeBot(settings.model_copy(update=changes), timing)
        running = asyncio.create_task(bot.run())
        ready = asyncio.create_task(bot.is_ready.wait())
        try:
            await asyncio.wait({running, ready}, timeout=40, return_when=asyncio.FIRST_COMPLETED)
            assert ready.done(), "the bot did not become ready"
            yield bot
        finally:
            ready.cancel()
            bot.stop()
            with contextlib.suppress(asyncio.CancelledError):
                assert await running == 0

    return run


async def answer_to(
    playground: Playground, sent: dict[str, Any], *, timeout_s: float = 30.0
) -> Answer:
    """The answer to a message: what replies to it, up to the message with the buttons."""
    chat = sent["chat"]["id"]
    words = await playground.until(
        chat,
        lambda message: "text" in message and "searching" not in message["text"],
        timeout_s,
        after=sent["message_id"],
    )
    pictures = [
        message
        for message in playground.answers(chat, after=sent["message_id"])
        if "photo" in message and message["message_id"] < words["message_id"]
    ]
    return Answer(pictures, words)
