"""Each source against what it really answers, served on loopback."""

from __future__ import annotations

import json
from dataclasses import asdict
from itertools import islice
from urllib.parse import parse_qs

import pytest

from engine.config import SOURCES as NAMES
from engine.config import load_settings
from engine.crawl.candidate import Candidate
from engine.crawl.errors import FetchError, SourceError
from engine.crawl.fetch import Fetcher
from engine.crawl.licences import LicencePolicy
from engine.crawl.sources import SOURCES, open_source, open_sources
from engine.crawl.sources.flickr import ladder
from tests.engine.crawl.hosts import serving

ALL = LicencePolicy(allows_noncommercial=True, allows_verbatim=True, allows_unlicensed=True)


@pytest.fixture
def host():
    with serving() as web:
        yield web


@pytest.fixture
def settings_for(host):
    def make(**overrides):
        bases = ("openverse", "commons", "flickr", "flickr_api", "freeimages")
        addresses = {f"{base}_url": host.url for base in bases}
        return load_settings(
            **{"crawl_delay": 0, "crawl_allow": (host.pair,), "_env_file": None}
            | addresses
            | overrides
        )

    return make


@pytest.fixture
def fetcher(settings_for):
    made = Fetcher(settings_for(), backoff_s=0.01, attempts=2)
    yield made
    made.close()


@pytest.fixture
def ask(settings_for, fetcher):
    def candidates(name, topic="tiger", *, policy=None, limit=None, **overrides):
        source = open_source(name, settings_for(**overrides), policy)
        return list(islice(source.candidates(topic, fetcher), limit))

    return candidates


@pytest.fixture
def fixture(shared_data):
    return lambda name: (shared_data / "fixtures" / name).read_text("utf-8")


def page(body, headers=None):
    text = body if isinstance(body, str) else json.dumps(body)
    return (200, headers or {}, text.encode())


def query(request):
    return {key: values[0] for key, values in parse_qs(request.query).items()}


# --- Openverse ---------------------------------------------------------------------------------

OPENVERSE = "/v1/images/"


def openverse_result(number, licence="by", **facts):
    return {
        "url": f"https://pictures.example/{number}.jpg",
        "license": licence,
        "license_version": "2.0",
    } | facts


def openverse_page(number, pages, results=None):
    found = [openverse_result(number)] if results is None else results
    return {"page": number, "page_count": pages, "results": found}


def test_openverse_says_all_that_a_caption_needs(host, ask, fixture):
    host.pages[OPENVERSE] = page(json.loads(fixture("openverse_search.json")) | {"page_count": 1})
    first, second = ask("openverse")
    assert first == Candidate(
        url="https://cdn.stocksnap.io/img-thumbs/960w/XNVBVXO3B7.jpg",
        source="openverse",
        alternatives=(
            "https://api.openverse.org/v1/images/4bc43a04-ef46-4544-a0c1-63c63f56e276/thumb/",
        ),
        landing_page="https://stocksnap.io/photo/XNVBVXO3B7",
        title="Tree Bark Photo",
        creator="Tim Sullivan",
        licence="CC0 1.0",
        licence_url="https://creativecommons.org/publicdomain/zero/1.0/",
        width=6016,
        height=4016,
    )
    assert (second.licence, second.width) == ("CC BY 2.0", None)
    asked = query(host.requests[0])
    assert asked == {
        "q": "tiger",
        "page_size": "20",
        "page": "1",
        "license": "by,by-sa,cc0,pdm",
    }


def test_openverse_pages_are_asked_for_only_when_needed(host, ask):
    host.pages[OPENVERSE] = [page(openverse_page(number, 3)) for number in (1, 2, 3)]
    assert len(ask("openverse", limit=2)) == 2
    assert [query(request)["page"] for request in host.requests] == ["1", "2"]


