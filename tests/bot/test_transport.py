"""Slow lines are borne, silent ones are not, and a token refused for a while stops nothing."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from telegram import Bot

from bot.transport import Patience, PollingRequest, Request, UnclearError, UnsentError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

BLOCK = bytes(20_000)


@asynccontextmanager
async def server(
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    async with TestServer(app) as running:
        yield str(running.make_url("/"))


@asynccontextmanager
async def ready(request: Request) -> AsyncIterator[Request]:
    await request.initialize()
    yield request
    await request.shutdown()


def dripping(pause_s: float) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(len(BLOCK) * 5)})
        await response.prepare(request)
        for _ in range(5):
            await asyncio.sleep(pause_s)
            await response.write(BLOCK)
        return response

    return drip


async def test_download_may_be_slow() -> None:
    async with (
        server(dripping(0.1)) as url,
        ready(Request(connect_s=1, read_s=0.3, upload_s=5)) as request,
    ):
        _, data = await request.do_request(url, "GET")
    assert len(data) == len(BLOCK) * 5


async def test_download_may_not_stand_still() -> None:
    async with (
        server(dripping(1.0)) as url,
        ready(Request(connect_s=1, read_s=0.2, upload_s=30)) as request,
    ):
        with pytest.raises(UnclearError):
            await request.do_request(url, "GET")


async def test_upload_is_given_time_by_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    async def slow(request: web.Request) -> web.Response:
        async for _ in request.content.iter_chunked(1 << 20):
            await asyncio.sleep(0.1)
        sent = {"message_id": 1, "date": 0, "chat": {"id": 1, "type": "private"}}
        return web.json_response({"ok": True, "result": sent})

    monkeypatch.setattr("bot.transport.SLOW_BYTES_PER_S", 100_000)
    request = Request(connect_s=1, read_s=0.1, upload_s=0.1)
    async with server(slow) as url, ready(request):
        bot = Bot("1:a", base_url=f"{url}bot", request=request)
        assert await bot.send_photo(1, bytes(400_000))


async def test_token_refused_while_polling_is_trouble_that_passes() -> None:
    async def refuse(_: web.Request) -> web.Response:
        return web.Response(status=401, text='{"ok":false,"error_code":401}')

    async with (
        server(refuse) as url,
        ready(PollingRequest(patience=Patience(tries=1), connect_s=1, read_s=1)) as request,
    ):
        with pytest.raises(UnsentError, match="401"):
            await request.do_request(url, "POST")
