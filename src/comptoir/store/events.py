"""What happened, written in the transaction that made it true: events for receivers, and the audit trail."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from comptoir.store import trail
from comptoir.store.ids import TenantId, new_id
from comptoir.store.tables import EVENTS

__all__ = ["append", "audit"]


def append(tx: Connection, tenant: TenantId, type_: str, payload: Any, now: datetime) -> None:
    values = {"id": new_id(), "type": type_, "payload": msgspec.json.encode(payload), "at": now}
    tx.execute(sa.insert(EVENTS).values(tenant_id=tenant, **values))


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
