"""What a crawl did, in counts that add up."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.crawls import CrawlState, UrlStateName

Phase = Literal["searching", "fetching", "storing", "done"]


@dataclass(frozen=True, slots=True)
class CrawlCounts:
    """Addresses found and what became of each: found = added + refused + failed, at the end.

    Attributes:
        found: Different addresses that were taken up; while the crawl runs also those in hand.
        added: Pictures the library did not have.
        refused: Pictures fetched and not taken, by `engine.crawl.cleaning.Reason`.
        failed: Addresses that gave no bytes, by the error's key.
        known: Addresses that an earlier crawl for this category had settled; not asked for, and
            not among the found.
    """

    found: int = 0
    added: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)
    failed: Mapping[str, int] = field(default_factory=dict)
    known: int = 0

    @classmethod
    def of(
        cls,
        tally: Mapping[tuple[UrlStateName, str | None], int],
        *,
        known: int = 0,
        in_hand: int | None = None,
    ) -> CrawlCounts:
        """Counts from a tally by state and reason.

        Args:
            tally: As `CrawlLog.tally` gives it.
            known: Addresses passed over.
            in_hand: Addresses being worked on, where the tally's waiting ones are not those.
        """
        by_state: dict[str, dict[str, int]] = {"refused": {}, "failed": {}}
        added = waiting = 0
        for (state, reason), number in sorted(tally.items(), key=lambda each: str(each[0][1])):
            if state == "fetched":
                added += number
            elif state == "waiting":
                waiting += number
            else:
                by_state[state][reason or "unknown"] = number
        settled = added + sum(sum(each.values()) for each in by_state.values())
        found = settled + (waiting if in_hand is None else in_hand)
        return cls(found, added, by_state["refused"], by_state["failed"], known)

    def as_json(self) -> dict[str, Any]:
        """The counts as the log keeps them."""
        return {
            "found": self.found,
            "added": self.added,
            "refused": dict(self.refused),
            "failed": dict(self.failed),
            "known": self.known,
        }


@dataclass(frozen=True, slots=True)
class CrawlProgress:
    """How far a crawl is; `source` is the one being asked, None when none is."""

    crawl_id: int
    topic: str
    wanted: int
    counts: CrawlCounts
    phase: Phase
    source: str | None
    seconds: float


@dataclass(frozen=True, slots=True)
class SourceTrouble:
    """A source that failed: its name, and the error's key, sentence and details."""

    source: str
    key: str
    message: str
    details: Mapping[str, str | float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CrawlReport:
    """What a crawl did.

    Attributes:
        crawl_id: Its number in the log.
        topic: What was searched for.
        category: Where the pictures went.
        wanted: How many were asked for.
        state: `done`, `cancelled`, or `running` where it was left for a later run.
        counts: Over all of the crawl, what went before an interruption included.
        pictures: Ids of what it added, in the order of finding.
        troubles: Sources that failed, in the order they were asked.
        without_encoder: Why nothing could be embedded, in words.
        seconds: How long this run took.
    """

    crawl_id: int
    topic: str
    category: str
    wanted: int
    state: CrawlState
    counts: CrawlCounts
    pictures: tuple[str, ...] = ()
    troubles: tuple[SourceTrouble, ...] = ()
    without_encoder: str | None = None
    seconds: float = 0.0
