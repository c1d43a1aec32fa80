"""The demo, as a newcomer runs it: `lookalike demo`."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psutil
import pytest

from bot.demo import TOPK, Answer, Shown, demo_encoder

LOOKALIKE = Path(sys.executable).with_name("lookalike")

pytestmark = pytest.mark.skipif(
    not (Path(__file__).parents[2] / "data" / "demo-encoder" / "open_clip_config.json").exists(),
    reason="the demo's model has not been trained",
)


def album(*categories: str) -> tuple[Shown, ...]:
    return tuple(Shown(rank, name, 90) for rank, name in enumerate(categories, 1))


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """One folder for all tests here, so that only the first draws and indexes.

    The user's own settings are there to be left alone: a token, no encoder, servers that are none.
    """
    folder = tmp_path_factory.mktemp("demo")
    (folder / ".env").write_text("TOPK=2\nBOT_LANGUAGE=vi\n")
    return os.environ | {
        "DATA_DIR": str(folder / "data"),
        "ENCODER": "none",
        "TELEGRAM_TOKEN": "1:a-real-one",
        "TELEGRAM_API_URL": "http://127.0.0.1:9",
        "CHROMA_URL": "http://127.0.0.1:9",
        "WEBHOOK_URL": "http://127.0.0.1:9/hook",
        "HTTP_PROXY": "http://127.0.0.1:9",
    }


@pytest.fixture(scope="module")
def first_run(environment):
    return subprocess.run(
        [LOOKALIKE, "demo", "--once"], env=environment, cwd=Path(environment["DATA_DIR"]).parent,
        capture_output=True, text=True, timeout=250, check=False,
    )  # fmt: skip


def test_demo_once_answers_rightly(first_run, environment):
    assert first_run.returncode == 0, first_run.stdout + first_run.stderr
    rows = re.findall(r"^ *(\d+) +(\w+) +(\d+)%", first_run.stdout, re.MULTILINE)
    assert [int(rank) for rank, _, _ in rows] == list(range(1, TOPK + 1))
    assert rows[0][1] in first_run.stdout.split("Sent a drawing of a ")[1].splitlines()[0]
    assert "knows nothing else" in first_run.stdout
    assert "a-real-one" not in first_run.stdout + first_run.stderr


def test_demo_keeps_to_a_folder_of_its_own(first_run, environment):
    assert [path.name for path in Path(environment["DATA_DIR"]).iterdir()] == ["demo"]


def test_second_run_draws_and_indexes_nothing(first_run, environment):
    began = time.monotonic()
    done = subprocess.run(
        [LOOKALIKE, "demo", "--once"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "unchanged; 0 embedded" in done.stdout
    assert time.monotonic() - began < 60  # some ten seconds on a free machine


def test_next_run_indexes_nothing_serves_the_chat_page_and_leaves_nothing_behind_when_ended(
    first_run, environment
):
    process = subprocess.Popen(
        [LOOKALIKE, "demo", "--no-browser"],
        env=environment | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        said = ""
        while (found := re.search(r"Talk to the bot: (http://\S+)", said)) is None:
            line = process.stdout.readline()
            assert line, said
            said += line
        assert "unchanged; 0 embedded" in said
        rows = re.findall(r"^ *(\d+) +(\w+) +(\d+)%", said, re.MULTILINE)
        assert [int(rank) for rank, _, _ in rows] == list(range(1, TOPK + 1))
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(found.group(1), timeout=10) as page:
            assert "<html" in page.read().decode().lower()
        children = psutil.Process(process.pid).children(recursive=True)
        assert children
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=30)
        assert process.returncode == 0, rest
        assert "Traceback" not in said + rest
        assert not any(child.is_running() for child in children)
    finally:
        process.kill()
        process.wait()


def test_the_demos_model_is_found_and_small():
    folder = demo_encoder()
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 8 * 10**6


@pytest.mark.parametrize(
    ("categories", "is_right"),
    [
        (["fish"] * 5, True),
        (["fish", "fish", "ball", "fish", "ball"], True),
        (["ball", "fish", "fish", "fish", "fish"], False),
        (["fish", "fish", "ball", "ball", "ball"], False),
        (["fish"] * 4, False),
        ([], False),
    ],
)
def test_only_a_full_album_with_most_of_the_topic_is_right(categories, is_right):
    assert Answer("fish", album(*categories), 1.0).is_right is is_right
