"""Companies: the list, a new one, and the page of one: how it is linked, what is read, and the records themselves."""

from __future__ import annotations

import re
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from comptoir.access import Permission
from comptoir.errors import InvalidInput
from comptoir.portal.company_state import can_be_linked, company_state
from comptoir.portal.languages import N_
from comptoir.portal.looks import CONNECTION_STATES
from comptoir.portal.records import preview
from comptoir.portal.visits import Asked, Visit
from comptoir.store import companies, connections, events
from comptoir.store.query import Query, parse

__all__ = ["ROUTES", "live_context"]

_SEES = {"permission": (Permission.READ_DATA, Permission.LINK)}
_MAKES = {"permission": Permission.LINK}
_DELETES = {"permission": Permission.DELETE_COMPANIES}
_REFRESHES = {"permission": Permission.REFRESH_DATA}
_PAGE_SIZE = 25
_NO_NAME = N_("Enter the company's name.")
_NO_LETTERS = N_("Enter a name with letters or digits. Spaces and - ' & @ . , ? ! may stand in it too.")


@get("/", opt=_SEES, sync_to_thread=False)
def home(visit: Asked) -> Response[Any]:
    return visit.go("/companies")


@get("/companies", opt=_SEES, sync_to_thread=True)
def list_companies(visit: Asked) -> Response[Any]:
    search, number = visit.query("search")[:200], visit.page_number
    with visit.services.db.read() as tx:
        page = companies.list_page(
            tx, visit.tenant, query=_by_name(search), order="name", page=number, page_size=_PAGE_SIZE
        )
        found = connections.of_companies(tx, visit.tenant, [one.id for one in page.rows])
        is_ready = can_be_linked(tx, visit)
    return visit.page(
        "companies/list.html",
        rows=[(one, _standing(found[one.id])) for one in page.rows],
        is_ready=is_ready,
        search=search,
        page=number,
        pages=-(-page.total // _PAGE_SIZE),
    )


def _by_name(search: str) -> Query | None:
    """A query for names that contain what was typed; the signs of the query language stand in no name."""
    text = re.sub(r"&{2,}", "&", re.sub(r"[{}|\"]", "", search)).strip(" &'")
    return parse(f"name~{text}") if text else None


def _standing(found: list[connections.Connection]) -> dict[str, Any] | None:
    """The connection that tells most about a company: the linked one, else the newest."""
    if not found:
        return None
    best = next((one for one in found if one.status == "Linked"), found[-1])
    tone, word = CONNECTION_STATES[best.status]
    return {"tone": tone, "word": word, "last_sync": best.last_sync}


@get("/companies/new", opt=_MAKES, sync_to_thread=False)
def show_new_company(visit: Asked) -> Response[Any]:
    return visit.page("companies/new.html", name="", error=None)


@post("/companies", opt=_MAKES, status_code=200, sync_to_thread=True)
def add_company(visit: Asked) -> Response[Any]:
    name = visit.form.get("name", "")
    try:
        with visit.services.db.write() as tx:
            now = visit.services.clock.now()
            company = companies.add(tx, visit.tenant, name=name, created_by=visit.actor.name, now=now)
            events.audit(tx, visit.tenant, visit.actor, "company.created", company.id, now)
    except InvalidInput:
        error = visit.say(_NO_LETTERS if name.strip() else _NO_NAME)
        return visit.page("companies/new.html", 422, here="/companies/new", name=name[:400], error=error)
    return visit.go(f"/companies/{company.id}", said="company-added", name=company.name)


@get("/companies/{company:str}", opt=_SEES, sync_to_thread=True)
def show_company(visit: Asked, company: FromPath[str]) -> Response[Any]:
    return visit.page("companies/company.html", confirm=visit.query("confirm"), **live_context(visit, company))


def live_context(visit: Visit, company: str) -> dict[str, Any]:
    """What the company page shows of a company, and shows anew while it changes."""
    with visit.services.db.read() as tx:
        found = companies.get(tx, visit.tenant, company)
        state = company_state(tx, visit, found)
        is_ready = can_be_linked(tx, visit)
        shown = preview(tx, visit, found, state, visit.query("show")) if state.types else None
    return {
        "company": found,
        "state": state,
        "is_ready": is_ready,
        "preview": shown,
        "link_address": f"{visit.services.link_url}/company/{found.id}",
    }


@post(
    "/companies/{company:str}/refresh",
    opt={"permission": Permission.REFRESH_DATA},
    status_code=303,
    sync_to_thread=True,
)
def refresh(visit: Asked, company: FromPath[str]) -> Response[Any]:
    """Read all data types now, or the one that was named; what changed, or everything."""
    with visit.services.db.read() as tx:
        found = companies.get(tx, visit.tenant, company)
    data_type = visit.form.get("data_type", "")
    names = [data_type] if data_type else None
    whole = visit.form.get("whole") == "true"
    visit.services.request_refresh(visit.tenant, found.id, data_types=names, whole=whole)
    return visit.go(f"/companies/{found.id}", said="reading")


@post("/companies/{company:str}/delete", opt=_DELETES, status_code=303, sync_to_thread=True)
def delete_company(visit: Asked, company: FromPath[str]) -> Response[Any]:
    services = visit.services
    with services.db.read() as tx:
        found = companies.get(tx, visit.tenant, company)
    services.delete_company(visit.tenant, found.id, visit.actor)
    return visit.go("/companies", said="company-deleted", name=found.name)


ROUTES = (home, list_companies, show_new_company, add_company, show_company, refresh, delete_company)
