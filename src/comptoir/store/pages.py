"""Which pages a run has fetched. Written in the transaction that stores the page's records: this alone decides what is
fetched again after a kill."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from comptoir.store import bulk
from comptoir.store.ids import ConnectionId, SyncId, TenantId
from comptoir.store.rows import only
from comptoir.store.tables import PAGES as TABLE
from comptoir.store.values import text_of

__all__ = ["Done", "commit", "done", "latest_pass", "purge"]

_COMMIT = (
    'INSERT INTO pages (tenant_id, connection_id, sync_id, resource, pass_number, "window", page, total, ids, '
    "fetched_at) VALUES (?,?,?,?,?,?,?,?,?,?) "
    'ON CONFLICT (sync_id, resource, pass_number, "window", page) '
    "DO UPDATE SET total = excluded.total, ids = excluded.ids, fetched_at = excluded.fetched_at "
    "WHERE pages.tenant_id = excluded.tenant_id AND pages.connection_id = excluded.connection_id"
)

_ids = msgspec.json.Decoder(list[str]).decode


class Done(msgspec.Struct, frozen=True):
    """A fetched page: how many records the whole list had then, and the ids on this page."""

    page: int
    total: int | None
    listed: bytes

    @property
    def ids(self) -> list[str]:
        """Decoded when asked for: of a long list only one page's at a time are in memory."""
        return _ids(self.listed)


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
    """The page is stored; a second time it takes the place of the first."""
    bulk.run(
        tx,
        _COMMIT,
        (tenant, connection, sync, resource, pass_number, window, page, total, msgspec.json.encode(ids), text_of(now)),
    )


def done(
    tx: Connection, tenant: TenantId, sync: SyncId, resource: str, pass_number: int
) -> dict[tuple[str, int], Done]:
    """The pages of one pass that are stored, by window and page."""
    mine = only(
        TABLE, tenant, TABLE.c.sync_id == sync, TABLE.c.resource == resource, TABLE.c.pass_number == pass_number
    )
    rows = tx.execute(sa.select(TABLE).where(mine))
    return {(row.window, row.page): Done(row.page, row.total, row.ids) for row in rows}


def latest_pass(tx: Connection, tenant: TenantId, sync: SyncId, resource: str) -> int:
    """The last pass over a resource of which pages are stored."""
    mine = only(TABLE, tenant, TABLE.c.sync_id == sync, TABLE.c.resource == resource)
    return tx.execute(sa.select(sa.func.max(TABLE.c.pass_number)).where(mine)).scalar_one() or 0


def purge(tx: Connection, tenant: TenantId, sync: SyncId, resources: Iterable[str] | None = None) -> None:
    """The run has ended, or is to read these resources once more: its pages have done their work."""
    mine = only(TABLE, tenant, TABLE.c.sync_id == sync)
    if resources is not None:
        mine = sa.and_(mine, TABLE.c.resource.in_(list(resources)))
    tx.execute(sa.delete(TABLE).where(mine))
