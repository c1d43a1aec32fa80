"""Loading: open_clip and timm build a network, its weights come from a folder or the hub."""

from __future__ import annotations

import importlib.util
import json
import logging
import threading
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.encoders.devices import device_for, precision_for, use_allowed_threads
from engine.encoders.networks import Network, Parts, Tokenizer
from engine.encoders.preprocessing import Preprocessing
from engine.encoders.weights import Report, hub_weights, local_weights
from engine.errors import EncoderUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.encoders.specs import Spec

OPEN_CLIP_FILES = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")
TIMM_FILES = ("model.safetensors", "pytorch_model.bin")
LOG = logging.getLogger(__name__)


def load_network(spec: Spec, device_name: str, report: Report) -> Network:
    """Build a model and load its weights.

    Args:
        spec: Which model.
        device_name: As in the setting DEVICE.
        report: Told how a download goes.

    Raises:
        EncoderUnavailableError: There is no such model, or its weights cannot be had.
        SettingsError: DEVICE names a device that is not there.
    """
    device = device_for(device_name)
    threads = use_allowed_threads()
    with _hushed():
        parts = _open_clip(spec, report) if spec.family == "open_clip" else _timm(spec, report)
        dtype = precision_for(device)
        network = Network(parts, device=device, dtype=dtype, name=spec.text)
    kind = str(dtype).removeprefix("torch.")
    LOG.info("%s computes on %s in %s with %d threads", spec.text, device, kind, threads)
    return network


def _open_clip(spec: Spec, report: Report) -> Parts:
    import open_clip

    preprocess: dict[str, Any] = {}
    options: dict[str, Any] = {}
    if spec.folder is not None:
        weights = local_weights(spec.folder, spec.config)
        name = f"local-dir:{spec.folder}"
        model_config = json.loads((spec.folder / spec.config).read_text(encoding="utf-8"))
        text_config = model_config.get("model_cfg", {}).get("text_cfg", {})
    else:
        name = spec.model
        preprocess = _known_tag(spec)
        repository, _, file = preprocess["hf_hub"].rpartition("/")
        weights = hub_weights(repository, _safe_first(file) or OPEN_CLIP_FILES, report)
        text_config = open_clip.get_model_config(name)["text_cfg"]
        options["force_quick_gelu"] = bool(preprocess.get("quick_gelu"))
    model = open_clip.create_model(
        name, load_weights=False, pretrained_text=False, force_preprocess_cfg=preprocess, **options
    )
    open_clip.load_checkpoint(model, str(weights), weights_only=True)
    return Parts(
        model,
        Preprocessing.of_open_clip(model.visual.preprocess_cfg),
        "encode_image",
        "encode_text",
        _tokenizer(spec, name, text_config),
    )


def _known_tag(spec: Spec) -> dict[str, Any]:
    """open_clip's entry for the weights."""
    import open_clip
    from open_clip.pretrained import get_pretrained_cfg

    entry: dict[str, Any] = get_pretrained_cfg(spec.model, spec.tag)
    if not entry:
        known = [f"{model}/{tag}" for model, tag in open_clip.list_pretrained()]
        raise _unknown(spec, "open_clip", f"{spec.model}/{spec.tag}", known)
    return entry


def _tokenizer(spec: Spec, name: str, text_config: dict[str, Any]) -> Tokenizer | None:
    """The model's tokenizer; None where `transformers` is needed and absent."""
    import open_clip

    if not text_config.get("hf_tokenizer_name"):
        plain: Tokenizer = open_clip.get_tokenizer(name)
        return plain
    if importlib.util.find_spec("transformers") is None:
        LOG.warning(
            "%s finds pictures by pictures, but needs one more package to read words: "
            "pip install 'lookalike[multilingual]'",
            spec.text,
        )
        return None
    try:
        cached: Tokenizer = open_clip.get_tokenizer(name, local_files_only=True)
    except OSError:
        fetched: Tokenizer = open_clip.get_tokenizer(name)
        return fetched
    return cached


def _timm(spec: Spec, report: Report) -> Parts:
    import timm
    from timm.data.config import resolve_data_config

    if spec.folder is not None:
        weights = local_weights(spec.folder, spec.config)
        name = f"local-dir:{spec.folder}"
    else:
        name = spec.model
        config = timm.get_pretrained_cfg(name) if timm.is_model(name) else None
        if config is None or not config.hf_hub_id:
            raise _unknown(spec, "timm", name, timm.list_pretrained())
        files = _safe_first(config.hf_hub_filename) or TIMM_FILES
        weights = hub_weights(config.hf_hub_id, files, report)
    # The one file that was found, and none that timm would rather look for itself.
    given = {"source": "", "file": str(weights), "custom_load": False}
    model = timm.create_model(name, pretrained=True, num_classes=0, pretrained_cfg_overlay=given)
    wanted = resolve_data_config({}, model=model)  # type: ignore[no-untyped-call]
    return Parts(model, Preprocessing.of_timm(wanted), "forward")


def _safe_first(file: str | None) -> tuple[str, ...]:
    """A pickle's name behind that of the same weights as safetensors."""
    if not file:
        return ()
    return tuple(dict.fromkeys((str(Path(file).with_suffix(".safetensors")), file)))


def _unknown(spec: Spec, family: str, name: str, known: list[str]) -> EncoderUnavailableError:
    lower = {entry.lower(): entry for entry in known}
    near = [lower[entry] for entry in get_close_matches(name.lower(), lower, n=3)]
    hint = f" Nearest: {', '.join(near)}." if near else ""
    return EncoderUnavailableError(
        f"{family} knows no model called {name}.{hint} Set ENCODER to one that exists.",
        key="encoder_unknown",
        encoder=spec.text,
        nearest=", ".join(near),
    )


@contextmanager
def _hushed() -> Iterator[None]:
    """Keep open_clip from speaking through the root logger and configuring it, and timm brief."""
    logging.getLogger("timm").setLevel(logging.WARNING)
    root, thread, silent = logging.getLogger(), threading.get_ident(), logging.NullHandler()

    def is_ours(record: logging.LogRecord) -> bool:
        # A logger's filter sees only what is logged on that very logger, nothing from below it.
        return record.thread != thread or "open_clip" not in record.pathname

    root.addHandler(silent)
    root.addFilter(is_ours)
    try:
        yield
    finally:
        root.removeFilter(is_ours)
        root.removeHandler(silent)
