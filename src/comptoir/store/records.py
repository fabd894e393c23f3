"""Standard records, written: typed columns find them, the finished document is what is sent.

A record whose document did not change is not touched, so `modifiedDate` says when our copy last changed. Reading them
is the affair of `store.reading` (pages) and of the functions at the end here (everything of a connection).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, cast

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from comptoir.model import SHAPES, ColumnKind
from comptoir.store import bulk
from comptoir.store.history import Change, Layer, Log
from comptoir.store.ids import CompanyId, ConnectionId, TenantId
from comptoir.store.raw import Counts
from comptoir.store.reading import Documents, each, get, is_readable, list_page, properties, was_readable
from comptoir.store.rows import only
from comptoir.store.tables import CONNECTIONS, DOCUMENTS, STANDARD, documents_name, standard_name, typed_column_name
from comptoir.store.values import amount_key, folded, from_text, numeric, storable, text_of

__all__ = [
    "Documents",
    "Prepared",
    "are_there",
    "count",
    "delete",
    "document_of",
    "each",
    "get",
    "is_readable",
    "iterate",
    "list_page",
    "live_ids",
    "mark_absent",
    "mark_deleted_sources",
    "mark_readable",
    "modified_after",
    "next_batch",
    "outlived",
    "present",
    "properties",
    "put",
    "sources_of",
    "supplemental_of",
    "was_readable",
]

_OWN = (
    "pk", "tenant_id", "company_id", "connection_id", "id", "modified_date", "source_modified_date", "is_deleted",
    "source_resource", "source_id", "mapping_version",
)  # fmt: skip
_CHANGING = (
    "modified_date", "source_modified_date", "is_deleted", "source_resource", "source_id", "mapping_version",
)  # fmt: skip
_KEY = ("tenant_id", "pk")
_DOCUMENT = ("pk", "tenant_id", "doc", "supplemental")


class Prepared(msgspec.Struct, frozen=True):
    """A mapped record, ready to store: its document, and itself, for the columns it is found by."""

    id: str
    document: bytes
    supplemental: bytes | None
    source_resource: str
    source_id: str
    source_modified_date: str | None
    record: Any


# A record that is held: its id and number, whether it is deleted, when its source changed it, which row it was made of,
# its document, and what stands beside it. A tuple: most of them are looked at once and dropped.
_Held = tuple[str, int, bool, str | None, str, str, bytes, bytes | None]


def put(
    tx: Connection,
    tenant: TenantId,
    company: CompanyId,
    connection: ConnectionId,
    data_type: str,
    rows: Sequence[Prepared],
    now: datetime,
    version: str = "",
    log: Log | None = None,
) -> Counts:
    """Store what is new, changed or back again, and note it in the log. Of records with the same id the last one
    counts.

    `version` is that of the mapping that made them; a record that another version made alike keeps its own.
    """
    by_id = {row.id: row for row in rows}
    held = _held(tx, tenant, company, connection, data_type, list(by_id))
    new: list[Prepared] = []
    changed: list[tuple[int, Prepared]] = []
    # What stands beside a record, and which row it was made of, is kept up with and is no change of it.
    beside: list[tuple[Any, ...]] = []
    moved: list[tuple[Any, ...]] = []
    for row in by_id.values():
        found = held.get(row.id)
        if found is None:
            new.append(row)
            continue
        _, pk, is_deleted, modified, resource, source_id, document, supplemental = found
        if is_deleted or document != row.document or modified != _instant(row.source_modified_date):
            changed.append((pk, row))
            continue
        if supplemental != row.supplemental:
            beside.append((row.supplemental, tenant, pk))
        if source_id != row.source_id or resource != row.source_resource:
            moved.append((row.source_resource, row.source_id, tenant, pk))
    dialect, moment = tx.dialect.name, text_of(now)
    names, typed = _typed(data_type, dialect)
    of = SHAPES[data_type].values
    if new:
        owners = (tenant, company, connection)
        numbered = list(zip(_next_numbers(tx, data_type, len(new)), new, strict=True))
        values = [
            (
                pk, *owners, row.id, moment, _instant(row.source_modified_date), False, row.source_resource,
                row.source_id, version, *typed(of(row.record)),
            )
            for pk, row in numbered
        ]  # fmt: skip
        bulk.insert(tx, STANDARD[data_type], _OWN + names, values)
        documents = [(pk, tenant, row.document, row.supplemental) for pk, row in numbered]
        bulk.insert(tx, DOCUMENTS[data_type], _DOCUMENT, documents)
    if changed:
        values = [
            (
                moment, _instant(row.source_modified_date), False, row.source_resource, row.source_id, version,
                *typed(of(row.record)), tenant, pk,
            )
            for pk, row in changed
        ]  # fmt: skip
        bulk.update(tx, STANDARD[data_type], _CHANGING + names, _KEY, values)
        bodies = [(row.document, row.supplemental, tenant, pk) for pk, row in changed]
        bulk.update(tx, DOCUMENTS[data_type], ("doc", "supplemental"), _KEY, bodies)
    bulk.update(tx, DOCUMENTS[data_type], ("supplemental",), _KEY, beside)
    bulk.update(tx, STANDARD[data_type], ("source_resource", "source_id"), _KEY, moved)
    if new or changed:
        _touch(tx, tenant, company, connection, data_type)
    if log is not None:
        log.note(tx, Layer.STANDARD, data_type, Change.NEW, [row.id for row in new])
        log.note(tx, Layer.STANDARD, data_type, Change.CHANGED, [row.id for _, row in changed])
    return Counts(len(new), len(changed), len(by_id) - len(new) - len(changed))


def _held(
    tx: Connection,
    tenant: TenantId,
    company: CompanyId,
    connection: ConnectionId,
    data_type: str,
    ids: list[str],
) -> dict[str, _Held]:
    dialect = tx.dialect.name
    sql = (
        "SELECT s.id, s.pk, s.is_deleted, s.source_modified_date, s.source_resource, s.source_id, "  # noqa: S608 - our own names
        f"d.doc, d.supplemental FROM {standard_name(data_type)} s JOIN {documents_name(data_type)} d ON d.pk = s.pk "
        f"WHERE s.tenant_id = ? AND s.company_id = ? AND s.connection_id = ? AND {bulk.among('s.id', dialect)}"
    )
    return {
        row[0]: cast("_Held", row)
        for some in bulk.batches(ids)
        for row in bulk.select(tx, sql, (tenant, company, connection, bulk.named(some, dialect)))
    }


def _next_numbers(tx: Connection, data_type: str, count: int) -> Iterable[int]:
    """Free row numbers. On SQLite nobody else writes; on PostgreSQL the table's sequence gives them out."""
    name = standard_name(data_type)
    if tx.dialect.name == "postgresql":
        sql = f"SELECT nextval(pg_get_serial_sequence('{name}', 'pk')) FROM generate_series(1, %(count)s)"  # noqa: S608 - our own name
        return tx.exec_driver_sql(sql, {"count": count}).scalars().all()
    last = tx.exec_driver_sql(f"SELECT max(pk) FROM {name}").scalar() or 0  # noqa: S608 - likewise
    return range(last + 1, last + 1 + count)


