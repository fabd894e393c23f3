"""All rows of one database into another, of the same kind or not, counted and compared.

Rows are read and written on the drivers themselves, a batch at a time, so memory stays flat. A row's own form, equal
on both kinds of database, gives its hash; the hash of a table is the sum of its rows', so order does not count.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from hashlib import blake2b
from itertools import islice
from typing import Any

import msgspec
import psycopg
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy import Connection, Table

from comptoir.errors import ActionNeeded
from comptoir.store.tables import METADATA
from comptoir.store.values import Amount, Words, amount_key, escaped, number_of_key, numeric, unescaped
from comptoir.store.views import SIGN

__all__ = ["Held", "copy_all", "counted", "is_empty"]

_AT_ONCE = 1000
_BYTES = 16
_ABOUT_ITSELF = frozenset({SIGN})  # rows of `meta` that each database keeps for itself
_Row = tuple[Any, ...]
Tell = Callable[[str, int], None]


class Held(msgspec.Struct, frozen=True):
    """What a table holds: how many rows, and a hash of all of them."""

    rows: int
    hash: str


def is_empty(tx: Connection) -> bool:
    """Whether no table holds anything but what a new database does."""
    return not any(next(_rows(tx, table), None) for table in METADATA.sorted_tables)


def counted(tx: Connection) -> dict[str, Held]:
    """What each table holds."""
    return {table.name: _summed(_rows(tx, table)) for table in METADATA.sorted_tables}


def copy_all(source: Connection, target: Connection, tell: Tell = lambda _, __: None) -> dict[str, Held]:
    """Copy every row, and read back what was written; what each table holds now. `target` must be empty.

    `tell` is called with a table and how many of its rows were copied so far. ActionNeeded when what was read back
    is not what was read: then the caller must give the transaction up.
    """
    held: dict[str, Held] = {}
    for table in METADATA.sorted_tables:
        taken = _Sum()
        done = 0
        for rows in _batches(_rows(source, table)):
            for row in rows:
                taken.add(row)
            _write(target, table, rows)
            done += len(rows)
            tell(table.name, done)
        arrived = _summed(_rows(target, table))
        if arrived != taken.held():
            raise ActionNeeded(
                f"The copy of the table {table.name} is not what was copied: {taken.rows:,} rows were read and "
                f"{arrived.rows:,} arrived, or they differ. Nothing was kept of the copy. Copy again; if that fails "
                "too, the source or the target has damaged storage."
            )
        held[table.name] = arrived
    _set_sequences(target)
    return held


class _Sum:
    """Adds up rows in any order."""

    def __init__(self) -> None:
        self.rows, self._sum = 0, 0

    def add(self, row: _Row) -> None:
        own = [amount_key(value) if isinstance(value, Decimal) else value for value in row]
        digest = blake2b(msgspec.msgpack.encode(own), digest_size=_BYTES).digest()
        self._sum = (self._sum + int.from_bytes(digest, "big")) % 256**_BYTES
        self.rows += 1

    def held(self) -> Held:
        return Held(self.rows, self._sum.to_bytes(_BYTES, "big").hex())


def _summed(rows: Iterator[_Row]) -> Held:
    total = _Sum()
    for row in rows:
        total.add(row)
    return total.held()


def _batches(rows: Iterator[_Row]) -> Iterator[list[_Row]]:
    while batch := list(islice(rows, _AT_ONCE)):
        yield batch


def _rows(tx: Connection, table: Table) -> Iterator[_Row]:
    """Every row in the form that is equal on both kinds: text as it was given, amounts as Decimal."""
    driver = tx.connection.driver_connection
    names = [column.name for column in table.columns]
    if isinstance(driver, sqlite3.Connection):
        found = _on_sqlite(driver, table.name, names)
        changes = _changes(table, {Amount: _number, sa.Boolean: bool})
    else:
        assert isinstance(driver, psycopg.Connection)
        found = _on_postgres(driver, table.name, names)
        changes = _changes(table, {Words: unescaped})
    rows = (_changed(row, changes) for row in found)
    if table.name == "meta":
        return (row for row in rows if row[0] not in _ABOUT_ITSELF)
    return rows


def _on_sqlite(driver: sqlite3.Connection, table: str, names: Sequence[str]) -> Iterator[_Row]:
    columns = ", ".join(f'"{name}"' for name in names)
    return iter(driver.execute(f'SELECT {columns} FROM "{table}"'))  # noqa: S608 - our own names


def _on_postgres(driver: psycopg.Connection[Any], table: str, names: Sequence[str]) -> Iterator[_Row]:
    statement = sql.SQL("SELECT {} FROM {}").format(
        sql.SQL(", ").join(map(sql.Identifier, names)), sql.Identifier(table)
    )
    with driver.cursor(name=f"copy_{table}", binary=True) as cursor:  # the server keeps what was not asked for yet
        cursor.itersize = _AT_ONCE
        yield from cursor.execute(statement)


def _write(tx: Connection, table: Table, rows: Sequence[_Row]) -> None:
    driver = tx.connection.driver_connection
    names = [column.name for column in table.columns]
    if isinstance(driver, sqlite3.Connection):
        changes = _changes(table, {Amount: amount_key})
        columns, marks = ", ".join(f'"{name}"' for name in names), ", ".join("?" * len(names))
        statement = f'INSERT INTO "{table.name}" ({columns}) VALUES ({marks})'  # noqa: S608 - our own names
        driver.executemany(statement, [_changed(row, changes) for row in rows])
        return
    assert isinstance(driver, psycopg.Connection)
    changes = _changes(table, {Words: escaped, Amount: numeric})
    into = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table.name), sql.SQL(", ").join(map(sql.Identifier, names))
    )
    with driver.cursor() as cursor, cursor.copy(into) as copy:
        for row in rows:
            copy.write_row(_changed(row, changes))


_Changes = tuple[tuple[int, Callable[[Any], Any]], ...]


def _changes(table: Table, by_type: Mapping[type[Any], Callable[[Any], Any]]) -> _Changes:
    """By place in a row, what to do with its value."""
    return tuple(
        (place, change)
        for place, column in enumerate(table.columns)
        for kind, change in by_type.items()
        if isinstance(column.type, kind)
    )


def _changed(row: _Row, changes: _Changes) -> _Row:
    if not changes:
        return row
    values = list(row)
    for place, change in changes:
        if values[place] is not None:
            values[place] = change(values[place])
    return tuple(values)


def _number(key: str) -> Decimal | None:
    # An amount so long that no column of PostgreSQL holds it has its digits in the document alone, there as here.
    return numeric(number_of_key(key))


def _set_sequences(tx: Connection) -> None:
    """What is inserted from now on gets numbers above those that came along."""
    if tx.dialect.name != "postgresql":
        return
    for table in METADATA.sorted_tables:
        for column in table.primary_key.columns:
            named = f"pg_get_serial_sequence('{table.name}', '{column.name}')"
            if tx.exec_driver_sql(f"SELECT {named}").scalar_one() is not None:
                highest = f"SELECT coalesce(max({column.name}), 0) + 1 FROM {table.name}"  # noqa: S608 - our own names
                tx.exec_driver_sql(f"SELECT setval({named}, ({highest}), false)")
