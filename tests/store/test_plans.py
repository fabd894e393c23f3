"""Hot lists are read along indexes on both databases: no whole table is looked through, no page is sorted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests.conftest import new_database
from tests.store.house import NOON, House, a_bank_line, an_invoice, arrived

from comptoir.model.sales import CustomerRef, DocumentStatus
from comptoir.store import Database, open_database, originals, reading, records
from comptoir.store.direct import marked
from comptoir.store.query import Order, parse

MANY = 2000


def fill(db: Database) -> House:
    """Four companies with thousands of records each, so that a planner has reason to choose."""
    house = House.built(db)
    for one in (house, *(house.another_company() for _ in range(3))):
        days = [str(date(2020, 1, 1) + timedelta(days=n % 1500)) for n in range(MANY)]
        one.put(
            "invoices",
            *(
                an_invoice(
                    str(n),
                    customer_ref=CustomerRef(id=str(n % 200), company_name=f"Customer {n % 200}"),
                    issue_date=f"{day}T00:00:00",
                    due_date=f"{day}T00:00:00" if n % 2 else None,
                    total_amount=Decimal(n) / 100,
                    status=list(DocumentStatus)[n % 5],
                )
                for n, day in enumerate(days)
            ),
        )
        one.put(
            "bankTransactions", *(a_bank_line(str(n), f"account {n % 2}", str(n), day) for n, day in enumerate(days))
        )
        one.arrive("invoices", *(arrived(str(n), links=[("contact", "contacts", str(n % 200))]) for n in range(MANY)))
    return house


@pytest.fixture(scope="module")
def filled_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    house = fill(open_database(f"sqlite:///{tmp_path_factory.mktemp('plans') / 'comptoir.db'}"))
    yield house
    house.db.close()


@pytest.fixture(scope="module")
def filled_postgres(postgres_server: str) -> Iterator[House]:
    with new_database(postgres_server) as url:
        house = fill(open_database(url.render_as_string(hide_password=False)))
        with house.db.write() as tx:
            tx.exec_driver_sql("ANALYZE")
        yield house
        house.db.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def filled(request: pytest.FixtureRequest) -> House:
    found = request.getfixturevalue("filled_sqlite" if request.param == "sqlite" else "filled_postgres")
    assert isinstance(found, House)
    return found


def plan(house: House, sql: str, values: tuple[Any, ...]) -> str:
    if house.db.dialect == "sqlite":
        return "\n".join(row[3] for row in house.db.fetch(f"EXPLAIN QUERY PLAN {sql}", values))
    with house.db.read() as tx:
        driver: Any = tx.connection.driver_connection
        return "\n".join(row[0] for row in driver.execute(f"EXPLAIN {marked(sql, 'postgresql')}", values))


def page_plan(house: House, data_type: str, query: str | None, order: str | None, account: str | None) -> str:
    """How the page of a list is found, as `reading.list_page` asks for it."""
    names = reading.properties(data_type)
    where = parse(query).where(names, "", house.db.dialect) if query else None
    condition, values = reading._condition(house.tenant, house.company, [house.connection], account, where)
    ordering = Order.parse(order, names, "")
    if where is None and account is None and house.db.dialect == "sqlite":
        return plan(
            house,
            reading._whole_page_sql(data_type, condition, ordering, from_place=False),
            (house.company, 100, 0, *values),
        )
    return plan(house, reading._page_sql(data_type, condition, ordering, from_place=False), (*values, 100, 0))


@pytest.mark.parametrize(("query", "order", "index"), [
    (None, None, ""),  # a planner may take the company's index or the primary key: both give the order
    (None, "issueDate", "ix_std_invoices_issue_date"),
    (None, "-issueDate", "ix_std_invoices_issue_date"),
    (None, "totalAmount", "ix_std_invoices_total_amount"),
    (None, "-totalAmount", "ix_std_invoices_total_amount"),
    (None, "modifiedDate", "ix_std_invoices_modified"),
    (None, "-modifiedDate", "ix_std_invoices_modified"),
    (None, "dueDate", "ix_std_invoices_due_date"),
    (None, "-dueDate", "ix_std_invoices_due_date"),
    ("modifiedDate>2100-01-01", "modifiedDate", "ix_std_invoices_modified"),
    ("customerRef.id=7", None, "ix_std_invoices_customer_ref_id"),
    ("customerRef.id=7", "-issueDate", "ix_std_invoices_customer_ref_id"),
    ("dueDate>2024-02-01&&dueDate<2024-02-03", None, "ix_std_invoices_due_date"),
    ("issueDate>=2024-02-05", "issueDate", "ix_std_invoices_issue_date"),
])  # fmt: skip
def test_hot_lists_of_invoices_are_read_along_an_index(
    filled: House, query: str | None, order: str | None, index: str
) -> None:
    found = page_plan(filled, "invoices", query, order, None)

    assert index in found, found
    assert "Seq Scan on std" not in found
    assert "SCAN s" not in found


def test_pages_before_the_one_asked_for_are_skipped_in_an_index_alone(filled_sqlite: House) -> None:
    asked: list[tuple[str, Any]] = []
    with filled_sqlite.db.read() as tx:
        sa.event.listen(tx, "before_cursor_execute", lambda *told: asked.append((told[2], told[3])))
        found = reading.list_page(
            tx, filled_sqlite.tenant, filled_sqlite.company, "invoices", order="-totalAmount", page=19
        )

    numbers = [json.loads(document)["id"] for document in found.documents]
    assert numbers == [str(n) for n in range(199, 99, -1)]
    assert "SEARCH s USING COVERING INDEX" in plan(filled_sqlite, *asked[-1])


@pytest.mark.parametrize(("order", "index"), [
    (None, "ix_std_invoices_company"),
    ("issueDate", "ix_std_invoices_issue_date"),
    ("-issueDate", "ix_std_invoices_issue_date"),
    ("modifiedDate", "ix_std_invoices_modified"),
    ("-modifiedDate", "ix_std_invoices_modified"),
])  # fmt: skip
def test_a_page_from_a_place_begins_there_in_the_index(filled: House, order: str | None, index: str) -> None:
    ordering = Order.parse(order, reading.properties("invoices"), "")
    condition, values = reading._condition(filled.tenant, filled.company, [filled.connection], None, None)
    start = (1500,) if order is None else ("2026-01-01T00:00:00Z", 1500)
    if filled.db.dialect == "sqlite":
        sql = reading._whole_page_sql("invoices", condition, ordering, from_place=True)
        found = plan(filled, sql, (filled.company, *start, 100, 0, *values))
        column = {None: "pk", "issueDate": "p_issue_date", "modifiedDate": "modified_date"}[order and order.lstrip("-")]
        assert (
            f"COVERING INDEX {index} (company_id=? AND {column}{'<' if order and order[0] == '-' else '>'}?)" in found
        )
    else:
        sql = reading._page_sql("invoices", condition, ordering, from_place=True)
        found = plan(filled, sql, (*values, *start, 100, 0))
        assert order is None or index in found  # or the primary key, which gives the order too
        assert "ROW(" in found if order else "pk >= " in found


@pytest.mark.parametrize(
    "order", [None, "issueDate", "-issueDate", "totalAmount", "modifiedDate", "-modifiedDate", "dueDate", "-dueDate"]
)
def test_an_ordered_page_takes_its_rows_from_the_index_without_sorting_them_all(
    filled: House, order: str | None
) -> None:
    found = page_plan(filled, "invoices", None, order, None)

    if filled.db.dialect == "sqlite":
        # One sort is of the hundred rows of the page, after their documents were fetched; none is inside. The rows of
        # pages before are not looked at.
        inner = found.partition("SEARCH d USING")[0]
        assert inner.count("TEMP B-TREE") == 0, found
        assert "USING COVERING INDEX" in inner, found
    else:
        limit = found.index("Limit")
        assert "Sort" not in found[limit:] or "Incremental Sort" in found[limit:], found


@pytest.mark.parametrize(
    ("order", "index"),
    [
        (None, ""),
        ("-clearedOnDate", "ix_std_bank_transactions_cleared_on_date"),
        ("amount", "ix_std_bank_transactions_amount"),
    ],
)
def test_bank_lines_are_read_along_an_index_of_their_account(filled: House, order: str | None, index: str) -> None:
    found = page_plan(filled, "bankTransactions", None, order, "account 1")

    assert index in found, found
    assert "Seq Scan on std" not in found
    assert "SCAN s" not in found


def test_one_record_is_found_by_its_key(filled: House) -> None:
    condition, values = reading._condition(filled.tenant, filled.company, [filled.connection], None, None)

    found = plan(filled, f"SELECT s.pk FROM std_invoices s WHERE {condition} AND s.id = ?", (*values, "7"))

    assert "sqlite_autoindex_std_invoices" in found or "uq_std_invoices_company_id_connection_id_id" in found


def test_raw_rows_are_found_by_what_they_name_and_by_their_ids(filled: House) -> None:
    owner = (filled.tenant, filled.connection, "invoices")
    links = plan(
        filled,
        "SELECT l.target, r.body FROM raw_links l JOIN raw r ON r.tenant_id = l.tenant_id AND r.connection_id = l.connection_id "
        "AND r.resource = l.resource AND r.id = l.id WHERE l.tenant_id = ? AND l.connection_id = ? AND l.resource = ? AND l.link = ? AND l.target = ?",
        (*owner, "contact", "7"),
    )
    walk = plan(
        filled,
        "SELECT id, body FROM raw WHERE tenant_id = ? AND connection_id = ? AND resource = ? AND deleted_at IS NULL AND sort_key = '' AND id > ? ORDER BY id LIMIT ?",
        (*owner, "5", 100),
    )

    for found in (links, walk):
        assert "Seq Scan" not in found, found
        assert "SCAN " not in found, found
    assert "TEMP B-TREE" not in walk


def test_figures_for_the_planner_stay_the_same_when_a_database_is_opened_again(sqlite_url: str, tmp_path: Path) -> None:
    db = open_database(sqlite_url)
    held = db.fetch("SELECT tbl, idx, stat FROM sqlite_stat1 ORDER BY 1, 2")
    db.close()

    db = open_database(sqlite_url)

    assert db.fetch("SELECT tbl, idx, stat FROM sqlite_stat1 ORDER BY 1, 2") == held
    named = {row[1] for row in held if str(row[0]).startswith("std_")}
    existing = {
        row[0] for row in db.fetch("SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name LIKE 'std_%'")
    }
    assert named == existing
    db.close()


def test_what_every_sync_asks_of_all_records_begins_with_the_few_rows_that_changed(filled_sqlite: House) -> None:
    house, asked = filled_sqlite, list[str]()
    owner = (house.tenant, house.connection)
    with house.db.read() as tx:
        driver: Any = tx.connection.driver_connection
        driver.set_trace_callback(asked.append)

        list(originals.redated(tx, *owner, "invoices", "invoices", NOON))
        records.modified_after(tx, *owner, "invoices", NOON)
        records.outlived(tx, *owner, "invoices")

        driver.set_trace_callback(None)
        first = [driver.execute(f"EXPLAIN QUERY PLAN {sql}").fetchone()[3] for sql in asked]
    indexes = ["ix_raw_versions_until", "ix_raw_versions_until", "ix_std_invoices_modified", "ix_raw_gone"]
    assert len(first) == len(indexes), first
    assert all(index in step for step, index in zip(first, indexes, strict=True)), first
