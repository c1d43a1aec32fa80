"""The bot put together: parts, polling or webhook, a good start and a good end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from sqlalchemy.exc import SQLAlchemyError
from telegram import BotCommand, BotCommandScopeChat, Update
from telegram.error import InvalidToken, NetworkError, TelegramError
from telegram.ext import Application, CallbackContext, ContextTypes, ExtBot, Updater

from bot import handlers, health, logs
from bot.crawling import Crawling
from bot.delivery import Courier
from bot.desk import Desk, Stores
from bot.evaluating import Evaluating
from bot.gallery import Gallery
from bot.handlers.addressing import is_addressed
from bot.i18n import LANGUAGES, Translator, language_for
from bot.line import Line
from bot.listening import Listening
from bot.rota import Rota
from bot.transport import FloodError, Patience, PollingRequest, Request
from bot.turns import Turns
from engine.errors import LookalikeError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from bot.inbox import Received
    from engine.catalog import Catalog
    from engine.config import Settings

Context: TypeAlias = CallbackContext[ExtBot[int], dict[Any, Any], dict[Any, Any], dict[Any, Any]]
BotApplication: TypeAlias = Application[
    ExtBot[int], Context, dict[Any, Any], dict[Any, Any], dict[Any, Any], None
]

LOG = logging.getLogger(__name__)

COMMANDS = (
    "start", "help", "text", "categories", "random", "compare", "mix", "tag", "locate",
    "save", "mine", "export", "forget", "metric", "topk", "settings", "language",
)  # fmt: skip
ADMIN_COMMANDS = (
    "crawl", "crawls", "schedule", "schedules", "unschedule", "add", "remove", "stats", "evaluate",
)  # fmt: skip
FINISH_WITHIN_S = 7.5  # of the ten seconds a container is given
PRUNE_EVERY_S = 3600.0
GETTING_STARTED = (
    "Talk to @BotFather in Telegram, send /newbot, and put the token it gives you into the "
    "environment or .env as TELEGRAM_TOKEN=…"
)


@dataclass(frozen=True, slots=True)
class Timing:
    """How long the bot waits for a server.

    Attributes:
        connect_s: For a connection.
        read_s: For the answer to a call.
        upload_s: Added for a call that uploads pictures.
        poll_s: How long the server may hold `getUpdates` open.
        patience: Repetition of calls.
    """

    connect_s: float = 5.0
    read_s: float = 8.0
    upload_s: float = 30.0
    poll_s: int = 10
    patience: Patience = Patience()  # noqa: RUF009 -- frozen


def run(settings: Settings) -> int:
    """Run the bot until it is told to stop (SIGINT, SIGTERM).

    Returns:
        Exit code: 0 after a good end, 1 when the token is missing or wrong or the data unusable.
    """
    logs.configure(settings)
    if settings.telegram_token is None:
        LOG.error("TELEGRAM_TOKEN is not set. %s", GETTING_STARTED)
        return 1
    return asyncio.run(LookalikeBot(settings).run())


class LookalikeBot:
    """One bot process. Make it inside or outside an event loop, `run` it inside one.

    Args:
        settings: The settings; there must be a token.
        timing: Waits and repetitions.
    """

    def __init__(self, settings: Settings, timing: Timing | None = None) -> None:
        self._settings = settings
        self._timing = timing or Timing()
        self._stopping = asyncio.Event()
        self.is_ready = asyncio.Event()
        self._catalog: Catalog | None = None
        self._background: set[asyncio.Task[Any]] = set()
        self._threads = ThreadPoolExecutor(4, "bot")
        self._courier = Courier(self._timing.patience)
        self.line = Line(self._threads, self._on_flood, self._courier.message_ids.note)
        self._turns = Turns(self.line)
        self.gallery = Gallery(settings)
        self.desk = Desk(
            settings,
            threads=self._threads,
            line=self.line,
            courier=self._courier,
            gallery=self.gallery,
        )
        self.crawling = Crawling(self.desk)
        self.rota = Rota(self.desk, self.crawling)
        self.evaluating = Evaluating(self.desk)
        self.application = self._build()
        self._exit_code = 0

    def _build(self) -> BotApplication:
        timing = self._timing
        api = self._settings.telegram_api_url
        token = self._settings.telegram_token
        if token is None:
            raise ValueError("a bot needs a token")
        request = Request(
            connect_s=timing.connect_s, read_s=timing.read_s, upload_s=timing.upload_s
        )
        polling = PollingRequest(
            patience=timing.patience, connect_s=timing.connect_s, read_s=timing.read_s
        )
        self._requests = (request, polling)
        bot: ExtBot[int] = ExtBot(
            token.get_secret_value(),
            base_url=f"{api}/bot",
            base_file_url=f"{api}/file/bot",
            request=request,
            get_updates_request=polling,
            rate_limiter=self._courier,
        )
        updater = Updater(bot, self.line)
        self._listening = Listening(updater, self._settings, timing.poll_s)
        app: BotApplication = cast(
            "BotApplication",
            Application.builder()
            .updater(updater)
            .concurrent_updates(self._turns)
            .context_types(ContextTypes())
            .job_queue(None)
            .build(),
        )
        handlers.register(
            app,
            self.desk,
            crawling=self.crawling,
            rota=self.rota,
            evaluating=self.evaluating,
        )
        return app

    async def run(self) -> int:
        """Start, serve until `stop`, and end within ten seconds."""
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):
                loop.add_signal_handler(name, self.stop)
        opening = asyncio.create_task(asyncio.to_thread(_open_catalog, self._settings))
        stopping = asyncio.create_task(self._stopping.wait())
        starting = asyncio.create_task(self._start(opening))
        try:
            await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                starting.result()
            await stopping
        except InvalidToken:
            LOG.error("Telegram does not know this TELEGRAM_TOKEN. %s", GETTING_STARTED)  # noqa: TRY400 -- one clear line
            return 1
        except (LookalikeError, OSError) as error:
            LOG.error("%s", error)  # noqa: TRY400 -- one clear line
            return 1
        finally:
            stopping.cancel()
            starting.cancel()
            await asyncio.gather(starting, stopping, return_exceptions=True)
            with contextlib.suppress(LookalikeError, OSError):
                self._catalog = await opening
            await self._end()
        return self._exit_code

    def stop(self) -> None:
        """End `run`: finish what is in hand, leave the rest for the next start."""
        self._stopping.set()

    async def _start(self, opening: asyncio.Task[Catalog]) -> None:
        app = self.application
        await self._initialize(app)
        await app.start()
        self._catalog = await asyncio.shield(opening)
        self.desk.open(Stores.over(self._catalog, app.bot.id))
        left = await self.line.open((await self.desk.opened()).inbox, app.bot)
        if left:
            LOG.info("%d updates from before are still to be answered", len(left))
            self._in_background(self._clear_notices(left))
        await self._listening.start()
        LOG.info("bot @%s is ready", app.bot.username)
        if not app.bot.supports_inline_queries:
            LOG.info("inline mode is off; /setinline, said to @BotFather, turns it on")
        self.is_ready.set()
        self._in_background(health.beat(self._settings))
        self._in_background(self._open_gallery())
        self._in_background(self.rota.start(app.bot.id))
        self._in_background(self.crawling.run(app.bot))
        self._in_background(self._say_commands(app.bot))
        self._in_background(self._prune())

    async def _open_gallery(self) -> None:
        try:
            await self.gallery.open()
        except SettingsError as error:
            LOG.error("%s", error)  # noqa: TRY400 -- one clear line
            self._exit_code = 1
            self.stop()

    async def _initialize(self, app: BotApplication) -> None:
        """`getMe`, for as long as it takes."""
        while True:
            try:
                await app.initialize()
            except (NetworkError, FloodError) as error:
                LOG.warning("%s does not answer (%s)", self._settings.telegram_api_url, error)
                await asyncio.sleep(2.0)
            else:
                return

    async def _say_commands(self, bot: ExtBot[int]) -> None:
        """The menu of commands, in every language; the first is also everyone else's."""
        for language in LANGUAGES:
            say = Translator(language)
            menu = [BotCommand(name, say(f"menu.{name}")) for name in COMMANDS]
            is_default = language == language_for(None, None, self._settings.bot_language)
            try:
                await bot.set_my_commands(menu, language_code=language)
                if is_default:
                    await bot.set_my_commands(menu)
            except TelegramError as error:
                LOG.warning("the menu of commands could not be set: %s", error)
            await self._say_admins_commands(bot, menu, say, is_default=is_default)

    async def _say_admins_commands(
        self, bot: ExtBot[int], menu: list[BotCommand], say: Translator, *, is_default: bool
    ) -> None:
        """Admins see theirs, too: in the private chats of those who have ever talked to the bot."""
        menu = [*menu, *(BotCommand(name, say(f"menu.{name}")) for name in ADMIN_COMMANDS)]
        for admin in self._settings.admin_ids:
            scope = BotCommandScopeChat(admin)
            try:
                await bot.set_my_commands(menu, scope=scope, language_code=say.language)
                if is_default:
                    await bot.set_my_commands(menu, scope=scope)
            except TelegramError as error:
                LOG.debug("admin %d has no chat with the bot yet: %s", admin, error)

    async def _clear_notices(self, left: Sequence[Received]) -> None:
        """Remove the "still searching" messages of a process that could not do so itself."""
        for received in left:
            if received.notice and received.chat_id:
                with contextlib.suppress(TelegramError):
                    await self.application.bot.delete_message(received.chat_id, received.notice)

    async def _prune(self) -> None:
        while True:
            stores = await self.desk.opened()
            try:
                await self.desk.call(stores.inbox.prune)
                await self.desk.call(stores.questions.prune)
            except SQLAlchemyError as error:
                LOG.warning("old questions could not be dropped (%s)", type(error).__name__)
            await asyncio.sleep(PRUNE_EVERY_S)

    def _on_flood(self, update: Update, waiting: int, is_dropped: bool) -> bool:  # noqa: FBT001 -- a callback
        """Tell somebody who speaks to the bot; who does not has nothing to wait for."""
        message = update.message
        if message is not None and not is_addressed(message, self.application.bot):
            return False
        LOG.info("somebody has %d updates waiting", waiting)
        key = "flood.dropped" if is_dropped else "flood.slow"
        self._in_background(self._calm(update, key, waiting))
        return True

    async def _calm(self, update: Update, key: str, waiting: int) -> None:
        message, chat = update.effective_message, update.effective_chat
        if chat is None:
            return
        is_topic = bool(message and message.is_topic_message)
        with contextlib.suppress(TelegramError, SQLAlchemyError):
            say = await self.desk.translator(update)
            await self.application.bot.send_message(
                chat.id,
                say(key, waiting=say.number(waiting)),
                message_thread_id=message.message_thread_id if message and is_topic else None,
            )

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background_ended)

    def _background_ended(self, task: asyncio.Task[None]) -> None:
        self._background.discard(task)
        if not task.cancelled() and (error := task.exception()):
            LOG.error("something in the background ended early", exc_info=error)

    async def _end(self) -> None:
        app = self.application
        self.line.close()
        self.crawling.leave()
        await asyncio.gather(
            self.rota.stop(),
            self.evaluating.close(),
            self._listening.stop(),
            self._turns.finish_in_hand(FINISH_WITHIN_S),
        )
        if app.running:
            await app.stop()
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        await self.gallery.close()
        self.crawling.close()
        with contextlib.suppress(TelegramError, RuntimeError):
            await app.shutdown()
        for request in self._requests:  # PTB leaves them open when `getMe` has failed
            await request.shutdown()
        self._threads.shutdown(wait=True)
        if self._catalog is not None:
            self._catalog.close()
        health.rest(self._settings)
        LOG.info("the bot has stopped")


def _open_catalog(settings: Settings) -> Catalog:
    from engine.catalog import Catalog

    settings.data_dir.mkdir(parents=True, exist_ok=True)
    return Catalog.open(settings.database)
