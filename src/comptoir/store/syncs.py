"""Syncs: one run over a connection each, at most one at a time, with what it found out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from comptoir.errors import NotFound
from comptoir.store.ids import CompanyId, ConnectionId, SyncId, TenantId, new_id
from comptoir.store.rows import Page, insert_if_free, only, struct_of, upsert
from comptoir.store.tables import CONNECTIONS, DATASETS, RESOURCE_READS, SYNC_CHANGES, SYNCS

__all__ = [
    "Remade",
    "ResourceRead",
    "Sync",
    "active",
    "at",
    "begin",
    "begin_remaking",
    "checked",
    "checked_page",
    "end",
    "end_remaking",
    "get",
    "latest",
    "latest_checks",
    "list_page",
    "purge",
    "read_again",
    "read_ended",
    "reads",
]


class Remade(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one data type when all of it was mapped anew from `rows` raw ones."""

    data_type: str
    rows: int
    new: int
    changed: int
    deleted: int
    set_aside: int


class Sync(msgspec.Struct, frozen=True, kw_only=True):
    """`checks` is the result of the books check as JSON, None until it ran. `remade` is None but for what is no sync
    and is told among them: records were mapped anew from what is held. It is empty where that was cut off."""

    id: SyncId
    tenant_id: TenantId
    connection_id: ConnectionId
    started: datetime
    ended: datetime | None
    calls: int
    checks: bytes | None
    remade: tuple[Remade, ...] | None = None


_SETTLED = ("complete", "not_supported", "permissions")


class ResourceRead(msgspec.Struct, frozen=True, kw_only=True):
    """How the latest read of one resource ended: `complete`, or why not. `seen_at` is when all that is live of it was
    last met, by itself or in a count that agreed; a read that did not come so far leaves that as it was."""

    resource: str
    sync_id: SyncId
    outcome: str
    message: str | None
    level_needed: int | None
    set_aside: int
    deleted: int
    read_at: datetime
    seen_at: datetime | None = None

    def is_settled_by(self, sync: SyncId) -> bool:
        """Whether this sync need not ask for it again: it has it, or was told for good that it cannot."""
        return self.sync_id == sync and self.outcome in _SETTLED


_remade = msgspec.json.Decoder(tuple[Remade, ...]).decode


def _sync(row: Any) -> Sync:
    return struct_of(Sync, row, remade=None if row.remade is None else _remade(row.remade))


def active(tx: Connection, tenant: TenantId, connection: ConnectionId) -> Sync | None:
    row = tx.execute(_active(tenant, connection)).one_or_none()
    return None if row is None else _sync(row)


def _active(tenant: TenantId, connection: ConnectionId) -> sa.Select[Any]:
    return sa.select(SYNCS).where(only(SYNCS, tenant, SYNCS.c.connection_id == connection, SYNCS.c.ended.is_(None)))


def begin(tx: Connection, tenant: TenantId, connection: ConnectionId, now: datetime) -> Sync:
    """The run that is under way, or a new one: a run that was killed goes on under its own id."""
    if (running := active(tx, tenant, connection)) is not None:
        return running
    new = Sync(
        id=SyncId(new_id()),
        tenant_id=tenant,
        connection_id=connection,
        started=now,
        ended=None,
        calls=0,
        checks=None,
    )
    if insert_if_free(tx, SYNCS, **msgspec.structs.asdict(new)):
        return new
    return _sync(tx.execute(_active(tenant, connection)).one())  # begun elsewhere at this very moment


def end(tx: Connection, tenant: TenantId, sync: SyncId, *, calls: int, checks: bytes | None, now: datetime) -> None:
    values = {"ended": now, "calls": calls, "checks": checks}
    tx.execute(sa.update(SYNCS).where(only(SYNCS, tenant, SYNCS.c.id == sync)).values(values))


