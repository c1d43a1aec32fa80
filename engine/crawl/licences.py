"""Licences: what sources call them, and which of them allow what a library does with a picture.

A library keeps pictures, makes them smaller and shows them, to whom and for what purpose its owner
decides. So by default a picture must allow reuse for any purpose and changes to it: CC BY, BY-SA,
CC0, the public domain and the like. Licences "NC" and "ND" are refused unless asked for; so is what
says nothing of a licence. Files and folders of the admin's own are not judged.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

CC = "https://creativecommons.org"


@dataclass(frozen=True, slots=True)
class Licence:
    """A licence, by its usual name.

    Attributes:
        name: As people know it: "CC BY-SA 4.0".
        url: Its text.
        is_noncommercial: It excludes commercial use.
        is_verbatim: It excludes changed copies.
        is_free: It allows reuse at all.
    """

    name: str
    url: str | None = None
    is_noncommercial: bool = False
    is_verbatim: bool = False
    is_free: bool = True


@dataclass(frozen=True, slots=True)
class LicencePolicy:
    """Which pictures are taken; `allows_unlicensed` lets those through that name no licence."""

    allows_noncommercial: bool = False
    allows_verbatim: bool = False
    allows_unlicensed: bool = False

    def allows(self, licence: Licence | None) -> bool:
        """Whether a picture under this licence (None: not known) is taken."""
        if licence is None:
            return self.allows_unlicensed
        return (
            licence.is_free
            and (self.allows_noncommercial or not licence.is_noncommercial)
            and (self.allows_verbatim or not licence.is_verbatim)
        )


CC0 = Licence("CC0 1.0", f"{CC}/publicdomain/zero/1.0/")
PDM = Licence("Public Domain Mark 1.0", f"{CC}/publicdomain/mark/1.0/")
PUBLIC_DOMAIN = Licence("Public domain")
NO_KNOWN_RESTRICTIONS = Licence(
    "No known copyright restrictions", "https://www.flickr.com/commons/usage/"
)
US_GOVERNMENT = Licence("United States Government work", "https://www.usa.gov/government-copyright")
RESERVED = Licence("All rights reserved", is_free=False)

_CC = re.compile(
    r"^(?:cc[ -])?(?P<terms>by(?:-(?:nc|nd|sa))*)(?:[ -](?P<version>\d\.\d))?(?:[ -][a-z]{2,})?$"
)
_KNOWN = {
    "cc0": CC0,
    "cc-zero": CC0,
    "cc0 1.0": CC0,
    "pdm": PDM,
    "pd": PUBLIC_DOMAIN,
    "public domain": PUBLIC_DOMAIN,
    "no restrictions": NO_KNOWN_RESTRICTIONS,
}
FLICKR = {
    0: RESERVED,
    7: NO_KNOWN_RESTRICTIONS,
    8: US_GOVERNMENT,
    9: CC0,
    10: PDM,
}
_FLICKR_CC = (
    *((1, "by-nc-sa"), (2, "by-nc"), (3, "by-nc-nd"), (4, "by"), (5, "by-sa"), (6, "by-nd")),
    *((11, "by"), (12, "by-sa"), (13, "by-nd"), (14, "by-nc"), (15, "by-nc-sa"), (16, "by-nc-nd")),
)


def creative_commons(terms: str, version: str) -> Licence:
    """A Creative Commons licence by its terms ("by-nc-sa") and version ("4.0")."""
    parts = terms.split("-")
    return Licence(
        f"CC {terms.upper()} {version}".rstrip(),
        f"{CC}/licenses/{terms}/{version}/" if version else None,
        is_noncommercial="nc" in parts,
        is_verbatim="nd" in parts,
    )


FLICKR.update(
    (number, creative_commons(terms, "2.0" if number < 11 else "4.0"))
    for number, terms in _FLICKR_CC
)
"""By the numbers that Flickr gives them."""


def licence_named(name: str, version: str = "", url: str | None = None) -> Licence | None:
    """The licence that a source names ("by-sa", "cc-by-4.0", "CC BY-SA 4.0"); None when unknown.

    Args:
        name: As the source writes it.
        version: Where the source gives it apart.
        url: Where the source has its text.
    """
    key = " ".join(name.lower().split())
    found = _KNOWN.get(key) or (PUBLIC_DOMAIN if key.startswith("pd-") else None)
    if found is None and (match := _CC.match(key)):
        found = creative_commons(match["terms"], match["version"] or version)
    if found is None or not url:
        return found
    return Licence(
        found.name,
        url,
        is_noncommercial=found.is_noncommercial,
        is_verbatim=found.is_verbatim,
        is_free=found.is_free,
    )
