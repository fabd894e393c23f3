"""From rows to structs, and the one way to say "this tenant's"."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, Row, Table

from comptoir.errors import NotFound
from comptoir.store.ids import TenantId

__all__ = ["Page", "all_of", "one_of", "only", "struct_of"]

_T = TypeVar("_T", bound=msgspec.Struct)


class Page(msgspec.Struct, frozen=True):
    """Part of a list: `total` counts all that match, `rows` are those of the page asked for."""

    total: int
    rows: list[Any]


def only(table: Table, tenant: TenantId, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """The rows of one tenant. Every statement on a tenant's table is built with this."""
    return sa.and_(table.c.tenant_id == tenant, *conditions)


def struct_of(kind: type[_T], row: Row[Any], **more: Any) -> _T:
    """A struct from the columns of the same names; `more` wins."""
    mapping = row._mapping
    names = kind.__struct_fields__
    return kind(**{name: more[name] if name in more else mapping[name] for name in names})


def one_of(tx: Connection, table: Table, tenant: TenantId, id_: str, message: str) -> Row[Any]:
    """One row of the tenant by id; NotFound with `message` if there is none, or if it is another tenant's."""
    row = tx.execute(sa.select(table).where(only(table, tenant, table.c.id == id_))).one_or_none()
    if row is None:
        raise NotFound(message)
    return row


def all_of(tx: Connection, table: Table, tenant: TenantId, *conditions: ColumnElement[bool]) -> list[Row[Any]]:
    return list(tx.execute(sa.select(table).where(only(table, tenant, *conditions))))
