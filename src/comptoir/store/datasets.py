"""Datasets: one read of one data type. The queue of syncs, and their history."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection, Row

from comptoir.errors import Conflict, NotFound
from comptoir.model import SHAPES, ColumnKind
from comptoir.store import lists, records
from comptoir.store.history import KEPT
from comptoir.store.ids import CompanyId, ConnectionId, DatasetId, SyncId, TenantId, new_id
from comptoir.store.query import Order, Property, Query, Where
from comptoir.store.rows import Page, all_of, insert_if_free, one_of, only, struct_of
from comptoir.store.tables import CONNECTIONS, DATASET_IS_OPEN
from comptoir.store.tables import DATASETS as TABLE

__all__ = [
    "QUIET_KEPT",
    "Dataset",
    "Status",
    "Warning_",
    "advance",
    "all_waiting",
    "count",
    "end_all",
    "get",
    "latest",
    "list_page",
    "newest_of",
    "of_syncs",
    "open_ones",
    "purge",
    "queue",
    "set_right",
    "wake",
    "warn",
]


QUIET_KEPT = timedelta(days=14)  # as long as the calls that were made for it
_CLOCKS_APART = timedelta(minutes=10)


class Status(StrEnum):
    """As the public API names them; those from COMPLETE on are final."""

    INITIAL = "Initial"
    QUEUED = "Queued"
    FETCHING = "Fetching"
    MAP_QUEUED = "MapQueued"
    MAPPING = "Mapping"
    PROCESSING_QUEUED = "ProcessingQueued"
    PROCESSING = "Processing"
    VALIDATION_QUEUED = "ValidationQueued"
    VALIDATING = "Validating"
    COMPLETE = "Complete"
    FETCH_ERROR = "FetchError"
    MAP_ERROR = "MapError"
    INTERNAL_ERROR = "InternalError"
    PROCESSING_ERROR = "ProcessingError"
    VALIDATION_ERROR = "ValidationError"
    AUTH_ERROR = "AuthError"
    RATE_LIMIT_ERROR = "RateLimitError"
    PERMISSIONS_ERROR = "PermissionsError"
    PREREQUISITE_NOT_MET = "PrerequisiteNotMet"
    NOT_SUPPORTED = "NotSupported"
    CANCELLED = "Cancelled"

    @property
    def is_ended(self) -> bool:
        return self is Status.COMPLETE or self.is_error

    @property
    def is_error(self) -> bool:
        return self.value.endswith("Error") or self in (
            Status.PREREQUISITE_NOT_MET,
            Status.NOT_SUPPORTED,
            Status.CANCELLED,
        )


PROPERTIES = {
    "id": Property("datasets.id", ColumnKind.ID),
    "companyid": Property("datasets.company_id", ColumnKind.ID),
    "connectionid": Property("datasets.connection_id", ColumnKind.ID),
    "datatype": Property("datasets.data_type", ColumnKind.ENUM),
    "status": Property("datasets.status", ColumnKind.ENUM),
    "statusdescription": Property("datasets.status_description", ColumnKind.TEXT),
    "errormessage": Property("datasets.error_message", ColumnKind.TEXT),
    "requested": Property("datasets.requested", ColumnKind.INSTANT),
    "completed": Property("datasets.completed", ColumnKind.INSTANT),
    "progress": Property("datasets.progress", ColumnKind.INTEGER),
}


class Warning_(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):  # noqa: N801 - the plain name is Python's own
    """Doubt that did not stop the dataset, as the validation answer tells it."""

    item_id: str
    message: str
    rule_id: str = "mapping"
    validator_name: str = ""


class Dataset(msgspec.Struct, frozen=True, kw_only=True):
    """`is_whole`: everything is to be read again, not only what changed."""

    id: DatasetId
    tenant_id: TenantId
    company_id: CompanyId
    connection_id: ConnectionId
    data_type: str
    status: Status
    status_description: str | None
    error_message: str | None
    requested: datetime
    started: datetime | None
    completed: datetime | None
    progress: int
    records_read: int
    records_new: int
    records_changed: int
    records_deleted: int
    records_set_aside: int
    warnings: tuple[Warning_, ...]
    sync_id: str | None
    retry_at: datetime | None
    attempt: int
    is_whole: bool


_warnings = msgspec.json.Decoder(tuple[Warning_, ...])


def _dataset(row: Row[Any]) -> Dataset:
    return struct_of(Dataset, row, status=Status(row.status), warnings=_warnings.decode(row.warnings))


def queue(
    tx: Connection,
    tenant: TenantId,
    company: CompanyId,
    connection: ConnectionId,
    data_type: str,
    now: datetime,
    *,
    is_whole: bool = False,
) -> Dataset:
    """Queue a read; Conflict if one of this type is running. One that only waits for its next try is run at once."""
    mine = only(TABLE, tenant, TABLE.c.connection_id == connection, TABLE.c.data_type == data_type)
    is_running = sa.select(TABLE).where(mine, DATASET_IS_OPEN)
    running = tx.execute(is_running).one_or_none()
    if running is None:
        id_ = DatasetId(new_id())
        if insert_if_free(
            tx,
            TABLE,
            id=id_,
            tenant_id=tenant,
            company_id=company,
            connection_id=connection,
            data_type=data_type,
            status=Status.QUEUED.value,
            requested=now,
            warnings=b"[]",
            is_whole=is_whole,
        ):
            return get(tx, tenant, id_)
        running = tx.execute(is_running).one()  # asked for by somebody else at this very moment
    if running.status == Status.QUEUED and running.retry_at is not None:
        is_whole = is_whole or running.is_whole
        return advance(tx, tenant, running.id, retry_at=None, status_description=None, is_whole=is_whole)
    raise Conflict(
        f"DatasetAlreadyInProgressException: Cannot queue {data_type} sync for {company} as previous sync "
        f"{running.id} is still in progress"
    )


def get(tx: Connection, tenant: TenantId, dataset: str, company: str | None = None) -> Dataset:
    message = f"No data set was found with ID {dataset}"
    row = one_of(tx, TABLE, tenant, dataset, message)
    if company is not None and row.company_id != company:
        raise NotFound(message)
    return _dataset(row)


def open_ones(tx: Connection, tenant: TenantId, connection: ConnectionId) -> list[Dataset]:
    """Those that have not ended, in the order they were asked for."""
    rows = all_of(tx, TABLE, tenant, TABLE.c.connection_id == connection, DATASET_IS_OPEN)
    return sorted(map(_dataset, rows), key=lambda one: (one.requested, one.data_type))


def all_waiting(tx: Connection, now: datetime) -> list[tuple[TenantId, ConnectionId]]:
    """Connections of every tenant with something to read now: for whoever starts syncs, for all of them."""
    is_due = sa.or_(TABLE.c.retry_at.is_(None), TABLE.c.retry_at <= now)
    rows = tx.execute(sa.select(TABLE.c.tenant_id, TABLE.c.connection_id).where(DATASET_IS_OPEN, is_due))
    return list(dict.fromkeys((TenantId(row.tenant_id), ConnectionId(row.connection_id)) for row in rows))


def set_right(tx: Connection, now: datetime) -> int:
    """After a clock that was ahead was put back: moves what it dated, of every tenant, to where it belongs; how many
    datasets that were.

    All by as much as the furthest is ahead of now, so that they keep their order, and what was asked for last still
    comes before what is asked for next. Clocks of several machines may be a few minutes apart.
    """
    ahead = tx.execute(
        sa.select(TABLE.c.id, TABLE.c.requested, TABLE.c.started, TABLE.c.completed, TABLE.c.retry_at).where(
            TABLE.c.requested > now + _CLOCKS_APART
        )
    ).all()
    error = max((row.requested for row in ahead), default=now) - now
    for row in ahead:
        moments = {name: moment - error for name, moment in row._mapping.items() if isinstance(moment, datetime)}
        tx.execute(sa.update(TABLE).where(TABLE.c.id == row.id).values(moments))
    return len(ahead)


def wake(tx: Connection, tenant: TenantId, integration_key: str) -> None:
    """What waits for its next try over this integration is read now: whatever hindered it may be mended."""
    theirs = sa.select(CONNECTIONS.c.id).where(
        only(CONNECTIONS, tenant, CONNECTIONS.c.integration_key == integration_key)
    )
    mine = only(TABLE, tenant, TABLE.c.connection_id.in_(theirs), DATASET_IS_OPEN, TABLE.c.retry_at.is_not(None))
    tx.execute(sa.update(TABLE).where(mine).values(retry_at=None, status_description=None))


def newest_of(tx: Connection, tenant: TenantId, connection: ConnectionId) -> dict[str, Dataset]:
    """Per data type the dataset that was asked for last over a connection."""
    return _newest_of(tx, tenant, connection, is_good=False)


def _newest_of(tx: Connection, tenant: TenantId, connection: ConnectionId, *, is_good: bool) -> dict[str, Dataset]:
    rows = tx.execute(_newest(is_good), {"tenant": tenant, "connection": connection})
    return {row.data_type: _dataset(row) for row in rows}


@cache
def _newest(is_good: bool) -> sa.CompoundSelect[Any]:
    """The newest of each data type, or the newest that succeeded: each looked up, whatever lies behind it."""
    mine = [TABLE.c.tenant_id == sa.bindparam("tenant"), TABLE.c.connection_id == sa.bindparam("connection")]
    if is_good:
        mine.append(TABLE.c.status == Status.COMPLETE.value)
    ordered = sa.select(TABLE).order_by(TABLE.c.requested.desc(), TABLE.c.id).limit(1)
    return sa.union_all(
        *(sa.select(ordered.where(TABLE.c.data_type == name, *mine).subquery()) for name in sorted(SHAPES))
    )


def of_syncs(
    tx: Connection, tenant: TenantId, connection: ConnectionId, sync_ids: Sequence[SyncId]
) -> dict[SyncId, list[Dataset]]:
    """What each of these syncs read last, in the order of their data types."""
    mine = (TABLE.c.connection_id == connection, TABLE.c.sync_id.in_(list(sync_ids)))
    found: dict[SyncId, list[Dataset]] = {}
    for one in sorted(map(_dataset, all_of(tx, TABLE, tenant, *mine)), key=lambda one: (one.data_type, one.requested)):
        found.setdefault(SyncId(one.sync_id or ""), []).append(one)
    return found


def advance(tx: Connection, tenant: TenantId, dataset: DatasetId, **members: Any) -> Dataset:
    """Change members of a dataset; `status` moves it on, and an ended one stays as it is."""
    if "warnings" in members:
        members["warnings"] = msgspec.json.encode(members["warnings"])
    if (status := members.get("status")) is not None:
        members["status"] = Status(status).value
        members["is_ended"] = Status(status).is_ended
    mine = only(TABLE, tenant, TABLE.c.id == dataset, DATASET_IS_OPEN)
    moved = tx.execute(sa.update(TABLE).where(mine).values(members)).rowcount
    now = get(tx, tenant, dataset)
    if moved and now.status is Status.COMPLETE:
        since = now.completed or now.requested
        records.mark_readable(tx, tenant, now.company_id, now.connection_id, now.data_type, since)
    return now


def count(tx: Connection, tenant: TenantId, dataset: DatasetId, *, new: int, changed: int, deleted: int) -> None:
    """Add to what a dataset counts, in the transaction that stores it: a kill in between makes it neither more nor
    less."""
    if not (new or changed or deleted):
        return
    values = {
        "records_new": TABLE.c.records_new + new,
        "records_changed": TABLE.c.records_changed + changed,
        "records_deleted": TABLE.c.records_deleted + deleted,
    }
    tx.execute(sa.update(TABLE).where(only(TABLE, tenant, TABLE.c.id == dataset)).values(values))


def warn(tx: Connection, tenant: TenantId, dataset: DatasetId, found: Sequence[Warning_]) -> Dataset:
    """Add what was found after a dataset had ended."""
    now = get(tx, tenant, dataset)
    if found:
        warnings = msgspec.json.encode(now.warnings + tuple(found))
        tx.execute(sa.update(TABLE).where(only(TABLE, tenant, TABLE.c.id == dataset)).values(warnings=warnings))
    return get(tx, tenant, dataset)


def end_all(
    tx: Connection, tenant: TenantId, connection: ConnectionId, status: Status, message: str, now: datetime
) -> None:
    """End whatever is under way over a connection, as when it is unlinked."""
    mine = only(TABLE, tenant, TABLE.c.connection_id == connection, DATASET_IS_OPEN)
    values = {
        "status": status.value,
        "status_description": None,
        "error_message": message,
        "completed": now,
        "is_ended": True,
    }
    tx.execute(sa.update(TABLE).where(mine).values(values))


def latest(tx: Connection, tenant: TenantId, company: CompanyId) -> dict[str, tuple[Dataset, Dataset | None]]:
    """Per data type the newest dataset and the newest that succeeded."""
    found: dict[str, tuple[Dataset, Dataset | None]] = {}
    for connection in all_of(tx, CONNECTIONS, tenant, CONNECTIONS.c.company_id == company):
        good = _newest_of(tx, tenant, connection.id, is_good=True)
        for name, dataset in newest_of(tx, tenant, connection.id).items():
            last, last_good = found.get(name, (dataset, None))
            both = [one for one in (last_good, good.get(name)) if one is not None]
            found[name] = (
                max(last, dataset, key=lambda one: one.requested),
                max(both, key=lambda one: one.requested, default=None),
            )
    return found


def purge(tx: Connection, tenant: TenantId, connection: ConnectionId, now: datetime) -> None:
    """Forget reads of long ago, and those that told nothing sooner; not the newest of a data type, nor the newest that
    succeeded."""
    kept = {one.id for is_good in (False, True) for one in _newest_of(tx, tenant, connection, is_good=is_good).values()}
    told_nothing = sa.and_(
        TABLE.c.status == Status.COMPLETE.value,
        TABLE.c.warnings == b"[]",
        TABLE.c.records_new + TABLE.c.records_changed + TABLE.c.records_deleted + TABLE.c.records_set_aside == 0,
    )
    ended = sa.func.coalesce(TABLE.c.completed, TABLE.c.requested, type_=TABLE.c.requested.type)
    is_old = sa.or_(ended < now - KEPT, sa.and_(ended < now - QUIET_KEPT, told_nothing))
    mine = (TABLE.c.connection_id == connection, TABLE.c.data_type.in_(sorted(SHAPES)))
    tx.execute(
        sa.delete(TABLE).where(
            only(TABLE, tenant, *mine),
            TABLE.c.requested < now - QUIET_KEPT,
            is_old,
            TABLE.c.is_ended,
            TABLE.c.id.not_in(sorted(kept)),
        )
    )


def list_page(
    tx: Connection,
    tenant: TenantId,
    company: CompanyId,
    *,
    query: Query | None = None,
    order: str | None = None,
    page: int = 1,
    page_size: int = 100,
) -> Page:
    where = query.where(PROPERTIES, "DataSet", tx.dialect.name) if query else Where.all()
    where = Where(f"datasets.company_id = ? AND {where.sql}", (company, *where.values))
    ordering = Order.parse(order, PROPERTIES, "DataSet")
    default = "datasets.requested DESC, datasets.id"
    return lists.page(tx, TABLE, tenant, where, ordering, page, page_size, _dataset, default_order=default)
