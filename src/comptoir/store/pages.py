"""Which pages a run has fetched. Written in the transaction that stores the page's records: this alone decides what is
fetched again after a kill."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from comptoir.store.ids import ConnectionId, SyncId, TenantId
from comptoir.store.rows import only
from comptoir.store.tables import PAGES as TABLE

__all__ = ["Done", "commit", "done", "ids_seen", "purge"]


class Done(msgspec.Struct, frozen=True):
    """A fetched page: how many records the whole list had then, and the ids on this page."""

    page: int
    total: int | None
    ids: list[str]


def commit(
    tx: Connection,
    tenant: TenantId,
    connection: ConnectionId,
    sync: SyncId,
    resource: str,
    pass_number: int,
    window: str,
    page: int,
    *,
    total: int | None,
    ids: Sequence[str],
    now: datetime,
) -> None:
    mine = only(
        TABLE,
        tenant,
        TABLE.c.sync_id == sync,
        TABLE.c.resource == resource,
        TABLE.c.pass_number == pass_number,
        TABLE.c.window == window,
        TABLE.c.page == page,
    )
    tx.execute(sa.delete(TABLE).where(mine))
    tx.execute(
        sa.insert(TABLE).values(
            tenant_id=tenant,
            connection_id=connection,
            sync_id=sync,
            resource=resource,
            pass_number=pass_number,
            window=window,
            page=page,
            total=total,
            ids=msgspec.json.encode(ids),
            fetched_at=now,
        )
    )


def done(
    tx: Connection, tenant: TenantId, sync: SyncId, resource: str, pass_number: int
) -> dict[tuple[str, int], Done]:
    """The pages of one pass that are stored, by window and page."""
    mine = only(
        TABLE, tenant, TABLE.c.sync_id == sync, TABLE.c.resource == resource, TABLE.c.pass_number == pass_number
    )
    rows = tx.execute(sa.select(TABLE).where(mine))
    return {
        (row.window, row.page): Done(row.page, row.total, msgspec.json.decode(row.ids, type=list[str])) for row in rows
    }


def ids_seen(tx: Connection, tenant: TenantId, sync: SyncId, resource: str) -> Iterator[str]:
    """Every id that any pass of this run met, as often as it was met."""
    mine = only(TABLE, tenant, TABLE.c.sync_id == sync, TABLE.c.resource == resource)
    for row in tx.execute(sa.select(TABLE.c.ids).where(mine)):
        yield from msgspec.json.decode(row.ids, type=list[str])


def purge(tx: Connection, tenant: TenantId, sync: SyncId) -> None:
    """The run has ended: its pages have done their work."""
    tx.execute(sa.delete(TABLE).where(only(TABLE, tenant, TABLE.c.sync_id == sync)))
