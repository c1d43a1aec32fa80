"""What sources call licences, and which of them are taken."""

from __future__ import annotations

import pytest

from engine.crawl.licences import FLICKR, LicencePolicy, licence_named


@pytest.mark.parametrize(
    ("name", "known_as"),
    [
        ("by", "CC BY"),
        ("cc-by-sa-4.0", "CC BY-SA 4.0"),
        ("CC BY-SA 3.0 de", "CC BY-SA 3.0"),
        ("cc-by-2.0-kr", "CC BY 2.0"),
        ("CC0", "CC0 1.0"),
        ("pdm", "Public Domain Mark 1.0"),
        ("Public domain", "Public domain"),
        ("PD-old-100", "Public domain"),
    ],
)
def test_free_licences_are_known_by_every_name(name, known_as):
    licence = licence_named(name)
    assert licence.name == known_as
    assert LicencePolicy().allows(licence)


@pytest.mark.parametrize("name", ["by-nc", "cc-by-nd-4.0", "CC BY-NC-SA 2.0", "by-nc-nd"])
def test_restricted_licences_are_taken_only_when_asked_for(name):
    licence = licence_named(name, "4.0")
    assert not LicencePolicy().allows(licence)
    assert LicencePolicy(allows_noncommercial=True, allows_verbatim=True).allows(licence)


@pytest.mark.parametrize("name", ["", "GFDL", "sampling+", "nc-sampling+", "fair use", "bypass"])
def test_what_is_not_known_is_no_licence(name):
    assert licence_named(name) is None
    assert not LicencePolicy().allows(None)


def test_a_sources_own_address_of_the_text_is_kept():
    assert licence_named("by", "2.0").url == "https://creativecommons.org/licenses/by/2.0/"
    assert licence_named("by", url="https://a.example/").url == "https://a.example/"


def test_flickrs_numbers_are_judged_by_what_they_mean():
    allowed = sorted(number for number, each in FLICKR.items() if LicencePolicy().allows(each))
    assert allowed == [4, 5, 7, 8, 9, 10, 11, 12]
    everything = LicencePolicy(allows_noncommercial=True, allows_verbatim=True)
    assert not everything.allows(FLICKR[0])
