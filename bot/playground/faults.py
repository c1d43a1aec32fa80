"""Trouble on demand: calls that fail as Telegram's own server and the way to it sometimes fail."""

from __future__ import annotations

import random
import threading
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Sequence

Kind = Literal[
    "flood", "error", "bad_gateway", "reset", "cut", "hang", "slow", "conflict", "blocked",
    "dead_file",
]  # fmt: skip
KINDS: tuple[str, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Fault:
    """One way for a call to fail.

    Attributes:
        kind: `flood` 429 · `error` 500 · `bad_gateway` 502 · `reset` the connection is reset
            instead of an answer · `cut` it is reset before the body is read · `hang` silence for
            `delay_s`, then a reset · `slow` a right answer, but late · `conflict` 409 ·
            `blocked` 403, and the person stays blocked · `dead_file` 400, and every file id of
            the call stays dead (calls without one go through).
        took_effect: `error`, `bad_gateway`, `reset`, `hang`, `slow`: the call does what it says
            before the trouble; otherwise never (`slow`: after the wait).
        retry_after: `flood`: seconds, as the answer says.
        delay_s: `hang` and `slow`.
        album_items: `flood` of an album: so many of its items are sent all the same.
    """

    kind: Kind
    took_effect: bool = False
    retry_after: int = 1
    delay_s: float = 1.0
    album_items: int | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"no fault is called {self.kind!r}; there are {', '.join(KINDS)}")


EVERYDAY: tuple[Fault, ...] = (
    Fault("flood"),
    Fault("error"),
    Fault("error", took_effect=True),
    Fault("bad_gateway"),
    Fault("bad_gateway", took_effect=True),
    Fault("reset"),
    Fault("reset", took_effect=True),
    Fault("cut"),
    Fault("slow", delay_s=0.5),
    Fault("slow", took_effect=True, delay_s=0.5),
)
"""What any long-lived bot meets; each of it goes by itself."""


@dataclass(slots=True)
class _Rule:
    """A share of calls, or the next ones."""

    methods: frozenset[str]
    faults: tuple[Fault, ...]
    share: float = 0.0
    seed: int = 0
    left: int = 0
    seen: int = 0

    def fits(self, method: str) -> bool:
        return not self.methods or method in self.methods

    def draw(self) -> Fault | None:
        """The fate of the next fitting call: it depends on the seed and its number alone."""
        self.seen += 1
        drawn = random.Random(f"{self.seed}:{self.seen}")
        if drawn.random() >= self.share:
            return None
        fault = drawn.choice(self.faults)
        if fault.kind == "flood" and fault.album_items is None:
            return replace(fault, album_items=drawn.randint(0, 3))
        return fault


class Faults:
    """Which calls are to fail, and how. Method names in any case; `download` is a file's."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next: deque[_Rule] = deque()
        self._shares: list[_Rule] = []

    def next(self, method: str, fault: Fault | Kind, *, times: int = 1) -> None:
        """Let the next `times` calls of a method (`*`: of any) fail."""
        methods = frozenset() if method == "*" else frozenset({method.lower()})
        with self._lock:
            self._next.append(_Rule(methods, _as_faults([fault]), left=times))

    def share(
        self,
        share: float,
        *,
        kinds: Sequence[Fault | Kind] = EVERYDAY,
        methods: Sequence[str] = (),
        seed: int = 0,
    ) -> None:
        """Let a share of calls fail, chosen by `seed` and the number of the call.

        Args:
            share: 0 to 1.
            kinds: What may happen, each as likely as the others.
            methods: Only these; none: all.
            seed: The same seed gives the same calls the same fate.
        """
        wanted = frozenset(method.lower() for method in methods)
        with self._lock:
            self._shares.append(_Rule(wanted, _as_faults(kinds), share=share, seed=seed))

    def clear(self) -> None:
        """From now on everything goes well."""
        with self._lock:
            self._next.clear()
            self._shares.clear()

    def draw(self, method: str) -> Fault | None:
        """What happens to this call."""
        with self._lock:
            for rule in self._next:
                if rule.fits(method):
                    rule.left -= 1
                    if not rule.left:
                        self._next.remove(rule)
                    return rule.faults[0]
            for rule in self._shares:
                if rule.fits(method) and (fault := rule.draw()):
                    return fault
        return None


def _as_faults(kinds: Sequence[Fault | Kind]) -> tuple[Fault, ...]:
    return tuple(kind if isinstance(kind, Fault) else Fault(kind) for kind in kinds)
