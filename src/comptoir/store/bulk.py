"""Many rows at once, on the driver itself: what a pull writes and reads by the thousand.

Statements are made here from table objects, and none is made without the tenant.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import chain, islice
from typing import Any

import msgspec
import psycopg
import sqlalchemy as sa
from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql

from comptoir.store.direct import marked

__all__ = ["among", "batches", "delete", "insert", "named", "run", "select", "update"]

_AT_ONCE = 1000  # ids named in one statement
_ROWS_A_STATEMENT = (256, 32, 4, 1)  # inserted by one statement on SQLite, the largest that still fits
_DIALECT: sa.Dialect = postgresql.psycopg.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped


def batches(ids: Iterable[str]) -> Iterator[list[str]]:
    remaining = iter(ids)
    while some := list(islice(remaining, _AT_ONCE)):
        yield some


def among(column: str, dialect: str) -> str:
    """A condition for a value that `named` made from ids. One statement, however many ids."""
    return f"{column} = ANY(?)" if dialect == "postgresql" else f"{column} IN (SELECT value FROM json_each(?))"  # noqa: S608 - our own names


def named(ids: Sequence[str], dialect: str) -> Any:
    return list(ids) if dialect == "postgresql" else msgspec.json.encode(ids).decode()


def select(tx: Connection, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """All rows of one SELECT of our own with `?` for each value. It names the tenant."""
    assert "tenant_id" in sql, sql
    driver = tx.connection.driver_connection
    if isinstance(driver, sqlite3.Connection):
        return driver.execute(sql, values).fetchall()
    assert isinstance(driver, psycopg.Connection)
    return driver.execute(marked(sql, "postgresql"), values, binary=True).fetchall()


def run(tx: Connection, sql: str, values: Sequence[Any]) -> int:
    """One changing statement of our own that names the tenant; tells how many rows it changed."""
    assert "tenant_id" in sql, sql
    driver = tx.connection.driver_connection
    if isinstance(driver, sqlite3.Connection):
        return driver.execute(sql, values).rowcount
    assert isinstance(driver, psycopg.Connection)
    return driver.execute(marked(sql, "postgresql"), values).rowcount


def insert(tx: Connection, table: Table, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> int:
    """Insert rows but those that are there already; tells how many were inserted."""
    if not rows:
        return 0
    driver = tx.connection.driver_connection
    if isinstance(driver, sqlite3.Connection):
        return _insert_on_sqlite(driver, table, columns, rows)
    assert isinstance(driver, psycopg.Connection)
    return driver.execute(_insert_all(table, columns), [list(column) for column in zip(*rows, strict=True)]).rowcount


def update(
    tx: Connection, table: Table, columns: tuple[str, ...], keys: tuple[str, ...], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Set `columns` of the rows that `keys` find; each row gives the values of the columns, then of the keys."""
    if not rows:
        return
    _each(tx, _update_each(table, columns, keys), rows)


def delete(tx: Connection, table: Table, keys: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> None:
    """Delete the rows that `keys` find."""
    if rows:
        _each(tx, _delete_each(table, keys), rows)


def _each(tx: Connection, sql: str, rows: Sequence[tuple[Any, ...]]) -> None:
    driver = tx.connection.driver_connection
    if isinstance(driver, sqlite3.Connection):
        driver.executemany(sql, rows)
        return
    assert isinstance(driver, psycopg.Connection)
    with driver.cursor() as cursor:
        cursor.executemany(marked(sql, "postgresql").encode(), rows)


def _insert_on_sqlite(
    driver: sqlite3.Connection, table: Table, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]
) -> int:
    # Many rows a statement: each takes the interpreter's lock anew, and waits for it while other threads compute.
    inserted = start = 0
    for size in _ROWS_A_STATEMENT:
        sql = _insert_some(table, columns, size)
        while start + size <= len(rows):
            some = rows[start : start + size]
            inserted += driver.execute(sql, list(chain.from_iterable(some))).rowcount
            start += size
    return inserted


@cache
def _insert_some(table: Table, columns: tuple[str, ...], count: int) -> str:
    assert "tenant_id" in columns
    marks = ", ".join([f"({', '.join('?' * len(columns))})"] * count)
    return f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES {marks} ON CONFLICT DO NOTHING"  # noqa: S608 - our own names


@cache
def _insert_all(table: Table, columns: tuple[str, ...]) -> bytes:
    # One statement with an array a column: no round trip and no parsing for each row.
    assert "tenant_id" in columns
    arrays = ", ".join(f"%b::{_postgres_type(table.c[name])}[]" for name in columns)
    sql = f"INSERT INTO {table.name} ({', '.join(columns)}) SELECT * FROM unnest({arrays}) ON CONFLICT DO NOTHING"  # noqa: S608 - likewise
    return sql.encode()


@cache
def _update_each(table: Table, columns: tuple[str, ...], keys: tuple[str, ...]) -> str:
    assert "tenant_id" in keys
    changes, condition = (
        joint.join(f"{name} = ?" for name in names) for joint, names in ((", ", columns), (" AND ", keys))
    )
    return f"UPDATE {table.name} SET {changes} WHERE {condition}"  # noqa: S608 - likewise


@cache
def _delete_each(table: Table, keys: tuple[str, ...]) -> str:
    assert "tenant_id" in keys
    return f"DELETE FROM {table.name} WHERE {' AND '.join(f'{name} = ?' for name in keys)}"  # noqa: S608 - likewise


def _postgres_type(column: sa.Column[Any]) -> str:
    return str(column.type.dialect_impl(_DIALECT).compile(_DIALECT)).partition(" COLLATE")[0]
