"""Where a model's weights come from: a folder on this machine, or the Hugging Face hub."""

from __future__ import annotations

import hashlib
import logging
import os
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from engine.errors import EncoderUnavailableError

WEIGHT_FILES = (
    "open_clip_model.safetensors",
    "open_clip_pytorch_model.safetensors",
    "model.safetensors",
    "open_clip_pytorch_model.bin",
    "pytorch_model.bin",
    "model.pth",
)
"""Usual names, in order of preference: safetensors, which hold numbers only, before pickles."""

PROBE_TIMEOUT_S = 5.0
LOG = logging.getLogger(__name__)

Report = Callable[[int, int | None], None]
"""Told the bytes that came since the last call and, where known, those of the whole file."""


def local_weights(folder: Path, config: str) -> Path:
    """The file of weights in a model's folder.

    Args:
        folder: The model's folder.
        config: Name of the file that describes the model.

    Raises:
        EncoderUnavailableError: The folder, its description or its weights are missing.
    """
    if not folder.is_dir():
        raise _broken(folder, "there is no such folder")
    if not (folder / config).is_file():
        raise _broken(folder, f"it holds no {config}")
    for name in WEIGHT_FILES:
        if (folder / name).is_file():
            return folder / name
    others = sorted(folder.glob("*.safetensors")) or sorted(folder.glob("*.pth"))
    if not others:
        raise _broken(folder, "it holds no weights")
    return others[0]


def fingerprint(folder: Path, config: str) -> str | None:
    """16 hex digits that change with the model's description or weights, and not with its place.

    All bytes are read (600 MB take about half a second): a network trained on a little differs
    from its parent anywhere. None while the folder cannot be used.
    """
    try:
        digest = hashlib.sha256((folder / config).read_bytes())
        with local_weights(folder, config).open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    except (OSError, EncoderUnavailableError):
        return None
    return digest.hexdigest()[:16]


def hub_weights(repository: str, names: Sequence[str], report: Report) -> Path:
    """The file of weights from the hub's cache on this machine, else from the hub.

    What was downloaded once is found without a connection, and without asking for one.

    Args:
        repository: `owner/name` on the hub.
        names: File names to try, the best first.
        report: Told how the download goes.

    Raises:
        EncoderUnavailableError: It is not in the cache and the hub cannot be reached or lacks it.
    """
    from huggingface_hub import constants, hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    for name in names:
        try:
            return Path(hf_hub_download(repository, name, local_files_only=True))
        except LocalEntryNotFoundError:
            continue
    # The hub's client retries for half a minute what cannot succeed: ask once, briefly, first.
    if constants.HF_HUB_OFFLINE or not _answers(constants.ENDPOINT):
        raise _unreachable(constants.ENDPOINT)
    # The client's own remarks would stand between our lines; what matters comes as an exception.
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    for name in names:
        try:
            return Path(hf_hub_download(repository, name, tqdm_class=_reporting_to(report)))
        except LocalEntryNotFoundError as error:
            raise _unreachable(constants.ENDPOINT) from error
        except EntryNotFoundError:
            continue
    raise EncoderUnavailableError(
        f"The hub's {repository} holds none of {', '.join(names)}.",
        key="encoder_broken",
        reason=f"{repository}: {', '.join(names)}",
    )


def _answers(address: str) -> bool:
    """Whether a server speaks at this address, through the machine's proxy if it has one."""
    request = urllib.request.Request(address, method="HEAD")  # noqa: S310 - the hub's own setting
    try:
        with urllib.request.urlopen(request, timeout=PROBE_TIMEOUT_S):  # noqa: S310
            return True
    except urllib.error.HTTPError as error:
        error.close()
        return True
    except urllib.error.URLError as error:
        # The hub's client may know certificates that Python does not.
        return isinstance(error.reason, ssl.SSLError)
    except OSError:
        return False


def _reporting_to(report: Report) -> Any:  # noqa: ANN401 - a class made for the hub's client
    from huggingface_hub.utils.tqdm import tqdm

    class Bar(tqdm):
        """Hands numbers on and draws nothing."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
            self._whole = kwargs.get("total")
            initial = kwargs.get("initial") or 0
            super().__init__(*args, **{**kwargs, "disable": True})  # type: ignore[no-untyped-call]
            report(int(initial), self._whole)

        def update(self, n: float | None = 1) -> bool | None:
            report(int(n or 0), self._whole)
            return None

    return Bar


def _unreachable(address: str) -> EncoderUnavailableError:
    return EncoderUnavailableError(
        f"The encoder's weights are not on this machine and {address} cannot be reached: run once "
        "with a connection, or set ENCODER=open_clip:local-dir:<path> to a model you have, or "
        "ENCODER=none to search by pixels.",
        key="encoder_unreachable",
        address=address,
    )


def _broken(folder: Path, reason: str) -> EncoderUnavailableError:
    return EncoderUnavailableError(
        f"The encoder in {os.fspath(folder)} cannot be used: {reason}.",
        key="encoder_broken",
        reason=reason,
    )
