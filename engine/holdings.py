"""Holdings: what one person or group keeps in the library; nobody else ever sees any of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.crawl.cleaning import Refusal, clean
from engine.errors import QuotaError
from engine.images import owned_id
from engine.library import NewPicture

if TYPE_CHECKING:
    from datetime import datetime

    from engine.catalog import Photo
    from engine.library import Library


@dataclass(frozen=True, slots=True)
class Kept:
    """A picture that is in a holding now.

    `is_new` is false for one that was there before; `count` is how many there are in all.
    """

    photo: Photo
    is_new: bool
    count: int


class Holdings:
    """One owner's pictures in an open library; safe to use from several threads.

    Args:
        library: Open for writing.
        owner: A person's id, or a group's.
    """

    def __init__(self, library: Library, owner: int) -> None:
        self._library = library
        self._owner = owner

    def keep(
        self,
        data: bytes,
        category: str,
        *,
        title: str | None = None,
        quota: int,
        since: datetime | None = None,
    ) -> Kept | Refusal:
        """Store a picture for the owner alone.

        Whether the library or somebody else has the same one plays no part, and nearly the same
        pictures may be kept beside each other.

        Args:
            data: The picture's file.
            category: Where it goes; written as the owner wrote it before, if only capitals differ.
            title: What it is called.
            quota: How many pictures the owner may have.
            since: One that came at this time or later counts as new: it was stored by an earlier
                attempt at the same request.

        Returns:
            The picture, or why it cannot be used.

        Raises:
            QuotaError: There are as many as there may be.
            StoreError: It cannot be written.
        """
        cleaned = clean(data, is_strict=False)
        if isinstance(cleaned, Refusal):
            return cleaned
        catalog = self._library.catalog
        name = owned_id(cleaned.id, self._owner)
        with self._library.keeping:
            photo = catalog.facts([name]).get(name)
            if photo is not None and photo.state == "ready":
                is_new = since is not None and catalog.added_at([name])[name] >= since
                if self._library.stores.missing_vectors([name]):
                    # Cut off half-way, or the encoder was not to be had then.
                    catalog.mark_pending([name])
                    self._library.add([NewPicture(cleaned.data, photo)])
                return Kept(photo, is_new, len(catalog.ids_of(self._owner)))
            count = len(catalog.ids_of(self._owner))
            if count >= quota:
                raise QuotaError(
                    f"This collection is full: it may hold {quota} pictures.",
                    key="collection_full",
                    quota=quota,
                )
            photo = cleaned.photo(self._spelled(category), owner=self._owner, title=title)
            photo = replace(photo, id=name)
            self._library.add([NewPicture(cleaned.data, photo)])
            return Kept(photo, is_new=True, count=count + 1)

    def drop(self, image_id: str) -> bool:
        """Remove one picture for good; false if the owner has no such picture."""
        return self._remove([image_id]) > 0

    def clear(self) -> int:
        """Remove all for good, with all that was made of them; returns how many there were."""
        with self._library.keeping:
            return self._remove(self._library.catalog.all_ids_of(self._owner))

    def _remove(self, ids: list[str]) -> int:
        owners = self._library.catalog.owners(ids)
        return self._library.stores.remove(name for name in ids if owners.get(name) == self._owner)

    def _spelled(self, category: str) -> str:
        names = (each.category for each in self._library.catalog.categories(self._owner))
        return next((name for name in names if name.casefold() == category.casefold()), category)
