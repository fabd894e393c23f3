"""SQL views of the standard records, with friendly names, for people who bring their own tools.

They are made anew whenever the model changes. Values come out of the finished documents, so they are what the API
serves; amounts are exact on PostgreSQL and as near as SQLite's numbers come there.
"""

from __future__ import annotations

import hashlib

import sqlalchemy as sa
from sqlalchemy import Connection

from comptoir.model import SHAPES, ColumnKind, Shape
from comptoir.store.tables import META, documents_name, snake, standard_name

__all__ = ["ensure", "view_name"]

_SIGN = "views"
_OWN = ("tenant_id", "company_id", "connection_id", "id", "modified_date", "source_modified_date", "is_deleted")
_POSTGRES_TYPES = {
    ColumnKind.AMOUNT: "numeric",
    ColumnKind.INTEGER: "bigint",
    ColumnKind.BOOLEAN: "boolean",
    ColumnKind.DATE: "timestamp",
    ColumnKind.INSTANT: "timestamptz",
}


def view_name(data_type: str) -> str:
    return snake(data_type)


def ensure(tx: Connection) -> None:
    """Make the views if they are not those of today's model."""
    statements = [
        part
        for shape in SHAPES.values()
        for part in (f"DROP VIEW IF EXISTS {view_name(shape.name)}", _view(shape, tx.dialect.name))
    ]
    sign = hashlib.sha256("\n".join(statements).encode()).digest()
    held = tx.execute(sa.select(META.c.value).where(META.c.name == _SIGN)).scalar_one_or_none()
    if held == sign:
        return
    for statement in statements:
        tx.exec_driver_sql(statement)
    tx.execute(sa.delete(META).where(META.c.name == _SIGN))
    tx.execute(sa.insert(META).values(name=_SIGN, value=sign))


def _view(shape: Shape, dialect: str) -> str:
    on_postgres = dialect == "postgresql"
    columns = [f"s.{name}" for name in _OWN]
    for column in shape.columns:
        if column.path not in ("id", "sourceModifiedDate"):
            value = _on_postgres(column.path, column.kind) if on_postgres else _on_sqlite(column.path)
            columns.append(f"{value} AS {snake(column.path.replace('.', '_'))}")
    # jsonb would refuse a U+0000 in any text; it is shown as the sign for an unreadable character.
    parsed = (
        " CROSS JOIN LATERAL (SELECT replace(convert_from(d.doc, 'UTF8'), '\\u0000', '\\ufffd')::json AS value) AS j"
        if on_postgres
        else ""
    )
    return (
        f"CREATE VIEW {view_name(shape.name)} AS SELECT {', '.join(columns)} FROM {standard_name(shape.name)} s "  # noqa: S608 - our own names
        f"JOIN {documents_name(shape.name)} d ON d.pk = s.pk{parsed}"
    )


def _on_sqlite(path: str) -> str:
    return f"json_extract(CAST(d.doc AS TEXT), '$.{path}')"


def _on_postgres(path: str, kind: ColumnKind) -> str:
    value = f"(j.value #>> '{{{path.replace('.', ',')}}}')"
    return f"{value}::{_POSTGRES_TYPES[kind]}" if kind in _POSTGRES_TYPES else value
