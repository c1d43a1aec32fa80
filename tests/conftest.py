"""Fixtures that every test folder shares."""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of optional test data (real photos, a real encoder) beside the project's root."""
    if not SHARED.is_dir():
        pytest.skip(f"optional test data is absent: {SHARED}")
    return SHARED


@pytest.fixture(scope="session", autouse=True)
def quiet_servers() -> None:
    """Tests' web servers keep their request log to themselves.

    Theirs goes to the stderr of whichever test asked first, which is closed in the next one.
    """
    logging.getLogger("werkzeug").setLevel(logging.ERROR)


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """What a program under test does to the root logger ends with the test, as its stderr does."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    for handler in list(root.handlers):
        if handler not in handlers and type(handler) is logging.StreamHandler:
            root.removeHandler(handler)
    root.setLevel(level)


# Playwright's synchronous side keeps an event loop running in this thread, in which no asynchronous
# test could run meanwhile: it must end with the module.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    from playwright.sync_api import Error, sync_playwright

    found = os.environ.get("CHROMIUM") or next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
    flags = (
        "--no-sandbox --disable-gpu --disable-quic --no-first-run"
        " --disable-background-networking --disable-component-update --disable-sync"
    )
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=found, args=flags.split())
        except Error as error:
            pytest.skip(f"no Chromium on this machine: {str(error).splitlines()[0]}")
        yield browser
        browser.close()
