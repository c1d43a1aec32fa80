"""Settings: what is refused, and that the name of the bad one is said."""

from __future__ import annotations

import pytest

from engine.config import load_settings
from engine.errors import SettingsError


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("crawl_delay", "-1"),
        ("crawl_delay", "inf"),
        ("crawl_delay", "nan"),
        ("crawl_allow", "127.0.0.1"),
        ("crawl_allow", "127.0.0.1:80,http://host:80"),
        ("crawl_allow", "::1:80"),
        ("crawl_contact", "me\r\nX-Evil: 1"),
        ("crawl_contact", "me) (you"),
        ("crawl_sources", "openverse,nowhere"),
        ("openverse_url", "openverse.org"),
    ],
)
def test_a_bad_crawl_setting_is_named(name, value):
    with pytest.raises(SettingsError, match=name.upper()):
        load_settings(**{name: value}, _env_file=None)


def test_pairs_may_be_names_and_addresses_of_both_kinds():
    settings = load_settings(crawl_allow="host:80, 127.0.0.1:8080,[::1]:81", _env_file=None)
    assert settings.crawl_allow == ("host:80", "127.0.0.1:8080", "[::1]:81")
