"""All tables of the first release."""

import sqlalchemy as sa
from alembic import op

from comptoir.store import values

revision = "0001"
down_revision = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# The audit trail is only ever added to.
_SQLITE = "CREATE TRIGGER audit_no_{0} BEFORE {0} ON audit BEGIN SELECT RAISE(ABORT, 'the audit trail only grows'); END"
_REFUSE = "$$ BEGIN RAISE EXCEPTION 'the audit trail only grows'; END $$"
# To replace a row is to insert one, for SQLite: what goes for it is not deleted in the eyes of triggers.
_HELD = "SELECT 1 FROM audit WHERE pk = NEW.pk OR (tenant_id = NEW.tenant_id AND number = NEW.number)"
APPEND_ONLY = {
    "sqlite": (
        *(_SQLITE.format(what) for what in ("UPDATE", "DELETE")),
        _SQLITE.format("INSERT").replace(" BEGIN", f" WHEN EXISTS ({_HELD}) BEGIN"),
    ),
    "postgresql": (
        f"CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS {_REFUSE}",
        "CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
        "CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit EXECUTE FUNCTION audit_refuse()",
    ),
}


def upgrade() -> None:
    op.create_table(
        "meta",
        sa.Column("name", values.Words(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_meta")),
    )
    op.create_table(
        "sign_in_failures",
        sa.Column("key", values.Words(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("last", values.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_sign_in_failures")),
    )
    op.create_table(
        "tenants",
        sa.Column("id", values.Words(), nullable=False),
        sa.Column("name", values.Words(), nullable=False),
        sa.Column("created", values.Instant(), nullable=True),
        sa.Column("needs_second_factor", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tenants")),
        sa.UniqueConstraint("name", name=op.f("uq_tenants_name")),
    )
    op.create_table(
        "holds",
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("told", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_holds_tenant_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_holds")),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", values.Words(), nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("name", values.Words(), nullable=True),
        sa.Column("secret_hash", values.Words(), nullable=False),
        sa.Column("last4", values.Words(), nullable=False),
        sa.Column("created", values.Instant(), nullable=False),
        sa.Column("last_used", values.Instant(), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_api_keys_tenant_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_api_keys_secret_hash")),
    )
    op.create_table(
        "companies",
        sa.Column("id", values.Words(), nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("name", values.Words(), nullable=False),
        sa.Column("name_folded", values.Words(), nullable=False),
        sa.Column("description", values.Words(), nullable=True),
        sa.Column("description_folded", values.Words(), nullable=True),
        sa.Column("tags", sa.LargeBinary(), nullable=False),
        sa.Column("created", values.Instant(), nullable=False),
        sa.Column("created_by", values.Words(), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_companies_tenant_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_companies")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_companies_tenant_id_id")),
    )
    op.create_index("ix_companies_tenant", "companies", ["tenant_id", "created"], unique=False)
    op.create_table(
        "events",
        sa.Column("pk", BIG, nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("id", values.Words(), nullable=False),
        sa.Column("type", values.Words(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("at", values.Instant(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_events_tenant_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_events")),
    )
    op.create_table(
        "integration_settings",
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("key", values.Words(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("client_id", values.Words(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("secret_last4", values.Words(), nullable=False),
        sa.Column("secret_saved_at", values.Instant(), nullable=False),
        sa.Column("second_secret", sa.LargeBinary(), nullable=True),
        sa.Column("second_last4", values.Words(), nullable=True),
        sa.Column("second_saved_at", values.Instant(), nullable=True),
        sa.Column("alarm", values.Words(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_integration_settings_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "key", name=op.f("pk_integration_settings")),
    )
    op.create_table(
        "operators",
        sa.Column("id", values.Words(), nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("email", values.Words(), nullable=False),
        sa.Column("password_hash", values.Words(), nullable=True),
        sa.Column("role", values.Words(), nullable=False),
        sa.Column("language", values.Words(), nullable=True),
        sa.Column("created", values.Instant(), nullable=False),
        sa.Column("disabled", values.Instant(), nullable=True),
        sa.Column("signed_in", values.Instant(), nullable=True),
        sa.Column("totp_secret", sa.LargeBinary(), nullable=True),
        sa.Column("totp_step", BIG, nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_operators_tenant_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operators")),
        sa.UniqueConstraint("email", name=op.f("uq_operators_email")),
    )
    op.create_table(
        "profiles",
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_profiles_tenant_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_profiles")),
    )
    op.create_table(
        "sync_settings",
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("company_id", values.Words(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_sync_settings_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "company_id", name=op.f("pk_sync_settings")),
    )
    op.create_table(
        "connections",
        sa.Column("id", values.Words(), nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("company_id", values.Words(), nullable=False),
        sa.Column("integration_key", values.Words(), nullable=False),
        sa.Column("status", values.Words(), nullable=False),
        sa.Column("created", values.Instant(), nullable=False),
        sa.Column("linked_at", values.Instant(), nullable=True),
        sa.Column("last_sync", values.Instant(), nullable=True),
        sa.Column("source_company_id", values.Words(), nullable=True),
        sa.Column("source_company_name", values.Words(), nullable=True),
        sa.Column("access_level", sa.Integer(), nullable=True),
        sa.Column("access_name", values.Words(), nullable=True),
        sa.Column("errors", sa.LargeBinary(), nullable=False),
        sa.Column("is_read_only", sa.Boolean(), nullable=False),
        sa.Column("allowed_types", sa.LargeBinary(), nullable=True),
        sa.Column("mark", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "status IN ('PendingAuth', 'Linked', 'Unlinked', 'Deauthorized')", name=op.f("ck_connections_status")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "company_id"],
            ["companies.tenant_id", "companies.id"],
            name=op.f("fk_connections_tenant_id_company_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connections")),
        sa.UniqueConstraint("tenant_id", "company_id", "id", name=op.f("uq_connections_tenant_id_company_id_id")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_connections_tenant_id_id")),
    )
    op.create_table(
        "sessions",
        sa.Column("token_hash", values.Words(), nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("operator_id", values.Words(), nullable=False),
        sa.Column("csrf", values.Words(), nullable=False),
        sa.Column("created", values.Instant(), nullable=False),
        sa.Column("last_seen", values.Instant(), nullable=False),
        sa.Column("awaits_code", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["operator_id"], ["operators.id"], name=op.f("fk_sessions_operator_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_sessions_tenant_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_sessions")),
    )
    op.create_table(
        "sync_changes",
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("connection_id", values.Words(), nullable=False),
        sa.Column("sync_id", values.Words(), nullable=False),
        sa.Column("layer", values.Words(), nullable=False),
        sa.Column("name", values.Words(), nullable=False),
        sa.Column("id", values.Words(), nullable=False),
        sa.Column("change", values.Words(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "connection_id"],
            ["connections.tenant_id", "connections.id"],
            name=op.f("fk_sync_changes_tenant_id_connection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("connection_id", "sync_id", "layer", "name", "id", name=op.f("pk_sync_changes")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "datasets",
        sa.Column("id", values.Words(), nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("company_id", values.Words(), nullable=False),
        sa.Column("connection_id", values.Words(), nullable=False),
        sa.Column("data_type", values.Words(), nullable=False),
        sa.Column("status", values.Words(), nullable=False),
        sa.Column("status_description", values.Words(), nullable=True),
        sa.Column("error_message", values.Words(), nullable=True),
        sa.Column("requested", values.Instant(), nullable=False),
        sa.Column("started", values.Instant(), nullable=True),
        sa.Column("completed", values.Instant(), nullable=True),
        sa.Column("progress", sa.Integer(), nullable=False),
        sa.Column("records_read", sa.Integer(), nullable=False),
        sa.Column("records_new", sa.Integer(), nullable=False),
        sa.Column("records_changed", sa.Integer(), nullable=False),
        sa.Column("records_deleted", sa.Integer(), nullable=False),
        sa.Column("records_set_aside", sa.Integer(), nullable=False),
        sa.Column("warnings", sa.LargeBinary(), nullable=False),
        sa.Column("sync_id", values.Words(), nullable=True),
        sa.Column("retry_at", values.Instant(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("is_whole", sa.Boolean(), nullable=False),
        sa.Column("is_ended", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "company_id", "connection_id"],
            ["connections.tenant_id", "connections.company_id", "connections.id"],
            name=op.f("fk_datasets_tenant_id_company_id_connection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_datasets")),
    )
    op.create_index("ix_datasets_company", "datasets", ["tenant_id", "company_id", "requested"], unique=False)
    op.create_index(
        "ix_datasets_connection", "datasets", ["tenant_id", "connection_id", "data_type", "requested"], unique=False
    )
    op.create_index("ix_datasets_sync", "datasets", ["sync_id"], unique=False)
    op.create_index(
        "ux_datasets_active",
        "datasets",
        ["tenant_id", "connection_id", "data_type"],
        unique=True,
        sqlite_where=sa.text("NOT is_ended"),
        postgresql_where=sa.text("NOT is_ended"),
    )
    op.create_table(
        "grants",
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("connection_id", values.Words(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("access_token", sa.LargeBinary(), nullable=False),
        sa.Column("refresh_token", sa.LargeBinary(), nullable=False),
        sa.Column("previous_refresh_token", sa.LargeBinary(), nullable=True),
        sa.Column("raw_answer", sa.LargeBinary(), nullable=True),
        sa.Column("refreshing", sa.Boolean(), nullable=False),
        sa.Column("expires_at", values.Instant(), nullable=False),
        sa.Column("obtained_at", values.Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "connection_id"],
            ["connections.tenant_id", "connections.id"],
            name=op.f("fk_grants_tenant_id_connection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("connection_id", name=op.f("pk_grants")),
    )
    op.create_table(
        "link_states",
        sa.Column("state_hash", values.Words(), nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("company_id", values.Words(), nullable=False),
        sa.Column("connection_id", values.Words(), nullable=False),
        sa.Column("browser_hash", values.Words(), nullable=False),
        sa.Column("parameters", sa.LargeBinary(), nullable=False),
        sa.Column("created", values.Instant(), nullable=False),
        sa.Column("expires", values.Instant(), nullable=False),
        sa.Column("used_at", values.Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "company_id", "connection_id"],
            ["connections.tenant_id", "connections.company_id", "connections.id"],
            name=op.f("fk_link_states_tenant_id_company_id_connection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("state_hash", name=op.f("pk_link_states")),
    )
    op.create_index("ix_link_states_connection", "link_states", ["tenant_id", "connection_id"], unique=False)
    op.create_table(
        "pages",
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("connection_id", values.Words(), nullable=False),
        sa.Column("sync_id", values.Words(), nullable=False),
        sa.Column("resource", values.Words(), nullable=False),
        sa.Column("pass_number", sa.Integer(), nullable=False),
        sa.Column("window", values.Words(), nullable=False),
        sa.Column("page", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=True),
        sa.Column("ids", sa.LargeBinary(), nullable=False),
        sa.Column("fetched_at", values.Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "connection_id"],
            ["connections.tenant_id", "connections.id"],
            name=op.f("fk_pages_tenant_id_connection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("sync_id", "resource", "pass_number", "window", "page", name=op.f("pk_pages")),
    )
    op.create_table(
        "cursors",
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("connection_id", values.Words(), nullable=False),
        sa.Column("resource", values.Words(), nullable=False),
        sa.Column("window_name", values.Words(), nullable=False),
        sa.Column("seen", values.Instant(), nullable=True),
        sa.Column("whole_at", values.Instant(), nullable=False),
        sa.Column("unread", sa.Integer(), nullable=False),
        sa.Column("ignored_at", values.Instant(), nullable=True),
        sa.Column("basis", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "connection_id"],
            ["connections.tenant_id", "connections.id"],
            name=op.f("fk_cursors_tenant_id_connection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("connection_id", "resource", "window_name", name=op.f("pk_cursors")),
    )
    op.create_table(
        "raw",
        sa.Column("pk", BIG, nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("connection_id", values.Words(), nullable=False),
        sa.Column("resource", values.Words(), nullable=False),
        sa.Column("id", values.Words(), nullable=False),
        sa.Column("part", values.Words(), nullable=False),
        sa.Column("window_name", values.Words(), nullable=False),
        sa.Column("sort_key", values.Words(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("updated_at", values.Words(), nullable=True),
        sa.Column("first_seen", values.Instant(), nullable=False),
        sa.Column("changed_at", values.Instant(), nullable=False),
        sa.Column("deleted_at", values.Instant(), nullable=True),
        sa.Column("last_seen", values.Instant(), nullable=True),
        sa.Column("links", sa.LargeBinary(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "connection_id"],
            ["connections.tenant_id", "connections.id"],
            name=op.f("fk_raw_tenant_id_connection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_raw")),
        sa.UniqueConstraint("connection_id", "resource", "id", name=op.f("uq_raw_connection_id_resource_id")),
    )
    op.create_index(
        "ix_raw_sort_key",
        "raw",
        ["connection_id", "resource", "sort_key", "id"],
        unique=False,
        sqlite_where=sa.text("sort_key <> ''"),
        postgresql_where=sa.text("sort_key <> ''"),
    )
    op.create_index(
        "ix_raw_gone",
        "raw",
        ["connection_id", "resource", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NOT NULL"),
        postgresql_where=sa.text("deleted_at IS NOT NULL"),
    )
    op.create_index(
        "ix_raw_live",
        "raw",
        ["connection_id", "resource", "window_name", "updated_at", "tenant_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "rereads",
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("connection_id", values.Words(), nullable=False),
        sa.Column("resource", values.Words(), nullable=False),
        sa.Column("id", values.Words(), nullable=False),
        sa.Column("sync_id", values.Words(), nullable=False),
        sa.Column("at", values.Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "connection_id"],
            ["connections.tenant_id", "connections.id"],
            name=op.f("fk_rereads_tenant_id_connection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("connection_id", "resource", "id", name=op.f("pk_rereads")),
    )
    op.create_table(
        "raw_aside",
        sa.Column("pk", BIG, nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("connection_id", values.Words(), nullable=False),
        sa.Column("sync_id", values.Words(), nullable=False),
        sa.Column("resource", values.Words(), nullable=False),
        sa.Column("reason", values.Words(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("at", values.Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "connection_id"],
            ["connections.tenant_id", "connections.id"],
            name=op.f("fk_raw_aside_tenant_id_connection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_raw_aside")),
    )
    op.create_index("ix_raw_aside_connection", "raw_aside", ["tenant_id", "connection_id", "resource"], unique=False)
    op.create_table(
        "sync_calls",
        sa.Column("pk", BIG, nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("connection_id", values.Words(), nullable=False),
        sa.Column("sync_id", values.Words(), nullable=False),
        sa.Column("at", values.Instant(), nullable=False),
        sa.Column("calls", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "connection_id"],
            ["connections.tenant_id", "connections.id"],
            name=op.f("fk_sync_calls_tenant_id_connection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_sync_calls")),
    )
    op.create_index("ix_sync_calls_sync", "sync_calls", ["connection_id", "sync_id"], unique=False)
    op.create_index("ix_sync_calls_at", "sync_calls", ["at"], unique=False)
    op.create_table(
        "mappings",
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("connection_id", values.Words(), nullable=False),
        sa.Column("data_type", values.Words(), nullable=False),
        sa.Column("mark", sa.BigInteger(), nullable=False),
        sa.Column("basis", values.Words(), nullable=False),
        sa.Column("version", values.Words(), nullable=False),
        sa.Column("history_from", values.Instant(), nullable=True),
        sa.Column("mapped_at", values.Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "connection_id"],
            ["connections.tenant_id", "connections.id"],
            name=op.f("fk_mappings_tenant_id_connection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("connection_id", "data_type", name=op.f("pk_mappings")),
    )
    op.create_table(
        "mapping_doubts",
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("connection_id", values.Words(), nullable=False),
        sa.Column("data_type", values.Words(), nullable=False),
        sa.Column("resource", values.Words(), nullable=False),
        sa.Column("id", values.Words(), nullable=False),
        sa.Column("is_aside", sa.Boolean(), nullable=False),
        sa.Column("told", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "connection_id"],
            ["connections.tenant_id", "connections.id"],
            name=op.f("fk_mapping_doubts_tenant_id_connection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("connection_id", "data_type", "resource", "id", name=op.f("pk_mapping_doubts")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "raw_changes",
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("connection_id", values.Words(), nullable=False),
        sa.Column("resource", values.Words(), nullable=False),
        sa.Column("mark", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", values.Words(), nullable=False),
        sa.Column("links", sa.LargeBinary(), nullable=True),
        sa.Column("sort_key", values.Words(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "connection_id"],
            ["connections.tenant_id", "connections.id"],
            name=op.f("fk_raw_changes_tenant_id_connection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("connection_id", "resource", "mark", "id", name=op.f("pk_raw_changes")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "raw_links",
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("connection_id", values.Words(), nullable=False),
        sa.Column("resource", values.Words(), nullable=False),
        sa.Column("link", values.Words(), nullable=False),
        sa.Column("target", values.Words(), nullable=False),
        sa.Column("id", values.Words(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "connection_id"],
            ["connections.tenant_id", "connections.id"],
            name=op.f("fk_raw_links_tenant_id_connection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("connection_id", "resource", "link", "target", "id", name=op.f("pk_raw_links")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "raw_versions",
        sa.Column("pk", BIG, nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("connection_id", values.Words(), nullable=False),
        sa.Column("resource", values.Words(), nullable=False),
        sa.Column("id", values.Words(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("from_", values.Instant(), nullable=False),
        sa.Column("until", values.Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "connection_id"],
            ["connections.tenant_id", "connections.id"],
            name=op.f("fk_raw_versions_tenant_id_connection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_raw_versions")),
    )
    op.create_index("ix_raw_versions_record", "raw_versions", ["connection_id", "resource", "id"], unique=False)
    op.create_index("ix_raw_versions_until", "raw_versions", ["connection_id", "resource", "until"], unique=False)
    op.create_table(
        "record_versions",
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("company_id", values.Words(), nullable=False),
        sa.Column("connection_id", values.Words(), nullable=False),
        sa.Column("data_type", values.Words(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("readable_since", values.Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "company_id", "connection_id"],
            ["connections.tenant_id", "connections.company_id", "connections.id"],
            name=op.f("fk_record_versions_tenant_id_company_id_connection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("connection_id", "data_type", name=op.f("pk_record_versions")),
    )
    op.create_index("ix_record_versions_company", "record_versions", ["company_id", "data_type"], unique=False)
    op.create_table(
        "resource_reads",
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("connection_id", values.Words(), nullable=False),
        sa.Column("resource", values.Words(), nullable=False),
        sa.Column("sync_id", values.Words(), nullable=False),
        sa.Column("outcome", values.Words(), nullable=False),
        sa.Column("message", values.Words(), nullable=True),
        sa.Column("level_needed", sa.Integer(), nullable=True),
        sa.Column("set_aside", sa.Integer(), nullable=False),
        sa.Column("deleted", sa.Integer(), nullable=False),
        sa.Column("read_at", values.Instant(), nullable=False),
        sa.Column("seen_at", values.Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "connection_id"],
            ["connections.tenant_id", "connections.id"],
            name=op.f("fk_resource_reads_tenant_id_connection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("connection_id", "resource", name=op.f("pk_resource_reads")),
    )
    op.create_table(
        "std_bank_accounts",
        sa.Column("pk", BIG, nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("company_id", values.Words(), nullable=False),
        sa.Column("connection_id", values.Words(), nullable=False),
        sa.Column("id", values.Words(), nullable=False),
        sa.Column("modified_date", values.Words(), nullable=False),
        sa.Column("source_modified_date", values.Words(), nullable=True),
        sa.Column("is_deleted", sa.Boolean(), nullable=False),
        sa.Column("source_resource", values.Words(), nullable=False),
        sa.Column("source_id", values.Words(), nullable=False),
        sa.Column("mapping_version", values.Words(), nullable=False),
        sa.Column("p_account_name", values.Words(), nullable=True),
        sa.Column("p_account_type", values.Words(), nullable=True),
        sa.Column("p_nominal_code", values.Words(), nullable=True),
        sa.Column("p_sort_code", values.Words(), nullable=True),
        sa.Column("p_account_number", values.Words(), nullable=True),
        sa.Column("p_i_ban", values.Words(), nullable=True),
        sa.Column("p_currency", values.Words(), nullable=True),
        sa.Column("p_balance", values.Amount(), nullable=True),
        sa.Column("p_institution", values.Words(), nullable=True),
        sa.Column("p_available_balance", values.Amount(), nullable=True),
        sa.Column("p_overdraft_limit", values.Amount(), nullable=True),
        sa.Column("p_status", values.Words(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "company_id", "connection_id"],
            ["connections.tenant_id", "connections.company_id", "connections.id"],
            name=op.f("fk_std_bank_accounts_tenant_id_company_id_connection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_std_bank_accounts")),
        sa.UniqueConstraint(
            "company_id", "connection_id", "id", name=op.f("uq_std_bank_accounts_company_id_connection_id_id")
        ),
    )
    op.create_index("ix_std_bank_accounts_company", "std_bank_accounts", ["company_id", "pk"], unique=False)
    op.create_index(
        "ix_std_bank_accounts_modified", "std_bank_accounts", ["company_id", "modified_date", "pk"], unique=False
    )
    op.create_index(
        "ix_std_bank_accounts_source",
        "std_bank_accounts",
        ["connection_id", "source_resource", "source_id"],
        unique=False,
        sqlite_where=sa.text("id <> source_id"),
        postgresql_where=sa.text("id <> source_id"),
    )
    op.create_index("ix_std_bank_accounts_status", "std_bank_accounts", ["company_id", "p_status", "pk"], unique=False)
    op.create_table(
        "std_bank_transactions",
        sa.Column("pk", BIG, nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("company_id", values.Words(), nullable=False),
        sa.Column("connection_id", values.Words(), nullable=False),
        sa.Column("id", values.Words(), nullable=False),
        sa.Column("modified_date", values.Words(), nullable=False),
        sa.Column("source_modified_date", values.Words(), nullable=True),
        sa.Column("is_deleted", sa.Boolean(), nullable=False),
        sa.Column("source_resource", values.Words(), nullable=False),
        sa.Column("source_id", values.Words(), nullable=False),
        sa.Column("mapping_version", values.Words(), nullable=False),
        sa.Column("p_account_id", values.Words(), nullable=True),
        sa.Column("p_cleared_on_date", values.Words(), nullable=True),
        sa.Column("p_description", values.Words(), nullable=True),
        sa.Column("p_counterparty", values.Words(), nullable=True),
        sa.Column("p_reference", values.Words(), nullable=True),
        sa.Column("p_reconciled", sa.Boolean(), nullable=True),
        sa.Column("p_amount", values.Amount(), nullable=True),
        sa.Column("p_balance", values.Amount(), nullable=True),
        sa.Column("p_transaction_type", values.Words(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "company_id", "connection_id"],
            ["connections.tenant_id", "connections.company_id", "connections.id"],
            name=op.f("fk_std_bank_transactions_tenant_id_company_id_connection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_std_bank_transactions")),
        sa.UniqueConstraint(
            "company_id", "connection_id", "id", name=op.f("uq_std_bank_transactions_company_id_connection_id_id")
        ),
    )
    op.create_index(
        "ix_std_bank_transactions_amount",
        "std_bank_transactions",
        ["company_id", "p_account_id", "p_amount", "pk"],
        unique=False,
    )
    op.create_index(
        "ix_std_bank_transactions_cleared_on_date",
        "std_bank_transactions",
        ["company_id", "p_account_id", "p_cleared_on_date", "pk"],
        unique=False,
    )
    op.create_index("ix_std_bank_transactions_company", "std_bank_transactions", ["company_id", "pk"], unique=False)
    op.create_index(
        "ix_std_bank_transactions_modified",
        "std_bank_transactions",
        ["company_id", "modified_date", "pk"],
        unique=False,
    )
    op.create_index(
        "ix_std_bank_transactions_source",
        "std_bank_transactions",
        ["connection_id", "source_resource", "source_id"],
        unique=False,
        sqlite_where=sa.text("id <> source_id"),
        postgresql_where=sa.text("id <> source_id"),
    )
    op.create_table(
        "std_bill_credit_notes",
        sa.Column("pk", BIG, nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("company_id", values.Words(), nullable=False),
        sa.Column("connection_id", values.Words(), nullable=False),
        sa.Column("id", values.Words(), nullable=False),
        sa.Column("modified_date", values.Words(), nullable=False),
        sa.Column("source_modified_date", values.Words(), nullable=True),
        sa.Column("is_deleted", sa.Boolean(), nullable=False),
        sa.Column("source_resource", values.Words(), nullable=False),
        sa.Column("source_id", values.Words(), nullable=False),
        sa.Column("mapping_version", values.Words(), nullable=False),
        sa.Column("p_bill_credit_note_number", values.Words(), nullable=True),
        sa.Column("p_supplier_ref_id", values.Words(), nullable=True),
        sa.Column("p_supplier_ref_supplier_name", values.Words(), nullable=True),
        sa.Column("p_total_amount", values.Amount(), nullable=True),
        sa.Column("p_total_discount", values.Amount(), nullable=True),
        sa.Column("p_sub_total", values.Amount(), nullable=True),
        sa.Column("p_total_tax_amount", values.Amount(), nullable=True),
        sa.Column("p_discount_percentage", values.Amount(), nullable=True),
        sa.Column("p_remaining_credit", values.Amount(), nullable=True),
        sa.Column("p_status", values.Words(), nullable=True),
        sa.Column("p_issue_date", values.Words(), nullable=True),
        sa.Column("p_allocated_on_date", values.Words(), nullable=True),
        sa.Column("p_currency", values.Words(), nullable=True),
        sa.Column("p_currency_rate", values.Amount(), nullable=True),
        sa.Column("p_note", values.Words(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "company_id", "connection_id"],
            ["connections.tenant_id", "connections.company_id", "connections.id"],
            name=op.f("fk_std_bill_credit_notes_tenant_id_company_id_connection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_std_bill_credit_notes")),
        sa.UniqueConstraint(
            "company_id", "connection_id", "id", name=op.f("uq_std_bill_credit_notes_company_id_connection_id_id")
        ),
    )
    op.create_index("ix_std_bill_credit_notes_company", "std_bill_credit_notes", ["company_id", "pk"], unique=False)
    op.create_index(
        "ix_std_bill_credit_notes_issue_date",
        "std_bill_credit_notes",
        ["company_id", "p_issue_date", "pk"],
        unique=False,
    )
    op.create_index(
        "ix_std_bill_credit_notes_modified",
        "std_bill_credit_notes",
        ["company_id", "modified_date", "pk"],
        unique=False,
    )
    op.create_index(
        "ix_std_bill_credit_notes_source",
        "std_bill_credit_notes",
        ["connection_id", "source_resource", "source_id"],
        unique=False,
        sqlite_where=sa.text("id <> source_id"),
        postgresql_where=sa.text("id <> source_id"),
    )
    op.create_index(
        "ix_std_bill_credit_notes_status", "std_bill_credit_notes", ["company_id", "p_status", "pk"], unique=False
    )
    op.create_index(
        "ix_std_bill_credit_notes_supplier_ref_id",
        "std_bill_credit_notes",
        ["company_id", "p_supplier_ref_id", "pk"],
        unique=False,
    )
    op.create_index(
        "ix_std_bill_credit_notes_total_amount",
        "std_bill_credit_notes",
        ["company_id", "p_total_amount", "pk"],
        unique=False,
    )
    op.create_table(
        "std_bill_payments",
        sa.Column("pk", BIG, nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("company_id", values.Words(), nullable=False),
        sa.Column("connection_id", values.Words(), nullable=False),
        sa.Column("id", values.Words(), nullable=False),
        sa.Column("modified_date", values.Words(), nullable=False),
        sa.Column("source_modified_date", values.Words(), nullable=True),
        sa.Column("is_deleted", sa.Boolean(), nullable=False),
        sa.Column("source_resource", values.Words(), nullable=False),
        sa.Column("source_id", values.Words(), nullable=False),
        sa.Column("mapping_version", values.Words(), nullable=False),
        sa.Column("p_supplier_ref_id", values.Words(), nullable=True),
        sa.Column("p_supplier_ref_supplier_name", values.Words(), nullable=True),
        sa.Column("p_account_ref_id", values.Words(), nullable=True),
        sa.Column("p_account_ref_name", values.Words(), nullable=True),
        sa.Column("p_total_amount", values.Amount(), nullable=True),
        sa.Column("p_currency", values.Words(), nullable=True),
        sa.Column("p_currency_rate", values.Amount(), nullable=True),
        sa.Column("p_date", values.Words(), nullable=True),
        sa.Column("p_note", values.Words(), nullable=True),
        sa.Column("p_reference", values.Words(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "company_id", "connection_id"],
            ["connections.tenant_id", "connections.company_id", "connections.id"],
            name=op.f("fk_std_bill_payments_tenant_id_company_id_connection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_std_bill_payments")),
        sa.UniqueConstraint(
            "company_id", "connection_id", "id", name=op.f("uq_std_bill_payments_company_id_connection_id_id")
        ),
    )
    op.create_index("ix_std_bill_payments_company", "std_bill_payments", ["company_id", "pk"], unique=False)
    op.create_index("ix_std_bill_payments_date", "std_bill_payments", ["company_id", "p_date", "pk"], unique=False)
    op.create_index(
        "ix_std_bill_payments_modified", "std_bill_payments", ["company_id", "modified_date", "pk"], unique=False
    )
    op.create_index(
        "ix_std_bill_payments_source",
        "std_bill_payments",
        ["connection_id", "source_resource", "source_id"],
        unique=False,
        sqlite_where=sa.text("id <> source_id"),
        postgresql_where=sa.text("id <> source_id"),
    )
    op.create_index(
        "ix_std_bill_payments_supplier_ref_id",
        "std_bill_payments",
        ["company_id", "p_supplier_ref_id", "pk"],
        unique=False,
    )
    op.create_index(
        "ix_std_bill_payments_total_amount", "std_bill_payments", ["company_id", "p_total_amount", "pk"], unique=False
    )
    op.create_table(
        "std_bills",
        sa.Column("pk", BIG, nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("company_id", values.Words(), nullable=False),
        sa.Column("connection_id", values.Words(), nullable=False),
        sa.Column("id", values.Words(), nullable=False),
        sa.Column("modified_date", values.Words(), nullable=False),
        sa.Column("source_modified_date", values.Words(), nullable=True),
        sa.Column("is_deleted", sa.Boolean(), nullable=False),
        sa.Column("source_resource", values.Words(), nullable=False),
        sa.Column("source_id", values.Words(), nullable=False),
        sa.Column("mapping_version", values.Words(), nullable=False),
        sa.Column("p_reference", values.Words(), nullable=True),
        sa.Column("p_supplier_ref_id", values.Words(), nullable=True),
        sa.Column("p_supplier_ref_supplier_name", values.Words(), nullable=True),
        sa.Column("p_issue_date", values.Words(), nullable=True),
        sa.Column("p_due_date", values.Words(), nullable=True),
        sa.Column("p_currency", values.Words(), nullable=True),
        sa.Column("p_currency_rate", values.Amount(), nullable=True),
        sa.Column("p_status", values.Words(), nullable=True),
        sa.Column("p_sub_total", values.Amount(), nullable=True),
        sa.Column("p_tax_amount", values.Amount(), nullable=True),
        sa.Column("p_total_amount", values.Amount(), nullable=True),
        sa.Column("p_amount_due", values.Amount(), nullable=True),
        sa.Column("p_note", values.Words(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "company_id", "connection_id"],
            ["connections.tenant_id", "connections.company_id", "connections.id"],
            name=op.f("fk_std_bills_tenant_id_company_id_connection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_std_bills")),
        sa.UniqueConstraint("company_id", "connection_id", "id", name=op.f("uq_std_bills_company_id_connection_id_id")),
    )
    op.create_index("ix_std_bills_amount_due", "std_bills", ["company_id", "p_amount_due", "pk"], unique=False)
    op.create_index("ix_std_bills_company", "std_bills", ["company_id", "pk"], unique=False)
    op.create_index("ix_std_bills_due_date", "std_bills", ["company_id", "p_due_date", "pk"], unique=False)
    op.create_index("ix_std_bills_issue_date", "std_bills", ["company_id", "p_issue_date", "pk"], unique=False)
    op.create_index("ix_std_bills_modified", "std_bills", ["company_id", "modified_date", "pk"], unique=False)
    op.create_index(
        "ix_std_bills_source",
        "std_bills",
        ["connection_id", "source_resource", "source_id"],
        unique=False,
        sqlite_where=sa.text("id <> source_id"),
        postgresql_where=sa.text("id <> source_id"),
    )
    op.create_index("ix_std_bills_status", "std_bills", ["company_id", "p_status", "pk"], unique=False)
    op.create_index(
        "ix_std_bills_supplier_ref_id", "std_bills", ["company_id", "p_supplier_ref_id", "pk"], unique=False
    )
    op.create_index("ix_std_bills_total_amount", "std_bills", ["company_id", "p_total_amount", "pk"], unique=False)
    op.create_table(
        "std_chart_of_accounts",
        sa.Column("pk", BIG, nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("company_id", values.Words(), nullable=False),
        sa.Column("connection_id", values.Words(), nullable=False),
        sa.Column("id", values.Words(), nullable=False),
        sa.Column("modified_date", values.Words(), nullable=False),
        sa.Column("source_modified_date", values.Words(), nullable=True),
        sa.Column("is_deleted", sa.Boolean(), nullable=False),
        sa.Column("source_resource", values.Words(), nullable=False),
        sa.Column("source_id", values.Words(), nullable=False),
        sa.Column("mapping_version", values.Words(), nullable=False),
        sa.Column("p_nominal_code", values.Words(), nullable=True),
        sa.Column("p_name", values.Words(), nullable=True),
        sa.Column("p_description", values.Words(), nullable=True),
        sa.Column("p_fully_qualified_category", values.Words(), nullable=True),
        sa.Column("p_fully_qualified_name", values.Words(), nullable=True),
        sa.Column("p_currency", values.Words(), nullable=True),
        sa.Column("p_current_balance", values.Amount(), nullable=True),
        sa.Column("p_type", values.Words(), nullable=True),
        sa.Column("p_status", values.Words(), nullable=True),
        sa.Column("p_is_bank_account", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "company_id", "connection_id"],
            ["connections.tenant_id", "connections.company_id", "connections.id"],
            name=op.f("fk_std_chart_of_accounts_tenant_id_company_id_connection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_std_chart_of_accounts")),
        sa.UniqueConstraint(
            "company_id", "connection_id", "id", name=op.f("uq_std_chart_of_accounts_company_id_connection_id_id")
        ),
    )
    op.create_index("ix_std_chart_of_accounts_company", "std_chart_of_accounts", ["company_id", "pk"], unique=False)
    op.create_index(
        "ix_std_chart_of_accounts_modified",
        "std_chart_of_accounts",
        ["company_id", "modified_date", "pk"],
        unique=False,
    )
    op.create_index(
        "ix_std_chart_of_accounts_source",
        "std_chart_of_accounts",
        ["connection_id", "source_resource", "source_id"],
        unique=False,
        sqlite_where=sa.text("id <> source_id"),
        postgresql_where=sa.text("id <> source_id"),
    )
    op.create_index(
        "ix_std_chart_of_accounts_status", "std_chart_of_accounts", ["company_id", "p_status", "pk"], unique=False
    )
    op.create_table(
        "std_company",
        sa.Column("pk", BIG, nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("company_id", values.Words(), nullable=False),
        sa.Column("connection_id", values.Words(), nullable=False),
        sa.Column("id", values.Words(), nullable=False),
        sa.Column("modified_date", values.Words(), nullable=False),
        sa.Column("source_modified_date", values.Words(), nullable=True),
        sa.Column("is_deleted", sa.Boolean(), nullable=False),
        sa.Column("source_resource", values.Words(), nullable=False),
        sa.Column("source_id", values.Words(), nullable=False),
        sa.Column("mapping_version", values.Words(), nullable=False),
        sa.Column("p_company_name", values.Words(), nullable=True),
        sa.Column("p_accounting_platform_ref", values.Words(), nullable=True),
        sa.Column("p_company_legal_name", values.Words(), nullable=True),
        sa.Column("p_ledger_lock_date", values.Words(), nullable=True),
        sa.Column("p_registration_number", values.Words(), nullable=True),
        sa.Column("p_tax_number", values.Words(), nullable=True),
        sa.Column("p_financial_year_start_date", values.Words(), nullable=True),
        sa.Column("p_base_currency", values.Words(), nullable=True),
        sa.Column("p_source_urls_url", values.Words(), nullable=True),
        sa.Column("p_created_date", values.Words(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "company_id", "connection_id"],
            ["connections.tenant_id", "connections.company_id", "connections.id"],
            name=op.f("fk_std_company_tenant_id_company_id_connection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_std_company")),
        sa.UniqueConstraint(
            "company_id", "connection_id", "id", name=op.f("uq_std_company_company_id_connection_id_id")
        ),
    )
    op.create_index("ix_std_company_company", "std_company", ["company_id", "pk"], unique=False)
    op.create_index("ix_std_company_modified", "std_company", ["company_id", "modified_date", "pk"], unique=False)
    op.create_index(
        "ix_std_company_source",
        "std_company",
        ["connection_id", "source_resource", "source_id"],
        unique=False,
        sqlite_where=sa.text("id <> source_id"),
        postgresql_where=sa.text("id <> source_id"),
    )
    op.create_table(
        "std_credit_notes",
        sa.Column("pk", BIG, nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("company_id", values.Words(), nullable=False),
        sa.Column("connection_id", values.Words(), nullable=False),
        sa.Column("id", values.Words(), nullable=False),
        sa.Column("modified_date", values.Words(), nullable=False),
        sa.Column("source_modified_date", values.Words(), nullable=True),
        sa.Column("is_deleted", sa.Boolean(), nullable=False),
        sa.Column("source_resource", values.Words(), nullable=False),
        sa.Column("source_id", values.Words(), nullable=False),
        sa.Column("mapping_version", values.Words(), nullable=False),
        sa.Column("p_credit_note_number", values.Words(), nullable=True),
        sa.Column("p_customer_ref_id", values.Words(), nullable=True),
        sa.Column("p_customer_ref_company_name", values.Words(), nullable=True),
        sa.Column("p_total_amount", values.Amount(), nullable=True),
        sa.Column("p_total_discount", values.Amount(), nullable=True),
        sa.Column("p_sub_total", values.Amount(), nullable=True),
        sa.Column("p_total_tax_amount", values.Amount(), nullable=True),
        sa.Column("p_discount_percentage", values.Amount(), nullable=True),
        sa.Column("p_remaining_credit", values.Amount(), nullable=True),
        sa.Column("p_status", values.Words(), nullable=True),
        sa.Column("p_issue_date", values.Words(), nullable=True),
        sa.Column("p_allocated_on_date", values.Words(), nullable=True),
        sa.Column("p_currency", values.Words(), nullable=True),
        sa.Column("p_currency_rate", values.Amount(), nullable=True),
        sa.Column("p_note", values.Words(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "company_id", "connection_id"],
            ["connections.tenant_id", "connections.company_id", "connections.id"],
            name=op.f("fk_std_credit_notes_tenant_id_company_id_connection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_std_credit_notes")),
        sa.UniqueConstraint(
            "company_id", "connection_id", "id", name=op.f("uq_std_credit_notes_company_id_connection_id_id")
        ),
    )
    op.create_index("ix_std_credit_notes_company", "std_credit_notes", ["company_id", "pk"], unique=False)
    op.create_index(
        "ix_std_credit_notes_customer_ref_id",
        "std_credit_notes",
        ["company_id", "p_customer_ref_id", "pk"],
        unique=False,
    )
    op.create_index(
        "ix_std_credit_notes_issue_date", "std_credit_notes", ["company_id", "p_issue_date", "pk"], unique=False
    )
    op.create_index(
        "ix_std_credit_notes_modified", "std_credit_notes", ["company_id", "modified_date", "pk"], unique=False
    )
    op.create_index(
        "ix_std_credit_notes_source",
        "std_credit_notes",
        ["connection_id", "source_resource", "source_id"],
        unique=False,
        sqlite_where=sa.text("id <> source_id"),
        postgresql_where=sa.text("id <> source_id"),
    )
    op.create_index("ix_std_credit_notes_status", "std_credit_notes", ["company_id", "p_status", "pk"], unique=False)
    op.create_index(
        "ix_std_credit_notes_total_amount", "std_credit_notes", ["company_id", "p_total_amount", "pk"], unique=False
    )
    op.create_table(
        "std_customers",
        sa.Column("pk", BIG, nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("company_id", values.Words(), nullable=False),
        sa.Column("connection_id", values.Words(), nullable=False),
        sa.Column("id", values.Words(), nullable=False),
        sa.Column("modified_date", values.Words(), nullable=False),
        sa.Column("source_modified_date", values.Words(), nullable=True),
        sa.Column("is_deleted", sa.Boolean(), nullable=False),
        sa.Column("source_resource", values.Words(), nullable=False),
        sa.Column("source_id", values.Words(), nullable=False),
        sa.Column("mapping_version", values.Words(), nullable=False),
        sa.Column("p_customer_name", values.Words(), nullable=True),
        sa.Column("p_contact_name", values.Words(), nullable=True),
        sa.Column("p_email_address", values.Words(), nullable=True),
        sa.Column("p_phone", values.Words(), nullable=True),
        sa.Column("p_default_currency", values.Words(), nullable=True),
        sa.Column("p_registration_number", values.Words(), nullable=True),
        sa.Column("p_tax_number", values.Words(), nullable=True),
        sa.Column("p_status", values.Words(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "company_id", "connection_id"],
            ["connections.tenant_id", "connections.company_id", "connections.id"],
            name=op.f("fk_std_customers_tenant_id_company_id_connection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_std_customers")),
        sa.UniqueConstraint(
            "company_id", "connection_id", "id", name=op.f("uq_std_customers_company_id_connection_id_id")
        ),
    )
    op.create_index("ix_std_customers_company", "std_customers", ["company_id", "pk"], unique=False)
    op.create_index("ix_std_customers_modified", "std_customers", ["company_id", "modified_date", "pk"], unique=False)
    op.create_index(
        "ix_std_customers_source",
        "std_customers",
        ["connection_id", "source_resource", "source_id"],
        unique=False,
        sqlite_where=sa.text("id <> source_id"),
        postgresql_where=sa.text("id <> source_id"),
    )
    op.create_index("ix_std_customers_status", "std_customers", ["company_id", "p_status", "pk"], unique=False)
    op.create_table(
        "std_direct_costs",
        sa.Column("pk", BIG, nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("company_id", values.Words(), nullable=False),
        sa.Column("connection_id", values.Words(), nullable=False),
        sa.Column("id", values.Words(), nullable=False),
        sa.Column("modified_date", values.Words(), nullable=False),
        sa.Column("source_modified_date", values.Words(), nullable=True),
        sa.Column("is_deleted", sa.Boolean(), nullable=False),
        sa.Column("source_resource", values.Words(), nullable=False),
        sa.Column("source_id", values.Words(), nullable=False),
        sa.Column("mapping_version", values.Words(), nullable=False),
        sa.Column("p_reference", values.Words(), nullable=True),
        sa.Column("p_note", values.Words(), nullable=True),
        sa.Column("p_contact_ref_id", values.Words(), nullable=True),
        sa.Column("p_contact_ref_data_type", values.Words(), nullable=True),
        sa.Column("p_issue_date", values.Words(), nullable=True),
        sa.Column("p_currency", values.Words(), nullable=True),
        sa.Column("p_currency_rate", values.Amount(), nullable=True),
        sa.Column("p_sub_total", values.Amount(), nullable=True),
        sa.Column("p_tax_amount", values.Amount(), nullable=True),
        sa.Column("p_total_amount", values.Amount(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "company_id", "connection_id"],
            ["connections.tenant_id", "connections.company_id", "connections.id"],
            name=op.f("fk_std_direct_costs_tenant_id_company_id_connection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_std_direct_costs")),
        sa.UniqueConstraint(
            "company_id", "connection_id", "id", name=op.f("uq_std_direct_costs_company_id_connection_id_id")
        ),
    )
    op.create_index("ix_std_direct_costs_company", "std_direct_costs", ["company_id", "pk"], unique=False)
    op.create_index(
        "ix_std_direct_costs_issue_date", "std_direct_costs", ["company_id", "p_issue_date", "pk"], unique=False
    )
    op.create_index(
        "ix_std_direct_costs_modified", "std_direct_costs", ["company_id", "modified_date", "pk"], unique=False
    )
    op.create_index(
        "ix_std_direct_costs_source",
        "std_direct_costs",
        ["connection_id", "source_resource", "source_id"],
        unique=False,
        sqlite_where=sa.text("id <> source_id"),
        postgresql_where=sa.text("id <> source_id"),
    )
    op.create_index(
        "ix_std_direct_costs_total_amount", "std_direct_costs", ["company_id", "p_total_amount", "pk"], unique=False
    )
    op.create_table(
        "std_direct_incomes",
        sa.Column("pk", BIG, nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("company_id", values.Words(), nullable=False),
        sa.Column("connection_id", values.Words(), nullable=False),
        sa.Column("id", values.Words(), nullable=False),
        sa.Column("modified_date", values.Words(), nullable=False),
        sa.Column("source_modified_date", values.Words(), nullable=True),
        sa.Column("is_deleted", sa.Boolean(), nullable=False),
        sa.Column("source_resource", values.Words(), nullable=False),
        sa.Column("source_id", values.Words(), nullable=False),
        sa.Column("mapping_version", values.Words(), nullable=False),
        sa.Column("p_reference", values.Words(), nullable=True),
        sa.Column("p_note", values.Words(), nullable=True),
        sa.Column("p_contact_ref_id", values.Words(), nullable=True),
        sa.Column("p_contact_ref_data_type", values.Words(), nullable=True),
        sa.Column("p_issue_date", values.Words(), nullable=True),
        sa.Column("p_currency", values.Words(), nullable=True),
        sa.Column("p_currency_rate", values.Amount(), nullable=True),
        sa.Column("p_sub_total", values.Amount(), nullable=True),
        sa.Column("p_tax_amount", values.Amount(), nullable=True),
        sa.Column("p_total_amount", values.Amount(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "company_id", "connection_id"],
            ["connections.tenant_id", "connections.company_id", "connections.id"],
            name=op.f("fk_std_direct_incomes_tenant_id_company_id_connection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_std_direct_incomes")),
        sa.UniqueConstraint(
            "company_id", "connection_id", "id", name=op.f("uq_std_direct_incomes_company_id_connection_id_id")
        ),
    )
    op.create_index("ix_std_direct_incomes_company", "std_direct_incomes", ["company_id", "pk"], unique=False)
    op.create_index(
        "ix_std_direct_incomes_issue_date", "std_direct_incomes", ["company_id", "p_issue_date", "pk"], unique=False
    )
    op.create_index(
        "ix_std_direct_incomes_modified", "std_direct_incomes", ["company_id", "modified_date", "pk"], unique=False
    )
    op.create_index(
        "ix_std_direct_incomes_source",
        "std_direct_incomes",
        ["connection_id", "source_resource", "source_id"],
        unique=False,
        sqlite_where=sa.text("id <> source_id"),
        postgresql_where=sa.text("id <> source_id"),
    )
    op.create_index(
        "ix_std_direct_incomes_total_amount", "std_direct_incomes", ["company_id", "p_total_amount", "pk"], unique=False
    )
    op.create_table(
        "std_invoices",
        sa.Column("pk", BIG, nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("company_id", values.Words(), nullable=False),
        sa.Column("connection_id", values.Words(), nullable=False),
        sa.Column("id", values.Words(), nullable=False),
        sa.Column("modified_date", values.Words(), nullable=False),
        sa.Column("source_modified_date", values.Words(), nullable=True),
        sa.Column("is_deleted", sa.Boolean(), nullable=False),
        sa.Column("source_resource", values.Words(), nullable=False),
        sa.Column("source_id", values.Words(), nullable=False),
        sa.Column("mapping_version", values.Words(), nullable=False),
        sa.Column("p_invoice_number", values.Words(), nullable=True),
        sa.Column("p_customer_ref_id", values.Words(), nullable=True),
        sa.Column("p_customer_ref_company_name", values.Words(), nullable=True),
        sa.Column("p_issue_date", values.Words(), nullable=True),
        sa.Column("p_due_date", values.Words(), nullable=True),
        sa.Column("p_paid_on_date", values.Words(), nullable=True),
        sa.Column("p_currency", values.Words(), nullable=True),
        sa.Column("p_currency_rate", values.Amount(), nullable=True),
        sa.Column("p_total_discount", values.Amount(), nullable=True),
        sa.Column("p_sub_total", values.Amount(), nullable=True),
        sa.Column("p_total_tax_amount", values.Amount(), nullable=True),
        sa.Column("p_total_amount", values.Amount(), nullable=True),
        sa.Column("p_amount_due", values.Amount(), nullable=True),
        sa.Column("p_discount_percentage", values.Amount(), nullable=True),
        sa.Column("p_status", values.Words(), nullable=True),
        sa.Column("p_note", values.Words(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "company_id", "connection_id"],
            ["connections.tenant_id", "connections.company_id", "connections.id"],
            name=op.f("fk_std_invoices_tenant_id_company_id_connection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_std_invoices")),
        sa.UniqueConstraint(
            "company_id", "connection_id", "id", name=op.f("uq_std_invoices_company_id_connection_id_id")
        ),
    )
    op.create_index("ix_std_invoices_amount_due", "std_invoices", ["company_id", "p_amount_due", "pk"], unique=False)
    op.create_index("ix_std_invoices_company", "std_invoices", ["company_id", "pk"], unique=False)
    op.create_index(
        "ix_std_invoices_customer_ref_id", "std_invoices", ["company_id", "p_customer_ref_id", "pk"], unique=False
    )
    op.create_index("ix_std_invoices_due_date", "std_invoices", ["company_id", "p_due_date", "pk"], unique=False)
    op.create_index("ix_std_invoices_issue_date", "std_invoices", ["company_id", "p_issue_date", "pk"], unique=False)
    op.create_index("ix_std_invoices_modified", "std_invoices", ["company_id", "modified_date", "pk"], unique=False)
    op.create_index(
        "ix_std_invoices_source",
        "std_invoices",
        ["connection_id", "source_resource", "source_id"],
        unique=False,
        sqlite_where=sa.text("id <> source_id"),
        postgresql_where=sa.text("id <> source_id"),
    )
    op.create_index("ix_std_invoices_status", "std_invoices", ["company_id", "p_status", "pk"], unique=False)
    op.create_index(
        "ix_std_invoices_total_amount", "std_invoices", ["company_id", "p_total_amount", "pk"], unique=False
    )
    op.create_table(
        "std_items",
        sa.Column("pk", BIG, nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("company_id", values.Words(), nullable=False),
        sa.Column("connection_id", values.Words(), nullable=False),
        sa.Column("id", values.Words(), nullable=False),
        sa.Column("modified_date", values.Words(), nullable=False),
        sa.Column("source_modified_date", values.Words(), nullable=True),
        sa.Column("is_deleted", sa.Boolean(), nullable=False),
        sa.Column("source_resource", values.Words(), nullable=False),
        sa.Column("source_id", values.Words(), nullable=False),
        sa.Column("mapping_version", values.Words(), nullable=False),
        sa.Column("p_name", values.Words(), nullable=True),
        sa.Column("p_code", values.Words(), nullable=True),
        sa.Column("p_item_status", values.Words(), nullable=True),
        sa.Column("p_type", values.Words(), nullable=True),
        sa.Column("p_is_invoice_item", sa.Boolean(), nullable=True),
        sa.Column("p_invoice_item_description", values.Words(), nullable=True),
        sa.Column("p_invoice_item_unit_price", values.Amount(), nullable=True),
        sa.Column("p_invoice_item_account_ref_id", values.Words(), nullable=True),
        sa.Column("p_invoice_item_account_ref_name", values.Words(), nullable=True),
        sa.Column("p_invoice_item_tax_rate_ref_id", values.Words(), nullable=True),
        sa.Column("p_invoice_item_tax_rate_ref_name", values.Words(), nullable=True),
        sa.Column("p_invoice_item_tax_rate_ref_effective_tax_rate", values.Amount(), nullable=True),
        sa.Column("p_is_bill_item", sa.Boolean(), nullable=True),
        sa.Column("p_bill_item_description", values.Words(), nullable=True),
        sa.Column("p_bill_item_unit_price", values.Amount(), nullable=True),
        sa.Column("p_bill_item_account_ref_id", values.Words(), nullable=True),
        sa.Column("p_bill_item_account_ref_name", values.Words(), nullable=True),
        sa.Column("p_bill_item_tax_rate_ref_id", values.Words(), nullable=True),
        sa.Column("p_bill_item_tax_rate_ref_name", values.Words(), nullable=True),
        sa.Column("p_bill_item_tax_rate_ref_effective_tax_rate", values.Amount(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "company_id", "connection_id"],
            ["connections.tenant_id", "connections.company_id", "connections.id"],
            name=op.f("fk_std_items_tenant_id_company_id_connection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_std_items")),
        sa.UniqueConstraint("company_id", "connection_id", "id", name=op.f("uq_std_items_company_id_connection_id_id")),
    )
    op.create_index("ix_std_items_company", "std_items", ["company_id", "pk"], unique=False)
    op.create_index("ix_std_items_modified", "std_items", ["company_id", "modified_date", "pk"], unique=False)
    op.create_index(
        "ix_std_items_source",
        "std_items",
        ["connection_id", "source_resource", "source_id"],
        unique=False,
        sqlite_where=sa.text("id <> source_id"),
        postgresql_where=sa.text("id <> source_id"),
    )
    op.create_table(
        "std_payments",
        sa.Column("pk", BIG, nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("company_id", values.Words(), nullable=False),
        sa.Column("connection_id", values.Words(), nullable=False),
        sa.Column("id", values.Words(), nullable=False),
        sa.Column("modified_date", values.Words(), nullable=False),
        sa.Column("source_modified_date", values.Words(), nullable=True),
        sa.Column("is_deleted", sa.Boolean(), nullable=False),
        sa.Column("source_resource", values.Words(), nullable=False),
        sa.Column("source_id", values.Words(), nullable=False),
        sa.Column("mapping_version", values.Words(), nullable=False),
        sa.Column("p_customer_ref_id", values.Words(), nullable=True),
        sa.Column("p_customer_ref_company_name", values.Words(), nullable=True),
        sa.Column("p_account_ref_id", values.Words(), nullable=True),
        sa.Column("p_account_ref_name", values.Words(), nullable=True),
        sa.Column("p_total_amount", values.Amount(), nullable=True),
        sa.Column("p_currency", values.Words(), nullable=True),
        sa.Column("p_currency_rate", values.Amount(), nullable=True),
        sa.Column("p_date", values.Words(), nullable=True),
        sa.Column("p_note", values.Words(), nullable=True),
        sa.Column("p_reference", values.Words(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "company_id", "connection_id"],
            ["connections.tenant_id", "connections.company_id", "connections.id"],
            name=op.f("fk_std_payments_tenant_id_company_id_connection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_std_payments")),
        sa.UniqueConstraint(
            "company_id", "connection_id", "id", name=op.f("uq_std_payments_company_id_connection_id_id")
        ),
    )
    op.create_index("ix_std_payments_company", "std_payments", ["company_id", "pk"], unique=False)
    op.create_index(
        "ix_std_payments_customer_ref_id", "std_payments", ["company_id", "p_customer_ref_id", "pk"], unique=False
    )
    op.create_index("ix_std_payments_date", "std_payments", ["company_id", "p_date", "pk"], unique=False)
    op.create_index("ix_std_payments_modified", "std_payments", ["company_id", "modified_date", "pk"], unique=False)
    op.create_index(
        "ix_std_payments_source",
        "std_payments",
        ["connection_id", "source_resource", "source_id"],
        unique=False,
        sqlite_where=sa.text("id <> source_id"),
        postgresql_where=sa.text("id <> source_id"),
    )
    op.create_index(
        "ix_std_payments_total_amount", "std_payments", ["company_id", "p_total_amount", "pk"], unique=False
    )
    op.create_table(
        "std_suppliers",
        sa.Column("pk", BIG, nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("company_id", values.Words(), nullable=False),
        sa.Column("connection_id", values.Words(), nullable=False),
        sa.Column("id", values.Words(), nullable=False),
        sa.Column("modified_date", values.Words(), nullable=False),
        sa.Column("source_modified_date", values.Words(), nullable=True),
        sa.Column("is_deleted", sa.Boolean(), nullable=False),
        sa.Column("source_resource", values.Words(), nullable=False),
        sa.Column("source_id", values.Words(), nullable=False),
        sa.Column("mapping_version", values.Words(), nullable=False),
        sa.Column("p_supplier_name", values.Words(), nullable=True),
        sa.Column("p_contact_name", values.Words(), nullable=True),
        sa.Column("p_email_address", values.Words(), nullable=True),
        sa.Column("p_phone", values.Words(), nullable=True),
        sa.Column("p_default_currency", values.Words(), nullable=True),
        sa.Column("p_registration_number", values.Words(), nullable=True),
        sa.Column("p_tax_number", values.Words(), nullable=True),
        sa.Column("p_status", values.Words(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "company_id", "connection_id"],
            ["connections.tenant_id", "connections.company_id", "connections.id"],
            name=op.f("fk_std_suppliers_tenant_id_company_id_connection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_std_suppliers")),
        sa.UniqueConstraint(
            "company_id", "connection_id", "id", name=op.f("uq_std_suppliers_company_id_connection_id_id")
        ),
    )
    op.create_index("ix_std_suppliers_company", "std_suppliers", ["company_id", "pk"], unique=False)
    op.create_index("ix_std_suppliers_modified", "std_suppliers", ["company_id", "modified_date", "pk"], unique=False)
    op.create_index(
        "ix_std_suppliers_source",
        "std_suppliers",
        ["connection_id", "source_resource", "source_id"],
        unique=False,
        sqlite_where=sa.text("id <> source_id"),
        postgresql_where=sa.text("id <> source_id"),
    )
    op.create_index("ix_std_suppliers_status", "std_suppliers", ["company_id", "p_status", "pk"], unique=False)
    op.create_table(
        "std_tax_rates",
        sa.Column("pk", BIG, nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("company_id", values.Words(), nullable=False),
        sa.Column("connection_id", values.Words(), nullable=False),
        sa.Column("id", values.Words(), nullable=False),
        sa.Column("modified_date", values.Words(), nullable=False),
        sa.Column("source_modified_date", values.Words(), nullable=True),
        sa.Column("is_deleted", sa.Boolean(), nullable=False),
        sa.Column("source_resource", values.Words(), nullable=False),
        sa.Column("source_id", values.Words(), nullable=False),
        sa.Column("mapping_version", values.Words(), nullable=False),
        sa.Column("p_name", values.Words(), nullable=True),
        sa.Column("p_code", values.Words(), nullable=True),
        sa.Column("p_status", values.Words(), nullable=True),
        sa.Column("p_effective_tax_rate", values.Amount(), nullable=True),
        sa.Column("p_total_tax_rate", values.Amount(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "company_id", "connection_id"],
            ["connections.tenant_id", "connections.company_id", "connections.id"],
            name=op.f("fk_std_tax_rates_tenant_id_company_id_connection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_std_tax_rates")),
        sa.UniqueConstraint(
            "company_id", "connection_id", "id", name=op.f("uq_std_tax_rates_company_id_connection_id_id")
        ),
    )
    op.create_index("ix_std_tax_rates_company", "std_tax_rates", ["company_id", "pk"], unique=False)
    op.create_index("ix_std_tax_rates_modified", "std_tax_rates", ["company_id", "modified_date", "pk"], unique=False)
    op.create_index(
        "ix_std_tax_rates_source",
        "std_tax_rates",
        ["connection_id", "source_resource", "source_id"],
        unique=False,
        sqlite_where=sa.text("id <> source_id"),
        postgresql_where=sa.text("id <> source_id"),
    )
    op.create_index("ix_std_tax_rates_status", "std_tax_rates", ["company_id", "p_status", "pk"], unique=False)
    op.create_table(
        "std_tracking_categories",
        sa.Column("pk", BIG, nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("company_id", values.Words(), nullable=False),
        sa.Column("connection_id", values.Words(), nullable=False),
        sa.Column("id", values.Words(), nullable=False),
        sa.Column("modified_date", values.Words(), nullable=False),
        sa.Column("source_modified_date", values.Words(), nullable=True),
        sa.Column("is_deleted", sa.Boolean(), nullable=False),
        sa.Column("source_resource", values.Words(), nullable=False),
        sa.Column("source_id", values.Words(), nullable=False),
        sa.Column("mapping_version", values.Words(), nullable=False),
        sa.Column("p_name", values.Words(), nullable=True),
        sa.Column("p_parent_id", values.Words(), nullable=True),
        sa.Column("p_has_children", sa.Boolean(), nullable=True),
        sa.Column("p_status", values.Words(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "company_id", "connection_id"],
            ["connections.tenant_id", "connections.company_id", "connections.id"],
            name=op.f("fk_std_tracking_categories_tenant_id_company_id_connection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_std_tracking_categories")),
        sa.UniqueConstraint(
            "company_id", "connection_id", "id", name=op.f("uq_std_tracking_categories_company_id_connection_id_id")
        ),
    )
    op.create_index("ix_std_tracking_categories_company", "std_tracking_categories", ["company_id", "pk"], unique=False)
    op.create_index(
        "ix_std_tracking_categories_modified",
        "std_tracking_categories",
        ["company_id", "modified_date", "pk"],
        unique=False,
    )
    op.create_index(
        "ix_std_tracking_categories_source",
        "std_tracking_categories",
        ["connection_id", "source_resource", "source_id"],
        unique=False,
        sqlite_where=sa.text("id <> source_id"),
        postgresql_where=sa.text("id <> source_id"),
    )
    op.create_index(
        "ix_std_tracking_categories_status", "std_tracking_categories", ["company_id", "p_status", "pk"], unique=False
    )
    op.create_table(
        "std_transfers",
        sa.Column("pk", BIG, nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("company_id", values.Words(), nullable=False),
        sa.Column("connection_id", values.Words(), nullable=False),
        sa.Column("id", values.Words(), nullable=False),
        sa.Column("modified_date", values.Words(), nullable=False),
        sa.Column("source_modified_date", values.Words(), nullable=True),
        sa.Column("is_deleted", sa.Boolean(), nullable=False),
        sa.Column("source_resource", values.Words(), nullable=False),
        sa.Column("source_id", values.Words(), nullable=False),
        sa.Column("mapping_version", values.Words(), nullable=False),
        sa.Column("p_description", values.Words(), nullable=True),
        sa.Column("p_date", values.Words(), nullable=True),
        sa.Column("p_from_account_ref_id", values.Words(), nullable=True),
        sa.Column("p_from_account_ref_data_type", values.Words(), nullable=True),
        sa.Column("p_from_currency", values.Words(), nullable=True),
        sa.Column("p_from_amount", values.Amount(), nullable=True),
        sa.Column("p_to_account_ref_id", values.Words(), nullable=True),
        sa.Column("p_to_account_ref_data_type", values.Words(), nullable=True),
        sa.Column("p_to_currency", values.Words(), nullable=True),
        sa.Column("p_to_amount", values.Amount(), nullable=True),
        sa.Column("p_status", values.Words(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "company_id", "connection_id"],
            ["connections.tenant_id", "connections.company_id", "connections.id"],
            name=op.f("fk_std_transfers_tenant_id_company_id_connection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_std_transfers")),
        sa.UniqueConstraint(
            "company_id", "connection_id", "id", name=op.f("uq_std_transfers_company_id_connection_id_id")
        ),
    )
    op.create_index("ix_std_transfers_company", "std_transfers", ["company_id", "pk"], unique=False)
    op.create_index("ix_std_transfers_date", "std_transfers", ["company_id", "p_date", "pk"], unique=False)
    op.create_index("ix_std_transfers_modified", "std_transfers", ["company_id", "modified_date", "pk"], unique=False)
    op.create_index(
        "ix_std_transfers_source",
        "std_transfers",
        ["connection_id", "source_resource", "source_id"],
        unique=False,
        sqlite_where=sa.text("id <> source_id"),
        postgresql_where=sa.text("id <> source_id"),
    )
    op.create_index("ix_std_transfers_status", "std_transfers", ["company_id", "p_status", "pk"], unique=False)
    op.create_table(
        "syncs",
        sa.Column("id", values.Words(), nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("connection_id", values.Words(), nullable=False),
        sa.Column("started", values.Instant(), nullable=False),
        sa.Column("ended", values.Instant(), nullable=True),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("checks", sa.LargeBinary(), nullable=True),
        sa.Column("remade", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "connection_id"],
            ["connections.tenant_id", "connections.id"],
            name=op.f("fk_syncs_tenant_id_connection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_syncs")),
    )
    op.create_index("ix_syncs_connection", "syncs", ["tenant_id", "connection_id", "started"], unique=False)
    op.create_index(
        "ux_syncs_active",
        "syncs",
        ["connection_id"],
        unique=True,
        sqlite_where=sa.text("ended IS NULL"),
        postgresql_where=sa.text("ended IS NULL"),
    )
    op.create_table(
        "std_account_transactions",
        sa.Column("pk", BIG, nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("company_id", values.Words(), nullable=False),
        sa.Column("connection_id", values.Words(), nullable=False),
        sa.Column("id", values.Words(), nullable=False),
        sa.Column("modified_date", values.Words(), nullable=False),
        sa.Column("source_modified_date", values.Words(), nullable=True),
        sa.Column("is_deleted", sa.Boolean(), nullable=False),
        sa.Column("source_resource", values.Words(), nullable=False),
        sa.Column("source_id", values.Words(), nullable=False),
        sa.Column("mapping_version", values.Words(), nullable=False),
        sa.Column("p_transaction_id", values.Words(), nullable=True),
        sa.Column("p_note", values.Words(), nullable=True),
        sa.Column("p_bank_account_ref_id", values.Words(), nullable=True),
        sa.Column("p_bank_account_ref_name", values.Words(), nullable=True),
        sa.Column("p_date", values.Words(), nullable=True),
        sa.Column("p_status", values.Words(), nullable=True),
        sa.Column("p_currency", values.Words(), nullable=True),
        sa.Column("p_currency_rate", values.Amount(), nullable=True),
        sa.Column("p_total_amount", values.Amount(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "company_id", "connection_id"],
            ["connections.tenant_id", "connections.company_id", "connections.id"],
            name=op.f("fk_std_account_transactions_tenant_id_company_id_connection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_std_account_transactions")),
        sa.UniqueConstraint(
            "company_id", "connection_id", "id", name=op.f("uq_std_account_transactions_company_id_connection_id_id")
        ),
    )
    op.create_index(
        "ix_std_account_transactions_company", "std_account_transactions", ["company_id", "pk"], unique=False
    )
    op.create_index(
        "ix_std_account_transactions_date", "std_account_transactions", ["company_id", "p_date", "pk"], unique=False
    )
    op.create_index(
        "ix_std_account_transactions_modified",
        "std_account_transactions",
        ["company_id", "modified_date", "pk"],
        unique=False,
    )
    op.create_index(
        "ix_std_account_transactions_source",
        "std_account_transactions",
        ["connection_id", "source_resource", "source_id"],
        unique=False,
        sqlite_where=sa.text("id <> source_id"),
        postgresql_where=sa.text("id <> source_id"),
    )
    op.create_index(
        "ix_std_account_transactions_status", "std_account_transactions", ["company_id", "p_status", "pk"], unique=False
    )
    op.create_index(
        "ix_std_account_transactions_total_amount",
        "std_account_transactions",
        ["company_id", "p_total_amount", "pk"],
        unique=False,
    )
    op.create_table(
        "std_journals",
        sa.Column("pk", BIG, nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("company_id", values.Words(), nullable=False),
        sa.Column("connection_id", values.Words(), nullable=False),
        sa.Column("id", values.Words(), nullable=False),
        sa.Column("modified_date", values.Words(), nullable=False),
        sa.Column("source_modified_date", values.Words(), nullable=True),
        sa.Column("is_deleted", sa.Boolean(), nullable=False),
        sa.Column("source_resource", values.Words(), nullable=False),
        sa.Column("source_id", values.Words(), nullable=False),
        sa.Column("mapping_version", values.Words(), nullable=False),
        sa.Column("p_journal_code", values.Words(), nullable=True),
        sa.Column("p_name", values.Words(), nullable=True),
        sa.Column("p_type", values.Words(), nullable=True),
        sa.Column("p_parent_id", values.Words(), nullable=True),
        sa.Column("p_has_children", sa.Boolean(), nullable=True),
        sa.Column("p_created_on", values.Words(), nullable=True),
        sa.Column("p_status", values.Words(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "company_id", "connection_id"],
            ["connections.tenant_id", "connections.company_id", "connections.id"],
            name=op.f("fk_std_journals_tenant_id_company_id_connection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_std_journals")),
        sa.UniqueConstraint(
            "company_id", "connection_id", "id", name=op.f("uq_std_journals_company_id_connection_id_id")
        ),
    )
    op.create_index("ix_std_journals_company", "std_journals", ["company_id", "pk"], unique=False)
    op.create_index("ix_std_journals_modified", "std_journals", ["company_id", "modified_date", "pk"], unique=False)
    op.create_index(
        "ix_std_journals_source",
        "std_journals",
        ["connection_id", "source_resource", "source_id"],
        unique=False,
        sqlite_where=sa.text("id <> source_id"),
        postgresql_where=sa.text("id <> source_id"),
    )
    op.create_index("ix_std_journals_status", "std_journals", ["company_id", "p_status", "pk"], unique=False)
    op.create_table(
        "std_journal_entries",
        sa.Column("pk", BIG, nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("company_id", values.Words(), nullable=False),
        sa.Column("connection_id", values.Words(), nullable=False),
        sa.Column("id", values.Words(), nullable=False),
        sa.Column("modified_date", values.Words(), nullable=False),
        sa.Column("source_modified_date", values.Words(), nullable=True),
        sa.Column("is_deleted", sa.Boolean(), nullable=False),
        sa.Column("source_resource", values.Words(), nullable=False),
        sa.Column("source_id", values.Words(), nullable=False),
        sa.Column("mapping_version", values.Words(), nullable=False),
        sa.Column("p_description", values.Words(), nullable=True),
        sa.Column("p_posted_on", values.Words(), nullable=True),
        sa.Column("p_created_on", values.Words(), nullable=True),
        sa.Column("p_updated_on", values.Words(), nullable=True),
        sa.Column("p_journal_ref_id", values.Words(), nullable=True),
        sa.Column("p_journal_ref_name", values.Words(), nullable=True),
        sa.Column("p_record_ref_id", values.Words(), nullable=True),
        sa.Column("p_record_ref_data_type", values.Words(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "company_id", "connection_id"],
            ["connections.tenant_id", "connections.company_id", "connections.id"],
            name=op.f("fk_std_journal_entries_tenant_id_company_id_connection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_std_journal_entries")),
        sa.UniqueConstraint(
            "company_id", "connection_id", "id", name=op.f("uq_std_journal_entries_company_id_connection_id_id")
        ),
    )
    op.create_index("ix_std_journal_entries_company", "std_journal_entries", ["company_id", "pk"], unique=False)
    op.create_index(
        "ix_std_journal_entries_modified", "std_journal_entries", ["company_id", "modified_date", "pk"], unique=False
    )
    op.create_index(
        "ix_std_journal_entries_posted_on", "std_journal_entries", ["company_id", "p_posted_on", "pk"], unique=False
    )
    op.create_index(
        "ix_std_journal_entries_source",
        "std_journal_entries",
        ["connection_id", "source_resource", "source_id"],
        unique=False,
        sqlite_where=sa.text("id <> source_id"),
        postgresql_where=sa.text("id <> source_id"),
    )
    op.create_table(
        "doc_bank_accounts",
        sa.Column("pk", BIG, autoincrement=False, nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("doc", sa.LargeBinary(), nullable=False),
        sa.Column("supplemental", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["pk"], ["std_bank_accounts.pk"], name=op.f("fk_doc_bank_accounts_pk"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_doc_bank_accounts")),
    )
    op.create_table(
        "doc_bank_transactions",
        sa.Column("pk", BIG, autoincrement=False, nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("doc", sa.LargeBinary(), nullable=False),
        sa.Column("supplemental", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["pk"], ["std_bank_transactions.pk"], name=op.f("fk_doc_bank_transactions_pk"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_doc_bank_transactions")),
    )
    op.create_table(
        "doc_bill_credit_notes",
        sa.Column("pk", BIG, autoincrement=False, nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("doc", sa.LargeBinary(), nullable=False),
        sa.Column("supplemental", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["pk"], ["std_bill_credit_notes.pk"], name=op.f("fk_doc_bill_credit_notes_pk"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_doc_bill_credit_notes")),
    )
    op.create_table(
        "doc_bill_payments",
        sa.Column("pk", BIG, autoincrement=False, nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("doc", sa.LargeBinary(), nullable=False),
        sa.Column("supplemental", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["pk"], ["std_bill_payments.pk"], name=op.f("fk_doc_bill_payments_pk"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_doc_bill_payments")),
    )
    op.create_table(
        "doc_bills",
        sa.Column("pk", BIG, autoincrement=False, nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("doc", sa.LargeBinary(), nullable=False),
        sa.Column("supplemental", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["pk"], ["std_bills.pk"], name=op.f("fk_doc_bills_pk"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_doc_bills")),
    )
    op.create_table(
        "doc_chart_of_accounts",
        sa.Column("pk", BIG, autoincrement=False, nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("doc", sa.LargeBinary(), nullable=False),
        sa.Column("supplemental", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["pk"], ["std_chart_of_accounts.pk"], name=op.f("fk_doc_chart_of_accounts_pk"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_doc_chart_of_accounts")),
    )
    op.create_table(
        "doc_company",
        sa.Column("pk", BIG, autoincrement=False, nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("doc", sa.LargeBinary(), nullable=False),
        sa.Column("supplemental", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["pk"], ["std_company.pk"], name=op.f("fk_doc_company_pk"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_doc_company")),
    )
    op.create_table(
        "doc_credit_notes",
        sa.Column("pk", BIG, autoincrement=False, nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("doc", sa.LargeBinary(), nullable=False),
        sa.Column("supplemental", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["pk"], ["std_credit_notes.pk"], name=op.f("fk_doc_credit_notes_pk"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_doc_credit_notes")),
    )
    op.create_table(
        "doc_customers",
        sa.Column("pk", BIG, autoincrement=False, nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("doc", sa.LargeBinary(), nullable=False),
        sa.Column("supplemental", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["pk"], ["std_customers.pk"], name=op.f("fk_doc_customers_pk"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_doc_customers")),
    )
    op.create_table(
        "doc_direct_costs",
        sa.Column("pk", BIG, autoincrement=False, nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("doc", sa.LargeBinary(), nullable=False),
        sa.Column("supplemental", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["pk"], ["std_direct_costs.pk"], name=op.f("fk_doc_direct_costs_pk"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_doc_direct_costs")),
    )
    op.create_table(
        "doc_direct_incomes",
        sa.Column("pk", BIG, autoincrement=False, nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("doc", sa.LargeBinary(), nullable=False),
        sa.Column("supplemental", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["pk"], ["std_direct_incomes.pk"], name=op.f("fk_doc_direct_incomes_pk"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_doc_direct_incomes")),
    )
    op.create_table(
        "doc_invoices",
        sa.Column("pk", BIG, autoincrement=False, nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("doc", sa.LargeBinary(), nullable=False),
        sa.Column("supplemental", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["pk"], ["std_invoices.pk"], name=op.f("fk_doc_invoices_pk"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_doc_invoices")),
    )
    op.create_table(
        "doc_items",
        sa.Column("pk", BIG, autoincrement=False, nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("doc", sa.LargeBinary(), nullable=False),
        sa.Column("supplemental", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["pk"], ["std_items.pk"], name=op.f("fk_doc_items_pk"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_doc_items")),
    )
    op.create_table(
        "doc_payments",
        sa.Column("pk", BIG, autoincrement=False, nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("doc", sa.LargeBinary(), nullable=False),
        sa.Column("supplemental", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["pk"], ["std_payments.pk"], name=op.f("fk_doc_payments_pk"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_doc_payments")),
    )
    op.create_table(
        "doc_suppliers",
        sa.Column("pk", BIG, autoincrement=False, nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("doc", sa.LargeBinary(), nullable=False),
        sa.Column("supplemental", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["pk"], ["std_suppliers.pk"], name=op.f("fk_doc_suppliers_pk"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_doc_suppliers")),
    )
    op.create_table(
        "doc_tax_rates",
        sa.Column("pk", BIG, autoincrement=False, nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("doc", sa.LargeBinary(), nullable=False),
        sa.Column("supplemental", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["pk"], ["std_tax_rates.pk"], name=op.f("fk_doc_tax_rates_pk"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_doc_tax_rates")),
    )
    op.create_table(
        "doc_tracking_categories",
        sa.Column("pk", BIG, autoincrement=False, nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("doc", sa.LargeBinary(), nullable=False),
        sa.Column("supplemental", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["pk"], ["std_tracking_categories.pk"], name=op.f("fk_doc_tracking_categories_pk"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_doc_tracking_categories")),
    )
    op.create_table(
        "doc_transfers",
        sa.Column("pk", BIG, autoincrement=False, nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("doc", sa.LargeBinary(), nullable=False),
        sa.Column("supplemental", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["pk"], ["std_transfers.pk"], name=op.f("fk_doc_transfers_pk"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_doc_transfers")),
    )
    op.create_table(
        "doc_account_transactions",
        sa.Column("pk", BIG, autoincrement=False, nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("doc", sa.LargeBinary(), nullable=False),
        sa.Column("supplemental", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["pk"], ["std_account_transactions.pk"], name=op.f("fk_doc_account_transactions_pk"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_doc_account_transactions")),
    )
    op.create_table(
        "doc_journals",
        sa.Column("pk", BIG, autoincrement=False, nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("doc", sa.LargeBinary(), nullable=False),
        sa.Column("supplemental", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["pk"], ["std_journals.pk"], name=op.f("fk_doc_journals_pk"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_doc_journals")),
    )
    op.create_table(
        "doc_journal_entries",
        sa.Column("pk", BIG, autoincrement=False, nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("doc", sa.LargeBinary(), nullable=False),
        sa.Column("supplemental", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["pk"], ["std_journal_entries.pk"], name=op.f("fk_doc_journal_entries_pk"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_doc_journal_entries")),
    )
    if op.get_bind().dialect.name == "postgresql":  # lists ordered downwards by a date that may be absent
        for table, prefix, column in (
            ("account_transactions", ("company_id",), "date"),
            ("bank_transactions", ("company_id", "p_account_id"), "cleared_on_date"),
            ("bill_credit_notes", ("company_id",), "issue_date"),
            ("bills", ("company_id",), "due_date"),
            ("credit_notes", ("company_id",), "issue_date"),
            ("invoices", ("company_id",), "due_date"),
            ("journal_entries", ("company_id",), "posted_on"),
            ("transfers", ("company_id",), "date"),
        ):
            ordered = (sa.text(f"p_{column} DESC NULLS LAST"), sa.text("pk DESC"))
            op.create_index(f"ix_std_{table}_{column}_down", f"std_{table}", [*prefix, *ordered], unique=False)
    op.create_table(
        "std_balance_sheet",
        sa.Column("pk", BIG, nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("company_id", values.Words(), nullable=False),
        sa.Column("connection_id", values.Words(), nullable=False),
        sa.Column("id", values.Words(), nullable=False),
        sa.Column("modified_date", values.Words(), nullable=False),
        sa.Column("source_modified_date", values.Words(), nullable=True),
        sa.Column("is_deleted", sa.Boolean(), nullable=False),
        sa.Column("source_resource", values.Words(), nullable=False),
        sa.Column("source_id", values.Words(), nullable=False),
        sa.Column("mapping_version", values.Words(), nullable=False),
        sa.Column("p_currency", values.Words(), nullable=True),
        sa.Column("p_earliest_available_month", values.Words(), nullable=True),
        sa.Column("p_report_date", values.Words(), nullable=True),
        sa.Column("p_report_assets_value", values.Amount(), nullable=True),
        sa.Column("p_report_liabilities_value", values.Amount(), nullable=True),
        sa.Column("p_report_net_assets", values.Amount(), nullable=True),
        sa.Column("p_report_equity_value", values.Amount(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "company_id", "connection_id"],
            ["connections.tenant_id", "connections.company_id", "connections.id"],
            name=op.f("fk_std_balance_sheet_tenant_id_company_id_connection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_std_balance_sheet")),
        sa.UniqueConstraint(
            "company_id", "connection_id", "id", name=op.f("uq_std_balance_sheet_company_id_connection_id_id")
        ),
    )
    op.create_index("ix_std_balance_sheet_company", "std_balance_sheet", ["company_id", "pk"], unique=False)
    op.create_index(
        "ix_std_balance_sheet_modified", "std_balance_sheet", ["company_id", "modified_date", "pk"], unique=False
    )
    op.create_index(
        "ix_std_balance_sheet_source",
        "std_balance_sheet",
        ["connection_id", "source_resource", "source_id"],
        unique=False,
        sqlite_where=sa.text("id <> source_id"),
        postgresql_where=sa.text("id <> source_id"),
    )
    op.create_table(
        "std_cash_flow_statement",
        sa.Column("pk", BIG, nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("company_id", values.Words(), nullable=False),
        sa.Column("connection_id", values.Words(), nullable=False),
        sa.Column("id", values.Words(), nullable=False),
        sa.Column("modified_date", values.Words(), nullable=False),
        sa.Column("source_modified_date", values.Words(), nullable=True),
        sa.Column("is_deleted", sa.Boolean(), nullable=False),
        sa.Column("source_resource", values.Words(), nullable=False),
        sa.Column("source_id", values.Words(), nullable=False),
        sa.Column("mapping_version", values.Words(), nullable=False),
        sa.Column("p_currency", values.Words(), nullable=True),
        sa.Column("p_earliest_available_month", values.Words(), nullable=True),
        sa.Column("p_report_basis", values.Words(), nullable=True),
        sa.Column("p_report_input", values.Words(), nullable=True),
        sa.Column("p_report_from_date", values.Words(), nullable=True),
        sa.Column("p_report_to_date", values.Words(), nullable=True),
        sa.Column("p_report_cash_receipts_value", values.Amount(), nullable=True),
        sa.Column("p_report_cash_payments_value", values.Amount(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "company_id", "connection_id"],
            ["connections.tenant_id", "connections.company_id", "connections.id"],
            name=op.f("fk_std_cash_flow_statement_tenant_id_company_id_connection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_std_cash_flow_statement")),
        sa.UniqueConstraint(
            "company_id", "connection_id", "id", name=op.f("uq_std_cash_flow_statement_company_id_connection_id_id")
        ),
    )
    op.create_index("ix_std_cash_flow_statement_company", "std_cash_flow_statement", ["company_id", "pk"], unique=False)
    op.create_index(
        "ix_std_cash_flow_statement_modified",
        "std_cash_flow_statement",
        ["company_id", "modified_date", "pk"],
        unique=False,
    )
    op.create_index(
        "ix_std_cash_flow_statement_source",
        "std_cash_flow_statement",
        ["connection_id", "source_resource", "source_id"],
        unique=False,
        sqlite_where=sa.text("id <> source_id"),
        postgresql_where=sa.text("id <> source_id"),
    )
    op.create_table(
        "std_profit_and_loss",
        sa.Column("pk", BIG, nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("company_id", values.Words(), nullable=False),
        sa.Column("connection_id", values.Words(), nullable=False),
        sa.Column("id", values.Words(), nullable=False),
        sa.Column("modified_date", values.Words(), nullable=False),
        sa.Column("source_modified_date", values.Words(), nullable=True),
        sa.Column("is_deleted", sa.Boolean(), nullable=False),
        sa.Column("source_resource", values.Words(), nullable=False),
        sa.Column("source_id", values.Words(), nullable=False),
        sa.Column("mapping_version", values.Words(), nullable=False),
        sa.Column("p_currency", values.Words(), nullable=True),
        sa.Column("p_earliest_available_month", values.Words(), nullable=True),
        sa.Column("p_report_basis", values.Words(), nullable=True),
        sa.Column("p_report_from_date", values.Words(), nullable=True),
        sa.Column("p_report_to_date", values.Words(), nullable=True),
        sa.Column("p_report_income_value", values.Amount(), nullable=True),
        sa.Column("p_report_cost_of_sales_value", values.Amount(), nullable=True),
        sa.Column("p_report_gross_profit", values.Amount(), nullable=True),
        sa.Column("p_report_expenses_value", values.Amount(), nullable=True),
        sa.Column("p_report_net_operating_profit", values.Amount(), nullable=True),
        sa.Column("p_report_other_expenses_value", values.Amount(), nullable=True),
        sa.Column("p_report_other_income_value", values.Amount(), nullable=True),
        sa.Column("p_report_net_other_income", values.Amount(), nullable=True),
        sa.Column("p_report_net_profit", values.Amount(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "company_id", "connection_id"],
            ["connections.tenant_id", "connections.company_id", "connections.id"],
            name=op.f("fk_std_profit_and_loss_tenant_id_company_id_connection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_std_profit_and_loss")),
        sa.UniqueConstraint(
            "company_id", "connection_id", "id", name=op.f("uq_std_profit_and_loss_company_id_connection_id_id")
        ),
    )
    op.create_index("ix_std_profit_and_loss_company", "std_profit_and_loss", ["company_id", "pk"], unique=False)
    op.create_index(
        "ix_std_profit_and_loss_modified", "std_profit_and_loss", ["company_id", "modified_date", "pk"], unique=False
    )
    op.create_index(
        "ix_std_profit_and_loss_source",
        "std_profit_and_loss",
        ["connection_id", "source_resource", "source_id"],
        unique=False,
        sqlite_where=sa.text("id <> source_id"),
        postgresql_where=sa.text("id <> source_id"),
    )
    op.create_table(
        "doc_balance_sheet",
        sa.Column("pk", BIG, autoincrement=False, nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("doc", sa.LargeBinary(), nullable=False),
        sa.Column("supplemental", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["pk"], ["std_balance_sheet.pk"], name=op.f("fk_doc_balance_sheet_pk"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_doc_balance_sheet")),
    )
    op.create_table(
        "doc_cash_flow_statement",
        sa.Column("pk", BIG, autoincrement=False, nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("doc", sa.LargeBinary(), nullable=False),
        sa.Column("supplemental", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["pk"], ["std_cash_flow_statement.pk"], name=op.f("fk_doc_cash_flow_statement_pk"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_doc_cash_flow_statement")),
    )
    op.create_table(
        "doc_profit_and_loss",
        sa.Column("pk", BIG, autoincrement=False, nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("doc", sa.LargeBinary(), nullable=False),
        sa.Column("supplemental", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["pk"], ["std_profit_and_loss.pk"], name=op.f("fk_doc_profit_and_loss_pk"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_doc_profit_and_loss")),
    )
    # Of several processes over one database
    op.create_table(
        "leases",
        sa.Column("number", BIG, nullable=False),
        sa.Column("executor", values.Words(), nullable=False),
        sa.Column("process", values.Words(), nullable=False),
        sa.Column("is_worker", sa.Boolean(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_leases")),
    )
    op.create_table(
        "turns",
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("connection_id", values.Words(), nullable=False),
        sa.Column("number", BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "connection_id"],
            ["connections.tenant_id", "connections.id"],
            name=op.f("fk_turns_tenant_id_connection_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["number"], ["leases.number"], name=op.f("fk_turns_number"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("connection_id", name=op.f("pk_turns")),
    )
    op.create_table(
        "upstream_calls",
        sa.Column("pk", BIG, nullable=False),
        sa.Column("integration_key", values.Words(), nullable=False),
        sa.Column("budget", values.Words(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_upstream_calls")),
    )
    op.create_index("ix_upstream_calls_at", "upstream_calls", ["integration_key", "at"], unique=False)
    op.create_index("ix_upstream_calls_budget", "upstream_calls", ["integration_key", "budget", "at"], unique=False)
    op.create_table(
        "upstream_pauses",
        sa.Column("integration_key", values.Words(), nullable=False),
        sa.Column("budget", values.Words(), nullable=False),
        sa.Column("until", sa.Double(), nullable=False),
        sa.Column("refusals", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("integration_key", "budget", name=op.f("pk_upstream_pauses")),
    )
    op.create_table(
        "upstream_clocks",
        sa.Column("integration_key", values.Words(), nullable=False),
        sa.Column("lowest", sa.Double(), nullable=False),
        sa.Column("highest", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("integration_key", name=op.f("pk_upstream_clocks")),
    )
    people()


def people() -> None:
    """How operators come in, and the trail of what is done."""
    op.create_table(
        "password_links",
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("operator_id", values.Words(), nullable=False),
        sa.Column("token_hash", values.Words(), nullable=False),
        sa.Column("expires", values.Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["operator_id"], ["operators.id"], name=op.f("fk_password_links_operator_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_password_links_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("operator_id", name=op.f("pk_password_links")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_password_links_token_hash")),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("operator_id", values.Words(), nullable=False),
        sa.Column("code_hash", values.Words(), nullable=False),
        sa.ForeignKeyConstraint(
            ["operator_id"], ["operators.id"], name=op.f("fk_recovery_codes_operator_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_recovery_codes_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("operator_id", "code_hash", name=op.f("pk_recovery_codes")),
    )
    op.create_table(
        "audit",
        sa.Column("pk", BIG, nullable=False),
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("number", BIG, nullable=False),
        sa.Column("at", values.Instant(), nullable=False),
        sa.Column("actor_kind", values.Words(), nullable=False),
        sa.Column("actor", values.Words(), nullable=False),
        sa.Column("address", values.Words(), nullable=True),
        sa.Column("action", values.Words(), nullable=False),
        sa.Column("subject", values.Words(), nullable=True),
        sa.Column("detail", values.Words(), nullable=True),
        sa.Column("mark", values.Words(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_audit_tenant_id")),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_audit")),
        sa.UniqueConstraint("tenant_id", "number", name=op.f("uq_audit_tenant_id_number")),
    )
    op.create_index("ix_audit_action", "audit", ["tenant_id", "action", "number"], unique=False)
    op.create_index(
        "ix_audit_of_somebody",
        "audit",
        ["tenant_id", "number"],
        unique=False,
        sqlite_where=sa.text("actor_kind <> 'itself'"),
        postgresql_where=sa.text("actor_kind <> 'itself'"),
    )
    op.create_table(
        "audit_heads",
        sa.Column("tenant_id", values.Words(), nullable=False),
        sa.Column("number", BIG, nullable=False),
        sa.Column("mark", values.Words(), nullable=False),
        sa.Column("seal", values.Words(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_audit_heads_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_audit_heads")),
    )
    for statement in APPEND_ONLY[op.get_bind().dialect.name]:
        op.execute(statement)
