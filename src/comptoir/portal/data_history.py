"""What each sync of a company did: when, with how many calls, and exactly which records are new, changed or deleted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import msgspec
from litestar import Response, get
from litestar.params import FromPath
from sqlalchemy import Connection as Transaction

from comptoir.access import Permission
from comptoir.errors import NotFound
from comptoir.portal.languages import N_
from comptoir.portal.looks import LOOKS, dataset_state, title
from comptoir.portal.visits import Asked, Visit
from comptoir.store import calls, companies, connections
from comptoir.store.companies import Company
from comptoir.store.connections import Connection
from comptoir.store.datasets import Status
from comptoir.store.history import KEPT, MOST_LISTED, Change
from comptoir.store.syncs import Remade
from comptoir.sync import diary
from comptoir.sync.diary import Told, Touched

__all__ = ["ROUTES"]

_SEES = {"permission": Permission.READ_DATA}
_PAGE_SIZE = 25
_MOST_AT_ONCE = 400  # changes on one page
_CALLS_AT_ONCE = 25
_CHANGES = {
    Change.NEW: ("good", N_("New")),
    Change.CHANGED: ("busy", N_("Changed")),
    Change.DELETED: ("bad", N_("Deleted")),
}


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A sync in the list of them; `is_first`: nothing had been read before it."""

    told: Told
    tone: str
    word: str
    new: int
    changed: int
    deleted: int
    set_aside: int
    is_first: bool

    @property
    def took(self) -> timedelta | None:
        return None if self.told.sync.ended is None else self.told.sync.ended - self.told.sync.started


