"""Reads that were asked for, followed to their end: how far they are, and what came of them."""

from __future__ import annotations

from collections.abc import Callable, Collection

import msgspec
from sqlalchemy import Connection as Transaction

from comptoir.errors import InvalidInput, NotFound
from comptoir.jobs import Stopped
from comptoir.runtime.clock import Clock
from comptoir.store import ConnectionId, Database, DatasetId, TenantId, companies, datasets, syncs
from comptoir.store.companies import Company
from comptoir.store.datasets import Dataset
from comptoir.sync.checks import Report
from comptoir.sync.progress import Board, Mapped, Reading

__all__ = ["Synced", "SyncedType", "company_named", "follow", "synced"]

_LOOK_UP_SECONDS = 0.3


class SyncedType(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one data type; `message` says why it is not complete."""

    data_type: str
    status: str
    new: int
    changed: int
    deleted: int
    set_aside: int
    message: str | None


class Synced(msgspec.Struct, frozen=True, kw_only=True):
    """`held` and `looked_at` count identities of the books check; None where none was run."""

    company: str
    types: tuple[SyncedType, ...]
    calls: int
    held: int | None = None
    looked_at: int | None = None


def company_named(tx: Transaction, text: str) -> Company:
    """The one company of this id or name, whatever tenant. Raises NotFound, or InvalidInput if there are several."""
    found = companies.named(tx, text)
    if not found:
        raise NotFound(f"There is no company with the id or name {text!r}.")
    if len(found) > 1:
        ids = ", ".join(one.id for one in found)
        raise InvalidInput(f"Several companies are named {text!r}. Give the id of one: {ids}.")
    return found[0]


def follow(
    db: Database,
    clock: Clock,
    board: Board,
    tenant: TenantId,
    connection: ConnectionId,
    asked: Collection[DatasetId],
    *,
    tell: Callable[[Reading | Mapped], None],
    should_stop: Callable[[], bool],
) -> None:
    """Until all of them have ended or wait for another try, and the books were checked. Raises Stopped when asked to
    stop."""
    version = None
    while True:
        with db.read() as tx:
            active = syncs.active(tx, tenant, connection)
            found = [datasets.get(tx, tenant, id_) for id_ in asked]
        is_checked = active is None or active.id not in {one.sync_id for one in found}
        if is_checked and all(one.status.is_ended or one.retry_at is not None for one in found):
            return
        if should_stop():
            raise Stopped
        if (now := board.now(connection)).version != version:
            version = now.version
            rows: tuple[Reading | Mapped, ...] = (*now.reading, *now.mapping)
            for row in rows:
                tell(row)
        clock.sleep(_LOOK_UP_SECONDS)


def synced(db: Database, tenant: TenantId, company: Company, asked: Collection[DatasetId]) -> Synced:
    """What came of reads that have ended."""
    with db.read() as tx:
        found = [datasets.get(tx, tenant, id_) for id_ in asked]
        of = {(one.connection_id, one.sync_id) for one in found}
        theirs = [syncs.get(tx, tenant, connection, sync) for connection, sync in of if sync is not None]
    checked = max((one for one in theirs if one.checks is not None), key=lambda one: one.started, default=None)
    lines = () if checked is None or checked.checks is None else Report.decode(checked.checks).lines
    states = [line.state for line in lines if line.state in ("held", "breached")]
    return Synced(
        company=company.name,
        types=tuple(map(_type, found)),
        calls=sum(one.calls for one in theirs),
        held=states.count("held") if checked is not None else None,
        looked_at=len(states) if checked is not None else None,
    )


def _type(one: Dataset) -> SyncedType:
    return SyncedType(
        data_type=one.data_type,
        status=one.status.value,
        new=one.records_new,
        changed=one.records_changed,
        deleted=one.records_deleted,
        set_aside=one.records_set_aside,
        message=one.error_message or one.status_description,
    )