def begin_remaking(tx: Connection, tenant: TenantId, connection: ConnectionId, now: datetime) -> SyncId:
    """Records are mapped anew from now on: an entry among the syncs, of which none is under way."""
    made = SyncId(new_id())
    mine = {"id": made, "tenant_id": tenant, "connection_id": connection}
    tx.execute(sa.insert(SYNCS).values(**mine, started=now, ended=now, calls=0, remade=b"[]"))
    return made


def end_remaking(tx: Connection, tenant: TenantId, sync: SyncId, found: Sequence[Remade], now: datetime) -> None:
    values = {"ended": now, "remade": msgspec.json.encode(found)}
    tx.execute(sa.update(SYNCS).where(only(SYNCS, tenant, SYNCS.c.id == sync)).values(values))


def get(tx: Connection, tenant: TenantId, connection: ConnectionId, sync: str) -> Sync:
    """NotFound if there is none over this connection."""
    mine = only(SYNCS, tenant, SYNCS.c.connection_id == connection, SYNCS.c.id == sync)
    row = tx.execute(sa.select(SYNCS).where(mine)).one_or_none()
    if row is None:
        raise NotFound(f"No sync was found with ID {sync}")
    return _sync(row)


def list_page(tx: Connection, tenant: TenantId, connection: ConnectionId, page: int = 1, page_size: int = 100) -> Page:
    """Syncs over a connection, the newest first; one that is under way among them, and what was mapped anew."""
    mine = only(SYNCS, tenant, SYNCS.c.connection_id == connection)
    total = tx.execute(sa.select(sa.func.count()).select_from(SYNCS).where(mine)).scalar_one()
    ordered = sa.select(SYNCS).where(mine).order_by(SYNCS.c.started.desc(), SYNCS.c.id)
    rows = tx.execute(ordered.limit(page_size).offset((page - 1) * page_size))
    return Page(total, [_sync(row) for row in rows])


def at(tx: Connection, tenant: TenantId, connection: ConnectionId, moment: datetime) -> Sync | None:
    """What was under way at a moment: whatever was found then was found by it."""
    mine = only(SYNCS, tenant, SYNCS.c.connection_id == connection, SYNCS.c.started <= moment)
    row = tx.execute(sa.select(SYNCS).where(mine).order_by(SYNCS.c.started.desc()).limit(1)).one_or_none()
    found = None if row is None else _sync(row)
    return found if found is not None and (found.ended is None or found.ended >= moment) else None


def latest(tx: Connection, tenant: TenantId, connection: ConnectionId) -> Sync | None:
    """The newest sync that has ended."""
    is_theirs = (SYNCS.c.connection_id == connection, SYNCS.c.ended.is_not(None), SYNCS.c.remade.is_(None))
    mine = only(SYNCS, tenant, *is_theirs)
    row = tx.execute(sa.select(SYNCS).where(mine).order_by(SYNCS.c.started.desc()).limit(1)).one_or_none()
    return None if row is None else _sync(row)


def latest_checks(tx: Connection, tenant: TenantId, connection: ConnectionId) -> bytes | None:
    """The books check of the newest sync that came to one: a sync that found no access has none."""
    mine = only(SYNCS, tenant, SYNCS.c.connection_id == connection, SYNCS.c.checks.is_not(None))
    return tx.execute(
        sa.select(SYNCS.c.checks).where(mine).order_by(SYNCS.c.started.desc()).limit(1)
    ).scalar_one_or_none()


def checked(
    tx: Connection, tenant: TenantId, company: CompanyId, sync: str | None, connection: ConnectionId | None = None
) -> Sync:
    """A sync of a company that came to a books check; without an id the newest. NotFound if there is none."""
    wanted = _checked(tenant, company, connection)
    if sync is not None:
        wanted = wanted.where(only(SYNCS, tenant, SYNCS.c.id == sync))
    row = tx.execute(wanted.order_by(*_NEWEST_FIRST).limit(1)).one_or_none()
    if row is None:
        named = "" if sync is None else f" with ID {sync}"
        raise NotFound(f"No books check{named} was found for company {company}")
    return _sync(row)


