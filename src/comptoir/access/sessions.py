"""Sign-ins that last: a random token in a cookie, kept only as a hash; it ends when idle, when old, or at once.

One that awaits a code is nobody's session yet: it only says, for a few minutes, whose password was right.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from comptoir.access import operators
from comptoir.access.operators import Operator
from comptoir.store import Database, TenantId
from comptoir.store.rows import only
from comptoir.store.tables import OPERATORS, SESSIONS, TENANTS

__all__ = ["ABSOLUTE", "CODE_WITHIN", "IDLE", "Session", "awaiting", "begin", "end", "end_all", "find"]

IDLE = timedelta(hours=12)
ABSOLUTE = timedelta(days=7)
CODE_WITHIN = timedelta(minutes=10)
_SEEN_EVERY = timedelta(minutes=5)  # more often would only make the database write


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """Who is signed in; `csrf` goes into every form of the session and comes back with it.

    `lacks_second_factor`: the tenant asks everybody for one, and this operator has none yet.
    """

    operator: Operator
    lacks_second_factor: bool
    csrf: str
    created: datetime
    last_seen: datetime


def begin(tx: Connection, operator: Operator, now: datetime, *, awaits_code: bool = False) -> str:
    """The token of a new session; it is told once and goes into the cookie."""
    token = secrets.token_urlsafe(32)
    late = sa.and_(SESSIONS.c.awaits_code, SESSIONS.c.created <= now - CODE_WITHIN)
    over = sa.or_(SESSIONS.c.last_seen <= now - IDLE, SESSIONS.c.created <= now - ABSOLUTE, late)
    tx.execute(sa.delete(SESSIONS).where(only(SESSIONS, operator.tenant_id, over)))
    tx.execute(
        sa.insert(SESSIONS).values(
            token_hash=_hashed(token),
            tenant_id=operator.tenant_id,
            operator_id=operator.id,
            csrf=secrets.token_urlsafe(32),
            created=now,
            last_seen=now,
            awaits_code=awaits_code,
        )
    )
    return token


def find(db: Database, token: str, now: datetime) -> Session | None:
    """The session of a cookie's token, if it lives and its operator may still come in. That keeps it alive."""
    mine = _of(token, awaits_code=False)
    with db.read() as tx:
        held = tx.execute(sa.select(SESSIONS).where(mine)).one_or_none()
        if held is None or now >= min(held.last_seen + IDLE, held.created + ABSOLUTE):
            return None
        operator = _operator(tx, held)
        if operator is None:
            return None
        asked = sa.select(TENANTS.c.needs_second_factor).where(TENANTS.c.id == held.tenant_id)
        is_asked = tx.execute(asked).scalar_one()
    if now - held.last_seen > _SEEN_EVERY:
        db.write_if_free(lambda tx: tx.execute(sa.update(SESSIONS).where(mine).values(last_seen=now)))
    return Session(
        operator=operator,
        lacks_second_factor=is_asked and not operator.has_second_factor,
        csrf=held.csrf,
        created=held.created,
        last_seen=held.last_seen,
    )


def awaiting(db: Database, token: str, now: datetime) -> Operator | None:
    """Whose code a token's session awaits, if it does and it is not too late."""
    with db.read() as tx:
        held = tx.execute(sa.select(SESSIONS).where(_of(token, awaits_code=True))).one_or_none()
        return None if held is None or now >= held.created + CODE_WITHIN else _operator(tx, held)


def _of(token: str, *, awaits_code: bool) -> sa.ColumnElement[bool]:
    # No tenant is known yet: the token tells it.
    return sa.and_(
        SESSIONS.c.token_hash == _hashed(token),
        SESSIONS.c.tenant_id.is_not(None),
        SESSIONS.c.awaits_code.is_(awaits_code),
    )


def _operator(tx: Connection, held: sa.Row[tuple[object, ...]]) -> Operator | None:
    """Whose session it is, unless they may not come in any more."""
    condition = only(OPERATORS, held.tenant_id, OPERATORS.c.id == held.operator_id, OPERATORS.c.disabled.is_(None))
    row = tx.execute(sa.select(OPERATORS).where(condition)).one_or_none()
    return None if row is None else operators.of_row(row)


def end(tx: Connection, token: str) -> None:
    """Sign out: the token is worth nothing from now on."""
    tx.execute(sa.delete(SESSIONS).where(SESSIONS.c.token_hash == _hashed(token), SESSIONS.c.tenant_id.is_not(None)))


def end_all(tx: Connection, tenant: TenantId, operator: str) -> None:
    tx.execute(sa.delete(SESSIONS).where(only(SESSIONS, tenant, SESSIONS.c.operator_id == operator)))


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
