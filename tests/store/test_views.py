"""SQL views: what a person with a BI tool sees, plainly named, on both databases."""

from __future__ import annotations

import shutil
import sqlite3
from decimal import Decimal
from pathlib import Path

import psycopg
import sqlalchemy as sa
from sqlalchemy.engine import make_url
from tests.store.house import LATER, House, a_bank_line, an_invoice, arrived

from comptoir.model import SHAPES
from comptoir.store import Database, open_database, raw, records
from comptoir.store.tables import METADATA, snake
from comptoir.store.views import SOURCE_VIEWS, view_name


def test_each_data_type_has_a_view_with_a_column_for_each_property(database: Database) -> None:
    with database.read() as tx:
        views = set(sa.inspect(tx).get_view_names())
        for shape in SHAPES.values():
            columns = {one["name"] for one in sa.inspect(tx).get_columns(view_name(shape.name))}
            own = {
                "tenant_id",
                "company_id",
                "connection_id",
                "id",
                "modified_date",
                "source_modified_date",
                "is_deleted",
            }
            assert columns == own | {snake(column.path.replace(".", "_")) for column in shape.columns}

        for name, named in SOURCE_VIEWS.items():
            assert [one["name"] for one in sa.inspect(tx).get_columns(name)] == list(named)

    assert views == {view_name(name) for name in SHAPES} | SOURCE_VIEWS.keys()
    assert not views & set(METADATA.tables)


def test_every_view_answers_over_records_of_any_kind(house: House) -> None:
    house.put(
        "invoices",
        an_invoice("1", note="\x00 odd", due_date=None, currency_rate=Decimal("1E-9")),
        an_invoice("2", customer_ref=None),
    )
    house.put("bankTransactions", a_bank_line("1", "A", "-5.25"))

    for name in SHAPES:
        rows = house.db.fetch(f"SELECT * FROM {view_name(name)}")
        assert len(rows) == {"invoices": 2, "bankTransactions": 1}.get(name, 0)


def test_a_person_with_plain_sql_reads_the_books_on_sqlite(sqlite_url: str, tmp_path: Path) -> None:
    house = House.built(open_database(sqlite_url))
    house.put("invoices", an_invoice("1"), an_invoice("2", total_amount=Decimal("80.50")), an_invoice("3"))
    with house.db.write() as tx:
        records.delete(tx, house.tenant, house.company, house.connection, "invoices", ["3"], LATER)
    house.db.close()
    shutil.copy(tmp_path / "comptoir.db", tmp_path / "copy.db")

    with sqlite3.connect(tmp_path / "copy.db") as plain:  # none of our functions, as any tool opens it
        rows = plain.execute(
            "SELECT customer_ref_company_name, count(*), sum(total_amount), min(due_date) FROM invoices "
            "WHERE NOT is_deleted AND status = 'Paid' GROUP BY 1"
        ).fetchall()
    plain.close()

    assert rows == [("Fjord & Söhne", 2, 200.5, "2026-02-28T00:00:00")]


def test_a_person_with_plain_sql_reads_the_books_on_postgres(postgres_url: str) -> None:
    house = House.built(open_database(postgres_url))
    house.put(
        "invoices",
        an_invoice("1"),
        an_invoice("2", total_amount=Decimal("80.50")),
        an_invoice("3", total_amount=Decimal("1E+30")),
    )
    with house.db.write() as tx:
        records.delete(tx, house.tenant, house.company, house.connection, "invoices", ["3"], LATER)

    with psycopg.connect(
        make_url(postgres_url).set(drivername="postgresql").render_as_string(hide_password=False)
    ) as plain:
        rows = plain.execute(
            "SELECT customer_ref_company_name, count(*), sum(total_amount), to_char(min(due_date), 'DD Mon YYYY') FROM invoices "
            "WHERE NOT is_deleted AND status = 'Paid' AND due_date >= '2026-01-01' GROUP BY 1"
        ).fetchall()
    house.db.close()

    assert rows == [("Fjord & Söhne", 2, Decimal("200.50"), "28 Feb 2026")]


def test_views_are_made_anew_when_the_model_has_changed(database_url: str) -> None:
    db = open_database(database_url)
    with db.write() as tx:
        tx.exec_driver_sql("DROP VIEW invoices")
        tx.exec_driver_sql("CREATE VIEW invoices AS SELECT 1 AS of_another_version")
        tx.exec_driver_sql("DELETE FROM meta WHERE name = 'views'")
    db.close()

    db = open_database(database_url)

    assert db.fetch("SELECT invoice_number FROM invoices") == []
    db.close()


def test_the_sources_records_are_there_with_every_body_they_had(house: House) -> None:
    house.arrive("invoices", arrived("1", b'{"v":1}'), arrived("2", b'{"note":"\\u0000"}'))
    house.arrive("invoices", arrived("1", b'{"v":2}'), now=LATER)
    with house.db.write() as tx:
        raw.mark_deleted(tx, house.tenant, house.connection, "invoices", ["2"], LATER)

    held = house.db.fetch("SELECT id, deleted_at IS NOT NULL, body FROM source_records ORDER BY id")
    stood = house.db.fetch(
        "SELECT id, until IS NULL, body FROM source_versions WHERE resource = 'invoices' ORDER BY id, since"
    )
    seen = house.db.fetch("SELECT count(*) FROM source_records WHERE first_seen < last_seen AND changed_at = last_seen")

    assert [(id_, bool(is_gone), body) for id_, is_gone, body in held] == [
        ("1", False, '{"v":2}'),
        ("2", True, '{"note":"\\u0000"}'),
    ]
    assert [(id_, bool(stands), body) for id_, stands, body in stood] == [
        ("1", False, '{"v":1}'),
        ("1", True, '{"v":2}'),
        ("2", False, '{"note":"\\u0000"}'),
    ]
    assert seen == [(1,)]
