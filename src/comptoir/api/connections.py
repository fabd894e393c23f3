"""Connections of a company: list, create, get, unlink, delete."""

from __future__ import annotations

import msgspec

from comptoir.access import Permission
from comptoir.api import answers
from comptoir.api.answers import Answer, connection_of
from comptoir.api.calls import Call
from comptoir.api.listing import LISTING, Page
from comptoir.api.paging import envelope, paging_of
from comptoir.api.routing import Operation
from comptoir.errors import Conflict, InvalidInput, NotFound
from comptoir.store import companies, connections, events, integration_settings
from comptoir.store.connections import ConnectionStatus

__all__ = ["OPERATIONS"]

_TAG = "Connections"
_BODY_NEEDED = "Push object DataConnectionArgs must be provided"


class CreateConnection(Answer, frozen=True, kw_only=True):
    platform_key: str


class UpdateConnectionStatus(Answer, frozen=True, kw_only=True):
    """`Unlinked` is the one status that can be asked for."""

    status: str | None = None


def _list(call: Call) -> bytes:
    paging = paging_of(call)
    query = call.where()
    with call.services.db.read() as tx:
        company = companies.get(tx, call.tenant, call.company_id)
        page = connections.list_page(
            tx,
            call.tenant,
            company.id,
            query=query,
            order=call.query.get("orderby"),
            page=paging.clipped,
            page_size=paging.size,
        )
    found = [connection_of(call.services, one) for one in page.rows]
    return envelope(call, paging, page.total, answers.encoded(found))


def _create(call: Call) -> bytes:
    company_id = call.company_id
    key = call.decoded(CreateConnection, _BODY_NEEDED).platform_key
    declared = call.services.integration(key)
    with call.services.db.write() as tx:
        company = companies.get(tx, call.tenant, company_id)
        settings = integration_settings.get(tx, call.tenant, declared.key) if declared else None
        if declared is None or settings is None or not settings.enabled:
            raise NotFound(f"No enabled integration was found with key {key}")
        found = connections.add(tx, call.tenant, company.id, declared.key, call.now)
        answer = connection_of(call.services, found)
        payload = {
            "referenceCompany": {"id": company.id, "name": company.name, "description": company.description},
            "connection": msgspec.to_builtins(answer),
        }
        events.append(tx, call.tenant, "connection.created", payload, call.now)
        events.audit(tx, call.tenant, call.actor, "connection.created", found.id, call.now)
    return answers.encode(answer)


def _found(call: Call) -> connections.Connection:
    with call.services.db.read() as tx:
        company = companies.get(tx, call.tenant, call.company_id)
        return connections.get(tx, call.tenant, call.connection_id, company.id)


def _get(call: Call) -> bytes:
    return answers.encode(connection_of(call.services, _found(call)))


def _unlink(call: Call) -> bytes:
    found = _found(call)
    status = call.decoded(UpdateConnectionStatus).status
    if status is None or status.lower() != ConnectionStatus.UNLINKED.lower():
        raise InvalidInput("The status of a connection can only be set to Unlinked.", field="status")
    only_linked = f"Only a Linked connection can be unlinked; this one is {found.status}."
    if found.status is not ConnectionStatus.LINKED:
        raise InvalidInput(only_linked, field="status")
    try:
        call.services.unlink(call.tenant, found.id, call.actor)
    except Conflict as error:
        raise InvalidInput(error.message, field="status") from error
    return _get(call)


def _delete(call: Call) -> bytes:
    found = _found(call)
    call.services.delete_connection(call.tenant, found.id, call.actor)
    return b""


_ALL = "/companies/{companyId}/connections"
_ONE = "/companies/{companyId}/connections/{connectionId}"

OPERATIONS = (
    Operation(
        id="list-connections",
        method="GET",
        path=_ALL,
        tag=_TAG,
        summary="List connections",
        permission=Permission.READ_DATA,
        handle=_list,
        answer=Page(answers.Connection),
        parameters=LISTING,
        fails=(400,),
    ),
    Operation(
        id="create-connection",
        method="POST",
        path=_ALL,
        tag=_TAG,
        summary="Create a connection, to be approved over its linkUrl",
        permission=Permission.LINK,
        handle=_create,
        answer=answers.Connection,
        body=CreateConnection,
        fails=(400,),
    ),
    Operation(
        id="get-connection",
        method="GET",
        path=_ONE,
        tag=_TAG,
        summary="Get a connection",
        permission=Permission.READ_DATA,
        handle=_get,
        answer=answers.Connection,
    ),
    Operation(
        id="unlink-connection",
        method="PATCH",
        path=_ONE,
        tag=_TAG,
        summary="Unlink a connection; its data stays readable",
        permission=Permission.MANAGE_CONNECTIONS,
        handle=_unlink,
        answer=answers.Connection,
        body=UpdateConnectionStatus,
        fails=(400,),
    ),
    Operation(
        id="delete-connection",
        method="DELETE",
        path=_ONE,
        tag=_TAG,
        summary="Delete a connection with all data read over it",
        permission=Permission.MANAGE_CONNECTIONS,
        handle=_delete,
    ),
)
