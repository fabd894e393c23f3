"""A tenant's own keys for an integration: write-only, sealed; a second secret may wait ahead of a change."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from comptoir.errors import Conflict, SetupRequired
from comptoir.store.ids import TenantId
from comptoir.store.rows import only, struct_of, upsert
from comptoir.store.tables import INTEGRATION_SETTINGS as TABLE
from comptoir.store.vault import Vault

__all__ = [
    "IntegrationSettings",
    "drop_second",
    "get",
    "promote_second",
    "save_keys",
    "save_second",
    "secrets",
    "set_alarm",
    "set_enabled",
]


class IntegrationSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What may be shown of the keys: never a secret, only its last four characters and its date."""

    tenant_id: TenantId
    key: str
    enabled: bool
    client_id: str
    secret_last4: str
    secret_saved_at: datetime
    second_last4: str | None
    second_saved_at: datetime | None
    alarm: str | None


def get(tx: Connection, tenant: TenantId, key: str) -> IntegrationSettings | None:
    row = tx.execute(sa.select(TABLE).where(only(TABLE, tenant, TABLE.c.key == key))).one_or_none()
    return None if row is None else struct_of(IntegrationSettings, row)


def _needed(tx: Connection, tenant: TenantId, key: str) -> IntegrationSettings:
    settings = get(tx, tenant, key)
    if settings is None:
        raise Conflict("No keys are stored yet. Set the integration up first.")
    return settings


def save_keys(
    tx: Connection, tenant: TenantId, key: str, *, client_id: str, client_secret: str, vault: Vault, now: datetime
) -> None:
    """Store or replace the pair; whether it is enabled stays as it was. A second secret and an alarm are dropped."""
    values = {
        "client_id": client_id,
        "secret": vault.seal(client_secret.encode(), tenant=tenant, subject=key, field="secret"),
        "secret_last4": client_secret[-4:],
        "secret_saved_at": now,
        "second_secret": None,
        "second_last4": None,
        "second_saved_at": None,
        "alarm": None,
    }
    is_enabled = TABLE.c.enabled  # as it was
    upsert(tx, TABLE, {"tenant_id": tenant, "key": key}, {"enabled": False, **values}, enabled=is_enabled)


def save_second(tx: Connection, tenant: TenantId, key: str, *, client_secret: str, vault: Vault, now: datetime) -> None:
    """A secret that will be used when the first one is refused."""
    _needed(tx, tenant, key)
    values = {
        "second_secret": vault.seal(client_secret.encode(), tenant=tenant, subject=key, field="second_secret"),
        "second_last4": client_secret[-4:],
        "second_saved_at": now,
    }
    _set(tx, tenant, key, values)


def drop_second(tx: Connection, tenant: TenantId, key: str) -> None:
    _set(tx, tenant, key, {"second_secret": None, "second_last4": None, "second_saved_at": None})


def promote_second(tx: Connection, tenant: TenantId, key: str, vault: Vault) -> None:
    """The second secret worked where the first did not: it takes the first's place."""
    settings = _needed(tx, tenant, key)
    _, *second = secrets(tx, tenant, key, vault)
    if not second or settings.second_last4 is None:
        return
    values = {
        "secret": vault.seal(second[0].encode(), tenant=tenant, subject=key, field="secret"),
        "secret_last4": settings.second_last4,
        "secret_saved_at": settings.second_saved_at,
        "second_secret": None,
        "second_last4": None,
        "second_saved_at": None,
        "alarm": None,
    }
    _set(tx, tenant, key, values)


def secrets(tx: Connection, tenant: TenantId, key: str, vault: Vault) -> tuple[str, ...]:
    """The secrets in the clear, the one in use first. Only for the owner of OAuth calls and for comparison."""
    columns = sa.select(TABLE.c.secret, TABLE.c.second_secret)
    row = tx.execute(columns.where(only(TABLE, tenant, TABLE.c.key == key))).one_or_none()
    if row is None:
        raise SetupRequired("No keys are stored for this integration. Set it up under Settings > Integrations.")
    found = [vault.open(row.secret, tenant=tenant, subject=key, field="secret")]
    if row.second_secret is not None:
        found.append(vault.open(row.second_secret, tenant=tenant, subject=key, field="second_secret"))
    return tuple(secret.decode() for secret in found)


def set_enabled(tx: Connection, tenant: TenantId, key: str, *, enabled: bool) -> None:
    _needed(tx, tenant, key)
    _set(tx, tenant, key, {"enabled": enabled})


def set_alarm(tx: Connection, tenant: TenantId, key: str, text: str | None) -> None:
    """What is wrong with the keys, shown to the operator; None when all is well again."""
    _set(tx, tenant, key, {"alarm": text})


def _set(tx: Connection, tenant: TenantId, key: str, values: Mapping[str, object]) -> None:
    tx.execute(sa.update(TABLE).where(only(TABLE, tenant, TABLE.c.key == key)).values(values))
