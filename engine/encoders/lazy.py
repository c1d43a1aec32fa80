"""The encoder everybody holds: known by name at once, loaded when first needed, once."""

from __future__ import annotations

import logging
import sys
import threading
import time
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import TYPE_CHECKING, Protocol

from engine.encoders.specs import Spec, parse
from engine.errors import EncoderUnavailableError, LookalikeError

if TYPE_CHECKING:
    from engine.encoders.encoder import BatchedEncoder

COOL_DOWN_S = 60.0
"""How long a failure is simply repeated before loading is tried again."""
LOG = logging.getLogger(__name__)


class EncoderSettings(Protocol):
    """The part of the settings that matters here."""

    @property
    def encoder(self) -> str:
        """Which encoder."""
        ...

    @property
    def device(self) -> str:
        """Where it computes."""
        ...


def encoder_from(settings: EncoderSettings) -> LazyEncoder | None:
    """The encoder that the settings name, not loaded yet; None for `ENCODER=none`.

    Raises:
        SettingsError: `ENCODER` names no encoder.
    """
    spec = parse(settings.encoder)
    return None if spec is None else LazyEncoder(spec, device=settings.device)


class LazyEncoder:
    """Loads its encoder at the first need, in a thread of its own, for all who wait.

    Args:
        spec: Which encoder.
        device: As in the setting DEVICE.
        cool_down_s: How long a failure is repeated without a new attempt.
    """

    def __init__(
        self, spec: Spec, *, device: str = "auto", cool_down_s: float = COOL_DOWN_S
    ) -> None:
        self.spec = spec.text
        self._spec = spec
        self._device = device
        self._cool_down_s = cool_down_s
        self._key: str | None = None
        self._lock = threading.Lock()
        self._loading: Future[BatchedEncoder] | None = None
        self._is_closed = False
        self._failed_at = 0.0
        self._fetched = 0
        self._to_fetch: int | None = None

    @property
    def key(self) -> str:
        """Name of this encoder's vectors: changes with the model, not with where it lies.

        Safe as part of a file's or a collection's name. Known without loading anything; for a
        model in a folder its files are read once.
        """
        if self._key is None:
            self._key = self._spec.key()
        # Nothing is ever stored under this name: what cannot be loaded embeds nothing.
        return self._key or f"{self._spec.family}-local-absent"

    @property
    def is_loaded(self) -> bool:
        """Whether questions are answered without a wait."""
        loading = self._loading
        return loading is not None and loading.done() and loading.exception() is None

    def prewarm(self) -> None:
        """Begin loading in the background; a failure is logged, and told to whoever asks later."""
        self._begin()

    def load(self, timeout_s: float | None = None) -> BatchedEncoder:
        """The encoder, once it is loaded; concurrent callers share one attempt.

        On a terminal the main thread shows a progress bar meanwhile.

        Args:
            timeout_s: How long to wait for an attempt under way; None for as long as it takes.

        Raises:
            EncoderUnavailableError: It cannot be loaded, or is not loaded yet. After a failure
                the same is said without a new attempt until the cool-down is over.
            SettingsError: DEVICE names a device that is not there.
        """
        loading = self._begin()
        if (
            not loading.done()
            and timeout_s is None
            and sys.stderr.isatty()
            and threading.current_thread() is threading.main_thread()
        ):
            self._show(loading)
        try:
            failure = loading.exception(timeout_s)
        except FutureTimeoutError:
            raise EncoderUnavailableError(
                f"The encoder {self.spec} is still being loaded; try again in a moment.",
                key="encoder_loading",
                encoder=self.spec,
            ) from None
        if failure is not None:
            # One failure is told to many: their tracebacks must not pile up on it.
            raise failure.with_traceback(None)
        return loading.result()

    def close(self) -> None:
        """Let the encoder's thread go, now or when it is loaded. Not to be used afterwards."""
        with self._lock:
            self._is_closed = True
            loading = self._loading
        if loading is not None and loading.done() and loading.exception() is None:
            loading.result().close()

    def _begin(self) -> Future[BatchedEncoder]:
        with self._lock:
            loading = self._loading
            if loading is not None and not self._may_retry(loading):
                return loading
            self._fetched, self._to_fetch = 0, None
            self._loading = loading = Future()
            threading.Thread(
                target=self._load, args=(loading,), name="encoder-loader", daemon=True
            ).start()
            return loading

    def _may_retry(self, loading: Future[BatchedEncoder]) -> bool:
        if not loading.done() or loading.exception() is None:
            return False
        return time.monotonic() - self._failed_at >= self._cool_down_s

    def _load(self, loading: Future[BatchedEncoder]) -> None:
        start = time.monotonic()
        LOG.info("loading the encoder %s", self.spec)
        try:
            from engine.encoders.encoder import BatchedEncoder
            from engine.encoders.loading import load_network

            network = load_network(self._spec, self._device, self._report)
            encoder = BatchedEncoder(network, key=self.key)
        except LookalikeError as error:
            failure: LookalikeError = error
        except Exception as error:  # noqa: BLE001 - whatever a model's library raises means just this
            failure = self._unloadable(error)
        else:
            LOG.info("the encoder is ready after %.1f s", time.monotonic() - start)
            with self._lock:
                loading.set_result(encoder)
                is_late = self._is_closed
            if is_late:
                encoder.close()
            return
        LOG.warning("%s", failure)
        self._failed_at = time.monotonic()
        loading.set_exception(failure)

    def _unloadable(self, error: Exception) -> EncoderUnavailableError:
        LOG.debug("loading %s failed", self.spec, exc_info=error)
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        failure = EncoderUnavailableError(
            f"The encoder {self.spec} cannot be loaded: {reason}",
            key="encoder_broken",
            reason=reason,
        )
        failure.__cause__ = error
        return failure

    def _report(self, fetched: int, whole: int | None) -> None:
        if self._fetched == 0 and fetched == 0:
            LOG.info("downloading %s MB", round(whole / 1e6) if whole else "an unknown number of")
        self._fetched += fetched
        self._to_fetch = whole

    def _show(self, loading: Future[BatchedEncoder]) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task(f"Loading {self.spec}", total=None)
            while not loading.done():
                progress.update(task, completed=self._fetched, total=self._to_fetch)
                time.sleep(0.05)
