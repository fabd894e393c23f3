"""Raw records one at a time, each with its whole life: when it was first and last met, and every body it had. And what
was made of them.

For whoever asks where a figure comes from. Reading and mapping go through `store.raw`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection, Row

from comptoir.store import bulk
from comptoir.store.ids import CompanyId, ConnectionId, TenantId
from comptoir.store.rows import Page, only
from comptoir.store.tables import DOCUMENTS, RAW, RAW_VERSIONS, RESOURCE_READS, STANDARD, standard_name
from comptoir.store.values import from_text, text_of

__all__ = ["Made", "Original", "Redated", "Version", "get", "list_page", "made", "made_all", "redated", "versions"]


class Version(msgspec.Struct, frozen=True):
    """A body as it stood from one moment until another; `until` is None for the newest that still stands."""

    body: bytes
    since: datetime
    until: datetime | None


class Original(msgspec.Struct, frozen=True, kw_only=True):
    """A record of the source as it came. `last_seen` is when a complete read last met it, or it came itself."""

    resource: str
    id: str
    body: bytes
    first_seen: datetime
    changed_at: datetime
    last_seen: datetime
    deleted_at: datetime | None


class Redated(msgspec.Struct, frozen=True):
    """A live record whose source was changed: its own dates, what the source dates itself now, and the body before."""

    id: str
    modified: datetime
    source_modified: datetime | None
    source_id: str
    says: datetime | None
    former: bytes


_seen = sa.select(RESOURCE_READS.c.seen_at).where(
    RESOURCE_READS.c.tenant_id == RAW.c.tenant_id,
    RESOURCE_READS.c.connection_id == RAW.c.connection_id,
    RESOURCE_READS.c.resource == RAW.c.resource,
)
_COLUMNS: tuple[sa.ColumnElement[Any], ...] = (
    RAW.c.resource,
    RAW.c.id,
    RAW.c.body,
    RAW.c.first_seen,
    RAW.c.changed_at,
    RAW.c.last_seen,
    RAW.c.deleted_at,
    _seen.scalar_subquery().label("seen_at"),
)


def _original(row: Row[Any]) -> Original:
    last_seen = row.last_seen
    if row.deleted_at is None:
        last_seen = max(row.changed_at, row.seen_at or row.changed_at)
    return Original(
        resource=row.resource,
        id=row.id,
        body=row.body,
        first_seen=row.first_seen,
        changed_at=row.changed_at,
        last_seen=last_seen or row.changed_at,
        deleted_at=row.deleted_at,
    )


def get(tx: Connection, tenant: TenantId, connection: ConnectionId, resource: str, record_id: str) -> Original | None:
    """A raw record, deleted or not; None for one that was never met."""
    mine = only(RAW, tenant, RAW.c.connection_id == connection, RAW.c.resource == resource, RAW.c.id == record_id)
    row = tx.execute(sa.select(*_COLUMNS).where(mine)).one_or_none()
    return None if row is None else _original(row)


def list_page(
    tx: Connection, tenant: TenantId, connection: ConnectionId, resource: str, *, page: int = 1, page_size: int = 100
) -> Page:
    """Raw records of a resource by id, deleted ones too."""
    mine = only(RAW, tenant, RAW.c.connection_id == connection, RAW.c.resource == resource)
    total = tx.execute(sa.select(sa.func.count()).select_from(RAW).where(mine)).scalar_one()
    wanted = sa.select(RAW.c.pk).where(mine).order_by(RAW.c.id).limit(page_size).offset((page - 1) * page_size)
    pks = list(tx.execute(wanted).scalars())
    rows = tx.execute(sa.select(*_COLUMNS).where(only(RAW, tenant, RAW.c.pk.in_(pks))).order_by(RAW.c.id))
    return Page(total, [_original(row) for row in rows])


def versions(
    tx: Connection, tenant: TenantId, connection: ConnectionId, resource: str, record_id: str
) -> tuple[Version, ...]:
    """Every body a record ever had here, the oldest first; empty for one that was never met. Between the `until` of
    one and the `since` of the next it was deleted."""
    found = get(tx, tenant, connection, resource, record_id)
    if found is None:
        return ()
    former = only(
        RAW_VERSIONS,
        tenant,
        RAW_VERSIONS.c.connection_id == connection,
        RAW_VERSIONS.c.resource == resource,
        RAW_VERSIONS.c.id == record_id,
    )
    rows = tx.execute(sa.select(RAW_VERSIONS).where(former).order_by(RAW_VERSIONS.c.pk))
    newest = Version(found.body, found.changed_at, found.deleted_at)
    return (*(Version(one.body, one.from_, one.until) for one in rows), newest)


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """A standard record with what the store knows of it: which row of which resource it was made from, by which
    mapping. `document` is as it was mapped."""

    connection_id: ConnectionId
    id: str
    document: bytes
    supplemental: bytes | None
    resource: str
    source_id: str
    mapping_version: str
    modified_date: str
    is_deleted: bool


def made(
    tx: Connection,
    tenant: TenantId,
    company: CompanyId,
    data_type: str,
    record_id: str,
    connection: ConnectionId | None = None,
) -> Made | None:
    """The record that the API serves under this id: of several connections' the one that is live, else the newest."""
    table = STANDARD[data_type]
    mine = [table.c.company_id == company, table.c.id == record_id]
    if connection is not None:
        mine.append(table.c.connection_id == connection)
    ordered = _made(tenant, data_type, *mine).order_by(table.c.is_deleted, table.c.pk.desc()).limit(1)
    return next((_made_of(row) for row in tx.execute(ordered)), None)


