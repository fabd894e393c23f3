"""Standard records: what is served. Typed columns find them, the finished document is what is sent.

A record whose document did not change is not touched, so `modifiedDate` says when our copy last changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from comptoir.model import SHAPES, ColumnKind
from comptoir.store.direct import marked
from comptoir.store.ids import CompanyId, ConnectionId, TenantId
from comptoir.store.query import Order, Property, Query, Where
from comptoir.store.raw import Counts
from comptoir.store.rows import only
from comptoir.store.tables import STANDARD, standard_name, typed_column_name
from comptoir.store.values import amount_key, text_of

__all__ = [
    "Documents",
    "Prepared",
    "count",
    "get",
    "iterate",
    "list_page",
    "mark_absent",
    "mark_deleted_sources",
    "properties",
    "put",
]

_BATCH = 500


class Prepared(msgspec.Struct, frozen=True):
    """A mapped record, ready to store; `values` stand in the order of its shape's columns."""

    id: str
    document: bytes
    supplemental: bytes | None
    source_resource: str
    source_id: str
    source_modified_date: str | None
    values: tuple[Any, ...]


class Documents(msgspec.Struct, frozen=True):
    """One page of finished documents; `total` counts all that match."""

    total: int
    documents: list[bytes]


@cache
def properties(data_type: str) -> Mapping[str, Property]:
    """What queries and orders may name, by lower-case path."""
    table = standard_name(data_type)
    found = {
        column.path.lower(): Property(f"{table}.{typed_column_name(column.path)}", column.kind)
        for column in SHAPES[data_type].columns
        if column.path not in ("id", "sourceModifiedDate")
    }
    found["id"] = Property(f"{table}.id", ColumnKind.ID)
    found["sourcemodifieddate"] = Property(f"{table}.source_modified_date", ColumnKind.INSTANT)
    found["modifieddate"] = Property(f"{table}.modified_date", ColumnKind.INSTANT)
    found["metadata.isdeleted"] = Property(f"{table}.is_deleted", ColumnKind.BOOLEAN)
    return found


def _same(value: Any) -> Any:
    return value


def _day(value: str | None) -> str | None:
    return None if value is None else value + ".000000Z"


def _instant(value: str | None) -> str | None:
    return None if value is None else value[:-1] + ".000000Z"


def _key(value: Decimal | None) -> str | None:
    return None if value is None else amount_key(value)


def _text(value: str | None) -> str | None:
    return None if value is None else value.replace("\x00", "\ufffd")  # PostgreSQL's text refuses U+0000


@cache
def _columns(data_type: str, dialect: str) -> tuple[tuple[str, ...], tuple[Callable[[Any], Any], ...], tuple[int, ...]]:
    """Names of typed columns, what to do with each value, and where it stands in a record's values."""
    converters: dict[ColumnKind, Callable[[Any], Any]] = {
        ColumnKind.DATE: _day,
        ColumnKind.INSTANT: _instant,
        ColumnKind.AMOUNT: _same if dialect == "postgresql" else _key,
        ColumnKind.TEXT: _text if dialect == "postgresql" else _same,
        ColumnKind.ID: _text if dialect == "postgresql" else _same,
        ColumnKind.ENUM: lambda value: None if value is None else value.value,
    }
    chosen = [
        (typed_column_name(column.path), converters.get(column.kind, _same), place)
        for place, column in enumerate(SHAPES[data_type].columns)
        if column.path not in ("id", "sourceModifiedDate")
    ]
    names, functions, places = zip(*chosen, strict=True)
    return names, functions, places


def put(
    tx: Connection,
    tenant: TenantId,
    company: CompanyId,
    connection: ConnectionId,
    data_type: str,
    rows: Sequence[Prepared],
    now: datetime,
) -> Counts:
    """Store what is new, changed or back again."""
    table = STANDARD[data_type]
    held: dict[str, Any] = {}
    columns = sa.select(table.c.id, table.c.doc, table.c.source_modified_date, table.c.is_deleted, table.c.supplemental)
    by_id = {row.id: row for row in rows}
    for ids in _batches(by_id):
        mine = only(table, tenant, table.c.connection_id == connection, table.c.id.in_(ids))
        held.update({row.id: row for row in tx.execute(columns.where(mine))})
    new = [row for row in by_id.values() if row.id not in held]
    changed = [
        row
        for row in by_id.values()
        if (before := held.get(row.id)) is not None
        and (
            before.doc != row.document
            or before.is_deleted
            or before.source_modified_date != _instant(row.source_modified_date)
        )
    ]
    moment = text_of(now)
    dialect = tx.dialect.name
    names, functions, places = _columns(data_type, dialect)

    def typed(row: Prepared) -> tuple[Any, ...]:
        return tuple([function(row.values[place]) for function, place in zip(functions, places, strict=True)])

    if new:
        sql = _insert_sql(table.name, names)
        tx.exec_driver_sql(
            marked(sql, dialect),
            [
                (
                    tenant, company, connection, row.id, row.document, row.supplemental, moment,
                    _instant(row.source_modified_date), False, row.source_resource, row.source_id, *typed(row),
                )
                for row in new
            ],
        )  # fmt: skip
    if changed:
        sql = _update_sql(table.name, names)
        tx.exec_driver_sql(
            marked(sql, dialect),
            [
                (
                    row.document, row.supplemental, moment, _instant(row.source_modified_date), False,
                    row.source_resource, row.source_id, *typed(row), tenant, connection, row.id,
                )
                for row in changed
            ],
        )  # fmt: skip
    if new or changed:
        _touch(tx, tenant, company, data_type)
    return Counts(len(new), len(changed), len(by_id) - len(new) - len(changed))


