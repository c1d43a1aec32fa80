"""Loading: once, when needed, for all; and what is said when it cannot be done."""

from __future__ import annotations

import io
import logging
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from engine.encoders import lazy as lazy_module
from engine.encoders import loading
from engine.errors import EncoderUnavailableError, SettingsError
from tests.engine.encoders.conftest import lazy, picture, write_clip, write_timm

if TYPE_CHECKING:
    from pathlib import Path


def count_loads(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Times at which a network was really loaded."""
    loads: list[float] = []
    real = loading.load_network

    def counted(*args: object) -> object:
        loads.append(time.monotonic())
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(loading, "load_network", counted)
    return loads


def test_16_callers_load_once(clip_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loads = count_loads(monkeypatch)
    encoder = lazy(f"open_clip:local-dir:{clip_folder}")
    assert not encoder.is_loaded
    with ThreadPoolExecutor(16) as pool:
        loaded = set(pool.map(lambda _: encoder.load(), range(16)))
    assert encoder.is_loaded
    assert len(loaded) == len(loads) == 1
    assert loaded.pop().key == encoder.key
    encoder.close()


def test_prewarming_loads_in_the_background(clip_folder: Path) -> None:
    encoder = lazy(f"open_clip:local-dir:{clip_folder}")
    encoder.prewarm()
    deadline = time.monotonic() + 20
    while not encoder.is_loaded and time.monotonic() < deadline:
        time.sleep(0.01)
    assert encoder.is_loaded
    assert encoder.load().embed_images([picture(0)]).shape == (1, 32)
    encoder.close()


def test_whoever_cannot_wait_is_told_that_it_is_loading(
    clip_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()
    real = loading.load_network

    def slow(*args: object) -> object:
        assert go_on.wait(10)
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(loading, "load_network", slow)
    encoder = lazy(f"open_clip:local-dir:{clip_folder}")
    with pytest.raises(EncoderUnavailableError, match="still being loaded"):
        encoder.load(timeout_s=0.05)
    go_on.set()
    assert encoder.load(timeout_s=20).dimension == 32
    encoder.close()


def test_an_encoder_closed_while_it_loads_leaves_no_thread(
    clip_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()
    real = loading.load_network

    def slow(*args: object) -> object:
        assert go_on.wait(10)
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(loading, "load_network", slow)
    before = set(threading.enumerate())
    encoder = lazy(f"open_clip:local-dir:{clip_folder}")
    encoder.prewarm()
    encoder.close()
    go_on.set()
    encoder.load(timeout_s=20)
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
    assert set(threading.enumerate()) <= before


def test_a_failure_is_repeated_until_the_cool_down_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads = count_loads(monkeypatch)
    encoder = lazy(f"open_clip:local-dir:{tmp_path / 'model'}", cool_down_s=0.5)
    for _ in range(3):
        with pytest.raises(EncoderUnavailableError, match="no such folder"):
            encoder.load()
    assert len(loads) == 1
    write_clip(tmp_path / "model")
    time.sleep(0.5)
    assert encoder.load().dimension == 32
    assert len(loads) == 2
    encoder.close()


def test_a_broken_model_is_named_in_one_line(tmp_path: Path) -> None:
    folder = write_timm(tmp_path / "timm")
    (folder / "model.safetensors").write_bytes(b"no weights at all")
    with pytest.raises(
        EncoderUnavailableError, match=r"timm:local-dir:.* cannot be loaded: .+"
    ) as caught:
        lazy(f"timm:local-dir:{folder}").load()
    assert "\n" not in str(caught.value)
    folder = write_clip(tmp_path / "clip")
    (folder / "open_clip_config.json").write_text("{}")
    with pytest.raises(EncoderUnavailableError, match="cannot be loaded"):
        lazy(f"open_clip:local-dir:{folder}").load()
    (folder / "open_clip_model.safetensors").unlink()
    with pytest.raises(EncoderUnavailableError, match="holds no weights"):
        lazy(f"open_clip:local-dir:{folder}").load()


def test_pickled_weights_that_would_run_code_are_refused(tmp_path: Path) -> None:
    import pickle

    folder = write_clip(tmp_path / "clip")
    (folder / "open_clip_model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps({"x": Trap(str(tmp_path / "sprung"))}))
    with pytest.raises(EncoderUnavailableError):
        lazy(f"open_clip:local-dir:{folder}").load()
    assert not (tmp_path / "sprung").exists()


class Trap:
    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (self.path, "w")


@pytest.mark.parametrize(
    ("text", "nearest"),
    [
        ("open_clip:ViT-B-32/laion2b_s34b_b79", "ViT-B-32/laion2b_s34b_b79k"),
        ("timm:mobilnetv2_100", "mobilenetv2_100"),
    ],
)
def test_an_unknown_model_is_answered_with_the_nearest(text: str, nearest: str) -> None:
    with pytest.raises(EncoderUnavailableError, match=nearest):
        lazy(text).load()


def test_a_device_that_is_not_there_is_a_bad_setting(clip_folder: Path) -> None:
    encoder = lazy(f"open_clip:local-dir:{clip_folder}")
    encoder._device = "cuda:63"
    with pytest.raises(SettingsError, match="DEVICE"):
        encoder.load()


def test_a_terminal_sees_a_bar(clip_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    real = loading.load_network

    def slow(*args: object) -> object:
        time.sleep(0.4)
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(loading, "load_network", slow)
    monkeypatch.setattr(lazy_module.sys, "stderr", Terminal())
    encoder = lazy(f"open_clip:local-dir:{clip_folder}")
    encoder.load()
    assert "Loading open_clip:local-dir:" in lazy_module.sys.stderr.getvalue()
    encoder.close()


def test_elsewhere_only_the_log_speaks(clip_folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        encoder = lazy(f"open_clip:local-dir:{clip_folder}")
        encoder.load()
        encoder.close()
    assert {record.name.partition(".")[0] for record in caplog.records} == {"engine"}


def test_loading_writes_nothing_to_the_streams(clip_folder: Path, timm_folder: Path) -> None:
    code = (
        "import sys; from types import SimpleNamespace as N;"
        "from engine.encoders import encoder_from;"
        "[encoder_from(N(encoder=e, device='cpu')).load() for e in sys.argv[1:]]"
    )
    specs = [f"open_clip:local-dir:{clip_folder}", f"timm:local-dir:{timm_folder}"]
    done = subprocess.run(
        [sys.executable, "-c", code, *specs], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
