"""Opening, transactions, and what is said when the place, the file or the server is not as it should be."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.pool import QueuePool
from tests.conftest import new_database
from tests.relay import relayed
from tests.store.house import NOON, House, an_invoice

from comptoir.errors import ActionNeeded, CommitUnknown, StoreAway, TryLater
from comptoir.store import Database, open_database, tenants
from comptoir.store.database import fetch
from comptoir.store.tables import META, TENANTS


def names(db: Database) -> list[str]:
    return [row[0] for row in db.fetch("SELECT name FROM tenants ORDER BY name")]


def test_a_transaction_is_kept_whole_or_not_at_all(database: Database) -> None:
    with database.write() as tx:
        tenants.add(tx, "kept", NOON)
    with contextlib.suppress(ZeroDivisionError), database.write() as tx:
        tenants.add(tx, "lost", NOON)
        raise ZeroDivisionError

    assert names(database) == ["kept"]


def test_an_error_in_the_midst_of_a_batch_leaves_nothing_of_it(house: House) -> None:
    def broken() -> None:
        house.put("invoices", an_invoice("1"), an_invoice("2", invoice_number=7))

    with pytest.raises((AttributeError, sa.exc.DBAPIError, psycopg.Error, sqlite3.Error)):
        broken()

    assert house.page("invoices").total == 0
    house.put("invoices", an_invoice("1"))
    assert house.page("invoices").total == 1


def test_a_reading_transaction_sees_one_state_until_its_end(database: Database) -> None:
    with database.read() as tx:
        assert fetch(tx, "SELECT count(*) FROM tenants") == [(0,)]
        with database.write() as other:
            tenants.add(other, "new", NOON)
        assert fetch(tx, "SELECT count(*) FROM tenants") == [(0,)]

    assert names(database) == ["new"]


def test_readers_cannot_write(database: Database) -> None:
    for broken in (lambda: write_by_read(database), lambda: database.fetch("DELETE FROM tenants")):
        with pytest.raises((TryLater, sa.exc.DBAPIError, psycopg.Error, sqlite3.Error)):
            broken()


def write_by_read(db: Database) -> None:
    with db.read() as tx:
        tx.execute(sa.insert(TENANTS).values(id="x", name="x"))


def test_writers_of_many_threads_take_turns_and_none_is_lost(database: Database) -> None:
    with database.write() as tx:
        tx.execute(sa.insert(META).values(name="count", value=b"0"))

    def work() -> None:
        for _ in range(10):
            with database.write() as tx:
                held = tx.execute(sa.select(META.c.value).where(META.c.name == "count").with_for_update()).scalar_one()
                tx.execute(sa.update(META).where(META.c.name == "count").values(value=b"%d" % (int(held) + 1)))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with database.read() as tx:
        assert tx.execute(sa.select(META.c.value).where(META.c.name == "count")).scalar_one() == b"40"


def test_a_writing_transaction_inside_another_is_an_error_on_sqlite_not_a_deadlock(sqlite_url: str) -> None:
    db = open_database(sqlite_url)

    with db.write(), pytest.raises(RuntimeError, match="inside another one"), db.write():
        pass

    db.close()


def test_what_may_be_left_out_is_left_out_while_another_writes(sqlite_url: str) -> None:
    db = open_database(sqlite_url)

    with db.write():
        assert not db.write_if_free(lambda tx: tenants.add(tx, "left out", NOON))
    assert db.write_if_free(lambda tx: tenants.add(tx, "done", NOON))

    assert names(db) == ["done"]
    db.close()


def test_a_database_opened_again_holds_what_was_committed(database_url: str) -> None:
    first = open_database(database_url)
    with first.write() as tx:
        tenants.add(tx, "kept", NOON)
    first.close()

    second = open_database(database_url)

    assert names(second) == ["kept"]
    second.close()


def test_a_second_process_on_the_same_sqlite_file_is_refused(sqlite_url: str, tmp_path: Path) -> None:
    db = open_database(sqlite_url)
    program = "import sys; from comptoir.store import open_database; open_database(sys.argv[1])"

    second = subprocess.run([sys.executable, "-c", program, sqlite_url], capture_output=True, text=True, check=False)
    with pytest.raises(ActionNeeded, match="Another Comptoir process is using"):
        open_database(sqlite_url)

    assert second.returncode != 0
    assert f"Another Comptoir process is using {tmp_path}. Stop it first" in second.stderr
    db.close()
    open_database(sqlite_url).close()


def test_books_are_for_nobody_else_on_the_machine(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o755)
    db, other = (open_database(f"sqlite:///{folder}/comptoir.db") for folder in (tmp_path / "made", shared))
    with db.write() as tx, other.write() as to:  # with what stands beside the file while it is written to
        tenants.add(tx, "Lender", NOON)
        tenants.add(to, "Lender", NOON)

    open_to_others = [one for one in tmp_path.rglob("*") if one != shared and one.stat().st_mode & 0o077]

    db.close()
    other.close()
    assert open_to_others == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")

    with pytest.raises(ActionNeeded) as told:
        open_database(f"sqlite:///{tmp_path / 'file' / 'comptoir.db'}")

    assert told.value.message.startswith(f"The data folder {tmp_path / 'file'} cannot be written: ")
    assert "COMPTOIR_DATA_DIR" in told.value.message


def test_a_folder_on_a_read_only_place_is_named() -> None:
    with pytest.raises(ActionNeeded, match=r"The data folder /proc/comptoir cannot be written: .*Make it writable"):
        open_database("sqlite:////proc/comptoir/comptoir.db")


@pytest.mark.parametrize("damage", ["all", "head", "middle"])
def test_a_damaged_file_is_refused_with_a_sentence(migrated_sqlite_url: str, tmp_path: Path, damage: str) -> None:
    path = tmp_path / "comptoir.db"
    content = path.read_bytes()
    path.write_bytes({
        "all": b"this is no database" * 1000,
        "head": b"x" * 100 + content[100:],
        "middle": content[:4096] + b"\xff" * 65536 + content[4096 + 65536 :],
    }[damage])  # fmt: skip

    with pytest.raises(ActionNeeded) as told:
        open_database(migrated_sqlite_url)

    assert told.value.message.startswith(f"{path} cannot be opened: ")
    assert "restore a backup" in told.value.message
    # The lock was given back: once mended it opens.
    path.unlink()
    open_database(migrated_sqlite_url).close()


def test_a_file_with_a_damaged_page_deep_inside_is_refused_at_start(migrated_sqlite_url: str, tmp_path: Path) -> None:
    house = House.built(open_database(migrated_sqlite_url))
    house.put("invoices", *(an_invoice(str(n), note="x" * 500) for n in range(200)))
    with house.db.read() as tx:
        page = tx.exec_driver_sql("SELECT max(pageno) FROM dbstat WHERE name = 'doc_invoices'").scalar_one()
    house.db.close()
    path = tmp_path / "comptoir.db"
    content = bytearray(path.read_bytes())
    content[(page - 1) * 4096 + 8 : page * 4096] = b"\xff" * 4088
    path.write_bytes(bytes(content))

    with pytest.raises(ActionNeeded, match=r"comptoir\.db (is damaged|cannot be opened): .*[Rr]estore a backup"):
        open_database(migrated_sqlite_url)


def test_a_database_of_a_newer_version_is_refused_with_a_sentence(database_url: str) -> None:
    db = open_database(database_url)
    with db.write() as tx:
        tx.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    db.close()

    with pytest.raises(ActionNeeded, match="was last used by a newer Comptoir than this one"):
        open_database(database_url)


@pytest.mark.parametrize("url", ["", "nonsense", "sqlite://", "mysql://x/y", "comptoir.db", "postgres"])
def test_an_address_that_is_not_understood_is_refused(url: str) -> None:
    with pytest.raises(ActionNeeded, match="The database address is not understood"):
        open_database(url)


def test_a_server_that_is_not_there_is_named_without_its_password(unused_tcp_port: int) -> None:
    with pytest.raises(ActionNeeded) as told:
        open_database(f"postgresql://ann:hush-hush@127.0.0.1:{unused_tcp_port}/books")

    assert told.value.message.startswith("The PostgreSQL database 'books' on 127.0.0.1 cannot be opened: ")
    assert "start it" in told.value.message
    assert "hush-hush" not in told.value.message


@pytest.fixture
def unused_tcp_port() -> int:
    import socket

    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def test_a_full_disk_changes_nothing_says_so_and_work_goes_on_once_there_is_room(sqlite_url: str) -> None:
    house = House.built(open_database(sqlite_url))
    house.put("invoices", an_invoice("1"))
    with house.db.write() as tx:
        pages = tx.exec_driver_sql("PRAGMA page_count").scalar_one()
        tx.exec_driver_sql(f"PRAGMA max_page_count={pages + 3}")

    large = [an_invoice(str(n), note="x" * 5000) for n in range(2, 100)]
    with pytest.raises(TryLater, match=r"The disk is full: nothing was changed\.") as told:
        house.put("invoices", *large)

    assert told.value.retry_after_seconds == 5.0
    assert house.page("invoices").total == 1
    with house.db.write() as tx:
        tx.exec_driver_sql("PRAGMA max_page_count=1000000")
    house.put("invoices", *large)
    assert house.page("invoices").total == 99
    house.db.close()


LIMITED = """
import resource, sys
from comptoir.store import open_database, tenants
from comptoir.errors import ProductError
from datetime import UTC, datetime
db = open_database(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
kept = 0
try:
    while True:
        with db.write() as tx:
            for _ in range(20):
                tenants.add(tx, f"{kept} {_} " + "x" * 2000, datetime.now(UTC))
        kept += 20
except ProductError as error:
    print(type(error).__name__, error.message)
print(len(db.fetch("SELECT id FROM tenants")) == kept)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
with db.write() as tx:
    tenants.add(tx, "afterwards", datetime.now(UTC))
print(len(db.fetch("SELECT id FROM tenants")) == kept + 1)
db.close()
"""


def test_a_file_that_may_not_grow_keeps_whole_transactions_and_heals(migrated_sqlite_url: str) -> None:
    """A real refusal by the system, in a process of its own: files may not grow beyond a size."""
    size = Path(make_url(migrated_sqlite_url).database or "").stat().st_size

    done = subprocess.run(
        [sys.executable, "-c", LIMITED, migrated_sqlite_url, str(size + 400_000)],
        capture_output=True,
        text=True,
        check=False,
    )

    lines = done.stdout.splitlines()
    assert lines[0].startswith("StoreAway The "), done.stderr
    assert "nothing was changed" in lines[0]
    assert lines[1:] == ["True", "True"]


def test_a_first_start_on_a_full_disk_says_so(tmp_path: Path) -> None:
    program = (
        "import resource, sys\nfrom comptoir.store import open_database\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, resource.RLIM_INFINITY))\nopen_database(sys.argv[1])"
    )

    done = subprocess.run(
        [sys.executable, "-c", program, f"sqlite:///{tmp_path / 'comptoir.db'}"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode != 0
    assert "ActionNeeded" in done.stderr
    assert f"{tmp_path / 'comptoir.db'} cannot be opened: " in done.stderr


def test_a_server_that_ends_our_connections_is_asked_again(postgres_url: str) -> None:
    db = open_database(postgres_url)
    with db.write() as tx:
        tenants.add(tx, "kept", NOON)
    assert names(db) == ["kept"]

    ours = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with psycopg.connect(
        make_url(postgres_url).set(drivername="postgresql").render_as_string(hide_password=False)
    ) as admin:
        admin.execute(ours.encode())

    assert names(db) == ["kept"]
    with db.read() as tx:
        assert [one.name for one in tenants.all_tenants(tx)] == ["kept"]
    with db.write() as tx:
        tenants.add(tx, "later", NOON)
    assert names(db) == ["kept", "later"]
    db.close()


def test_a_connection_lost_in_a_transaction_is_told_as_something_that_passes(postgres_url: str) -> None:
    db = open_database(postgres_url)

    def broken() -> None:
        with db.write() as tx:
            tenants.add(tx, "lost", NOON)
            pid = tx.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
            with psycopg.connect(
                make_url(postgres_url).set(drivername="postgresql").render_as_string(hide_password=False)
            ) as admin:
                admin.execute("SELECT pg_terminate_backend(%s)", (pid,))
            tenants.add(tx, "lost too", NOON)

    with pytest.raises(TryLater, match="The database does not answer just now: nothing was changed"):
        broken()

    assert names(db) == []
    db.close()


@contextlib.contextmanager
def _set_for_all(postgres_url: str, setting: str) -> Iterator[None]:
    """As an administrator sets it for everybody's sessions in a database."""
    name = make_url(postgres_url).database
    plain = make_url(postgres_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as admin:
        admin.execute(f'ALTER DATABASE "{name}" SET {setting}'.encode())
        try:
            yield
        finally:
            admin.execute(f'ALTER DATABASE "{name}" RESET ALL'.encode())


def test_a_commit_whose_answer_is_lost_is_not_said_to_be_undone(postgres_url: str) -> None:
    with relayed(postgres_url) as relay, contextlib.closing(open_database(relay.url)) as db:

        def write() -> None:
            with db.write() as tx:
                tenants.add(tx, "kept", NOON)
                relay.lost_share = 1.0

        with pytest.raises(CommitUnknown, match="it is not known whether this was done"):
            write()

        relay.lost_share = 0.0
        assert relay.lost == 1
        assert names(db) == ["kept"]


def test_time_limits_of_peoples_sessions_end_no_work_of_ours(postgres_url: str) -> None:
    with (
        _set_for_all(postgres_url, "statement_timeout = '20ms'"),
        contextlib.closing(open_database(postgres_url)) as db,
    ):
        with db.read() as tx:
            tx.exec_driver_sql("SELECT pg_sleep(0.1)")

        assert db.fetch("SELECT 1 FROM pg_sleep(0.1)") == [(1,)]


def test_a_database_that_takes_no_changes_is_told_as_something_that_passes(postgres_url: str) -> None:
    """As one is that follows another, until it takes the place of that one."""
    with contextlib.closing(open_database(postgres_url)) as db:

        def write() -> None:
            with db.write() as tx:
                tx.exec_driver_sql("SET TRANSACTION READ ONLY")
                tenants.add(tx, "no", NOON)

        with pytest.raises(StoreAway, match="takes no changes just now"):
            write()

        assert names(db) == []


def test_a_line_that_is_cut_without_a_word_is_given_up_in_less_than_a_lease(postgres_url: str) -> None:
    with contextlib.closing(open_database(postgres_url)) as db, db.read() as tx:
        driver = tx.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        told = driver.info.get_parameters()

    assert int(told["tcp_user_timeout"]) <= 20_000  # what was sent and is not confirmed
    idle, every, times = (int(told[f"keepalives_{name}"]) for name in ("idle", "interval", "count"))
    assert idle + every * times <= 30  # where an answer is waited for


def test_a_question_that_outlasts_the_database_leaves_no_session_open(postgres_url: str) -> None:
    """As when a server stops before the last request has its answer."""
    name = f"comptoir {uuid4()}"
    db = open_database(postgres_url, process=name)
    with ThreadPoolExecutor(1) as threads:
        asked = threads.submit(db.fetch, "SELECT pg_sleep(1)")
        with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as other:
            ours = "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s AND query LIKE %s"
            while other.execute(ours, (name, "%pg_sleep%")).fetchone() != (1,):
                pass
            db.close()
            asked.result()
            left = "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s"
            until = time.monotonic() + 10
            while other.execute(left, (name,)).fetchone() != (0,):
                assert time.monotonic() < until, "a session was left open"


def test_where_no_session_is_left_it_is_told_as_something_that_passes_and_work_goes_on(postgres_url: str) -> None:
    with contextlib.closing(open_database(postgres_url)) as db:
        pool = db._reader.pool
        assert isinstance(pool, QueuePool)
        pool._timeout = 0.2  # else half a minute
        with contextlib.ExitStack() as held:
            for _ in range(20):
                held.enter_context(db.read())
            with pytest.raises(StoreAway, match="tried again"), db.read():
                pytest.fail("a session more than there may be")

        with db.read() as tx:
            assert tx.execute(sa.text("SELECT 1")).scalar_one() == 1


def test_what_no_postgres_database_can_hold_is_not_waited_for(postgres_url: str) -> None:
    db = open_database(postgres_url)

    with pytest.raises(sa.exc.OperationalError), db.write() as tx:
        tx.exec_driver_sql("SELECT repeat('long', 1000000000)")

    db.close()


def test_several_processes_may_open_a_new_postgres_database_at_once(postgres_server: str) -> None:
    with new_database(postgres_server) as url:
        address = url.render_as_string(hide_password=False)
        found: list[Database] = []
        threads = [threading.Thread(target=lambda: found.append(open_database(address))) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert [names(db) for db in found] == [[], [], []]
        for db in found:
            db.close()


def test_a_copy_made_while_closed_is_a_good_database(migrated_sqlite_url: str, tmp_path: Path) -> None:
    db = open_database(migrated_sqlite_url)
    with db.write() as tx:
        tenants.add(tx, "kept", NOON)
    db.close()

    shutil.copy(tmp_path / "comptoir.db", tmp_path / "copy.db")

    copy = open_database(f"sqlite:///{tmp_path / 'copy.db'}")
    assert names(copy) == ["kept"]
    copy.close()
