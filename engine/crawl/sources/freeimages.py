"""freeimages.com: photos from the pages of its search, read as a visitor's browser would."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import TYPE_CHECKING
from urllib.parse import quote, urljoin, urlsplit

from bs4 import BeautifulSoup

from engine.crawl.candidate import Candidate
from engine.crawl.errors import FetchError
from engine.crawl.licences import Licence, LicencePolicy
from engine.crawl.sources.source import text, web_address

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bs4 import Tag

    from engine.config import Settings
    from engine.crawl.fetch import Fetcher

PAGES_AT_ONCE = 2
"""As many as a host is asked for at once."""
MAX_PAGES = 50
LICENCE = Licence("FreeImages.com Content Licence", "https://www.freeimages.com/license")
"""Free for personal and commercial use; the source is off until somebody turns it on."""


class FreeImages:
    """Searches freeimages.com.

    Args:
        settings: For `FREEIMAGES_URL`.
        policy: Which licences to take.
    """

    name = "freeimages"

    def __init__(self, settings: Settings, policy: LicencePolicy | None = None) -> None:
        self._site = settings.freeimages_url
        self._policy = policy or LicencePolicy()

    def candidates(self, topic: str, fetcher: Fetcher) -> Iterator[Candidate]:
        """As `Source.candidates`."""
        if not self._policy.allows(LICENCE):
            return
        seen: set[str] = set()
        with ThreadPoolExecutor(PAGES_AT_ONCE, "lookalike-pages") as pool:
            for first in count(1, PAGES_AT_ONCE):
                if first > MAX_PAGES:
                    return
                numbers = range(first, first + PAGES_AT_ONCE)
                pages = [pool.submit(self._page, topic, page, fetcher) for page in numbers]
                for page in pages:
                    fresh = [each for each in page.result() if each.url not in seen]
                    if not fresh:
                        return
                    seen.update(each.url for each in fresh)
                    yield from fresh

    def _page(self, topic: str, page: int, fetcher: Fetcher) -> list[Candidate]:
        try:
            markup = fetcher.get_text(f"{self._site}/search/{quote(topic, safe='')}/{page}")
        except FetchError as error:
            if error.key == "fetch_missing":
                return []  # Past the last page, or nothing of that name.
            raise
        images = BeautifulSoup(markup, "html.parser").find_all("img")
        found = (self._candidate(image) for image in images)
        return [candidate for candidate in found if candidate is not None]

    def _candidate(self, image: Tag) -> Candidate | None:
        # The layout changes; what stays is that its own pictures, and no advertisement, lie there.
        addresses = [each for each in map(web_address, _addresses(image)) if each]
        own = list(dict.fromkeys(each for each in addresses if self._is_own(each)))
        if not own:
            return None
        own.sort(key=lambda address: "/large-previews/" not in address)
        link = image.find_parent("a", href=True)
        return Candidate(
            url=own[0],
            source=self.name,
            alternatives=tuple(own[1:]),
            landing_page=web_address(urljoin(f"{self._site}/", str(link["href"])))
            if link
            else None,
            title=text(image.get("alt")),
            licence=LICENCE.name,
            licence_url=LICENCE.url,
        )

    def _is_own(self, address: str) -> bool:
        site = urlsplit(self._site)
        hosts = {f"images.{(site.hostname or '').removeprefix('www.')}", "images.freeimages.com"}
        parts = urlsplit(address)
        return parts.hostname in hosts or (
            # A mirror, or a test, that keeps pages and pictures on one host.
            parts.netloc == site.netloc and "-previews/" in parts.path
        )


def _addresses(image: Tag) -> list[str]:
    """All addresses that an `img` has, the ones for large screens first."""
    found = [str(image.get(name) or "") for name in ("data-src", "src")]
    for name in ("data-srcset", "srcset"):
        entries = str(image.get(name) or "").split(",")
        found += [entry.split()[0] for entry in reversed(entries) if entry.split()]
    return found
