"""A connection's tokens, sealed, and the trail that lets a refresh be rescued after a crash.

Every refresh replaces the refresh token. So the intent is saved before the call, the raw answer before anything reads
it, and the former refresh token until the new access token has worked once.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from comptoir.store.database import Database
from comptoir.store.ids import ConnectionId, TenantId
from comptoir.store.rows import only, upsert
from comptoir.store.tables import GRANTS as TABLE
from comptoir.store.vault import Vault

__all__ = [
    "Grant",
    "begin_refresh",
    "drop",
    "drop_raw_answer",
    "get",
    "one_at_a_time",
    "proved",
    "put",
    "replace",
    "save_raw_answer",
]

# A process that is frozen while it renews tokens holds the others up no longer than this.
_LONGEST_TURN_SECONDS = 300


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens in the clear: they live no longer than the call that needs them. `generation` rises with each refresh."""

    access_token: str
    refresh_token: str
    previous_refresh_token: str | None
    raw_answer: bytes | None
    is_refreshing: bool
    expires_at: datetime
    obtained_at: datetime
    generation: int

    def __repr__(self) -> str:
        return f"Grant(generation={self.generation}, expires_at={self.expires_at})"


def get(tx: Connection, tenant: TenantId, connection: ConnectionId, vault: Vault) -> Grant | None:
    row = tx.execute(sa.select(TABLE).where(only(TABLE, tenant, TABLE.c.connection_id == connection))).one_or_none()
    if row is None:
        return None

    def opened(field: str) -> bytes | None:
        sealed = getattr(row, field)
        return None if sealed is None else vault.open(sealed, tenant=tenant, subject=connection, field=field)

    previous = opened("previous_refresh_token")
    return Grant(
        access_token=(opened("access_token") or b"").decode(),
        refresh_token=(opened("refresh_token") or b"").decode(),
        previous_refresh_token=None if previous is None else previous.decode(),
        raw_answer=opened("raw_answer"),
        is_refreshing=row.refreshing,
        expires_at=row.expires_at,
        obtained_at=row.obtained_at,
        generation=row.generation,
    )


@contextmanager
def one_at_a_time(db: Database, connection: ConnectionId) -> Iterator[None]:
    """Keep other processes from renewing the tokens of a connection meanwhile; TryLater when that takes too long.

    On SQLite there is no other process. On PostgreSQL a lock of a transaction of its own: it ends with its process.
    """
    if db.dialect == "sqlite":
        yield
        return
    with db.write() as tx:
        tx.exec_driver_sql(f"SET LOCAL lock_timeout = '{_LONGEST_TURN_SECONDS}s'")
        tx.exec_driver_sql(f"SET LOCAL idle_in_transaction_session_timeout = '{_LONGEST_TURN_SECONDS}s'")
        tx.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(f"grant {connection}", 0))))
        yield


def put(
    tx: Connection,
    tenant: TenantId,
    connection: ConnectionId,
    vault: Vault,
    *,
    access_token: str,
    refresh_token: str,
    expires_at: datetime,
    now: datetime,
    previous_refresh_token: str | None = None,
) -> None:
    """The tokens of a fresh approval, whatever was held before."""
    values = _sealed(tenant, connection, vault, access_token, refresh_token, previous_refresh_token, expires_at, now)
    values = {"tenant_id": tenant, "generation": 1, **values}
    upsert(tx, TABLE, {"connection_id": connection}, values, generation=TABLE.c.generation + 1)


def replace(
    tx: Connection,
    tenant: TenantId,
    connection: ConnectionId,
    vault: Vault,
    generation: int,
    *,
    access_token: str,
    refresh_token: str,
    previous_refresh_token: str,
    expires_at: datetime,
    now: datetime,
) -> bool:
    """The tokens of a refresh; False if those of `generation` were replaced or dropped meanwhile: then nothing changes,
    or a connection that was cut would hold tokens again."""
    values = _sealed(tenant, connection, vault, access_token, refresh_token, previous_refresh_token, expires_at, now)
    return _update(tx, tenant, connection, generation, {**values, "generation": TABLE.c.generation + 1})


def _sealed(
    tenant: TenantId,
    connection: ConnectionId,
    vault: Vault,
    access_token: str,
    refresh_token: str,
    previous_refresh_token: str | None,
    expires_at: datetime,
    now: datetime,
) -> dict[str, object]:
    def sealed(field: str, text: str | None) -> bytes | None:
        return None if text is None else vault.seal(text.encode(), tenant=tenant, subject=connection, field=field)

    return {
        "access_token": sealed("access_token", access_token),
        "refresh_token": sealed("refresh_token", refresh_token),
        "previous_refresh_token": sealed("previous_refresh_token", previous_refresh_token),
        "raw_answer": None,
        "refreshing": False,
        "expires_at": expires_at,
        "obtained_at": now,
    }


def _update(
    tx: Connection, tenant: TenantId, connection: ConnectionId, generation: int, values: dict[str, object]
) -> bool:
    condition = only(TABLE, tenant, TABLE.c.connection_id == connection, TABLE.c.generation == generation)
    return bool(tx.execute(sa.update(TABLE).where(condition).values(values)).rowcount)


def begin_refresh(tx: Connection, tenant: TenantId, connection: ConnectionId, generation: int) -> bool:
    """Save the intent; False if the tokens have moved on since `generation` was read."""
    return _update(tx, tenant, connection, generation, {"refreshing": True})


def save_raw_answer(
    tx: Connection, tenant: TenantId, connection: ConnectionId, vault: Vault, generation: int, answer: bytes
) -> bool:
    """The token endpoint's answer as it came, sealed, before anything reads it; False if the tokens have moved on."""
    sealed = vault.seal(answer, tenant=tenant, subject=connection, field="raw_answer")
    return _update(tx, tenant, connection, generation, {"raw_answer": sealed})


def drop_raw_answer(tx: Connection, tenant: TenantId, connection: ConnectionId, generation: int) -> None:
    """The answer held no tokens: the refresh is tried again."""
    _update(tx, tenant, connection, generation, {"raw_answer": None})


def proved(tx: Connection, tenant: TenantId, connection: ConnectionId, generation: int) -> None:
    """The access token of `generation` has worked: the former refresh token is not needed any more."""
    _update(tx, tenant, connection, generation, {"previous_refresh_token": None})


def drop(tx: Connection, tenant: TenantId, connection: ConnectionId) -> None:
    tx.execute(sa.delete(TABLE).where(only(TABLE, tenant, TABLE.c.connection_id == connection)))