def _instant(value: str | None) -> str | None:
    """A day or an instant of a document in the form of columns; without a zone it counts as UTC."""
    if value is None:
        return None
    if len(value) in (19, 20) and "." not in value:  # `2024-03-31T00:00:00` with or without Z: nearly all of them
        return value.removesuffix("Z") + ".000000Z"
    moment = datetime.fromisoformat(value)
    return text_of(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


@cache
def _typed(data_type: str, dialect: str) -> tuple[tuple[str, ...], Callable[[tuple[Any, ...]], tuple[Any, ...]]]:
    """The names of the typed columns, and how to make their values of a record's."""
    functions: dict[ColumnKind, tuple[str, Any]] = {
        ColumnKind.DATE: ("instant", _instant),
        ColumnKind.INSTANT: ("instant", _instant),
        ColumnKind.AMOUNT: ("amount", numeric if dialect == "postgresql" else amount_key),
        ColumnKind.TEXT: ("folded", folded),
        ColumnKind.ENUM: ("enum", cache(folded)),
        ColumnKind.ID: ("storable", storable),
    }
    names, parts = [], []
    for place, column in enumerate(SHAPES[data_type].columns):
        if column.path in ("id", "sourceModifiedDate"):
            continue
        names.append(typed_column_name(column.path))
        value = f"v[{place}]"
        if column.kind in functions:
            value = f"None if {value} is None else {functions[column.kind][0]}({value})"
        parts.append(value)
    # Made of our own column places only; compiled once so that no record pays for choosing.
    made = eval(f"lambda v: ({', '.join(parts)},)", dict(functions.values()))  # noqa: S307
    return tuple(names), cast("Callable[[tuple[Any, ...]], tuple[Any, ...]]", made)


def mark_absent(
    tx: Connection,
    tenant: TenantId,
    company: CompanyId,
    connection: ConnectionId,
    data_type: str,
    source_resource: str,
    source_ids: Iterable[str],
    produced: set[str],
    now: datetime,
    log: Log | None = None,
) -> int:
    """Records of these source rows that mapping no longer makes (a bill that became a credit) are deleted."""
    gone = _made_of(tx, tenant, connection, data_type, source_resource, source_ids, produced)
    return delete(tx, tenant, company, connection, data_type, gone, now, log)


def mark_deleted_sources(
    tx: Connection,
    tenant: TenantId,
    company: CompanyId,
    connection: ConnectionId,
    data_type: str,
    now: datetime,
    log: Log | None = None,
) -> int:
    """Records whose source row was deleted upstream are deleted; values stay as last known."""
    gone = outlived(tx, tenant, connection, data_type)
    return delete(tx, tenant, company, connection, data_type, gone, now, log)


def outlived(tx: Connection, tenant: TenantId, connection: ConnectionId, data_type: str) -> list[str]:
    """Live records whose source row was deleted upstream."""
    sql = "SELECT resource, id FROM raw WHERE tenant_id = ? AND connection_id = ? AND deleted_at IS NOT NULL"
    rows: dict[str, list[str]] = {}
    for resource, id_ in bulk.select(tx, sql, (tenant, connection)):
        rows.setdefault(resource, []).append(id_)
    return [id_ for resource, ids in rows.items() for id_ in _made_of(tx, tenant, connection, data_type, resource, ids)]


def _made_of(
    tx: Connection,
    tenant: TenantId,
    connection: ConnectionId,
    data_type: str,
    resource: str,
    source_ids: Iterable[str],
    but: Container[str] = (),
) -> list[str]:
    """Live records that were made of these rows, but some."""
    dialect = tx.dialect.name
    mine = (
        f"FROM {standard_name(data_type)} WHERE tenant_id = ? "  # noqa: S608 - our own names
        "AND company_id = (SELECT company_id FROM connections WHERE tenant_id = ? AND id = ?) "
        "AND connection_id = ? AND source_resource = ?"
    )
    owners = (tenant, tenant, connection, connection, resource)
    ids = list(source_ids)
    # Most records bear their source's id.
    named = f"SELECT id {mine} AND {bulk.among('id', dialect)} AND id = source_id AND NOT is_deleted"
    found = [
        id_
        for some in bulk.batches(id_ for id_ in ids if id_ not in but)
        for (id_,) in bulk.select(tx, named, (*owners, bulk.named(some, dialect)))
    ]
    # The others have an index of their own.
    if bulk.select(tx, f"SELECT 1 {mine} AND id <> source_id LIMIT 1", owners):
        other = f"SELECT id {mine} AND {bulk.among('source_id', dialect)} AND id <> source_id AND NOT is_deleted"
        found += [
            id_
            for some in bulk.batches(ids)
            for (id_,) in bulk.select(tx, other, (*owners, bulk.named(some, dialect)))
            if id_ not in but
        ]
    return found


def sources_of(
    tx: Connection, tenant: TenantId, company: CompanyId, connection: ConnectionId, data_type: str
) -> dict[str, tuple[str, str]]:
    """Of each live record, the resource and id of the row it was made of; all in memory, for data types of few."""
    sql = (
        f"SELECT id, source_resource, source_id FROM {standard_name(data_type)} "  # noqa: S608 - our own names
        "WHERE tenant_id = ? AND company_id = ? AND connection_id = ? AND NOT is_deleted"
    )
    rows = bulk.select(tx, sql, (tenant, company, connection))
    return {id_: (resource, source_id) for id_, resource, source_id in rows}


def modified_after(
    tx: Connection, tenant: TenantId, connection: ConnectionId, data_type: str, moment: datetime
) -> list[tuple[str, datetime]]:
    """Live records whose copy here is said to have changed later than that; a few of them, by id."""
    sql = (
        f"SELECT id, modified_date FROM {standard_name(data_type)} WHERE tenant_id = ? "  # noqa: S608 - our own names
        "AND company_id = (SELECT company_id FROM connections WHERE tenant_id = ? AND id = ?) "
        "AND connection_id = ? AND modified_date > ? AND NOT is_deleted ORDER BY modified_date LIMIT 100"
    )
    rows = bulk.select(tx, sql, (tenant, tenant, connection, connection, text_of(moment)))
    return sorted((id_, from_text(modified)) for id_, modified in rows)


def older(
    tx: Connection, tenant: TenantId, company: CompanyId, connection: ConnectionId, data_type: str, than: datetime
) -> list[str]:
    """Live records that the source last changed before then."""
    sql = (
        f"SELECT id FROM {standard_name(data_type)} WHERE tenant_id = ? AND company_id = ? AND connection_id = ? "  # noqa: S608 - our own names
        "AND NOT is_deleted AND source_modified_date < ?"
    )
    return [row[0] for row in bulk.select(tx, sql, (tenant, company, connection, text_of(than)))]


def delete(
    tx: Connection,
    tenant: TenantId,
    company: CompanyId,
    connection: ConnectionId,
    data_type: str,
    ids: Sequence[str],
    now: datetime,
    log: Log | None = None,
) -> int:
    """Mark records as deleted by id: kept, with their last values. Tells how many, and notes them in the log."""
    dialect = tx.dialect.name
    sql = (
        f"UPDATE {standard_name(data_type)} SET is_deleted = ?, modified_date = ? "  # noqa: S608 - our own names
        f"WHERE tenant_id = ? AND company_id = ? AND connection_id = ? AND {bulk.among('id', dialect)} "
        "AND NOT is_deleted RETURNING id, tenant_id"
    )
    gone: list[str] = []
    for some in bulk.batches(ids):
        values = (True, text_of(now), tenant, company, connection, bulk.named(some, dialect))
        gone += [row[0] for row in bulk.select(tx, sql, values)]
    if gone:
        _touch(tx, tenant, company, connection, data_type)
    if log is not None:
        log.note(tx, Layer.STANDARD, data_type, Change.DELETED, gone)
    return len(gone)


def _touch(tx: Connection, tenant: TenantId, company: CompanyId, connection: ConnectionId, data_type: str) -> None:
    bulk.run(
        tx,
        "INSERT INTO record_versions (tenant_id, company_id, connection_id, data_type, version) VALUES (?,?,?,?,1) "
        "ON CONFLICT (connection_id, data_type) DO UPDATE SET version = record_versions.version + 1 "
        "WHERE record_versions.tenant_id = excluded.tenant_id",
        (tenant, company, connection, data_type),
    )


def mark_readable(
    tx: Connection, tenant: TenantId, company: CompanyId, connection: ConnectionId, data_type: str, now: datetime
) -> None:
    """All of this data type has been there once: from now on it is served, whatever later syncs say."""
    bulk.run(
        tx,
        "INSERT INTO record_versions (tenant_id, company_id, connection_id, data_type, version, readable_since) "
        "VALUES (?,?,?,?,1,?) ON CONFLICT (connection_id, data_type) "
        "DO UPDATE SET readable_since = coalesce(record_versions.readable_since, excluded.readable_since) "
        "WHERE record_versions.tenant_id = excluded.tenant_id",
        (tenant, company, connection, data_type, text_of(now)),
    )


def present(
    tx: Connection, tenant: TenantId, connection: ConnectionId, data_type: str, ids: Collection[str]
) -> set[str]:
    """Those of these ids that there are records of, deleted ones too."""
    dialect = tx.dialect.name
    sql = (
        f"SELECT id FROM {standard_name(data_type)} WHERE tenant_id = ? "  # noqa: S608 - our own names
        "AND company_id = (SELECT company_id FROM connections WHERE tenant_id = ? AND id = ?) AND connection_id = ? "
        f"AND {bulk.among('id', dialect)}"
    )
    return {
        id_
        for some in bulk.batches(ids)
        for (id_,) in bulk.select(tx, sql, (tenant, tenant, connection, connection, bulk.named(some, dialect)))
    }


def live_ids(tx: Connection, tenant: TenantId, connection: ConnectionId, data_type: str) -> set[str]:
    return set(tx.execute(_live(STANDARD[data_type].c.id, tenant, connection)).scalars())


def count(tx: Connection, tenant: TenantId, connection: ConnectionId, data_type: str) -> int:
    """Live records."""
    live = _live(STANDARD[data_type].c.id, tenant, connection).subquery()
    return tx.execute(sa.select(sa.func.count()).select_from(live)).scalar_one()


def are_there(tx: Connection, tenant: TenantId, connection: ConnectionId, data_type: str) -> bool:
    """Whether there are live records."""
    return tx.execute(_live(STANDARD[data_type].c.id, tenant, connection).limit(1)).first() is not None


def _live(column: sa.Column[Any], tenant: TenantId, connection: ConnectionId) -> sa.Select[Any]:
    """Of live records. Their company is named, because indexes begin with it."""
    table = column.table
    owner = sa.select(CONNECTIONS.c.company_id).where(only(CONNECTIONS, tenant, CONNECTIONS.c.id == connection))
    mine = (table.c.company_id == owner.scalar_subquery(), table.c.connection_id == connection)
    return sa.select(column).where(only(table, tenant, *mine, sa.not_(table.c.is_deleted)))


def next_batch(
    tx: Connection, tenant: TenantId, connection: ConnectionId, data_type: str, after: str = "", *, batch: int = 1000
) -> list[tuple[str, bytes]]:
    """Live records behind the id `after`, by id: each with its document as mapped, without what the store adds.

    No transaction need stay open from batch to batch.
    """
    sql = (
        f"SELECT s.id, d.doc FROM {standard_name(data_type)} s JOIN {documents_name(data_type)} d ON d.pk = s.pk "  # noqa: S608 - our own names
        "WHERE s.tenant_id = ? AND s.company_id = (SELECT company_id FROM connections WHERE tenant_id = ? AND id = ?) "
        "AND s.connection_id = ? AND s.id > ? AND NOT s.is_deleted ORDER BY s.id LIMIT ?"
    )
    rows = bulk.select(tx, sql, (tenant, tenant, connection, connection, after, batch))
    return [(id_, bytes(document)) for id_, document in rows]


def iterate(tx: Connection, tenant: TenantId, connection: ConnectionId, data_type: str) -> Iterator[bytes]:
    """Documents of all live records, by id; a batch at a time in memory."""
    after = ""
    while rows := next_batch(tx, tenant, connection, data_type, after):
        for _, document in rows:
            yield document
        after = rows[-1][0]


def document_of(
    tx: Connection, tenant: TenantId, company: CompanyId, connection: ConnectionId, data_type: str, id_: str
) -> bytes | None:
    """The document of a live record as mapped, without what the store adds."""
    sql = (
        f"SELECT d.doc FROM {standard_name(data_type)} s JOIN {documents_name(data_type)} d ON d.pk = s.pk "  # noqa: S608 - our own names
        "WHERE s.tenant_id = ? AND s.company_id = ? AND s.connection_id = ? AND s.id = ? AND NOT s.is_deleted"
    )
    rows = bulk.select(tx, sql, (tenant, company, connection, id_))
    return bytes(rows[0][0]) if rows else None


def supplemental_of(
    tx: Connection, tenant: TenantId, company: CompanyId, connection: ConnectionId, data_type: str, id_: str
) -> bytes | None:
    """What the source knows and the model has no member for, as JSON."""
    table, documents = STANDARD[data_type], DOCUMENTS[data_type]
    mine = only(table, tenant, table.c.company_id == company, table.c.connection_id == connection, table.c.id == id_)
    joined = sa.select(documents.c.supplemental).select_from(table.join(documents, documents.c.pk == table.c.pk))
    return tx.execute(joined.where(mine, documents.c.tenant_id == tenant)).scalar_one_or_none()
