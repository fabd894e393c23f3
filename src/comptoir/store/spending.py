"""How many upstream calls were made lately, by whatever process: what a restarted one must count against its limits."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from comptoir.store.database import Database
from comptoir.store.tables import CONNECTIONS, PAGES, SYNCS

__all__ = ["calls_since", "spent_in"]

_UNDER_WAY = 20  # calls of a read that was cut off whose pages never came in, with those that were tried again


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
