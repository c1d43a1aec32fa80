"""Openverse: some hundred collections of freely licensed pictures behind one search."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.crawl.candidate import Candidate
from engine.crawl.errors import SourceError
from engine.crawl.licences import LicencePolicy, licence_named
from engine.crawl.sources.source import member, number, text, unreadable, web_address

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from engine.config import Settings
    from engine.crawl.fetch import Fetcher

PAGE_SIZE = 20
"""The most without a key; more is answered with 401."""
MAX_PAGES = 12
"""As deep as one gets without a key."""
LICENCES = ("by", "by-sa", "cc0", "pdm", "by-nc", "by-nc-sa", "by-nd", "by-nc-nd")
BURST_S = 60.0


class Openverse:
    """Searches Openverse without a key: 20 requests a minute, 200 a day.

    Args:
        settings: For `OPENVERSE_URL`.
        policy: Which licences to take.
    """

    name = "openverse"

    def __init__(self, settings: Settings, policy: LicencePolicy | None = None) -> None:
        self._address = f"{settings.openverse_url}/v1/images/"
        self._policy = policy or LicencePolicy()

    def candidates(self, topic: str, fetcher: Fetcher) -> Iterator[Candidate]:
        """As `Source.candidates`."""
        wanted = [name for name in LICENCES if self._policy.allows(licence_named(name))]
        for page in range(1, MAX_PAGES + 1):
            answer = fetcher.ask_api(
                self._address,
                {"q": topic, "page_size": PAGE_SIZE, "page": page, "license": ",".join(wanted)},
            )
            self._mind_limits(answer.headers, fetcher)
            body = answer.json()
            results = member(body, "results")
            if not isinstance(results, list):
                raise unreadable(self.name, "no list of results")
            for result in results:
                candidate = self._candidate(result)
                if candidate is not None:
                    yield candidate
            if not results or page >= (number(member(body, "page_count")) or 0):
                return
            if _available(answer.headers, "anon_sustained") == 0:
                raise SourceError(
                    "Openverse gives no more answers today.", key="source_quota", source=self.name
                )

    def _mind_limits(self, headers: Mapping[str, str], fetcher: Fetcher) -> None:
        if _available(headers, "anon_burst") == 0:
            fetcher.hold(self._address, BURST_S)

    def _candidate(self, result: Any) -> Candidate | None:  # noqa: ANN401 - JSON
        url = web_address(member(result, "url"))
        licence = licence_named(
            text(member(result, "license")) or "",
            text(member(result, "license_version")) or "",
            web_address(member(result, "license_url")),
        )
        if url is None or not self._policy.allows(licence):
            return None
        thumbnail = web_address(member(result, "thumbnail"))
        return Candidate(
            url=url,
            source=self.name,
            # Collections move; Openverse keeps a smaller copy.
            alternatives=(thumbnail,) if thumbnail else (),
            landing_page=web_address(member(result, "foreign_landing_url")),
            title=text(member(result, "title")),
            creator=text(member(result, "creator")),
            licence=licence.name if licence else None,
            licence_url=licence.url if licence else None,
            width=number(member(result, "width")),
            height=number(member(result, "height")),
        )


def _available(headers: Mapping[str, str], scope: str) -> int | None:
    """Requests left, by the answer's own word."""
    value = headers.get(f"x-ratelimit-available-{scope}", "")
    return int(value) if value.isascii() and value.isdigit() else None
