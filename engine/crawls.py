"""The crawls' log: what was asked for, and what became of every address they came upon."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

from sqlalchemy import bindparam, case, delete, exists, func, select, update

from engine.schema import Crawl, CrawlUrl, Image, now
from engine.statements import insert_into

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

CrawlState = Literal["queued", "running", "done", "cancelled", "failed"]
UrlStateName = Literal["waiting", "fetched", "refused", "failed"]


@dataclass(frozen=True, slots=True)
class CrawlEntry:
    """One crawl as it is recorded.

    `chat_id` and `user_id` say who asked, where somebody did, `request` by what (see
    `CrawlLog.queue`); `reason` why it failed, in words.
    """

    id: int
    topic: str
    category: str
    wanted: int
    sources: tuple[str, ...]
    state: CrawlState
    reason: str | None
    counts: Mapping[str, Any]
    chat_id: int | None
    user_id: int | None
    request: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class FoundUrl:
    """A picture's address, with what its source said of the picture (JSON)."""

    url: str
    candidate: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class UrlOutcome:
    """What became of an address: `fetched` names the picture made of it, the others a reason."""

    url: str
    state: UrlStateName
    reason: str | None = None
    image_id: str | None = None


@dataclass(frozen=True, slots=True)
class KnownUrl:
    """An address that a crawl for the category came upon before."""

    crawl_id: int
    state: UrlStateName


@dataclass(frozen=True, slots=True)
class ListedUrl:
    """An address for people: what it was found for, and the state it is in."""

    category: str
    topic: str
    url: str
    state: UrlStateName


class Sessions(Protocol):
    """Opens a session over the catalogue's tables (`Catalog.session`)."""

    def __call__(self, *, read_only: bool = False) -> AbstractContextManager[Session]:
        """Committed at the end, undone on an error."""
        ...


