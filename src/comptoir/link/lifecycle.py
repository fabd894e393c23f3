"""The ends of a connection: cut by us, lost upstream, or deleted. What was read stays readable, except when deleted."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection as Transaction

from comptoir.errors import Conflict
from comptoir.store import CompanyId, ConnectionId, TenantId, companies, connections, datasets, events, grants
from comptoir.store.connections import ConnectionStatus
from comptoir.store.datasets import Status

__all__ = ["deauthorize", "delete", "delete_company", "unlink"]


def unlink(tx: Transaction, tenant: TenantId, connection: ConnectionId, now: datetime) -> None:
    """Cut a linked connection: tokens are dropped, running reads end as cancelled. Conflict unless it is Linked."""
    found = connections.get(tx, tenant, connection)
    if found.status is not ConnectionStatus.LINKED:
        raise Conflict(f"Only a linked connection can be unlinked; this one is {found.status}.")
    connections.set_status(tx, tenant, connection, ConnectionStatus.UNLINKED, now)
    grants.drop(tx, tenant, connection)
    datasets.end_all(tx, tenant, connection, Status.CANCELLED, "The connection was unlinked.", now)
    events.append(tx, tenant, "connection.disconnected", {"connectionId": connection, "status": "Unlinked"}, now)


def deauthorize(tx: Transaction, tenant: TenantId, connection: ConnectionId, message: str, now: datetime) -> None:
    """The upstream no longer accepts our access: datasets end as AuthError, the cause is kept with the connection."""
    found = connections.get(tx, tenant, connection)
    if found.status is not ConnectionStatus.LINKED:
        return
    connections.set_status(tx, tenant, connection, ConnectionStatus.DEAUTHORIZED, now)
    connections.record_error(
        tx, tenant, connection, status_code=401, status_text="Unauthorized", message=message, now=now
    )
    grants.drop(tx, tenant, connection)
    datasets.end_all(tx, tenant, connection, Status.AUTH_ERROR, message, now)
    events.append(tx, tenant, "connection.disconnected", {"connectionId": connection, "status": "Deauthorized"}, now)


def delete(tx: Transaction, tenant: TenantId, connection: ConnectionId, now: datetime) -> None:
    """The connection with its tokens, all that was read over it, and all that was to be told of it."""
    connections.delete(tx, tenant, connection)
    events.forget(tx, tenant, [connection])
    events.append(tx, tenant, "connection.deleted", {"connectionId": connection}, now)


def delete_company(tx: Transaction, tenant: TenantId, company: CompanyId) -> list[ConnectionId]:
    """The company with its connections and all that is below them, and all that was to be told of it; what was deleted
    with it. What stays is that somebody deleted it, by its id, in the audit trail."""
    theirs = [one.id for one in connections.of_company(tx, tenant, company)]
    companies.delete(tx, tenant, company)
    events.forget(tx, tenant, [company, *theirs])
    return theirs
