"""`crawl` and `export` as people run them, against a site on loopback."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pytest_httpserver import HTTPServer

from engine.cli.application import new_application, run


def draw(path, seed, size=(160, 120)):
    coarse = np.random.default_rng(seed).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(coarse).resize(size, Image.Resampling.NEAREST).save(path)
    return path


@pytest.fixture
def site(tmp_path):
    """A site with five good pictures, and three of which nothing comes."""
    with HTTPServer(threaded=True) as server:
        for number in range(5):
            data = draw(tmp_path / "site" / f"{number}.jpg", number).read_bytes()
            server.expect_request(f"/{number}.jpg").respond_with_data(data)
        tiny = draw(tmp_path / "site" / "tiny.png", 9, (20, 20)).read_bytes()
        server.expect_request("/tiny.png").respond_with_data(tiny)
        server.expect_request("/page.jpg").respond_with_data("<html>gone")
        server.expect_request("/forbidden.jpg").respond_with_data(status=403)
        server.expect_request("/robots.txt").respond_with_data(status=404)
        yield server


@pytest.fixture
def cli(tmp_path, monkeypatch, capsys, site):
    environment = {
        "DATA_DIR": str(tmp_path / "data"),
        "ENCODER": "none",
        "CRAWL_DELAY": "0",
        "CRAWL_ALLOW": f"{site.host}:{site.port}",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        code = run(new_application(), [str(each) for each in arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return call


@pytest.fixture
def addresses(tmp_path, site):
    names = ["0.jpg", "tiny.png", "1.jpg", "page.jpg", "2.jpg", "forbidden.jpg", "3.jpg", "4.jpg"]
    path = tmp_path / "urls.txt"
    path.write_text("".join(f"{site.url_for('/' + name)}\n" for name in names))
    return path


def test_a_crawl_tells_what_it_found_and_fills_a_category(cli, addresses):
    code, out, err = cli("crawl", "tiger", "--source", addresses)
    assert (code, err) == (0, "")
    topic, *numbers, why = out.strip().split("\t")
    assert (topic, numbers) == ("tiger", ["8", "5", "2", "1", "0"])
    assert why == "1 forbidden, 1 no picture, 1 too small"
    assert cli("categories")[1] == "tiger\t5\n"
    assert cli("check")[0] == 0


def test_wanted_counts_for_each_topic_and_a_second_run_goes_on(cli, addresses):
    code, out, _ = cli("crawl", "tiger", "-n", "2", "--source", addresses)
    assert (code, out.split("\t")[:3]) == (0, ["tiger", "3", "2"])
    code, out, _ = cli("crawl", "tiger", "-n", "2", "--source", addresses)
    assert (code, out.split("\t")[2]) == (0, "2")
    assert cli("categories")[1] == "tiger\t4\n"


def test_nothing_added_is_a_failure_with_a_word(cli, tmp_path, site):
    (tmp_path / "none.txt").write_text(site.url_for("/forbidden.jpg"))
    code, out, err = cli("crawl", "tiger", "--source", tmp_path / "none.txt")
    assert code == 1
    assert "1 forbidden" in out
    assert "Nothing could be added" in err
    code, _, err = cli("crawl", "tiger", "--source", "nowhere")
    assert code == 1
    assert "nowhere" in err
    assert "Traceback" not in err
    assert cli("crawl")[0] == 2


def test_a_folder_and_a_list_of_topics(cli, tmp_path):
    draw(tmp_path / "mine" / "lion" / "a.png", 31)
    draw(tmp_path / "mine" / "hổ" / "b.png", 32)
    (tmp_path / "list.toml").write_text('animal = ["lion", "hổ"]\n')
    code, out, _ = cli("crawl", "--topics", "list.toml", "--source", tmp_path / "mine")
    assert (code, [line.split("\t")[0] for line in out.splitlines()]) == (0, ["lion", "hổ"])
    assert cli("categories")[1] == "hổ\t1\nlion\t1\n"


def test_addresses_alone_then_export_then_fetch(cli, addresses, site, tmp_path):
    code, out, _ = cli("crawl", "tiger", "--urls-only", "-n", "3", "--source", addresses)
    assert (code, out.split("\t")[:3]) == (0, ["tiger", "3", "0"])
    assert site.log == []
    assert cli("export", "urls", "lists")[0] == 0
    assert (tmp_path / "lists" / "tiger.txt").read_text().split() == addresses.read_text().split()[
        :3
    ]
    assert cli("export", "urls", "all.json")[0] == 0
    assert list(json.loads((tmp_path / "all.json").read_text())["animal"]) == ["tiger"]
    (tmp_path / "empty.txt").write_text("")
    code, out, _ = cli("crawl", "tiger", "--source", tmp_path / "empty.txt")
    assert (code, out.split("\t")[2]) == (0, "2")


def test_images_are_exported_as_folder_and_archive(cli, addresses, tmp_path):
    cli("crawl", "tiger", "--source", addresses)
    code, out, _ = cli("export", "images", "--train", "19", "--test", "1", "out")
    assert (code, out) == (0, "4 training and 1 test pictures of 1 category exported.\n")
    assert len(list((tmp_path / "out" / "train" / "tiger").iterdir())) == 4
    assert cli("export", "images", "--train", "19", "--test", "1", "out2.zip", "--zip")[0] == 0
    with zipfile.ZipFile(tmp_path / "out2.zip") as archive:
        assert len(archive.namelist()) == 6
    code, _, err = cli("export", "images", "out")
    assert code == 1
    assert "not empty" in err


def test_the_projects_own_list_is_taken_topic_by_topic(cli, tmp_path):
    draw(tmp_path / "mine" / "a.png", 41)
    topics = Path(__file__).resolve().parents[2] / "data" / "topics.toml"
    code, out, _ = cli("crawl", "--topics", topics, "--urls-only", "--source", tmp_path / "mine")
    assert code == 0
    rows = [line.split("\t") for line in out.splitlines()]
    assert (len(rows), {tuple(row[1:3]) for row in rows}) == (133, {("1", "0")})
    assert cli("export", "urls", "all.json")[0] == 0
    lists = json.loads((tmp_path / "all.json").read_text())
    counts = {category: len(terms) for category, terms in lists.items()}
    assert counts == {"animal": 50, "plant": 39, "furniture": 19, "scenery": 25}
