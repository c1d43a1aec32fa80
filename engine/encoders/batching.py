"""Concurrent callers share a batch: one thread computes, and takes everything that waits."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.errors import EncoderUnavailableError

T = TypeVar("T", bound=np.generic)
Compute = Callable[[NDArray[T]], NDArray[np.float32]]

MAX_WAITING_ROWS = 256
"""Per kind of caller; further ones wait for room."""
PATIENCE = 8
"""Bulk work is never passed over more often than this in a row."""


@dataclass(slots=True)
class _Job(Generic[T]):
    rows: NDArray[T]
    compute: Compute[T]
    result: Future[NDArray[np.float32]] = field(default_factory=Future)

    def fits_with(self, other: _Job[T]) -> bool:
        return self.compute is other.compute and self.rows.shape[1:] == other.rows.shape[1:]


class Batcher:
    """Runs all computations of one network, one at a time, in batches.

    While a batch is computed, later callers queue up and form the next one: nobody waits for
    company, and under load batches fill by themselves. Questions go before bulk work.

    Args:
        max_rows: Largest batch.
        name: Of the thread.
    """

    def __init__(self, max_rows: int, *, name: str = "encoder") -> None:
        self._max_rows = max_rows
        self._state = threading.Condition()
        self._urgent: deque[_Job[np.generic]] = deque()
        self._bulk: deque[_Job[np.generic]] = deque()
        self._passed_over = 0
        self._is_closed = False
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def run(self, compute: Compute[T], rows: NDArray[T], *, is_bulk: bool) -> NDArray[np.float32]:
        """Compute rows, perhaps together with other callers' rows; waits for the result.

        Args:
            compute: A row in, a row out, for any number of rows.
            rows: At least one.
            is_bulk: Let others' questions go first.

        Raises:
            EncoderUnavailableError: The batcher is closed.
            Exception: What `compute` raised on these very rows.
        """
        jobs = [
            _Job(rows[start : start + self._max_rows], compute)
            for start in range(0, len(rows), self._max_rows)
        ]
        for job in jobs:
            self._put(job, self._bulk if is_bulk else self._urgent)  # type: ignore[arg-type]
        results = [job.result.result() for job in jobs]
        return results[0] if len(results) == 1 else np.concatenate(results)

    def close(self) -> None:
        """Finish what waits, then stop."""
        with self._state:
            self._is_closed = True
            self._state.notify_all()
        self._thread.join()

    def _put(self, job: _Job[np.generic], lane: deque[_Job[np.generic]]) -> None:
        with self._state:
            self._state.wait_for(
                lambda: self._is_closed or sum(len(j.rows) for j in lane) < MAX_WAITING_ROWS
            )
            if self._is_closed:
                raise EncoderUnavailableError("The encoder was closed.", key="encoder_closed")
            lane.append(job)
            self._state.notify_all()

    def _work(self) -> None:
        while jobs := self._take():
            _compute(jobs)

    def _take(self) -> list[_Job[np.generic]]:
        """The next batch, as soon as anything waits; empty when closed and done."""
        with self._state:
            self._state.wait_for(lambda: self._urgent or self._bulk or self._is_closed)
            is_bulk_due = self._bulk and self._passed_over >= PATIENCE
            lane = self._urgent if self._urgent and not is_bulk_due else self._bulk
            self._passed_over = self._passed_over + 1 if lane is self._urgent and self._bulk else 0
            jobs: list[_Job[np.generic]] = []
            room = self._max_rows
            while lane and len(lane[0].rows) <= room and (not jobs or lane[0].fits_with(jobs[0])):
                jobs.append(lane.popleft())
                room -= len(jobs[-1].rows)
            self._state.notify_all()
            return jobs


def _compute(jobs: list[_Job[np.generic]]) -> None:
    """Compute several jobs as one; if that fails, each alone, so that an error finds its owner."""
    try:
        together = jobs[0].rows if len(jobs) == 1 else np.concatenate([job.rows for job in jobs])
        results = jobs[0].compute(together)
    except BaseException as error:  # noqa: BLE001 - handed to whoever waits for the result
        if len(jobs) == 1:
            jobs[0].result.set_exception(error)
            return
        for job in jobs:
            _compute([job])
        return
    start = 0
    for job in jobs:
        job.result.set_result(results[start : start + len(job.rows)])
        start += len(job.rows)
