"""Links by which a password is chosen: for whoever was invited, or has lost it. Each works once, and not for long.

There is no mail server: whoever makes a link is told it once, and hands it on. A new one ends the one before.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import Connection

from comptoir.access import operators, second_factor
from comptoir.access.operators import Operator
from comptoir.errors import Conflict, NotFound
from comptoir.runtime.clock import Clock
from comptoir.store import Database, TenantId, events, tenants
from comptoir.store.rows import only, upsert
from comptoir.store.tables import OPERATORS
from comptoir.store.tables import PASSWORD_LINKS as TABLE
from comptoir.store.trail import Actor, ActorKind

__all__ = ["INVITATION_LASTS", "RESET_LASTS", "address_of", "find", "link_by_command", "make", "use", "waiting"]

INVITATION_LASTS = timedelta(days=3)  # over a weekend
RESET_LASTS = timedelta(hours=1)
_OVER = "This link was used already, or it is too old. Ask an Administrator for a new one."


def make(tx: Connection, tenant: TenantId, operator: str, now: datetime) -> tuple[str, datetime]:
    """The token of a new link, which is told once, and when it ends. Conflict for who is disabled."""
    found = operators.get(tx, tenant, operator)
    if found.disabled is not None:
        raise Conflict("This operator is disabled. Enable them first.")
    token = secrets.token_urlsafe(32)
    expires = now + (RESET_LASTS if found.has_password else INVITATION_LASTS)
    values = {"tenant_id": tenant, "token_hash": _hashed(token), "expires": expires}
    upsert(tx, TABLE, {"operator_id": found.id}, values)
    return token, expires


def address_of(token: str, public_url: str) -> str:
    """The link itself, below the configured address, whatever host a request named."""
    return f"{public_url}/set-password?token={token}"


def link_by_command(db: Database, clock: Clock, *, email: str, public_url: str) -> tuple[str, datetime]:
    """A link for the operator with this e-mail address, of whatever tenant, and when it ends.

    For whoever may run commands where the data is. A second factor is removed with it: it may be what was lost.
    """
    now = clock.now()
    with db.write() as tx:
        everybody = [one for tenant in tenants.all_tenants(tx) for one in operators.all_of(tx, tenant.id)]
        found = next((one for one in everybody if one.email == email.strip().lower()), None)
        if found is None:
            raise NotFound("There is no operator with this e-mail address.")
        token, until = make(tx, found.tenant_id, found.id, now)
        second_factor.turn_off(tx, found.tenant_id, found.id)
        actor = Actor(kind=ActorKind.COMMAND, name="comptoir operator link")
        events.audit(tx, found.tenant_id, actor, "operator.linkMade", found.id, now, detail=found.email)
    return address_of(token, public_url), until


def waiting(tx: Connection, tenant: TenantId, now: datetime) -> dict[str, datetime]:
    """When the link of each operator ends, for those that have one that still works."""
    rows = tx.execute(sa.select(TABLE.c.operator_id, TABLE.c.expires).where(only(TABLE, tenant, TABLE.c.expires > now)))
    return {row.operator_id: row.expires for row in rows}


def find(tx: Connection, token: str, now: datetime) -> Operator:
    """Whom a link is for; NotFound for one that does not work, or no longer. It stays usable."""
    # No tenant is known yet: the link tells it.
    mine = sa.and_(TABLE.c.token_hash == _hashed(token), TABLE.c.expires > now, TABLE.c.tenant_id.is_not(None))
    link = tx.execute(sa.select(TABLE).where(mine)).one_or_none()
    if link is None:
        raise NotFound(_OVER)
    theirs = only(OPERATORS, link.tenant_id, OPERATORS.c.id == link.operator_id, OPERATORS.c.disabled.is_(None))
    row = tx.execute(sa.select(OPERATORS).where(theirs)).one_or_none()
    if row is None:
        raise NotFound(_OVER)
    return operators.of_row(row)


def use(tx: Connection, token: str, password: str, now: datetime) -> Operator:
    """Set the password of whom the link is for; every session of theirs ends, and the link with it.

    NotFound for a link that does not work; InvalidInput for a password that cannot be one: the link then stays.
    """
    operator = find(tx, token, now)
    mine = only(TABLE, operator.tenant_id, TABLE.c.token_hash == _hashed(token))
    taken = tx.execute(sa.delete(TABLE).where(mine), execution_options={"preserve_rowcount": True})
    if taken.rowcount != 1:  # somebody else used it at this very moment
        raise NotFound(_OVER)
    operators.change_password(tx, operator.tenant_id, operator.id, password)
    return operator


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
