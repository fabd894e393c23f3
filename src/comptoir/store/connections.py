"""Connections of companies to integrations, and the states they go through."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection as Transaction
from sqlalchemy import Row

from comptoir.errors import Conflict, NotFound
from comptoir.integrations import INTEGRATIONS
from comptoir.integrations.contract import Integration
from comptoir.model import ColumnKind
from comptoir.store import lists
from comptoir.store.ids import CompanyId, ConnectionId, TenantId, new_id
from comptoir.store.query import Order, Property, Query, Where
from comptoir.store.rows import Page, all_of, one_of, only, struct_of
from comptoir.store.tables import COMPANIES, CONNECTIONS

__all__ = [
    "Connection",
    "ConnectionError_",
    "ConnectionStatus",
    "add",
    "all_linked",
    "delete",
    "find",
    "get",
    "linked_of_company",
    "list_page",
    "of_companies",
    "of_company",
    "of_source",
    "queryable",
    "record_error",
    "resolve_errors",
    "set_identity",
    "set_last_sync",
    "set_limits",
    "set_status",
]


class ConnectionStatus(StrEnum):
    PENDING_AUTH = "PendingAuth"
    LINKED = "Linked"
    UNLINKED = "Unlinked"
    DEAUTHORIZED = "Deauthorized"


_ALLOWED = {
    ConnectionStatus.PENDING_AUTH: {ConnectionStatus.LINKED},
    ConnectionStatus.LINKED: {ConnectionStatus.UNLINKED, ConnectionStatus.DEAUTHORIZED},
    ConnectionStatus.UNLINKED: {ConnectionStatus.LINKED},
    ConnectionStatus.DEAUTHORIZED: {ConnectionStatus.LINKED},
}
_MOST_ERRORS_KEPT = 50


def _said_by_integration(table: str, fact: Callable[[Integration], object]) -> str:
    """What integrations say of themselves, in SQL: constants of ours."""
    cases = " ".join(f"WHEN '{one.key}' THEN '{fact(one)}'" for one in INTEGRATIONS)
    return f"CASE {table}.integration_key {cases} END"


def queryable(table: str) -> tuple[tuple[str, str, ColumnKind], ...]:
    """What a query may name of a connection: lower-case name, SQL over `table` (its name or alias), kind."""
    return (
        ("id", f"{table}.id", ColumnKind.ID),
        ("integrationid", _said_by_integration(table, lambda one: one.integration_id), ColumnKind.ID),
        ("integrationkey", f"{table}.integration_key", ColumnKind.ENUM),
        ("sourceid", _said_by_integration(table, lambda one: one.source_id), ColumnKind.ID),
        ("sourcetype", _said_by_integration(table, lambda one: one.source_type), ColumnKind.ENUM),
        ("platformname", _said_by_integration(table, lambda one: one.name.replace("'", "''")), ColumnKind.TEXT),
        ("status", f"{table}.status", ColumnKind.ENUM),
        ("created", f"{table}.created", ColumnKind.INSTANT),
        ("lastsync", f"{table}.last_sync", ColumnKind.INSTANT),
    )


PROPERTIES = {name: Property(column, kind) for name, column, kind in queryable("connections")}


class ConnectionError_(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):  # noqa: N801 - the plain name is Python's own
    """Why linking or access failed, as the public API tells it."""

    status_code: str
    status_text: str
    error_message: str
    errored_on_utc: datetime
    status: str = "Active"
    resolved_on_utc: datetime | None = None


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    id: ConnectionId
    tenant_id: TenantId
    company_id: CompanyId
    integration_key: str
    status: ConnectionStatus
    created: datetime
    linked_at: datetime | None
    last_sync: datetime | None
    source_company_id: str | None
    source_company_name: str | None
    access_level: int | None
    access_name: str | None
    errors: tuple[ConnectionError_, ...]
    is_read_only: bool = False
    allowed_types: tuple[str, ...] | None = None

    def allows(self, data_type: str) -> bool:
        """Whether a data type may be read over it; held records stay readable either way."""
        return self.allowed_types is None or data_type in self.allowed_types

    @property
    def budget(self) -> str:
        """Under which name its calls count: an upstream's limits are those of the books, however often these were
        linked. Before it is known whose they are, a connection counts by itself."""
        return self.source_company_id or self.id


_names = msgspec.json.Decoder(tuple[str, ...]).decode
_errors = msgspec.json.Decoder(tuple[ConnectionError_, ...])


def _connection(row: Row[tuple[object, ...]]) -> Connection:
    return struct_of(
        Connection,
        row,
        status=ConnectionStatus(row.status),
        errors=_errors.decode(row.errors),
        allowed_types=None if row.allowed_types is None else _names(row.allowed_types),
    )


def add(tx: Transaction, tenant: TenantId, company: CompanyId, integration_key: str, now: datetime) -> Connection:
    one_of(tx, COMPANIES, tenant, company, f"No company was found with ID {company}")
    id_ = ConnectionId(new_id())
    tx.execute(
        sa.insert(CONNECTIONS).values(
            id=id_,
            tenant_id=tenant,
            company_id=company,
            integration_key=integration_key,
            status=ConnectionStatus.PENDING_AUTH.value,
            created=now,
            errors=b"[]",
        )
    )
    return get(tx, tenant, id_)


def get(tx: Transaction, tenant: TenantId, connection: str, company: str | None = None) -> Connection:
    """One connection; with `company` also NotFound when it is another company's."""
    found = _connection(one_of(tx, CONNECTIONS, tenant, connection, f"Data connection {connection} not found"))
    if company is not None and found.company_id != company:
        raise NotFound(f"Data connection {connection} not found")
    return found


