"""Whether a SQLite file is sound: its pages, and that its indexes tell what its tables hold."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any

__all__ = ["faults", "findings"]


def faults(connection: sqlite3.Connection) -> list[str]:
    """What is wrong, in SQLite's words; raises sqlite3.DatabaseError where not even that can be found out."""
    found: list[str] = []
    tables = connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'table'").fetchall()
    for name, statement in [("sqlite_schema", ""), *tables]:
        told = findings(connection.execute(f"PRAGMA integrity_check({name})"))
        if "WITHOUT ROWID" in (statement or ""):
            # SQLite 3.40 takes values of such tables for lacking, a hundred times over: so all of it is read as well.
            told = [one for one in told if not one.startswith("NULL value in")]
            columns = ", ".join(f'max("{row[1]}")' for row in connection.execute(f"PRAGMA table_info({name})"))
            connection.execute(f"SELECT {columns} FROM {name}").fetchall()  # noqa: S608 - our own names
        found += told
    return found


def findings(rows: Iterable[Any]) -> list[str]:
    """What SQLite found, a line each: it may put many of a page into one row, below a heading."""
    lines = [line for row in rows for line in str(row[0]).splitlines()]
    return [line for line in lines if line != "ok" and not line.startswith("***")]
