"""Where calls that were made are noted, with what is known of the upstream's clock: for one process, or for all.

Moments are seconds of a clock that never goes back: this process's own, or, where several share one budget, the
database's, which is one for all of them.
"""

from __future__ import annotations

import threading
from bisect import bisect_left, insort
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from typing import Protocol

from comptoir.runtime.clock import Clock
from comptoir.store import Database, spending
from comptoir.store.spending import Pause

__all__ = ["ADDRESS", "Entries", "InMemory", "Ledger", "Shared"]

ADDRESS = "the calling address"
_MEASURED_EVERY_SECONDS = 30.0


class Entries(Protocol):
    """The ledger while nobody else writes in it. Budgets are named; a window is so many seconds of the ledger's."""

    def recall(self, budget: str, seconds: float, begun: float) -> None:
        """Know what was spent in a window that is open by those who did not note it here."""
        ...

    def count(self, budget: str, seconds: float, since: float) -> int:
        """Calls noted from a moment on; `seconds` is the length of the window that this is asked for."""
        ...

    def note(self, budget: str, windows: Sequence[float], at: float) -> None: ...

    def pause(self, budget: str) -> Pause | None: ...

    def set_pause(self, budget: str, pause: Pause) -> None: ...

    def clock(self) -> tuple[float, float] | None: ...

    def set_clock(self, lowest: float, highest: float) -> None: ...

    def rename(self, budget: str, other: str) -> None: ...


class Ledger(Protocol):
    def at(self, monotonic: float) -> float:
        """The moment of one of this process's own monotonic seconds."""
        ...

    def turn(self) -> AbstractContextManager[Entries]:
        """TryLater when the database does not answer."""
        ...


class InMemory:
    """Of one process. `spent` tells how many calls of a budget (None: of all) were made since a moment by processes
    before this one: one that was killed in mid-read must not make its successor exceed the limit."""

    def __init__(self, clock: Clock, spent: Callable[[str | None, datetime], int]) -> None:
        self._clock, self._spent = clock, spent
        self._lock = threading.Lock()
        self._made: dict[tuple[str, float], list[float]] = {}  # ascending, by budget and window length
        self._pauses: dict[str, Pause] = {}
        self._bounds: tuple[float, float] | None = None

    def at(self, monotonic: float) -> float:
        return monotonic

    @contextmanager
    def turn(self) -> Iterator[Entries]:
        with self._lock:
            yield self

    def recall(self, budget: str, seconds: float, begun: float) -> None:
        if (budget, seconds) in self._made:
            return
        now, count = self._clock.monotonic(), 0
        if not budget.startswith(spending.REFRESH):
            whose = None if budget == ADDRESS else budget
            count = self._spent(whose, self._clock.now() - timedelta(seconds=now - begun))
        self._made[(budget, seconds)] = [now] * count

    def count(self, budget: str, seconds: float, since: float) -> int:
        made = self._made.get((budget, seconds), [])
        oldest = self._clock.monotonic() - 2 * seconds
        if len(made) > 64 and made[0] < oldest:
            del made[: bisect_left(made, oldest)]
        return len(made) - bisect_left(made, since)

    def note(self, budget: str, windows: Sequence[float], at: float) -> None:
        for seconds in windows:
            insort(self._made.setdefault((budget, seconds), []), at)

    def pause(self, budget: str) -> Pause | None:
        return self._pauses.get(budget)

    def set_pause(self, budget: str, pause: Pause) -> None:
        self._pauses[budget] = pause

    def clock(self) -> tuple[float, float] | None:
        return self._bounds

    def set_clock(self, lowest: float, highest: float) -> None:
        self._bounds = (lowest, highest)

    def rename(self, budget: str, other: str) -> None:
        for name, seconds in [key for key in self._made if key[0] == budget]:
            for moment in self._made.pop((name, seconds)):
                insort(self._made.setdefault((other, seconds), []), moment)


class Shared:
    """Of all processes over one PostgreSQL, whichever of them call; what one of them noted outlives it.

    All of them are taken to call from one address: then its limit is never exceeded, wherever they run.
    """

    def __init__(self, db: Database, clock: Clock, integration_key: str) -> None:
        self._db, self._clock, self._key = db, clock, integration_key
        self._lock = threading.Lock()  # one session of the database for each process, however many threads call
        self._ahead: float | None = None  # the database's clock before our own
        self._measured_at, self._trip = 0.0, 0.0

    def at(self, monotonic: float) -> float:
        if self._ahead is None:
            with self._db.read() as tx:
                self._measure(lambda: spending.moment(tx))
        assert self._ahead is not None
        return monotonic + self._ahead

    @contextmanager
    def turn(self) -> Iterator[Entries]:
        with self._lock, self._db.write() as tx:
            spending.take_turn(tx, self._key)
            self._measure(lambda: spending.moment(tx))
            yield spending.Entries(tx, self._key, ADDRESS)

    def _measure(self, ask: Callable[[], float]) -> None:
        """Learn how far the clocks are apart; the quickest of the lately given answers tells it best."""
        began = self._clock.monotonic()
        theirs = ask()
        ended = self._clock.monotonic()
        is_old = ended - self._measured_at > _MEASURED_EVERY_SECONDS
        if self._ahead is None or is_old or ended - began <= self._trip:
            self._ahead, self._trip, self._measured_at = theirs - (began + ended) / 2, ended - began, ended
