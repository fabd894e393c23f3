"""Approvals under way: each `state` is random, kept as a hash, used once, and bound to a browser."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from comptoir.store.ids import CompanyId, ConnectionId, TenantId
from comptoir.store.rows import only
from comptoir.store.tables import LINK_STATES as TABLE

__all__ = ["LIFETIME", "LinkState", "add", "hashed", "open_since", "take"]

LIFETIME = timedelta(minutes=15)


class LinkState(msgspec.Struct, frozen=True, kw_only=True):
    """What an approval is bound to; `was_used` and `expires` say whether it still counts."""

    tenant_id: TenantId
    company_id: CompanyId
    connection_id: ConnectionId
    browser_hash: str
    parameters: dict[str, str]
    expires: datetime
    was_used: bool


def hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def add(
    tx: Connection,
    tenant: TenantId,
    company: CompanyId,
    connection: ConnectionId,
    *,
    state: str,
    browser: str,
    parameters: dict[str, str],
    now: datetime,
) -> None:
    # Older approvals of this connection that were begun and never ended are of no use any more.
    stale = only(TABLE, tenant, TABLE.c.connection_id == connection, TABLE.c.expires < now - LIFETIME)
    tx.execute(sa.delete(TABLE).where(stale))
    tx.execute(
        sa.insert(TABLE).values(
            state_hash=hashed(state),
            tenant_id=tenant,
            company_id=company,
            connection_id=connection,
            browser_hash=hashed(browser),
            parameters=msgspec.json.encode(parameters),
            created=now,
            expires=now + LIFETIME,
        )
    )


def take(tx: Connection, state: str, now: datetime) -> LinkState | None:
    """The approval of this state, marked as used by this very call; None if there is none. No tenant is known yet."""
    condition = sa.and_(TABLE.c.state_hash == hashed(state), TABLE.c.tenant_id.is_not(None))
    row = tx.execute(sa.select(TABLE).where(condition)).one_or_none()
    if row is None:
        return None
    taken = tx.execute(sa.update(TABLE).where(condition, TABLE.c.used_at.is_(None)).values(used_at=now)).rowcount
    return LinkState(
        tenant_id=row.tenant_id,
        company_id=row.company_id,
        connection_id=row.connection_id,
        browser_hash=row.browser_hash,
        parameters=msgspec.json.decode(row.parameters, type=dict[str, str]),
        expires=row.expires,
        was_used=not taken,
    )


def open_since(tx: Connection, tenant: TenantId, connection: ConnectionId, now: datetime) -> datetime | None:
    """When the newest approval that is still awaited was begun."""
    waiting = only(TABLE, tenant, TABLE.c.connection_id == connection, TABLE.c.used_at.is_(None), TABLE.c.expires > now)
    return tx.execute(sa.select(sa.func.max(TABLE.c.created)).where(waiting)).scalar_one_or_none()
