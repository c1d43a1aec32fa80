"""Pictures shown without having been asked for by another: by category, or at random."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.links import digest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bot.desk import Desk
    from engine.catalog import Catalog, CategoryCount, Photo

DRAWS = 4
"""So many pictures are drawn for one: files may be gone."""


@dataclass(frozen=True, slots=True)
class Exhibit:
    """One of everyone's pictures.

    Attributes:
        number: Its place in the category, from 1; None for one drawn at random.
    """

    image_id: str
    category: str
    path: Path
    number: int | None = None
    title: str | None = None
    source: str | None = None
    landing_page: str | None = None
    creator: str | None = None
    licence: str | None = None


@dataclass(frozen=True, slots=True)
class Shelf:
    """One page of a category; `total` counts the pictures of all its pages."""

    category: str
    page: int
    exhibits: tuple[Exhibit, ...]
    total: int
    is_last: bool


class Exhibits:
    """Everyone's pictures, to be looked at. What people keep for themselves is not among them."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def categories(self) -> list[CategoryCount]:
        """Everyone's categories, by name."""
        catalog = (await self._desk.opened()).catalog
        counts = await self._desk.call(catalog.categories)
        return sorted(counts, key=lambda each: (each.category.casefold(), each.category))

    async def category(self, key: str) -> CategoryCount | None:
        """The category with this digest; None when it is gone."""
        counts = await self.categories()
        return next((each for each in counts if digest(each.category) == key), None)

    async def shelf(self, category: str, page: int, size: int) -> Shelf:
        """A page (from 0) of a category, in an order that stays as it is."""
        catalog = (await self._desk.opened()).catalog
        return await self._desk.call(_shelf, catalog, category, page, size)

    async def at_random(
        self, seed: int, *, category: str | None = None, without: str = ""
    ) -> Exhibit | None:
        """A picture drawn at random; None when there is none.

        Args:
            seed: The same draws the same, so that an answer tried again is the same answer.
            category: Draw from this one only.
            without: Id of a picture that is not to be drawn, unless there is no other.
        """
        catalog = (await self._desk.opened()).catalog
        return await self._desk.call(_drawn, catalog, seed, category, without)

    async def of(self, image_ids: Sequence[str]) -> list[Exhibit]:
        """These pictures, in this order; those that are gone, or not everyone's, are left out."""
        catalog = (await self._desk.opened()).catalog
        return await self._desk.call(_exhibits, catalog, image_ids)


def _shelf(catalog: Catalog, category: str, page: int, size: int) -> Shelf:
    names = catalog.ids_in(category)
    first = page * size
    exhibits = _exhibits(catalog, names[first : first + size], first + 1)
    return Shelf(category, page, tuple(exhibits), len(names), first + size >= len(names))


def _drawn(catalog: Catalog, seed: int, category: str | None, without: str) -> Exhibit | None:
    names = catalog.shared_ids() if category is None else catalog.ids_in(category)
    others = [name for name in names if name != without] or names
    chosen = random.Random(seed).sample(others, min(DRAWS, len(others)))
    drawn = _exhibits(catalog, chosen)
    return next((each for each in drawn if each.path.is_file()), drawn[0] if drawn else None)


def _exhibits(catalog: Catalog, names: Sequence[str], first: int | None = None) -> list[Exhibit]:
    facts = catalog.facts(names)
    exhibits = []
    for place, name in enumerate(names):
        photo = facts.get(name)
        if photo is None or photo.owner is not None or photo.path is None:
            continue
        exhibits.append(_exhibit(photo, photo.path, None if first is None else first + place))
    return exhibits


def _exhibit(photo: Photo, path: Path, number: int | None) -> Exhibit:
    return Exhibit(
        image_id=photo.id,
        category=photo.category,
        path=path,
        number=number,
        title=photo.title,
        source=photo.source,
        landing_page=photo.landing_page,
        creator=photo.creator,
        licence=photo.licence,
    )
