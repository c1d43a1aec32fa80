from __future__ import annotations

import subprocess
import sys

import httpx
import pytest

from bot.playground import Playground
from bot.playground.bell import Bell


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.4", "example.org", ""])  # noqa: S104
def test_it_listens_on_this_machine_only(host):
    with pytest.raises(ValueError, match="this machine only"):
        Playground(host=host)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost:1"}, 200),
        ({"Host": "evil.example"}, 403),
        ({"Host": "127.0.0.1.evil.example"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
def test_pages_from_elsewhere_get_nothing(playground, headers, status):
    for path in ("/", "/playground/state", f"/bot{playground.token}/getMe"):
        assert httpx.get(playground.url + path, headers=headers).status_code == status


def test_the_page_runs_only_its_own_code(playground):
    answer = httpx.get(playground.url)
    assert "default-src 'none'; script-src 'self'" in answer.headers["Content-Security-Policy"]
    for name in ("app.js", "style.css", "icon.svg"):
        assert httpx.get(f"{playground.url}/static/{name}").status_code == 200
    for name in ("..%2Fpage.py", "page.py", "%2e%2e/page.py"):
        assert httpx.get(f"{playground.url}/static/{name}").status_code == 404


def test_samples_come_from_their_folder_alone(tmp_path, picture):
    (tmp_path / "samples" / "fruit").mkdir(parents=True)
    (tmp_path / "samples" / "fruit" / "ä 1.jpg").write_bytes(picture())
    (tmp_path / "secret.jpg").write_bytes(picture())
    with Playground(samples=tmp_path / "samples") as playground:
        assert httpx.get(f"{playground.url}/playground/state").json()["samples"] == [
            "fruit/ä 1.jpg"
        ]
        base = f"{playground.url}/playground/samples/"
        assert httpx.get(base + "fruit/ä 1.jpg").status_code == 200
        assert httpx.get(base + "..%2Fsecret.jpg").status_code == 404


def test_a_taken_port_is_said(playground):
    with pytest.raises(OSError, match="address"):
        Playground(port=playground.port).open()


def test_waiting_ends_with_what_was_said_instead(playground, sam):
    with pytest.raises(TimeoutError, match="no such message came in chat 1"):
        playground.wait_for(1, timeout=0.05)


def test_a_bell_gives_what_is_there_already():
    assert Bell().wait(lambda: 3, 0) == 3
    assert Bell().wait(lambda: 0, 0.01) is None


def test_it_runs_as_a_program():
    program = subprocess.Popen(
        [sys.executable, "-m", "bot.playground", "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    try:
        url = program.stdout.readline().split()[-1]
        state = httpx.get(f"{url}/playground/state").json()
        assert [p["first_name"] for p in state["people"]] == ["Linh", "Sam", "Ada"]
    finally:
        program.terminate()
        program.communicate(timeout=10)
