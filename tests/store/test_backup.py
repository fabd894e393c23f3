"""Copies of a database: made while others write, whole or refused; and rows that go from one kind to the other."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.conftest import PostgresDatabases
from tests.operators import an_administrator
from tests.store.house import NOON, House, a_bank_line, an_invoice, arrived

from comptoir.access import password_links, sessions
from comptoir.errors import ActionNeeded
from comptoir.store import Database, backup, events, holds, link_states, open_database
from comptoir.store.backup import FILE, MANIFEST, Manifest
from comptoir.store.copies import copy_all, counted, is_empty
from comptoir.store.tables import EVENTS, METADATA, SIGN_IN_FAILURES
from comptoir.store.values import amount_key, number_of_key, numeric

AMOUNTS = ["0", "1", "-1", "0.10", "-0.10", "1E+30", "-123456789012345678901234567890.123", "1E-60", "7E+90", "-7E-200"]


def backed_up(db: Database, folder: Path) -> Manifest:
    def fill(file: Path) -> None:
        with db.read() as tx:
            assert backup.copy_file(tx, file, tell=lambda *_: None)

    return backup.make(folder, fill, now=NOON, keep=timedelta(days=30), version="1", made_from="sqlite")


def books(db: Database) -> House:
    """Some of everything that is not the same on both kinds of database."""
    house = House.built(db)
    house.put("invoices", *(an_invoice(str(n), total_amount=Decimal(one)) for n, one in enumerate(AMOUNTS)))
    house.put("bankTransactions", a_bank_line("\x001\x1a", "A\x00", "-0.5"))
    house.arrive("invoices", arrived("1", b'{"\\u0000":1}', links=[("contact", "contacts", "7")]))
    with db.write() as tx:
        events.append(tx, house.tenant, "kept", {"a": "é"}, NOON)
        holds.put(tx, house.tenant, by="Ann", why="asked", now=NOON)
    return house


def test_a_copy_made_while_others_write_holds_whole_transactions(migrated_sqlite_url: str, tmp_path: Path) -> None:
    db = open_database(migrated_sqlite_url)
    house = House.built(db)
    is_over, has_begun = threading.Event(), threading.Event()

    def write() -> None:
        for n in range(0, 20_000, 2):
            house.put("invoices", an_invoice(str(n), note="x" * 3000), an_invoice(str(n + 1)))
            has_begun.set()
            if is_over.is_set():
                return

    writer = threading.Thread(target=write)
    writer.start()
    has_begun.wait()

    def fill(file: Path) -> None:
        with db.read() as tx:
            assert backup.copy_file(tx, file, tell=lambda *_: None)
        is_over.set()
        writer.join()

    manifest = backup.make(tmp_path / "b", fill, now=NOON, keep=timedelta(days=1), version="1", made_from="sqlite")
    db.close()

    assert manifest.rows["std_invoices"] > 0
    assert manifest.rows["std_invoices"] % 2 == 0
    assert manifest.rows["std_invoices"] == manifest.rows["doc_invoices"]
    assert backup.verified(tmp_path / "b") == manifest


def test_a_copy_is_one_file_that_any_tool_opens_where_it_may_not_write(
    migrated_sqlite_url: str, tmp_path: Path
) -> None:
    db = open_database(migrated_sqlite_url)
    books(db)
    backed_up(db, tmp_path / "b")
    db.close()

    assert sorted(one.name for one in (tmp_path / "b").iterdir()) == [FILE, MANIFEST]
    with sqlite3.connect(f"file:{tmp_path / 'b' / FILE}?mode=ro&immutable=1", uri=True) as tool:
        assert tool.execute("SELECT count(*) FROM invoices WHERE total_amount > 0").fetchone()[0] == 5
    assert [one.stat().st_mode & 0o077 for one in (tmp_path / "b", tmp_path / "b" / FILE)] == [0, 0]


def test_nobody_is_let_in_by_a_copy(migrated_sqlite_url: str, tmp_path: Path) -> None:
    db = open_database(migrated_sqlite_url)
    house = House.built(db)
    with db.write() as tx:
        ann = an_administrator(tx, house.tenant, "ann@example.com", NOON)
        token = sessions.begin(tx, ann, NOON)
        password_links.make(tx, house.tenant, ann.id, NOON)
        link_states.add(
            tx, house.tenant, house.company, house.connection, state="s", browser="b", parameters={}, now=NOON
        )
        tx.execute(sa.insert(SIGN_IN_FAILURES).values(key="ann", count=1, last=NOON))

    rows = backed_up(db, tmp_path / "b").rows
    with pytest.raises(ActionNeeded, match="is there already"):
        backed_up(db, tmp_path / "b")

    db.close()
    left_out = ("sessions", "password_links", "link_states", "sign_in_failures")
    assert [rows[name] for name in left_out] == [0, 0, 0, 0]
    assert rows["operators"] == 1
    with sqlite3.connect(tmp_path / "b" / FILE) as tool:
        assert [tool.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in left_out] == [0, 0, 0, 0]
    assert sha256(token.encode()).hexdigest().encode() not in (tmp_path / "b" / FILE).read_bytes()


def cut(folder: Path) -> None:
    content = (folder / FILE).read_bytes()
    (folder / FILE).write_bytes(content[: len(content) // 2])


def turned(folder: Path) -> None:
    """One bit of a page that holds nothing."""
    content = bytearray((folder / FILE).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / FILE).write_bytes(bytes(content))


def of_a_later_form(folder: Path) -> None:
    text = (folder / MANIFEST).read_text()
    (folder / MANIFEST).write_text(text.replace('"format": 1', '"format": 2'))


def counted_otherwise(folder: Path) -> None:
    text = (folder / MANIFEST).read_text()
    (folder / MANIFEST).write_text(text.replace('"invoices"', '"invoicez"').replace('"tenants": 1', '"tenants": 2'))


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (cut, "comptoir.db has .* bytes and should have"),
        (turned, "comptoir.db is not what was written"),
        (of_a_later_form, "was made by a newer Comptoir"),
        (counted_otherwise, "its manifest.json was changed"),
        (lambda folder: (folder / MANIFEST).write_bytes(b'{"format": 1'), "its manifest.json cannot be read"),
        (lambda folder: (folder / FILE).unlink(), "no whole backup: comptoir.db is not in it"),
        (lambda folder: (folder / MANIFEST).unlink(), "no whole backup: manifest.json is not in it"),
    ],
)
def test_a_damaged_copy_is_refused_with_a_sentence(
    migrated_sqlite_url: str, tmp_path: Path, damage: Callable[[Path], object], said: str
) -> None:
    db = open_database(migrated_sqlite_url)
    House.built(db)
    backed_up(db, tmp_path / "b")
    db.close()
    damage(tmp_path / "b")

    with pytest.raises(ActionNeeded, match=said):
        backup.verified(tmp_path / "b")


def test_no_copy_is_made_of_a_database_that_is_damaged(migrated_sqlite_url: str, tmp_path: Path) -> None:
    db = open_database(migrated_sqlite_url)
    books(db)
    db.close()

    def fill(file: Path) -> None:
        content = bytearray((tmp_path / "comptoir.db").read_bytes())
        content[-8192:-4096] = b"\xff" * 4096
        file.write_bytes(bytes(content))

    with pytest.raises(ActionNeeded, match=r"The database is damaged, so no backup was made of it: "):
        backup.make(tmp_path / "b", fill, now=NOON, keep=timedelta(days=1), version="1", made_from="sqlite")

    assert [one.name for one in tmp_path.iterdir() if one.is_dir()] == []


def test_copies_whose_time_is_over_are_told_and_others_are_let_be(migrated_sqlite_url: str, tmp_path: Path) -> None:
    db = open_database(migrated_sqlite_url)
    House.built(db)
    backed_up(db, tmp_path / "all" / "old")
    backed_up(db, tmp_path / "all" / "changed")
    counted_otherwise(tmp_path / "all" / "changed")
    db.close()
    (tmp_path / "all" / "another").mkdir()
    (tmp_path / "all" / "another" / MANIFEST).write_text("{}")

    assert backup.expired(tmp_path / "all", NOON + timedelta(days=29)) == []
    assert backup.expired(tmp_path / "all", NOON + timedelta(days=30)) == [tmp_path / "all" / "old"]


def test_every_row_goes_to_postgres_and_back_unchanged(
    migrated_sqlite_url: str, postgres_databases: PostgresDatabases, tmp_path: Path
) -> None:
    first = open_database(migrated_sqlite_url)
    house = books(first)
    second = open_database(f"sqlite:///{tmp_path / 'back.db'}")
    with postgres_databases.one() as url:
        there = open_database(url.render_as_string(hide_password=False))
        with first.read() as from_, there.write() as to:
            assert is_empty(to)
            sent = copy_all(from_, to)
        with there.read() as from_, second.write() as to:
            back = copy_all(from_, to)
        on_postgres = House(there, house.tenant, house.company, house.connection)
        found = on_postgres.page("invoices").documents
        assert on_postgres.ids("invoices", "totalAmount>0", order="totalAmount") == house.ids(
            "invoices", "totalAmount>0", order="totalAmount"
        )
        with there.write() as to:  # numbers go on above those that came along
            assert not is_empty(to)
            events.append(to, house.tenant, "later", {}, NOON)
            assert to.execute(sa.select(sa.func.max(EVENTS.c.pk))).scalar_one() == 2
        there.close()

    with first.read() as from_, second.read() as to:
        assert counted(from_) == sent == back == counted(to)
    assert found == house.page("invoices").documents
    assert sum(one.rows for one in sent.values()) > 25
    first.close()
    second.close()


def test_rows_that_arrive_otherwise_than_they_were_sent_are_noticed(
    migrated_sqlite_url: str, postgres_url: str
) -> None:
    first, there = open_database(migrated_sqlite_url), open_database(postgres_url)
    books(first)

    def copied() -> None:
        with first.read() as from_, there.write() as to:
            to.exec_driver_sql(
                "CREATE FUNCTION pg_temp.bent() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN NEW.name := NEW.name || ' '; RETURN NEW; END $$"
            )
            to.exec_driver_sql(
                "CREATE TRIGGER bent BEFORE INSERT ON companies FOR EACH ROW EXECUTE FUNCTION pg_temp.bent()"
            )
            copy_all(from_, to)

    with pytest.raises(ActionNeeded, match="The copy of the table companies is not what was copied"):
        copied()

    with there.read() as tx:
        assert is_empty(tx)
    first.close()
    there.close()


@pytest.mark.parametrize("text", [*AMOUNTS, "1E+200000", "-9.99E-99999", "1E+44", "1E+45", "1E-45"])
def test_a_key_gives_its_number_back(text: str) -> None:
    number = Decimal(text)

    assert number_of_key(amount_key(number)) == number
    assert numeric(number_of_key(amount_key(number))) == numeric(number)


def test_every_table_is_copied() -> None:
    assert {table.name for table in METADATA.sorted_tables} == set(METADATA.tables)