class CrawlLog:
    """Crawls and their addresses, in the catalogue's database. Safe to use from several threads.

    An address is remembered for its category: what was fetched or refused for one is not asked for
    again, by whatever crawl; what failed, a later crawl tries anew.

    Args:
        sessions: `Catalog.session`.
    """

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    # Crawls

    def queue(
        self,
        topic: str,
        *,
        category: str,
        wanted: int,
        sources: Sequence[str],
        chat_id: int | None = None,
        user_id: int | None = None,
        request: str | None = None,
    ) -> CrawlEntry:
        """Record a crawl that is to come.

        Args:
            topic: What to search for.
            category: Where the pictures go.
            wanted: How many.
            sources: Names, in the order to be asked.
            chat_id: Where it was asked for, if in a chat.
            user_id: Who asked.
            request: Name of what asked: the same request queues one crawl, however often it comes.
        """
        with self._sessions() as session:
            if request is not None:
                known = session.scalars(select(Crawl).where(Crawl.request == request)).first()
                if known is not None:
                    return _entry(known)
            row = Crawl(
                topic=topic,
                category=category,
                wanted=wanted,
                sources=list(sources),
                counts={},
                chat_id=chat_id,
                user_id=user_id,
                request=request,
                state="queued",
                created_at=now(),
            )
            session.add(row)
            session.flush()
            return _entry(row)

    def get(self, crawl_id: int) -> CrawlEntry | None:
        """One crawl; None if there is none of that number."""
        found = self._entries(select(Crawl).where(Crawl.id == crawl_id))
        return found[0] if found else None

    def recent(self, limit: int = 20) -> list[CrawlEntry]:
        """The latest crawls, newest first."""
        return self._entries(select(Crawl).order_by(Crawl.id.desc()).limit(limit))

    def unfinished(self) -> list[CrawlEntry]:
        """Crawls that are queued or running, oldest first.

        After a start of the program those that were running are the ones a crash interrupted.
        """
        states = ("queued", "running")
        return self._entries(select(Crawl).where(Crawl.state.in_(states)).order_by(Crawl.id))

    def start(self, crawl_id: int) -> None:
        """Say that a crawl runs; one that was interrupted keeps the time it began at."""
        began = func.coalesce(Crawl.started_at, now())
        with self._sessions() as session:
            session.execute(
                update(Crawl)
                .where(Crawl.id == crawl_id)
                .values(state="running", started_at=began, finished_at=None, reason=None)
            )

    def finish(
        self,
        crawl_id: int,
        state: CrawlState,
        *,
        counts: Mapping[str, Any] | None = None,
        reason: str | None = None,
    ) -> None:
        """Say how a crawl ended."""
        values: dict[str, Any] = {"state": state, "reason": reason, "finished_at": now()}
        if counts is not None:
            values["counts"] = dict(counts)
        with self._sessions() as session:
            session.execute(update(Crawl).where(Crawl.id == crawl_id).values(**values))

    # Addresses

    def known(self, category: str) -> dict[str, KnownUrl]:
        """Addresses that were come upon for the category before, by their digest."""
        query = select(CrawlUrl.digest, CrawlUrl.crawl_id, CrawlUrl.state)
        with self._sessions(read_only=True) as session:
            return {
                digest: KnownUrl(crawl_id, cast("UrlStateName", state))
                for digest, crawl_id, state in session.execute(
                    query.where(CrawlUrl.category == category)
                )
            }

    def waiting(self, category: str) -> list[FoundUrl]:
        """Addresses that were found for the category and not asked for yet, in order."""
        query = (
            select(CrawlUrl.url, CrawlUrl.candidate)
            .where(CrawlUrl.category == category, CrawlUrl.state == "waiting")
            .order_by(CrawlUrl.position)
        )
        with self._sessions(read_only=True) as session:
            return [FoundUrl(url, candidate) for url, candidate in session.execute(query)]

    def take(self, crawl: CrawlEntry, found: Sequence[FoundUrl]) -> None:
        """Record addresses as this crawl's, waiting; known ones keep their place in the order."""
        if not found:
            return
        highest = select(func.max(CrawlUrl.position)).where(CrawlUrl.category == crawl.category)
        with self._sessions() as session:
            following = (session.execute(highest).scalar() or 0) + 1
            rows = [
                {
                    "category": crawl.category,
                    "digest": url_digest(each.url),
                    "crawl_id": crawl.id,
                    "position": following + number,
                    "url": each.url,
                    "candidate": dict(each.candidate),
                    "state": "waiting",
                    "reason": None,
                    "image_id": None,
                }
                for number, each in enumerate(found)
            ]
            connection = session.connection()
            insert = insert_into(connection, CrawlUrl)
            renewed: dict[str, Any] = {
                name: insert.excluded[name] for name in ("crawl_id", "state", "reason", "image_id")
            }
            renewed["position"] = case(
                (CrawlUrl.state == "waiting", CrawlUrl.position), else_=insert.excluded.position
            )
            connection.execute(
                insert.on_conflict_do_update(index_elements=["category", "digest"], set_=renewed),
                rows,
            )

    def settle(self, crawl: CrawlEntry, outcomes: Sequence[UrlOutcome]) -> None:
        """Record what became of addresses, all in one transaction."""
        if not outcomes:
            return
        statement = (
            update(CrawlUrl)
            .where(CrawlUrl.category == crawl.category, CrawlUrl.digest == bindparam("of"))
            .values(state=bindparam("to"), reason=bindparam("why"), image_id=bindparam("picture"))
        )
        rows = [
            {
                "of": url_digest(each.url),
                "to": each.state,
                "why": each.reason,
                "picture": each.image_id,
            }
            for each in outcomes
        ]
        with self._sessions() as session:
            session.connection().execute(statement, rows)

    def reopen(self, category: str) -> int:
        """Let addresses wait again whose picture never reached the library; returns how many.

        That is what a crash, or a full disk, leaves between deciding for a picture and recording
        it. Crawls that ended in order are left alone: what they added and somebody removed since is
        not to come back.
        """
        interrupted = select(Crawl.id).where(Crawl.state.in_(("queued", "running", "failed")))
        is_stored = exists().where(Image.id == CrawlUrl.image_id)
        with self._sessions() as session:
            done = session.execute(
                update(CrawlUrl)
                .where(
                    CrawlUrl.category == category,
                    CrawlUrl.state == "fetched",
                    CrawlUrl.crawl_id.in_(interrupted),
                    ~is_stored,
                )
                .values(state="waiting", image_id=None)
                .execution_options(synchronize_session=False)
            )
            return int(getattr(done, "rowcount", 0))

    def tally(self, crawl_id: int) -> dict[tuple[UrlStateName, str | None], int]:
        """How many of a crawl's addresses are in each state, for each reason."""
        query = (
            select(CrawlUrl.state, CrawlUrl.reason, func.count())
            .where(CrawlUrl.crawl_id == crawl_id)
            .group_by(CrawlUrl.state, CrawlUrl.reason)
        )
        with self._sessions(read_only=True) as session:
            return {
                (cast("UrlStateName", state), reason): number
                for state, reason, number in session.execute(query)
            }

    def pictures(self, crawl_id: int) -> list[str]:
        """Ids of the pictures that a crawl added, in the order it found them."""
        query = (
            select(CrawlUrl.image_id)
            .where(CrawlUrl.crawl_id == crawl_id, CrawlUrl.state == "fetched")
            .order_by(CrawlUrl.position)
        )
        with self._sessions(read_only=True) as session:
            return [name for name in session.execute(query).scalars() if name is not None]

    def forget(self, category: str) -> None:
        """Forget a category's addresses, so that a crawl may find its pictures again."""
        with self._sessions() as session:
            session.execute(delete(CrawlUrl).where(CrawlUrl.category == category))

    def urls(self) -> list[ListedUrl]:
        """All addresses, by category, topic and order of finding."""
        query = (
            select(CrawlUrl.category, Crawl.topic, CrawlUrl.url, CrawlUrl.state)
            .join(Crawl, Crawl.id == CrawlUrl.crawl_id)
            .order_by(CrawlUrl.category, Crawl.topic, CrawlUrl.position)
        )
        with self._sessions(read_only=True) as session:
            return [
                ListedUrl(category, topic, url, cast("UrlStateName", state))
                for category, topic, url, state in session.execute(query)
            ]

    def _entries(self, query: Select[Any]) -> list[CrawlEntry]:
        with self._sessions(read_only=True) as session:
            return [_entry(row) for row in session.execute(query).scalars()]


@lru_cache(4096)
def url_digest(url: str) -> str:
    """Name of an address in the log and on disk: 32 hex digits of its SHA-256."""
    return hashlib.sha256(url.encode(errors="surrogatepass")).hexdigest()[:32]


def _entry(row: Crawl) -> CrawlEntry:
    return CrawlEntry(
        id=row.id,
        topic=row.topic,
        category=row.category,
        wanted=row.wanted,
        sources=tuple(row.sources),
        state=cast("CrawlState", row.state),
        reason=row.reason,
        counts=row.counts,
        chat_id=row.chat_id,
        user_id=row.user_id,
        request=row.request,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )
