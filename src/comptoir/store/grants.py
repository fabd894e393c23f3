"""A connection's tokens, sealed, and the trail that lets a refresh be rescued after a crash.

Every refresh replaces the refresh token. So the intent is saved before the call, the raw answer before anything reads
it, and the former refresh token until the new access token has worked once.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from comptoir.store.ids import ConnectionId, TenantId
from comptoir.store.rows import only, upsert
from comptoir.store.tables import GRANTS as TABLE
from comptoir.store.vault import Vault

__all__ = ["Grant", "begin_refresh", "drop", "get", "proved", "put", "save_raw_answer"]


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

    def opened(field: str) -> str | None:
        sealed = getattr(row, field)
        return None if sealed is None else vault.open(sealed, tenant=tenant, subject=connection, field=field).decode()

    raw = opened("raw_answer")
    return Grant(
        access_token=opened("access_token") or "",
        refresh_token=opened("refresh_token") or "",
        previous_refresh_token=opened("previous_refresh_token"),
        raw_answer=None if raw is None else raw.encode(),
        is_refreshing=row.refreshing,
        expires_at=row.expires_at,
        obtained_at=row.obtained_at,
        generation=row.generation,
    )


def put(
    tx: Connection,
    tenant: TenantId,
    connection: ConnectionId,
    vault: Vault,
    *,
    access_token: str,
    refresh_token: str,
    previous_refresh_token: str | None,
    expires_at: datetime,
    now: datetime,
) -> None:
    """New tokens, of a fresh approval or a refresh."""

    def sealed(field: str, text: str) -> bytes:
        return vault.seal(text.encode(), tenant=tenant, subject=connection, field=field)

    values: dict[str, object] = {
        "access_token": sealed("access_token", access_token),
        "refresh_token": sealed("refresh_token", refresh_token),
        "previous_refresh_token": (
            sealed("previous_refresh_token", previous_refresh_token) if previous_refresh_token else None
        ),
        "raw_answer": None,
        "refreshing": False,
        "expires_at": expires_at,
        "obtained_at": now,
    }
    values = {"tenant_id": tenant, "generation": 1, **values}
    upsert(tx, TABLE, {"connection_id": connection}, values, generation=TABLE.c.generation + 1)


def begin_refresh(tx: Connection, tenant: TenantId, connection: ConnectionId, generation: int) -> bool:
    """Save the intent; False if the tokens have moved on since `generation` was read."""
    condition = only(TABLE, tenant, TABLE.c.connection_id == connection, TABLE.c.generation == generation)
    return bool(tx.execute(sa.update(TABLE).where(condition).values(refreshing=True)).rowcount)


def save_raw_answer(tx: Connection, tenant: TenantId, connection: ConnectionId, vault: Vault, answer: bytes) -> None:
    """The token endpoint's answer as it came, sealed, before anything reads it."""
    sealed = vault.seal(answer, tenant=tenant, subject=connection, field="raw_answer")
    condition = only(TABLE, tenant, TABLE.c.connection_id == connection)
    tx.execute(sa.update(TABLE).where(condition).values(raw_answer=sealed))


def proved(tx: Connection, tenant: TenantId, connection: ConnectionId) -> None:
    """The new access token has worked: the former refresh token is not needed any more."""
    condition = only(TABLE, tenant, TABLE.c.connection_id == connection)
    tx.execute(sa.update(TABLE).where(condition).values(previous_refresh_token=None))


def drop(tx: Connection, tenant: TenantId, connection: ConnectionId) -> None:
    tx.execute(sa.delete(TABLE).where(only(TABLE, tenant, TABLE.c.connection_id == connection)))
