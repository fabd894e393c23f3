"""What changed in the raw rows since records were made of them: ids, and what the rows were before.

Changes bear the mark that their connection stands at, a number that only rises; whatever our clock does, what came
after a mapping is told from what came before it. Nothing is kept while nothing was mapped yet: then all is new.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from comptoir.integrations.contract import Link
from comptoir.store import bulk
from comptoir.store.ids import ConnectionId, TenantId
from comptoir.store.rows import only
from comptoir.store.tables import CONNECTIONS, MAPPINGS, RAW_CHANGES

__all__ = ["close", "count", "first_sort_keys", "forget", "former_targets", "ids", "keep", "keep_new", "targets"]

_NEW = ("tenant_id", "connection_id", "resource", "mark", "id")
_MOST_KEPT = 200_000  # of one connection; a data type that lags behind more than this is mapped whole
_AT_ONCE = 2000  # dropped by one statement: SQLite holds the keys of all that it is to delete in memory
_SINCE = "FROM raw_changes WHERE tenant_id = ? AND connection_id = ? AND resource = ? AND mark > ?"
_links = msgspec.json.Decoder(tuple[Link, ...])


def keep_new(tx: Connection, tenant: TenantId, connection: ConnectionId, resource: str, ids: Iterable[str]) -> None:
    """These rows came."""
    if mark := _mark(tx, tenant, connection):
        bulk.insert(tx, RAW_CHANGES, _NEW, [(tenant, connection, resource, mark, id_) for id_ in ids])


def keep(tx: Connection, tenant: TenantId, connection: ConnectionId, resource: str, ids: Iterable[str]) -> None:
    """These rows, as they stand now, are about to be changed, marked as gone or brought back."""
    mark = _mark(tx, tenant, connection)
    dialect = tx.dialect.name
    # What a row was when it was last mapped is what it was before the first change that bears a mark.
    sql = (
        "INSERT INTO raw_changes (tenant_id, connection_id, resource, mark, id, links, sort_key) "  # noqa: S608 - our own names
        f"SELECT tenant_id, connection_id, resource, {mark:d}, id, links, sort_key FROM raw "
        f"WHERE tenant_id = ? AND connection_id = ? AND resource = ? AND {bulk.among('id', dialect)} "
        "ON CONFLICT DO NOTHING"
    )
    for some in bulk.batches(ids if mark else ()):
        bulk.run(tx, sql, (tenant, connection, resource, bulk.named(some, dialect)))


def _mark(tx: Connection, tenant: TenantId, connection: ConnectionId) -> int:
    """The mark that changes bear, held until the end of the transaction: none of them comes in behind a mapping."""
    held = " FOR SHARE" if tx.dialect.name == "postgresql" else ""
    rows = bulk.select(tx, f"SELECT mark FROM connections WHERE tenant_id = ? AND id = ?{held}", (tenant, connection))  # noqa: S608 - likewise
    return int(rows[0][0]) if rows else 0


def close(tx: Connection, tenant: TenantId, connection: ConnectionId) -> int:
    """End the mark the connection stands at, and tell it: changes from now on bear a later one."""
    mine = only(CONNECTIONS, tenant, CONNECTIONS.c.id == connection)
    tx.execute(sa.update(CONNECTIONS).where(mine).values(mark=CONNECTIONS.c.mark + 1))
    return int(tx.execute(sa.select(CONNECTIONS.c.mark).where(mine)).scalar_one()) - 1


def count(tx: Connection, tenant: TenantId, connection: ConnectionId, resource: str, since: int) -> int:
    """How many changes there were since a mark."""
    return int(bulk.select(tx, f"SELECT count(*) {_SINCE}", (tenant, connection, resource, since))[0][0])


def ids(tx: Connection, tenant: TenantId, connection: ConnectionId, resource: str, since: int) -> set[str]:
    """The rows that changed since a mark, those that are gone among them."""
    return {id_ for (id_,) in bulk.select(tx, f"SELECT id {_SINCE}", (tenant, connection, resource, since))}


def former_targets(
    tx: Connection, tenant: TenantId, connection: ConnectionId, resource: str, since: int, link: str
) -> set[str]:
    """What the rows that changed since a mark named by `link` before they did."""
    rows = bulk.select(tx, f"SELECT links {_SINCE} AND links IS NOT NULL", (tenant, connection, resource, since))
    return {one.id for (links,) in rows for one in _links.decode(links) if one.name == link}


def targets(
    tx: Connection, tenant: TenantId, connection: ConnectionId, resource: str, since: int, link: str
) -> set[str]:
    """What the rows that changed since a mark name by `link`, or named before they did. Where few of very many have
    such a link, only those are looked at."""
    mine = (tenant, connection, resource)
    if not bulk.select(tx, f"SELECT 1 {_SINCE} LIMIT 1", (*mine, since)):
        return set()
    sql = (
        "SELECT DISTINCT target FROM raw_links WHERE tenant_id = ? AND connection_id = ? AND resource = ? "  # noqa: S608 - our own names
        f"AND link = ? AND id IN (SELECT id {_SINCE})"
    )
    named = {target for (target,) in bulk.select(tx, sql, (*mine, link, *mine, since))}
    return named | former_targets(tx, *mine, since, link)


def first_sort_keys(
    tx: Connection, tenant: TenantId, connection: ConnectionId, resource: str, since: int, separator: str
) -> dict[str, str]:
    """The first place that changed since a mark, before or after it did, of each series: what stands before the first
    `separator` in a sort key names the series."""
    mine = (tenant, connection, resource, since)
    former = bulk.select(tx, f"SELECT sort_key {_SINCE} AND sort_key IS NOT NULL", mine)
    current = bulk.select(
        tx,
        "SELECT r.sort_key FROM raw_changes c JOIN raw r ON r.tenant_id = c.tenant_id "
        "AND r.connection_id = c.connection_id AND r.resource = c.resource AND r.id = c.id "
        "WHERE c.tenant_id = ? AND c.connection_id = ? AND c.resource = ? AND c.mark > ?",
        mine,
    )
    first: dict[str, str] = {}
    for (key,) in (*former, *current):
        series = key.partition(separator)[0]
        first[series] = min(key, first.get(series, key))
    return first


def forget(tx: Connection, tenant: TenantId, connection: ConnectionId) -> None:
    """Drop what every data type has followed. Data types far behind the others are to be mapped whole instead."""
    of_types = only(MAPPINGS, tenant, MAPPINGS.c.connection_id == connection, MAPPINGS.c.mark >= 0)
    marks = list(tx.execute(sa.select(MAPPINGS.c.mark).where(of_types)).scalars())
    if not marks:
        return
    _drop(tx, tenant, connection, marks)
    mine = only(RAW_CHANGES, tenant, RAW_CHANGES.c.connection_id == connection)
    if tx.execute(sa.select(sa.func.count()).select_from(RAW_CHANGES).where(mine)).scalar_one() > _MOST_KEPT:
        tx.execute(sa.update(MAPPINGS).where(of_types, MAPPINGS.c.mark < max(marks)).values(mark=-1))
        _drop(tx, tenant, connection, [max(marks)])


def _drop(tx: Connection, tenant: TenantId, connection: ConnectionId, marks: Sequence[int]) -> None:
    mine = "FROM raw_changes WHERE tenant_id = ? AND connection_id = ? AND mark <= ?"
    values, behind = (tenant, connection, min(marks)), "AND (resource, mark, id) > (?, ?, ?)"
    last = f"SELECT resource, mark, id {mine} {behind} ORDER BY resource, mark, id LIMIT 1 OFFSET {_AT_ONCE - 1}"
    some = f"DELETE {mine} {behind} AND (resource, mark, id) <= (?, ?, ?)"
    place: tuple[Any, ...] = ("", 0, "")
    while ends := bulk.select(tx, last, (*values, *place)):
        bulk.run(tx, some, (*values, *place, *ends[0]))
        place = ends[0]
    bulk.run(tx, f"DELETE {mine}", values)
