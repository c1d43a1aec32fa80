"""Recurrences: `every 24h`, `daily at 03:00`, `weekly on mon at 03:00`, `cron 0 3 * * 1`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import LookalikeError

if TYPE_CHECKING:
    from apscheduler.triggers.base import BaseTrigger

UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LEAST_MINUTES = 10
"""Sources count questions by the day: Openverse gives 200 of them."""
MOST_MINUTES = 366 * 24 * 60
_MINUTES = {"m": 1, "h": 60, "d": 24 * 60, "w": 7 * 24 * 60}

_EVERY = re.compile(
    r"(?:^|\s)every\s+(?P<number>\d+)?\s*"
    r"(?P<unit>m|mins?|minutes?|h|hours?|d|days?|w|weeks?)\s*$",
    re.IGNORECASE,
)
_DAILY = re.compile(r"(?:^|\s)daily(?:\s+(?:at\s+)?(?P<time>\S+))?\s*$", re.IGNORECASE)
_WEEKLY = re.compile(
    r"(?:^|\s)weekly\s+(?:on\s+)?(?P<day>[a-z]{3})[a-z]*(?:\s+(?:at\s+)?(?P<time>\S+))?\s*$",
    re.IGNORECASE,
)
_CRON = re.compile(r"(?:^|\s)cron[\s:]+(?P<fields>\S+(?:\s+\S+){4})\s*$", re.IGNORECASE)
_TIME = re.compile(r"([01]?\d|2[0-3])(?::|h)([0-5]\d)")


class RecurrenceError(LookalikeError):
    """Nothing says when, or it cannot be; the message shows how to write it."""


@dataclass(frozen=True, slots=True)
class Recurrence:
    """When something comes again; times are those of the machine's own time zone.

    Attributes:
        written: `every 24h`, `daily 03:00`, `weekly mon 03:00` or `cron 0 3 * * 1`: as it is
            stored; `parse_recurrence` reads it again.
    """

    written: str

    @property
    def kind(self) -> str:
        """`every`, `daily`, `weekly` or `cron`: also the key of its text."""
        return self.written.partition(" ")[0]

    @property
    def words(self) -> list[str]:
        """What follows the kind."""
        return self.written.split()[1:]

    def trigger(self) -> BaseTrigger:
        """APScheduler's trigger for it."""
        from apscheduler.triggers.cron import CronTrigger
        from apscheduler.triggers.interval import IntervalTrigger

        if self.kind == "every":
            number, unit = int(self.words[0][:-1]), self.words[0][-1]
            return IntervalTrigger(**{UNITS[unit]: number})
        if self.kind == "cron":
            *fields, days = self.words
            return CronTrigger.from_crontab(" ".join([*fields, _named_days(days)]))
        hour, minute = self.words[-1].split(":")
        day = self.words[0] if self.kind == "weekly" else None
        return CronTrigger(day_of_week=day, hour=int(hour), minute=int(minute))


def split_recurrence(text: str) -> tuple[str, Recurrence]:
    """What stands before a recurrence at the end of a text, and the recurrence.

    Raises:
        RecurrenceError: There is none, or it cannot be.
    """
    for pattern, read in (
        (_EVERY, _every), (_CRON, _cron), (_WEEKLY, _weekly), (_DAILY, _daily),
    ):  # fmt: skip
        if found := pattern.search(text):
            return text[: found.start()], read(found)
    raise _unclear()


def parse_recurrence(written: str) -> Recurrence:
    """A recurrence on its own, as `Recurrence.written` or as a person writes it.

    Raises:
        RecurrenceError: It is none.
    """
    before, recurrence = split_recurrence(written)
    if before.strip():
        raise _unclear()
    return recurrence


def _every(found: re.Match[str]) -> Recurrence:
    number, unit = int((found["number"] or "1")[:9]), found["unit"][0].lower()
    if not LEAST_MINUTES <= number * _MINUTES[unit] <= MOST_MINUTES:
        raise RecurrenceError(
            f"A crawl can come again after {LEAST_MINUTES} minutes at the earliest "
            "and a year at the latest.",
            key="recurrence_range",
            least=LEAST_MINUTES,
        )
    return Recurrence(f"every {number}{unit}")


def _daily(found: re.Match[str]) -> Recurrence:
    return Recurrence(f"daily {_time(found['time'])}")


def _weekly(found: re.Match[str]) -> Recurrence:
    if found["day"].lower() not in DAYS:
        raise _unclear()
    return Recurrence(f"weekly {found['day'].lower()} {_time(found['time'])}")


def _cron(found: re.Match[str]) -> Recurrence:
    recurrence = Recurrence(f"cron {' '.join(found['fields'].split())}")
    try:
        recurrence.trigger()
    except ValueError:
        raise _unclear() from None
    if len(recurrence.written) > 64:
        raise _unclear()
    return recurrence


def _named_days(field: str) -> str:
    """Days of the week by name: to cron 0 and 7 are Sunday, to APScheduler 0 is Monday."""
    if not re.fullmatch(r"[0-7](-[0-7])?(,[0-7](-[0-7])?)*", field):
        return field
    days: list[str] = []
    for part in field.split(","):
        first, _, last = part.partition("-")
        days += [DAYS[(day - 1) % 7] for day in range(int(first), int(last or first) + 1)]
    return ",".join(dict.fromkeys(days)) or field


def _time(written: str | None) -> str:
    found = _TIME.fullmatch(written or "03:00")
    if found is None:
        raise _unclear()
    return f"{int(found[1]):02d}:{found[2]}"


def _unclear() -> RecurrenceError:
    return RecurrenceError(
        "Say when, for example: every 24h, daily at 03:00, weekly on mon at 03:00, "
        "or cron 0 3 * * 1.",
        key="recurrence_unclear",
    )
