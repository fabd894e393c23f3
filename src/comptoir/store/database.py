"""The database: opened once, one writing connection on SQLite, transactions that callers own.

SQLite serves one process: a file lock says so. WAL lets readers go on while one connection writes; two writing
connections could lose commits on SQLite before 3.51.3, so there is only ever one.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.pool import QueuePool

from comptoir.errors import ActionNeeded

__all__ = ["Database", "open_database"]

Dialect = Literal["sqlite", "postgresql"]


class Database:
    """One database. Writing transactions are taken one after another on SQLite, side by side on PostgreSQL."""

    def __init__(self, writer: Engine, reader: Engine, lock_file: int | None) -> None:
        self.dialect: Dialect = "postgresql" if writer.dialect.name == "postgresql" else "sqlite"
        self.mark = "%s" if self.dialect == "postgresql" else "?"  # a place for a value in a driver's own SQL
        self._writer = writer
        self._reader = reader
        self._lock_file = lock_file
        self._turn = threading.Lock()
        self._holder: int | None = None

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One writing transaction: committed at the end, rolled back when anything is raised."""
        if self.dialect == "postgresql":
            with self._writer.begin() as tx:
                yield tx
            return
        if self._holder == threading.get_ident():
            raise RuntimeError("a writing transaction was opened inside another one of the same thread")
        with self._turn:
            self._holder = threading.get_ident()
            try:
                with self._writer.begin() as tx:
                    yield tx
            finally:
                self._holder = None

    def read(self) -> AbstractContextManager[Connection]:
        """A view of the data as it is now; sees no half of a transaction."""
        return self._reader.begin()

    def close(self) -> None:
        self._reader.dispose()
        self._writer.dispose()
        if self._lock_file is not None:
            os.close(self._lock_file)
            self._lock_file = None


def open_database(url: str) -> Database:
    """Open `sqlite:////path/file.db` or `postgresql+psycopg://...` and bring its tables up to date.

    Raises ActionNeeded with a sentence when the place cannot be written, the file is damaged, or in use elsewhere.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        engine = sa.create_engine(parsed.set(drivername="postgresql+psycopg"), pool_size=10, pool_pre_ping=True)
        database = Database(engine, engine, None)
        where = f"the PostgreSQL database {parsed.database!r} on {parsed.host}"
    elif parsed.get_backend_name() == "sqlite" and parsed.database:
        path = Path(parsed.database)
        where = str(path)
        lock = _lock(path)
        writer = _sqlite(path, pool_size=1, read_only=False)
        database = Database(writer, _sqlite(path, pool_size=8, read_only=True), lock)
    else:
        raise ActionNeeded(
            f"The database address {url!r} is not understood. Write sqlite:////folder/comptoir.db or "
            "postgresql+psycopg://user:password@host/name."
        )
    try:
        with database.write() as tx:
            _migrate(tx)
    except (sa.exc.OperationalError, sa.exc.DatabaseError) as error:
        database.close()
        raise ActionNeeded(
            f"{where} cannot be opened: {error.orig}. If the file was damaged, restore a backup; if the server is "
            "down, start it."
        ) from error
    return database


def _lock(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise ActionNeeded(
            f"The data folder {path.parent} cannot be written: {error.strerror}. Make it writable for this user, or "
            "choose another with --data-dir or COMPTOIR_DATA_DIR."
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise ActionNeeded(
            f"Another Comptoir process is using {path.parent}. Stop it first, or choose another data folder; for "
            "several processes use PostgreSQL."
        ) from error
    return descriptor


def _sqlite(path: Path, *, pool_size: int, read_only: bool) -> Engine:
    engine = sa.create_engine(
        sa.URL.create("sqlite+pysqlite", database=str(path)),
        poolclass=QueuePool,
        pool_size=pool_size,
        max_overflow=0 if not read_only else 24,
        connect_args={"check_same_thread": False, "timeout": 30},
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        connection.create_function(
            "casefold", 1, lambda text: None if text is None else str(text).casefold(), deterministic=True
        )
        for pragma in (
            "journal_mode=WAL",
            "synchronous=NORMAL",
            "foreign_keys=ON",
            "cache_size=-32000",
            "temp_store=MEMORY",
            "mmap_size=268435456",
        ):
            connection.execute(f"PRAGMA {pragma}")
        if read_only:
            connection.execute("PRAGMA query_only=ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine


def _migrate(tx: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", "comptoir.store:migrations")
    config.attributes["connection"] = tx
    if tx.dialect.name == "postgresql":  # several processes may start at once: one migrates, the others wait
        tx.exec_driver_sql("SELECT pg_advisory_xact_lock(739125)")
    command.upgrade(config, "head")