def made_all(
    tx: Connection,
    tenant: TenantId,
    company: CompanyId,
    connection: ConnectionId,
    data_type: str,
    record_ids: Sequence[str],
) -> dict[str, Made]:
    """Records of one connection by id, deleted ones too."""
    table = STANDARD[data_type]
    mine = (
        table.c.company_id == company,
        table.c.connection_id == connection,
        table.c.id.in_(list(record_ids)),
    )
    return {row.id: _made_of(row) for row in tx.execute(_made(tenant, data_type, *mine))}


def _made(tenant: TenantId, data_type: str, *conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    table, documents = STANDARD[data_type], DOCUMENTS[data_type]
    joined = table.join(documents, documents.c.pk == table.c.pk)
    found = sa.select(table, documents.c.doc, documents.c.supplemental).select_from(joined)
    return found.where(only(table, tenant, *conditions), documents.c.tenant_id == tenant)


def _made_of(row: Row[Any]) -> Made:
    return Made(
        connection_id=row.connection_id,
        id=row.id,
        document=row.doc,
        supplemental=row.supplemental,
        resource=row.source_resource,
        source_id=row.source_id,
        mapping_version=row.mapping_version,
        modified_date=row.modified_date,
        is_deleted=row.is_deleted,
    )


# How a record `s` is found by its source row `r`: most bear its id, the others have an index of their own.
_BY_SOURCE = ("s.id = r.id AND s.source_id = s.id", "s.source_id = r.id AND s.id <> s.source_id")


def redated(
    tx: Connection, tenant: TenantId, connection: ConnectionId, data_type: str, resource: str, since: datetime
) -> Iterator[Redated]:
    """Those whose row of a resource was changed at a moment of ours or later, once for each body it had before."""
    # CROSS JOIN, because SQLite then begins with the few versions of these days, and not with all records.
    of_changed = (
        "SELECT s.id, v.pk, s.modified_date, s.source_modified_date, r.id, r.updated_at, v.body "  # noqa: S608 - our own names
        f"FROM raw_versions v CROSS JOIN raw r CROSS JOIN {standard_name(data_type)} s "
        "WHERE v.tenant_id = ? AND v.connection_id = ? AND v.resource = ? AND v.until >= ? AND r.tenant_id = ? "
        "AND r.connection_id = v.connection_id AND r.resource = v.resource AND r.id = v.id "
        "AND r.deleted_at IS NULL AND s.tenant_id = ? "
        "AND s.company_id = (SELECT company_id FROM connections WHERE tenant_id = ? AND id = ?) "
        "AND s.connection_id = ? AND s.source_resource = r.resource AND NOT s.is_deleted"
    )
    owners = (tenant, connection, resource, text_of(since), tenant, tenant, tenant, connection, connection)
    found = [row for by in _BY_SOURCE for row in bulk.select(tx, f"{of_changed} AND {by}", owners)]
    for id_, _, modified, source_modified, source_id, says, former in sorted(found, key=lambda row: row[:2]):
        yield Redated(
            id=id_,
            modified=from_text(modified),
            source_modified=None if source_modified is None else from_text(source_modified),
            source_id=source_id,
            says=None if says is None else from_text(says),
            former=bytes(former),
        )