@cache
def _insert_sql(table: str, names: tuple[str, ...]) -> str:
    columns = (
        "tenant_id", "company_id", "connection_id", "id", "doc", "supplemental", "modified_date",
        "source_modified_date", "is_deleted", "source_resource", "source_id", *names,
    )  # fmt: skip
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608 - our own names


@cache
def _update_sql(table: str, names: tuple[str, ...]) -> str:
    columns = (
        "doc", "supplemental", "modified_date", "source_modified_date", "is_deleted", "source_resource", "source_id",
        *names,
    )  # fmt: skip
    changes = ", ".join(f"{name} = ?" for name in columns)
    return f"UPDATE {table} SET {changes} WHERE tenant_id = ? AND connection_id = ? AND id = ?"  # noqa: S608 - likewise


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
) -> int:
    """Records of these source rows that mapping no longer makes (a bill that became a credit) are deleted."""
    table = STANDARD[data_type]
    gone: list[str] = []
    for some in _batches(source_ids):
        mine = only(
            table,
            tenant,
            table.c.connection_id == connection,
            table.c.source_resource == source_resource,
            table.c.source_id.in_(some),
            sa.not_(table.c.is_deleted),
        )
        gone += [id_ for id_ in tx.execute(sa.select(table.c.id).where(mine)).scalars() if id_ not in produced]
    return _delete(tx, tenant, company, connection, data_type, gone, now)


def mark_deleted_sources(
    tx: Connection,
    tenant: TenantId,
    company: CompanyId,
    connection: ConnectionId,
    data_type: str,
    now: datetime,
) -> int:
    """Records whose source row was deleted upstream are deleted; values stay as last known."""
    table = STANDARD[data_type]
    sql = (
        f"SELECT s.id FROM {table.name} s JOIN raw r ON r.connection_id = s.connection_id "  # noqa: S608 - our own names
        "AND r.resource = s.source_resource AND r.id = s.source_id "
        "WHERE s.tenant_id = ? AND s.connection_id = ? AND NOT s.is_deleted AND r.deleted_at IS NOT NULL"
    )
    gone = list(tx.exec_driver_sql(marked(sql, tx.dialect.name), (tenant, connection)).scalars())
    return _delete(tx, tenant, company, connection, data_type, gone, now)


def live_ids(tx: Connection, tenant: TenantId, connection: ConnectionId, data_type: str) -> set[str]:
    table = STANDARD[data_type]
    mine = only(table, tenant, table.c.connection_id == connection, sa.not_(table.c.is_deleted))
    return set(tx.execute(sa.select(table.c.id).where(mine)).scalars())


def _delete(
    tx: Connection,
    tenant: TenantId,
    company: CompanyId,
    connection: ConnectionId,
    data_type: str,
    ids: Sequence[str],
    now: datetime,
) -> int:
    table = STANDARD[data_type]
    for some in _batches(ids):
        mine = only(table, tenant, table.c.connection_id == connection, table.c.id.in_(some))
        tx.execute(sa.update(table).where(mine).values(is_deleted=True, modified_date=text_of(now)))
    if ids:
        _touch(tx, tenant, company, data_type)
    return len(ids)


def delete(
    tx: Connection,
    tenant: TenantId,
    company: CompanyId,
    connection: ConnectionId,
    data_type: str,
    ids: Sequence[str],
    now: datetime,
) -> int:
    """Mark records as deleted by id."""
    return _delete(tx, tenant, company, connection, data_type, ids, now)


def _touch(tx: Connection, tenant: TenantId, company: CompanyId, data_type: str) -> None:
    sql = (
        "INSERT INTO record_versions (tenant_id, company_id, data_type, version) VALUES (?,?,?,1) "
        "ON CONFLICT (company_id, data_type) DO UPDATE SET version = record_versions.version + 1"
    )
    tx.exec_driver_sql(marked(sql, tx.dialect.name), (tenant, company, data_type))


def count(tx: Connection, tenant: TenantId, connection: ConnectionId, data_type: str) -> int:
    """Live records."""
    table = STANDARD[data_type]
    mine = only(table, tenant, table.c.connection_id == connection, sa.not_(table.c.is_deleted))
    return tx.execute(sa.select(sa.func.count()).select_from(table).where(mine)).scalar_one()


