"""A process's tenure: its lease, kept up while it lives, and what follows from the leases of the others.

A process that was frozen or cut off for longer than its lease finds it buried: it then puts down what it has and begins
anew under a new number. Only on PostgreSQL; on SQLite there is no other process.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from uuid import uuid4

import msgspec

from comptoir.errors import ProductError
from comptoir.runtime.clock import Clock
from comptoir.store import Database, leases
from comptoir.store.leases import Lease

__all__ = ["Tenure", "Turn"]

_log = logging.getLogger(__name__)
_TURNS_A_LEASE = 12  # one of a minute is renewed, and the others' looked at, every five seconds
_TURNS_MISSED = 2  # by a process that has no session either: it is gone


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """What a look at the leases told. `is_working`: whether this process is to work now; a server does while there is
    no worker. `is_eldest`: of those that work. `buried`: somebody's work was left lying."""

    number: int
    executor: str
    is_working: bool
    is_eldest: bool
    buried: bool


class Tenure:
    """Keeps one lease; `turned` hears of each look at all of them, in this tenure's own thread."""

    def __init__(self, db: Database, clock: Clock, process: str, *, is_worker: bool, seconds: float) -> None:
        self._db, self._clock, self.process = db, clock, process
        self._is_worker, self._seconds = is_worker, seconds
        self._number: int | None = None
        self._executor = ""
        self._renewed_at = 0.0
        self._buries_from = 0.0
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def number(self) -> int | None:
        """Under which this process may write; None before `begin`."""
        return self._number

    def begin(self, turned: Callable[[Turn], None]) -> None:
        """Take a lease, look around once, and go on doing so."""
        turned(self.turn())

        def run() -> None:
            while not self._over.wait(self._seconds / _TURNS_A_LEASE):
                try:
                    turned(self.turn())
                except ProductError as error:  # the database is down: work waits for it too
                    _log.warning("the lease could not be renewed: %s", error.message)
                except Exception:
                    _log.exception("a look at the leases failed")

        self._thread = threading.Thread(target=run, name="lease", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Look no more. The lease is still held, until it is given back."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def executors(self) -> set[str]:
        """Under what names work may be filed: of all leases that are not buried."""
        with self._db.read() as tx:
            return {one.executor for one in (*leases.held(tx), *leases.expired(tx))}

    def give_back(self) -> None:
        if self._number is not None:
            with self._db.write() as tx:
                leases.give_back(tx, self._number)
            self._number = None

    def turn(self) -> Turn:
        """Renew, or take a new lease if the old one was buried; then bury what others let run out."""
        now = self._clock.monotonic()
        if self._number is not None and now - self._renewed_at > self._seconds:
            # The database, or this very machine, stood still: the others need a moment to be back too.
            self._buries_from = now + self._seconds
        with self._db.write() as tx:
            if self._number is None or not leases.renew(tx, self._number, self._seconds):
                if self._number is not None:
                    _log.warning("lease %s was taken over; work begins anew", self._number)
                self._executor = str(uuid4())
                self._number = leases.take(
                    tx,
                    executor=self._executor,
                    process=self.process,
                    is_worker=self._is_worker,
                    seconds=self._seconds,
                )
            if now >= self._buries_from:
                silent = self._seconds * _TURNS_MISSED / _TURNS_A_LEASE
                leases.end_deserted(tx, silent_seconds=silent, seconds=self._seconds)
            held, expired = leases.held(tx), leases.expired(tx)
        self._renewed_at = now
        buried = self._bury(expired) if expired and now >= self._buries_from else False
        workers = [one.number for one in held if one.is_worker] or [one.number for one in held]
        return Turn(
            number=self._number,
            executor=self._executor,
            is_working=self._number in workers,
            is_eldest=self._number == min(workers, default=None),
            buried=buried,
        )

    def _bury(self, expired: list[Lease]) -> bool:
        with self._db.write() as tx:
            leases.cut_off(tx, {one.process for one in expired})
        with self._db.write() as tx:
            gone = [one for one in expired if leases.bury(tx, one.number)]
        for one in gone:
            _log.warning("process %s has not renewed its lease %s: its work is taken over", one.process, one.number)
        return bool(gone)
