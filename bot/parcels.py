"""Parcels: somebody's pictures as zip files that Telegram takes from a bot."""

from __future__ import annotations

import csv
import io
import logging
import re
import zipfile
from typing import TYPE_CHECKING

from engine.stores import folder_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engine.catalog import Photo

LOG = logging.getLogger(__name__)

MOST_BYTES = 20_000_000
"""Bots may send 50 MB; a smaller part survives a slow connection."""
_ENTRY_BYTES = 600  # what a file costs in a zip beside its content


def parts_of(photos: Sequence[Photo]) -> list[list[Photo]]:
    """The pictures in portions of at most `MOST_BYTES`; those whose file is gone are left out."""
    parts: list[list[Photo]] = []
    room = 0
    for photo in photos:
        try:
            size = photo.path.stat().st_size + _ENTRY_BYTES if photo.path else 0
        except OSError:
            LOG.warning("a file of a collection is gone")
            continue
        if not size:
            continue
        if not parts or size > room:
            parts.append([])
            room = MOST_BYTES
        parts[-1].append(photo)
        room -= size
    return parts


def packed(photos: Sequence[Photo]) -> bytes:
    """A zip with a folder for each category, and a list of what is in it (`pictures.csv`).

    Args:
        photos: One part of `parts_of`; JPEG files, which do not get smaller.
    """
    written, listed = io.BytesIO(), io.StringIO()
    table = csv.writer(listed)
    table.writerow(("file", "category", "title"))
    with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as parcel:
        for name, photo in _named(photos):
            try:
                parcel.writestr(name, photo.path.read_bytes() if photo.path else b"")
            except OSError:
                LOG.warning("a file of a collection is gone")
                continue
            table.writerow((name, photo.category, photo.title or ""))
        parcel.writestr("pictures.csv", "\ufeff" + listed.getvalue())  # Excel wants the mark
    return written.getvalue()


def _named(photos: Sequence[Photo]) -> Iterator[tuple[str, Photo]]:
    for photo in photos:
        words = re.sub(r"[^\w -]", "", photo.title or "").strip()[:40]
        stem = f"{words} {photo.id}" if words else photo.id
        yield f"{folder_name(photo.category)}/{stem}.jpg", photo
