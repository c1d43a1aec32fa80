"""`lookalike evaluate`: what it prints, writes and refuses."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING

import pytest

from engine.cli.application import new_application, run
from engine.evaluation import features
from engine.images import image_id

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("ENCODER", "none")
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run(new_application(), [str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


def test_folders_give_a_line_for_each_method_and_a_report(
    cli, colours: Path, tmp_path: Path
) -> None:
    out = tmp_path / "new" / "report"
    code, printed, said = cli(
        "evaluate", "--train", colours / "train", "--test", colours / "test",
        "--sizes", "8,16", "--metrics", "l1,pearson", "--out", out,
    )  # fmt: skip
    assert code == 0
    lines = [line.split("\t") for line in printed.splitlines()]
    assert [line[:2] for line in lines] == [
        ["l1", "8 px"], ["correlation", "8 px"], ["l1", "16 px"], ["correlation", "16 px"],
    ]  # fmt: skip
    assert "On pixels," in said
    assert f"Report: {out / 'report.html'}" in said
    made = json.loads((out / "report.json").read_text("utf-8"))
    assert len(made["methods"]) == 4
    assert {"report.html", "report.csv", "curves.png"} <= {file.name for file in out.iterdir()}


def test_single_folder_is_asked_for_leave_one_out(cli, colours: Path) -> None:
    code, printed, _ = cli(
        "evaluate", "--train", colours / "train", "--leave-one-out", "--sizes", "8"
    )
    assert code == 0
    assert len(printed.splitlines()) == 4


def test_encoders_are_given_one_by_one(cli, colours: Path, tiny_encoder: str) -> None:
    code, printed, said = cli(
        "evaluate", "--train", colours / "train", "--test", colours / "test",
        "--metrics", "clip,chroma", "--encoder", tiny_encoder,
    )  # fmt: skip
    assert code == 0
    assert [line.split("\t")[0] for line in printed.splitlines()] == ["clip", "chroma"]
    assert "100.0% of the exact search's first" in said
    code, _, said = cli(
        "evaluate", "--train", colours / "train", "--leave-one-out",
        "--encoder", f"timm:local-dir:{colours}", "--metrics", "clip",
    )  # fmt: skip
    assert code == 1
    assert len(said.splitlines()) == 1


def test_without_folders_the_library_is_evaluated(cli, colours: Path) -> None:
    code, _, said = cli("evaluate")
    assert code == 1
    assert "no library" in said
    cli("index", colours / "train")
    code, printed, _ = cli("evaluate", "--metrics", "l1,cosine")
    assert code == 0
    assert [line.split("\t")[:2] for line in printed.splitlines()] == [
        ["l1", "64 px"], ["cosine", "64 px"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["--train", "{train}"], "leave-one-out"),
        (["--train", "{train}", "--test", "{test}", "--leave-one-out"], "leave-one-out"),
        (["--test", "{test}"], "--train"),
        (["--leave-one-out"], "--train"),
        (["--train", "nowhere", "--leave-one-out"], "nowhere"),
        (["--train", "{train}", "--leave-one-out", "--metrics", "l3"], "l3"),
        (["--train", "{train}", "--leave-one-out", "--metrics", ","], "metric"),
        (["--train", "{train}", "--leave-one-out", "--sizes", "0"], "1 to 1024"),
        (["--train", "{train}", "--leave-one-out", "--sizes", "8,big"], "1 to 1024"),
        (["--encoder", "clip"], "--encoder"),
    ],
)
def test_wrong_usage_is_code_2_and_a_word(
    cli, colours: Path, arguments: list[str], hint: str
) -> None:
    filled = [each.format(train=colours / "train", test=colours / "test") for each in arguments]
    code, printed, said = cli("evaluate", *filled)
    assert (code, printed) == (2, "")
    assert hint in said
    assert "Traceback" not in said


def test_clip_metrics_without_an_encoder_are_a_line(cli, colours: Path) -> None:
    code, _, said = cli(
        "evaluate", "--train", colours / "train", "--leave-one-out", "--metrics", "clip"
    )
    assert code == 1
    assert "encoder" in said


def test_interrupt_ends_it_with_nothing_written(
    cli, colours: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(data: bytes) -> str:
        """Ctrl-C comes while the first picture is read."""
        monkeypatch.setattr(features, "image_id", image_id)
        os.kill(os.getpid(), signal.SIGINT)
        return image_id(data)

    monkeypatch.setattr(features, "image_id", interrupted)
    code, printed, said = cli(
        "evaluate", "--train", colours / "train", "--leave-one-out", "--out", tmp_path / "report"
    )
    assert (code, printed) == (130, "")
    assert "Stopped" in said
    assert not (tmp_path / "report").exists()
