"""Companies: list, create, get, replace, change, delete."""

from __future__ import annotations

from comptoir.access import Permission
from comptoir.api import answers
from comptoir.api.answers import Answer, company_of
from comptoir.api.calls import Call
from comptoir.api.listing import LISTING, TAGS, Page
from comptoir.api.paging import envelope, paging_of
from comptoir.api.routing import Operation
from comptoir.errors import InvalidInput
from comptoir.store import companies, connections, events

__all__ = ["OPERATIONS"]

_TAG = "Companies"


class CompanyRequestBody(Answer, frozen=True, kw_only=True):
    """`name` may hold letters, digits, blanks and - ' & @ . , ? !; other characters are removed."""

    name: str
    description: str | None = None
    tags: dict[str, str] | None = None


class CompanyUpdateRequest(Answer, frozen=True, kw_only=True):
    """Members that are sent and not null change; an empty object of tags clears them."""

    name: str | None = None
    description: str | None = None
    tags: dict[str, str] | None = None


def _body(call: Call) -> CompanyRequestBody:
    sent = call.decoded(CompanyUpdateRequest)
    if sent.name is None:
        raise InvalidInput("A company needs a name.", field="name")
    return CompanyRequestBody(name=sent.name, description=sent.description, tags=sent.tags)


def _list(call: Call) -> bytes:
    paging = paging_of(call)
    query, tags = call.where(), call.where("tags")
    with call.services.db.read() as tx:
        page = companies.list_page(
            tx,
            call.tenant,
            query=query,
            tags=tags,
            order=call.query.get("orderby"),
            page=paging.clipped,
            page_size=paging.size,
        )
        linked = connections.of_companies(tx, call.tenant, [one.id for one in page.rows])
    found = [company_of(call.services, one, linked[one.id]) for one in page.rows]
    return envelope(call, paging, page.total, answers.encoded(found))


def _answer(call: Call, found: companies.Company, linked: list[connections.Connection]) -> bytes:
    return answers.encode(company_of(call.services, found, linked))


def _create(call: Call) -> bytes:
    body = _body(call)
    assert call.key is not None
    with call.services.db.write() as tx:
        found = companies.add(
            tx,
            call.tenant,
            name=body.name,
            description=body.description,
            tags=body.tags,
            created_by=call.key.name,
            now=call.now,
        )
        events.audit(tx, call.tenant, call.actor, "company.created", found.id, call.now)
    return _answer(call, found, [])


def _get(call: Call) -> bytes:
    with call.services.db.read() as tx:
        found = companies.get(tx, call.tenant, call.company_id)
        linked = connections.of_company(tx, call.tenant, found.id)
    return _answer(call, found, linked)


def _replace(call: Call) -> bytes:
    id_, body = call.company_id, _body(call)
    with call.services.db.write() as tx:
        found = companies.replace(tx, call.tenant, id_, name=body.name, description=body.description, tags=body.tags)
        linked = connections.of_company(tx, call.tenant, found.id)
        events.audit(tx, call.tenant, call.actor, "company.changed", found.id, call.now)
    return _answer(call, found, linked)


def _update(call: Call) -> bytes:
    id_, body = call.company_id, call.decoded(CompanyUpdateRequest)
    with call.services.db.write() as tx:
        found = companies.update(tx, call.tenant, id_, name=body.name, description=body.description, tags=body.tags)
        linked = connections.of_company(tx, call.tenant, found.id)
        events.audit(tx, call.tenant, call.actor, "company.changed", found.id, call.now)
    return _answer(call, found, linked)


def _delete(call: Call) -> bytes:
    call.services.delete_company(call.tenant, call.company_id, call.actor)
    return b""


_ONE = "/companies/{companyId}"
_COMPANY = answers.Company

OPERATIONS = (
    Operation(
        id="list-companies",
        method="GET",
        path="/companies",
        tag=_TAG,
        summary="List companies",
        permission=Permission.READ_DATA,
        handle=_list,
        answer=Page(_COMPANY),
        parameters=(*LISTING, TAGS),
        fails=(400,),
    ),
    Operation(
        id="create-company",
        method="POST",
        path="/companies",
        tag=_TAG,
        summary="Create a company",
        permission=Permission.LINK,
        handle=_create,
        answer=_COMPANY,
        body=CompanyRequestBody,
        fails=(400,),
    ),
    Operation(
        id="get-company",
        method="GET",
        path=_ONE,
        tag=_TAG,
        summary="Get a company",
        permission=Permission.READ_DATA,
        handle=_get,
        answer=_COMPANY,
    ),
    Operation(
        id="replace-company",
        method="PUT",
        path=_ONE,
        tag=_TAG,
        summary="Replace name, description and tags of a company",
        permission=Permission.LINK,
        handle=_replace,
        answer=_COMPANY,
        body=CompanyRequestBody,
        fails=(400,),
    ),
    Operation(
        id="update-company",
        method="PATCH",
        path=_ONE,
        tag=_TAG,
        summary="Change members of a company",
        permission=Permission.LINK,
        handle=_update,
        answer=_COMPANY,
        body=CompanyUpdateRequest,
        fails=(400,),
    ),
    Operation(
        id="delete-company",
        method="DELETE",
        path=_ONE,
        tag=_TAG,
        summary="Delete a company with its connections and all data",
        permission=Permission.DELETE_COMPANIES,
        handle=_delete,
        success=204,
    ),
)
