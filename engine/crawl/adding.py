"""Adding one picture that a person chose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.crawl.cleaning import Reason, Refusal, clean
from engine.library import NewPicture

if TYPE_CHECKING:
    from engine.library import Library


def add_picture(
    library: Library, data: bytes, category: str, **facts: str | int | None
) -> str | Refusal:
    """Store a picture as a file of the library's own, unless it has this one already.

    Args:
        library: Open for writing.
        data: The picture's file.
        category: Where it goes.
        facts: Other fields of `engine.catalog.Photo`: owner, title and so on.

    Returns:
        The picture's id, or why it is refused. A person's choice is refused for no flaw but being
        unusable or there already.

    Raises:
        StoreError: It cannot be written.
    """
    cleaned = clean(data, is_strict=False)
    if isinstance(cleaned, Refusal):
        return cleaned
    if library.catalog.facts([cleaned.id, cleaned.original_id]):
        return Refusal(Reason.DUPLICATE)
    owner = facts.get("owner")
    if library.nearest(cleaned.phash, owner=owner if isinstance(owner, int) else None) is not None:
        return Refusal(Reason.NEAR_DUPLICATE)
    library.add([NewPicture(cleaned.data, cleaned.photo(category, **facts))])
    return cleaned.id
