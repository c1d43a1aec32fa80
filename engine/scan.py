"""Walking folders for picture files, with the category each stands for."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import UnknownImageError
from engine.images import EXTENSIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True, slots=True)
class Problem:
    """A file or folder that could not be used, and why, in words."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A picture file as the file system describes it."""

    path: str
    category: str
    size: int
    mtime_ns: int


@dataclass(slots=True)
class Scan:
    """Picture files under some paths, in a fixed order.

    A sub-folder directly in a given folder is a category, with all that lies beneath it; files
    lying in the given folder itself, and files given singly, have their folder's name. Hidden files
    and folders are passed over; a folder that symbolic links lead to twice is walked once.

    Args:
        paths: Folders and files.
        category: One category for everything, instead of the folders' names.
        avoid: A folder never entered from above (the library's own).
    """

    paths: Sequence[Path]
    category: str | None = None
    avoid: Path | None = None
    problems: list[Problem] = field(default_factory=list)
    """What could not be read, filled while iterating. Nothing is known about what lies beneath."""
    _seen: set[tuple[int, int]] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Make the paths absolute, so that the same file has one name.

        Raises:
            UnknownImageError: A path does not exist.
        """
        for path in self.paths:
            if not path.exists():
                raise UnknownImageError(
                    f"There is no file or folder {path}.", key="no_such_path", path=str(path)
                )
        self.paths = [path.resolve() for path in self.paths]
        self.avoid = self.avoid.resolve() if self.avoid else None

    def __iter__(self) -> Iterator[FoundFile]:
        """Find the files."""
        self._seen.clear()
        self.problems.clear()
        for path in self.paths:
            if path.is_dir():
                yield from self._walk(str(path), path.name or str(path), is_top=True)
            else:
                info = path.stat()
                category = self.category or path.parent.name
                yield FoundFile(str(path), category, info.st_size, info.st_mtime_ns)

    def covers(self, path: str) -> bool:
        """Whether this scan would have found a file of that path, did it exist.

        False beneath folders that could not be read: silence there says nothing.
        """
        if any(_is_under(path, problem.path) for problem in self.problems):
            return False
        return any(_is_under(path, str(root)) for root in self.paths)

    def _walk(self, folder: str, category: str, *, is_top: bool) -> Iterator[FoundFile]:
        folders: list[os.DirEntry[str]] = []
        for entry in self._listed(folder):
            try:
                if entry.is_dir():
                    folders.append(entry)
                elif _has_extension(entry.name) and entry.is_file():
                    info = entry.stat()
                    name = self.category or category
                    yield FoundFile(entry.path, name, info.st_size, info.st_mtime_ns)
            except OSError as error:
                self.problems.append(Problem(entry.path, error.strerror or str(error)))
        for entry in folders:
            if self.avoid is None or Path(entry.path).resolve() != self.avoid:
                yield from self._walk(entry.path, entry.name if is_top else category, is_top=False)

    def _listed(self, folder: str) -> list[os.DirEntry[str]]:
        """What lies in a folder and is to be looked at; nothing the second time."""
        try:
            info = os.stat(folder)  # noqa: PTH116 - os.scandir gives strings; making paths costs time
            if (info.st_dev, info.st_ino) in self._seen:
                return []
            self._seen.add((info.st_dev, info.st_ino))
            with os.scandir(folder) as entries:
                shown = [entry for entry in entries if not entry.name.startswith(".")]
        except OSError as error:
            self.problems.append(Problem(folder, error.strerror or str(error)))
            return []
        listed = [entry for entry in shown if _is_text(entry.name)]
        for entry in set(shown) - set(listed):
            path = entry.path.encode(errors="replace").decode()
            self.problems.append(Problem(path, "its name is not valid Unicode"))
        return sorted(listed, key=lambda entry: entry.name)


def _has_extension(name: str) -> bool:
    return name[name.rfind(".") :].lower() in EXTENSIONS


def _is_text(name: str) -> bool:
    """Whether a name can be stored and shown; other bytes reach Python as lone surrogates."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_under(path: str, root: str) -> bool:
    return path == root or path.startswith(root.rstrip(os.sep) + os.sep)
