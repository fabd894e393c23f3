"""Records as plain tables: a preview on the company page, and all of a data type, page by page."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response, get
from litestar.params import FromPath
from sqlalchemy import Connection as Transaction

from comptoir.access import Permission
from comptoir.errors import NotFound
from comptoir.portal.company_state import CompanyState, company_state
from comptoir.portal.looks import LOOKS, Cell, Look, cells, id_of, is_deleted
from comptoir.portal.visits import Asked, Visit
from comptoir.store import companies, records
from comptoir.store.companies import Company

__all__ = ["ROUTES", "Preview", "preview"]

_PREVIEW_SIZE, _PAGE_SIZE = 8, 50
_FIRST_SHOWN = "invoices"


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """Some records of one data type; `total` counts all, those deleted at the source included."""

    key: str
    look: Look
    total: int
    of_connection: str | None  # named where a company has several, so that links lead to the record that is shown
    rows: list[tuple[list[Cell], bool, str]]  # with whether it is deleted at the source, and its id


def preview(tx: Transaction, visit: Visit, company: Company, state: CompanyState, wanted: str) -> Preview | None:
    """The first records of the data type asked for, else of the first that has any."""
    held = [one.key for one in state.types if one.count and one.key in LOOKS]
    if not held:
        return None
    key = wanted if wanted in held else _FIRST_SHOWN if _FIRST_SHOWN in held else held[0]
    return _table(tx, visit, company, state, key, 1, _PREVIEW_SIZE)


def _table(
    tx: Transaction, visit: Visit, company: Company, state: CompanyState, key: str, page: int, size: int
) -> Preview:
    look = LOOKS[key]
    found = records.list_page(
        tx,
        visit.tenant,
        company.id,
        key,
        connection=state.source.connection.id if state.source else None,
        order=look.order,
        page=page,
        page_size=size,
    )
    rows = [
        (cells(document, look, visit.language), is_deleted(document), id_of(document, key))
        for document in found.documents
    ]
    of_connection = state.source.connection.id if state.source and len(state.connections) > 1 else None
    return Preview(key=key, look=look, total=found.total, of_connection=of_connection, rows=rows)


@get("/companies/{company:str}/data/{key:str}", opt={"permission": Permission.READ_DATA}, sync_to_thread=True)
def list_records(visit: Asked, company: FromPath[str], key: FromPath[str]) -> Response[Any]:
    page = visit.page_number
    with visit.services.db.read() as tx:
        found = companies.get(tx, visit.tenant, company)
        state = company_state(tx, visit, found)
        if key not in LOOKS or key not in {one.key for one in state.types}:
            raise NotFound("There is no such data type.")
        table = _table(tx, visit, found, state, key, page, _PAGE_SIZE)
    return visit.page(
        "companies/records.html",
        company=found,
        table=table,
        state=next(one for one in state.types if one.key == key),
        page=page,
        pages=-(-table.total // _PAGE_SIZE),
    )


ROUTES = (list_records,)
