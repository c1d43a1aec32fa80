"""Logging of the bot: one handler on stderr, text or JSON lines, with tokens blotted out."""

from __future__ import annotations

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.config import Settings

REDACTED = "<token>"
_ANY_TOKEN = re.compile(r"\d{5,16}:[A-Za-z0-9_-]{20,}")  # the shape BotFather gives


class Redactor:
    """Replaces secrets in any text: the ones it was told, and whatever looks like a bot token."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = sorted({secret for secret in secrets if secret}, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """`text` without secrets."""
        for secret in self._secrets:
            text = text.replace(secret, REDACTED)
        return _ANY_TOKEN.sub(REDACTED, text)


class TextFormatter(logging.Formatter):
    """`time LEVEL logger: message`, then the traceback if there is one."""

    def __init__(self, redact: Redactor) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        """Format the record; redaction comes last, so it also covers tracebacks."""
        return self._redact(super().format(record))


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time (ISO, UTC), level, logger, message, traceback."""

    def __init__(self, redact: Redactor) -> None:
        super().__init__()
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        """Format the record as one line of JSON."""
        entry: dict[str, str] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": self._redact(record.getMessage()),
        }
        if record.exc_info:
            entry["traceback"] = self._redact(self.formatException(record.exc_info))
        return json.dumps(entry, ensure_ascii=False)


def secrets_of(settings: Settings) -> list[str]:
    """Values from the settings that no log may show."""
    held = (settings.telegram_token, settings.webhook_secret, settings.flickr_api_key)
    return [secret.get_secret_value() for secret in held if secret]


def configure(settings: Settings) -> None:
    """Send every log record to stderr in the format of the settings, secrets blotted out."""
    redact = Redactor(secrets_of(settings))
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        JsonFormatter(redact) if settings.log_format == "json" else TextFormatter(redact)
    )
    logging.basicConfig(level=settings.log_level, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    # httpx writes every address, token included, at INFO; tornado every webhook call.
    quiet = ("httpx", "httpcore", "telegram", "tornado.access", "apscheduler", "alembic")
    for name in quiet:
        logging.getLogger(name).setLevel(logging.WARNING)
    # Its polling loop logs an exception for each failed attempt; `app` says it in one line.
    logging.getLogger("telegram.ext.Updater").setLevel(logging.CRITICAL)
