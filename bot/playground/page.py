"""Routes of the chat page: what it shows, and what people do on it."""

from __future__ import annotations

import asyncio
import json
import time
from functools import partial
from importlib import resources
from typing import TYPE_CHECKING, Any

from aiohttp import web

from bot.playground.arguments import read_arguments
from bot.playground.errors import ApiError, bad_request
from bot.playground.people import Photo, User

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bot.playground.account import Event
    from bot.playground.arguments import Arguments, Upload
    from bot.playground.chats import Chat
    from bot.playground.people import Where
    from bot.playground.playground import Playground

JSON = dict[str, Any]

CALLBACK_WAIT_S = 15.0
INLINE_WAIT_S = 10.0
HEARTBEAT_S = 15.0
MOST_PHOTOS = 10
INLINE_LETTERS = 256
_STATIC = {
    "index.html": "text/html",
    "style.css": "text/css",
    "app.js": "text/javascript",
    "composer.js": "text/javascript",
    "messages.js": "text/javascript",
    "mosaic.js": "text/javascript",
    "server.js": "text/javascript",
    "inline.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}
_PICTURES = frozenset({".jpg", ".jpeg", ".png", ".webp"})


class Page:
    """The chat page of a playground.

    Args:
        playground: Its world.
        samples: Folder of pictures for the tray; sub-folders are looked into.
    """

    def __init__(self, playground: Playground, samples: Path | None) -> None:
        self._playground = playground
        self._samples: dict[str, Path] = {}
        if samples:
            found = sorted(p for p in samples.rglob("*") if p.suffix.lower() in _PICTURES)
            self._samples = {path.relative_to(samples).as_posix(): path for path in found}

    def routes(self) -> list[web.AbstractRouteDef]:
        """The page's routes."""
        return [
            web.get("/", self.static),
            web.get("/static/{name}", self.static),
            web.get("/playground/state", self.state),
            web.get("/playground/events", self.events),
            web.get("/playground/files/{file_id}", self.file),
            web.get("/playground/samples/{name:.+}", self.sample),
            web.post("/playground/send", _telling(self.send)),
            web.post("/playground/press", _telling(self.press)),
            web.post("/playground/inline", _telling(self.inline)),
            web.post("/playground/choose", _telling(self.choose)),
            web.post("/playground/forward", _telling(self.forward)),
            web.post("/playground/delete", _telling(self.delete)),
            web.post("/playground/react", _telling(self.react)),
            web.post("/playground/block", _telling(self.block)),
        ]

    async def static(self, request: web.Request) -> web.Response:
        """The page itself."""
        name = request.match_info.get("name", "index.html")
        if name not in _STATIC:
            raise web.HTTPNotFound
        body = resources.files("bot.playground").joinpath("static", name).read_bytes()
        return web.Response(body=body, content_type=_STATIC[name], charset="utf-8")

    async def state(self, _request: web.Request) -> web.Response:
        """Everything there is to show; `event` is the number of the last event in it."""
        account = self._playground.account
        with account.bell:
            shown = {
                "bot": account.as_user() | {"description": account.profile.text("description", "")},
                "event": account.events[-1].number if account.events else 0,
                "people": [
                    {**p.as_json(), "is_admin": p.is_admin}
                    for p in self._playground.people.values()
                ],
                "chats": [self._chat(chat) for chat in account.chats.values()],
                "samples": list(self._samples),
            }
            return web.json_response(shown)

    def _chat(self, chat: Chat) -> JSON:
        account = self._playground.account
        action, until = chat.action
        return {
            **chat.as_json(),
            "members": list(chat.members),
            "is_blocked": chat.is_blocked,
            "messages": list(chat.messages.values()),
            "reactions": chat.reactions,
            "action": action if until > time.time() else "",
            "menus": {p.id: account.profile.menu(chat, p) for p in chat.members.values()},
        }

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events from number `after` (or `Last-Event-ID`) on."""
        account = self._playground.account
        after = _number(request.headers.get("Last-Event-ID") or request.query.get("after", ""))
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await stream.prepare(request)
        await stream.write(b"retry: 1000\n\n")
        while True:
            news = await account.bell.sleep(partial(self._since, after), HEARTBEAT_S)
            try:
                await stream.write(_as_stream(news) if news else b": still here\n\n")
            except (ConnectionError, RuntimeError):
                return stream
            after = news[-1].number if news else after

    def _since(self, number: int) -> list[Event]:
        events = self._playground.account.events
        if not events or events[-1].number <= number:
            return []
        return [event for event in events if event.number > number]

    async def file(self, request: web.Request) -> web.Response:
        """A picture in a message."""
        account = self._playground.account
        with account.bell:
            file = account.files.file(request.match_info["file_id"])
        if file is None:
            raise web.HTTPNotFound
        is_picture = file.mime in {"image/jpeg", "image/png", "image/webp", "image/gif"}
        mime = file.mime if is_picture else "application/octet-stream"
        headers = {"Cache-Control": "private, max-age=86400, immutable"}
        if not is_picture:
            headers["Content-Disposition"] = "attachment"
        return web.Response(body=file.data, content_type=mime, headers=headers)

    async def sample(self, request: web.Request) -> web.FileResponse:
        """A picture of the tray."""
        path = self._samples.get(request.match_info["name"])
        if path is None:
            raise web.HTTPNotFound
        return web.FileResponse(path, headers={"Cache-Control": "private, max-age=3600"})

    async def send(self, arguments: Arguments) -> JSON:
        """`text` (or a caption), uploads of any name, `samples` by name."""
        user, where = self._user(arguments), _where(arguments)
        text = arguments.text("text").strip()
        uploads = list(arguments.uploads.values())
        samples = [self._samples.get(name) for name in arguments.array("samples", "samples") or []]
        pictures = [path.read_bytes() for path in samples if path]
        if len(uploads) + len(pictures) > MOST_PHOTOS:
            raise bad_request(f"at most {MOST_PHOTOS} pictures go into one album")
        if not uploads and not pictures:
            if not text:
                raise bad_request("message text is empty")
            user.send_text(text[:4096], **where)
        else:
            await asyncio.to_thread(_send_files, user, uploads, pictures, text[:1024], where)
        return {}

    async def press(self, arguments: Arguments) -> JSON:
        """A button by `row` and `column`; waits for the bot's answer."""
        user = self._user(arguments)
        button = (arguments.integer("row"), arguments.integer("column"))
        try:
            asked = user.press(self._message(arguments), button)
        except LookupError:
            raise bad_request("the button is gone") from None
        answer = await user.account.bell.sleep(lambda: asked.answer, CALLBACK_WAIT_S)
        return {"answer": answer}

    async def inline(self, arguments: Arguments) -> JSON:
        """What the bot offers for an inline `query`, from `offset` on; waits for its answer."""
        user = self._user(arguments)
        query = arguments.text("query")[:INLINE_LETTERS]
        asked = user.ask_inline(query, arguments.text("offset"))
        answer = await user.account.bell.sleep(lambda: asked.answer, INLINE_WAIT_S)
        return {"query": asked.id, "answer": answer}

    async def choose(self, arguments: Arguments) -> JSON:
        """Send the `result` of an inline `query`."""
        user = self._user(arguments)
        asked = user.account.inline.get(arguments.text("query"))
        if asked is None or asked.person.id != user.id:
            raise bad_request("the result is gone")
        try:
            user.choose_inline(asked, arguments.text("result"), **_where(arguments))
        except LookupError:
            raise bad_request("the result is gone") from None
        return {}

    async def forward(self, arguments: Arguments) -> JSON:
        """Send a picture that is in the chat once more, as a forward."""
        message = self._message(arguments)
        self._user(arguments).send_again(message, forward=True, **_where(arguments))
        return {}

    async def delete(self, arguments: Arguments) -> JSON:
        """Delete a message for both sides."""
        self._user(arguments).delete(self._message(arguments))
        return {}

    async def react(self, arguments: Arguments) -> JSON:
        """Put an `emoji` under a message."""
        self._user(arguments).react(self._message(arguments), arguments.text("emoji"))
        return {}

    async def block(self, arguments: Arguments) -> JSON:
        """Block the bot, or with `blocked` false let it write again."""
        user = self._user(arguments)
        if arguments.boolean("blocked"):
            user.block()
        else:
            user.unblock()
        return {}

    def _user(self, arguments: Arguments) -> User:
        person = self._playground.people.get(arguments.integer("user"))
        if person is None:
            raise bad_request("user not found")
        return User(person, self._playground.account)

    def _message(self, arguments: Arguments) -> JSON:
        account = self._playground.account
        with account.bell:
            chat = account.chats.get(arguments.integer("chat"))
            message = chat and chat.messages.get(arguments.integer("message_id"))
        if not message:
            raise bad_request("the message is gone")
        return message


def _telling(work: Any) -> Any:  # noqa: ANN401
    async def handle(request: web.Request) -> web.Response:
        try:
            return web.json_response(await work(await read_arguments(request)))
        except ApiError as error:
            reason = error.description.removeprefix("Bad Request: ")
            return web.json_response({"error": reason}, status=error.code)

    return handle


def _send_files(
    user: User, uploads: Sequence[Upload], samples: Sequence[bytes], text: str, where: Where
) -> None:
    """As Telegram's own programs: pictures as photos, GIFs as animations, the rest as files."""
    photos = list(samples)
    others = []
    for upload in uploads:
        is_photo = upload.mime.startswith("image/") and upload.mime != "image/gif"
        photos += [upload.data] if is_photo else []
        others += [] if is_photo else [upload]
    try:
        if len(photos) > 1:
            user.send_album([Photo(photo) for photo in photos], text, **where)
        elif photos:
            user.send_photo(photos[0], text, **where)
    except ApiError:
        # What the server cannot show as a photo (odd in shape, unreadable) goes as a file.
        others = list(uploads)
    for upload in others:
        if upload.mime == "image/gif":
            user.send_animation(upload.data, text, **where)
        else:
            user.send_document(upload.data, upload.name, upload.mime, text, **where)


def _where(arguments: Arguments) -> Where:
    return {
        "chat_id": arguments.integer("chat"),
        "thread": arguments.integer("thread"),
        "reply_to": arguments.integer("reply_to"),
    }


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0


def _as_stream(events: Sequence[Event]) -> bytes:
    lines = []
    for event in events:
        body = {"kind": event.kind, "chat": event.chat_id, "content": event.content}
        lines.append(f"id: {event.number}\ndata: {json.dumps(body)}\n\n")
    return "".join(lines).encode()
