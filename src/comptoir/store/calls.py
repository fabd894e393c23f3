"""Every upstream call that a sync made, as it may be shown: no token, no body, no header.

Noted in the transaction that stores what the call brought, many in one row; when the sync ends its rows become few.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from comptoir.store import bulk
from comptoir.store.ids import ConnectionId, SyncId, TenantId
from comptoir.store.tables import SYNC_CALLS
from comptoir.store.values import text_of

__all__ = ["KEPT", "Made", "fold", "keep", "of_sync", "purge"]

KEPT = timedelta(days=14)

_COLUMNS = ("tenant_id", "connection_id", "sync_id", "at", "calls")
_MINE = "tenant_id = ? AND connection_id = ? AND sync_id = ?"
_FOLDED = 1000  # rows that become one: those of a large company's first read would take much memory all at once


class Made(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One call. Stored by position: a new field goes last, with a default.

    `at` is when it was sent, in milliseconds since 1970; `status` and `size` (bytes, unpacked) are what came back, None
    and 0 where nothing did, which `problem` explains. `attempt` counts from 1 for what was tried again. `left` are the
    calls that the upstream's limits still allowed then, by the length of their windows in seconds.
    """

    at: int
    method: str
    url: str
    resource: str
    status: int | None
    milliseconds: int
    size: int
    attempt: int
    left: tuple[tuple[int, int], ...]
    problem: str | None = None

    @property
    def sent(self) -> datetime:
        return datetime.fromtimestamp(self.at / 1000, UTC)


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Made]).decode


def _packed(calls: Sequence[Made]) -> bytes:
    return zlib.compress(_encode(calls), 1)


def _unpacked(rows: Sequence[tuple[bytes]]) -> list[Made]:
    found = [one for (packed,) in rows for one in _decode(zlib.decompress(bytes(packed)))]
    return sorted(found, key=lambda one: one.at)


def keep(
    tx: Connection, tenant: TenantId, connection: ConnectionId, sync: SyncId, made: Sequence[Made], now: datetime
) -> None:
    """Note calls of a sync; none is no row."""
    if made:
        bulk.insert(tx, SYNC_CALLS, _COLUMNS, [(tenant, connection, sync, text_of(now), _packed(made))])


def fold(tx: Connection, tenant: TenantId, connection: ConnectionId, sync: SyncId, now: datetime) -> None:
    """The sync has ended: its calls go into few rows, which take a fraction of the room."""
    owner = (tenant, connection, sync)
    held = [pk for (pk,) in bulk.select(tx, f"SELECT pk FROM sync_calls WHERE {_MINE} ORDER BY pk", owner)]  # noqa: S608 - our own names
    for start in range(0, len(held) if len(held) > 1 else 0, _FOLDED):
        some = held[start : start + _FOLDED]
        mine = f"FROM sync_calls WHERE {_MINE} AND pk BETWEEN ? AND ?"
        values = (*owner, some[0], some[-1])
        made = _unpacked(bulk.select(tx, f"SELECT calls {mine}", values))
        bulk.run(tx, f"DELETE {mine}", values)
        keep(tx, *owner, made, now)


def of_sync(tx: Connection, tenant: TenantId, connection: ConnectionId, sync: SyncId) -> list[Made]:
    """The calls of a sync in the order they were sent; empty too once they are forgotten."""
    sql = f"SELECT calls FROM sync_calls WHERE {_MINE} ORDER BY pk"  # noqa: S608 - likewise
    return _unpacked(bulk.select(tx, sql, (tenant, connection, sync)))


def purge(tx: Connection, now: datetime) -> int:
    """Forget the calls of syncs that are longer ago than they are kept, of every tenant; how many rows."""
    old = sa.delete(SYNC_CALLS).where(SYNC_CALLS.c.tenant_id.is_not(None), SYNC_CALLS.c.at < now - KEPT)
    return tx.execute(old).rowcount
