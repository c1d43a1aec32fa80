"""Concurrent callers share a batch, and each gets what is his."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pytest

from engine.encoders.batching import MAX_WAITING_ROWS, PATIENCE, Batcher
from engine.errors import EncoderUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray


class Doubler:
    """Doubles rows, remembers its batches, and can be held up in the middle of one."""

    def __init__(self) -> None:
        self.batches: list[list[float]] = []
        self.go_on = threading.Event()
        self.go_on.set()
        self.is_busy = threading.Event()

    def compute(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        self.is_busy.set()
        assert self.go_on.wait(10)
        self.batches.append(rows[:, 0].tolist())
        if (rows < 0).any():
            raise ValueError("a negative row")
        return 2 * rows


def rows(*values: float) -> NDArray[np.float32]:
    return np.array([[value] for value in values], np.float32)


@pytest.fixture
def batcher() -> Iterator[Batcher]:
    batcher = Batcher(8)
    yield batcher
    batcher.close()


def wait_for_waiting(batcher: Batcher, urgent: int, bulk: int) -> None:
    def is_so() -> bool:
        return (len(batcher._urgent), len(batcher._bulk)) == (urgent, bulk)

    with batcher._state:
        assert batcher._state.wait_for(is_so, 10)


def test_32_callers_share_few_batches_and_get_their_own_rows(batcher: Batcher) -> None:
    doubler = Doubler()
    compute = doubler.compute
    doubler.go_on.clear()
    with ThreadPoolExecutor(32) as pool:
        answers = [pool.submit(batcher.run, compute, rows(0, 100), is_bulk=False)]
        assert doubler.is_busy.wait(10)
        answers += [
            pool.submit(batcher.run, compute, rows(n, n + 100), is_bulk=False) for n in range(1, 32)
        ]
        wait_for_waiting(batcher, 31, 0)
        doubler.go_on.set()
        for n, answer in enumerate(answers):
            assert answer.result().tolist() == [[2 * n], [2 * n + 200]]
    assert len(doubler.batches) == 1 + -(-31 * 2 // 8)


def test_an_error_goes_to_its_caller_alone(batcher: Batcher) -> None:
    doubler = Doubler()
    compute = doubler.compute
    doubler.go_on.clear()
    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(batcher.run, compute, rows(0), is_bulk=False)]
        assert doubler.is_busy.wait(10)
        answers += [
            pool.submit(batcher.run, compute, rows(-1 if n == 3 else n), is_bulk=False)
            for n in range(1, 8)
        ]
        wait_for_waiting(batcher, 7, 0)
        doubler.go_on.set()
        for n, answer in enumerate(answers):
            if n == 3:
                with pytest.raises(ValueError, match="negative"):
                    answer.result()
            else:
                assert answer.result().tolist() == [[2 * n]]


def test_questions_go_before_bulk_work_but_do_not_starve_it(batcher: Batcher) -> None:
    doubler = Doubler()
    compute = doubler.compute
    doubler.go_on.clear()
    with ThreadPoolExecutor(64) as pool:
        pool.submit(batcher.run, compute, rows(0), is_bulk=False)
        assert doubler.is_busy.wait(10)
        pool.submit(batcher.run, compute, rows(*[1000] * 16), is_bulk=True)
        wait_for_waiting(batcher, 0, 2)
        for n in range(PATIENCE + 2):
            pool.submit(batcher.run, compute, rows(*[n] * 8), is_bulk=False)
        wait_for_waiting(batcher, PATIENCE + 2, 2)
        doubler.go_on.set()
    kinds = ["bulk" if batch[0] == 1000 else "question" for batch in doubler.batches]
    assert kinds == [*["question"] * (PATIENCE + 1), "bulk", *["question"] * 2, "bulk"]


def test_a_large_batch_is_cut_and_put_together_again(batcher: Batcher) -> None:
    doubler = Doubler()
    many = rows(*range(21))
    assert batcher.run(doubler.compute, many, is_bulk=True).tolist() == (2 * many).tolist()
    assert [len(batch) for batch in doubler.batches] == [8, 8, 5]


def test_callers_wait_while_too_much_waits(batcher: Batcher) -> None:
    doubler = Doubler()
    compute = doubler.compute
    doubler.go_on.clear()
    with ThreadPoolExecutor(4) as pool:
        many = rows(*range(MAX_WAITING_ROWS))
        answers = [pool.submit(batcher.run, compute, many, is_bulk=True) for _ in range(4)]
        assert doubler.is_busy.wait(10)
        wait_for_waiting(batcher, 0, MAX_WAITING_ROWS // 8)
        doubler.go_on.set()
        for answer in answers:
            assert np.array_equal(answer.result(), 2 * many)


def test_closing_finishes_what_waits_and_refuses_what_comes() -> None:
    batcher, doubler = Batcher(8), Doubler()
    doubler.go_on.clear()
    with ThreadPoolExecutor(2) as pool:
        answer = pool.submit(batcher.run, doubler.compute, rows(1), is_bulk=False)
        assert doubler.is_busy.wait(10)
        closing = pool.submit(batcher.close)
        doubler.go_on.set()
        assert answer.result().tolist() == [[2]]
        closing.result()
    with pytest.raises(EncoderUnavailableError):
        batcher.run(doubler.compute, rows(1), is_bulk=False)
