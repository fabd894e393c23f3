"""What was used of the upstream's limits, by whatever process.

On SQLite a process remembers its own calls, and a restarted one counts those of the pages and syncs before it. On
PostgreSQL each call is noted here before it is made, by the database's own clock: one budget for all processes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from comptoir.store.database import Database
from comptoir.store.rows import upsert
from comptoir.store.tables import CONNECTIONS, PAGES, SYNCS, UPSTREAM_CALLS, UPSTREAM_CLOCKS, UPSTREAM_PAUSES

__all__ = ["REFRESH", "Entries", "Pause", "calls_since", "moment", "purge", "spent_in", "take_turn"]

REFRESH = "refresh "  # before a connection's id: the budget of its token refreshes
_UNDER_WAY = 20  # calls of a read that was cut off whose pages never came in, with those that were tried again
_KEPT_SECONDS = 2 * 3600.0
# By so many seconds a clock may have been put back while what it dated still counts: the longest window, and the
# longest pause with an hour to spare.
_LATEST_CALL, _LATEST_PAUSE = 3600.0, 25 * 3600.0
_LONGEST_TURN_SECONDS = 5


def spent_in(db: Database) -> Callable[[str | None, datetime], int]:
    """`calls_since` for whoever has no transaction."""

    def spent(budget: str | None, since: datetime) -> int:
        with db.read() as tx:
            return calls_since(tx, budget, since)

    return spent


def calls_since(tx: Connection, budget: str | None, since: datetime) -> int:
    """Calls of a budget (`connections.Connection.budget`), or of all, since a moment; rather too many than too few.

    Of reads that were cut off the pages are counted; of those that ended, a share of their calls by their time.
    """
    # Of every tenant: the calling address is one for all of them.
    of_pages = sa.and_(PAGES.c.tenant_id.is_not(None), PAGES.c.fetched_at >= since)
    of_syncs = sa.and_(SYNCS.c.tenant_id.is_not(None), SYNCS.c.ended >= since)
    if budget is not None:
        is_theirs = sa.or_(CONNECTIONS.c.id == budget, CONNECTIONS.c.source_company_id == budget)
        theirs = sa.select(CONNECTIONS.c.id).where(CONNECTIONS.c.tenant_id.is_not(None), is_theirs)
        of_pages = sa.and_(of_pages, PAGES.c.connection_id.in_(theirs))
        of_syncs = sa.and_(of_syncs, SYNCS.c.connection_id.in_(theirs))
    pages = tx.execute(sa.select(sa.func.count()).select_from(PAGES).where(of_pages)).scalar_one()
    ended = sum(
        math.ceil(row.calls * _share(row.started, row.ended, since))
        for row in tx.execute(sa.select(SYNCS.c.started, SYNCS.c.ended, SYNCS.c.calls).where(of_syncs))
    )
    return int(ended) + (int(pages) + _UNDER_WAY if pages else 0)


def _share(started: datetime, ended: datetime, since: datetime) -> float:
    """How much of a span lies after a moment."""
    if started >= since:
        return 1.0
    return (ended - since) / (ended - started)


class Pause(msgspec.Struct, frozen=True):
    """A budget that was refused: until which moment nothing is asked for, and how often in a row that came."""

    until: float
    refusals: int


def moment(tx: Connection) -> float:
    """Seconds since 1970 by the database's clock, at this very moment."""
    return float(tx.execute(sa.select(sa.func.extract("epoch", sa.func.clock_timestamp()))).scalar_one())


def take_turn(tx: Connection, integration_key: str) -> None:
    """Wait until no other process writes in this ledger. One that is frozen meanwhile holds the others up for a few
    seconds only: then the database ends its session."""
    mine = sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(f"upstream {integration_key}", 0))
    limit = sa.func.set_config("idle_in_transaction_session_timeout", f"{_LONGEST_TURN_SECONDS}s", True)
    tx.execute(sa.select(limit, mine))


class Entries:
    """The ledger of one integration, in a transaction that has its turn. `whole` names the budget that all calls count
    against."""

    def __init__(self, tx: Connection, integration_key: str, whole: str) -> None:
        self._tx, self._key, self._whole = tx, integration_key, whole

    def recall(self, budget: str, seconds: float, begun: float) -> None:
        return  # all that was ever spent is noted here

    def count(self, budget: str, seconds: float, since: float) -> int:
        theirs = [UPSTREAM_CALLS.c.integration_key == self._key, UPSTREAM_CALLS.c.at >= since]
        if budget != self._whole:
            theirs.append(UPSTREAM_CALLS.c.budget == budget)
        return int(self._tx.execute(sa.select(sa.func.count()).where(*theirs)).scalar_one())

    def note(self, budget: str, windows: Sequence[float], at: float) -> None:
        if budget != self._whole:
            values = {"integration_key": self._key, "budget": budget, "at": at}
            self._tx.execute(sa.insert(UPSTREAM_CALLS).values(values))

    def pause(self, budget: str) -> Pause | None:
        table = UPSTREAM_PAUSES
        mine = sa.select(table).where(table.c.integration_key == self._key, table.c.budget == budget)
        row = self._tx.execute(mine).one_or_none()
        return None if row is None else Pause(row.until, row.refusals)

    def set_pause(self, budget: str, pause: Pause) -> None:
        key = {"integration_key": self._key, "budget": budget}
        upsert(self._tx, UPSTREAM_PAUSES, key, {"until": pause.until, "refusals": pause.refusals})

    def clock(self) -> tuple[float, float] | None:
        mine = sa.select(UPSTREAM_CLOCKS).where(UPSTREAM_CLOCKS.c.integration_key == self._key)
        row = self._tx.execute(mine).one_or_none()
        return None if row is None else (row.lowest, row.highest)

    def set_clock(self, lowest: float, highest: float) -> None:
        upsert(self._tx, UPSTREAM_CLOCKS, {"integration_key": self._key}, {"lowest": lowest, "highest": highest})

    def rename(self, budget: str, other: str) -> None:
        mine = sa.and_(UPSTREAM_CALLS.c.integration_key == self._key, UPSTREAM_CALLS.c.budget == budget)
        self._tx.execute(sa.update(UPSTREAM_CALLS).where(mine).values(budget=other))


def purge(tx: Connection) -> None:
    """Forget calls that no window holds any more, pauses that are long over, and what the database's clock dated while
    it was far ahead: those calls would count, and those pauses last, until that time comes."""
    now = moment(tx)
    calls, pauses = UPSTREAM_CALLS.c.at, UPSTREAM_PAUSES.c.until
    for table, at, latest in ((UPSTREAM_CALLS, calls, _LATEST_CALL), (UPSTREAM_PAUSES, pauses, _LATEST_PAUSE)):
        tx.execute(sa.delete(table).where(sa.or_(at < now - _KEPT_SECONDS, at > now + latest)))
