"""How a list is kept up with: read whole, or asked for what changed since it was last read; and what its count says.

Changes are asked for from the newest one seen, less an overlap. That changes were asked for and given is seen from the
answer; that nothing was deleted, from the count of the whole list, which is held against what is kept of it.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import msgspec

from comptoir.store.cursors import Cursor
from comptoir.store.raw import Standing
from comptoir.sync.sweep import is_suspicious
from comptoir.sync.walk import Walk, Window

__all__ = ["Weighed", "is_deaf", "is_due", "moved", "since", "weigh"]

# A change may be dated when its work began and be seen only when it ended, and dates have whole seconds.
OVERLAP = timedelta(minutes=30)
_PROBE_AGAIN = timedelta(days=30)
# Every list is read whole now and then, whatever it tells; spread, so that not all of them are at once.
_WHOLE_AGAIN, _SPREAD_DAYS = timedelta(days=14), 14
_MOST_NARROWED = 50
_CLOCKS_DIFFER = timedelta(minutes=1)  # an upstream is several machines
_FIRST_DATE = datetime(1, 1, 1, tzinfo=UTC)


def since(cursor: Cursor | None, held: Standing, *, page_size: int, now: datetime, salt: str) -> datetime | None:
    """From when on to ask for changes; None to read the whole list.

    A list of one page is read whole: that costs no more, and shows what is gone.
    """
    if cursor is None or cursor.seen is None or cursor.unread or held.live <= page_size:
        return None
    if is_deaf(cursor, now) or is_due(cursor, now, salt):
        return None
    return max(cursor.seen, _FIRST_DATE + OVERLAP) - OVERLAP


def is_put_back(window: Window) -> bool:
    """Whether the upstream's clock stands before the newest change that was seen: then it was put back since, and what
    changed is dated earlier than what was asked for."""
    if window.since is None or window.begun_at is None:
        return False
    return window.begun_at - window.since < OVERLAP - _CLOCKS_DIFFER


def is_deaf(cursor: Cursor | None, now: datetime) -> bool:
    """Whether the upstream did not hear when it was asked for changes, and need not be asked again yet."""
    return cursor is not None and cursor.ignored_at is not None and now - cursor.ignored_at < _PROBE_AGAIN


def is_due(cursor: Cursor, now: datetime, salt: str) -> bool:
    """Whether it is time to read a list whole, whatever it tells; the salt spreads lists over time."""
    spread = timedelta(days=zlib.crc32(salt.encode()) % (_SPREAD_DAYS * 24) / 24)
    return now - cursor.whole_at > _WHOLE_AGAIN + spread


def moved(before: Cursor | None, name: str, window: Window, held: Standing, now: datetime) -> Cursor:
    """The cursor after a window was read to its end.

    What changed after the reading began may have been missed, so the cursor stays before it; a record dated in the
    future does not lead it astray either.
    """
    dates = [held.newest, before.seen if before is not None else None]
    newest = max(filter(None, dates), default=None)
    if newest is not None and window.begun_at is not None:
        newest = min(newest, window.begun_at)
    if window.since is not None and before is not None:
        return msgspec.structs.replace(before, seen=newest)
    ignored_at = None
    if not window.tells_changes:
        ignored_at = before.ignored_at if before is not None and before.ignored_at is not None else now
    return Cursor(window_name=name, seen=newest, whole_at=now, unread=window.unread, ignored_at=ignored_at)


class Weighed(msgspec.Struct, frozen=True, kw_only=True):
    """What the counts of windows asked for changes say: which must be asked again, read whole, or are short of so many
    records and can be searched for them."""

    again: bool = False
    whole: frozenset[str] = frozenset()
    short: Mapping[str, int] = {}


def weigh(walk: Walk, held: Mapping[str, Standing], *, can_narrow: bool) -> Weighed:
    whole: set[str] = set()
    short: dict[str, int] = {}
    for name, window in walk.partial.items():
        lacking = None if window.total is None else held.get(name, Standing()).live - window.total
        if lacking is None or window.unread:
            whole.add(name)
        elif lacking < 0:  # there is more than changes told of: something came meanwhile, or was missed
            if walk.attempt == 1:
                return Weighed(again=True)
            whole.add(name)
        elif window.is_narrowed:
            if window.missing is None:
                whole.add(name)
        elif lacking:
            short[name] = lacking
    in_all = sum(short.values())
    if not can_narrow or in_all > _MOST_NARROWED or is_suspicious(sum(one.live for one in held.values()), in_all):
        whole |= short.keys()
    return Weighed(whole=frozenset(whole), short={name: n for name, n in short.items() if name not in whole})
