"""Nothing that a sync asks the database takes longer because other companies' books lie beside these, or a history."""

from __future__ import annotations

import re
import sqlite3
from typing import Any

import pytest
from sqlalchemy import Connection
from tests.sync.conftest import HouseOf
from tests.sync.standin import StandIn

from comptoir.integrations.freeagent import FREEAGENT
from comptoir.store import Database, datasets, figures, open_database, plans
from comptoir.store.tables import METADATA, standard_name

_FEW = {  # of an installation, not of its books: few, or looked through on purpose
    "tenants", "meta", "holds", "connections", "integration_settings", "sync_settings", "alembic_version",
}  # fmt: skip
_OF_FEW = "USING INDEX ux_datasets_active"  # holds what has not ended only
_LITERAL = re.compile(r"'(?:[^']|'')*'|\b\d+(?:\.\d+)?\b|x'[0-9a-fA-F]*'")


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """All that is run on SQLite from now on, with its values: one of each kind."""
    found: dict[str, str] = {}
    connect = sqlite3.dbapi2.connect

    def watched(*arguments: Any, **named: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*arguments, **named)
        connection.set_trace_callback(lambda sql: found.setdefault(_LITERAL.sub("?", sql), sql))
        return connection

    monkeypatch.setattr(sqlite3, "connect", watched)
    monkeypatch.setattr(sqlite3.dbapi2, "connect", watched)
    return found


def test_no_statement_around_a_sync_looks_through_a_whole_table(
    standin: StandIn, house_of: HouseOf, sqlite_url: str, statements: dict[str, str]
) -> None:
    db = open_database(sqlite_url)
    statements.clear()
    house = house_of(db, standin)
    house.sync()
    invoice, line = (next(iter(standin.served()[name])) for name in ("invoices", "bank_transactions"))
    standin.mutate("change", "invoices", invoice, set={"comments": "Changed."})
    standin.mutate("delete", "bank_transactions", line)
    house.sync()

    with db.read() as tx:
        assert datasets.all_waiting(tx, house.clock.now()) == []
        assert datasets.latest(tx, house.tenant, house.company).keys() == {one.name for one in FREEAGENT.data_types}
        assert figures.queue(tx, house.clock.now()).due == 0
        through = {kind: found for kind, sql in statements.items() if (found := _looked_through(tx, sql))}
    db.close()
    assert not through, "\n".join(f"{kind[:300]} -> {found}" for kind, found in through.items())


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_postgres_has_counted_what_was_read_once_it_may_be_asked_for(
    standin: StandIn, house_of: HouseOf, database: Database
) -> None:
    house = house_of(database, standin)
    house.sync()

    served = {standard_name(name): len(rows) for name, rows in house.standard().items()}
    with database.read() as tx:
        known = tx.exec_driver_sql("SELECT relname, reltuples FROM pg_class WHERE relname LIKE 'std_%%'")
        assert {name: count for name, count in known if name in served} == served

    with database.write() as tx:
        tx.exec_driver_sql("UPDATE pg_class SET reltuples = 7 WHERE relname = 'std_invoices'")
        plans.filled(tx, {"invoices": 7})
        known = tx.exec_driver_sql("SELECT reltuples FROM pg_class WHERE relname = 'std_invoices'")
        assert known.scalar_one() == 7


def _looked_through(tx: Connection, sql: str) -> set[str]:
    """Tables that a statement reads all rows of, whether in a table or in an index."""
    if not sql.lstrip().upper().startswith(("SELECT", "WITH", "UPDATE", "DELETE", "INSERT")):
        return set()
    driver: Any = tx.connection.driver_connection
    scanned = {
        row[3].split()[1]
        for row in driver.execute(f"EXPLAIN QUERY PLAN {sql}")
        if row[3].startswith("SCAN ") and _OF_FEW not in row[3]
    }
    tables = METADATA.tables.keys() - _FEW
    return {table for table in tables for one in scanned if one == table or re.search(rf"\b{table} {one}\b", sql)}
