"""A running playground, PTB's own bot against it, and pictures to send."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from telegram import Bot

from bot.playground import Playground, User, running_playground

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

SAM = 1


@pytest.fixture
def playground() -> Iterator[Playground]:
    with running_playground() as running:
        yield running


@pytest.fixture
def sam(playground: Playground) -> User:
    return playground.user(SAM, "Sam", "en")


@pytest.fixture
def new_bot(playground: Playground) -> Callable[..., Bot]:
    def make(token: str = playground.token) -> Bot:
        return Bot(
            token, base_url=f"{playground.url}/bot", base_file_url=f"{playground.url}/file/bot"
        )

    return make


@pytest.fixture
async def bot(sam: User, new_bot: Callable[..., Bot]) -> AsyncIterator[Bot]:
    async with new_bot() as running:
        yield running


@pytest.fixture
def picture() -> Callable[..., bytes]:
    def draw(colour: str = "teal", size: tuple[int, int] = (400, 300), kind: str = "JPEG") -> bytes:
        out = io.BytesIO()
        Image.new("RGB", size, colour).save(out, kind)
        return out.getvalue()

    return draw
