"""One thing at a time over a connection: a sync, or a remap."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from comptoir.jobs import Stopped
from comptoir.store import ConnectionId

__all__ = ["Turns"]

_LOOK_UP_SECONDS = 0.2


class Turns:
    """Of one process; on SQLite there is no other."""

    def __init__(self) -> None:
        self._taken: set[ConnectionId] = set()
        self._changed = threading.Condition()

    @contextmanager
    def take(
        self, connection: ConnectionId, should_stop: Callable[[], bool], waits: Callable[[], None] = lambda: None
    ) -> Iterator[None]:
        """Wait for the turn and hold it; `waits` is called if there is something to wait for. Raises Stopped when asked
        to stop while it waits."""
        with self._changed:
            if connection in self._taken:
                waits()
            while connection in self._taken:
                if should_stop():
                    raise Stopped
                self._changed.wait(_LOOK_UP_SECONDS)
            self._taken.add(connection)
        try:
            yield
        finally:
            with self._changed:
                self._taken.discard(connection)
                self._changed.notify_all()
