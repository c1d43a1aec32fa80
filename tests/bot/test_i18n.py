"""Every language says everything."""

from __future__ import annotations

import ast
import string
from pathlib import Path

import pytest

import bot
import engine
from bot.app import ADMIN_COMMANDS, COMMANDS
from bot.i18n import LANGUAGES, Translator, language_for, texts
from engine.errors import LookalikeError
from engine.metrics import METRICS

PLURALS = {"en": {"one", "other"}, "vi": {"other"}}


def placeholders(text: str | dict[str, str]) -> set[str]:
    forms = text.values() if isinstance(text, dict) else [text]
    return {name for form in forms for _, name, _, _ in string.Formatter().parse(form) if name}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_text_with_the_same_placeholders(language: str) -> None:
    english, other = texts("en"), texts(language)
    assert other.keys() == english.keys()
    for key, text in english.items():
        assert placeholders(other[key]) == placeholders(text), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_plural_texts_have_the_forms_of_their_language(language: str) -> None:
    for key, text in texts(language).items():
        if isinstance(text, dict):
            assert set(text) == PLURALS[language], key


def error_keys(path: Path) -> set[str]:
    """Every word that the file passes as `key=` of a call, also as one branch of an `if`."""
    passed = (
        keyword.value
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "key" and not isinstance(keyword.value, ast.Lambda)
    )
    inner = (node for value in passed for node in ast.walk(value))
    return {
        node.value
        for node in inner
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value
    }


def test_every_error_of_engine_and_bot_is_translated() -> None:
    engine_folder, bot_folder = Path(engine.__file__).parent, Path(bot.__file__).parent
    sources = [
        *engine_folder.rglob("*.py"),
        *(path for path in bot_folder.glob("*.py") if path.stem != "demo"),
        *bot_folder.glob("handlers/*.py"),
    ]
    keys = set().union(*(error_keys(path) for path in sources))
    assert {key for key in keys if f"error.{key}" not in texts("en")} == set()


def test_error_proposes_the_nearest_where_there_is_one() -> None:
    say = Translator("en")
    near = LookalikeError("?", key="unknown_metric", name="l3", nearest="l1, l2")
    far = LookalikeError("?", key="unknown_metric", name="xyz", nearest="")
    assert say.error(near) == "I know no metric called “l3”. Did you mean l1, l2?"
    assert "/metric" in say.error(far)


def test_every_metric_and_command_has_a_name() -> None:
    assert {f"metric.{name}" for name in METRICS} <= texts("vi").keys()
    assert {f"menu.{name}" for name in (*COMMANDS, *ADMIN_COMMANDS)} <= texts("vi").keys()


def test_numbers_follow_the_language() -> None:
    assert Translator("en").number(1234.5, 1) == "1,234.5"
    assert Translator("vi").number(1234.5, 1) == "1.234,5"
    assert Translator("vi").percent(99.7) == "99%"
    assert Translator("en").percent(100.0) == "100%"
    assert Translator("en").percent(87.4) == "87%"


def test_plurals_follow_the_language() -> None:
    assert Translator("en").count("chosen.topk", 1).endswith("1 picture.")
    assert Translator("en").count("chosen.topk", 5).endswith("5 pictures.")
    assert Translator("vi").count("chosen.topk", 5).endswith("5 ảnh.")


def test_error_without_translation_is_said_in_english() -> None:
    assert Translator("vi").error(LookalikeError("Oh dear.", key="never_heard_of")) == "Oh dear."


@pytest.mark.parametrize(
    ("choice", "code", "default", "language"),
    [
        ("vi", "en", "en", "vi"),
        (None, "vi-VN", "en", "vi"),
        (None, "de", "vi", "vi"),
        (None, "de", "auto", "en"),
        (None, None, "auto", "en"),
    ],
)
def test_language_is_the_chats_then_the_users_then_the_default(
    choice: str | None, code: str | None, default: str, language: str
) -> None:
    assert language_for(choice, code, default) == language
