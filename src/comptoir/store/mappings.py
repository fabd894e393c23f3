"""How far the records of each data type have followed the raw rows, and what mapping was in doubt about.

A doubt stands until its row is mapped again, so that a sync that maps little still tells of all that is doubtful.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from comptoir.integrations.contract import Note
from comptoir.store import bulk
from comptoir.store.ids import ConnectionId, TenantId
from comptoir.store.rows import only, struct_of, upsert
from comptoir.store.tables import MAPPING_DOUBTS, MAPPINGS

__all__ = [
    "Doubt",
    "Mapping",
    "aside",
    "count_aside",
    "count_doubts",
    "doubts",
    "drop_doubts",
    "of",
    "put",
    "put_doubts",
]

_DOUBT = ("tenant_id", "connection_id", "data_type", "resource", "id", "is_aside", "told")


class Mapping(msgspec.Struct, frozen=True, kw_only=True):
    """The last complete mapping of a data type: it followed all changes up to `mark`, and was made with what `basis`
    is the digest of; `version` is that of the integration's code. A mark below zero: to be mapped whole. What the
    source last changed before `history_from` was left out."""

    mark: int
    basis: str
    version: str
    mapped_at: datetime
    history_from: datetime | None = None


class Doubt(msgspec.Struct, frozen=True):
    """Of one raw row: why it was set aside, if it was, and what was noted of the records made of it."""

    resource: str
    id: str
    reason: str | None
    notes: tuple[Note, ...] = ()


class _Told(msgspec.Struct, frozen=True, omit_defaults=True):
    reason: str | None = None
    notes: tuple[Note, ...] = ()


_told = msgspec.json.Decoder(_Told)


def of(tx: Connection, tenant: TenantId, connection: ConnectionId) -> dict[str, Mapping]:
    """By data type."""
    rows = tx.execute(sa.select(MAPPINGS).where(only(MAPPINGS, tenant, MAPPINGS.c.connection_id == connection)))
    return {row.data_type: struct_of(Mapping, row) for row in rows}


def put(tx: Connection, tenant: TenantId, connection: ConnectionId, data_type: str, mapping: Mapping) -> None:
    values = {**msgspec.structs.asdict(mapping), "tenant_id": tenant}
    upsert(tx, MAPPINGS, {"connection_id": connection, "data_type": data_type}, values)


def put_doubts(
    tx: Connection, tenant: TenantId, connection: ConnectionId, data_type: str, found: Sequence[Doubt]
) -> None:
    """Doubts of rows that have none: `drop_doubts` first."""
    values = [
        (
            *(tenant, connection, data_type, one.resource, one.id, one.reason is not None),
            msgspec.json.encode(_Told(one.reason, one.notes)),
        )
        for one in found
    ]
    bulk.insert(tx, MAPPING_DOUBTS, _DOUBT, values)


def drop_doubts(
    tx: Connection,
    tenant: TenantId,
    connection: ConnectionId,
    data_type: str,
    resource: str | None = None,
    ids: Iterable[str] = (),
) -> None:
    """Of these rows of a resource, or all of a data type."""
    if resource is None:
        mine = only(
            MAPPING_DOUBTS,
            tenant,
            MAPPING_DOUBTS.c.connection_id == connection,
            MAPPING_DOUBTS.c.data_type == data_type,
        )
        tx.execute(sa.delete(MAPPING_DOUBTS).where(mine))
        return
    dialect = tx.dialect.name
    sql = (
        "DELETE FROM mapping_doubts WHERE tenant_id = ? AND connection_id = ? AND data_type = ? AND resource = ? "  # noqa: S608 - our own names
        f"AND {bulk.among('id', dialect)}"
    )
    for some in bulk.batches(ids):
        bulk.run(tx, sql, (tenant, connection, data_type, resource, bulk.named(some, dialect)))


_MINE = "FROM mapping_doubts WHERE tenant_id = ? AND connection_id = ? AND data_type = ?"


def doubts(tx: Connection, tenant: TenantId, connection: ConnectionId, data_type: str, most: int) -> list[Doubt]:
    """The first of them, rows that were set aside before all others."""
    sql = f"SELECT resource, id, told {_MINE} ORDER BY is_aside DESC, resource, id LIMIT ?"
    rows = bulk.select(tx, sql, (tenant, connection, data_type, most))
    found = ((resource, id_, _told.decode(told)) for resource, id_, told in rows)
    return [Doubt(resource, id_, told.reason, told.notes) for resource, id_, told in found]


def count_doubts(tx: Connection, tenant: TenantId, connection: ConnectionId, data_type: str) -> int:
    return int(bulk.select(tx, f"SELECT count(*) {_MINE}", (tenant, connection, data_type))[0][0])


def count_aside(tx: Connection, tenant: TenantId, connection: ConnectionId, data_type: str) -> int:
    """How many rows stand set aside."""
    sql = f"SELECT count(*) {_MINE} AND is_aside"
    return int(bulk.select(tx, sql, (tenant, connection, data_type))[0][0])


def aside(tx: Connection, tenant: TenantId, connection: ConnectionId) -> list[tuple[str, str, str]]:
    """Resource, id and data type of each row that stands set aside."""
    sql = "SELECT resource, id, data_type FROM mapping_doubts WHERE tenant_id = ? AND connection_id = ? AND is_aside"
    return [(resource, id_, data_type) for resource, id_, data_type in bulk.select(tx, sql, (tenant, connection))]
