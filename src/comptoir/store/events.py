"""What happened, written in the transaction that made it true: events for receivers, and the audit trail."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from comptoir.store import trail
from comptoir.store.ids import TenantId, new_id
from comptoir.store.rows import only
from comptoir.store.tables import EVENTS

__all__ = ["append", "audit", "forget"]


def append(tx: Connection, tenant: TenantId, type_: str, payload: Any, now: datetime) -> None:
    values = {"id": new_id(), "type": type_, "payload": msgspec.json.encode(payload), "at": now}
    tx.execute(sa.insert(EVENTS).values(tenant_id=tenant, **values))


def forget(tx: Connection, tenant: TenantId, ids: Iterable[str]) -> None:
    """Take back what is said of companies or connections that are deleted, to whomever it was still to be told."""
    for id_ in ids:
        named = sa.literal(id_.encode(), sa.LargeBinary)
        if tx.dialect.name == "postgresql":
            place = sa.func.position(named.op("IN")(EVENTS.c.payload))
        else:
            place = sa.func.instr(EVENTS.c.payload, named)
        tx.execute(sa.delete(EVENTS).where(only(EVENTS, tenant, place > 0)))


def audit(
    tx: Connection,
    tenant: TenantId,
    actor: trail.Actor,
    action: str,
    subject: str | None,
    now: datetime,
    *,
    detail: str | None = None,
) -> None:
    """Who did what to what, as the last thing of the transaction; never a secret."""
    trail.append(tx, tenant, actor, action, subject, now, detail=detail)