def find(tx: Transaction, connection: str) -> Connection | None:
    """By id alone, whatever tenant: for Link pages, which know no tenant yet. The id is unguessable."""
    condition = sa.and_(CONNECTIONS.c.id == connection, CONNECTIONS.c.tenant_id.is_not(None))
    row = tx.execute(sa.select(CONNECTIONS).where(condition)).one_or_none()
    return None if row is None else _connection(row)


def of_company(tx: Transaction, tenant: TenantId, company: CompanyId) -> list[Connection]:
    rows = all_of(tx, CONNECTIONS, tenant, CONNECTIONS.c.company_id == company)
    return sorted(map(_connection, rows), key=lambda one: (one.created, one.id))


def of_companies(tx: Transaction, tenant: TenantId, companies: list[CompanyId]) -> dict[CompanyId, list[Connection]]:
    found: dict[CompanyId, list[Connection]] = {company: [] for company in companies}
    for row in all_of(tx, CONNECTIONS, tenant, CONNECTIONS.c.company_id.in_(companies)):
        found[row.company_id].append(_connection(row))
    return found


def of_source(tx: Transaction, tenant: TenantId, integration_key: str, source_company_id: str) -> Connection | None:
    """The oldest connection to these books of the upstream, if there is one."""
    mine = only(
        CONNECTIONS,
        tenant,
        CONNECTIONS.c.integration_key == integration_key,
        CONNECTIONS.c.source_company_id == source_company_id,
    )
    row = tx.execute(sa.select(CONNECTIONS).where(mine).order_by(CONNECTIONS.c.created).limit(1)).one_or_none()
    return None if row is None else _connection(row)


def linked_of_company(tx: Transaction, tenant: TenantId, company: CompanyId) -> Connection | None:
    linked = (one for one in of_company(tx, tenant, company) if one.status is ConnectionStatus.LINKED)
    return next(linked, None)


def all_linked(tx: Transaction) -> list[Connection]:
    """Of every tenant: for schedules, which work for all of them."""
    rows = tx.execute(
        sa.select(CONNECTIONS)
        .join(COMPANIES, COMPANIES.c.tenant_id == CONNECTIONS.c.tenant_id)
        .where(COMPANIES.c.id == CONNECTIONS.c.company_id, CONNECTIONS.c.status == ConnectionStatus.LINKED.value)
    )
    return [_connection(row) for row in rows]


