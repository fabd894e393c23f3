"""Growing delays for whoever guesses: a few tries are free, then each one waits longer, and none for ever."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from comptoir.store.rows import insert_if_free
from comptoir.store.tables import SIGN_IN_FAILURES as TABLE

__all__ = ["Counted", "counted", "forgiven", "network_of", "touched", "uncounted"]

_FORGOTTEN_AFTER = timedelta(hours=24)
_NETWORK_BITS = 64


class Counted(msgspec.Struct, frozen=True):
    """What tries are counted for, how many are free, and how long the longest wait is."""

    parts: tuple[str, ...]
    free: int
    longest_seconds: int

    @property
    def key(self) -> str:
        return hashlib.sha256("\n".join(self.parts).encode()).hexdigest()


def counted(tx: Connection, keys: Sequence[Counted], now: datetime) -> int:
    """Count a try for each of the keys and answer 0; or the seconds to wait before another one is looked at, which
    are not counted. A try is counted before it is looked at: guesses sent side by side count all the same."""
    wait = max(_waits(tx, one, now) for one in sorted(keys, key=lambda one: one.key))
    if wait > 0:  # and are kept nowhere: whoever goes on asking, each time for somebody else, fills no table
        made = sa.and_(TABLE.c.key.in_([one.key for one in keys]), TABLE.c.count == 0)
        tx.execute(sa.delete(TABLE).where(made))
        return wait
    for one in keys:
        _count(tx, one.key, now)
    return 0


def network_of(address: str) -> str:
    """Whose tries count together: those of an address, or of a network where each has one to itself, as in IPv6."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    return str(found if found.version == 4 else ip_network((int(found), _NETWORK_BITS), strict=False))


def forgiven(tx: Connection, key: Counted) -> None:
    """Forget all tries: whoever made them knew it in the end."""
    tx.execute(sa.delete(TABLE).where(TABLE.c.key == key.key))


def uncounted(tx: Connection, key: Counted) -> None:
    """Take back one try, which was right."""
    tx.execute(sa.update(TABLE).where(TABLE.c.key == key.key).values(count=TABLE.c.count - 1))


def touched(tx: Connection, key: Counted, now: datetime) -> None:
    """Write what is written there already."""
    tx.execute(sa.update(TABLE).where(TABLE.c.key == key.key).values(last=now))


def _waits(tx: Connection, counted: Counted, now: datetime) -> int:
    """Seconds until another try is looked at. From here to the end of the transaction no other one may count."""
    mine = sa.select(TABLE.c.count.label("failures"), TABLE.c.last).where(TABLE.c.key == counted.key)
    row = None
    while row is None:  # whoever signed in meanwhile has taken theirs away
        insert_if_free(tx, TABLE, key=counted.key, count=0, last=now)
        row = tx.execute(mine.with_for_update()).one_or_none()
    is_ahead = row.last - now > timedelta(seconds=counted.longest_seconds)  # of a clock that was put back since
    if row.failures < counted.free or now - row.last > _FORGOTTEN_AFTER or is_ahead:
        return 0
    delay = min(2 ** min(row.failures - counted.free, 16), counted.longest_seconds)
    return int(max(0.0, -(-(row.last + timedelta(seconds=delay) - now).total_seconds() // 1)))


def _count(tx: Connection, key: str, now: datetime) -> None:
    forgotten = TABLE.c.last < now - _FORGOTTEN_AFTER
    mine = sa.update(TABLE).where(TABLE.c.key == key)
    tx.execute(mine.values(count=sa.case((forgotten, 1), else_=TABLE.c.count + 1), last=now))
    # Those that others count in just now are theirs.
    old = sa.select(TABLE.c.key).where(forgotten).with_for_update(skip_locked=True)
    tx.execute(sa.delete(TABLE).where(TABLE.c.key.in_(old)))
