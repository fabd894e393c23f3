"""One thing at a time over a connection: a sync, or a remap."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from comptoir.errors import TryLater
from comptoir.jobs import Stopped
from comptoir.store import ConnectionId, Database, TenantId, leases

__all__ = ["Turns"]

_LOOK_UP_SECONDS = 0.2


class Turns:
    """Of one process; with a database also between all processes that hold a lease, `number` being this one's."""

    def __init__(self, db: Database | None = None, number: Callable[[], int | None] = lambda: None) -> None:
        self._db, self._number = db, number
        self._taken: set[ConnectionId] = set()
        self._changed = threading.Condition()

    @contextmanager
    def take(
        self,
        tenant: TenantId,
        connection: ConnectionId,
        should_stop: Callable[[], bool],
        waits: Callable[[], None] = lambda: None,
    ) -> Iterator[None]:
        """Wait for the turn and hold it; `waits` is called if there is something to wait for. Raises Stopped when asked
        to stop while it waits, or when this process has lost its lease."""
        number = self._number()
        with self._changed:
            is_told = False
            while not self._try(tenant, connection, number):
                if not is_told:
                    waits()
                    is_told = True
                if should_stop():
                    raise Stopped
                self._changed.wait(_LOOK_UP_SECONDS)
        try:
            yield
        finally:
            # Others wait for it: a database that is away is waited for. Where this process ends, the turn ends with
            # its lease.
            while not self._end_between(tenant, connection, number) and not should_stop():
                with self._changed:
                    self._changed.wait(_LOOK_UP_SECONDS)
            with self._changed:
                self._taken.discard(connection)
                self._changed.notify_all()

    def _end_between(self, tenant: TenantId, connection: ConnectionId, number: int | None) -> bool:
        if self._db is None or number is None:
            return True
        with suppress(TryLater), self._db.write() as tx:
            leases.end_turn(tx, tenant, connection, number)
            return True
        return False

    def _try(self, tenant: TenantId, connection: ConnectionId, number: int | None) -> bool:
        if connection in self._taken:
            return False
        if self._db is not None and number is not None and not self._try_between(self._db, tenant, connection, number):
            return False
        self._taken.add(connection)
        return True

    def _try_between(self, db: Database, tenant: TenantId, connection: ConnectionId, number: int) -> bool:
        with suppress(TryLater), db.write() as tx:
            if not leases.is_held(tx, number):
                raise Stopped
            return leases.take_turn(tx, tenant, connection, number)
        return False
