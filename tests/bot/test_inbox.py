"""What was received outlives the process."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bot.inbox import Inbox, Received
from engine.catalog import Catalog
from engine.schema import now

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with Catalog.open(f"sqlite:///{tmp_path / 'bot.db'}") as catalog:
        yield catalog


def received(update_id: int, age: timedelta = timedelta()) -> Received:
    return Received(update_id, 7, {"update_id": update_id}, now() - age)


def test_an_update_is_stored_once_per_bot(catalog: Catalog) -> None:
    inbox = Inbox(catalog, 1)
    assert inbox.store([received(1), received(2)]) == {1, 2}
    assert inbox.store([received(2), received(3), received(3)]) == {3}
    assert Inbox(catalog, 2).store([received(1)]) == {1}


def test_unanswered_updates_are_found_again_in_order(catalog: Catalog) -> None:
    inbox = Inbox(catalog, 1)
    inbox.store([received(3), received(1), received(2)])
    inbox.begin(2, after=55)
    inbox.failed([2])
    inbox.done([1])
    left = Inbox(catalog, 1).unanswered()
    assert [(r.update_id, r.after, r.attempts) for r in left] == [(2, 55, 1), (3, None, 0)]
    assert left[1].payload == {"update_id": 3}
    assert inbox.store([received(1)]) == set(), "an answered update must not come back"


def test_answered_updates_are_dropped_when_telegram_has_forgotten_them(catalog: Catalog) -> None:
    inbox = Inbox(catalog, 1)
    inbox.store([received(1, timedelta(days=3)), received(2), received(3, timedelta(days=3))])
    inbox.done([1, 2])
    inbox.prune()
    assert inbox.store([received(1)]) == {1}
    assert inbox.store([received(2), received(3)]) == set()
