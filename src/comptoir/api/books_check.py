"""What the books check of a sync found: a call of our own, beside those of the contract."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

import msgspec

from comptoir.access import Permission
from comptoir.api.answers import Answer
from comptoir.api.calls import Call, id_of
from comptoir.api.listing import PAGING, Page
from comptoir.api.paging import envelope, paging_of
from comptoir.api.routing import Operation, Parameter
from comptoir.model.identities import Fault, Line, State
from comptoir.model.money import plain
from comptoir.store import ConnectionId, companies, connections, syncs
from comptoir.store.syncs import Sync
from comptoir.sync import Report

__all__ = ["OPERATIONS"]

_PATH = "/companies/{companyId}/booksChecks"
_TAG = "Books check"
_CONNECTION = Parameter(name="connectionId", kind="string", text="Of this connection only.")
_encode = msgspec.json.Encoder(decimal_format="number").encode


class BooksCheckFault(Answer, frozen=True, kw_only=True):
    """A record that does not agree, and the two figures that should be one, where they are figures. Without a data
    type it is nothing that is served."""

    data_type: str | None
    record_id: str | None
    message: str
    expected: Decimal | None
    found: Decimal | None
    difference: Decimal | None


class BooksCheckIdentity(Answer, frozen=True, kw_only=True):
    """One identity: `breaches` counts the records that breach it, `faults` names the first of them. `reasons` say why
    it was not, or not wholly, checked. `asOf`: it rests on records that an earlier sync read, at that moment, and they
    agree with what was read now."""

    code: str
    identity: str
    state: State
    records_checked: int
    breaches: int
    faults: tuple[BooksCheckFault, ...]
    reasons: tuple[str, ...]
    as_of: datetime | None


class BooksCheckSummary(Answer, frozen=True, kw_only=True):
    """The check of one sync; identities by how they came out. `stands`: nothing had changed since the sync before, so
    what was found at `checkedAt` still holds."""

    id: UUID
    connection_id: UUID
    started: datetime
    completed: datetime | None
    checked_at: datetime | None
    stands: bool
    breaches: int
    held: int
    breached: int
    noted: int
    not_checked: int


class BooksCheck(BooksCheckSummary, frozen=True, kw_only=True):
    identities: tuple[BooksCheckIdentity, ...]


def _list(call: Call) -> bytes:
    paging, connection = paging_of(call), _connection(call)
    with call.services.db.read() as tx:
        company = companies.get(tx, call.tenant, call.company_id)
        if connection is not None:
            connections.get(tx, call.tenant, connection, company.id)
        page = syncs.checked_page(
            tx, call.tenant, company.id, connection=connection, page=paging.clipped, page_size=paging.size
        )
    return envelope(call, paging, page.total, [_encode(_summary(one)) for one in page.rows])


def _get(call: Call) -> bytes:
    name = call.names["syncId"]
    wanted = None if name.lower() == "latest" else id_of(name, "No books check was found with ID {id}")
    with call.services.db.read() as tx:
        company = companies.get(tx, call.tenant, call.company_id)
        found = syncs.checked(tx, call.tenant, company.id, wanted, _connection(call))
    lines = tuple(map(_identity, _report(found).lines))
    return _encode(BooksCheck(identities=lines, **msgspec.structs.asdict(_summary(found))))


def _connection(call: Call) -> ConnectionId | None:
    text = call.query.get("connectionid")
    return ConnectionId(id_of(text, "Data connection {id} not found")) if text else None


def _report(found: Sync) -> Report:
    assert found.checks is not None, "only syncs with a check are asked for"
    return Report.decode(found.checks)


def _summary(found: Sync) -> BooksCheckSummary:
    report = _report(found)
    states = [line.state for line in report.lines]
    return BooksCheckSummary(
        id=UUID(found.id),
        connection_id=UUID(found.connection_id),
        started=found.started,
        completed=found.ended,
        checked_at=report.checked_at,
        stands=report.stands,
        breaches=report.breaches,
        held=states.count("held"),
        breached=states.count("breached"),
        noted=states.count("noted"),
        not_checked=states.count("not checked"),
    )


def _identity(line: Line) -> BooksCheckIdentity:
    return BooksCheckIdentity(
        code=line.code,
        identity=line.words,
        state=line.state,
        records_checked=line.checked,
        breaches=line.breaches,
        faults=tuple(map(_fault, line.faults)),
        reasons=line.reasons,
        as_of=line.as_of,
    )


def _fault(fault: Fault) -> BooksCheckFault:
    expected, found = fault.should_be, fault.is_
    return BooksCheckFault(
        data_type=fault.data_type or None,
        record_id=fault.id or None,
        message=fault.detail,
        expected=None if expected is None else plain(expected),
        found=None if found is None else plain(found),
        difference=None if fault.difference is None else plain(fault.difference),
    )


OPERATIONS = (
    Operation(
        id="list-books-checks",
        method="GET",
        path=_PATH,
        tag=_TAG,
        summary="List books checks, newest first",
        permission=Permission.READ_DATA,
        handle=_list,
        answer=Page(BooksCheckSummary),
        parameters=(*PAGING, _CONNECTION),
        fails=(400,),
    ),
    Operation(
        id="get-books-check",
        method="GET",
        path=f"{_PATH}/{{syncId}}",
        tag=_TAG,
        summary="Get the books check of a sync; `latest` for the newest",
        permission=Permission.READ_DATA,
        handle=_get,
        answer=BooksCheck,
        parameters=(_CONNECTION,),
    ),
)
