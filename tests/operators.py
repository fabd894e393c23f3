"""Administrators whose password was hashed once: each hash takes a fifth of a second, on purpose, and most tests are
about something else."""

from __future__ import annotations

from datetime import datetime
from functools import cache

import sqlalchemy as sa
from argon2 import PasswordHasher
from sqlalchemy import Connection

from comptoir.access import Operator, Role, operators, passwords
from comptoir.store import TenantId, new_id
from comptoir.store.tables import OPERATORS

PASSWORD = "correct horse battery"


def an_administrator(
    tx: Connection, tenant: TenantId, email: str, now: datetime, *, password_hash: str | None = None
) -> Operator:
    """An Administrator with the password of tests, as `operators.add` would make one, or with a hash of one's own."""
    row = {"id": new_id(), "tenant_id": tenant, "email": email, "role": Role.ADMINISTRATOR.value, "created": now}
    tx.execute(sa.insert(OPERATORS).values(password_hash=password_hash or _hash(), **row))
    return operators.by_email(tx, tenant, email)


@cache
def _hash() -> str:
    return passwords.hashed(PASSWORD)


@cache
def weak_hash() -> str:
    """Of the same password, compared in no time: for tests that guess again and again."""
    return PasswordHasher(memory_cost=8, time_cost=1, parallelism=1).hash(PASSWORD)
