"""The library behind the bot: changing hands, out of order, its encoder late."""

from __future__ import annotations

import asyncio
import io
import subprocess
import sys
import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from bot import gallery as module
from bot import loading as bot_loading
from bot.gallery import Gallery
from engine.config import load_settings
from engine.encoders import loading
from engine.errors import EncoderUnavailableError, LibraryLockedError, StoreError
from engine.library import Library
from engine.search import Query
from tests.bot.conftest import RunBot, answer_to, draw

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from bot.playground import Playground
    from engine.config import Settings

OWNER = """
import sys
from engine.config import load_settings
from engine.library import Library

with Library.open(load_settings(data_dir=sys.argv[1], encoder="none", _env_file=None), write=True):
    print("mine", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other_owner(settings: Settings) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the library."""
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, str(settings.data_dir)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "mine\n"
        yield owner
        owner.kill()


async def picture(gallery: Gallery, category: str = "tiger", number: int = 1) -> Image.Image:
    async def fetch() -> bytes:
        return draw(category, number)

    return await gallery.decode(fetch)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Gallery]:
    gallery = Gallery(settings)
    try:
        async with asyncio.timeout(20):
            await gallery.open()
            yield gallery
    finally:
        await gallery.close()


async def test_bot_becomes_owner_when_the_other_process_dies_and_answers_all_the_while(
    run_bot: RunBot,
    playground: Playground,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    other_owner: subprocess.Popen[str],
) -> None:
    monkeypatch.setattr(module, "RETRY_OWNING_S", 0.2)
    user = playground.user(1, "Sam", "en")
    async with run_bot() as bot:
        sent = await asyncio.to_thread(user.send_photo, draw("tiger", 1))
        assert len((await answer_to(playground, sent)).captions) == 3
        assert not bot.gallery.is_owner
        other_owner.kill()
        async with asyncio.timeout(15):
            while not bot.gallery.is_owner:  # noqa: ASYNC110 -- it waits for the bot
                await asyncio.sleep(0.05)
        with pytest.raises(LibraryLockedError, match="process"):
            await asyncio.to_thread(Library.open, settings, write=True)
        sent = await asyncio.to_thread(user.send_photo, draw("tiger", 2))
        assert len((await answer_to(playground, sent)).captions) == 3
    with await asyncio.to_thread(Library.open, settings, write=True):
        pass


async def test_large_picture_waits_in_memory_as_a_small_one(settings: Settings) -> None:
    large = io.BytesIO()
    Image.new("RGB", (4000, 3000), "orange").save(large, "PNG")

    async def fetch() -> bytes:
        return large.getvalue()

    async with opened(settings) as gallery:
        image = await gallery.decode(fetch)
        assert image.width * image.height <= 4 * module.MOST_PIXELS
        assert abs(image.width / image.height - 4 / 3) < 0.01
        assert image.info, "a library picture is still recognised by its bytes"


async def test_question_under_way_survives_the_change_of_hands(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = await asyncio.to_thread(Library.open, settings, write=True)
    async with opened(settings) as gallery:

        async def change_hands(self: Gallery) -> bool:
            await asyncio.to_thread(other.close)
            await self._take(write=True)
            return False

        monkeypatch.setattr(Gallery, "encoder_is_up", change_hands)
        asked = Query(images=(await picture(gallery),), metric="clip", topk=3)
        found = await gallery.ask(asked)
    assert found.matches[0].category == "tiger"


@pytest.mark.parametrize("trouble", [OSError("disk"), StoreError("torn", key="store_broken")])
async def test_library_that_cannot_be_opened_is_told_and_tried_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    real, failed = module._open, threading.Event()

    def fail_once(settings: Settings, *, write: bool) -> object:
        if not failed.is_set():
            failed.set()
            raise trouble
        return real(settings, write=write)

    monkeypatch.setattr(module, "_open", fail_once)
    monkeypatch.setattr(module, "RETRY_OPENING_S", 0.3)
    gallery = Gallery(settings)
    opening = asyncio.create_task(gallery.open())
    try:
        with pytest.raises(StoreError):
            await picture(gallery)
        await opening
        assert await picture(gallery)
    finally:
        await gallery.close()


async def test_encoder_that_is_late_again_keeps_nobody_from_pixels(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    calls, may_end = [], threading.Event()

    def load(*_: object) -> None:
        calls.append(1)
        if len(calls) > 1:
            may_end.wait(20)
        raise EncoderUnavailableError("not there", key="encoder_broken", reason="?")

    monkeypatch.setattr(loading, "load_network", load)
    monkeypatch.setattr(bot_loading, "LOADING_WAIT_S", 0.3)
    late = load_settings(
        **settings.model_dump() | {"encoder": f"open_clip:local-dir:{tmp_path}"}, _env_file=None
    )
    async with opened(late) as gallery:
        by_clip = Query(images=(await picture(gallery),), metric="clip", topk=3)
        assert (await gallery.ask(by_clip)).fallback == "answer.fallback"
        assert gallery._library is not None
        assert gallery._library.encoder is not None
        gallery._library.encoder._cool_down_s = 0.0
        found = await asyncio.gather(*(gallery.ask(by_clip) for _ in range(20)))
        assert {each.fallback for each in found} == {"answer.loading"}
        clock = asyncio.get_running_loop().time()
        await gallery.ask(by_clip)
        assert asyncio.get_running_loop().time() - clock < 0.3, "the wait is over for all"
        may_end.set()


async def test_library_is_released_by_a_gallery_that_is_closed_while_it_opens(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()
    open_library = module._open

    def slow(settings: Settings, *, write: bool) -> object:
        opened = open_library(settings, write=write)
        begun.set()
        go_on.wait(10)
        return opened

    monkeypatch.setattr(module, "_open", slow)
    gallery = Gallery(settings)
    opening = asyncio.create_task(gallery.open())
    await asyncio.to_thread(begun.wait, 10)
    opening.cancel()
    asyncio.get_running_loop().call_later(0.3, go_on.set)
    await gallery.close()
    with await asyncio.to_thread(Library.open, settings, write=True):
        pass
