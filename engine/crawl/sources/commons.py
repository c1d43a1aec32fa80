"""Wikimedia Commons: the pictures of Wikipedia and its sisters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bs4 import BeautifulSoup

from engine.crawl.candidate import Candidate
from engine.crawl.errors import SourceError
from engine.crawl.licences import LicencePolicy, licence_named
from engine.crawl.sources.source import member, number, text, unreadable, web_address

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.config import Settings
    from engine.crawl.fetch import Fetcher
    from engine.crawl.licences import Licence

WIDTH = 960
"""Only certain widths are served; this is one."""
PHOTOS = frozenset({"image/jpeg", "image/png", "image/webp", "image/tiff"})


class Commons:
    """Searches Wikimedia Commons for photos.

    Args:
        settings: For `COMMONS_URL`.
        policy: Which licences to take.
    """

    name = "commons"

    def __init__(self, settings: Settings, policy: LicencePolicy | None = None) -> None:
        self._address = f"{settings.commons_url}/w/api.php"
        self._policy = policy or LicencePolicy()

    def candidates(self, topic: str, fetcher: Fetcher) -> Iterator[Candidate]:
        """As `Source.candidates`."""
        query: dict[str, str | int] = {
            "action": "query",
            "format": "json",
            "generator": "search",
            "gsrnamespace": 6,
            "gsrsearch": f"filetype:bitmap {topic}",
            "gsrlimit": 50,
            "prop": "imageinfo",
            "iiprop": "url|size|mime|mediatype|user|extmetadata",
            "iiurlwidth": WIDTH,
        }
        onward: dict[str, str | int] = {}
        while True:
            body = fetcher.get_json(self._address, query | onward)
            if not isinstance(body, dict):
                raise unreadable(self.name, "no object")
            if "error" in body:
                reason = text(member(body, "error", "info")) or "an error without words"
                raise SourceError(
                    f"Commons refuses: {reason}",
                    key="source_refused",
                    source=self.name,
                    reason=reason,
                )
            for page in self._pages(body):
                candidate = self._candidate(page)
                if candidate is not None:
                    yield candidate
            following = body.get("continue")
            if not isinstance(following, dict) or following == onward:
                return
            onward = following

    def _pages(self, body: dict[str, Any]) -> list[Any]:
        pages = member(body, "query", "pages")
        if pages is None:
            return []  # A search without results has no "query".
        if isinstance(pages, dict):
            pages = list(pages.values())
        if not isinstance(pages, list):
            raise unreadable(self.name, "no pages")
        return sorted(pages, key=lambda page: number(member(page, "index")) or 10**9)

    def _candidate(self, page: Any) -> Candidate | None:  # noqa: ANN401 - JSON
        infos = member(page, "imageinfo")
        info = infos[0] if isinstance(infos, list) and infos else None
        # Drawings, maps and scans of documents are found by words too.
        if member(info, "mediatype") != "BITMAP" or member(info, "mime") not in PHOTOS:
            return None
        url = web_address(member(info, "thumburl"))
        licence = _licence(info)
        if url is None or not self._policy.allows(licence):
            return None
        title = text(member(page, "title"))
        return Candidate(
            url=url,
            source=self.name,
            landing_page=web_address(member(info, "descriptionurl")),
            title=title.removeprefix("File:").rpartition(".")[0] if title else None,
            creator=_plain(_fact(info, "Artist")) or text(member(info, "user")),
            licence=licence.name if licence else None,
            licence_url=licence.url if licence else None,
            width=number(member(info, "thumbwidth")),
            height=number(member(info, "thumbheight")),
        )


def _fact(info: Any, name: str) -> str:  # noqa: ANN401 - JSON
    return text(member(info, "extmetadata", name, "value")) or ""


def _licence(info: Any) -> Licence | None:  # noqa: ANN401 - JSON
    url = web_address(_fact(info, "LicenseUrl"))
    for name in ("License", "LicenseShortName"):
        found = licence_named(_fact(info, name), url=url)
        if found is not None:
            return found
    return None


def _plain(markup: str) -> str | None:
    return text(BeautifulSoup(markup, "html.parser").get_text(" ")) if markup else None
