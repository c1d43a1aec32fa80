"""Sources of pictures. A new one is a module here, a line below and its name in `engine.config`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from engine.crawl.errors import SourceError
from engine.crawl.sources.commons import Commons
from engine.crawl.sources.flickr import Flickr
from engine.crawl.sources.freeimages import FreeImages
from engine.crawl.sources.local import Folder, UrlFile
from engine.crawl.sources.openverse import Openverse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from engine.config import Settings
    from engine.crawl.licences import LicencePolicy
    from engine.crawl.sources.source import Source

SOURCES: Mapping[str, Callable[[Settings, LicencePolicy | None], Source]] = {
    "openverse": Openverse,
    "commons": Commons,
    "flickr": Flickr,
    "freeimages": FreeImages,
}


def open_source(name: str, settings: Settings, policy: LicencePolicy | None = None) -> Source:
    """A source by its name, or by the path of a file of addresses or of a folder.

    Raises:
        SourceError: There is no such source.
    """
    if name.lower() in SOURCES:
        return SOURCES[name.lower()](settings, policy)
    path = Path(name).expanduser()
    if path.is_dir():
        return Folder(path)
    if path.is_file():
        return UrlFile(path)
    known = ", ".join(SOURCES)
    raise SourceError(
        f"No source is called {name!r}; there are {known}, files of addresses and folders.",
        key="source_unknown",
        source=name,
        known=known,
    )


def open_sources(
    settings: Settings, names: Iterable[str] = (), policy: LicencePolicy | None = None
) -> list[Source]:
    """Sources in the order to be asked: those named, else those of `CRAWL_SOURCES`.

    Raises:
        SourceError: There is no such source.
    """
    chosen = list(names) or settings.crawl_sources
    return [open_source(name, settings, policy) for name in chosen]
