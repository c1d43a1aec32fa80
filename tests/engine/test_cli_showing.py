"""`lookalike compare`, `tag` and `locate`: what they print, draw and refuse."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from engine.cli.application import new_application, run

if TYPE_CHECKING:
    from pathlib import Path

Cli = "Callable[..., tuple[int, str, str]]"


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("ENCODER", "none")
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run(new_application(), [str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


@pytest.fixture
def library(cli: Cli, gallery: Path) -> Path:
    assert cli("index", gallery)[0] == 0
    return gallery


def test_compare_answers_by_every_metric_there_is(cli, library, tmp_path):
    picture, sheet = library / "tiger" / "1.jpg", tmp_path / "sheet.png"
    code, out, err = cli("compare", picture, "--topk", 2, "--sheet", sheet)
    lines = [line.split("\t") for line in out.splitlines()]
    assert code == 0
    assert [line[0] for line in lines] == [
        "l1", "l1", "l2", "l2", "cosine", "cosine", "correlation", "correlation",
    ]  # fmt: skip
    assert {line[4] for line in lines if line[1] == "1"} == {str(picture)}
    assert str(sheet) in err
    with Image.open(sheet) as drawn:
        assert drawn.width > 800


def test_compare_keeps_to_the_metrics_named(cli, library):
    picture = library / "tiger" / "1.jpg"
    code, out, _ = cli("compare", picture, "--metrics", "pearson,L1", "--topk", 1, "--json")
    document = json.loads(out)
    assert code == 0
    assert document["schema_version"] == 1
    assert [answer["metric"] for answer in document["answers"]] == ["correlation", "l1"]
    [match] = document["answers"][0]["matches"]
    assert list(match) == ["rank", "image_id", "score", "percent", "category", "path"]
    assert match["percent"] == 100
    assert cli("compare", picture, "--metrics", "l1,best")[0] == 2
    code, _, err = cli("compare", picture, "--metrics", "clip")
    assert code == 1
    assert len(err.splitlines()) == 1


def test_tag_names_categories_and_draws_bars(cli, library, tmp_path):
    picture, sheet = library / "lion" / "3.jpg", tmp_path / "tags.png"
    code, out, err = cli("tag", picture, "--sheet", sheet)
    assert code == 0
    assert out.splitlines()[0].split("\t")[1] == "lion"
    assert str(sheet) in err
    document = json.loads(cli("tag", picture, "--json", "--limit", 1)[1])
    assert list(document) == ["schema_version", "image", "by", "tags"]
    assert document["by"] == "neighbours"
    assert [each["category"] for each in document["tags"]] == ["lion"]


def test_compare_and_tag_of_an_empty_library_say_so(cli, gallery):
    for command in ("compare", "tag"):
        code, out, err = cli(command, gallery / "tiger" / "0.jpg")
        assert (code, out) == (1, "")
        assert "no library" in err
        assert len(err.splitlines()) == 1


def test_locate_needs_no_library_and_tells_the_box(cli, gallery, tmp_path):
    picture, part, sheet = gallery / "tiger" / "0.jpg", tmp_path / "part.png", tmp_path / "s.png"
    with Image.open(picture) as whole:
        whole.crop((30, 20, 110, 90)).resize((160, 140)).save(part)
    code, out, err = cli("locate", picture, part, "--sheet", sheet)
    box = [int(cell) for cell in out.split("\t")[:4]]
    assert code == 0
    assert max(abs(a - b) for a, b in zip(box, (30, 20, 110, 90), strict=True)) <= 1
    assert str(sheet) in err
    document = json.loads(cli("locate", picture, part, "--json")[1])
    assert list(document) == [
        "schema_version", "picture", "cutout", "method", "found", "box", "scale", "score",
    ]  # fmt: skip
    assert document["found"] is True
    assert document["box"] == box
    assert document["scale"] == pytest.approx(2, rel=0.03)


def test_locate_says_what_is_not_there(cli, gallery):
    picture, other = gallery / "tiger" / "0.jpg", gallery / "lion" / "0.jpg"
    code, out, err = cli("locate", picture, other)
    assert (code, out) == (0, "")
    assert "Not found" in err
    document = json.loads(cli("locate", picture, other, "--json")[1])
    assert (document["found"], document["box"], document["score"]) == (False, None, None)


def test_locate_by_features_uses_the_encoder_of_the_settings(
    cli, gallery, tiny_encoder, monkeypatch
):
    picture = gallery / "tiger" / "0.jpg"
    code, _, err = cli("locate", picture, picture, "--method", "features")
    assert code == 1
    assert "ENCODER=none" in err
    monkeypatch.setenv("ENCODER", tiny_encoder)
    monkeypatch.setenv("DEVICE", "cpu")
    code, out, _ = cli("locate", picture, picture, "--method", "features", "--json")
    assert code == 0
    assert json.loads(out)["found"] is True


def test_wrong_usage_is_told_before_any_work(cli, gallery):
    picture = gallery / "tiger" / "0.jpg"
    assert cli("locate", picture, picture, "--method", "magic")[0] == 2
    assert cli("locate", picture, "gone.jpg")[0] == 2
    for command in (["compare", picture], ["tag", picture], ["locate", picture, picture]):
        assert cli(*command, "--sheet", "sheet.pdf")[0] == 2
