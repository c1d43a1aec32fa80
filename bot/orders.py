"""Orders: what an admin writes after `/crawl`, `/schedule` and their like."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches

from bot.recurrence import Recurrence, split_recurrence
from engine.config import SOURCES
from engine.errors import LookalikeError

WANTED = 20
WANTED_RANGE = range(1, 501)
MOST_TOPICS = 20
MOST_LETTERS = 100
"""Of one topic: it has to fit a message, a folder and an address."""

_FROM = re.compile(r"(?P<rest>.*)\sfrom\s+(?P<sources>[\w\s,-]+)", re.IGNORECASE | re.DOTALL)
_NUMBER = re.compile(r"\s+(?P<number>-?\d+)\s*$")
_QUOTES = "\"'“”‘’«»"


class OrderError(LookalikeError):
    """An order cannot be understood; the message says how to write it."""


@dataclass(frozen=True, slots=True)
class Order:
    """Topics to crawl.

    Attributes:
        topics: In the order they were written; at least one.
        wanted: New pictures for each.
        sources: Names of sources in the order to be asked; empty for those of the settings.
    """

    topics: tuple[str, ...]
    wanted: int = WANTED
    sources: tuple[str, ...] = ()


def parse_order(text: str) -> Order:
    """Read `tiger 50 from commons`; several topics stand on lines of their own or between commas.

    A number that belongs to a topic goes in quotes with it: `"area 51"`.

    Raises:
        OrderError: There is no topic, a number that cannot be, or a source nobody knows.
    """
    sources: tuple[str, ...] = ()
    text = f" {text.strip()}"
    if (found := _FROM.fullmatch(text)) and _are_sources(found["sources"]):
        sources = _sources(found["sources"])
        text = found["rest"]
    wanted = WANTED
    if found := _NUMBER.search(text):
        wanted = _wanted(found["number"])
        text = text[: found.start()]
    parts = (part.strip().strip(_QUOTES).strip() for part in re.split(r"[,;\n]", text))
    topics = tuple(dict.fromkeys(" ".join(part.split()) for part in parts if part))
    if not topics:
        raise OrderError("Say what to look for, e.g. /crawl tiger.", key="order_no_topic")
    if len(topics) > MOST_TOPICS or max(map(len, topics)) > MOST_LETTERS:
        raise OrderError(
            f"At most {MOST_TOPICS} topics at once, each of at most {MOST_LETTERS} letters.",
            key="order_too_long",
            topics=MOST_TOPICS,
            letters=MOST_LETTERS,
        )
    return Order(topics, wanted, sources)


def parse_schedule(text: str) -> tuple[Order, Recurrence]:
    """Read `tiger 50 from commons every 24h`: an order, then when it comes again.

    Raises:
        OrderError: There is no such order, or more than one topic.
        RecurrenceError: Nothing says when, or it cannot be.
    """
    rest, recurrence = split_recurrence(text)
    order = parse_order(rest)
    if len(order.topics) > 1:
        raise OrderError(
            "One topic for each schedule, e.g. /schedule tiger every 24h.", key="order_one_topic"
        )
    return order, recurrence


def _are_sources(written: str) -> bool:
    """Whether what follows `from` is meant as sources: `postcards from italy` is a topic."""
    return any(get_close_matches(name, SOURCES, n=1, cutoff=0.75) for name in _named(written))


def _named(written: str) -> list[str]:
    return [name for name in re.split(r"\s*,\s*|\s+and\s+|\s+", written.lower()) if name]


def _sources(written: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(_named(written)))
    for name in names:
        if name not in SOURCES:
            raise OrderError(
                f"No source is called {name}; there are {', '.join(SOURCES)}.",
                key="source_unknown",
                source=name,
                known=", ".join(SOURCES),
            )
    return names


def _wanted(written: str) -> int:
    number = int(written[:9])
    if number not in WANTED_RANGE:
        raise OrderError(
            f"I can look for 1 to {WANTED_RANGE[-1]} pictures at once, not for {written}.",
            key="order_wanted",
            value=written[:20],
            most=WANTED_RANGE[-1],
        )
    return number
