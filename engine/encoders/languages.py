"""Languages: which one a text is in, as far as it can be told, and whether an encoder reads it."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import TYPE_CHECKING

from engine.encoders.presets import PRESETS
from engine.encoders.specs import parse

if TYPE_CHECKING:
    from pathlib import Path

VIETNAMESE = "vi"

_HORN, _HOOK, _DOT = "\u031b", "\u0309", "\u0323"
_SHAPES = "\u0302\u0306"
"""Circumflex and breve: part of the letter in Vietnamese, and combined with a tone only there."""
_TONES = "\u0300\u0301\u0303\u0309\u0323"

_ACCENTED = """
    bà biển bò cái cánh cây chó chùa dưa gà gái gấu hà hòa hoàng hình không làng
    mèo màu máy mây mùa nghé nhà núi này và với trái trên trâu trăng trắng phòng quán sách sông
    sân tàu tháng thành thú tím tôm tôi vàng vòng xám xanh"""
"""Frequent words whose letters are not Vietnamese alone."""

_BARE = """
    anh ao bien buom cay chim chua con cua dem dep duoc duong hoang hoa hong khong meo mua may
    ngoi ngua nguoi nha nhieu nhung nui nuoc phong song thanh thuyen tren trong truong vang voi xanh
    xe"""
"""Frequent words as typed without accents; one alone proves nothing."""

_WORD = re.compile(r"[^\W\d_]+")
_POLYGLOT = re.compile(r"xlm|multilingual|siglip-?2|i18n|nllb|mt5|mbert|m-clip", re.IGNORECASE)
"""In the names of open_clip's models whose text side was trained on many languages."""


def language_of(text: str) -> str | None:
    """The language of a text: `vi` for Vietnamese, None for any other.

    Told by letters that Vietnamese alone has (a horn, a hook, a dot below, a tone on a letter with
    a circumflex or breve, đ with another accent in the text), else by frequent words, of which
    several are needed where they are typed without accents.

    >>> language_of("một con mèo trắng"), language_of("a white cat")
    ('vi', None)
    """
    words = [word.casefold() for word in _WORD.findall(unicodedata.normalize("NFC", text))]
    if any(_is_vietnamese(word) for word in words):
        return VIETNAMESE
    bare = [word for word in words if word in _BARE.split()]
    is_likely = len(bare) >= 2 and 2 * len(bare) >= len(words)
    return VIETNAMESE if is_likely else None


def reads(encoder: str, text: str) -> bool:
    """Whether an encoder reads the language of a text; true where nobody can tell.

    Args:
        encoder: A value of `ENCODER`.
        text: What somebody wrote.

    Raises:
        SettingsError: `encoder` names no encoder.
    """
    language = language_of(text)
    if language is None:
        return True
    spec = parse(encoder)
    preset = PRESETS.get(encoder.strip().lower())
    if preset is not None:
        return language in preset.reads
    if spec is None or spec.family == "timm":
        return False
    if spec.folder is not None:
        said = _said_by(spec.folder / spec.config)
        return said is None or language in said
    return bool(_POLYGLOT.search(spec.model))


def _said_by(config: Path) -> list[str] | None:
    """The languages that a model's own description names under `languages`, if it does."""
    try:
        said = json.loads(config.read_text("utf-8")).get("languages")
    except (OSError, ValueError, AttributeError):
        return None
    return [str(each) for each in said] if isinstance(said, list) else None


def _is_vietnamese(word: str) -> bool:
    if word in _ACCENTED.split() and not word.isascii():
        return True
    marks = [
        {mark for mark in unicodedata.normalize("NFD", letter) if unicodedata.combining(mark)}
        for letter in word
    ]
    if any(_HORN in each or _HOOK in each for each in marks):
        return True
    if any(each & set(_SHAPES) and each & set(_TONES) for each in marks):
        return True
    # Under consonants it is Indian in transliteration. (Yoruba and Igbo are taken for Vietnamese.)
    dotted = any(
        _DOT in each and unicodedata.normalize("NFD", letter)[0] in "aeiouy"
        for letter, each in zip(word, marks, strict=True)
    )
    # đ is Croatian and Serbian too, but there not in a short word with other accents.
    return dotted or (word.startswith("đ") and len(word) <= 6 and any(marks))
