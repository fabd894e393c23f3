"""The books check of a company: each identity in words, what agrees, what does not and by how much, what was not
checked and why; the newest and earlier ones."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response, get
from litestar.params import FromPath

from comptoir.access import Permission
from comptoir.errors import NotFound
from comptoir.portal.looks import LOOKS
from comptoir.portal.visits import Asked, Visit
from comptoir.store import companies, connections, syncs
from comptoir.store.syncs import Sync
from comptoir.sync import Report

__all__ = ["ROUTES"]

_SEES = {"permission": Permission.READ_DATA}
_PAGE_SIZE = 25


class Earlier(msgspec.Struct, frozen=True, kw_only=True):
    """One check in the list of them."""

    sync: Sync
    breaches: int
    held: int


@get("/companies/{company:str}/books-check", opt=_SEES, sync_to_thread=True)
def show_newest(visit: Asked, company: FromPath[str]) -> Response[Any]:
    return _page(visit, company, None)


@get("/companies/{company:str}/books-check/{sync:str}", opt=_SEES, sync_to_thread=True)
def show_one(visit: Asked, company: FromPath[str], sync: FromPath[str]) -> Response[Any]:
    return _page(visit, company, sync)


def _page(visit: Visit, company_id: str, sync: str | None) -> Response[Any]:
    with visit.services.db.read() as tx:
        company = companies.get(tx, visit.tenant, company_id)
        past = syncs.checked_page(tx, visit.tenant, company.id, page=visit.page_number, page_size=_PAGE_SIZE)
        if past.total == 0 and sync is None:
            return visit.page("companies/books_check.html", company=company, check=None)
        shown = syncs.checked(tx, visit.tenant, company.id, sync)
        connection = connections.get(tx, visit.tenant, shown.connection_id, company.id)
    report = _report(shown)
    return visit.page(
        "companies/books_check.html",
        company=company,
        check=shown,
        integration=visit.services.integration_by_key(connection.integration_key),
        report=report,
        lines={state: [one for one in report.lines if one.state == state] for state in _STATES},
        looks=LOOKS,
        past=[_earlier(one) for one in past.rows],
        page=visit.page_number,
        pages=-(-past.total // _PAGE_SIZE),
    )


_STATES = ("breached", "held", "noted", "not checked")


def _earlier(sync: Sync) -> Earlier:
    report = _report(sync)
    return Earlier(sync=sync, breaches=report.breaches, held=sum(one.state == "held" for one in report.lines))


def _report(sync: Sync) -> Report:
    if sync.checks is None:
        raise NotFound("This sync came to no books check.")
    return Report.decode(sync.checks)


ROUTES = (show_newest, show_one)