def test_openverse_ends_with_its_last_page_and_at_the_depth_it_allows(host, ask):
    host.pages[OPENVERSE] = [page(openverse_page(number, 2)) for number in (1, 2)]
    assert len(ask("openverse")) == 2
    host.requests.clear()
    host.pages[OPENVERSE] = page(openverse_page(1, 900))
    ask("openverse")
    assert len(host.requests) == 12


def test_openverse_without_results_is_no_error(host, ask):
    host.pages[OPENVERSE] = page({"result_count": 0, "page_count": 0, "results": []})
    assert ask("openverse") == []


def test_openverse_licences_are_checked_whatever_it_answers(host, ask):
    results = [
        openverse_result(number, licence)
        for number, licence in enumerate(["by", "by-nc", "by-nd", "sampling+", "by-sa", None, 7])
    ]
    host.pages[OPENVERSE] = page(openverse_page(1, 1, results))
    assert [each.licence for each in ask("openverse")] == ["CC BY 2.0", "CC BY-SA 2.0"]
    assert len(ask("openverse", policy=ALL)) == 7


def test_openverse_results_that_make_no_sense_are_passed_over(host, ask):
    odd = [None, 3, [], {}, openverse_result(1, url="javascript:x"), openverse_result(1, url=None)]
    odd += [openverse_result(1, url="http://[", title=[1]), openverse_result(2, width="no")]
    host.pages[OPENVERSE] = page(openverse_page(1, 1, odd))
    assert [each.url for each in ask("openverse")] == ["https://pictures.example/2.jpg"]


def test_openverse_is_left_alone_when_its_minute_or_day_is_used_up(host, settings_for):
    waits = []

    class Noting(Fetcher):
        def hold(self, url, seconds):
            waits.append(seconds)

    host.pages[OPENVERSE] = [
        page(openverse_page(1, 9), {"X-RateLimit-Available-anon_burst": "0"}),
        page(openverse_page(2, 9), {"X-RateLimit-Available-anon_sustained": "0"}),
    ]
    settings = settings_for()
    found = open_source("openverse", settings).candidates("tiger", Noting(settings))
    assert len(list(islice(found, 2))) == 2
    assert waits == [60.0]
    with pytest.raises(SourceError) as caught:
        next(found)
    assert caught.value.key == "source_quota"


@pytest.mark.parametrize(
    ("answer", "key"),
    [
        (page("<html>"), "fetch_malformed"),
        (page([1]), "source_unreadable"),
        (page({"results": {}}), "source_unreadable"),
        ((401, {}, b""), "fetch_forbidden"),
        ((429, {}, b""), "fetch_busy"),
        ((500, {}, b""), "fetch_server"),
    ],
)
def test_openverse_failures_are_named(host, ask, answer, key):
    host.pages[OPENVERSE] = answer
    with pytest.raises((SourceError, FetchError)) as caught:
        ask("openverse")
    assert caught.value.key == key


def test_openverses_refusal_of_a_request_is_not_repeated(host, ask, fixture):
    host.pages[OPENVERSE] = (400, {}, fixture("openverse_error_400.json").encode())
    with pytest.raises(FetchError) as caught:
        ask("openverse")
    assert (caught.value.status, len(host.requests)) == (400, 1)


# --- Wikimedia Commons -------------------------------------------------------------------------

COMMONS = "/w/api.php"


def test_commons_gives_photos_in_the_size_it_serves_and_no_drawings(host, ask, fixture):
    body = json.loads(fixture("commons_search.json"))
    host.pages[COMMONS] = [page(body), page({"batchcomplete": ""})]
    (only,) = ask("commons")
    name = "20120925_PlozevetBretagne_LoneTree_DSC07971_PtrQs.jpg"
    upload = "https://upload.wikimedia.org/wikipedia/commons"
    assert only == Candidate(
        url=f"{upload}/thumb/2/25/{name}/960px-{name}",
        source="commons",
        landing_page=f"https://commons.wikimedia.org/wiki/File:{name}",
        title="20120925 PlozevetBretagne LoneTree DSC07971 PtrQs",
        creator="PtrQs",
        licence="CC BY-SA 4.0",
        licence_url="https://creativecommons.org/licenses/by-sa/4.0",
        width=960,
        height=540,
    )
    first, second = map(query, host.requests)
    assert first["gsrsearch"] == "filetype:bitmap tiger"
    assert "gsroffset" not in first
    # The whole "continue" object goes into the next request.
    assert (second["gsroffset"], second["continue"]) == ("50", "gsroffset||")


