"""Fixtures that every test folder shares."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

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
