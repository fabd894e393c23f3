"""The first start: a tenant and its Administrator, whose password is told once."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

import msgspec
from sqlalchemy import Connection

from comptoir.access import operators
from comptoir.access.operators import Operator
from comptoir.access.roles import Role
from comptoir.errors import Conflict
from comptoir.runtime.clock import Clock
from comptoir.store import Database, TenantId, events, tenants
from comptoir.store.trail import Actor, ActorKind

__all__ = ["FIRST_EMAIL", "FIRST_TENANT", "FirstStart", "add_tenant", "ensure_first"]

FIRST_TENANT = "default"
FIRST_EMAIL = "admin@comptoir.local"


class FirstStart(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant that was just made; the password is kept nowhere else."""

    tenant_id: TenantId
    email: str
    password: str

    def __repr__(self) -> str:
        return f"FirstStart(tenant_id={self.tenant_id!r}, email={self.email!r})"


def add_tenant(db: Database, clock: Clock, *, name: str, email: str) -> FirstStart:
    """A further tenant with an Administrator of its own; Conflict when name or e-mail address is taken."""
    now = clock.now()
    with db.write() as tx:
        tenant = tenants.add(tx, name, now)
        operator, password = _first_operator(tx, tenant.id, email, now, "comptoir tenant add")
    return FirstStart(tenant_id=tenant.id, email=operator.email, password=password)


def ensure_first(
    db: Database, clock: Clock, *, email: str = FIRST_EMAIL, command: str = "first start"
) -> FirstStart | None:
    """Make the tenant `default` and its Administrator if nobody can sign in yet; None if somebody can.

    The tenant may be there already: a pull makes it, and nobody signs in to pull.
    """
    with suppress(Conflict), db.write() as tx:  # several processes may start at once: one of them makes it
        if any(operators.all_of(tx, tenant.id) for tenant in tenants.all_tenants(tx)):
            return None
        now = clock.now()
        tenant = tenants.by_name(tx, FIRST_TENANT) or tenants.add(tx, FIRST_TENANT, now)
        operator, password = _first_operator(tx, tenant.id, email, now, command)
        return FirstStart(tenant_id=tenant.id, email=operator.email, password=password)
    return None


def _first_operator(tx: Connection, tenant: TenantId, email: str, now: datetime, command: str) -> tuple[Operator, str]:
    made = operators.add(tx, tenant, email=email, role=Role.ADMINISTRATOR, now=now)
    actor = Actor(kind=ActorKind.COMMAND, name=command)
    events.audit(tx, tenant, actor, "operator.added", made[0].id, now, detail=f"{made[0].email}, {made[0].role}")
    return made
