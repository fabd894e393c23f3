"""Tenants: each has operators, keys and companies of its own, and sees nothing of the others."""

from __future__ import annotations

from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from comptoir.errors import Conflict, NotFound
from comptoir.store.ids import TenantId, new_id
from comptoir.store.rows import insert_if_free, struct_of
from comptoir.store.tables import TENANTS

__all__ = ["Tenant", "add", "all_tenants", "by_name", "get", "require_second_factor"]


class Tenant(msgspec.Struct, frozen=True, kw_only=True):
    id: TenantId
    name: str
    created: datetime | None
    needs_second_factor: bool = False  # of each of its operators


def add(tx: Connection, name: str, now: datetime) -> Tenant:
    tenant = Tenant(id=TenantId(new_id()), name=name, created=now)
    if not insert_if_free(tx, TENANTS, id=tenant.id, name=name, created=now):
        raise Conflict(f"There is a tenant {name!r} already. Choose another name.")
    return tenant


def get(tx: Connection, tenant: TenantId) -> Tenant:
    row = tx.execute(sa.select(TENANTS).where(TENANTS.c.id == tenant)).one_or_none()
    if row is None:
        raise NotFound("There is no such tenant.")
    return struct_of(Tenant, row)


def by_name(tx: Connection, name: str) -> Tenant | None:
    row = tx.execute(sa.select(TENANTS).where(TENANTS.c.name == name)).one_or_none()
    return None if row is None else struct_of(Tenant, row)


def all_tenants(tx: Connection) -> list[Tenant]:
    return [struct_of(Tenant, row) for row in tx.execute(sa.select(TENANTS).order_by(TENANTS.c.created))]


def require_second_factor(tx: Connection, tenant: TenantId, *, required: bool) -> None:
    """Ask every operator of the tenant for a second factor from the next request on, or leave it to each."""
    tx.execute(sa.update(TENANTS).where(TENANTS.c.id == tenant).values(needs_second_factor=required))
