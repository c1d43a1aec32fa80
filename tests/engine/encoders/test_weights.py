"""Weights from the hub: downloaded once, found again without a connection, missed quickly."""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from huggingface_hub import constants

from engine.encoders.weights import WEIGHT_FILES, hub_weights, local_weights
from engine.errors import EncoderUnavailableError
from tests.engine.encoders.conftest import lazy, picture, write_timm

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MODEL = "test_resnet.r160_in1k"
REPOSITORY = f"timm/{MODEL}"


class Hub:
    """The part of the hub's protocol that a download needs, on loopback."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.requests: list[str] = []
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                self.answer()

            def do_GET(self) -> None:
                self.wfile.write(self.answer())

            def answer(self) -> bytes:
                hub.requests.append(f"{self.command} {self.path}")
                content = files.get(self.path)
                self.send_response(404 if content is None else 200)
                if content is None:
                    self.send_header("X-Error-Code", "EntryNotFound")
                self.send_header("X-Repo-Commit", "0" * 40)
                self.send_header("ETag", f'"{hashlib.sha256(content or b"").hexdigest()}"')
                self.send_header("Content-Length", str(len(content or b"")))
                self.end_headers()
                return content or b""

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    weights = (write_timm(tmp_path / "model") / "model.safetensors").read_bytes()
    hub = Hub({f"/{REPOSITORY}/resolve/main/model.safetensors": weights})
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "ENDPOINT", hub.address)
    monkeypatch.setattr(
        constants,
        "HUGGINGFACE_CO_URL_TEMPLATE",
        hub.address + "/{repo_id}/resolve/{revision}/{filename}",
    )
    yield hub
    hub.close()


def test_a_model_is_downloaded_once_and_then_needs_no_hub(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = lazy(f"timm:{MODEL}")
    vectors = first.load().embed_images([picture(0)])
    assert first._fetched > 100_000
    assert first._to_fetch == first._fetched
    first.close()
    asked = len(hub.requests)
    assert asked > 0
    again = lazy(f"timm:{MODEL}")
    assert again.load().embed_images([picture(0)]).tolist() == vectors.tolist()
    again.close()
    assert len(hub.requests) == asked


def test_safetensors_are_asked_for_first_and_a_lack_is_said(hub: Hub) -> None:
    told: list[int] = []
    path = hub_weights(
        REPOSITORY, ("other.safetensors", "model.safetensors"), lambda n, _: told.append(n)
    )
    assert path.name == "model.safetensors"
    assert sum(told) == path.stat().st_size
    with pytest.raises(EncoderUnavailableError, match="holds none of"):
        hub_weights(REPOSITORY, ("x.bin",), lambda *_: None)


def test_an_unreachable_hub_is_told_within_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "ENDPOINT", address)
    start = time.monotonic()
    with pytest.raises(
        EncoderUnavailableError, match=r"run once with a connection, or set ENCODER="
    ) as caught:
        lazy("clip").load()
    assert time.monotonic() - start < 8
    assert caught.value.key == "encoder_unreachable"


def test_safetensors_are_preferred_to_pickles(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    for name in WEIGHT_FILES[::-1]:
        (tmp_path / name).write_bytes(b"")
        assert local_weights(tmp_path, "config.json").name == name
    assert WEIGHT_FILES[0].endswith(".safetensors")
