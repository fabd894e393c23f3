"""The database: opened once, one writing connection on SQLite, transactions that callers own.

SQLite serves one process: a file lock says so. WAL lets readers go on while one connection writes; two writing
connections could lose commits on SQLite before 3.51.3, so there is only ever one, and readers open the file read-only.
"""

from __future__ import annotations

import copy
import fcntl
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import psycopg
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import URL, Connection, Engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.pool import QueuePool

from comptoir.errors import ActionNeeded, CommitUnknown, NotFound, StoreAway, TryLater
from comptoir.runtime.clock import Clock, SystemClock
from comptoir.store import plans, views
from comptoir.store.direct import Direct, OnPostgres, OnSqlite, marked
from comptoir.store.soundness import faults
from comptoir.store.trail import KEY_OPTION

__all__ = ["LINE", "Database", "Source", "fetch", "locked", "open_database"]

Dialect = Literal["sqlite", "postgresql"]
_RETRY_AFTER_SECONDS = 5.0
_BUSY_SECONDS = 30.0
_CONNECT_SECONDS, _LOCK_SECONDS = 5, 20  # to PostgreSQL, which may be gone without a word, or busy
# How soon a session is given up whose line was cut without a word: else whoever waits for an answer would do so for a
# quarter of an hour or more, long after the lease ran out.
LINE = {"keepalives_idle": "10", "keepalives_interval": "5", "keepalives_count": "3", "tcp_user_timeout": "20000"}
_GIVES_WAY_AFTER_SECONDS, _UPGRADED_AGAIN_SECONDS, _LONGEST_UPGRADE_SECONDS = 0.5, 0.5, 900.0
# What may be set for people's own sessions would end long work again and again, each time at the same place.
_OPTIONS = f"-c lock_timeout={_LOCK_SECONDS}s -c statement_timeout=0 -c idle_in_transaction_session_timeout=0"
_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=NORMAL",
    "foreign_keys=ON",
    "secure_delete=ON",  # what is deleted is overwritten in the file
    "temp_store=MEMORY",
    "wal_autocheckpoint=4000",  # pages changed by one commit after another are written back once
)
# What heals by itself: busy, locked, read-only, input/output, full, cannot open.
_BEYOND_LIMITS = "54"  # the class of such states of PostgreSQL
_LOST = "08"  # likewise, of lines that are lost
_READ_ONLY = (  # while another server takes its place, say
    "The database takes no changes just now: nothing was changed. It is tried again in a moment."
)
_NOT_KNOWN = "The database's answer was lost, so it is not known whether this was done. Look before you do it again."
_PASSING = frozenset({5, 6, 8, 10, 13, 14})
_FULL = 13
_LOOKED_THROUGH = 64 * 1024 * 1024  # a file up to this size is looked through at each start, in well under a second
_MAPPED_BYTES = 256 * 1024 * 1024  # of the file, where the same pages are read again and again


class _Room:
    """What the last writing transaction told of the disk, for all that write to the same database."""

    is_full = False


