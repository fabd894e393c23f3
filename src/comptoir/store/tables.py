"""Every table, declared once. A tenant's tables all carry `tenant_id`, and every statement on them names it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

import msgspec
import sqlalchemy as sa
from sqlalchemy import Boolean, CheckConstraint, Column, Index, Integer, LargeBinary, MetaData, Table
from sqlalchemy.schema import SchemaItem

from comptoir.model import SHAPES, ColumnKind, Shape
from comptoir.store.values import Amount, Instant, Words

__all__ = ["DOCUMENTS", "METADATA", "STANDARD", "documents_name", "snake", "standard_name", "typed_column_name"]

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
    return Column("id", Words, primary_key=True)


def _tenant() -> Column[str]:
    return Column("tenant_id", Words, sa.ForeignKey("tenants.id", ondelete="CASCADE"), nullable=False)


# Whose a row is: all of the owner's ids in one key, so that the database takes no row that mixes one tenant's with
# another's, and looks once for each row written.
def _belongs(parent: str, *names: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        names, [*(f"{parent}.{name}" for name in names[:-1]), f"{parent}.id"], ondelete="CASCADE"
    )


def _of_company() -> tuple[SchemaItem, ...]:
    owners = ("tenant_id", "company_id")
    return (*(_text(name, required=True) for name in owners), _belongs("companies", *owners))


def _of_connection(*, is_key: bool = False) -> tuple[SchemaItem, ...]:
    return (
        _text("tenant_id", required=True),
        Column("connection_id", Words, nullable=False, primary_key=is_key),
        _belongs("connections", "tenant_id", "connection_id"),
    )


def _of_company_and_connection(*, is_key: bool = False) -> tuple[SchemaItem, ...]:
    return (
        _text("tenant_id", required=True),
        _text("company_id", required=True),
        Column("connection_id", Words, nullable=False, primary_key=is_key),
        _belongs("connections", "tenant_id", "company_id", "connection_id"),
    )


def _when(name: str, *, required: bool = False) -> Column[Any]:
    return Column(name, Instant, nullable=not required)


def _text(name: str, *, required: bool = False) -> Column[Any]:
    return Column(name, Words, nullable=not required)


def _sealed(name: str, subject: str, *, required: bool = False) -> Column[Any]:
    """A secret, sealed under its tenant, the column `subject` of its row and its own name; found so when master keys
    are changed."""
    return Column(name, LargeBinary, nullable=not required, info={"sealed_for": subject})


META = Table("meta", METADATA, Column("name", Words, primary_key=True), Column("value", LargeBinary, nullable=False))

TENANTS = Table(
    "tenants",
    METADATA,
    _id(),
    Column("name", Words, nullable=False, unique=True),
    _when("created"),
    Column("needs_second_factor", Boolean, nullable=False, server_default=sa.false()),
)
HOLDS = Table(  # while a row is here nothing is asked of any upstream for the tenant
    "holds",
    METADATA,
    Column("tenant_id", Words, sa.ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True),
    Column("told", LargeBinary, nullable=False),
)

OPERATORS = Table(
    "operators",
    METADATA,
    _id(),
    _tenant(),
    Column("email", Words, nullable=False, unique=True),  # lower case
    _text("password_hash"),  # none while the invitation waits
    _text("role", required=True),
    _text("language"),
    _when("created", required=True),
    _when("disabled"),
    _when("signed_in"),  # the last time
    _sealed("totp_secret", "id"),
    Column("totp_step", _BIG),  # of the last code that was taken: none is taken twice
)
# One at most for each operator: a link by which a password is chosen, once.
PASSWORD_LINKS = Table(
    "password_links",
    METADATA,
    _tenant(),
    Column("operator_id", Words, sa.ForeignKey("operators.id", ondelete="CASCADE"), primary_key=True),
    Column("token_hash", Words, nullable=False, unique=True),
    _when("expires", required=True),
)
RECOVERY_CODES = Table(
    "recovery_codes",
    METADATA,
    _tenant(),
    Column("operator_id", Words, sa.ForeignKey("operators.id", ondelete="CASCADE"), primary_key=True),
    Column("code_hash", Words, primary_key=True),
)
SESSIONS = Table(
    "sessions",
    METADATA,
    Column("token_hash", Words, primary_key=True),
    _tenant(),
    Column("operator_id", Words, sa.ForeignKey("operators.id", ondelete="CASCADE"), nullable=False),
    _text("csrf", required=True),
    _when("created", required=True),
    _when("last_seen", required=True),
    Column("awaits_code", Boolean, nullable=False),  # the password was right; the second factor is still to come
)
SIGN_IN_FAILURES = Table(
    "sign_in_failures",
    METADATA,
    Column("key", Words, primary_key=True),
    Column("count", Integer, nullable=False),
    _when("last", required=True),
)
API_KEYS = Table(
    "api_keys",
    METADATA,
    _id(),
    _tenant(),
    _text("name"),
    Column("secret_hash", Words, nullable=False, unique=True),
    _text("last4", required=True),
    _when("created", required=True),
    _when("last_used"),
)

PROFILES = Table(
    "profiles",
    METADATA,
    Column("tenant_id", Words, sa.ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True),
    Column("document", LargeBinary, nullable=False),
)
SYNC_SETTINGS = Table(
    "sync_settings",
    METADATA,
    Column("tenant_id", Words, sa.ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True),
    Column("company_id", Words, primary_key=True),  # "" for the tenant's own
    Column("document", LargeBinary, nullable=False),
)
INTEGRATION_SETTINGS = Table(
    "integration_settings",
    METADATA,
    Column("tenant_id", Words, sa.ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True),
    Column("key", Words, primary_key=True),
    Column("enabled", Boolean, nullable=False),
    _text("client_id", required=True),
    _sealed("secret", "key", required=True),
    _text("secret_last4", required=True),
    _when("secret_saved_at", required=True),
    _sealed("second_secret", "key"),
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
    _text("name_folded", required=True),
    _text("description"),
    _text("description_folded"),
    Column("tags", LargeBinary, nullable=False),
    _when("created", required=True),
    _text("created_by"),
    sa.UniqueConstraint("tenant_id", "id"),
    Index("ix_companies_tenant", "tenant_id", "created"),
)
CONNECTIONS = Table(
    "connections",
    METADATA,
    _id(),
    *_of_company(),
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
    Column("is_read_only", Boolean, nullable=False, default=False),
    Column("allowed_types", LargeBinary),  # data types that may be read, as JSON; all when there is nothing
    Column("mark", sa.BigInteger, nullable=False, default=0),  # what changes in its raw rows now bears this number
    sa.UniqueConstraint("tenant_id", "id"),
    sa.UniqueConstraint("tenant_id", "company_id", "id"),
    CheckConstraint("status IN ('PendingAuth', 'Linked', 'Unlinked', 'Deauthorized')", name="status"),
)
GRANTS = Table(
    "grants",
    METADATA,
    *_of_connection(is_key=True),
    Column("generation", Integer, nullable=False),
    _sealed("access_token", "connection_id", required=True),
    _sealed("refresh_token", "connection_id", required=True),
    _sealed("previous_refresh_token", "connection_id"),
    _sealed("raw_answer", "connection_id"),
    Column("refreshing", Boolean, nullable=False),
    _when("expires_at", required=True),
    _when("obtained_at", required=True),
)
LINK_STATES = Table(
    "link_states",
    METADATA,
    Column("state_hash", Words, primary_key=True),
    *_of_company_and_connection(),
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
    *_of_connection(),
    _when("started", required=True),
    _when("ended"),
    Column("calls", Integer, nullable=False, default=0),
    Column("checks", LargeBinary),
    Column("remade", LargeBinary),
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
    *_of_company_and_connection(),
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
    Column("is_whole", Boolean, nullable=False, default=False),
    Column("is_ended", Boolean, nullable=False, default=False),
    Index("ix_datasets_company", "tenant_id", "company_id", "requested"),
    Index("ix_datasets_connection", "tenant_id", "connection_id", "data_type", "requested"),
    Index("ix_datasets_sync", "sync_id"),
    # One active dataset of a data type a connection.
    Index(
        "ux_datasets_active",
        "tenant_id",
        "connection_id",
        "data_type",
        unique=True,
        sqlite_where=sa.text("NOT is_ended"),
        postgresql_where=sa.text("NOT is_ended"),
    ),
)
# As the index of the few says it: SQLite takes that index for nothing that is said otherwise, as of a truth value.
DATASET_IS_OPEN = cast("sa.ColumnElement[bool]", sa.literal_column("NOT datasets.is_ended", Integer))
PAGES = Table(
    "pages",
    METADATA,
    *_of_connection(),
    Column("sync_id", Words, primary_key=True),
    Column("resource", Words, primary_key=True),
    Column("pass_number", Integer, primary_key=True),
    Column("window", Words, primary_key=True),
    Column("page", Integer, primary_key=True),
    Column("total", Integer),
    Column("ids", LargeBinary, nullable=False),
    _when("fetched_at", required=True),
)
RESOURCE_READS = Table(
    "resource_reads",
    METADATA,
    *_of_connection(is_key=True),
    Column("resource", Words, primary_key=True),
    _text("sync_id", required=True),
    _text("outcome", required=True),
    _text("message"),
    Column("level_needed", Integer),
    Column("set_aside", Integer, nullable=False, default=0),
    Column("deleted", Integer, nullable=False, default=0),
    _when("read_at", required=True),
    _when("seen_at"),  # when all that is live of it was last met, by a complete read
)
SYNC_CHANGES = Table(  # what people are told that a sync changed; what mapping has to follow is in `raw_changes`
    "sync_changes",
    METADATA,
    *_of_connection(is_key=True),
    Column("sync_id", Words, primary_key=True),
    Column("layer", Words, primary_key=True),
    Column("name", Words, primary_key=True),
    Column("id", Words, primary_key=True),
    _text("change", required=True),
    sqlite_with_rowid=False,
)
SYNC_CALLS = Table(  # the calls that syncs made, many in a row
    "sync_calls",
    METADATA,
    Column("pk", _BIG, primary_key=True),
    *_of_connection(),
    _text("sync_id", required=True),
    _when("at", required=True),
    Column("calls", LargeBinary, nullable=False),
    Index("ix_sync_calls_sync", "connection_id", "sync_id"),
    Index("ix_sync_calls_at", "at"),
)

CURSORS = Table(
    # Up to where each list was read: from there on changes are asked for.
    "cursors",
    METADATA,
    *_of_connection(is_key=True),
    Column("resource", Words, primary_key=True),
    Column("window_name", Words, primary_key=True),
    _when("seen"),
    _when("whole_at", required=True),
    Column("unread", Integer, nullable=False),
    _when("ignored_at"),
    Column("basis", LargeBinary),
)

RAW = Table(  # rows with numbers: bodies are large, and a key of text would carry them about
    "raw",
    METADATA,
    Column("pk", _BIG, primary_key=True),
    *_of_connection(),
    _text("resource", required=True),
    _text("id", required=True),
    _text("part", required=True),
    _text("window_name", required=True),  # which of a resource's lists it is in
    _text("sort_key", required=True),
    Column("hash", LargeBinary, nullable=False),
    _text("updated_at"),
    _when("first_seen", required=True),
    _when("changed_at", required=True),
    _when("deleted_at"),
    _when("last_seen"),  # of a deleted one; a live one was met by the last complete read
    Column("links", LargeBinary),  # what it names, as JSON; also in `raw_links` by what is named
    Column("body", LargeBinary, nullable=False),
    sa.UniqueConstraint("connection_id", "resource", "id"),
    # Only what has an order of its own; the rest is read by id.
    Index(
        "ix_raw_sort_key",
        "connection_id",
        "resource",
        "sort_key",
        "id",
        sqlite_where=sa.text("sort_key <> ''"),
        postgresql_where=sa.text("sort_key <> ''"),
    ),
    # The few that are gone: a mapping of everything asks for them.
    Index(
        "ix_raw_gone",
        "connection_id",
        "resource",
        "id",
        sqlite_where=sa.text("deleted_at IS NOT NULL"),
        postgresql_where=sa.text("deleted_at IS NOT NULL"),
    ),
    # How many there are, and when the newest of them changed, is asked of every list at every sync.
    Index(
        "ix_raw_live",
        "connection_id",
        "resource",
        "window_name",
        "updated_at",
        "tenant_id",
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    ),
)
RAW_VERSIONS = Table(
    "raw_versions",
    METADATA,
    Column("pk", _BIG, primary_key=True),
    *_of_connection(),
    _text("resource", required=True),
    _text("id", required=True),
    Column("body", LargeBinary, nullable=False),
    _when("from_", required=True),
    _when("until", required=True),
    Index("ix_raw_versions_record", "connection_id", "resource", "id"),
    Index("ix_raw_versions_until", "connection_id", "resource", "until"),
)
RAW_LINKS = Table(
    "raw_links",
    METADATA,
    *_of_connection(is_key=True),
    Column("resource", Words, primary_key=True),
    Column("link", Words, primary_key=True),
    Column("target", Words, primary_key=True),
    Column("id", Words, primary_key=True),
    sqlite_with_rowid=False,
)
RAW_CHANGES = Table(
    # What mapping has yet to follow: rows new, changed, gone or back, with what they were before.
    "raw_changes",
    METADATA,
    *_of_connection(is_key=True),
    Column("resource", Words, primary_key=True),
    Column("mark", sa.BigInteger, primary_key=True, autoincrement=False),
    Column("id", Words, primary_key=True),
    Column("links", LargeBinary),
    _text("sort_key"),
    sqlite_with_rowid=False,
)
REREADS = Table(
    # Records to be asked for by themselves, because another one changed that they tell of.
    "rereads",
    METADATA,
    *_of_connection(is_key=True),
    Column("resource", Words, primary_key=True),
    Column("id", Words, primary_key=True),
    _text("sync_id", required=True),
    _when("at"),
)
RAW_ASIDE = Table(
    "raw_aside",
    METADATA,
    Column("pk", _BIG, primary_key=True),
    *_of_connection(),
    _text("sync_id", required=True),
    _text("resource", required=True),
    _text("reason", required=True),
    Column("body", LargeBinary, nullable=False),
    _when("at", required=True),
    Index("ix_raw_aside_connection", "tenant_id", "connection_id", "resource"),
)

MAPPINGS = Table(
    # How far the records of a data type have followed the raw rows, and what else they were made with.
    "mappings",
    METADATA,
    *_of_connection(is_key=True),
    Column("data_type", Words, primary_key=True),
    Column("mark", sa.BigInteger, nullable=False),
    _text("basis", required=True),
    _text("version", required=True),
    _when("history_from"),
    _when("mapped_at", required=True),
)
MAPPING_DOUBTS = Table(
    # Of raw rows that mapping set aside or noted something of; kept until the row is mapped again.
    "mapping_doubts",
    METADATA,
    *_of_connection(is_key=True),
    Column("data_type", Words, primary_key=True),
    Column("resource", Words, primary_key=True),
    Column("id", Words, primary_key=True),
    Column("is_aside", Boolean, nullable=False),
    Column("told", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
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
# Rows are only ever added: triggers refuse anything else, and a tenant that has any cannot be removed.
AUDIT = Table(
    "audit",
    METADATA,
    Column("pk", _BIG, primary_key=True),
    Column("tenant_id", Words, sa.ForeignKey("tenants.id"), nullable=False),
    Column("number", _BIG, nullable=False),
    _when("at", required=True),
    _text("actor_kind", required=True),
    _text("actor", required=True),
    _text("address"),
    _text("action", required=True),
    _text("subject"),
    _text("detail"),
    _text("mark", required=True),
    sa.UniqueConstraint("tenant_id", "number"),
    Index("ix_audit_action", "tenant_id", "action", "number"),
    # What somebody did stands among many more openings of tokens.
    Index(
        "ix_audit_of_somebody",
        "tenant_id",
        "number",
        sqlite_where=sa.text("actor_kind <> 'itself'"),
        postgresql_where=sa.text("actor_kind <> 'itself'"),
    ),
)
AUDIT_HEADS = Table(
    "audit_heads",
    METADATA,
    Column("tenant_id", Words, sa.ForeignKey("tenants.id"), primary_key=True),
    Column("number", _BIG, nullable=False),
    _text("mark", required=True),
    _text("seal", required=True),
)
RECORD_VERSIONS = Table(
    # Rises whenever records change, so that counts may be remembered until then; `readable_since`: the first time all
    # of a data type was there.
    "record_versions",
    METADATA,
    *_of_company_and_connection(is_key=True),
    Column("data_type", Words, primary_key=True),
    Column("version", Integer, nullable=False),
    _when("readable_since"),
    Index("ix_record_versions_company", "company_id", "data_type"),
)

# Of several processes over one database: who works, who reads a connection, and what all have used of the upstream's
# limits. Moments are seconds since 1970 by the database's clock, which is one for all of them.
LEASES = Table(
    "leases",
    METADATA,
    Column("number", _BIG, primary_key=True),  # never given twice
    _text("executor", required=True),
    _text("process", required=True),
    Column("is_worker", Boolean, nullable=False),
    Column("expires_at", sa.Double, nullable=False),
)
TURNS = Table(
    "turns",
    METADATA,
    *_of_connection(is_key=True),
    Column("number", _BIG, sa.ForeignKey("leases.number", ondelete="CASCADE"), nullable=False),
)
UPSTREAM_CALLS = Table(
    "upstream_calls",
    METADATA,
    Column("pk", _BIG, primary_key=True),
    _text("integration_key", required=True),
    _text("budget", required=True),  # whose calls are counted: a connection's, or its token refreshes
    Column("at", sa.Double, nullable=False),
    Index("ix_upstream_calls_at", "integration_key", "at"),
    Index("ix_upstream_calls_budget", "integration_key", "budget", "at"),
)
UPSTREAM_PAUSES = Table(
    "upstream_pauses",
    METADATA,
    Column("integration_key", Words, primary_key=True),
    Column("budget", Words, primary_key=True),
    Column("until", sa.Double, nullable=False),
    Column("refusals", Integer, nullable=False),  # in a row
)
UPSTREAM_CLOCKS = Table(
    "upstream_clocks",
    METADATA,
    Column("integration_key", Words, primary_key=True),
    Column("lowest", sa.Double, nullable=False),  # its clock is ahead of ours by something between these two
    Column("highest", sa.Double, nullable=False),
)

# Lists are often ordered or filtered by these; every further index costs each pull.
_INDEXED = frozenset(
    {
        "issueDate",
        "dueDate",
        "date",
        "clearedOnDate",
        "postedOn",
        "customerRef.id",
        "supplierRef.id",
        "totalAmount",
        "amountDue",
        "amount",
        "status",
    }
)


def standard_name(data_type: str) -> str:
    return "std_" + snake(data_type)


def documents_name(data_type: str) -> str:
    return "doc_" + snake(data_type)


def typed_column_name(path: str) -> str:
    """The column of a property: `customerRef.id` becomes `p_customer_ref_id`; the prefix keeps ours apart."""
    return "p_" + snake(path.replace(".", "_"))


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


def _standard(shape: Shape) -> Table:
    """What lists are found by. Documents stand apart, so that looking through many rows reads little."""
    name = standard_name(shape.name)
    types: dict[ColumnKind, Any] = {
        ColumnKind.AMOUNT: Amount,
        ColumnKind.INTEGER: sa.BigInteger,
        ColumnKind.BOOLEAN: Boolean,
    }
    paths = [column.path for column in shape.columns if column.path in _INDEXED]
    required = {one.encode_name for one in msgspec.structs.fields(shape.struct) if one.required}
    prefix: tuple[str, ...] = ("company_id",)
    if shape.name == "bankTransactions":  # always read below their bank account
        prefix = ("company_id", "p_account_id")
    return Table(
        name,
        METADATA,
        Column("pk", _BIG, primary_key=True),
        *_of_company_and_connection(),
        Column("id", Words, nullable=False),
        _text("modified_date", required=True),
        _text("source_modified_date"),
        Column("is_deleted", Boolean, nullable=False),
        _text("source_resource", required=True),
        _text("source_id", required=True),
        _text("mapping_version", required=True),
        *(
            Column(typed_column_name(column.path), types.get(column.kind, Words))
            for column in shape.columns
            if column.path not in ("id", "sourceModifiedDate")
        ),
        sa.UniqueConstraint("company_id", "connection_id", "id"),
        Index(f"ix_{name}_company", "company_id", "pk"),
        Index(f"ix_{name}_modified", "company_id", "modified_date", "pk"),
        # Most records bear the id of what they were made from; the others are found by it here.
        Index(
            f"ix_{name}_source",
            "connection_id",
            "source_resource",
            "source_id",
            sqlite_where=sa.text("id <> source_id"),
            postgresql_where=sa.text("id <> source_id"),
        ),
        *(
            Index(f"ix_{name}_{snake(path.replace('.', '_'))}", *prefix, typed_column_name(path), "pk")
            for path in paths
        ),
        *(  # dates that lists are ordered by, and that some records lack
            _downwards(name, prefix, column.path)
            for column in shape.columns
            if column.kind is ColumnKind.DATE and column.path in _INDEXED and column.path not in required
        ),
    )


def _downwards(name: str, prefix: tuple[str, ...], path: str) -> Index:
    """Those without a value come last whichever way a list is ordered; read backwards, PostgreSQL's index has them
    first."""
    column = typed_column_name(path)
    ordered = sa.text(f"{column} DESC NULLS LAST"), sa.text("pk DESC")
    index = Index(f"ix_{name}_{column.removeprefix('p_')}_down", *prefix, *ordered, info={"only_on": "postgresql"})
    return index.ddl_if(dialect="postgresql")


def _documents(shape: Shape) -> Table:
    return Table(
        documents_name(shape.name),
        METADATA,
        Column(
            "pk", _BIG, sa.ForeignKey(f"{standard_name(shape.name)}.pk", ondelete="CASCADE"), primary_key=True,
            autoincrement=False,
        ),
        _text("tenant_id", required=True),
        Column("doc", LargeBinary, nullable=False),
        Column("supplemental", LargeBinary),
    )  # fmt: skip


STANDARD: Mapping[str, Table] = {name: _standard(shape) for name, shape in SHAPES.items()}
DOCUMENTS: Mapping[str, Table] = {name: _documents(shape) for name, shape in SHAPES.items()}
