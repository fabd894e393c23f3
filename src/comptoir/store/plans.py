"""What planners are told of the large tables.

SQLite: fixed figures, so that plans never change with the data. Without figures it takes the unique index of a table
for the best whatever is asked, and looks through a company's whole list for one customer's invoices.
PostgreSQL counts for itself, but must be told that a connection names its company and tenant: it would think that the
three together leave hardly any rows, and sort a whole company's records for one page. It counts a minute after a table
was filled, at best; until then it takes it for empty, with the same end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlalchemy import Connection, Index, Table

from comptoir.store.tables import STANDARD, standard_name

__all__ = ["ensure", "filled"]

_ROWS, _OF_COMPANY = 1_000_000, 100_000
# Rows of a company that share a value: few of a status, many of all others.
_SHARED = {"p_status": 25_000, "modified_date": 1_000, "p_account_id": 30_000, "source_resource": 50_000}
_ALIKE = 50


def ensure(tx: Connection) -> None:
    """Tell the planner, if it was not told before."""
    if tx.dialect.name == "postgresql":
        _on_postgres(tx)
    else:
        _on_sqlite(tx)


def filled(tx: Connection, put: Mapping[str, int]) -> None:
    """Have PostgreSQL count anew where more records were put than it knows of; new records by data type."""
    if tx.dialect.name != "postgresql":
        return
    tables = {standard_name(name): count for name, count in put.items()}
    known = tx.exec_driver_sql(
        "SELECT relname, reltuples FROM pg_class JOIN unnest(%s::text[]) one ON pg_class.oid = to_regclass(one)",
        (list(tables),),
    )
    for name in sorted(name for name, rows in known if tables[name] > max(rows, 0)):
        tx.exec_driver_sql(f"ANALYZE (SKIP_LOCKED) {name}")  # skipped: somebody counts it at this moment


def _on_postgres(tx: Connection) -> None:
    held = {name for (name,) in tx.exec_driver_sql("SELECT stxname FROM pg_statistic_ext")}
    for table in STANDARD.values():
        if (name := f"st_{table.name}") not in held:
            columns = "tenant_id, company_id, connection_id"
            if "p_account_id" in table.c:  # an account names its company too
                columns += ", p_account_id"
            tx.exec_driver_sql(f"CREATE STATISTICS {name} (dependencies) ON {columns} FROM {table.name}")


def _on_sqlite(tx: Connection) -> None:
    wanted = set(_figures())
    tx.exec_driver_sql("ANALYZE meta")  # makes the table that figures stand in
    held = {tuple(row) for row in tx.exec_driver_sql("SELECT tbl, idx, stat FROM sqlite_stat1 WHERE tbl LIKE 'std_%'")}
    if held == wanted:
        return
    tx.exec_driver_sql("DELETE FROM sqlite_stat1 WHERE tbl LIKE 'std_%'")
    tx.exec_driver_sql("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (?, ?, ?)", sorted(wanted))
    tx.exec_driver_sql("ANALYZE sqlite_schema")  # reads them in


def _figures() -> Iterator[tuple[str, str, str]]:
    for table in STANDARD.values():
        yield table.name, f"sqlite_autoindex_{table.name}_1", f"{_ROWS} {_OF_COMPANY} {_OF_COMPANY} 1"
        for index in table.indexes:
            if index.info.get("only_on", "sqlite") != "sqlite":
                continue
            yield table.name, str(index.name), _of(table, index)


def _of(table: Table, index: Index) -> str:
    rows, figures = _ROWS, [_ROWS]
    for column in index.columns:
        if column.name in ("company_id", "connection_id"):
            rows = _OF_COMPANY
        elif column.name in ("pk", "source_id"):
            rows = 1
        else:
            rows = min(rows, _SHARED.get(column.name, _ALIKE))
        figures.append(rows)
    return " ".join(map(str, figures))
