"""Sign-ins that last: a random token in a cookie, kept only as a hash; it ends when idle, when old, or at once."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from comptoir.access.operators import Operator, get
from comptoir.store import Database, OperatorId, TenantId
from comptoir.store.rows import only
from comptoir.store.tables import SESSIONS

__all__ = ["Session", "begin", "end", "end_all", "find"]

_IDLE_END = timedelta(hours=12)
_ABSOLUTE_END = timedelta(days=7)
_SEEN_EVERY = timedelta(minutes=5)


class Session(msgspec.Struct, frozen=True, kw_only=True):
    operator: Operator
    csrf: str


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def begin(tx: Connection, operator: Operator, now: datetime) -> str:
    """The token of a new session; it is told once and goes into the cookie."""
    token = secrets.token_urlsafe(32)
    tx.execute(sa.delete(SESSIONS).where(only(SESSIONS, operator.tenant_id, SESSIONS.c.created < now - _ABSOLUTE_END)))
    tx.execute(
        sa.insert(SESSIONS).values(
            token_hash=_hashed(token),
            tenant_id=operator.tenant_id,
            operator_id=operator.id,
            csrf=secrets.token_urlsafe(32),
            created=now,
            last_seen=now,
        )
    )
    return token


def find(db: Database, token: str, now: datetime) -> Session | None:
    """The session of a cookie's token, if it lives and its operator may still sign in."""
    condition = sa.and_(SESSIONS.c.token_hash == _hashed(token), SESSIONS.c.tenant_id.is_not(None))
    with db.read() as tx:
        row = tx.execute(sa.select(SESSIONS).where(condition)).one_or_none()
        if row is None or now - row.last_seen > _IDLE_END or now - row.created > _ABSOLUTE_END:
            return None
        operator = get(tx, row.tenant_id, row.operator_id)
    if operator.disabled is not None:
        return None
    if now - row.last_seen > _SEEN_EVERY:
        with db.write() as tx:
            tx.execute(sa.update(SESSIONS).where(condition).values(last_seen=now))
    return Session(operator=operator, csrf=row.csrf)


def end(tx: Connection, token: str) -> None:
    condition = sa.and_(SESSIONS.c.token_hash == _hashed(token), SESSIONS.c.tenant_id.is_not(None))
    tx.execute(sa.delete(SESSIONS).where(condition))


def end_all(tx: Connection, tenant: TenantId, operator: OperatorId) -> None:
    """At a password change, or when an operator is disabled."""
    tx.execute(sa.delete(SESSIONS).where(only(SESSIONS, tenant, SESSIONS.c.operator_id == operator)))
