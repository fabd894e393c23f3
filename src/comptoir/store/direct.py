"""SELECTs on the driver itself: many times cheaper than through SQLAlchemy, for what every request asks.

A few read-only connections. Nothing is ever written here.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any, Protocol

import psycopg

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
        with suppress(IndexError):
            while True:
                self._free.pop().close()


class OnPostgres:
    """Connections in autocommit, as many as were ever needed at once, within reason; each statement is prepared by the
    driver when it comes often; `connect` opens one. Nobody waits for a server that is down."""

    def __init__(
        self, connect: Callable[[], psycopg.Connection], *, at_once: int = 16, wait_seconds: float = 10.0
    ) -> None:
        self._connect, self._wait_seconds = connect, wait_seconds
        self._room = threading.BoundedSemaphore(at_once)
        self._free: deque[psycopg.Connection] = deque()
        self._is_over = False

    def fetch(self, sql: str, values: Sequence[Any]) -> Rows:
        if not self._room.acquire(timeout=self._wait_seconds):
            raise psycopg.OperationalError("all connections are in use")
        try:
            try:
                return self._fetch(self._free.pop(), sql, values)
            except IndexError:
                pass
            except psycopg.OperationalError:
                # The server was restarted since this connection was last used: reading again does no harm.
                self._drop()
            return self._fetch(self._connect(), sql, values)
        finally:
            self._room.release()

    def _fetch(self, connection: psycopg.Connection, sql: str, values: Sequence[Any]) -> Rows:
        try:
            rows = connection.execute(marked(sql, "postgresql"), values, binary=True).fetchall()
        except psycopg.OperationalError:
            connection.close()
            raise
        except psycopg.Error:
            self._put_back(connection)
            raise
        self._put_back(connection)
        return rows

    def _put_back(self, connection: psycopg.Connection) -> None:
        self._free.append(connection)
        if self._is_over:  # while this was asked: nobody will ask again
            self._drop()

    def close(self) -> None:
        self._is_over = True
        self._drop()

    def _drop(self) -> None:
        with suppress(IndexError):
            while True:
                self._free.pop().close()