def test_commons_results_come_in_the_order_of_the_search(host, ask, fixture):
    model = json.loads(fixture("commons_search.json"))["query"]["pages"]["81754323"]
    pages = {str(9 - n): model | {"index": n, "title": f"File:{n}.jpg"} for n in (3, 1, 2)}
    host.pages[COMMONS] = page({"query": {"pages": pages}})
    assert [each.title for each in ask("commons")] == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("answer", "key"),
    [
        (
            {"error": {"code": "ratelimited", "info": "You've exceeded your limit"}},
            "source_refused",
        ),
        ([], "source_unreadable"),
        ({"query": {"pages": "none"}}, "source_unreadable"),
        ("<html>", "fetch_malformed"),
    ],
)
def test_commons_failures_are_named(host, ask, answer, key):
    host.pages[COMMONS] = page(answer)
    with pytest.raises((SourceError, FetchError)) as caught:
        ask("commons")
    assert caught.value.key == key


# --- Flickr ------------------------------------------------------------------------------------


def test_flickrs_api_gives_what_is_licensed_with_its_ladder(host, ask, fixture):
    body = json.loads(fixture("flickr_search.json"))
    body["photos"]["pages"] = 1
    host.pages["/services/rest/"] = page(body)
    (only,) = ask("flickr", flickr_api_key="secret")
    stem = "https://live.staticflickr.com/65535/52061347331_e421761d33"
    assert only == Candidate(
        url=f"{stem}_b.jpg",
        source="flickr",
        alternatives=(f"{stem}_c.jpg", f"{stem}_z.jpg", f"{stem}.jpg"),
        landing_page=f"{host.url}/photos/89214582@N00/52061347331/",
        title="Pennsylvania Porcupine",
        creator="Rob Vaughn",
        licence="CC BY 2.0",
        licence_url="https://creativecommons.org/licenses/by/2.0/",
        width=1024,
        height=768,
    )
    asked = query(host.requests[0])
    assert asked["license"] == "4,5,7,8,9,10,11,12"
    assert asked["api_key"] == "secret"


def test_a_small_original_has_no_larger_sizes(host, ask, fixture):
    host.pages["/services/rest/"] = page(
        json.loads(fixture("flickr_search.json"))["photos"] | {"stat": "ok"}
    )
    with pytest.raises(SourceError):
        ask("flickr", flickr_api_key="secret")
    body = json.loads(fixture("flickr_search.json"))
    body["photos"]["photo"][1]["license"] = "9"
    body["photos"]["pages"] = 1
    host.pages["/services/rest/"] = page(body)
    small = ask("flickr", flickr_api_key="secret")[1]
    assert small.url == "https://live.staticflickr.com/2258/2264029202_a8f87bced2.jpg"
    assert (small.alternatives, small.width) == ((), None)


def test_a_wrong_key_is_said_to_be_wrong(host, ask):
    host.pages["/services/rest/"] = page(
        {"stat": "fail", "code": 100, "message": "Invalid API Key (Key has invalid format)"}
    )
    with pytest.raises(SourceError, match="Invalid API Key") as caught:
        ask("flickr", flickr_api_key="secret")
    assert caught.value.key == "source_refused"
    assert "secret" not in str(caught.value)


