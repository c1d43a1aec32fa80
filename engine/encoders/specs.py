"""What `ENCODER` may say, and the name under which an encoder's vectors are kept."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

from engine.encoders.presets import PRESETS
from engine.encoders.weights import fingerprint
from engine.errors import SettingsError

CHOICES = (
    *PRESETS,
    "open_clip:<model>/<tag>",
    "open_clip:local-dir:<path>",
    "timm:<name>",
    "timm:local-dir:<path>",
    "none",
)
LOCAL = "local-dir:"
CONFIGS = {"open_clip": "open_clip_config.json", "timm": "config.json"}
MAX_KEY = 96


@dataclass(frozen=True, slots=True)
class Spec:
    """Which model, taken apart.

    Args:
        text: As the setting says it.
        family: The library that builds it.
        model: Its name there; empty for a folder.
        tag: open_clip's name of the weights; empty otherwise.
        folder: Where it lies on this machine; None for a model of the hub.
    """

    text: str
    family: Literal["open_clip", "timm"]
    model: str = ""
    tag: str = ""
    folder: Path | None = None

    @property
    def config(self) -> str:
        """Name of the file that describes a model in a folder."""
        return CONFIGS[self.family]

    def key(self) -> str | None:
        """Name that is safe for files and collections: 3–96 characters of `[a-zA-Z0-9._-]`.

        A model in a folder is known by its content, so the folder may move. None while there is
        no usable model in the folder.
        """
        if self.folder is None:
            return _safe("-".join(part for part in (self.family, self.model, self.tag) if part))
        digest = fingerprint(self.folder, self.config)
        return digest and f"{self.family}-local-{digest}"


def parse(text: str) -> Spec | None:
    """Take a value of `ENCODER` apart.

    Args:
        text: The value.

    Returns:
        The model it names; None for `none`.

    Raises:
        SettingsError: It names no encoder; the message lists the choices.
    """
    text = text.strip()
    if text.lower() == "none":
        return None
    preset = PRESETS.get(text.lower())
    if preset is not None:
        return Spec(text, "open_clip", preset.model, preset.tag)
    family, _, rest = text.partition(":")
    if rest.startswith(LOCAL):
        path = rest.removeprefix(LOCAL)
        if path and family in CONFIGS:
            return Spec(text, _family(family), folder=Path(path).expanduser())
    elif family == "timm" and rest:
        return Spec(text, "timm", rest)
    elif family == "open_clip":
        model, _, tag = rest.rpartition("/")
        if model and tag:
            # As open_clip itself reads them: slashes in names and dashes in tags are spelling.
            model, tag = model.replace("/", "-"), tag.lower().replace("-", "_")
            return Spec(text, "open_clip", model, tag)
    near = get_close_matches(text.lower(), [*PRESETS, "none"], n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    reason = f"{text!r} is no encoder.{hint} Choose one of {', '.join(CHOICES)}"
    raise SettingsError(f"ENCODER: {reason}", key="settings", name="ENCODER", reason=reason)


def _family(name: str) -> Literal["open_clip", "timm"]:
    return "timm" if name == "timm" else "open_clip"


def _safe(name: str) -> str:
    """`name`, changed only where it must be; then a digest keeps different names different."""
    safe = re.sub(r"[^a-zA-Z0-9._-]|(?<=\.)\.", "-", name).strip("._-")[:MAX_KEY]
    if safe == name:
        return safe
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{safe[: MAX_KEY - 9]}-{digest}"
