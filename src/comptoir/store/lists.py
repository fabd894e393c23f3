"""One page of a table's rows: filtered, ordered, counted. For lists of our own things; records have a faster path."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Row, Table

from comptoir.store import bulk
from comptoir.store.direct import marked
from comptoir.store.ids import TenantId
from comptoir.store.query import Order, Where
from comptoir.store.rows import Page

__all__ = ["page"]


def page(
    tx: Connection,
    table: Table,
    tenant: TenantId,
    where: Where,
    order: Order,
    number: int,
    size: int,
    struct: Callable[[Row[Any]], Any],
    *,
    default_order: str,
) -> Page:
    """Page `number` (from 1) of `size` rows of the tenant that match."""
    name, dialect = table.name, tx.dialect.name
    condition = f"{name}.tenant_id = ? AND {where.sql}"
    values = (tenant, *where.values)
    total = tx.exec_driver_sql(marked(f"SELECT count(*) FROM {name} WHERE {condition}", dialect), values).scalar_one()  # noqa: S608 - our own names; values are bound
    sql = f"SELECT {name}.id FROM {name} WHERE {condition} ORDER BY {order.sql(default_order)} LIMIT ? OFFSET ?"  # noqa: S608 - likewise
    ids = [row[0] for row in tx.exec_driver_sql(marked(sql, dialect), (*values, size, (number - 1) * size))]
    if not ids:
        return Page(total, [])
    rows = {
        row.id: row
        for some in bulk.batches(ids)
        for row in tx.execute(table.select().where(table.c.tenant_id == tenant, table.c.id.in_(some)))
    }
    return Page(total, [struct(rows[id_]) for id_ in ids])