def list_page(
    tx: Transaction,
    tenant: TenantId,
    company: CompanyId,
    *,
    query: Query | None = None,
    order: str | None = None,
    page: int = 1,
    page_size: int = 100,
) -> Page:
    where = query.where(PROPERTIES, "Connection", tx.dialect.name) if query else Where.all()
    where = Where(f"connections.company_id = ? AND {where.sql}", (company, *where.values))
    ordering = Order.parse(order, PROPERTIES, "Connection")
    default = "connections.created, connections.id"
    return lists.page(tx, CONNECTIONS, tenant, where, ordering, page, page_size, _connection, default_order=default)


def set_status(tx: Transaction, tenant: TenantId, connection: str, new: ConnectionStatus, now: datetime) -> Connection:
    """Move to another state; Conflict where the states do not allow it."""
    found = get(tx, tenant, connection)
    if new not in _ALLOWED[found.status]:
        raise Conflict(f"A connection that is {found.status} cannot become {new}.")
    values = {"status": new.value, **({"linked_at": now} if new is ConnectionStatus.LINKED else {})}
    mine = only(CONNECTIONS, tenant, CONNECTIONS.c.id == connection, CONNECTIONS.c.status == found.status.value)
    if not tx.execute(sa.update(CONNECTIONS).where(mine).values(values)).rowcount:
        return set_status(tx, tenant, connection, new, now)  # it moved at this very moment: look again
    return get(tx, tenant, connection)


def set_identity(
    tx: Transaction, tenant: TenantId, connection: str, *, company_id: str, company_name: str, level: int, name: str
) -> None:
    """Whose books these are and what may be seen of them; read at every approval."""
    _set(
        tx,
        tenant,
        connection,
        source_company_id=company_id,
        source_company_name=company_name,
        access_level=level,
        access_name=name,
    )


def set_limits(
    tx: Transaction, tenant: TenantId, connection: str, *, is_read_only: bool, allowed_types: tuple[str, ...] | None
) -> None:
    """Whether nothing may be written over it, and which data types alone may be read; None for all of them."""
    get(tx, tenant, connection)
    names = None if allowed_types is None else msgspec.json.encode(allowed_types)
    _set(tx, tenant, connection, is_read_only=is_read_only, allowed_types=names)


def set_last_sync(tx: Transaction, tenant: TenantId, connection: str, now: datetime) -> None:
    _set(tx, tenant, connection, last_sync=now)


def record_error(
    tx: Transaction,
    tenant: TenantId,
    connection: str,
    *,
    status_code: int,
    status_text: str,
    message: str,
    now: datetime,
) -> None:
    found = get(tx, tenant, connection)
    error = ConnectionError_(
        status_code=str(status_code), status_text=status_text, error_message=message, errored_on_utc=now
    )
    _set(tx, tenant, connection, errors=msgspec.json.encode((*found.errors, error)[-_MOST_ERRORS_KEPT:]))


def resolve_errors(tx: Transaction, tenant: TenantId, connection: str, now: datetime) -> None:
    found = get(tx, tenant, connection)
    resolved = tuple(
        one if one.status == "Resolved" else msgspec.structs.replace(one, status="Resolved", resolved_on_utc=now)
        for one in found.errors
    )
    _set(tx, tenant, connection, errors=msgspec.json.encode(resolved))


def delete(tx: Transaction, tenant: TenantId, connection: str) -> None:
    """The connection with its grant and all that was read over it."""
    get(tx, tenant, connection)
    tx.execute(sa.delete(CONNECTIONS).where(only(CONNECTIONS, tenant, CONNECTIONS.c.id == connection)))


def _set(tx: Transaction, tenant: TenantId, connection: str, **values: object) -> None:
    tx.execute(sa.update(CONNECTIONS).where(only(CONNECTIONS, tenant, CONNECTIONS.c.id == connection)).values(values))
