"""Keys of the public API: shown once, kept as hashes, revoked at once."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from comptoir.errors import Conflict, InvalidInput
from comptoir.store import Database, TenantId, new_id
from comptoir.store.database import Source, fetch
from comptoir.store.rows import one_of, only, struct_of, take_turns
from comptoir.store.tables import API_KEYS as TABLE
from comptoir.store.values import from_text

__all__ = ["ApiKey", "add", "all_keys", "delete", "find", "seen"]

_MOST_KEYS = 10
_LONGEST_NAME = 50
_SEEN_EVERY = timedelta(minutes=1)
_FIND = "SELECT id, tenant_id, name, last4, created, last_used FROM api_keys WHERE secret_hash = ? AND tenant_id <> ''"


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """What may be shown of a key: never the key, only its last four characters."""

    id: str
    tenant_id: TenantId
    name: str | None
    last4: str
    created: datetime
    last_used: datetime | None


def _hashed(key: str) -> str:
    # The key is 32 random bytes: a plain hash cannot be guessed back, and is quick enough for every request.
    return hashlib.sha256(key.encode()).hexdigest()


def add(tx: Connection, tenant: TenantId, name: str | None, now: datetime) -> tuple[ApiKey, str]:
    """A new key and its text, which is told once."""
    if name is not None and len(name) > _LONGEST_NAME:
        raise InvalidInput(f"Max string length ({_LONGEST_NAME}) for 'name' reached.", field="name")
    take_turns(tx, tenant)
    if len(all_keys(tx, tenant)) >= _MOST_KEYS:
        raise Conflict(f"There are {_MOST_KEYS} API keys already, as many as there may be. Delete one first.")
    key = secrets.token_urlsafe(32)
    id_ = new_id()
    values = {"id": id_, "name": name, "secret_hash": _hashed(key), "last4": key[-4:], "created": now}
    tx.execute(sa.insert(TABLE).values(tenant_id=tenant, **values))
    return struct_of(ApiKey, one_of(tx, TABLE, tenant, id_, "")), key


def all_keys(tx: Connection, tenant: TenantId) -> list[ApiKey]:
    rows = tx.execute(sa.select(TABLE).where(only(TABLE, tenant)).order_by(TABLE.c.created, TABLE.c.id))
    return [struct_of(ApiKey, row) for row in rows]


def delete(tx: Connection, tenant: TenantId, key: str) -> None:
    """Revoke a key; the last one cannot go, or nobody could use the API any more."""
    take_turns(tx, tenant)
    one_of(tx, TABLE, tenant, key, f"No API key was found with ID {key}")
    if len(all_keys(tx, tenant)) == 1:
        raise Conflict("This is the last API key. Create another one before deleting it.")
    tx.execute(sa.delete(TABLE).where(only(TABLE, tenant, TABLE.c.id == key)))


def find(source: Source, key: str) -> ApiKey | None:
    """The key with this text, whatever tenant: it tells the tenant. Looked up anew for every request."""
    rows = fetch(source, _FIND, (_hashed(key),))
    if not rows:
        return None
    id_, tenant, name, last4, created, last_used = rows[0]
    return ApiKey(
        id=id_,
        tenant_id=tenant,
        name=name,
        last4=last4,
        created=from_text(created),
        last_used=None if last_used is None else from_text(last_used),
    )


def seen(db: Database, key: ApiKey, now: datetime) -> None:
    """Note the last use, at most once a minute, and only when the database is not busy writing: it can wait."""
    if key.last_used is not None and now - key.last_used < _SEEN_EVERY:
        return
    mine = only(TABLE, key.tenant_id, TABLE.c.id == key.id)
    db.write_if_free(lambda tx: tx.execute(sa.update(TABLE).where(mine).values(last_used=now)))
