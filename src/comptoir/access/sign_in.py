"""Signing in: growing delays for whoever guesses, no permanent lock, the same answer and time for unknown people.

Failures are counted for an e-mail address from one network address, and, more patiently, for a network address alone:
so guessing one password often and one password for many people are both slow, and nobody can lock another out.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import Connection

from comptoir.access import operators, passwords, sessions
from comptoir.errors import InvalidInput, TryLater
from comptoir.store import Database
from comptoir.store.rows import insert_if_free, only
from comptoir.store.tables import OPERATORS
from comptoir.store.tables import SIGN_IN_FAILURES as TABLE

__all__ = ["sign_in"]

_FREE_FOR_EMAIL, _FREE_FOR_ADDRESS = 5, 50
_LONGEST_WAIT_SECONDS = 300
_FORGOTTEN_AFTER = timedelta(hours=24)


def sign_in(db: Database, *, email: str, password: str, address: str, now: datetime) -> str:
    """The token of a new session.

    Raises InvalidInput when e-mail address or password is wrong (it does not say which), and TryLater after too many
    failures, without looking at the password.
    """
    email = email.strip().lower()[:254]
    keys = ((_key(email, address), _FREE_FOR_EMAIL), (_key(address), _FREE_FOR_ADDRESS))
    # The failure is counted before the password is looked at: guesses sent side by side count all the same.
    with db.write() as tx:
        wait = max(_waits(tx, key, free, now) for key, free in keys)
        if wait <= 0:
            for key, _ in keys:
                _count(tx, key, now)
    if wait > 0:
        raise TryLater(
            f"There were too many failed sign-ins. Wait {wait} seconds, then try again.", retry_after_seconds=wait
        )
    with db.read() as tx:
        # No tenant is known yet: the e-mail address is unique over all of them.
        condition = sa.and_(OPERATORS.c.email == email, OPERATORS.c.tenant_id.is_not(None))
        row = tx.execute(sa.select(OPERATORS).where(condition, OPERATORS.c.disabled.is_(None))).one_or_none()
    if not passwords.matches(password, None if row is None else row.password_hash) or row is None:
        raise InvalidInput("The e-mail address or the password is not right.")
    operator = operators.of_row(row)
    fresh = passwords.hashed(password) if passwords.is_outdated(row.password_hash) else None
    with db.write() as tx:
        tx.execute(sa.delete(TABLE).where(TABLE.c.key == keys[0][0]))
        _uncount(tx, keys[1][0])
        if fresh is not None:
            mine = only(OPERATORS, operator.tenant_id, OPERATORS.c.id == operator.id)
            tx.execute(sa.update(OPERATORS).where(mine).values(password_hash=fresh))
        return sessions.begin(tx, operator, now)


def _key(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _waits(tx: Connection, key: str, free: int, now: datetime) -> int:
    """Seconds until another try is looked at. From here to the end of the transaction no other one may count."""
    insert_if_free(tx, TABLE, key=key, count=0, last=now)
    mine = sa.select(TABLE.c.count.label("failures"), TABLE.c.last).where(TABLE.c.key == key)
    row = tx.execute(mine.with_for_update()).one()
    if row.failures < free or now - row.last > _FORGOTTEN_AFTER:
        return 0
    delay = min(2 ** min(row.failures - free, 16), _LONGEST_WAIT_SECONDS)
    return int(max(0.0, -(-(row.last + timedelta(seconds=delay) - now).total_seconds() // 1)))


def _count(tx: Connection, key: str, now: datetime) -> None:
    forgotten = TABLE.c.last < now - _FORGOTTEN_AFTER
    mine = sa.update(TABLE).where(TABLE.c.key == key)
    tx.execute(mine.values(count=sa.case((forgotten, 1), else_=TABLE.c.count + 1), last=now))
    # Those that others count in just now are theirs.
    old = sa.select(TABLE.c.key).where(forgotten).with_for_update(skip_locked=True)
    tx.execute(sa.delete(TABLE).where(TABLE.c.key.in_(old)))


def _uncount(tx: Connection, key: str) -> None:
    tx.execute(sa.update(TABLE).where(TABLE.c.key == key).values(count=TABLE.c.count - 1))
