"""A picture somewhere on the web that might be worth having."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Candidate:
    """What a source says of a picture. `dataclasses.asdict` gives JSON that makes it again.

    Attributes:
        url: Where the picture lies.
        source: Name of the source that found it.
        alternatives: The same picture elsewhere, to be tried in this order when `url` gives none.
        landing_page: The page for people.
        title: Its title.
        creator: Who made it.
        licence: Name of the licence, as people know it ("CC BY-SA 4.0").
        licence_url: Its text.
        width: Pixels, where the source says so.
        height: Pixels, where the source says so.
    """

    url: str
    source: str
    alternatives: tuple[str, ...] = ()
    landing_page: str | None = None
    title: str | None = None
    creator: str | None = None
    licence: str | None = None
    licence_url: str | None = None
    width: int | None = None
    height: int | None = None

    def __post_init__(self) -> None:
        # JSON knows no tuples.
        object.__setattr__(self, "alternatives", tuple(self.alternatives))
