"""How much is held and how much waits, of all tenants together: for those who keep an installation running."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from comptoir.store.connections import ConnectionStatus
from comptoir.store.database import Database
from comptoir.store.datasets import Status
from comptoir.store.rows import upsert
from comptoir.store.tables import CONNECTIONS, DATASET_IS_OPEN, DATASETS, META, STANDARD

__all__ = ["Queue", "connections", "probe", "queue", "records"]


class Queue(msgspec.Struct, frozen=True, kw_only=True):
    """Datasets that have not ended: due now, put off until their next try, under way. `oldest_due` is how long the one
    that is due for longest has been waiting; zero when none is."""

    due: int
    later: int
    running: int
    oldest_due: timedelta


def probe(db: Database) -> None:
    """Write a little, unless somebody writes just now: then it is known again whether there is room."""
    db.write_if_free(lambda tx: upsert(tx, META, {"name": "probe"}, {"value": b"room"}))


def queue(tx: Connection, now: datetime) -> Queue:
    is_queued = DATASETS.c.status == Status.QUEUED.value
    is_later = sa.and_(is_queued, DATASETS.c.retry_at > now)
    is_due = sa.and_(is_queued, sa.or_(DATASETS.c.retry_at.is_(None), DATASETS.c.retry_at <= now))
    due_since = sa.func.coalesce(DATASETS.c.retry_at, DATASETS.c.requested)
    columns = (
        sa.func.count().filter(is_due),
        sa.func.count().filter(is_later),
        sa.func.count().filter(sa.not_(is_queued)),
        sa.func.min(due_since, type_=DATASETS.c.requested.type).filter(is_due),
    )
    row = tx.execute(sa.select(*columns).where(DATASET_IS_OPEN)).one()
    waited = timedelta() if row[3] is None else now - row[3]
    return Queue(due=row[0], later=row[1], running=row[2], oldest_due=max(waited, timedelta()))


def connections(tx: Connection) -> Mapping[str, int]:
    """How many connections there are, by status."""
    status = CONNECTIONS.c.status
    found = {row[0]: row[1] for row in tx.execute(sa.select(status, sa.func.count()).group_by(status))}
    return {one.value: found.get(one.value, 0) for one in ConnectionStatus}


def records(tx: Connection) -> Mapping[str, int]:
    """How many records are held, by data type; those that are gone at the source among them.

    Takes a look at every one: not to be asked for often.
    """
    # Not those that are live: that would read the rows themselves, and not only the smallest index.
    return {
        name: tx.execute(sa.select(sa.func.count()).select_from(table)).scalar_one() for name, table in STANDARD.items()
    }
