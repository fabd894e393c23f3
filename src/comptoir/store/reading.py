"""Standard records, read: pages of finished documents, filtered and ordered on typed columns.

The hot path of the product. Statements run on the driver; a page's rows are found by their keys first, so that a deep
page does not carry documents it skips; totals are remembered until the records change.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache, lru_cache
from threading import Lock
from typing import Any

import msgspec

from comptoir.model import SHAPES, ColumnKind, Shape
from comptoir.store.database import Database, Source, fetch
from comptoir.store.ids import CompanyId, ConnectionId, TenantId
from comptoir.store.places import Place, Places
from comptoir.store.query import Order, Property, Query, Where
from comptoir.store.tables import documents_name, standard_name, typed_column_name
from comptoir.store.values import storable, text_of

__all__ = ["Documents", "each", "get", "is_readable", "list_page", "properties", "was_readable"]

_BATCH = 1000


class Documents(msgspec.Struct, frozen=True):
    """One page of finished documents; `total` counts all that match.

    `is_readable` is False until the data type was read to its end once, over any connection asked for.
    """

    total: int
    documents: list[bytes]
    is_readable: bool = True


@cache
def properties(data_type: str) -> Mapping[str, Property]:
    """What queries and orders may name, by lower-case path."""
    shape = SHAPES[data_type]
    required = {field.encode_name for field in msgspec.structs.fields(shape.struct) if field.required}
    found = {
        column.path.lower(): Property(
            f"s.{typed_column_name(column.path)}",
            column.kind,
            is_folded=column.kind in (ColumnKind.TEXT, ColumnKind.ENUM),
            is_required=column.path in required,
        )
        for column in shape.columns
        if column.path not in ("id", "sourceModifiedDate")
    }
    found["id"] = Property("s.id", ColumnKind.ID, is_required=True)
    found["sourcemodifieddate"] = Property("s.source_modified_date", ColumnKind.INSTANT)
    found["modifieddate"] = Property("s.modified_date", ColumnKind.INSTANT, is_required=True)
    found["metadata.isdeleted"] = Property("s.is_deleted", ColumnKind.BOOLEAN, is_required=True)
    return found


def is_readable(
    source: Source, tenant: TenantId, company: CompanyId, data_type: str, connection: ConnectionId | None = None
) -> bool:
    """Whether the data type was read to its end once: before that a list is not an answer."""
    return any(readable for _, _, readable in _versions(source, tenant, company, data_type, connection))


def was_readable(source: Source, tenant: TenantId, connection: ConnectionId, data_type: str, before: datetime) -> bool:
    """Whether it was already before a moment."""
    rows = fetch(
        source,
        "SELECT 1 FROM record_versions WHERE tenant_id = ? AND connection_id = ? AND data_type = ? "
        "AND readable_since < ?",
        (tenant, connection, data_type, text_of(before)),
    )
    return bool(rows)


def _versions(
    source: Source, tenant: TenantId, company: CompanyId, data_type: str, connection: ConnectionId | None
) -> list[tuple[str, int, bool]]:
    """Connection, version and whether it is readable, of each connection that ever had records of this type."""
    rows = fetch(
        source,
        "SELECT connection_id, version, readable_since IS NOT NULL FROM record_versions "
        "WHERE tenant_id = ? AND company_id = ? AND data_type = ? ORDER BY connection_id",
        (tenant, storable(company), data_type),
    )
    return [(id_, version, bool(readable)) for id_, version, readable in rows if connection in (None, id_)]


def list_page(
    source: Source,
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
    """One page of finished documents, from 1. `account` narrows bank transactions to one bank account.

    Without an order they come as they were first stored: what is new comes last, and no page shifts. InvalidInput for
    a query or an order that cannot be understood.
    Given the Database itself it needs no transaction, and takes well under a millisecond on SQLite.
    """
    shape = SHAPES[data_type]
    where = query.where(properties(data_type), shape.type_word, _dialect(source)) if query else None
    ordering = Order.parse(order, properties(data_type), shape.type_word)
    everything = _versions(source, tenant, company, data_type, None)
    versions = [one for one in everything if connection in (None, one[0])]
    readable = any(is_readable for _, _, is_readable in versions)
    if not versions:
        return Documents(0, [], is_readable=False)
    # PostgreSQL would rather look through a table of some thousand records than look up the hundred of the page.
    is_whole = where is None and account is None and versions == everything and _dialect(source) == "sqlite"
    condition, values = _condition(tenant, company, [id_ for id_, _, _ in versions], account, where)
    total = _total(source, data_type, condition, values, tuple(versions))
    offset = (page - 1) * page_size
    if offset >= total:
        return Documents(total, [], is_readable=readable)
    # Inside a transaction the records may be of another state.
    keeps_places = isinstance(source, Database) and (ordering.column is None or ordering.is_always_there)
    of = (data_type, condition, values, tuple(versions), ordering, is_whole)
    place = _places.before(of, offset) if keeps_places else None
    if place is None:
        start, skipped = (), offset
    else:
        start, skipped = _start(ordering, place), offset - place.offset
    if is_whole:
        sql = _whole_page_sql(data_type, condition, ordering, from_place=bool(start))
        rows = fetch(source, sql, (company, *start, page_size, skipped, *values))
    else:
        sql = _page_sql(data_type, condition, ordering, from_place=bool(start))
        rows = fetch(source, sql, (*values, *start, page_size, skipped))
    if keeps_places and rows and _places.is_wanted(of, offset):
        _places.note(of, Place(offset, *rows[0][3:]))
    ends = {(modified, is_deleted) for _, modified, is_deleted, _, _ in rows}  # few: records of one sync share them
    said = {end: _end(shape, *end) for end in ends}
    documents = [document[:-1] + said[modified, is_deleted] for document, modified, is_deleted, _, _ in rows]
    return Documents(total, documents, is_readable=readable)


def each(
    source: Source,
    tenant: TenantId,
    company: CompanyId,
    data_type: str,
    query: Query | None = None,
    connection: ConnectionId | None = None,
) -> Iterator[bytes]:
    """All documents of a company that match, as they were first stored, a batch at a time; without what the store
    adds. Inside a transaction they are of one moment."""
    versions = _versions(source, tenant, company, data_type, connection)
    if not versions:
        return
    where = query.where(properties(data_type), SHAPES[data_type].type_word, _dialect(source)) if query else None
    condition, values = _condition(tenant, company, [id_ for id_, _, _ in versions], None, where)
    sql = (
        f"SELECT s.pk, d.doc FROM {standard_name(data_type)} s JOIN {documents_name(data_type)} d ON d.pk = s.pk "  # noqa: S608 - our own names; values are bound
        f"WHERE {condition} AND s.pk > ? ORDER BY s.pk LIMIT {_BATCH}"
    )
    after = 0
    while rows := fetch(source, sql, (*values, after)):
        yield from (document for _, document in rows)
        after = rows[-1][0]


def _dialect(source: Source) -> str:
    dialect = source.dialect
    return dialect if isinstance(dialect, str) else dialect.name


def _condition(
    tenant: TenantId, company: CompanyId, connections: list[str], account: str | None, where: Where | None
) -> tuple[str, tuple[Any, ...]]:
    """The rows of one list. The connections are named, so that one index gives both filter and order."""
    one = "= ?" if len(connections) == 1 else f"IN ({', '.join('?' * len(connections))})"
    sql = f"s.tenant_id = ? AND s.company_id = ? AND s.connection_id {one}"
    values: tuple[Any, ...] = (tenant, company, *connections)
    if account is not None:
        sql += " AND s.p_account_id = ?"
        values += (storable(account),)
    if where is not None:
        sql += f" AND {where.sql}"
        values += where.values
    return sql, values


@lru_cache(maxsize=1024)
def _page_sql(data_type: str, condition: str, order: Order, *, from_place: bool) -> str:
    column = order.column or "NULL"
    return (
        f"SELECT d.doc, k.modified_date, k.is_deleted, k.pk, k.o "  # noqa: S608 - our own names; values are bound
        f"FROM (SELECT s.pk, s.modified_date, s.is_deleted, {column} AS o "
        f"FROM {standard_name(data_type)} s WHERE {condition}{_from(order) if from_place else ''} "
        f"ORDER BY {_by(order, order.column, 's')} LIMIT ? OFFSET ?) k "
        f"JOIN {documents_name(data_type)} d ON d.pk = k.pk ORDER BY {_by(order, 'k.o', 'k')}"
    )


@lru_cache(maxsize=1024)
def _whole_page_sql(data_type: str, condition: str, order: Order, *, from_place: bool) -> str:
    """The same for all records of a company: the pages before it are skipped in an index alone, and the condition is
    held against the page. Far pages of many records cost a twentieth of it."""
    name, by = standard_name(data_type), _by(order, order.column, "s")
    return (
        f"SELECT d.doc, s.modified_date, s.is_deleted, s.pk, {order.column or 'NULL'} "  # noqa: S608 - likewise
        f"FROM (SELECT s.pk FROM {name} s WHERE s.company_id = ?{_from(order) if from_place else ''} "
        f"ORDER BY {by} LIMIT ? OFFSET ?) k "
        f"JOIN {name} s ON s.pk = k.pk JOIN {documents_name(data_type)} d ON d.pk = s.pk "
        f"WHERE {condition} ORDER BY {by}"
    )


def _from(order: Order) -> str:
    """Nothing that comes before a place; see _start for its values. SQLite begins at the first row of that value."""
    if order.column is None:
        return " AND s.pk >= ?"
    return f" AND ({order.column}, s.pk) {'<=' if order.descending else '>='} (?, ?)"


def _start(order: Order, place: Place) -> tuple[Any, ...]:
    return (place.key,) if order.column is None else (place.value, place.key)


def _by(order: Order, column: str | None, rows: str) -> str:
    if order.column is None:
        return f"{rows}.pk"
    way = " DESC" if order.descending else ""
    return f"{column}{way}{'' if order.is_required else ' NULLS LAST'}, {rows}.pk{way}"


_places = Places()
_counts: OrderedDict[tuple[Any, ...], int] = OrderedDict()
_counts_lock = Lock()
_MOST_COUNTS = 10_000


def _total(
    source: Source, data_type: str, condition: str, values: tuple[Any, ...], versions: tuple[tuple[str, int, bool], ...]
) -> int:
    """How many match; counted once for each filter and state of the records."""
    key = (data_type, condition, values, versions)
    with _counts_lock:
        if (known := _counts.get(key)) is not None:
            _counts.move_to_end(key)
            return known
    total = int(fetch(source, f"SELECT count(*) FROM {standard_name(data_type)} s WHERE {condition}", values)[0][0])  # noqa: S608 - our own names; values are bound
    if not isinstance(source, Database):
        return total  # inside a transaction that may yet be undone
    with _counts_lock:
        _counts[key] = total
        if len(_counts) > _MOST_COUNTS:
            _counts.popitem(last=False)
    return total


def _end(shape: Shape, modified: str, is_deleted: bool) -> bytes:
    """What the store knows of a record stands last in its document, before the closing brace."""
    if shape.has_metadata:
        return b',"modifiedDate":"%b","metadata":{"isDeleted":%b}}' % (
            modified.encode(),
            b"true" if is_deleted else b"false",
        )
    return b',"modifiedDate":"%b"}' % modified.encode() if shape.has_modified_date else b"}"


def get(
    source: Source,
    tenant: TenantId,
    company: CompanyId,
    data_type: str,
    id_: str,
    connection: ConnectionId | None = None,
    account: str | None = None,
) -> bytes | None:
    """One finished document by id; a single record such as the company's own is served as it stands."""
    versions = _versions(source, tenant, company, data_type, connection)
    if not versions:
        return None
    condition, values = _condition(tenant, company, [one for one, _, _ in versions], account, None)
    rows = fetch(
        source,
        f"SELECT d.doc, s.modified_date, s.is_deleted FROM {standard_name(data_type)} s "  # noqa: S608 - our own names; values are bound
        f"JOIN {documents_name(data_type)} d ON d.pk = s.pk WHERE {condition} AND s.id = ? "
        "ORDER BY s.is_deleted, s.pk DESC LIMIT 1",
        (*values, storable(id_)),
    )
    if not rows:
        return None
    document, modified, is_deleted = rows[0]
    return bytes(document[:-1]) + _end(SHAPES[data_type], modified, is_deleted)
