"""Taking things out of a library: address lists, and pictures split for training and testing."""

from __future__ import annotations

import csv
import io
import json
import shutil
import zipfile
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from engine.errors import EmptyLibraryError, StoreError
from engine.stores import folder_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from engine.catalog import Photo
    from engine.library import Library

CREDITS = "credits.csv"
"""File beside the exported pictures that says whose they are: most licences ask for it."""

_CREDITED = ("title", "creator", "licence", "licence_url", "landing_page", "source")
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
"""The earliest a ZIP archive can hold: the same pictures give the same archive."""

Urls = dict[str, dict[str, list[str]]]


@dataclass(frozen=True, slots=True)
class Split:
    """One category's pictures in two parts, as ids."""

    category: str
    train: tuple[str, ...]
    test: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ImageExport:
    """What was exported; `missing` are pictures whose file is gone."""

    categories: int
    train: int
    test: int
    missing: tuple[str, ...]


def crawled_urls(library: Library, groups: Mapping[str, str] | None = None) -> Urls:
    """Addresses of crawled pictures and of those still to be fetched: category → term → addresses.

    What was refused or could not be fetched is left out.

    Args:
        library: Where the crawls are recorded.
        groups: The category that a term is listed under; by default the one it was crawled into.
    """
    urls: Urls = {}
    for each in library.crawls.urls():
        if each.state in {"waiting", "fetched"}:
            category = (groups or {}).get(each.topic, each.category)
            urls.setdefault(category, {}).setdefault(each.topic, []).append(each.url)
    return urls


def export_urls(
    library: Library, target: Path, groups: Mapping[str, str] | None = None
) -> dict[str, int]:
    """Write the addresses of crawled pictures.

    Args:
        library: Where the crawls are recorded.
        target: A file ending in `.json` (category → term → addresses), else a folder for a text
            file for each term.
        groups: As for `crawled_urls`.

    Returns:
        Number of addresses by term.

    Raises:
        EmptyLibraryError: Nothing was crawled yet.
        OSError: It cannot be written.
    """
    urls = crawled_urls(library, groups)
    by_term: dict[str, list[str]] = defaultdict(list)
    for terms in urls.values():
        for term, found in terms.items():
            by_term[term] += found
    if not by_term:
        raise EmptyLibraryError(
            "No addresses are known yet. Find some with: lookalike crawl TOPIC", key="no_urls"
        )
    if target.suffix.lower() == ".json":
        target.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(urls, ensure_ascii=False, indent=1)
        target.write_text(text + "\n", encoding="utf-8")
    else:
        target.mkdir(parents=True, exist_ok=True)
        for term, found in by_term.items():
            file = target / f"{folder_name(term)}.txt"
            file.write_text("".join(f"{url}\n" for url in found), encoding="utf-8")
    return {term: len(found) for term, found in by_term.items()}


def split(library: Library, *, train: int, test: int) -> list[Split]:
    """Everyone's pictures, split for training and testing, category by category.

    Ids are hashes of content, so their order is as good as chance, and always the same. Test
    pictures are taken from one end of it and training pictures from the other: in a category that
    has enough of both, one that comes later never moves another across. Near-duplicates are left
    out, lest a test picture be trained on. At least one picture is left for training.

    Args:
        library: The library.
        train: Most training pictures for each category.
        test: Most test pictures for each category.
    """
    catalog = library.catalog
    splits = []
    for category in catalog.categories():
        facts = catalog.facts(catalog.ids_in(category.category))
        ids = sorted(name for name, photo in facts.items() if photo.near_of is None)
        for_test = min(test, max(0, len(ids) - min(train, 1)))
        rest = ids[for_test:]
        splits.append(
            Split(
                category.category,
                tuple(rest[max(0, len(rest) - train) :]),
                tuple(ids[:for_test]),
            )
        )
    return splits


def export_images(
    library: Library,
    target: Path,
    *,
    train: int = 19,
    test: int = 1,
    as_zip: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> ImageExport:
    """Copy pictures to `train/<category>/` and `test/<category>/`, with a file of credits.

    Args:
        library: The library.
        target: A folder that is new or empty; the archive's name for a ZIP archive.
        train: Most training pictures for each category.
        test: Most test pictures for each category.
        as_zip: Write one archive instead of a folder.
        progress: Called with pictures done and pictures in all.

    Raises:
        EmptyLibraryError: There are no pictures.
        StoreError: The folder is not empty, or the archive is there already.
        OSError: It cannot be written.
    """
    splits = split(library, train=train, test=test)
    if not splits:
        raise EmptyLibraryError(
            "The library is empty. Fill it with: lookalike index FOLDER", key="empty_library"
        )
    every = sum(len(each.train) + len(each.test) for each in splits)
    missing: list[str] = []
    credited: list[tuple[str, Photo]] = []
    counts = {"train": 0, "test": 0}
    done = 0
    with (_archive if as_zip else _folder)(target) as out:
        for each in splits:
            facts = library.catalog.facts([*each.train, *each.test])
            for part, ids in (("train", each.train), ("test", each.test)):
                for name in ids:
                    photo = facts[name]
                    if photo.path is not None and photo.path.is_file():
                        suffix = photo.path.suffix.lower()
                        place = f"{part}/{folder_name(each.category)}/{name}{suffix}"
                        out.copy(photo.path, place)
                        credited.append((place, photo))
                        counts[part] += 1
                    else:
                        missing.append(name)
                    done += 1
                    if progress is not None:
                        progress(done, every)
        out.write(CREDITS, _credits(credited))
    return ImageExport(len(splits), counts["train"], counts["test"], tuple(missing))


def _credits(credited: Sequence[tuple[str, Photo]]) -> str:
    stream = io.StringIO()
    rows = csv.writer(stream, lineterminator="\n")
    rows.writerow(("file", "category", *_CREDITED))
    for place, photo in credited:
        rows.writerow((place, photo.category, *(getattr(photo, name) or "" for name in _CREDITED)))
    return stream.getvalue()


class _Out(Protocol):
    def copy(self, source: Path, place: str) -> None: ...

    def write(self, place: str, text: str) -> None: ...


class _ToFolder:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def copy(self, source: Path, place: str) -> None:
        target = self._folder / place
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)

    def write(self, place: str, text: str) -> None:
        (self._folder / place).write_text(text, encoding="utf-8")


class _ToArchive:
    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    def copy(self, source: Path, place: str) -> None:
        self._archive.writestr(zipfile.ZipInfo(place, _ZIP_TIME), source.read_bytes())

    def write(self, place: str, text: str) -> None:
        self._archive.writestr(zipfile.ZipInfo(place, _ZIP_TIME), text)


@contextmanager
def _folder(target: Path) -> Iterator[_Out]:
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise _taken(target)
    target.mkdir(parents=True, exist_ok=True)
    yield _ToFolder(target)


@contextmanager
def _archive(target: Path) -> Iterator[_Out]:
    target = target if target.suffix.lower() == ".zip" else target.with_name(f"{target.name}.zip")
    if target.exists():
        raise _taken(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    half = target.with_name(f".{target.name}.part")
    try:
        with zipfile.ZipFile(half, "w") as archive:
            yield _ToArchive(archive)
        half.replace(target)
    finally:
        half.unlink(missing_ok=True)


def _taken(target: Path) -> StoreError:
    return StoreError(
        f"{target} is there already and not empty; name a new place.",
        key="export_taken",
        path=str(target),
    )
