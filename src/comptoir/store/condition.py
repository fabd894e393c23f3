"""In what state a database is, found out without changing it: whether it answers, how new its tables are, whether it is
whole, and what in it waits for somebody."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import msgspec
import psycopg
import sqlalchemy as sa
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.engine import make_url

from comptoir.store.connections import ConnectionStatus
from comptoir.store.database import Database
from comptoir.store.datasets import Status
from comptoir.store.soundness import findings
from comptoir.store.tables import CONNECTIONS, DATASET_IS_OPEN, DATASETS, INTEGRATION_SETTINGS, SYNC_CALLS

__all__ = ["Tables", "app_keys", "damage", "needing_approval", "stuck", "tables_of"]

_CONNECT_SECONDS = 5
_MOST_NAMED = 5
_QUIET = timedelta(minutes=30)  # no call may be made for so long, while a limit is waited for or much is mapped


class Tables(msgspec.Struct, frozen=True, kw_only=True):
    """`held` is the version of the tables that are there, None where there are none yet; `newest` is what this Comptoir
    makes."""

    held: str | None
    newest: str


def tables_of(url: str) -> Tables:
    """Raises OSError, sqlite3.Error or psycopg.Error where the database cannot be asked."""
    parsed = make_url(url)
    config = Config()
    config.set_main_option("script_location", "comptoir.store:migrations")
    newest = ScriptDirectory.from_config(config).get_current_head() or ""
    question = "SELECT version_num FROM alembic_version"
    if parsed.get_backend_name() == "sqlite":
        path = Path(parsed.database or "")
        if not path.exists():
            return Tables(held=None, newest=newest)
        held = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)
        try:
            row = held.execute(question).fetchone()
        except sqlite3.OperationalError as error:
            if "no such table" not in str(error):
                raise
            row = None
        finally:
            held.close()
        return Tables(held=None if row is None else str(row[0]), newest=newest)
    address = parsed.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, connect_timeout=_CONNECT_SECONDS) as tx:
        known = tx.execute("SELECT to_regclass('alembic_version')").fetchone()
        row = tx.execute(question).fetchone() if known is not None and known[0] is not None else None
    return Tables(held=None if row is None else str(row[0]), newest=newest)


def damage(db: Database) -> list[str]:
    """What SQLite finds wrong with its file; PostgreSQL looks after its files itself."""
    if db.dialect == "postgresql":
        return []
    with db.read() as tx:
        return findings(tx.exec_driver_sql("PRAGMA quick_check(5)"))


def app_keys(tx: Connection, key: str) -> Mapping[str, int]:
    """For how many tenants an integration is `enabled`, `alarmed` (its keys are refused), or has keys only (`held`)."""
    table = INTEGRATION_SETTINGS
    rows = tx.execute(
        sa.select(table.c.enabled, table.c.alarm).where(table.c.tenant_id.is_not(None), table.c.key == key)
    )
    found = {"enabled": 0, "alarmed": 0, "held": 0}
    for row in rows:
        found["alarmed" if row.alarm is not None else "enabled" if row.enabled else "held"] += 1
    return found


def needing_approval(tx: Connection) -> tuple[int, list[str]]:
    """How many connections the upstream accepts no more, and the ids of some."""
    lost = CONNECTIONS.c.status == ConnectionStatus.DEAUTHORIZED.value
    ids = sa.select(CONNECTIONS.c.id).where(CONNECTIONS.c.tenant_id.is_not(None), lost).order_by(CONNECTIONS.c.id)
    found = [str(row.id) for row in tx.execute(ids)]
    return len(found), found[:_MOST_NAMED]


def stuck(tx: Connection, now: datetime) -> list[str]:
    """The ids of some datasets that are said to be under way although nothing was called or begun for half an hour."""
    last_call = (
        sa.select(sa.func.max(SYNC_CALLS.c.at))
        .where(SYNC_CALLS.c.tenant_id == DATASETS.c.tenant_id, SYNC_CALLS.c.sync_id == DATASETS.c.sync_id)
        .scalar_subquery()
    )
    last = sa.func.coalesce(last_call, DATASETS.c.started, DATASETS.c.requested)
    is_under_way = sa.and_(DATASET_IS_OPEN, DATASETS.c.status != Status.QUEUED.value)
    mine = sa.and_(
        DATASETS.c.tenant_id.is_not(None), is_under_way, last < sa.literal(now - _QUIET, DATASETS.c.requested.type)
    )
    return [str(row.id) for row in tx.execute(sa.select(DATASETS.c.id).where(mine).limit(_MOST_NAMED))]
