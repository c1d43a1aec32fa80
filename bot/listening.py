"""How updates get here: by polling, or by a webhook."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from telegram import Update
from telegram.error import BadRequest, Conflict, NetworkError, TelegramError

from bot.transport import FloodError
from engine.errors import SettingsError

if TYPE_CHECKING:
    from telegram.ext import Updater

    from engine.config import Settings

LOG = logging.getLogger(__name__)

UPDATES = (Update.EDITED_MESSAGE, Update.MESSAGE, Update.CALLBACK_QUERY, Update.INLINE_QUERY)
CONFIRM_WITHIN_S = 3.0  # for the last getUpdates; the inbox recognises what comes again


class Listening:
    """Listens as the settings say.

    Args:
        updater: PTB's.
        settings: Polling, unless they name a webhook.
        poll_s: How long the server may hold `getUpdates` open.
    """

    def __init__(self, updater: Updater, settings: Settings, poll_s: int) -> None:
        self._updater = updater
        self._settings = settings
        self._poll_s = poll_s

    async def start(self) -> None:
        """Begin; updates go into the updater's queue.

        Raises:
            SettingsError: Telegram refuses the webhook.
            OSError: The webhook's port is taken.
        """
        if self._settings.webhook_url is None:
            await self._updater.start_polling(
                timeout=self._poll_s,
                allowed_updates=UPDATES,
                bootstrap_retries=-1,
                error_callback=_polling_failed,
            )
            return
        secret = _webhook_secret(self._settings)
        await self._announce(self._settings.webhook_url, secret)
        await self._updater.start_webhook(
            listen="0.0.0.0",  # noqa: S104 -- a webhook is there to be reached
            port=self._settings.webhook_port,
            url_path=re.escape(urlsplit(self._settings.webhook_url).path.lstrip("/")),
            webhook_url=self._settings.webhook_url,
            secret_token=secret,
            allowed_updates=UPDATES,
            bootstrap_retries=-1,
        )

    async def _announce(self, url: str, secret: str) -> None:
        """Set the webhook; what is wrong with it is said here: PTB would try on in silence."""
        while True:
            try:
                await self._updater.bot.set_webhook(
                    url, secret_token=secret, allowed_updates=UPDATES
                )
            except BadRequest as error:
                raise SettingsError(
                    f"WEBHOOK_URL or WEBHOOK_SECRET: Telegram refuses the webhook ({error}).",
                    key="settings",
                    name="WEBHOOK_URL",
                    reason=str(error),
                ) from None
            except (NetworkError, FloodError) as error:
                LOG.warning("the webhook cannot be set yet (%s)", error)
                await asyncio.sleep(2.0)
            else:
                return

    async def stop(self) -> None:
        """End, and tell Telegram what has arrived; not for long."""
        if self._updater.running:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CONFIRM_WITHIN_S):
                    await self._updater.stop()


def _polling_failed(error: TelegramError) -> None:
    if isinstance(error, Conflict):
        LOG.warning(
            "another process is asking for this bot's updates; waiting until it stops "
            "(one token, one bot)"
        )
    else:
        LOG.warning("Telegram could not be asked for updates (%s); trying on", error)


def _webhook_secret(settings: Settings) -> str:
    """Without one anybody who guesses the address could speak as Telegram, and as any admin."""
    if settings.webhook_secret is not None:
        return settings.webhook_secret.get_secret_value()
    if settings.telegram_token is None:
        raise ValueError("a bot needs a token")
    token = settings.telegram_token.get_secret_value().encode()
    return hashlib.blake2b(b"webhook", key=token[:64], digest_size=32).hexdigest()
