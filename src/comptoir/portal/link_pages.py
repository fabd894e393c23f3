"""Link pages: what a customer sees. No sign-in; the address is unguessable, and shows nothing of anyone else.

A customer is sent to the upstream by plain links, bound to the browser they begin in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from litestar import Response, get
from litestar.params import FromPath
from sqlalchemy import Connection as Transaction

from comptoir.errors import ActionNeeded, Conflict, NotFound, TryLater
from comptoir.integrations.contract import Integration
from comptoir.link import Outcome
from comptoir.portal.company_state import ConnectionState, connection_state
from comptoir.portal.languages import N_
from comptoir.portal.organisation import organisation_name
from comptoir.portal.return_address import return_address
from comptoir.portal.visits import ANYONE, Asked, Visit
from comptoir.store import companies, connections, events, integration_settings, profile
from comptoir.store.companies import Company
from comptoir.store.connections import Connection, ConnectionStatus
from comptoir.store.trail import Actor, ActorKind

__all__ = ["ROUTES", "callback"]

_OPEN = {"permission": ANYONE}
_RESERVED = ("link.", "otp")
_MOST_PARAMETERS, _LONGEST_PARAMETER = 20, 500
_CLOSED = N_("%(name)s cannot be linked just now.")


@get("/company/{company:str}", opt=_OPEN, sync_to_thread=True)
def show_link_page(visit: Asked, company: FromPath[str]) -> Response[Any]:
    return _page(visit, company)


def _page(visit: Visit, company: str, status: int = 200, problem: str | None = None) -> Response[Any]:
    services = visit.services
    with services.db.read() as tx:
        found = _company(tx, company)
        name = organisation_name(tx, found.tenant_id, services)
        held = [connection_state(tx, visit, one) for one in connections.of_company(tx, found.tenant_id, found.id)]
        choices = [_choice(tx, visit, found, one, held) for one in services.integrations]
    return visit.page(
        "link/company.html",
        status,
        here=f"{services.link_path}/company/{found.id}",
        is_link_page=True,
        company=found,
        organisation=name,
        choices=[one for one in choices if one is not None],
        is_linked=any(one.connection.status is ConnectionStatus.LINKED for one in held),
        has_just_linked=visit.query("link.outcome") == "linked",
        problem=problem,
    )


def _company(tx: Transaction, company: str) -> Company:
    found = companies.find(tx, company)
    if found is None:
        raise NotFound("No company was found.")
    return found


def _choice(
    tx: Transaction, visit: Visit, company: Company, integration: Integration, held: list[ConnectionState]
) -> dict[str, Any] | None:
    """One integration on the Link page: how far it is, and the address that goes on. None when it is not offered."""
    settings = integration_settings.get(tx, company.tenant_id, integration.key)
    mine = [one for one in held if one.integration.key == integration.key]
    best = next((one for one in mine if one.connection.status is ConnectionStatus.LINKED), mine[-1] if mine else None)
    if (settings is None or not settings.enabled) and best is None:
        return None
    base = visit.services.link_path
    path = (
        f"{base}/companies/{company.id}/connections/{best.connection.id}/start"
        if best is not None
        else f"{base}/company/{company.id}/{integration.slug}/start"
    )
    own = _own_parameters(visit)
    return {
        "integration": integration,
        "state": best,
        "is_open": settings is not None and settings.enabled,
        "start": f"{path}?{urlencode(own)}" if own else path,
    }


def _own_parameters(visit: Visit) -> dict[str, str]:
    """The Link URL's own parameters, given back at the end of the flow."""
    found = {
        name: value[:_LONGEST_PARAMETER]
        for name, value in visit.request.query_params.items()
        if not name.startswith(_RESERVED) and len(name) <= 100
    }
    return dict(list(found.items())[:_MOST_PARAMETERS])


@get("/company/{company:str}/{slug:str}/start", opt=_OPEN, sync_to_thread=True)
def choose(visit: Asked, company: FromPath[str], slug: FromPath[str]) -> Response[Any]:
    """The customer chose an integration: the connection is made, or found, and the approval begins."""
    integration, services = visit.services.integration(slug), visit.services
    with services.db.write() as tx:
        found = _company(tx, company)
        settings = integration_settings.get(tx, found.tenant_id, integration.key)
        if settings is None or not settings.enabled:
            raise Conflict(visit.say(_CLOSED, name=integration.name))
        theirs = connections.of_company(tx, found.tenant_id, found.id)
        mine = [one for one in theirs if one.integration_key == integration.key]
        chosen = mine[-1] if mine else _made(tx, visit, found, integration)
    return _start(visit, chosen)


