"""Where pages of lists began: a far page is looked for from the nearest place before it, not from the first record.

A place holds for one state of the records, which is part of its list's key; what changed is another list.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import OrderedDict
from operator import attrgetter
from threading import Lock
from typing import Any

import msgspec

__all__ = ["Place", "Places"]

_MOST_OF_A_LIST = 5000
_offset = attrgetter("offset")


class Place(msgspec.Struct, frozen=True):
    """The row that so many come before: its key, and what it is ordered by if by anything else."""

    offset: int
    key: int
    value: Any


class Places:
    """Of the `most_lists` asked for last, at least so many rows `apart`, which are passed over in no time; for all
    threads."""

    def __init__(self, most_lists: int = 100, *, apart: int = 1000) -> None:
        self._most_lists, self._apart = most_lists, apart
        self._lists: OrderedDict[tuple[Any, ...], list[Place]] = OrderedDict()
        self._lock = Lock()

    def before(self, of: tuple[Any, ...], offset: int) -> Place | None:
        """The nearest that is not behind `offset`."""
        with self._lock:
            if (found := self._lists.get(of)) is None:
                return None
            self._lists.move_to_end(of)
            at = bisect_right(found, offset, key=_offset)
            return found[at - 1] if at else None

    def is_wanted(self, of: tuple[Any, ...], offset: int) -> bool:
        """Whether none is known near this one."""
        with self._lock:
            found = self._lists.get(of, [])
            at = bisect_right(found, offset, key=_offset)
            before = found[at - 1].offset if at else 0
            is_near_next = at < len(found) and found[at].offset - offset < self._apart
            return offset - before >= self._apart and not is_near_next and len(found) < _MOST_OF_A_LIST

    def note(self, of: tuple[Any, ...], place: Place) -> None:
        with self._lock:
            found = self._lists.setdefault(of, [])
            self._lists.move_to_end(of)
            insort(found, place, key=_offset)
            while len(self._lists) > self._most_lists:
                self._lists.popitem(last=False)
