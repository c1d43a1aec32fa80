"""Comparing what a library's stores hold with each other and with the files, and mending it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import StoreError
from engine.indexing import index

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from engine.indexing import Progress
    from engine.pixels import Thumbnails
    from engine.stores import Stores
    from engine.vectors import Vectors

EXAMPLES = 5
STRAYS = "strays"
"""Folder in ``DATA_DIR`` for files the library does not know: deleting them might be a loss."""


class Trouble(StrEnum):
    """What can be wrong, in words."""

    GONE = "files that are gone"
    CHANGED = "files that changed since they were indexed"
    FILELESS = "pictures without any file"
    UNFINISHED = "pictures left unfinished"
    NO_THUMBNAIL = "pictures without thumbnail"
    BAD_THUMBNAIL = "damaged thumbnails"
    STRAY_THUMBNAIL = "thumbnails of no picture"
    NO_VECTOR = "pictures without embedding"
    BAD_VECTOR = "damaged embeddings"
    STRAY_VECTOR = "embeddings of no picture"
    MISPLACED = "thumbnails or embeddings kept as private or shared against what the picture is"
    UNREACHABLE = "embeddings that Chroma does not find"
    STRAY_FILE = "files in the library's folder that it does not know"


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of trouble: what it is in words, how often, and the first few places."""

    what: str
    count: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a check found; after a repair also what could not be mended."""

    pictures: int
    findings: tuple[Finding, ...]
    repaired: bool = False
    left: tuple[Finding, ...] = ()
    """What a second look found after the repair."""
    without_encoder: str | None = None
    """Why lacking embeddings could not be made, in words."""

    @property
    def is_clean(self) -> bool:
        """Whether nothing is wrong (any more)."""
        return not (self.left if self.repaired else self.findings)


def check(
    stores: Stores, *, repair: bool = False, progress: Callable[[int, int], None] | None = None
) -> CheckReport:
    """Check a library, and on request mend it.

    Chroma is audited only where the stores are open for writing: one process may use it at a time.

    Args:
        stores: The library's stores; open for writing if `repair`.
        repair: Drop what belongs to nothing, make what is lacking from the files, rebuild Chroma
            where it does not find what it holds; then look again.
        progress: Called with steps done and steps in all.

    Raises:
        StoreError: A repair was asked for while none of the library's files is there, which looks
            like a disk that is not: nothing is changed.
    """
    steps = _Steps(progress)
    found = _look(stores, steps)
    pictures = stores.catalog.count()
    if not repair or not found:
        return CheckReport(pictures, _findings(stores, found), repaired=repair)
    findings = _findings(stores, found)
    without_encoder = _mend(stores, found, steps)
    left = _findings(stores, _look(stores, steps))
    return CheckReport(
        stores.catalog.count(),
        findings,
        repaired=True,
        left=left,
        without_encoder=without_encoder,
    )


Troubles = defaultdict[Trouble, list[str]]


def _look(stores: Stores, steps: _Steps) -> Troubles:
    catalog = stores.catalog
    found: Troubles = defaultdict(list)
    steps.expect(4)
    files = catalog.files.states()
    for path, state in files.items():
        try:
            info = Path(path).stat()
        except OSError:
            found[Trouble.GONE].append(path)
            continue
        if (info.st_size, info.st_mtime_ns) != (state.size, state.mtime_ns):
            found[Trouble.CHANGED].append(path)
    library = stores.settings.library_dir.resolve()
    for file in library.rglob("*"):
        if file.is_file() and str(file) not in files:
            found[Trouble.STRAY_FILE].append(str(file))
    steps.done()

    ids = catalog.all_ids(None)
    known = set(ids)
    found[Trouble.FILELESS] = catalog.files.orphans()
    found[Trouble.UNFINISHED] = catalog.pending_ids()
    steps.done()

    thumbnails = stores.thumbnails
    found[Trouble.NO_THUMBNAIL] = list(thumbnails.missing(ids))
    found[Trouble.BAD_THUMBNAIL] = list(thumbnails.verify())
    found[Trouble.STRAY_THUMBNAIL] = [name for name in thumbnails.ids() if name not in known]
    misplaced = set(_misplaced(stores, thumbnails))
    steps.done()

    found[Trouble.NO_VECTOR] = stores.missing_vectors(ids)
    vectors = stores.vectors
    if vectors is not None:
        found[Trouble.BAD_VECTOR] = list(vectors.verify())
        found[Trouble.STRAY_VECTOR] = [name for name in vectors.ids() if name not in known]
        misplaced.update(_misplaced(stores, vectors))
        if stores.is_writable:
            found[Trouble.UNREACHABLE] = vectors.audit()
    found[Trouble.MISPLACED] = sorted(misplaced)
    steps.done()
    return defaultdict(list, {kind: places for kind, places in found.items() if places})


def _misplaced(stores: Stores, rows: Thumbnails | Vectors) -> list[str]:
    """Ids of known pictures that are private and whose rows are not, or the other way round."""
    kept, owned = set(rows.private_ids()), set(stores.catalog.private_ids())
    stray = set(rows.missing(sorted(owned - kept))) | (kept - set(stores.catalog.all_ids(None)))
    return sorted((kept ^ owned) - stray)


def _mend(stores: Stores, found: Mapping[Trouble, list[str]], steps: _Steps) -> str | None:
    """Mend all of it; returns why embeddings could not be made, if they could not."""
    catalog, vectors = stores.catalog, stores.vectors
    found = defaultdict(list, found)
    files = catalog.files.states()
    if files and len(found[Trouble.GONE]) == len(files):
        raise StoreError(
            f"None of the library's {len(files):,} files is there; is their disk? "
            "Nothing was changed.",
            key="files_gone",
        )
    for path in found[Trouble.STRAY_FILE]:
        _set_aside(stores, Path(path))
    catalog.files.forget(found[Trouble.GONE])
    stores.discard(catalog.files.orphans())
    stores.thumbnails.delete([*found[Trouble.BAD_THUMBNAIL], *found[Trouble.STRAY_THUMBNAIL]])
    if vectors is not None:
        vectors.delete([*found[Trouble.BAD_VECTOR], *found[Trouble.STRAY_VECTOR]])
    private = catalog.owners()
    misplaced = _misplaced(stores, stores.thumbnails)
    is_shared = [name not in private for name in misplaced]
    stores.thumbnails.add(misplaced, stores.thumbnails.get(misplaced), shared=is_shared)
    if vectors is not None and (misplaced := _misplaced(stores, vectors)):
        is_shared = [name not in private for name in misplaced]
        vectors.add(misplaced, vectors.get(misplaced), shared=is_shared)
    if vectors is not None and found[Trouble.UNREACHABLE]:
        vectors.rebuild()

    def show(progress: Progress) -> None:
        steps.show(progress.done, progress.found)

    changed = [files[path] for path in found[Trouble.CHANGED]]
    report = index(stores, [], again=changed, progress=show)
    stores.repair()
    return report.without_encoder


def _set_aside(stores: Stores, file: Path) -> None:
    folder = stores.settings.data_dir / STRAYS
    folder.mkdir(exist_ok=True)
    target = folder / file.name
    number = 1
    while target.exists():
        number += 1
        target = folder / f"{file.stem}-{number}{file.suffix}"
    file.rename(target)


def _findings(stores: Stores, found: Mapping[Trouble, list[str]]) -> tuple[Finding, ...]:
    """Troubles in the order of `Trouble`; pictures are shown by a path where one is known."""
    findings = []
    for kind in Trouble:
        places = found.get(kind, [])
        if places:
            facts = stores.catalog.facts(places[:EXAMPLES])
            named = ((facts[place].path if place in facts else None) for place in places)
            examples = tuple(
                str(path or place) for place, path in zip(places[:EXAMPLES], named, strict=False)
            )
            findings.append(Finding(kind.value, len(places), examples))
    return tuple(findings)


class _Steps:
    """Counts the steps of a check, whose number grows when a repair turns out to be needed."""

    def __init__(self, progress: Callable[[int, int], None] | None) -> None:
        self._progress = progress
        self._done = self._expected = 0

    def expect(self, number: int) -> None:
        self._expected += number

    def done(self) -> None:
        self._done += 1
        self.show(self._done, self._expected)

    def show(self, done: int, expected: int) -> None:
        if self._progress:
            self._progress(done, expected)
