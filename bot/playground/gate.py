"""Where calls come in: the routes of the Bot API, the trouble put in their way, and the record."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import struct
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from aiohttp import web

from bot.playground.arguments import Arguments, read_arguments
from bot.playground.calls import Call, Record
from bot.playground.errors import BLOCKED, TERMINATED, WRONG_FILE, ApiError, bad_request, flood
from bot.playground.methods import METHODS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

    from bot.playground.account import Account
    from bot.playground.bell import Bell
    from bot.playground.faults import Fault, Faults

JSON = dict[str, Any]
LOG = logging.getLogger(__name__)

_RESET = struct.pack("ii", 1, 0)  # SO_LINGER with no time to linger: closing sends RST


_KEPT = 100_000


class _CutError(Exception):
    """The connection is to be reset instead of an answer."""


class Gate:
    """Answers `/bot<token>/<method>` and `/file/bot<token>/<path>`.

    Attributes:
        records: The latest calls, in the order of their ends.
    """

    def __init__(self, accounts: Mapping[str, Account], faults: Faults, bell: Bell) -> None:
        self._accounts = accounts
        self._faults = faults
        self._bell = bell
        self.records: deque[Record] = deque(maxlen=_KEPT)

    def routes(self) -> list[web.RouteDef]:
        """The Bot API's routes."""
        return [
            web.route("*", "/bot{token}/{method}", self.answer),
            web.get("/file/bot{token}/{path:.+}", self.download),
        ]

    async def answer(self, request: web.Request) -> web.Response:
        """Any method."""
        account = self._accounts.get(request.match_info["token"])
        if account is None:
            return _failed(ApiError(401))
        name = request.match_info["method"].lower()
        if request.method not in {"GET", "POST"} or name not in METHODS:
            return _failed(ApiError(404, "method not found"))
        note = _Note(name, self._faults.draw(name))
        return await self._respond(request, note, self._call(account, request, note))

    async def download(self, request: web.Request) -> web.Response:
        """A file."""
        account = self._accounts.get(request.match_info["token"])
        if account is None:
            return _failed(ApiError(401))
        path = request.match_info["path"]
        note = _Note("download", self._faults.draw("download"), {"path": path})
        return await self._respond(request, note, self._fetch(account, path, note))

    async def perform(self, account: Account, name: str, arguments: Arguments) -> None:
        """A call made in the answer to a webhook, which hears nothing of its success."""
        if method := METHODS.get(name.lower()):
            note = _Note(name.lower(), None, arguments.for_record())
            try:
                await method(Call(account, arguments))
                note.took_effect = True
            except ApiError as error:
                note.failed(error)
            finally:
                self._keep(note)

    async def _respond(
        self, request: web.Request, note: _Note, work: Awaitable[web.Response]
    ) -> web.Response:
        try:
            return await work
        except ApiError as error:
            note.failed(error)
            return _failed(error)
        except _CutError:
            note.status = 0
            return _reset(request)
        finally:
            self._keep(note)

    async def _fetch(self, account: Account, path: str, note: _Note) -> web.Response:
        file = account.files.at(path)
        if file is None:
            raise ApiError(404)
        await self._meet(note, account, Arguments())
        note.took_effect = True
        return web.Response(body=file.data, content_type="application/octet-stream")

    async def _call(self, account: Account, request: web.Request, note: _Note) -> web.Response:
        fault = note.fault
        if fault and fault.kind == "cut":
            raise _CutError
        arguments = await read_arguments(request)
        note.arguments = arguments.for_record()
        call = Call(account, arguments)
        if fault and fault.kind == "flood" and note.method == "sendmediagroup":
            call = Call(account, arguments, fault.album_items or 0, fault.retry_after)
        elif fault and not fault.took_effect:
            await self._meet(note, account, arguments)
        result = await METHODS[note.method](call)
        note.took_effect = True
        if fault and fault.took_effect:
            await self._meet(note, account, arguments)
        return web.json_response({"ok": True, "result": result})

    async def _meet(self, note: _Note, account: Account, arguments: Arguments) -> None:
        """Let the fault happen; returns if the call goes on."""
        fault = note.fault
        match fault.kind if fault else "":
            case "flood" if fault:
                raise flood(fault.retry_after)
            case "error":
                raise ApiError(500)
            case "bad_gateway":
                raise ApiError(502)
            case "conflict":
                raise ApiError(409, TERMINATED)
            case "reset" | "cut":
                raise _CutError
            case "hang" if fault:
                await asyncio.sleep(fault.delay_s)
                raise _CutError
            case "slow" if fault:
                await asyncio.sleep(fault.delay_s)
            case "blocked" if "chat_id" in arguments:
                account.chat(arguments.text("chat_id")).is_blocked = True
                raise ApiError(403, BLOCKED)
            case "dead_file":
                _kill_files(account, arguments)

    def _keep(self, note: _Note) -> None:
        with self._bell:
            self.records.append(note.record())
            self._bell.ring()
        LOG.debug("%s: %s %s", note.method, note.status, note.description)


class _Note:
    """A record in the making."""

    def __init__(self, method: str, fault: Fault | None, arguments: JSON | None = None) -> None:
        self.method = method
        self.fault = fault
        self.arguments = arguments or {}
        self.status = 200
        self.description = ""
        self.took_effect = False
        self._at = time.time()
        self._began = time.monotonic()

    def failed(self, error: ApiError) -> None:
        self.status, self.description = error.code, error.description

    def record(self) -> Record:
        return Record(
            method=self.method,
            arguments=self.arguments,
            status=self.status,
            description=self.description,
            fault=self.fault.kind if self.fault else "",
            took_effect=self.took_effect,
            at=self._at,
            seconds=time.monotonic() - self._began,
        )


def _kill_files(account: Account, arguments: Arguments) -> None:
    found = set(_strings(arguments.for_record()))
    with account.bell:
        known = {text for text in found if account.files.file(text)}
        for file_id in known:
            account.files.kill(file_id)
    if known:
        raise bad_request(WRONG_FILE)


def _strings(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for part in parts for text in _strings(part)]


def _failed(error: ApiError) -> web.Response:
    headers = {"Retry-After": str(error.retry_after)} if error.retry_after is not None else {}
    return web.json_response(error.as_json(), status=error.code, headers=headers)


def _reset(request: web.Request) -> web.Response:
    if request.transport is not None:
        connection = request.transport.get_extra_info("socket")
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        request.transport.abort()
    return web.Response(status=500)
