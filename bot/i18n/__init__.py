"""Texts for people, one TOML file a language, and the way to fill them in."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from engine.errors import LookalikeError

LANGUAGES: Mapping[str, str] = {"en": "English", "vi": "Tiếng Việt"}
FALLBACK = "en"

MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
MOST_LETTERS = 1000  # a message holds 4096, and some of them count twice
DETAIL_LETTERS = 64

Text = str | dict[str, str]  # a sentence, or one per plural category ("one", "other")


@cache
def texts(language: str) -> dict[str, Text]:
    """Every text of a language, by dotted key (`"start.hello"`).

    A table that has an `other` is a text with plural forms, not a section.
    """
    source = resources.files(__package__).joinpath(f"{language}.toml").read_text("utf-8")
    return dict(_flatten(tomllib.loads(source)))


def _flatten(table: dict[str, object], prefix: str = "") -> list[tuple[str, Text]]:
    found: list[tuple[str, Text]] = []
    for name, value in table.items():
        key = f"{prefix}{name}"
        if isinstance(value, dict) and "other" not in value:
            found += _flatten(value, f"{key}.")
        elif isinstance(value, dict):
            found.append((key, {form: str(text) for form, text in value.items()}))
        else:
            found.append((key, str(value)))
    return found


@dataclass(frozen=True, slots=True)
class Translator:
    """Says things in one language.

    Attributes:
        language: A key of `LANGUAGES`.
    """

    language: str

    def __call__(self, key: str, **values: str | float) -> str:
        """The text of `key` with its placeholders filled in.

        Raises:
            KeyError: There is no such text.
        """
        text = texts(self.language)[key]
        if isinstance(text, dict):
            text = text["other"]
        return text.format_map(values)

    def count(self, key: str, count: int, **values: str | float) -> str:
        """The plural form of `key` that fits `count`, which fills `{count}`."""
        text = texts(self.language)[key]
        if isinstance(text, dict):
            text = text.get("one", text["other"]) if count == 1 else text["other"]
        return text.format_map({**values, "count": self.number(count)})

    def number(self, value: float, decimals: int = 0) -> str:
        """`1,234.5` in English, `1.234,5` in Vietnamese."""
        written = f"{value:,.{decimals}f}"
        if self.language == "vi":
            return written.translate(str.maketrans(",.", ".,"))
        return written

    def moment(self, value: datetime) -> str:
        """A time of this machine: `25 Nov, 21:30` in English, `21:30 25/11` in Vietnamese."""
        local = value.astimezone()
        if self.language == "vi":
            return f"{local:%H:%M} {local.day}/{local.month}"
        return f"{local.day} {MONTHS[local.month - 1]}, {local:%H:%M}"

    def reason(self, name: str) -> str:
        """Why a crawl did not take a picture, in a few words."""
        key = f"reason.{name.removeprefix('fetch_')}"
        return self(key) if key in texts(self.language) else name.replace("_", " ")

    def percent(self, value: float) -> str:
        """A similarity (0 to 100) in whole percents; 100 only where nothing differs."""
        whole = 100 if value >= 99.95 else min(round(value), 99)
        return f"{self.number(whole)}%"

    def error(self, error: LookalikeError) -> str:
        """The error's sentence in this language; in English where it has no translation."""
        key = f"error.{error.key}"
        if error.details.get("nearest") and f"{key}_near" in texts(self.language):
            key += "_near"
        details = {name: _shortened(value) for name, value in error.details.items()}
        try:
            return self(key, **details)
        except KeyError:
            return str(error)[:MOST_LETTERS]


def _shortened(value: str | float) -> str | float:
    if isinstance(value, str) and len(value) > DETAIL_LETTERS:
        return value[: DETAIL_LETTERS - 1] + "…"
    return value


def language_for(choice: str | None, telegram_code: str | None, default: str) -> str:
    """The language to speak: the chat's choice, else the user's Telegram, else the default.

    Args:
        choice: What `/language` stored, if anything.
        telegram_code: IETF tag from Telegram, e.g. `vi` or `en-GB`.
        default: `BOT_LANGUAGE`; `auto` means English.
    """
    for candidate in (choice, (telegram_code or "").split("-")[0].lower(), default):
        if candidate is not None and candidate in LANGUAGES:
            return candidate
    return FALLBACK
