"""SELECTs on the driver itself: many times cheaper than through SQLAlchemy, for what every request asks.

On SQLite a few read-only connections; on PostgreSQL a small pool. Nothing is ever written here.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Protocol

import psycopg
import psycopg_pool

__all__ = ["Direct", "OnPostgres", "OnSqlite", "marked"]

Rows = list[tuple[Any, ...]]


class Direct(Protocol):
    """Runs SELECTs with `?` for each value."""

    def fetch(self, sql: str, values: Sequence[Any]) -> Rows: ...

    def close(self) -> None: ...


@lru_cache(maxsize=4096)
def marked(sql: str, dialect: str) -> str:
    """Our own SQL with the driver's marks for values. Our SQL holds no text literal with ? or %."""
    return sql.replace("?", "%s") if dialect == "postgresql" else sql


class OnSqlite:
    """Read-only connections, as many as were ever needed at once; `connect` opens one."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        self._free: deque[sqlite3.Connection] = deque()

    def fetch(self, sql: str, values: Sequence[Any]) -> Rows:
        try:
            connection = self._free.pop()
        except IndexError:
            connection = self._connect()
        try:
            return connection.execute(sql, values).fetchall()
        finally:
            self._free.append(connection)

    def close(self) -> None:
        while self._free:
            self._free.pop().close()


class OnPostgres:
    """Connections in autocommit; each statement is prepared by the driver when it comes often."""

    def __init__(self, address: str, *, at_once: int = 16, wait_seconds: float = 10.0) -> None:
        self._pool = psycopg_pool.ConnectionPool(
            address,
            min_size=0,
            max_size=at_once,
            timeout=wait_seconds,
            max_idle=600.0,
            kwargs={"autocommit": True, "options": "-c default_transaction_read_only=on"},
            open=False,
        )

    def fetch(self, sql: str, values: Sequence[Any]) -> Rows:
        if self._pool.closed:
            self._pool.open()
        try:
            return self._fetch(sql, values)
        except psycopg.OperationalError:
            # The server may have been restarted since this connection was last used: reading again does no harm.
            self._pool.check()
            return self._fetch(sql, values)

    def _fetch(self, sql: str, values: Sequence[Any]) -> Rows:
        with self._pool.connection() as connection:
            return connection.execute(marked(sql, "postgresql"), values, binary=True).fetchall()

    def close(self) -> None:
        self._pool.close()
