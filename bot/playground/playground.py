"""The playground as a whole: a Bot API server on this machine, with people who talk to its bots."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, TypeVar

from aiohttp import web

from bot.playground.account import Account, group_chat, private_chat
from bot.playground.bell import Bell
from bot.playground.chats import Person
from bot.playground.control import Control
from bot.playground.faults import Faults
from bot.playground.gate import Gate
from bot.playground.page import Page
from bot.playground.people import User
from bot.playground.server import check_host, new_server
from bot.playground.webhooks import Courier

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from bot.playground.account import Asked
    from bot.playground.calls import Record
    from bot.playground.chats import Chat, ChatKind

JSON = dict[str, Any]
T = TypeVar("T")

TOKEN = "4200001:playground-token-of-no-worth-elsewhere"  # noqa: S105 -- opens nothing
FIRST_UPDATE = 700_000_001
ADMIN_ID = 103
WAIT_S = 10.0


class Playground:
    """A Bot API server on loopback, in a thread of its own.

    Use it as a context manager, `with` or `async with`, or by `start` and `stop`. All methods may
    be called from any thread. Those that wait block; in a coroutine that shares its event loop
    with the bot use `until` instead of `wait_for`.

    Args:
        token: The bot's token.
        host: Address to listen on; only loopback is taken.
        port: 0 takes a free one.
        samples: Folder of pictures for the page's tray.
        username: The bot's.
        name: The bot's.
    """

    def __init__(
        self,
        token: str = TOKEN,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        samples: Path | None = None,
        username: str = "lookalike_bot",
        name: str = "Lookalike",
    ) -> None:
        self.host = check_host(host)
        self.port = port
        self.bell = Bell()
        self.faults = Faults()
        self.accounts: dict[str, Account] = {}
        self.people: dict[int, Person] = {}
        self.account = self.add_bot(token, username, name=name)
        self.page = Page(self, samples)
        self._gate = Gate(self.accounts, self.faults, self.bell)
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended: asyncio.Event | None = None

    # --- life

    def open(self) -> Self:
        """Begin to listen.

        Raises:
            OSError: The port is taken.
        """
        started: threading.Event = threading.Event()
        failure: list[BaseException] = []

        def run() -> None:
            try:
                asyncio.run(self._serve(started))
            except OSError as error:
                failure.append(error)
            finally:
                started.set()

        self._thread = threading.Thread(target=run, name="playground", daemon=True)
        self._thread.start()
        started.wait()
        if failure:
            raise failure[0]
        return self

    def close(self) -> None:
        """End; connections that are open are cut."""
        if self._loop and self._ended and self._thread and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._ended.set)
            self._thread.join(timeout=10)

    async def start(self) -> Self:
        """`open`, from a coroutine."""
        return await asyncio.to_thread(self.open)

    async def stop(self) -> None:
        """`close`, from a coroutine."""
        await asyncio.to_thread(self.close)

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def _serve(self, started: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        couriers = [Courier(account, self._gate).run for account in self.accounts.values()]
        routes = [*self._gate.routes(), *self.page.routes(), *Control(self).routes()]
        server = new_server(routes, couriers)
        runner = web.AppRunner(server, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            site = web.TCPSite(runner, self.host, self.port)
            await site.start()
            self.port = runner.addresses[0][1]
            started.set()
            await self._ended.wait()
        finally:
            await runner.cleanup()

    # --- who is there

    @property
    def token(self) -> str:
        """The bot's token."""
        return self.account.token

    @property
    def url(self) -> str:
        """Address of the server: `TELEGRAM_API_URL`, and of the chat page."""
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    def add_bot(self, token: str, username: str, *, name: str = "") -> Account:
        """Another bot on the same server; to be added before the start."""
        account = Account(token, username, self.bell, name=name or username, first_id=FIRST_UPDATE)
        self.accounts[token] = account
        return account

    def user(
        self,
        id: int,  # noqa: A002 -- the Bot API's word
        name: str = "Sam",
        language_code: str | None = "en",
        *,
        is_admin: bool = False,
        username: str | None = None,
        has_started: bool = True,
        account: Account | None = None,
    ) -> User:
        """A person, with a private chat with the bot.

        Args:
            id: Theirs, and that chat's.
            name: First name.
            language_code: Of their Telegram; `None` as for some real users.
            is_admin: Administrator of the groups they are in; marked on the page.
            username: Without `@`.
            has_started: False: the bot cannot write before they have.
            account: The bot they talk to; the first, unless given.
        """
        account = account or self.account
        person = Person(id, name, language_code, username, is_admin)
        with self.bell:
            self.people[id] = person
            account.open_chat(private_chat(person, has_started=has_started))
        return User(person, account)

    def everyday_people(self) -> tuple[User, User, User]:
        """Linh (Vietnamese), Sam (English) and Ada, whose id belongs into `ADMIN_IDS`."""
        return (
            self.user(101, "Linh", "vi"),
            self.user(102, "Sam", "en"),
            self.user(ADMIN_ID, "Ada", "en", is_admin=True),
        )

    def group(
        self,
        id: int,  # noqa: A002 -- the Bot API's word
        title: str,
        users: Sequence[User],
        *,
        kind: ChatKind = "supergroup",
        topics: Sequence[str] = (),
    ) -> Chat:
        """A group of these users and their bot; `topics` (thread ids from 2) make it a forum."""
        people = [user.person for user in users]
        chat = group_chat(id, title, people, kind=kind, is_forum=bool(topics))
        chat.topics = dict(enumerate(topics, 2))
        return users[0].account.open_chat(chat)

    # --- what is there

    def messages(self, chat: int) -> list[JSON]:
        """All messages of a chat of the first bot, oldest first."""
        with self.bell:
            return list(self.account.chats[chat].messages.values())

    def answers(self, chat: int, after: int = 0) -> list[JSON]:
        """Messages of the bot in a chat, oldest first, with ids above `after`."""
        return [
            message
            for message in self.messages(chat)
            if message["from"]["is_bot"] and message["message_id"] > after
        ]

    def calls(self, method: str = "") -> list[Record]:
        """All calls so far, or those of a method (any case)."""
        with self.bell:
            return [r for r in self._gate.records if not method or r.method == method.lower()]

    def file(self, file_id: str) -> bytes:
        """Content of a file of the first bot; of a photo's message name the largest size."""
        with self.bell:
            file = self.account.files.file(file_id)
        if file is None:
            raise LookupError(f"no live file has the id {file_id}")
        return file.data

    def kill_file(self, file_id: str) -> None:
        """From now on Telegram refuses this file id."""
        with self.bell:
            self.account.files.kill(file_id)

    # --- waiting

    def wait_for(
        self,
        chat: int,
        predicate: Callable[[JSON], object] = bool,
        timeout: float = WAIT_S,
        *,
        after: int = 0,
    ) -> JSON:
        """The first message of the bot in the chat that is as wanted; waits for it.

        Args:
            chat: Its id.
            predicate: True for the message wanted, as it is now (edits count).
            timeout: Seconds.
            after: Only messages with ids above this.

        Raises:
            TimeoutError: None came; the error shows what did.
        """
        found = self.bell.wait(lambda: self._first(chat, predicate, after), timeout)
        return self._or_late(found, chat, after)

    async def until(
        self,
        chat: int,
        predicate: Callable[[JSON], object] = bool,
        timeout: float = WAIT_S,  # noqa: ASYNC109 -- as in `wait_for`
        *,
        after: int = 0,
    ) -> JSON:
        """`wait_for`, from a coroutine."""
        found = await self.bell.sleep(lambda: self._first(chat, predicate, after), timeout)
        return self._or_late(found, chat, after)

    def wait_until(self, look: Callable[[], T | None], timeout: float = WAIT_S) -> T:
        """What `look` gives once that is true; it is asked after every change.

        Raises:
            TimeoutError: It never was.
        """
        found = self.bell.wait(look, timeout)
        if not found:
            raise TimeoutError("what was waited for did not happen")
        return found

    def answer_to(self, asked: Asked, timeout: float = WAIT_S) -> JSON:
        """The bot's answer to a button or an inline query.

        Raises:
            TimeoutError: None came.
        """
        return self.wait_until(lambda: asked.answer, timeout)

    def _first(self, chat: int, predicate: Callable[[JSON], object], after: int) -> JSON | None:
        return next((m for m in self.answers(chat, after) if predicate(m)), None)

    def _or_late(self, found: JSON | None, chat: int, after: int) -> JSON:
        if found is None:
            said = [m.get("text") or m.get("caption") or "·" for m in self.answers(chat, after)]
            raise TimeoutError(f"no such message came in chat {chat}; the bot said {said}")
        return found


def running_playground(
    token: str = TOKEN, *, port: int = 0, samples: Path | None = None
) -> Playground:
    """A playground for `with`: it listens when the block begins and ends with it."""
    return Playground(token, port=port, samples=samples)