def test_without_a_key_the_search_page_is_read(host, ask, fixture):
    host.pages["/search/"] = page(fixture("flickr_search_page.html"))
    (only,) = ask("flickr")
    stem = "https://live.staticflickr.com/2258/2264029202_a8f87bced2"
    assert (only.url, only.alternatives[-1]) == (f"{stem}_b.jpg", f"{stem}.jpg")
    assert (only.licence, only.creator) == ("CC BY-SA 2.0", "osde8info")
    assert only.landing_page == f"{host.url}/photos/8764442@N07/2264029202/"
    # A second page that brings nothing new is the last.
    assert [query(request)["page"] for request in host.asked("/search/")] == ["1", "2"]


def test_sizes_with_a_secret_of_their_own_do_not_hide_the_ladder(host, ask, fixture):
    larger = r'"k":{"data":{"url":"\/\/live.staticflickr.com\/2258\/2264029202_0a1b2c3d4e_k.jpg"}}'
    end = '},"exportMetaType":"pojo"},"id":"2264029202"'
    markup = fixture("flickr_search_page.html").replace(end, f", {larger}{end}")
    assert "0a1b2c3d4e_k" in markup
    host.pages["/search/"] = page(markup)
    stem = "https://live.staticflickr.com/2258/2264029202_a8f87bced2"
    (only,) = ask("flickr")
    assert (only.url, only.alternatives[-1]) == (f"{stem}_b.jpg", f"{stem}.jpg")


def test_the_feed_names_no_licences_and_is_asked_only_when_none_is_needed(host, ask, fixture):
    host.pages["/search/"] = page("modelExport: {}")
    host.pages["/services/feeds/photos_public.gne"] = page(fixture("flickr_feed.json"))
    assert ask("flickr") == []
    assert not host.asked("/services/feeds/photos_public.gne")
    first, second = ask("flickr", policy=ALL)
    assert first.url.endswith("52061347331_e421761d33_b.jpg")
    assert first.alternatives[0].endswith("_c.jpg")
    assert (first.creator, second.title) == ("Rob Vaughn", "IMG_5887 Porc-épic, Roberval")


@pytest.mark.parametrize("markup", ["<html></html>", 'modelExport: {"legend": [1, 2'])
def test_a_search_page_without_its_photos_is_an_error(host, ask, markup):
    host.pages["/search/"] = page(markup)
    with pytest.raises(SourceError) as caught:
        ask("flickr")
    assert caught.value.key == "source_unreadable"


def test_pages_that_robots_forbids_are_not_read(host, ask, fixture):
    host.pages["/robots.txt"] = page("User-agent: *\nDisallow: /search")
    host.pages["/search/"] = page(fixture("flickr_search_page.html"))
    for name in ("flickr", "freeimages"):
        with pytest.raises(FetchError) as caught:
            ask(name)
        assert caught.value.key == "fetch_robots"
    assert not host.without_robots()


def test_the_ladder_has_only_sizes_that_share_a_secret():
    stem = "https://live.staticflickr.com/1/22_ab"
    rungs = tuple(f"{stem}{size}.jpg" for size in ("_b", "_c", "_z", ""))
    assert all(ladder(f"{stem}{size}.jpg") == rungs for size in ("", "_m", "_n", "_w", "_q"))
    assert ladder(f"{stem}_m.jpg", 700) == rungs[2:]
    large = "https://live.staticflickr.com/1/22_cd_h.jpg"
    assert ladder(large) == (large,)
    assert ladder("https://other.example/a.jpg") == ("https://other.example/a.jpg",)


# --- freeimages --------------------------------------------------------------------------------


def test_freeimages_takes_its_own_pictures_and_no_advertisement(host, ask, fixture):
    host.pages["/search/tiger/1"] = page(fixture("freeimages_search_page.html"))
    found = ask("freeimages")
    large = "https://images.freeimages.com/images/large-previews"
    assert [each.url for each in found] == [
        f"{large}/c31/tiger-1365411.jpg",
        f"{large}/9b0/tiger-1512300.jpg?fmt=webp",
        f"{large}/aaa/tiger-1.jpg",
    ]
    assert found[0].alternatives == (
        "https://images.freeimages.com/images/small-previews/c31/tiger-1365411.jpg",
    )
    assert found[0].landing_page == f"{host.url}/photo/tiger-1365411"
    assert (found[1].title, found[1].licence_url) == (
        "Tiger resting",
        "https://www.freeimages.com/license",
    )


