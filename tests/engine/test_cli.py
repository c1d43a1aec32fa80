"""The engine's commands: what they print, where, and with which exit code."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import signal
import sqlite3
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.cli.application import new_application, run

LOOKALIKE = Path(sys.executable).with_name("lookalike")


def draw(path: Path, seed: int, hue: tuple[int, int, int] = (128, 128, 128)) -> Path:
    """A small picture of its own, near one colour."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(-40, 41, (8, 8, 3))
    pixels = np.clip(np.array(hue) + noise, 0, 255).astype(np.uint8)
    Image.fromarray(pixels).resize((96, 72), Image.Resampling.NEAREST).save(path)
    return path


@pytest.fixture
def pictures(tmp_path):
    """A folder of two categories, four pictures each."""
    folder = tmp_path / "pictures"
    for number in range(4):
        draw(folder / "reds" / f"{number}.png", number, (200, 60, 60))
        draw(folder / "blues" / f"{number}.png", 100 + number, (60, 60, 200))
    return folder


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """The environment of a library of its own, without an encoder; returned for child processes."""
    mine = {"DATA_DIR": str(tmp_path / "data"), "ENCODER": "none"}
    for name, value in mine.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return mine


@pytest.fixture
def cli(settings, capsys):
    """Run a command line in this process: `cli("index", folder)` gives (code, stdout, stderr)."""

    def call(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run(new_application(), [str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


@pytest.fixture
def library(cli, pictures):
    """`pictures`, indexed."""
    assert cli("index", pictures)[0] == 0
    return pictures


# index


def test_index_says_what_it_did_and_does_nothing_the_second_time(cli, pictures):
    code, out, _ = cli("index", pictures)
    assert code == 0
    assert "8 added" in out
    code, out, err = cli("index", pictures)
    assert (code, err) == (0, "")
    assert "8 unchanged" in out


def test_index_reports_a_broken_picture_and_takes_the_others(cli, pictures):
    (pictures / "reds" / "broken.jpg").write_bytes(b"no picture")
    code, out, err = cli("index", pictures)
    assert code == 0
    assert "8 added" in out
    assert "1 unreadable" in out
    assert [line for line in err.splitlines() if "broken.jpg" in line]


def test_index_takes_one_category_for_everything(cli, pictures):
    cli("index", pictures, "--category", "colours")
    assert cli("categories")[1] == "colours\t8\n"


def test_index_of_a_folder_without_pictures_fails_with_a_line(cli, tmp_path):
    (tmp_path / "empty").mkdir()
    code, _, err = cli("index", tmp_path / "empty")
    assert code == 1
    assert "No pictures found" in err


# search


def test_search_finds_the_picture_itself_first(cli, library):
    picture = library / "reds" / "2.png"
    for metric in ("l1", "l2", "cosine", "correlation", "manhattan"):
        code, out, _ = cli("search", picture, "--metric", metric, "--topk", 3)
        lines = [line.split("\t") for line in out.splitlines()]
        assert code == 0
        assert [line[0] for line in lines] == ["1", "2", "3"]
        assert lines[0][1:] == ["100.0%", "reds", str(picture)]


def test_json_is_stable(cli, library):
    picture = library / "blues" / "0.png"
    code, out, _ = cli("search", picture, "--metric", "L1", "--topk", 2, "--page", 2, "--json")
    document = json.loads(out)
    assert code == 0
    assert list(document) == [
        "schema_version", "query", "metric", "topk", "page", "category", "matches",
    ]  # fmt: skip
    assert document["schema_version"] == 1
    assert document["query"] == {
        "images": [str(picture)], "text": None, "mirror": False, "denoise": False,
    }  # fmt: skip
    assert (document["metric"], document["topk"], document["page"]) == ("l1", 2, 2)
    first = document["matches"][0]
    assert list(first) == [
        "rank", "image_id", "score", "percent", "is_weak", "category", "path", "attribution",
    ]  # fmt: skip
    assert [match["rank"] for match in document["matches"]] == [3, 4]
    assert list(first["attribution"]) == ["title", "creator", "licence", "source", "landing_page"]
    assert first["category"] == "blues"
    assert Path(first["path"]).is_file()
    assert 0 <= first["percent"] <= 100


def test_search_keeps_to_a_category_and_names_the_nearest_of_an_unknown_one(cli, library):
    picture = library / "blues" / "0.png"
    _, out, _ = cli("search", picture, "--metric", "l1", "--category", "reds", "--topk", 8)
    assert {line.split("\t")[2] for line in out.splitlines()} == {"reds"}
    code, out, err = cli("search", picture, "--metric", "l1", "--category", "red")
    assert (code, out) == (1, "")
    assert "reds" in err
    assert len(err.splitlines()) == 1


def test_without_an_encoder_search_falls_back_to_pixels_and_says_so(cli, library):
    picture = library / "blues" / "0.png"
    code, out, err = cli("search", picture, "--topk", 1, "--json")
    assert code == 0
    assert json.loads(out)["metric"] == "l1"
    assert "l1" in err
    code, out, err = cli("search", picture, "--metric", "clip")
    assert (code, out) == (1, "")
    assert len(err.splitlines()) == 1
    code, _, err = cli("search", "--text", "something red")
    assert code == 1
    assert len(err.splitlines()) == 1


def test_a_mirrored_and_grainy_picture_is_found(cli, library, tmp_path):
    picture, asked = library / "reds" / "1.png", tmp_path / "asked.png"
    with Image.open(picture) as image:
        flipped = np.array(image)[:, ::-1].copy()
    flipped[::9, ::7] = 255
    Image.fromarray(flipped).save(asked)
    for metric in ("l1", "l2", "cosine", "correlation"):
        options = ("--metric", metric, "--mirror", "--denoise", "--topk", 1)
        code, out, _ = cli("search", asked, *options)
        assert code == 0
        assert out.split("\t")[3].strip() == str(picture)
    document = json.loads(cli("search", asked, "--metric", "l1", "--mirror", "--json")[1])
    assert (document["query"]["mirror"], document["query"]["denoise"]) == (True, False)


def test_words_are_asked_alone_and_beside_a_picture(cli, drawn_settings, monkeypatch, tmp_path):
    from engine.drawings import HELD_OUT_SEED
    from engine.drawings import draw as drawing

    monkeypatch.setenv("DATA_DIR", str(drawn_settings.data_dir))
    monkeypatch.setenv("ENCODER", drawn_settings.encoder)
    code, out, err = cli("search", "--text", "red car -night")
    assert (code, err) == (0, "")
    assert {line.split("\t")[2] for line in out.splitlines()} == {"car"}
    code, out, err = cli("search", "--text", "elefant baloon", "--json")
    document = json.loads(out)
    assert document["query"]["text"] == "elefant baloon"
    if all(match["is_weak"] for match in document["matches"]):
        assert "balloon" in err
    code, out, err = cli("search", "--text", "accordion")
    assert code == 0
    assert "really alike" in err
    assert "Categories near" in err
    asked = tmp_path / "asked.png"
    drawing("fish", HELD_OUT_SEED, 200).image.save(asked)
    plain = cli("search", asked, "--topk", 8)[1]
    code, turned, _ = cli("search", asked, "--text", "red -fish", "--topk", 8)
    assert code == 0
    assert "fish" in plain
    assert "fish" not in {line.split("\t")[2] for line in turned.splitlines()}
    code, out, err = cli("search", "--text", "car - red")
    assert (code, out) == (1, "")
    assert "right before the word" in err


def test_a_weak_answer_says_so(cli, library, tmp_path):
    asked = draw(tmp_path / "asked.png", 7, (40, 230, 40))
    code, out, err = cli("search", asked, "--metric", "l1", "--json")
    assert code == 0
    assert all(match["is_weak"] for match in json.loads(out)["matches"])
    assert "really alike" in err
    assert "really alike" not in cli("search", library / "reds" / "0.png", "--metric", "l1")[2]


def test_sheet_is_drawn(cli, library, tmp_path):
    sheet = tmp_path / "sheet.png"
    code, _, err = cli("search", library / "reds" / "0.png", "--metric", "l1", "--sheet", sheet)
    assert code == 0
    assert str(sheet) in err
    with Image.open(sheet) as drawn:
        assert drawn.width > 500


def test_pages_end_in_words(cli, library):
    code, out, err = cli("search", library / "reds" / "0.png", "--metric", "l1", "--page", 9)
    assert (code, out) == (0, "")
    assert "No more matches" in err


# categories, stats, check, remove


def test_categories_and_stats_count(cli, library):
    assert cli("categories")[1] == "blues\t4\nreds\t4\n"
    code, out, _ = cli("stats")
    figures = dict(line.split("\t") for line in out.splitlines())
    assert code == 0
    assert figures["pictures"] == "8"
    assert figures["categories"] == "2"
    assert figures["encoder"].startswith("none")


def test_check_is_quiet_when_all_is_well_and_names_and_mends_what_is_not(cli, library):
    code, out, _ = cli("check")
    assert code == 0
    assert "nothing is wrong" in out
    draw(library / "reds" / "9.png", 9)
    cli("index", library)
    (library / "reds" / "9.png").unlink()
    code, out, err = cli("check")
    assert code == 1
    assert out
    assert "--repair" in err
    assert cli("check", "--repair")[0] == 0
    assert cli("check")[0] == 0


def test_remove_asks_first(cli, library, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert cli("remove", "--category", "reds")[0] == 1
    assert cli("categories")[1] == "blues\t4\nreds\t4\n"
    code, out, _ = cli("remove", "--category", "reds", "--yes")
    assert code == 0
    assert "4 pictures" in out
    assert cli("categories")[1] == "blues\t4\n"
    assert (library / "reds" / "0.png").is_file()


def test_remove_takes_paths_folders_and_ids(cli, library):
    found = json.loads(cli("search", library / "reds" / "0.png", "--metric", "l1", "--json")[1])
    assert cli("remove", found["matches"][0]["image_id"], "--yes")[0] == 0
    assert cli("remove", library / "reds" / "1.png", "--yes")[0] == 0
    assert cli("remove", library / "blues", "--yes")[0] == 0
    assert cli("categories")[1] == "reds\t2\n"


# Mistakes


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["nonsense"], 2, "nonsense"),
        (["index"], 2, "PATH"),
        (["index", "no/such/folder"], 2, "no/such/folder"),
        (["search"], 2, "IMAGE"),
        (["search", "--mirror", "--text", "car"], 2, "--mirror"),
        (["search", "--text", " "], 2, "--text"),
        (["search", "no-such.jpg"], 2, "no-such.jpg"),
        (["search", __file__, "--topk", "0"], 2, "topk"),
        (["search", __file__, "--topk", "abc"], 2, "topk"),
        (["search", __file__, "--metric", "hamming"], 2, "hamming"),
        (["search", __file__, "--sheet", "sheet.txt"], 2, "--sheet"),
        (["search", __file__, "--sheet", "no/such/folder/sheet.png"], 2, "--sheet"),
        (["search", __file__, "--metric", "l1"], 1, ""),
        (["remove"], 2, "PATH"),
        (["remove", "no/such/file", "--yes"], 1, "no/such/file"),
        (["remove", "0123456789abcdef", "--yes"], 1, "0123456789abcdef"),
        (["remove", "--category", "nothing", "--yes"], 1, "nothing"),
    ],
)
def test_a_mistake_gets_its_exit_code_and_words(cli, library, arguments, code, word):
    got, out, err = cli(*arguments)
    assert (got, out) == (code, "")
    assert word in err
    assert "Traceback" not in err
    if code == 1:
        assert len(err.splitlines()) == 1
        assert err.startswith("lookalike: ")


@pytest.mark.parametrize("command", [["categories"], ["stats"], ["check"], ["search", __file__]])
def test_reading_a_library_that_is_not_there_says_how_to_make_one(cli, tmp_path, command):
    code, out, err = cli(*command)
    assert (code, out) == (1, "")
    assert "lookalike index" in err
    assert not (tmp_path / "data").exists()


def test_a_bad_setting_is_named(cli, monkeypatch):
    monkeypatch.setenv("TOPK", "eleven")
    code, _, err = cli("stats")
    assert code == 1
    assert "TOPK" in err
    assert "eleven" not in err


def test_a_data_folder_that_cannot_be_made_is_one_line(cli, pictures, monkeypatch):
    monkeypatch.setenv("DATA_DIR", str(pictures / "reds" / "0.png"))
    code, _, err = cli("index", pictures)
    assert code == 1
    assert len(err.splitlines()) == 1


# As a process


def test_help_answers_at_once_and_loads_nothing_heavy():
    """The goal is 0.3 s on a free machine; this only catches a heavy import on a busy one."""

    def seconds() -> float:
        began = time.perf_counter()
        subprocess.run([LOOKALIKE, "--help"], check=True, capture_output=True)
        return time.perf_counter() - began

    assert statistics.median(seconds() for _ in range(5)) < 1.0
    script = (
        "import sys; from bot.cli import main; sys.argv = ['lookalike', '--help']; main(); "
        "print(sorted({'rich', 'numpy', 'PIL', 'pydantic', 'sqlalchemy', 'torch', 'telegram'}"
        " & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    assert done.stdout.endswith("[]\n")


@pytest.mark.parametrize("module", ["engine", "bot"])
def test_modules_run_as_programs(module):
    done = subprocess.run(
        [sys.executable, "-m", module, "--version"], check=True, capture_output=True, text=True
    )
    assert done.stdout.startswith("lookalike ")


def test_a_reader_that_stops_reading_is_no_error(settings, library):
    done = subprocess.run(
        ["bash", "-c", f"'{LOOKALIKE}' categories | true; '{LOOKALIKE}' search --help | head -1"],
        env=os.environ | settings, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr == ""


def _has_pictures(database: Path) -> bool:
    if not database.exists():
        return False
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        try:
            return connection.execute("SELECT count(*) FROM images").fetchone()[0] > 0
        except sqlite3.OperationalError:  # the tables are not there yet
            return False


def test_interrupt_stops_cleanly_and_the_next_run_goes_on(settings, tmp_path):
    count = 500
    one = draw(tmp_path / "many" / "noise" / "0.jpg", 0)
    with Image.open(one) as small:
        small.resize((1600, 1200), Image.Resampling.NEAREST).save(one, quality=50)
    data = one.read_bytes()
    for number in range(1, count):  # what follows a JPEG's end makes another content of it
        one.with_name(f"{number}.jpg").write_bytes(data + number.to_bytes(2, "big"))

    command = [LOOKALIKE, "index", tmp_path / "many"]
    environment = os.environ | settings
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    while process.poll() is None and not _has_pictures(tmp_path / "data" / "lookalike.db"):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, out + err
    assert out.startswith("Stopped")
    assert "Traceback" not in err
    again = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    added, unchanged = map(int, re.search(r"(\d+) added, (\d+) unch", again.stdout).groups())
    assert added + unchanged == count
    assert unchanged > 0


def test_a_terminal_gets_a_bar_and_a_table(settings, pictures):
    """Under a real pseudo-terminal."""
    import pty

    def on_a_terminal(*arguments: object) -> str:
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [str(each) for each in (LOOKALIKE, *arguments)],
            env=os.environ | settings | {"TERM": "xterm", "COLUMNS": "100"},
            stdin=theirs, stdout=theirs, stderr=theirs,
        )  # fmt: skip
        os.close(theirs)
        shown = b""
        while True:
            try:
                shown += os.read(ours, 4096)
            except OSError:  # the other side is closed
                break
        os.close(ours)
        assert process.wait() == 0
        return shown.decode()

    assert "\x1b[?25l" in on_a_terminal("index", pictures)
    shown = on_a_terminal("search", pictures / "reds" / "0.png", "--metric", "l1")
    assert "similarity" in shown
    assert "reds" in shown
