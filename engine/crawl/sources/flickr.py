"""Flickr: its API with a key; without one its search page, and its feed of what is new."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from engine.crawl.candidate import Candidate
from engine.crawl.errors import SourceError
from engine.crawl.licences import FLICKR, LicencePolicy
from engine.crawl.sources.source import member, number, text, unreadable, web_address

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.config import Settings
    from engine.crawl.fetch import Fetcher

MAX_PAGES = 40
"""Flickr gives the first 4,000 results of a search and then repeats itself."""
PER_PAGE = 100
RUNGS = (("_b", 1024), ("_c", 800), ("_z", 640), ("", 500))
"""Size suffixes and longest sides in pixels; larger sizes have secrets of their own."""

_PHOTO = re.compile(r"^(?P<stem>.*/\d+_[0-9a-f]+)(?:_[sqtmnwzcb])?\.(?P<kind>jpg|png|gif)$")
"""A photo in one of the sizes that share a secret."""
_CREATOR = re.compile(r'\("(.*)"\)$')
_MODEL = "modelExport:"


def ladder(url: str, longest: int | None = None) -> tuple[str, ...]:
    """Addresses of a photo from large to small, made from that of any one size.

    Args:
        url: Of a size up to `_b`.
        longest: Longest side of the original in pixels, where known: what is larger is left out.
    """
    match = _PHOTO.match(url)
    if match is None:
        return (url,)
    return tuple(
        f"{match['stem']}{suffix}.{match['kind']}"
        for suffix, side in RUNGS
        if longest is None or side <= longest or not suffix
    )


class Flickr:
    """Searches Flickr.

    The feed names no licences; it is only asked where the policy lets such pictures through.

    Args:
        settings: For `FLICKR_URL`, `FLICKR_API_URL` and `FLICKR_API_KEY`.
        policy: Which licences to take.
    """

    name = "flickr"

    def __init__(self, settings: Settings, policy: LicencePolicy | None = None) -> None:
        self._site = settings.flickr_url
        self._api = f"{settings.flickr_api_url}/services/rest/"
        self._key = settings.flickr_api_key
        self._policy = policy or LicencePolicy()

    def candidates(self, topic: str, fetcher: Fetcher) -> Iterator[Candidate]:
        """As `Source.candidates`."""
        if self._key is not None:
            yield from self._by_api(topic, fetcher, self._key.get_secret_value())
            return
        yield from self._by_page(topic, fetcher)
        if self._policy.allows(None):
            yield from self._by_feed(topic, fetcher)

    def _by_api(self, topic: str, fetcher: Fetcher, key: str) -> Iterator[Candidate]:
        wanted = [str(number) for number, each in FLICKR.items() if self._policy.allows(each)]
        for page in range(1, MAX_PAGES + 1):
            body = fetcher.get_json(
                self._api,
                {
                    "method": "flickr.photos.search",
                    "api_key": key,
                    "format": "json",
                    "nojsoncallback": 1,
                    "text": topic,
                    "sort": "relevance",
                    "content_types": 0,
                    "media": "photos",
                    "license": ",".join(sorted(wanted, key=int)),
                    "extras": "license,owner_name,o_dims,url_l,url_c,url_z,url_m",
                    "per_page": PER_PAGE,
                    "page": page,
                },
            )
            if member(body, "stat") != "ok":
                reason = text(member(body, "message")) or "an error without words"
                raise SourceError(
                    f"Flickr refuses: {reason}",
                    key="source_refused",
                    source=self.name,
                    reason=reason,
                )
            photos = member(body, "photos", "photo")
            if not isinstance(photos, list):
                raise unreadable(self.name, "no list of photos")
            for photo in photos:
                sizes = [member(photo, f"url_{size}") for size in "lczm"]
                known = next(filter(None, map(web_address, sizes)), None)
                address = known or _built(photo)
                sides = [number(member(photo, f"o_{side}")) for side in ("width", "height")]
                if address is not None:
                    yield from self._candidate(
                        photo,
                        ladder(address, max(side or 0 for side in sides) or None),
                        creator=member(photo, "ownername"),
                        owner=member(photo, "owner"),
                        large=photo if sizes[0] else None,
                    )
            if not photos or page >= (number(member(body, "photos", "pages")) or 0):
                return

    def _by_page(self, topic: str, fetcher: Fetcher) -> Iterator[Candidate]:
        seen: set[str] = set()
        for page in range(1, MAX_PAGES + 1):
            markup = fetcher.get_text(f"{self._site}/search/", {"text": topic, "page": page})
            photos = {str(photo.get("id")): photo for photo in _exported(markup)}
            if not photos.keys() - seen:
                return
            for key, photo in photos.items():
                if key in seen:
                    continue
                sizes = member(photo, "sizes", "data")
                known = [member(size, "data", "url") for size in _values(sizes)]
                addresses = list(filter(None, map(web_address, known)))
                # Sizes beyond `_b` have secrets of their own, and lead to no other.
                shared = [address for address in addresses if _PHOTO.match(address)]
                if addresses:
                    yield from self._candidate(
                        photo,
                        ladder((shared or addresses)[-1]),
                        creator=member(photo, "username"),
                        owner=member(photo, "ownerNsid"),
                    )
            seen |= photos.keys()

    def _by_feed(self, topic: str, fetcher: Fetcher) -> Iterator[Candidate]:
        body = fetcher.get_json(
            f"{self._site}/services/feeds/photos_public.gne",
            {
                "format": "json",
                "nojsoncallback": 1,
                "tags": ",".join(topic.split()),
                "tagmode": "all",
            },
        )
        items = member(body, "items")
        if not isinstance(items, list):
            raise unreadable(self.name, "no list of items")
        for item in items:
            address = web_address(member(item, "media", "m"))
            creator = _CREATOR.search(text(member(item, "author")) or "")
            if address is not None:
                rungs = ladder(address)
                yield Candidate(
                    url=rungs[0],
                    source=self.name,
                    alternatives=rungs[1:],
                    landing_page=web_address(member(item, "link")),
                    title=text(member(item, "title")),
                    creator=creator[1] if creator else None,
                )

    def _candidate(
        self,
        photo: Any,  # noqa: ANN401 - JSON
        rungs: tuple[str, ...],
        *,
        creator: object,
        owner: object,
        large: object = None,
    ) -> Iterator[Candidate]:
        """The photo, if its licence is one to take."""
        licence = FLICKR.get(_whole(member(photo, "license")))
        if not self._policy.allows(licence):
            return
        key = text(member(photo, "id"))
        person = text(owner)
        yield Candidate(
            url=rungs[0],
            source=self.name,
            alternatives=rungs[1:],
            landing_page=f"{self._site}/photos/{person}/{key}/" if person and key else None,
            title=text(member(photo, "title")),
            creator=text(creator),
            licence=licence.name if licence else None,
            licence_url=licence.url if licence else None,
            width=number(member(large, "width_l")),
            height=number(member(large, "height_l")),
        )


def _built(photo: Any) -> str | None:  # noqa: ANN401 - JSON
    """A photo's address from its parts, as Flickr documents it."""
    server, key, secret = (text(member(photo, part)) for part in ("server", "id", "secret"))
    if server is None or key is None or secret is None:
        return None
    return f"https://live.staticflickr.com/{server}/{key}_{secret}.jpg"


def _exported(markup: str) -> list[dict[str, Any]]:
    """The photos in the JSON that the search page carries for its own script.

    Raises:
        SourceError: There is no such JSON.
    """
    start = markup.find(_MODEL)
    if start < 0:
        raise unreadable("flickr", "its search page carries no photos")
    try:
        model, _ = json.JSONDecoder().raw_decode(markup[start + len(_MODEL) :].lstrip())
    except (ValueError, RecursionError):
        raise unreadable("flickr", "the photos of its search page are torn") from None
    lists = member(model, "main", "search-photos-lite-models")
    photos: list[dict[str, Any]] = []
    for each in lists if isinstance(lists, list) else []:
        entries = member(each, "data", "photos", "data", "_data")
        for entry in entries if isinstance(entries, list) else []:
            photo = member(entry, "data")
            if isinstance(photo, dict):
                photos.append(photo)
    return photos


def _values(mapping: object) -> list[Any]:
    return list(mapping.values()) if isinstance(mapping, dict) else []


def _whole(value: object) -> int:
    """A licence's number, also one written as text; -1 for none."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    return value if isinstance(value, int) else -1