def test_freeimages_asks_for_several_pages_at_once_and_keeps_their_order(host, ask):
    host.latency_s = 0.05
    for number in (1, 2, 3):
        image = f"https://images.freeimages.com/large-previews/{number}.jpg"
        host.pages[f"/search/red%20car/{number}"] = page(f'<img src="{image}">')
    found = ask("freeimages", "red car")
    assert [each.url[-5] for each in found] == ["1", "2", "3"]
    assert host.most_at_once() == 2
    assert len(host.without_robots()) == 4


def test_freeimages_without_results_is_no_error(host, ask):
    assert ask("freeimages", "../../x y?") == []
    assert host.without_robots()[0].path.startswith("/search/..%2F..%2Fx%20y%3F/")


# --- one's own ---------------------------------------------------------------------------------


def test_a_text_file_gives_its_addresses_once_each(ask, tmp_path):
    file = tmp_path / "urls.txt"
    file.write_text(
        "# mine\n\nhttps://a.example/1.jpg\n https://a.example/2.jpg \nno address\n"
        "https://a.example/1.jpg\nfile:///etc/passwd\n",
        "utf-8",
    )
    assert [each.url[-5] for each in ask(str(file))] == ["1", "2"]


def test_json_gives_what_stands_under_the_term_or_its_category(ask, tmp_path):
    file = tmp_path / "urls.json"
    urls = [f"https://a.example/{number}.jpg" for number in range(4)]
    file.write_text(json.dumps({"animal": {"Tiger": urls[:2], "lion": urls[2:3]}, "x": {}}))
    assert [each.url for each in ask(str(file))] == urls[:2]
    assert [each.url for each in ask(str(file), "animal")] == urls[:3]
    assert ask(str(file), "car") == []
    file.write_text(json.dumps(urls))
    assert [each.url for each in ask(str(file))] == urls


@pytest.mark.parametrize("content", [b"{", b'{"a": []}', b"3", b"\xff\xfe\xff"])
def test_a_file_that_cannot_be_read_is_named(ask, tmp_path, content):
    file = tmp_path / "urls.json"
    file.write_bytes(content)
    with pytest.raises(SourceError, match=r"urls\.json"):
        ask(str(file))


def test_a_folder_gives_the_sub_folder_of_the_topic_or_all(settings_for, tmp_path):
    for name in ("tiger/b.jpg", "Tiger/a.jpg", "lion/c é.jpg", ".hidden.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    settings = settings_for()
    source = open_source(str(tmp_path), settings)
    fetcher = Fetcher(settings, folders=[tmp_path])
    (lion,) = source.candidates("lion", fetcher)
    assert (lion.title, fetcher.get_image(lion.url)) == ("c é", "lion/c é.jpg".encode())
    assert [each.title for each in source.candidates("car", fetcher)] == ["a", "c é", "b"]


# --- all of them -------------------------------------------------------------------------------


def test_the_table_and_the_settings_name_the_same_sources():
    assert tuple(SOURCES) == NAMES


def test_sources_are_asked_in_the_order_of_the_settings(settings_for):
    settings = settings_for(crawl_sources=("flickr", "commons"))
    assert [each.name for each in open_sources(settings)] == ["flickr", "commons"]
    assert [each.name for each in open_sources(settings, ["Openverse"])] == ["openverse"]
    with pytest.raises(SourceError, match="'nowhere'"):
        open_sources(settings, ["nowhere"])


def test_a_candidate_survives_json():
    candidate = Candidate("https://a.example/1.jpg", "x", alternatives=("https://a.example/2.jpg",))
    assert Candidate(**json.loads(json.dumps(asdict(candidate)))) == candidate