def checked_page(
    tx: Connection,
    tenant: TenantId,
    company: CompanyId,
    *,
    connection: ConnectionId | None = None,
    page: int = 1,
    page_size: int = 100,
) -> Page:
    """Syncs of a company that came to a books check, the newest first."""
    wanted = _checked(tenant, company, connection)
    total = tx.execute(sa.select(sa.func.count()).select_from(wanted.subquery())).scalar_one()
    rows = tx.execute(wanted.order_by(*_NEWEST_FIRST).limit(page_size).offset((page - 1) * page_size))
    return Page(total, [_sync(row) for row in rows])


_NEWEST_FIRST = (SYNCS.c.started.desc(), SYNCS.c.id)


def _checked(tenant: TenantId, company: CompanyId, connection: ConnectionId | None) -> sa.Select[Any]:
    theirs = sa.select(CONNECTIONS.c.id).where(only(CONNECTIONS, tenant, CONNECTIONS.c.company_id == company))
    if connection is not None:
        theirs = theirs.where(CONNECTIONS.c.id == connection)
    mine = only(SYNCS, tenant, SYNCS.c.connection_id.in_(theirs), SYNCS.c.checks.is_not(None))
    return sa.select(SYNCS).where(mine)


def purge(tx: Connection, tenant: TenantId, connection: ConnectionId, before: datetime) -> None:
    """Forget syncs that ended before a moment and of which nothing else is told; not the newest books check."""
    mine = only(SYNCS, tenant, SYNCS.c.connection_id == connection, SYNCS.c.started < before, SYNCS.c.ended < before)
    checked = sa.select(SYNCS.c.id).where(
        only(SYNCS, tenant, SYNCS.c.connection_id == connection, SYNCS.c.checks.is_not(None))
    )
    newest = checked.order_by(SYNCS.c.started.desc()).limit(1).scalar_subquery()
    datasets = sa.exists().where(only(DATASETS, tenant, DATASETS.c.sync_id == SYNCS.c.id))
    changes = sa.exists().where(
        only(SYNC_CHANGES, tenant, SYNC_CHANGES.c.connection_id == connection, SYNC_CHANGES.c.sync_id == SYNCS.c.id)
    )
    is_newest = sa.func.coalesce(SYNCS.c.id == newest, sa.false())
    tx.execute(sa.delete(SYNCS).where(mine, sa.not_(datasets), sa.not_(changes), sa.not_(is_newest)))


def read_ended(tx: Connection, tenant: TenantId, connection: ConnectionId, read: ResourceRead) -> None:
    """Remember how the read of a resource ended; the newest one counts."""
    key = {"connection_id": connection, "resource": read.resource}
    values = {"tenant_id": tenant, **msgspec.structs.asdict(read)}
    if read.seen_at is None:
        del values["seen_at"]
    upsert(tx, RESOURCE_READS, key, values)


def read_again(
    tx: Connection, tenant: TenantId, connection: ConnectionId, sync: SyncId, resources: Iterable[str]
) -> None:
    """What a sync has read of these counts no more as read by it: somebody asked for them since."""
    mine = only(
        RESOURCE_READS,
        tenant,
        RESOURCE_READS.c.connection_id == connection,
        RESOURCE_READS.c.sync_id == sync,
        RESOURCE_READS.c.resource.in_(list(resources)),
    )
    tx.execute(sa.update(RESOURCE_READS).where(mine).values(sync_id=""))


def reads(tx: Connection, tenant: TenantId, connection: ConnectionId) -> dict[str, ResourceRead]:
    """The latest read of each resource."""
    mine = only(RESOURCE_READS, tenant, RESOURCE_READS.c.connection_id == connection)
    rows = tx.execute(sa.select(RESOURCE_READS).where(mine))
    return {row.resource: struct_of(ResourceRead, row) for row in rows}
