"""Records to be asked for by themselves: another one changed that they tell of, and their own date need not have moved.

Noted in the transaction that stores the change, so that none is forgotten by a kill or a read that fails.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from comptoir.store import bulk
from comptoir.store.ids import ConnectionId, SyncId, TenantId
from comptoir.store.rows import only
from comptoir.store.tables import REREADS
from comptoir.store.values import text_of

__all__ = ["Reread", "done", "note", "waiting"]

_NEW = ("tenant_id", "connection_id", "resource", "id", "sync_id", "at")
_KEY = ("tenant_id", "connection_id", "resource", "id")


class Reread(msgspec.Struct, frozen=True):
    """A record that may have changed at `at`, None where nobody can say; noted by a sync."""

    resource: str
    id: str
    at: datetime | None
    sync_id: SyncId


def note(tx: Connection, tenant: TenantId, connection: ConnectionId, rereads: Iterable[Reread]) -> None:
    """One that waits already takes the newer note."""
    newest = {(one.resource, one.id): one for one in rereads}
    values = [
        (tenant, connection, one.resource, one.id, one.sync_id, None if one.at is None else text_of(one.at))
        for one in newest.values()
    ]
    bulk.delete(tx, REREADS, _KEY, [value[:4] for value in values])
    bulk.insert(tx, REREADS, _NEW, values)


def waiting(tx: Connection, tenant: TenantId, connection: ConnectionId) -> list[Reread]:
    mine = only(REREADS, tenant, REREADS.c.connection_id == connection)
    rows = tx.execute(sa.select(REREADS).where(mine).order_by(REREADS.c.resource, REREADS.c.id))
    return [Reread(row.resource, row.id, row.at, row.sync_id) for row in rows]


def done(tx: Connection, tenant: TenantId, connection: ConnectionId, resource: str, ids: Iterable[str]) -> None:
    bulk.delete(tx, REREADS, _KEY, [(tenant, connection, resource, id_) for id_ in ids])