def iterate(tx: Connection, tenant: TenantId, connection: ConnectionId, data_type: str) -> Iterator[bytes]:
    """Live documents, a batch at a time in memory."""
    table = STANDARD[data_type]
    after = 0
    base = only(table, tenant, table.c.connection_id == connection, sa.not_(table.c.is_deleted))
    columns = sa.select(table.c.pk, table.c.doc).order_by(table.c.pk).limit(1000)
    while rows := tx.execute(columns.where(base, table.c.pk > after)).all():
        for row in rows:
            yield row.doc
        after = rows[-1].pk


_counts: dict[tuple[Any, ...], int] = {}
_MOST_COUNTS = 10_000


def list_page(
    tx: Connection,
    tenant: TenantId,
    company: CompanyId,
    data_type: str,
    *,
    connection: ConnectionId | None = None,
    query: Query | None = None,
    order: str | None = None,
    page: int = 1,
    page_size: int = 100,
    account: str | None = None,
) -> Documents:
    """One page of finished documents. `account` narrows bank transactions to one bank account.

    The page's rows are found by their keys first, so that a deep page does not carry documents it skips.
    """
    shape, dialect, name = SHAPES[data_type], tx.dialect.name, standard_name(data_type)
    where = query.where(properties(data_type), shape.type_word, dialect) if query else Where.all()
    ordering = Order.parse(order, properties(data_type), shape.type_word)
    sql = f"{name}.tenant_id = ? AND {name}.company_id = ?"
    values: tuple[Any, ...] = (tenant, company)
    for column, value in (("connection_id", connection), ("p_account_id", account)):
        if value is not None:
            sql += f" AND {name}.{column} = ?"
            values += (value,)
    if where.values or where.sql != "1=1":
        sql += f" AND {where.sql}"
        values += where.values
    total = _total(tx, tenant, company, data_type, name, sql, values)
    offset = (page - 1) * page_size
    if offset >= total:
        return Documents(total, [])
    by = ordering.sql(f"{name}.pk")
    rows = tx.exec_driver_sql(_page_sql(name, sql, by, dialect), (*values, page_size, offset)).all()
    return Documents(total, [_spliced(shape.has_metadata, *row) for row in rows])


@cache
def _page_sql(name: str, condition: str, by: str, dialect: str) -> str:
    sql = (
        f"SELECT doc, modified_date, is_deleted FROM {name} WHERE pk IN "  # noqa: S608 - our own names; values are bound
        f"(SELECT pk FROM {name} WHERE {condition} ORDER BY {by} LIMIT ? OFFSET ?) ORDER BY {by}"
    )
    return marked(sql, dialect)


def _total(
    tx: Connection, tenant: TenantId, company: CompanyId, data_type: str, name: str, sql: str, values: tuple[Any, ...]
) -> int:
    version = tx.exec_driver_sql(
        marked(
            "SELECT version FROM record_versions WHERE tenant_id = ? AND company_id = ? AND data_type = ?",
            tx.dialect.name,
        ),
        (tenant, company, data_type),
    ).scalar()
    key = (tx.engine, name, sql, values, version)
    if (known := _counts.get(key)) is not None:
        return known
    statement = marked(f"SELECT count(*) FROM {name} WHERE {sql}", tx.dialect.name)  # noqa: S608 - our own names
    total = int(tx.exec_driver_sql(statement, values).scalar_one())
    if len(_counts) >= _MOST_COUNTS:
        _counts.clear()
    _counts[key] = total
    return total


def _spliced(has_metadata: bool, document: bytes, modified: str, is_deleted: bool) -> bytes:
    head = bytes(document)[:-1]
    comma = b"," if len(head) > 1 else b""
    if not has_metadata:
        return b'%b%b"modifiedDate":"%b"}' % (head, comma, modified.encode())
    flag = b"true" if is_deleted else b"false"
    return b'%b%b"modifiedDate":"%b","metadata":{"isDeleted":%b}}' % (head, comma, modified.encode(), flag)


def get(
    tx: Connection,
    tenant: TenantId,
    company: CompanyId,
    data_type: str,
    id_: str,
    connection: ConnectionId | None = None,
) -> bytes | None:
    """One finished document by id; a single record such as the company's own is served as it stands."""
    table, shape = STANDARD[data_type], SHAPES[data_type]
    mine = only(table, tenant, table.c.company_id == company, table.c.id == id_)
    if connection is not None:
        mine = sa.and_(mine, table.c.connection_id == connection)
    columns = sa.select(table.c.doc, table.c.modified_date, table.c.is_deleted)
    row = tx.execute(columns.where(mine).order_by(table.c.is_deleted, table.c.pk.desc()).limit(1)).one_or_none()
    if row is None:
        return None
    return bytes(row.doc) if shape.is_single else _spliced(shape.has_metadata, *row)


def _batches(ids: Iterable[str]) -> Iterator[list[str]]:
    some: list[str] = []
    for id_ in ids:
        some.append(id_)
        if len(some) == _BATCH:
            yield some
            some = []
    if some:
        yield some
