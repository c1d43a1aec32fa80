"""Routes by which programs outside this process steer a playground: faults, people, the record."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from aiohttp import web

from bot.playground.arguments import Arguments
from bot.playground.faults import EVERYDAY, KINDS, Fault

if TYPE_CHECKING:
    from bot.playground.playground import Playground

JSON = dict[str, Any]


class Control:
    """`/playground/calls`, `/playground/faults` and `/playground/users`."""

    def __init__(self, playground: Playground) -> None:
        self._playground = playground

    def routes(self) -> list[web.AbstractRouteDef]:
        """The routes."""
        return [
            web.get("/playground/calls", self.calls),
            web.get("/playground/faults", self.kinds),
            web.post("/playground/faults", self.add_faults),
            web.delete("/playground/faults", self.clear_faults),
            web.post("/playground/users", self.add_user),
        ]

    async def calls(self, request: web.Request) -> web.Response:
        """The record of calls, or of those of one `method`."""
        records = self._playground.calls(request.query.get("method", ""))
        return web.json_response([dataclasses.asdict(record) for record in records])

    async def kinds(self, _request: web.Request) -> web.Response:
        """Names of the faults there are."""
        return web.json_response(KINDS)

    async def add_faults(self, request: web.Request) -> web.Response:
        """Either `{"method", "kind", "times", …}` or `{"share", "kinds", "methods", "seed"}`.

        The other fields of `Fault` may stand beside `kind`; a kind in `kinds` is a name or such
        an object.
        """
        body = await _body(request)
        try:
            if "share" in body:
                kinds = [_fault(kind) for kind in body.get("kinds") or []] or EVERYDAY
                self._playground.faults.share(
                    float(body["share"]),
                    kinds=kinds,
                    methods=body.get("methods", ()),
                    seed=int(body.get("seed", 0)),
                )
            else:
                method, times = str(body.pop("method", "*")), int(body.pop("times", 1))
                self._playground.faults.next(method, _fault(body), times=times)
        except (TypeError, ValueError) as error:
            raise web.HTTPBadRequest(text=str(error)) from None
        return web.json_response({})

    async def clear_faults(self, _request: web.Request) -> web.Response:
        """From now on everything goes well."""
        self._playground.faults.clear()
        return web.json_response({})

    async def add_user(self, request: web.Request) -> web.Response:
        """`{"id", "name", "language_code", "is_admin"}`."""
        given = Arguments(await _body(request))
        if not given.integer("id"):
            raise web.HTTPBadRequest(text="a user needs an id")
        user = self._playground.user(
            given.integer("id"),
            given.text("name", "Sam"),
            given.text("language_code", "en"),
            is_admin=given.boolean("is_admin"),
        )
        return web.json_response(user.person.as_json())


async def _body(request: web.Request) -> JSON:
    try:
        body = await request.json()
    except ValueError:
        raise web.HTTPBadRequest(text="the body must be JSON") from None
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(text="the body must be an object")
    return body


def _fault(given: JSON | str) -> Fault:
    return Fault(given) if isinstance(given, str) else Fault(**given)  # type: ignore[arg-type]
