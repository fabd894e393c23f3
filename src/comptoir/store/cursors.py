"""Up to where each list of a resource was read: what changed later is all that needs to be asked for.

A cursor is the newest change that was seen in answers, by the upstream's own dates and never by our clock.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from comptoir.store.ids import ConnectionId, TenantId
from comptoir.store.rows import only, struct_of, upsert
from comptoir.store.tables import CURSORS

__all__ = ["Cursor", "forget", "ignored", "move", "of"]


class Cursor(msgspec.Struct, frozen=True, kw_only=True):
    """`seen` is None where nothing was dated. `unread` counts records of the list that could not be filed. `whole_at`
    is when it was last read whole, and `ignored_at` when its upstream last gave all of it though asked for changes."""

    window_name: str
    seen: datetime | None
    whole_at: datetime
    unread: int = 0
    ignored_at: datetime | None = None
    basis: bytes | None = None


def of(tx: Connection, tenant: TenantId, connection: ConnectionId, resource: str) -> dict[str, Cursor]:
    """By window; a list that was never read whole has none."""
    mine = only(CURSORS, tenant, CURSORS.c.connection_id == connection, CURSORS.c.resource == resource)
    return {row.window_name: struct_of(Cursor, row) for row in tx.execute(sa.select(CURSORS).where(mine))}


def move(tx: Connection, tenant: TenantId, connection: ConnectionId, resource: str, cursor: Cursor) -> None:
    key = {"connection_id": connection, "resource": resource, "window_name": cursor.window_name}
    upsert(tx, CURSORS, key, {"tenant_id": tenant, **msgspec.structs.asdict(cursor)})


def ignored(tx: Connection, tenant: TenantId, connection: ConnectionId, resource: str, now: datetime) -> None:
    """All lists of this resource are read whole from now on."""
    mine = only(CURSORS, tenant, CURSORS.c.connection_id == connection, CURSORS.c.resource == resource)
    tx.execute(sa.update(CURSORS).where(mine).values(ignored_at=now))


def forget(
    tx: Connection,
    tenant: TenantId,
    connection: ConnectionId,
    resource: str,
    windows: Iterable[str] | None = None,
) -> None:
    """Have lists read whole at the next sync: those named, or all of the resource."""
    mine = only(CURSORS, tenant, CURSORS.c.connection_id == connection, CURSORS.c.resource == resource)
    if windows is not None:
        mine = sa.and_(mine, CURSORS.c.window_name.in_(list(windows)))
    tx.execute(sa.delete(CURSORS).where(mine))
