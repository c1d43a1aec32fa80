"""Off-topic pictures are told by an encoder with a text side, and only by one."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from engine.config import load_settings
from engine.crawl.crawler import Crawler
from engine.drawings.gallery import draw
from engine.encoders import encoder_from
from engine.errors import EncoderUnavailableError, NoTextSideError
from engine.library import Library
from tests.engine.crawl import web

DEMO = Path(__file__).resolve().parents[3] / "data" / "demo-encoder"


def drawn(topic, seed):
    stream = io.BytesIO()
    draw(topic, 1_000_000 + seed, 160).image.save(stream, "JPEG", quality=92)
    return stream.getvalue()


@pytest.fixture
def pages():
    topics = ("butterfly", "house", "sky", "clock")
    return {f"u/{topic}/{seed}": drawn(topic, seed) for seed in range(3) for topic in topics}


def test_pictures_of_other_things_are_refused_where_that_is_wished(tmp_path, pages):
    settings = load_settings(
        data_dir=tmp_path / "data", encoder=f"open_clip:local-dir:{DEMO}", device="cpu"
    )
    with Library.open(settings, write=True) as library:
        crawler = Crawler(library, web.Web(pages), [web.Listed(pages)])
        report = crawler.run("butterfly", on_topic_only=True)
        kept = {each.url for each in library.crawls.urls() if each.state == "fetched"}
        assert {url for url in pages if "butterfly" in url} <= kept
        assert report.counts.refused["off_topic"] >= 6
        everything = crawler.run("butterfly", category="all").counts
        assert everything.added == report.counts.refused["off_topic"]
        assert library.check().is_clean


def test_without_a_text_side_it_is_said_and_nothing_is_asked_for(settings, tiny_encoder, pages):
    for name, error in (("none", EncoderUnavailableError), (tiny_encoder, NoTextSideError)):
        internet = web.Web(pages)
        own = load_settings(data_dir=settings.data_dir / name[:4], encoder=name, device="cpu")
        with Library.open(own, write=True) as library:
            crawler = Crawler(library, internet, [web.Listed(pages)])
            with pytest.raises(error):
                crawler.run("butterfly", on_topic_only=True)
            assert library.crawls.recent() == []
        assert not internet.served
        assert encoder_from(own) is None or name != "none"
