"""Topic lists: which terms there are, and the category each is listed under."""

from __future__ import annotations

import tomllib
from pathlib import Path

from engine.errors import LookalikeError

_PACKAGE = Path(__file__).resolve().parents[1]
_PLACES = (_PACKAGE / "topics.toml", _PACKAGE.parent / "data" / "topics.toml")
"""Where the project's own list lies: installed, and in a checkout."""


class TopicsError(LookalikeError):
    """A topic list cannot be read."""


def read_topics(path: Path) -> dict[str, str]:
    """The terms of a list, in its order, each with its category.

    Args:
        path: TOML with a list of terms for each category, or text with a term a line, which then
            is its own category; lines that begin with `#` do not count.

    Raises:
        TopicsError: It is neither, or cannot be read.
    """
    try:
        content = path.read_text("utf-8-sig")
        if path.suffix.lower() != ".toml":
            lines = (line.strip() for line in content.splitlines())
            return {line: line for line in lines if line and not line.startswith("#")}
        lists = tomllib.loads(content)
    except (OSError, UnicodeError, tomllib.TOMLDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _unreadable(path, reason) from error
    topics: dict[str, str] = {}
    for category, terms in lists.items():
        if not isinstance(terms, list) or not all(isinstance(term, str) for term in terms):
            raise _unreadable(path, f"{category} is no list of words")
        topics |= dict.fromkeys(terms, category)
    return topics


def known_topics() -> dict[str, str]:
    """The project's own list; empty where it is not installed."""
    path = next((path for path in _PLACES if path.is_file()), None)
    return {} if path is None else read_topics(path)


def _unreadable(path: Path, reason: str) -> TopicsError:
    return TopicsError(
        f"The topic list {path} cannot be read: {reason}.",
        key="topics_unreadable",
        path=str(path),
        reason=reason,
    )