def _made(tx: Transaction, visit: Visit, company: Company, integration: Integration) -> Connection:
    now = visit.services.clock.now()
    made = connections.add(tx, company.tenant_id, company.id, integration.key, now)
    customer = Actor(kind=ActorKind.CUSTOMER, name="Link URL", address=visit.address)
    events.audit(tx, company.tenant_id, customer, "connection.created", made.id, now)
    return made


@get("/companies/{company:str}/connections/{connection:str}/start", opt=_OPEN, sync_to_thread=True)
def start(visit: Asked, company: FromPath[str], connection: FromPath[str]) -> Response[Any]:
    """Straight to the upstream's approval."""
    with visit.services.db.read() as tx:
        found = connections.find(tx, connection)
    if found is None or found.company_id != company:
        raise NotFound("No connection was found.")
    return _start(visit, found)


def _start(visit: Visit, connection: Connection) -> Response[Any]:
    integration = visit.services.integration_by_key(connection.integration_key)
    try:
        address = visit.services.start_link(connection, browser=visit.browser, parameters=_own_parameters(visit))
    except (Conflict, ActionNeeded, TryLater):
        problem = visit.say(_CLOSED, name=integration.name)
        return _page(visit, connection.company_id, 409, problem)
    return visit.go(address)


@get("/oauth/callback", opt=_OPEN, sync_to_thread=True)
def callback(visit: Asked) -> Response[Any]:
    """Where the upstream sends the customer back to, with an approval or without."""
    services = visit.services

    def given(name: str) -> str | None:
        return visit.request.query_params.get(name, "")[:4096] or None

    outcome = services.finish_link(
        state=given("state"),
        code=given("code"),
        error=given("error"),
        description=given("error_description"),
        browser=visit.browser,
        address=visit.address,
    )
    connection = outcome.connection
    if connection is None:
        return visit.page("link/lost.html", 400, here="/", is_link_page=True, message=outcome.message, connection=None)
    if outcome.status_code == 200:
        _begin_reading(visit, connection)
    if (address := _own_end(visit, connection, outcome)) is not None:
        return visit.go(address)
    page = f"{services.link_url}/company/{connection.company_id}"
    if outcome.status_code == 200:
        return visit.go(f"{page}?link.outcome=linked")
    with services.db.read() as tx:
        name = organisation_name(tx, connection.tenant_id, services)
    return visit.page(
        "link/ended.html",
        outcome.status_code if outcome.status_code in (403, 409) else 400,
        here="/",
        is_link_page=True,
        organisation=name,
        integration=services.integration_by_key(connection.integration_key),
        message=outcome.message,
        was_denied=outcome.status_code == 403,
        page=page,
    )


def _begin_reading(visit: Visit, connection: Connection) -> None:
    try:
        visit.services.request_refresh(connection.tenant_id, connection.company_id, connection=connection.id)
    except (Conflict, NotFound):
        return  # it is being read already, or was deleted at this very moment: nothing is missed


def _own_end(visit: Visit, connection: Connection, outcome: Outcome) -> str | None:
    """The tenant's own page for customers who are done, if it has one."""
    services = visit.services
    integration = services.integration_by_key(connection.integration_key)
    with services.db.read() as tx:
        found = profile.get(tx, connection.tenant_id, "")
    reserved: Mapping[str, str] = {
        "clientId": connection.tenant_id,
        "connectionId": connection.id,
        "companyId": connection.company_id,
        "integrationId": str(integration.integration_id),
        "sourceId": str(integration.source_id),
        "platform": integration.key,
        "platformName": integration.name,
        "sourceType": integration.source_type,
        "statusCode": str(outcome.status_code),
        "errorMessage": "" if outcome.status_code == 200 else outcome.message,
        "statusText": "" if outcome.status_code == 200 else outcome.message,
        "data.company.companyName": outcome.company_name or "",
    }
    return return_address(found, reserved, outcome.parameters)


ROUTES = (show_link_page, choose, start)
