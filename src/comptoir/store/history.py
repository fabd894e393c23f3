"""What each sync changed: one short row a record that is new, changed or gone, of the source and of the standard model.

Only the latest state of a record is kept with the record itself; which sync made it so would be lost at the next one.
A first read notes nothing: all of it is new. Rows go in the transaction that changes the record, so that a sync that
was killed and went on tells the same as one that was not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from comptoir.store import bulk
from comptoir.store.ids import ConnectionId, SyncId, TenantId
from comptoir.store.rows import Page, only
from comptoir.store.tables import SYNC_CHANGES, SYNCS

__all__ = ["KEPT", "MOST_LISTED", "Change", "Counted", "Layer", "Log", "Noted", "counted", "list_page", "of", "purge"]

KEPT = timedelta(days=90)
MOST_LISTED = 10_000  # of one resource or data type in one sync: more is no list that anybody reads

_COLUMNS = ("tenant_id", "connection_id", "sync_id", "layer", "name", "id", "change")
_MINE = "tenant_id = ? AND connection_id = ? AND sync_id = ? AND layer = ? AND name = ?"


class Change(StrEnum):
    NEW = "new"
    CHANGED = "changed"
    DELETED = "deleted"


class Layer(StrEnum):
    """Where a change was: in a record of the source, or in one of the standard model."""

    SOURCE = "source"
    STANDARD = "standard"


class Noted(msgspec.Struct, frozen=True):
    """A changed record: of the resource or data type `name`."""

    name: str
    id: str
    change: Change


class Counted(msgspec.Struct):
    new: int = 0
    changed: int = 0
    deleted: int = 0

    @property
    def total(self) -> int:
        return self.new + self.changed + self.deleted


class Log(msgspec.Struct, frozen=True):
    """Where one sync notes what it changes."""

    tenant: TenantId
    connection: ConnectionId
    sync: SyncId

    def note(self, tx: Connection, layer: Layer, name: str, change: Change, ids: Iterable[str]) -> None:
        """Once a record and sync: what came and went within it is not told, what went and came back has changed."""
        for some in bulk.batches(ids):
            self._note(tx, layer, name, change, some)

    def _note(self, tx: Connection, layer: Layer, name: str, change: Change, ids: Sequence[str]) -> None:
        mine = (self.tenant, self.connection, self.sync, layer.value, name)
        known = self._known(tx, mine, ids)
        fresh = [id_ for id_ in ids if id_ not in known]
        if fresh:
            room = MOST_LISTED - int(bulk.select(tx, f"SELECT count(*) FROM sync_changes WHERE {_MINE}", mine)[0][0])  # noqa: S608 - our own names
            bulk.insert(tx, SYNC_CHANGES, _COLUMNS, [(*mine, id_, change.value) for id_ in fresh[: max(room, 0)]])
        if change is Change.DELETED:
            self._drop(tx, mine, [id_ for id_, was in known.items() if was is Change.NEW])
            self._set(tx, mine, change, [id_ for id_, was in known.items() if was is Change.CHANGED])
        else:
            self._set(tx, mine, Change.CHANGED, [id_ for id_, was in known.items() if was is Change.DELETED])

    def _known(self, tx: Connection, mine: tuple[str, ...], ids: Sequence[str]) -> dict[str, Change]:
        dialect = tx.dialect.name
        sql = f"SELECT id, change FROM sync_changes WHERE {_MINE} AND {bulk.among('id', dialect)}"  # noqa: S608 - likewise
        return {id_: Change(change) for id_, change in bulk.select(tx, sql, (*mine, bulk.named(ids, dialect)))}

    def _drop(self, tx: Connection, mine: tuple[str, ...], ids: Sequence[str]) -> None:
        keys = ("tenant_id", "connection_id", "sync_id", "layer", "name", "id")
        bulk.delete(tx, SYNC_CHANGES, keys, [(*mine, id_) for id_ in ids])

    def _set(self, tx: Connection, mine: tuple[str, ...], change: Change, ids: Sequence[str]) -> None:
        keys = ("tenant_id", "connection_id", "sync_id", "layer", "name", "id")
        bulk.update(tx, SYNC_CHANGES, ("change",), keys, [(change.value, *mine, id_) for id_ in ids])


def counted(
    tx: Connection, tenant: TenantId, connection: ConnectionId, sync_ids: Sequence[SyncId], layer: Layer
) -> Mapping[SyncId, Mapping[str, Counted]]:
    """How many records of each resource or data type each of these syncs noted; what noted none is left out."""
    mine = only(
        SYNC_CHANGES,
        tenant,
        SYNC_CHANGES.c.connection_id == connection,
        SYNC_CHANGES.c.sync_id.in_(list(sync_ids)),
        SYNC_CHANGES.c.layer == layer.value,
    )
    grouped = (SYNC_CHANGES.c.sync_id, SYNC_CHANGES.c.name, SYNC_CHANGES.c.change)
    found: dict[SyncId, dict[str, Counted]] = {}
    for sync, name, change, number in tx.execute(sa.select(*grouped, sa.func.count()).where(mine).group_by(*grouped)):
        setattr(found.setdefault(SyncId(sync), {}).setdefault(name, Counted()), change, number)
    return found


def list_page(
    tx: Connection,
    tenant: TenantId,
    connection: ConnectionId,
    sync: SyncId,
    layer: Layer,
    *,
    name: str | None = None,
    page: int = 1,
    page_size: int = 100,
) -> Page:
    """What a sync noted, by resource or data type and id."""
    mine = only(
        SYNC_CHANGES,
        tenant,
        SYNC_CHANGES.c.connection_id == connection,
        SYNC_CHANGES.c.sync_id == sync,
        SYNC_CHANGES.c.layer == layer.value,
        *((SYNC_CHANGES.c.name == name,) if name is not None else ()),
    )
    total = tx.execute(sa.select(sa.func.count()).select_from(SYNC_CHANGES).where(mine)).scalar_one()
    ordered = sa.select(SYNC_CHANGES).where(mine).order_by(SYNC_CHANGES.c.name, SYNC_CHANGES.c.id)
    rows = tx.execute(ordered.limit(page_size).offset((page - 1) * page_size))
    return Page(total, [Noted(row.name, row.id, Change(row.change)) for row in rows])


def of(
    tx: Connection, tenant: TenantId, connection: ConnectionId, sync: SyncId, layer: Layer, name: str
) -> dict[str, Change]:
    """All that a sync noted of one resource or data type, by id."""
    page = list_page(tx, tenant, connection, sync, layer, name=name, page_size=MOST_LISTED)
    return {one.id: one.change for one in page.rows}


def purge(tx: Connection, tenant: TenantId, connection: ConnectionId, now: datetime) -> None:
    """Forget which records syncs changed that ended long ago."""
    old = sa.select(SYNCS.c.id).where(
        only(SYNCS, tenant, SYNCS.c.connection_id == connection, SYNCS.c.ended < now - KEPT)
    )
    mine = only(SYNC_CHANGES, tenant, SYNC_CHANGES.c.connection_id == connection, SYNC_CHANGES.c.sync_id.in_(old))
    tx.execute(sa.delete(SYNC_CHANGES).where(mine))
