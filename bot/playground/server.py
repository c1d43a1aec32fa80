"""The web server on this machine: which requests it takes at all, and who answers them."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aiohttp import web

from bot.playground.files import PHOTO_BYTES, UPLOAD_BYTES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

    from aiohttp.typedefs import Handler

_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_BODY_BYTES = 10 * PHOTO_BYTES + UPLOAD_BYTES  # an album of the largest photos, with room
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:;"
    " connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)


def check_host(host: str) -> str:
    """The address to listen on.

    Raises:
        ValueError: It can be reached from other machines; there is no password here.
    """
    try:
        is_loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise ValueError(f"the playground listens on this machine only, not on {host!r}")
    return host


def new_server(
    routes: Iterable[web.AbstractRouteDef], background: Iterable[Callable[[], Awaitable[None]]] = ()
) -> web.Application:
    """The application; `background` runs beside it until it ends."""
    server = web.Application(middlewares=[_only_this_machine], client_max_size=_BODY_BYTES)
    server.add_routes(routes)
    server.on_response_prepare.append(_harden)
    for work in background:
        server.cleanup_ctx.append(_beside(work))
    return server


def _beside(
    work: Callable[[], Awaitable[None]],
) -> Callable[[web.Application], AsyncIterator[None]]:
    async def run(_server: web.Application) -> AsyncIterator[None]:
        task = asyncio.ensure_future(work())
        yield
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    return run


@web.middleware
async def _only_this_machine(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse what a web page from elsewhere could send: foreign host names and origins."""
    if _name(f"//{request.host}") not in _NAMES:
        raise web.HTTPForbidden(text="This server answers to localhost only.")
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.host:
        raise web.HTTPForbidden(text="This server answers to its own page only.")
    return await handler(request)


def _name(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


async def _harden(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers.setdefault("Content-Security-Policy", _POLICY)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "no-referrer")
    response.headers.setdefault("Cache-Control", "no-store")