class Database:
    """One database. Writing transactions are taken one after another on SQLite, side by side on PostgreSQL."""

    def __init__(self, writer: Engine, reader: Engine, direct: Direct, lock_file: int | None) -> None:
        self.dialect: Dialect = "postgresql" if writer.dialect.name == "postgresql" else "sqlite"
        self._writer = writer
        self._reader = reader
        self._direct = direct
        self._lock_file = lock_file
        self._turn = threading.Lock()
        self._holder: int | None = None
        self._guard: Callable[[Connection], None] | None = None
        self._room = _Room()

    @property
    def is_full(self) -> bool:
        """Whether the last writing transaction found no room on the disk."""
        return self._room.is_full

    @contextmanager
    def _written(self) -> Iterator[Connection]:
        is_asked_for = False  # the commit
        try:
            with _later(), self._writer.begin() as tx:
                yield tx
                is_asked_for = True
        except sa.exc.DBAPIError as error:
            if not isinstance(error.orig, psycopg.errors.ReadOnlySqlTransaction):
                raise
            raise StoreAway(_READ_ONLY, retry_after_seconds=_RETRY_AFTER_SECONDS) from error
        except StoreAway as error:
            self._room.is_full = self._room.is_full or _is_full(error.__cause__)
            if is_asked_for and _is_silent(error.__cause__):
                raise CommitUnknown(_NOT_KNOWN, retry_after_seconds=_RETRY_AFTER_SECONDS) from error.__cause__
            raise
        self._room.is_full = False

    def under(self, guard: Callable[[Connection], None]) -> Database:
        """The same database, where `guard` is asked first in every writing transaction, and raises if there must be
        none. Only on PostgreSQL: on SQLite nobody else could have taken the place of this process."""
        assert self.dialect == "postgresql"
        guarded = copy.copy(self)
        guarded._guard = guard
        return guarded

    def sign_trail_with(self, key: bytes) -> None:
        """Give every writing transaction the key that the audit trail is marked with; once, right after opening."""
        self._writer = self._writer.execution_options(**{KEY_OPTION: key})

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One writing transaction: committed at the end, rolled back when anything is raised.

        NotFound when what a row belongs to is gone, or is another tenant's; TryLater when the database does not
        answer or its disk is full. Nothing of the transaction is kept then; except that CommitUnknown, a TryLater,
        says that the answer to the commit was lost, and that it may be kept.
        """
        if self.dialect == "postgresql":
            with self._written() as tx:
                if self._guard is not None:
                    self._guard(tx)
                yield tx
            return
        if self._holder == threading.get_ident():
            raise RuntimeError("a writing transaction was opened inside another one of the same thread")
        with self._turn, self._turn_taken() as tx:
            yield tx

    def write_if_free(self, work: Callable[[Connection], object]) -> bool:
        """Do `work` in a transaction unless another one writes just now; for what may as well be left out."""
        if self.dialect == "postgresql":
            with self.write() as tx:
                work(tx)
            return True
        if not self._turn.acquire(blocking=False):
            return False
        try:
            with self._turn_taken() as tx:
                work(tx)
        finally:
            self._turn.release()
        return True

    @contextmanager
    def _turn_taken(self) -> Iterator[Connection]:
        self._holder = threading.get_ident()
        try:
            with self._written() as tx:
                yield tx
        finally:
            self._holder = None

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A view of the data as it is now; it stays the same until the end."""
        with _later(), self._reader.begin() as tx:
            yield tx

    def fetch(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of one SELECT with `?` for each value, run on the driver itself: for what is asked often."""
        with _later():
            return self._direct.fetch(sql, values)

    def scrub(self) -> None:
        """Leave no trace of what was deleted in the SQLite file's log; as far as nobody reads just then."""
        if self.dialect == "sqlite":
            with self._turn, _later(), self._writer.connect() as connection:
                driver = connection.connection.driver_connection
                assert isinstance(driver, sqlite3.Connection)
                driver.execute("PRAGMA busy_timeout=0")  # whoever reads is not waited for: it is tried again
                try:
                    driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                finally:
                    driver.execute(f"PRAGMA busy_timeout={int(_BUSY_SECONDS * 1000)}")

    def close(self) -> None:
        self._direct.close()
        self._reader.dispose()
        self._writer.dispose()
        if self._lock_file is not None:
            os.close(self._lock_file)
            self._lock_file = None


Source = Connection | Database  # what a SELECT may be run on: inside a transaction, or by itself


def fetch(source: Source, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """All rows of one SELECT of our own with `?` for each value."""
    if isinstance(source, Database):
        return source.fetch(sql, values)
    return [tuple(row) for row in source.exec_driver_sql(marked(sql, source.dialect.name), tuple(values))]


@contextmanager
def _later() -> Iterator[None]:
    """A database that is down, busy or full is waited for, and is nobody's mistake."""
    try:
        yield
    except (sa.exc.DBAPIError, sqlite3.Error, psycopg.Error, sa.exc.TimeoutError) as error:
        cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
        if _is_orphan(cause):
            raise NotFound("What this belongs to is not there, or was deleted meanwhile; nothing changed.") from error
        sentence = _passing(cause)
        if sentence is None:
            raise
        raise StoreAway(sentence, retry_after_seconds=_RETRY_AFTER_SECONDS) from error


def _is_orphan(error: BaseException | None) -> bool:
    """Whether a row was refused because its owner is gone, was never there, or is another tenant's."""
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY
    return isinstance(error, psycopg.errors.ForeignKeyViolation)


def _is_full(error: BaseException | None) -> bool:
    cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    is_sqlites = isinstance(cause, sqlite3.Error) and getattr(cause, "sqlite_errorcode", 0) & 0xFF == _FULL
    return is_sqlites or isinstance(cause, psycopg.errors.DiskFull)


def _is_silent(error: BaseException | None) -> bool:
    """Whether the line was lost: the server itself says nothing then, and a pooler before it that it is gone."""
    cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    return isinstance(cause, psycopg.Error) and (cause.sqlstate or _LOST)[: len(_LOST)] == _LOST


def _passing(error: BaseException | None) -> str | None:
    """The sentence for an error that passes by itself; None for one that is ours."""
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code not in _PASSING:
            return None
        if _is_full(error):
            return "The disk is full: nothing was changed. Make room; work then goes on by itself."
        return "The database file cannot be used just now: nothing was changed. It is tried again in a moment."
    if isinstance(error, psycopg.errors.DiskFull):
        return "The database's disk is full: nothing was changed. Make room; work then goes on by itself."
    if isinstance(error, psycopg.Error) and (error.sqlstate or "").startswith(_BEYOND_LIMITS):
        return None  # what is too long for an index is so the next time too
    gone = (psycopg.OperationalError, psycopg.InterfaceError, psycopg.errors.IdleInTransactionSessionTimeout)
    if isinstance(error, (*gone, sa.exc.TimeoutError)):
        return "The database does not answer just now: nothing was changed. It is tried again in a moment."
    return None


def open_database(url: str, *, process: str = "comptoir") -> Database:
    """Open `sqlite:////path/file.db` or `postgresql+psycopg://...` and bring its tables up to date. PostgreSQL knows
    its sessions by the name of the `process`.

    Raises ActionNeeded with a sentence when the place cannot be written, the file is damaged, or in use elsewhere.
    """
    is_looked_through = False
    try:
        parsed = make_url(url)
    except sa.exc.ArgumentError:
        parsed = URL.create("")
    if parsed.drivername and parsed.get_backend_name() == "postgresql":
        database = _postgres(parsed, process)
        where = f"The PostgreSQL database {parsed.database!r} on {parsed.host or 'this machine'}"
    elif parsed.drivername and parsed.get_backend_name() == "sqlite" and parsed.database:
        path = Path(parsed.database)
        where = str(path)
        database = _sqlite(path)
        is_looked_through = path.exists() and path.stat().st_size <= _LOOKED_THROUGH
    else:
        raise ActionNeeded(
            "The database address is not understood. Write sqlite:////folder/comptoir.db or "
            "postgresql+psycopg://user:password@host/name."
        )
    try:
        if is_looked_through:
            with database.write() as tx:  # a reader cannot open a copy that is not in WAL mode yet
                _refuse_damage(tx, where)
        _bring_up_to_date(database, SystemClock())
    except CommandError as error:
        database.close()
        raise ActionNeeded(
            f"{where} was last used by a newer Comptoir than this one. Install that version again, or restore a backup."
        ) from error
    except (sa.exc.DBAPIError, sqlite3.Error, TryLater) as error:
        database.close()
        cause = error.__cause__ if isinstance(error, TryLater) else error
        said = str(getattr(cause, "orig", None) or cause).strip().splitlines()[0]
        raise ActionNeeded(
            f"{where} cannot be opened: {said}. If the file was damaged, restore a backup; if the server is down, "
            "start it."
        ) from error
    except BaseException:
        database.close()
        raise
    return database


def _bring_up_to_date(database: Database, clock: Clock) -> None:
    """Whoever changes a table others read waits for them, and everybody who comes then waits behind: so it gives way
    soon, and tries again. StoreAway if somebody reads on and on."""
    until = clock.monotonic() + _LONGEST_UPGRADE_SECONDS
    while True:
        try:
            with database.write() as tx:
                _migrate(tx)
            return
        except StoreAway as error:
            cause = error.__cause__
            is_in_use = isinstance(cause, sa.exc.DBAPIError) and isinstance(cause.orig, psycopg.errors.LockNotAvailable)
            if not is_in_use or clock.monotonic() > until:
                raise
            clock.sleep(_UPGRADED_AGAIN_SECONDS)


def _refuse_damage(tx: Connection, where: str) -> None:
    driver = tx.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    if found := faults(driver):
        raise ActionNeeded(f"{where} is damaged: {found[0]}. Restore a backup; nothing was changed.")


def _postgres(url: URL, process: str) -> Database:
    given = {"connect_timeout": f"{_CONNECT_SECONDS}", "options": _OPTIONS}
    url = url.update_query_dict(LINE | given | dict(url.query) | {"application_name": process})
    engine = sa.create_engine(
        url.set(drivername="postgresql+psycopg"), pool_size=10, max_overflow=10, pool_pre_ping=True, pool_timeout=30
    )
    # One view of the data for all statements of a reading transaction, as on SQLite.
    reader = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    _, values = engine.dialect.create_connect_args(engine.url)
    values.pop("context", None)  # SQLAlchemy's own
    values["options"] = f"{values.get('options', '')} -c default_transaction_read_only=on"
    return Database(engine, reader, OnPostgres(lambda: psycopg.connect(autocommit=True, **values)), None)


def _sqlite(path: Path) -> Database:
    lock = _lock(path)
    with suppress(OSError):  # it is there already; or it cannot be made, which is told when it is opened
        path.touch(mode=0o600, exist_ok=False)  # also in a folder that others may look into
    writer = _engine(lambda: _connect(path, read_only=False), at_most=1, begin="BEGIN IMMEDIATE")
    reader = _engine(lambda: _connect(path, read_only=True), at_most=32, begin="BEGIN")
    return Database(writer, reader, OnSqlite(lambda: _connect(path, read_only=True, is_hot=True)), lock)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep a place for a SQLite file to ourselves; ActionNeeded if another process has it."""
    descriptor = _lock(path)
    try:
        yield
    finally:
        os.close(descriptor)


def _lock(path: Path) -> int:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # books are for nobody else
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


def _connect(path: Path, *, read_only: bool, is_hot: bool = False) -> sqlite3.Connection:
    # A reader that may not write cannot checkpoint either: that stays with the one writing connection.
    address = f"file:{quote(str(path))}?mode={'ro' if read_only else 'rwc'}"
    connection = sqlite3.connect(
        address,
        uri=True,
        timeout=_BUSY_SECONDS,
        isolation_level=None,  # we say BEGIN ourselves
        check_same_thread=False,
        cached_statements=512,
    )
    connection.create_function("casefold", 1, _casefold, deterministic=True)
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    connection.execute(f"PRAGMA cache_size={-4000 if read_only else -16000}")
    if read_only:
        connection.execute("PRAGMA query_only=ON")
    if is_hot:
        connection.execute(f"PRAGMA mmap_size={_MAPPED_BYTES}")
    return connection


def _casefold(text: object) -> str | None:
    return None if text is None else str(text).casefold()


def _engine(connect: Callable[[], sqlite3.Connection], *, at_most: int, begin: str) -> Engine:
    engine = sa.create_engine(
        "sqlite+pysqlite://", creator=connect, poolclass=QueuePool, pool_size=at_most, max_overflow=0
    )

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _migrate(tx: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", "comptoir.store:migrations")
    config.attributes["connection"] = tx
    if tx.dialect.name == "postgresql":  # several processes may start at once: one migrates, the others wait
        tx.exec_driver_sql("SET LOCAL lock_timeout = 0")
        tx.exec_driver_sql("SELECT pg_advisory_xact_lock(739125)")
        tx.exec_driver_sql(f"SET LOCAL lock_timeout = '{_GIVES_WAY_AFTER_SECONDS}s'")
    command.upgrade(config, "head")
    views.ensure(tx)
    plans.ensure(tx)
