"""No log shows a secret."""

from __future__ import annotations

import io
import json
import logging
import sys
from typing import TYPE_CHECKING

import pytest

from bot import logs
from engine.config import load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11"


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    kept, level = list(root.handlers), root.level
    yield
    root.handlers[:] = kept
    root.setLevel(level)
    logging.captureWarnings(capture=False)


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_token_is_blotted_out_of_messages_arguments_and_tracebacks(
    log_format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    logs.configure(load_settings(telegram_token=TOKEN, log_format=log_format, _env_file=None))
    log = logging.getLogger("anything")
    log.warning("asked %s", f"http://localhost/bot{TOKEN}/getMe")
    try:
        int(f"/bot{TOKEN}/getMe")
    except ValueError:
        log.exception("failed with a token of another bot: 987654:zzzzzzzzzzzzzzzzzzzzzzzzzzzz")
    assert TOKEN not in written.getvalue()
    assert "zzzz" not in written.getvalue()
    assert written.getvalue().count(logs.REDACTED) == 3
    if log_format == "json":
        first, second = map(json.loads, written.getvalue().splitlines())
        assert first["message"] == "asked http://localhost/bot<token>/getMe"
        assert second["level"] == "ERROR"
        assert "Traceback" in second["traceback"]


def test_http_client_does_not_log_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    logs.configure(load_settings(telegram_token=TOKEN, _env_file=None))
    logging.getLogger("httpx").info("HTTP Request: POST /bot…/getUpdates")
    assert not written.getvalue()