class TypeRead(msgspec.Struct, frozen=True, kw_only=True):
    """A data type in one sync: how many records are new, changed, deleted and set aside. `is_quiet`: there is nothing
    to say of how it was read."""

    key: str
    name: str
    tone: str
    word: str
    counts: tuple[int, int, int, int]
    is_quiet: bool

    @property
    def is_unchanged(self) -> bool:
        return self.is_quiet and not any(self.counts)


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A changed record in words."""

    tone: str
    word: str
    key: str
    data_type: str
    id: str
    name: str
    is_kept: bool


def _line(told: Told, *, is_old: bool) -> Line:
    """`is_old`: which records it changed is forgotten, so nothing follows from there being no list of them."""
    tone, word = "good", N_("Complete")
    if told.sync.remade is not None:
        return _remade(told, told.sync.remade)
    if told.sync.ended is None:
        tone, word = "busy", N_("Under way")
    elif any(one.status.is_error for one in told.datasets):
        tone, word = "bad", N_("Not all was read")
    listed = sum(one.total for one in told.standard.values())
    new = sum(one.records_new for one in told.datasets)
    return Line(
        told=told,
        tone=tone,
        word=word,
        new=new,
        changed=sum(one.records_changed for one in told.datasets),
        deleted=sum(one.records_deleted for one in told.datasets),
        set_aside=sum(one.records_set_aside for one in told.datasets),
        is_first=bool(new) and not listed and not is_old,
    )


def _remade(told: Told, found: Sequence[Remade]) -> Line:
    tone, word = ("good", N_("Mapped anew")) if found else ("bad", N_("Cut off"))
    return Line(
        told=told,
        tone=tone,
        word=word,
        new=sum(one.new for one in found),
        changed=sum(one.changed for one in found),
        deleted=sum(one.deleted for one in found),
        set_aside=sum(one.set_aside for one in found),
        is_first=False,
    )


def _is_old(visit: Visit, told: Told) -> bool:
    return told.sync.ended is not None and told.sync.ended < visit.services.clock.now() - KEPT


def _entry(visit: Visit, one: Touched) -> Entry:
    tone, word = _CHANGES[one.change]
    look = LOOKS.get(one.data_type)
    name = title(one.made.document, look, visit.language) if one.made is not None and look is not None else ""
    return Entry(
        tone=tone,
        word=word,
        key=one.data_type,
        data_type=look.name if look is not None else one.data_type,
        id=one.id,
        name=name or one.id,
        is_kept=one.made is not None and look is not None,
    )


def _connection(tx: Transaction, visit: Visit, company: Company) -> tuple[Connection | None, list[Connection]]:
    """The connection whose history is asked for, else the one that was linked last; and all that there are."""
    found = connections.of_company(tx, visit.tenant, company.id)
    wanted = next((one for one in found if one.id == visit.query("connection")), None)
    linked = [one for one in found if one.linked_at is not None]
    return wanted or next(iter(reversed(linked or found)), None), found


@get("/companies/{company:str}/history", opt=_SEES, sync_to_thread=True)
def show_history(visit: Asked, company: FromPath[str]) -> Response[Any]:
    services = visit.services
    with services.db.read() as tx:
        owner = companies.get(tx, visit.tenant, company)
        connection, found = _connection(tx, visit, owner)
        number = visit.page_number
        page = None
        if connection is not None:
            page = diary.page(tx, visit.tenant, connection.id, number, _PAGE_SIZE)
    return visit.page(
        "companies/history.html",
        company=owner,
        connection=connection,
        others=[(one, services.integration_by_key(one.integration_key)) for one in found] if len(found) > 1 else [],
        lines=[_line(one, is_old=_is_old(visit, one)) for one in page.rows] if page is not None else [],
        page=number,
        pages=-(-page.total // _PAGE_SIZE) if page is not None else 0,
    )


def _sync(tx: Transaction, visit: Visit, company: Company, sync: str) -> tuple[Connection, Told]:
    """A sync of a company, over whichever of its connections it was."""
    for connection in connections.of_company(tx, visit.tenant, company.id):
        try:
            return connection, diary.tell(tx, visit.tenant, connection.id, sync)
        except NotFound:
            continue
    raise NotFound("There is no such sync.")


@get("/companies/{company:str}/history/{sync:str}", opt=_SEES, sync_to_thread=True)
def show_sync(visit: Asked, company: FromPath[str], sync: FromPath[str]) -> Response[Any]:
    services, number = visit.services, visit.page_number
    with services.db.read() as tx:
        owner = companies.get(tx, visit.tenant, company)
        connection, told = _sync(tx, visit, owner, sync)
        integration = services.integration_by_key(connection.integration_key)
        place = (visit.tenant, owner.id, connection.id, told.sync.id)
        page = diary.touched(tx, *place, number=number, size=_MOST_AT_ONCE)
        others = diary.unmapped(tx, visit.tenant, connection.id, told, integration) if number == 1 else []
    changes = [(one, _entry(visit, one)) for one in page.rows]
    return visit.page(
        "companies/sync.html",
        company=owner,
        integration=integration,
        line=_line(told, is_old=_is_old(visit, told)),
        direct=[entry for one, entry in changes if one.is_direct],
        follows=[entry for one, entry in changes if not one.is_direct],
        others=[(_CHANGES[one.change], one) for one in others],
        types=list(_types(told)),
        has_check=told.sync.checks is not None,
        is_old=_is_old(visit, told),
        is_cut=any(one.total >= MOST_LISTED for one in told.standard.values()),
        page=number,
        pages=-(-page.total // _MOST_AT_ONCE),
        query=f"?connection={connection.id}",
    )


def _types(told: Told) -> Iterator[TypeRead]:
    for one in told.datasets:
        tone, word = dataset_state(one)
        yield TypeRead(
            key=one.data_type,
            name=_name(one.data_type),
            tone=tone,
            word=word,
            counts=(one.records_new, one.records_changed, one.records_deleted, one.records_set_aside),
            is_quiet=one.status is Status.COMPLETE,
        )
    for made in told.sync.remade or ():
        counts = (made.new, made.changed, made.deleted, made.set_aside)
        name = _name(made.data_type)
        yield TypeRead(key=made.data_type, name=name, tone="good", word=N_("Mapped anew"), counts=counts, is_quiet=True)


def _name(key: str) -> str:
    return LOOKS[key].name if key in LOOKS else key


@get("/companies/{company:str}/history/{sync:str}/calls", opt=_SEES, sync_to_thread=True)
def show_calls(visit: Asked, company: FromPath[str], sync: FromPath[str]) -> Response[Any]:
    services, number = visit.services, visit.page_number
    with services.db.read() as tx:
        owner = companies.get(tx, visit.tenant, company)
        connection, told = _sync(tx, visit, owner, sync)
        made = calls.of_sync(tx, visit.tenant, connection.id, told.sync.id)
    start = (number - 1) * _CALLS_AT_ONCE
    return visit.page(
        "companies/calls.html",
        company=owner,
        integration=services.integration_by_key(connection.integration_key),
        sync=told.sync,
        calls=[
            (start + place, one, urlsplit(one.url)._replace(scheme="", netloc="").geturl(), diary.curl(one))
            for place, one in enumerate(made[start : start + _CALLS_AT_ONCE], 1)
        ],
        total=len(made),
        kept_days=calls.KEPT.days,
        is_old=told.sync.ended is not None and told.sync.ended < services.clock.now() - calls.KEPT,
        page=number,
        pages=-(-len(made) // _CALLS_AT_ONCE),
    )


ROUTES = (show_history, show_sync, show_calls)
