"""Sources of one's own: a file of addresses, a folder of pictures."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from engine.crawl.candidate import Candidate
from engine.crawl.errors import SourceError
from engine.crawl.sources.source import unreadable, web_address

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engine.crawl.fetch import Fetcher


class UrlFile:
    """A file of picture addresses, whose licences are its owner's business.

    Text: an address a line; empty lines and those that begin with `#` do not count. JSON:
    ``{category: {term: [address, …]}}``, of which a topic gets what stands under the term, or the
    category, of its name; or a plain list, of which it gets all, as it does of text.

    Args:
        path: The file.
    """

    name = "file"

    def __init__(self, path: Path) -> None:
        self._path = path

    def candidates(self, topic: str, fetcher: Fetcher) -> Iterator[Candidate]:  # noqa: ARG002 - as the protocol says
        """As `Source.candidates`; nothing is asked of the web."""
        try:
            content = self._path.read_text("utf-8-sig")
        except (OSError, UnicodeError) as error:
            raise _not_readable(self._path, error) from error
        if self._path.suffix.lower() == ".json":
            entries = self._of_topic(content, topic)
        else:
            lines = (line.strip() for line in content.splitlines())
            entries = [line for line in lines if not line.startswith("#")]
        for url in dict.fromkeys(filter(None, map(web_address, entries))):
            yield Candidate(url=url, source=self.name)

    def _of_topic(self, content: str, topic: str) -> list[Any]:
        try:
            body = json.loads(content)
        except (ValueError, RecursionError):
            raise unreadable(self._path.name, "it is no JSON") from None
        if isinstance(body, list):
            return body
        if not isinstance(body, dict):
            raise unreadable(self._path.name, "neither categories nor a list")
        name = topic.casefold()
        found: list[Any] = []
        for category, terms in body.items():
            if not isinstance(terms, dict):
                raise unreadable(self._path.name, f"{category} has no terms")
            for term, urls in terms.items():
                if name in {term.casefold(), category.casefold()} and isinstance(urls, list):
                    found += urls
        return found


class Folder:
    """A folder of pictures on this machine, whose licences are its owner's business.

    A topic gets what lies in the sub-folder of its name; where there is none, all. The fetcher
    must have been told of the folder (`Fetcher(folders=…)`).

    Args:
        path: The folder.
    """

    name = "folder"

    def __init__(self, path: Path) -> None:
        self._path = path.resolve()

    def candidates(self, topic: str, fetcher: Fetcher) -> Iterator[Candidate]:  # noqa: ARG002 - as the protocol says
        """As `Source.candidates`; nothing is asked of the web."""
        name = topic.casefold()
        try:
            inside = [each for each in self._path.iterdir() if each.name.casefold() == name]
        except OSError as error:
            raise _not_readable(self._path, error) from error
        root = next((each for each in inside if each.is_dir()), self._path)
        for folder, folders, files in os.walk(root):
            folders.sort()
            for file in sorted(files):
                path = root.__class__(folder) / file
                if not file.startswith(".") and path.is_file():
                    yield Candidate(url=path.as_uri(), source=self.name, title=path.stem)


def _not_readable(path: Path, error: OSError | UnicodeError) -> SourceError:
    reason = getattr(error, "strerror", None) or "it is no text"
    return SourceError(
        f"{path.name} cannot be read: {reason}.",
        key="source_unreadable",
        source=path.name,
        reason=reason,
    )
