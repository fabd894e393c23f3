"""Leases: which processes are alive, and under which number each may write. Only on PostgreSQL.

A process renews its lease in time. One that was killed or frozen does not: others then bury it, and from that moment
nothing it writes is taken, because every write of a sync asks for its number first. The database's clock decides.
A killed one leaves no session in the database, a frozen one does: the first is known long before its lease runs out.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from comptoir.store.ids import ConnectionId, TenantId
from comptoir.store.rows import insert_if_free, only
from comptoir.store.tables import LEASES as TABLE
from comptoir.store.tables import TURNS

__all__ = [
    "Lease",
    "bury",
    "cut_off",
    "end_deserted",
    "end_turn",
    "expired",
    "give_back",
    "held",
    "is_held",
    "renew",
    "take",
    "take_turn",
]

_NOW = sa.func.extract("epoch", sa.func.clock_timestamp())
_STARTED = sa.func.extract("epoch", sa.func.pg_postmaster_start_time())
_SESSIONS = sa.table("pg_stat_activity", sa.column("pid"), sa.column("application_name"))


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """`executor` is what its work is filed under, `process` what its sessions in the database are named."""

    number: int
    executor: str
    process: str
    is_worker: bool


def take(tx: Connection, *, executor: str, process: str, is_worker: bool, seconds: float) -> int:
    """A new lease; its number is higher than any before it."""
    values = {"executor": executor, "process": process, "is_worker": is_worker, "expires_at": _NOW + seconds}
    return int(tx.execute(sa.insert(TABLE).values(values).returning(TABLE.c.number)).scalar_one())


def renew(tx: Connection, number: int, seconds: float) -> bool:
    """False if it was buried meanwhile."""
    mine = sa.update(TABLE).where(TABLE.c.number == number).values(expires_at=_NOW + seconds)
    return bool(tx.execute(mine).rowcount)


def give_back(tx: Connection, number: int) -> None:
    tx.execute(sa.delete(TABLE).where(TABLE.c.number == number))


def is_held(tx: Connection, number: int) -> bool:
    """Whether what is written under this number may be; it stays so until the transaction ends."""
    mine = sa.select(TABLE.c.number).where(TABLE.c.number == number)
    return tx.execute(mine.with_for_update(read=True, key_share=True)).one_or_none() is not None


def held(tx: Connection) -> list[Lease]:
    """All that have not run out, the eldest first."""
    return _those(tx, TABLE.c.expires_at >= _NOW)


def expired(tx: Connection) -> list[Lease]:
    return _those(tx, TABLE.c.expires_at < _NOW)


def _those(tx: Connection, condition: sa.ColumnElement[bool]) -> list[Lease]:
    rows = tx.execute(sa.select(TABLE).where(condition).order_by(TABLE.c.number))
    return [
        Lease(number=row.number, executor=row.executor, process=row.process, is_worker=row.is_worker) for row in rows
    ]


def end_deserted(tx: Connection, *, silent_seconds: float, seconds: float) -> None:
    """Let those run out whose process is gone: it has no session any more, and has not renewed its lease of `seconds`
    for so long. A server that was started since then ended all sessions, and proves nothing."""
    renewed_at = TABLE.c.expires_at - seconds
    has_session = sa.select(_SESSIONS.c.pid).where(_SESSIONS.c.application_name == TABLE.c.process).exists()
    is_gone = sa.and_(renewed_at < _NOW - silent_seconds, renewed_at > _STARTED, ~has_session)
    tx.execute(sa.update(TABLE).where(is_gone).values(expires_at=0.0))


def cut_off(tx: Connection, processes: Collection[str]) -> None:
    """End these processes' sessions in the database: one that is frozen in a transaction would keep its locks."""
    sessions = sa.text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = ANY(:processes) "
        "AND datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()"
    )
    tx.execute(sessions, {"processes": list(processes)})


def bury(tx: Connection, number: int) -> bool:
    """Take what ran out from whoever held it; one of all that try it does, and none if it was renewed just now."""
    gone = sa.delete(TABLE).where(TABLE.c.number == number, TABLE.c.expires_at < _NOW)
    return bool(tx.execute(gone).rowcount)


# Turns: one thing at a time over a connection, in whatever process


def take_turn(tx: Connection, tenant: TenantId, connection: ConnectionId, number: int) -> bool:
    """Whether the turn is this lease's now; it ends with the lease."""
    if insert_if_free(tx, TURNS, tenant_id=tenant, connection_id=connection, number=number):
        return True
    mine = only(TURNS, tenant, TURNS.c.connection_id == connection, TURNS.c.number == number)
    return tx.execute(sa.select(TURNS.c.number).where(mine)).one_or_none() is not None


def end_turn(tx: Connection, tenant: TenantId, connection: ConnectionId, number: int) -> None:
    mine = only(TURNS, tenant, TURNS.c.connection_id == connection, TURNS.c.number == number)
    tx.execute(sa.delete(TURNS).where(mine))
