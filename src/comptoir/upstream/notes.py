"""Calls are noted while somebody asked for it: a sync does, to list them with what it read.

Whoever makes a call need not know of the sync: the notes of the thread's context are taken, and a thread that is
begun with a copy of that context writes into the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from comptoir.store.calls import Made

__all__ = ["Notes", "current", "noting"]


class Notes:
    """Calls made since they were last taken. Safe to use from threads."""

    def __init__(self) -> None:
        self._made: deque[Made] = deque()

    def add(self, made: Made) -> None:
        self._made.append(made)

    def take(self) -> list[Made]:
        """What was noted since the last time."""
        taken = []
        while self._made:
            taken.append(self._made.popleft())
        return taken


_current: ContextVar[Notes | None] = ContextVar("calls", default=None)


def current() -> Notes | None:
    return _current.get()


@contextmanager
def noting(notes: Notes) -> Iterator[None]:
    """Calls made inside, also by threads that are begun with a copy of this context, are noted."""
    before = _current.set(notes)
    try:
        yield
    finally:
        _current.reset(before)
