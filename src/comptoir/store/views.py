"""SQL views for people who bring their own tools: of the standard records with friendly names, and of the source's own.

They are made anew whenever the model changes. Values come out of the finished documents, so they are what the API
serves; amounts are exact on PostgreSQL and as near as SQLite's numbers come there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from types import MappingProxyType

import sqlalchemy as sa
from sqlalchemy import Connection

from comptoir.model import SHAPES, ColumnKind, Shape
from comptoir.store.tables import META, documents_name, snake, standard_name

__all__ = ["OWN", "SIGN", "SOURCE_VIEWS", "ensure", "view_name"]

SIGN = "views"  # the row of `meta` that says which views there are
OWN = ("tenant_id", "company_id", "connection_id", "id", "modified_date", "source_modified_date", "is_deleted")
_POSTGRES_TYPES = {
    ColumnKind.AMOUNT: "numeric",
    ColumnKind.INTEGER: "bigint",
    ColumnKind.BOOLEAN: "boolean",
    ColumnKind.DATE: "timestamp",
    ColumnKind.INSTANT: "timestamptz",
}
_RECORD = ("tenant_id", "company_id", "connection_id", "resource", "id")
SOURCE_VIEWS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "source_records": (*_RECORD, "first_seen", "last_seen", "changed_at", "deleted_at", "body"),
        "source_versions": (*_RECORD, "since", "until", "body"),
    }
)
"""Columns by view: records of the source as they came, deleted ones too, and every body each of them had; `until` is
null for the one that still stands."""


def view_name(data_type: str) -> str:
    return snake(data_type)


def ensure(tx: Connection) -> None:
    """Make the views if they are not those of today's model."""
    views = {view_name(shape.name): _view(shape, tx.dialect.name) for shape in SHAPES.values()}
    views |= _source_views(tx.dialect.name)
    statements = [part for name, view in views.items() for part in (f"DROP VIEW IF EXISTS {name}", view)]
    sign = hashlib.sha256("\n".join(statements).encode()).digest()
    held = tx.execute(sa.select(META.c.value).where(META.c.name == SIGN)).scalar_one_or_none()
    if held == sign:
        return
    for statement in statements:
        tx.exec_driver_sql(statement)
    tx.execute(sa.delete(META).where(META.c.name == SIGN))
    tx.execute(sa.insert(META).values(name=SIGN, value=sign))


def _view(shape: Shape, dialect: str) -> str:
    on_postgres = dialect == "postgresql"
    columns = [f"s.{name}" for name in OWN]
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


def _source_views(dialect: str) -> dict[str, str]:
    on_postgres = dialect == "postgresql"
    later = "greatest" if on_postgres else "max"

    def moment(value: str) -> str:
        return f"({value})::timestamptz" if on_postgres else value

    def body(table: str) -> str:
        return f"convert_from({table}.body, 'UTF8')" if on_postgres else f"CAST({table}.body AS TEXT)"

    def record(table: str) -> str:
        return f"{table}.tenant_id, c.company_id, {table}.connection_id, {table}.resource, {table}.id"

    owner = "JOIN connections c ON c.tenant_id = {0}.tenant_id AND c.id = {0}.connection_id"
    # A live record was met by the last complete read, or came itself since then.
    last_seen = (
        "CASE WHEN r.deleted_at IS NULL "
        f"THEN {later}(r.changed_at, coalesce(m.seen_at, r.changed_at)) ELSE coalesce(r.last_seen, r.changed_at) END"
    )
    return {
        "source_records": (
            f"CREATE VIEW source_records AS SELECT {record('r')}, {moment('r.first_seen')} AS first_seen, "  # noqa: S608 - our own names
            f"{moment(last_seen)} AS last_seen, {moment('r.changed_at')} AS changed_at, "
            f"{moment('r.deleted_at')} AS deleted_at, {body('r')} AS body FROM raw r {owner.format('r')} "
            "LEFT JOIN resource_reads m ON m.tenant_id = r.tenant_id AND m.connection_id = r.connection_id "
            "AND m.resource = r.resource"
        ),
        "source_versions": (
            f"CREATE VIEW source_versions AS SELECT {record('v')}, {moment('v.from_')} AS since, "  # noqa: S608 - our own names
            f"{moment('v.until')} AS until, {body('v')} AS body FROM raw_versions v {owner.format('v')} "
            f"UNION ALL SELECT {record('r')}, {moment('r.changed_at')}, {moment('r.deleted_at')}, {body('r')} "
            f"FROM raw r {owner.format('r')}"
        ),
    }
