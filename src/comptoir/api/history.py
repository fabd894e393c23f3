"""What each sync found: calls of our own, beside the list of reads that the contract has."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from comptoir.access import Permission
from comptoir.api import answers
from comptoir.api.answers import Answer, DataTypeKey
from comptoir.api.calls import Call, id_of
from comptoir.api.listing import PAGING, Page
from comptoir.api.paging import envelope, paging_of
from comptoir.api.routing import Operation
from comptoir.store import ConnectionId, SyncId, calls, connections, history
from comptoir.store.datasets import Dataset, Status
from comptoir.store.history import Change, Counted, Layer
from comptoir.store.syncs import Remade
from comptoir.sync import diary
from comptoir.sync.diary import Told, Touched

__all__ = ["OPERATIONS"]

_TAG = "Data history"


class Counts(Answer, frozen=True, kw_only=True):
    new: int
    changed: int
    deleted: int


class DataTypeRead(Answer, frozen=True, kw_only=True):
    """A data type that a sync read: the state its data set is in, and what became of its records."""

    data_type: str
    dataset_id: UUID
    status: Status
    records_read: int
    new: int
    changed: int
    deleted: int
    set_aside: int


class DataTypeRemade(Answer, frozen=True, kw_only=True):
    """A data type that was mapped anew, from so many records of the source."""

    data_type: str
    source_records: int
    new: int
    changed: int
    deleted: int
    set_aside: int


class Sync(Answer, frozen=True, kw_only=True):
    """One run over a connection. `sourceChanges` counts records that changed at the source, by resource; what was read
    for the first time is no change and not among them. `remade` is null for a sync. Otherwise records were mapped anew
    from what is held, without a call: it says what became of each data type, and is empty where that was cut off."""

    id: UUID
    connection_id: UUID
    started: datetime
    ended: datetime | None
    calls: int
    data_types: tuple[DataTypeRead, ...]
    source_changes: dict[str, Counts]
    remade: tuple[DataTypeRemade, ...] | None


class RecordChange(Answer, frozen=True, kw_only=True):
    """`isDirect`: its own record at the source changed; otherwise it follows from another that did."""

    data_type: DataTypeKey
    id: str
    change: Change
    is_direct: bool
    is_deleted: bool


class SourceChange(Answer, frozen=True, kw_only=True):
    resource: str
    id: str
    change: Change


class BudgetLeft(Answer, frozen=True, kw_only=True):
    """How many more calls a window of the integration's limits allowed."""

    window_seconds: int
    calls: int


class SourceCall(Answer, frozen=True, kw_only=True):
    """One call to the integration. `status` is null where no answer came, and `problem` says why. `attempt` counts from
    1 for what was tried again. `curl` is the call as a command; its secrets are variables to be set."""

    sent: datetime
    method: str
    url: str
    resource: str
    status: int | None
    problem: str | None
    duration_milliseconds: int
    bytes: int
    attempt: int
    budget_left: tuple[BudgetLeft, ...]
    curl: str


def _counts(found: Counted) -> Counts:
    return Counts(new=found.new, changed=found.changed, deleted=found.deleted)


def _read(found: Dataset) -> DataTypeRead:
    return DataTypeRead(
        data_type=found.data_type,
        dataset_id=UUID(found.id),
        status=found.status,
        records_read=found.records_read,
        new=found.records_new,
        changed=found.records_changed,
        deleted=found.records_deleted,
        set_aside=found.records_set_aside,
    )


def _remade(found: Remade) -> DataTypeRemade:
    return DataTypeRemade(
        data_type=found.data_type,
        source_records=found.rows,
        new=found.new,
        changed=found.changed,
        deleted=found.deleted,
        set_aside=found.set_aside,
    )


def _sync(told: Told) -> Sync:
    return Sync(
        id=UUID(told.sync.id),
        connection_id=UUID(told.sync.connection_id),
        started=told.sync.started,
        ended=told.sync.ended,
        calls=told.sync.calls,
        data_types=tuple(map(_read, told.datasets)),
        source_changes={name: _counts(one) for name, one in sorted(told.source.items())},
        remade=None if told.sync.remade is None else tuple(map(_remade, told.sync.remade)),
    )


def _change(one: Touched) -> RecordChange:
    return RecordChange(
        data_type=DataTypeKey(one.data_type),
        id=one.id,
        change=one.change,
        is_direct=one.is_direct,
        is_deleted=one.made is None or one.made.is_deleted,
    )


