"""Every table, declared once. A tenant's tables all carry `tenant_id`, and every statement on them names it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Boolean, CheckConstraint, Column, Index, Integer, LargeBinary, MetaData, Table, Text

from comptoir.model import SHAPES, ColumnKind, Shape
from comptoir.store.values import Amount, Instant

__all__ = ["METADATA", "STANDARD", "snake", "standard_name", "typed_column_name"]

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)
_BIG = sa.BigInteger().with_variant(Integer, "sqlite")  # SQLite gives row numbers to INTEGER PRIMARY KEY only


def _id() -> Column[str]:
    return Column("id", Text, primary_key=True)


def _tenant() -> Column[str]:
    return Column("tenant_id", Text, sa.ForeignKey("tenants.id", ondelete="CASCADE"), nullable=False)


def _company(**options: Any) -> Column[str]:
    return Column("company_id", Text, sa.ForeignKey("companies.id", ondelete="CASCADE"), nullable=False, **options)


def _connection(**options: Any) -> Column[str]:
    key = sa.ForeignKey("connections.id", ondelete="CASCADE")
    return Column("connection_id", Text, key, nullable=False, **options)


def _when(name: str, *, required: bool = False) -> Column[Any]:
    return Column(name, Instant, nullable=not required)


def _text(name: str, *, required: bool = False) -> Column[Any]:
    return Column(name, Text, nullable=not required)


META = Table("meta", METADATA, Column("name", Text, primary_key=True), Column("value", LargeBinary, nullable=False))

TENANTS = Table("tenants", METADATA, _id(), Column("name", Text, nullable=False, unique=True), _when("created"))

OPERATORS = Table(
    "operators",
    METADATA,
    _id(),
    _tenant(),
    Column("email", Text, nullable=False, unique=True),  # lower case
    _text("password_hash", required=True),
    _text("role", required=True),
    _text("language"),
    _when("created", required=True),
    _when("disabled"),
)
SESSIONS = Table(
    "sessions",
    METADATA,
    Column("token_hash", Text, primary_key=True),
    _tenant(),
    Column("operator_id", Text, sa.ForeignKey("operators.id", ondelete="CASCADE"), nullable=False),
    _text("csrf", required=True),
    _when("created", required=True),
    _when("last_seen", required=True),
)
SIGN_IN_FAILURES = Table(
    "sign_in_failures",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("count", Integer, nullable=False),
    _when("last", required=True),
)
API_KEYS = Table(
    "api_keys",
    METADATA,
    _id(),
    _tenant(),
    _text("name"),
    Column("secret_hash", Text, nullable=False, unique=True),
    _text("last4", required=True),
    _when("created", required=True),
    _when("last_used"),
)

PROFILES = Table(
    "profiles",
    METADATA,
    Column("tenant_id", Text, sa.ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True),
    Column("document", LargeBinary, nullable=False),
)
SYNC_SETTINGS = Table(
    "sync_settings",
    METADATA,
    Column("tenant_id", Text, sa.ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True),
    Column("company_id", Text, primary_key=True),  # "" for the tenant's own
    Column("document", LargeBinary, nullable=False),
)
INTEGRATION_SETTINGS = Table(
    "integration_settings",
    METADATA,
    Column("tenant_id", Text, sa.ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("enabled", Boolean, nullable=False),
    _text("client_id", required=True),
    Column("secret", LargeBinary, nullable=False),
    _text("secret_last4", required=True),
    _when("secret_saved_at", required=True),
    Column("second_secret", LargeBinary),
    _text("second_last4"),
    _when("second_saved_at"),
    _text("alarm"),
)

COMPANIES = Table(
    "companies",
    METADATA,
    _id(),
    _tenant(),
    _text("name", required=True),
    _text("description"),
    Column("tags", LargeBinary, nullable=False),
    _when("created", required=True),
    _text("created_by"),
    Index("ix_companies_tenant", "tenant_id", "created"),
)
CONNECTIONS = Table(
    "connections",
    METADATA,
    _id(),
    _tenant(),
    _company(),
    _text("integration_key", required=True),
    _text("status", required=True),
    _when("created", required=True),
    _when("linked_at"),
    _when("last_sync"),
    _text("source_company_id"),
    _text("source_company_name"),
    Column("access_level", Integer),
    _text("access_name"),
    Column("errors", LargeBinary, nullable=False),
    Index("ix_connections_tenant_company", "tenant_id", "company_id"),
    CheckConstraint("status IN ('PendingAuth', 'Linked', 'Unlinked', 'Deauthorized')", name="status"),
)
GRANTS = Table(
    "grants",
    METADATA,
    _connection(primary_key=True),
    _tenant(),
    Column("generation", Integer, nullable=False),
    Column("access_token", LargeBinary, nullable=False),
    Column("refresh_token", LargeBinary, nullable=False),
    Column("previous_refresh_token", LargeBinary),
    Column("raw_answer", LargeBinary),
    Column("refreshing", Boolean, nullable=False),
    _when("expires_at", required=True),
    _when("obtained_at", required=True),
)
LINK_STATES = Table(
    "link_states",
    METADATA,
    Column("state_hash", Text, primary_key=True),
    _tenant(),
    _company(),
    _connection(),
    _text("browser_hash", required=True),
    Column("parameters", LargeBinary, nullable=False),
    _when("created", required=True),
    _when("expires", required=True),
    _when("used_at"),
    Index("ix_link_states_connection", "tenant_id", "connection_id"),
)

SYNCS = Table(
    "syncs",
    METADATA,
    _id(),
    _tenant(),
    _connection(),
    _when("started", required=True),
    _when("ended"),
    Column("calls", Integer, nullable=False, default=0),
    Column("checks", LargeBinary),
    Index("ix_syncs_connection", "tenant_id", "connection_id", "started"),
    # One active sync a connection.
    Index(
        "ux_syncs_active",
        "connection_id",
        unique=True,
        sqlite_where=sa.text("ended IS NULL"),
        postgresql_where=sa.text("ended IS NULL"),
    ),
)
DATASETS = Table(
    "datasets",
    METADATA,
    _id(),
    _tenant(),
    _company(),
    _connection(),
    _text("data_type", required=True),
    _text("status", required=True),
    _text("status_description"),
    _text("error_message"),
    _when("requested", required=True),
    _when("started"),
    _when("completed"),
    Column("progress", Integer, nullable=False, default=0),
    Column("records_read", Integer, nullable=False, default=0),
    Column("records_new", Integer, nullable=False, default=0),
    Column("records_changed", Integer, nullable=False, default=0),
    Column("records_deleted", Integer, nullable=False, default=0),
    Column("records_set_aside", Integer, nullable=False, default=0),
    Column("warnings", LargeBinary, nullable=False),
    _text("sync_id"),
    _when("retry_at"),
    Column("attempt", Integer, nullable=False, default=0),
    Column("is_ended", Boolean, nullable=False, default=False),
    Index("ix_datasets_company", "tenant_id", "company_id", "requested"),
    Index("ix_datasets_connection", "tenant_id", "connection_id", "data_type"),
    # One active dataset of a data type a connection.
    Index(
        "ux_datasets_active",
        "connection_id",
        "data_type",
        unique=True,
        sqlite_where=sa.text("NOT is_ended"),
        postgresql_where=sa.text("NOT is_ended"),
    ),
)
PAGES = Table(
    "pages",
    METADATA,
    _tenant(),
    _connection(),
    Column("sync_id", Text, primary_key=True),
    Column("resource", Text, primary_key=True),
    Column("pass_number", Integer, primary_key=True),
    Column("window", Text, primary_key=True),
    Column("page", Integer, primary_key=True),
    Column("total", Integer),
    Column("ids", LargeBinary, nullable=False),
    _when("fetched_at", required=True),
)
RESOURCE_READS = Table(
    "resource_reads",
    METADATA,
    _tenant(),
    _connection(primary_key=True),
    Column("resource", Text, primary_key=True),
    _text("sync_id", required=True),
    _text("outcome", required=True),
    _text("message"),
    Column("level_needed", Integer),
    Column("set_aside", Integer, nullable=False, default=0),
    Column("deleted", Integer, nullable=False, default=0),
    _when("read_at", required=True),
)

RAW = Table(
    "raw",
    METADATA,
    _tenant(),
    _connection(primary_key=True),
    Column("resource", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    _text("part", required=True),
    _text("sort_key", required=True),
    Column("body", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    _text("updated_at"),
    _when("first_seen", required=True),
    _when("changed_at", required=True),
    _when("deleted_at"),
    sqlite_with_rowid=False,
)
RAW_VERSIONS = Table(
    "raw_versions",
    METADATA,
    Column("pk", _BIG, primary_key=True),
    _tenant(),
    _connection(),
    _text("resource", required=True),
    _text("id", required=True),
    Column("body", LargeBinary, nullable=False),
    _when("from_", required=True),
    _when("until", required=True),
    Index("ix_raw_versions_record", "connection_id", "resource", "id"),
)
RAW_LINKS = Table(
    "raw_links",
    METADATA,
    _tenant(),
    _connection(primary_key=True),
    Column("resource", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("link", Text, primary_key=True),
    Column("target", Text, primary_key=True),
    _text("target_resource", required=True),
    Index("ix_raw_links_target", "connection_id", "resource", "link", "target"),
    sqlite_with_rowid=False,
)
RAW_ASIDE = Table(
    "raw_aside",
    METADATA,
    Column("pk", _BIG, primary_key=True),
    _tenant(),
    _connection(),
    _text("sync_id", required=True),
    _text("resource", required=True),
    _text("record_id"),
    _text("data_type"),
    _text("reason", required=True),
    Column("body", LargeBinary, nullable=False),
    _when("at", required=True),
    Index("ix_raw_aside_connection", "tenant_id", "connection_id", "resource"),
)

EVENTS = Table(
    "events",
    METADATA,
    Column("pk", _BIG, primary_key=True),
    _tenant(),
    _text("id", required=True),
    _text("type", required=True),
    Column("payload", LargeBinary, nullable=False),
    _when("at", required=True),
)
AUDIT = Table(
    "audit",
    METADATA,
    Column("pk", _BIG, primary_key=True),
    _tenant(),
    _text("actor", required=True),
    _text("action", required=True),
    _text("subject"),
    _text("detail"),
    _when("at", required=True),
)
RECORD_VERSIONS = Table(  # rises whenever a list changes, so that its counts may be remembered until then
    "record_versions",
    METADATA,
    _tenant(),
    _company(primary_key=True),
    Column("data_type", Text, primary_key=True),
    Column("version", Integer, nullable=False),
)

# Lists are often asked for by these; every further index costs each pull.
_INDEXED = ("issueDate", "date", "clearedOnDate")


def standard_name(data_type: str) -> str:
    return "std_" + snake(data_type)


def typed_column_name(path: str) -> str:
    """The column of a property: `customerRef.id` becomes `p_customer_ref_id`; the prefix keeps ours apart."""
    return "p_" + snake(path.replace(".", "_"))


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


def _standard(shape: Shape) -> Table:
    name = standard_name(shape.name)
    types: dict[ColumnKind, Any] = {
        ColumnKind.AMOUNT: Amount,
        ColumnKind.INTEGER: Integer,
        ColumnKind.BOOLEAN: Boolean,
    }
    typed = [
        Column(typed_column_name(column.path), types.get(column.kind, Text))
        for column in shape.columns
        if column.path not in ("id", "sourceModifiedDate")
    ]
    indexes = [
        Index(f"ix_{name}_{column.path}", "tenant_id", "company_id", typed_column_name(column.path))
        for column in shape.columns
        if column.path in _INDEXED
    ]
    if shape.name == "bankTransactions":
        indexes = [Index(f"ix_{name}_account", "tenant_id", "company_id", "p_account_id", "p_cleared_on_date")]
    return Table(
        name,
        METADATA,
        Column("pk", _BIG, primary_key=True),
        _tenant(),
        _company(),
        _connection(),
        Column("id", Text, nullable=False),
        Column("doc", LargeBinary, nullable=False),
        Column("supplemental", LargeBinary),
        _text("modified_date", required=True),
        _text("source_modified_date"),
        Column("is_deleted", Boolean, nullable=False),
        _text("source_resource", required=True),
        _text("source_id", required=True),
        *typed,
        sa.UniqueConstraint("connection_id", "id"),
        Index(f"ix_{name}_modified", "tenant_id", "company_id", "modified_date"),
        Index(f"ix_{name}_source", "connection_id", "source_resource", "source_id"),
        *indexes,
    )


STANDARD: Mapping[str, Table] = {name: _standard(shape) for name, shape in SHAPES.items()}
