"""One connection: its state, what the approving user may see, what went wrong, and how to end it."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from comptoir.access import Permission
from comptoir.errors import TryLater
from comptoir.portal.company_state import connection_state
from comptoir.portal.looks import LOOKS
from comptoir.portal.visits import Asked
from comptoir.store import companies, connections, events
from comptoir.store.connections import ConnectionStatus

__all__ = ["ROUTES"]

_SEES = {"permission": (Permission.READ_DATA, Permission.LINK)}
_MANAGES = {"permission": Permission.MANAGE_CONNECTIONS}
_BASE = "/companies/{company:str}/connections/{connection:str}"


@get(_BASE, opt=_SEES, sync_to_thread=True)
def show_connection(visit: Asked, company: FromPath[str], connection: FromPath[str]) -> Response[Any]:
    services = visit.services
    with services.db.read() as tx:
        owner = companies.get(tx, visit.tenant, company)
        found = connections.get(tx, visit.tenant, connection, owner.id)
        state = connection_state(tx, visit, found)
    try:
        windows = services.windows_of(found) if found.status is ConnectionStatus.LINKED else []
    except TryLater:  # the page says enough without
        windows = []
    return visit.page(
        "companies/connection.html",
        company=owner,
        state=state,
        connection=found,
        start_address=f"{services.link_url}/companies/{owner.id}/connections/{found.id}/start",
        redirect_uri=services.redirect_uri(state.integration),
        windows=windows,
        confirm=visit.query("confirm"),
        types=[
            (one.name, LOOKS[one.name].name if one.name in LOOKS else one.name, found.allows(one.name))
            for one in state.integration.data_types
        ],
    )


@post(f"{_BASE}/limits", opt=_MANAGES, status_code=303, sync_to_thread=True)
def save_limits(visit: Asked, company: FromPath[str], connection: FromPath[str]) -> Response[Any]:
    """What may be done over a connection. Every box ticked means all data types, those of later versions too."""
    services = visit.services
    with services.db.write() as tx:
        found = connections.get(tx, visit.tenant, connection, company)
        integration = services.integration_by_key(found.integration_key)
        names = [one.name for one in integration.data_types]
        chosen = tuple(name for name in names if f"may-{name}" in visit.form)
        connections.set_limits(
            tx,
            visit.tenant,
            found.id,
            is_read_only="read-only" in visit.form,
            allowed_types=None if len(chosen) == len(names) else chosen,
        )
        events.audit(tx, visit.tenant, visit.actor, "connection.limitsChanged", found.id, services.clock.now())
    return visit.go(f"/companies/{company}/connections/{found.id}", said="limits-saved", name=integration.name)


@post(f"{_BASE}/unlink", opt=_MANAGES, status_code=303, sync_to_thread=True)
def unlink(visit: Asked, company: FromPath[str], connection: FromPath[str]) -> Response[Any]:
    services = visit.services
    with services.db.read() as tx:
        found = connections.get(tx, visit.tenant, connection, company)
    services.unlink(visit.tenant, found.id, visit.actor)
    name = services.integration_by_key(found.integration_key).name
    return visit.go(f"/companies/{company}/connections/{found.id}", said="unlinked", name=name)


@post(f"{_BASE}/delete", opt=_MANAGES, status_code=303, sync_to_thread=True)
def delete_connection(visit: Asked, company: FromPath[str], connection: FromPath[str]) -> Response[Any]:
    services = visit.services
    with services.db.read() as tx:
        found = connections.get(tx, visit.tenant, connection, company)
    services.delete_connection(visit.tenant, found.id, visit.actor)
    name = services.integration_by_key(found.integration_key).name
    return visit.go(f"/companies/{company}", said="connection-deleted", name=name)


ROUTES = (show_connection, save_limits, unlink, delete_connection)