def _source_call(one: calls.Made) -> SourceCall:
    return SourceCall(
        sent=one.sent,
        method=one.method,
        url=one.url,
        resource=one.resource,
        status=one.status,
        problem=one.problem,
        duration_milliseconds=one.milliseconds,
        bytes=one.size,
        attempt=one.attempt,
        budget_left=tuple(BudgetLeft(window_seconds=seconds, calls=left) for seconds, left in one.left),
        curl=diary.curl(one),
    )


def _connection(call: Call) -> ConnectionId:
    with call.services.db.read() as tx:
        return connections.get(tx, call.tenant, call.connection_id, call.company_id).id


def _sync_id(call: Call) -> SyncId:
    return SyncId(id_of(call.names["syncId"], "No sync was found with ID {id}"))


def _list(call: Call) -> bytes:
    paging, connection = paging_of(call), _connection(call)
    with call.services.db.read() as tx:
        page = diary.page(tx, call.tenant, connection, paging.clipped, paging.size)
    return envelope(call, paging, page.total, answers.encoded([_sync(one) for one in page.rows]))


def _get(call: Call) -> bytes:
    connection = _connection(call)
    with call.services.db.read() as tx:
        return answers.encode(_sync(diary.tell(tx, call.tenant, connection, _sync_id(call))))


def _changes(call: Call) -> bytes:
    paging, connection, sync = paging_of(call), _connection(call), _sync_id(call)
    with call.services.db.read() as tx:
        diary.tell(tx, call.tenant, connection, sync)
        page = diary.touched(
            tx, call.tenant, call.company_id, connection, sync, number=paging.clipped, size=paging.size
        )
    return envelope(call, paging, page.total, answers.encoded([_change(one) for one in page.rows]))


def _source_changes(call: Call) -> bytes:
    paging, connection, sync = paging_of(call), _connection(call), _sync_id(call)
    with call.services.db.read() as tx:
        diary.tell(tx, call.tenant, connection, sync)
        owner = (call.tenant, connection, sync, Layer.SOURCE)
        page = history.list_page(tx, *owner, page=paging.clipped, page_size=paging.size)
    found = [SourceChange(resource=one.name, id=one.id, change=one.change) for one in page.rows]
    return envelope(call, paging, page.total, answers.encoded(found))


def _calls(call: Call) -> bytes:
    paging, connection, sync = paging_of(call), _connection(call), _sync_id(call)
    with call.services.db.read() as tx:
        diary.tell(tx, call.tenant, connection, sync)
        found = calls.of_sync(tx, call.tenant, connection, sync)
    start = (paging.clipped - 1) * paging.size
    listed = [_source_call(one) for one in found[start : start + paging.size]]
    return envelope(call, paging, len(found), answers.encoded(listed))


_SYNCS = "/companies/{companyId}/connections/{connectionId}/syncs"

OPERATIONS = (
    Operation(
        id="list-syncs",
        method="GET",
        path=_SYNCS,
        tag=_TAG,
        summary="List syncs, newest first: calls made, and what became of the records of each data type",
        permission=Permission.READ_DATA,
        handle=_list,
        answer=Page(Sync),
        parameters=PAGING,
        fails=(400,),
    ),
    Operation(
        id="get-sync",
        method="GET",
        path=f"{_SYNCS}/{{syncId}}",
        tag=_TAG,
        summary="Get a sync",
        permission=Permission.READ_DATA,
        handle=_get,
        answer=Sync,
    ),
    Operation(
        id="list-sync-changes",
        method="GET",
        path=f"{_SYNCS}/{{syncId}}/changes",
        tag=_TAG,
        summary="List exactly the records that a sync made, changed or marked as deleted",
        permission=Permission.READ_DATA,
        handle=_changes,
        answer=Page(RecordChange),
        parameters=PAGING,
        fails=(400,),
    ),
    Operation(
        id="list-sync-source-changes",
        method="GET",
        path=f"{_SYNCS}/{{syncId}}/sourceChanges",
        tag=_TAG,
        summary="List the records of the source that a sync found new, changed or gone",
        permission=Permission.READ_DATA,
        handle=_source_changes,
        answer=Page(SourceChange),
        parameters=PAGING,
        fails=(400,),
    ),
    Operation(
        id="list-sync-calls",
        method="GET",
        path=f"{_SYNCS}/{{syncId}}/calls",
        tag=_TAG,
        summary="List every call that a sync made to the integration, in order; kept for 14 days",
        handle=_calls,
        permission=Permission.READ_DATA,
        answer=Page(SourceCall),
        parameters=PAGING,
        fails=(400,),
    ),
)
