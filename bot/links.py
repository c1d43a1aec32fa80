"""Short names of categories, for buttons and for deep links into the bot."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.catalog import CategoryCount

LIST = "categories"
"""Start parameter that asks for the list of categories."""
PARAMETER = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""What Telegram lets pass: https://core.telegram.org/bots/features#deep-linking"""
_CATEGORY = "c_"


def digest(category: str) -> str:
    """Twelve characters that stand for a category in callback data, whatever its length."""
    return hashlib.blake2b(category.encode(errors="surrogatepass"), digest_size=6).hexdigest()


def parameter_of(category: str) -> str:
    """The start parameter that opens a category."""
    return f"{_CATEGORY}{digest(category)}"


def link_to(username: str, category: str) -> str:
    """The address that opens a category in a private chat with the bot."""
    return f"https://t.me/{username}?start={parameter_of(category)}"


def opened_by(parameter: str, categories: Sequence[CategoryCount]) -> CategoryCount | None:
    """The category that a start parameter opens, None where none (or none any more) fits.

    Behind `c_` may also stand the name itself, where it is of the letters that a link can hold:
    `c_red_panda` is for people who write a link by hand.
    """
    if not parameter.startswith(_CATEGORY):
        return None
    key = parameter.removeprefix(_CATEGORY)
    for each in categories:
        if digest(each.category) == key:
            return each
    written = _plain(key)
    return next((each for each in categories if _plain(each.category) == written), None)


def _plain(name: str) -> str:
    return " ".join(re.split(r"[\s_-]+", name.casefold())).strip()
