"""From rows to structs, and the one way to say "this tenant's"."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, Row, Table
from sqlalchemy.dialects import postgresql, sqlite

from comptoir.errors import NotFound
from comptoir.store.ids import TenantId
from comptoir.store.tables import TENANTS

__all__ = ["Page", "all_of", "insert_if_free", "one_of", "only", "struct_of", "take_turns", "upsert"]

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
    row = tx.execute(_one(table), {"tenant": tenant, "id": id_}).one_or_none()
    if row is None:
        raise NotFound(message)
    return row


@cache  # making a statement takes longer than running it
def _one(table: Table) -> sa.Select[Any]:
    return sa.select(table).where(table.c.tenant_id == sa.bindparam("tenant"), table.c.id == sa.bindparam("id"))


def all_of(tx: Connection, table: Table, tenant: TenantId, *conditions: ColumnElement[bool]) -> list[Row[Any]]:
    return list(tx.execute(sa.select(table).where(only(table, tenant, *conditions))))


def insert_if_free(tx: Connection, table: Table, **values: Any) -> bool:
    """Insert a row unless another one has its place; waits for whoever takes that place at this very moment."""
    statement = _inserting(tx.dialect.name, table)
    return tx.execute(statement, values, execution_options={"preserve_rowcount": True}).rowcount == 1


@cache
def _inserting(dialect: str, table: Table) -> sa.Insert:
    return _insert(dialect, table).on_conflict_do_nothing()


def upsert(tx: Connection, table: Table, key: Mapping[str, Any], values: Mapping[str, Any], **changes: Any) -> None:
    """Insert a row, or change the one with this key; `changes` win where a row that is there takes other values."""
    of = (tx.dialect.name, table, tuple(key), tuple(values))
    tx.execute(_put_with(*of, changes) if changes else _putting(*of), {**values, **key})


@cache
def _putting(dialect: str, table: Table, key: tuple[str, ...], values: tuple[str, ...]) -> sa.Insert:
    return _put_with(dialect, table, key, values, {})


def _put_with(
    dialect: str, table: Table, key: tuple[str, ...], values: tuple[str, ...], changes: Mapping[str, Any]
) -> sa.Insert:
    statement = _insert(dialect, table)
    new = statement.excluded
    mine = table.c.tenant_id == new.tenant_id if "tenant_id" in table.c else None
    return statement.on_conflict_do_update(
        index_elements=list(key), set_={**{name: new[name] for name in values}, **changes}, where=mine
    )


def _insert(dialect: str, table: Table) -> postgresql.Insert | sqlite.Insert:
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def take_turns(tx: Connection, tenant: TenantId) -> None:
    """Wait until no other transaction that took its turn for this tenant is open: for "at most ten", "not the last"."""
    mine = sa.select(TENANTS.c.id).where(TENANTS.c.id == tenant)
    tx.execute(mine.with_for_update(key_share=True))  # one writes at a time on SQLite as it is
