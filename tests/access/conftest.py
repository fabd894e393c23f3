"""An Administrator of a tenant, and another tenant beside it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from tests.operators import an_administrator

from comptoir.access import Operator
from comptoir.store import Database, TenantId, tenants

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
EMAIL = "ann@example.com"


@dataclass(frozen=True)
class House:
    db: Database
    tenant: TenantId
    ann: Operator

    @classmethod
    def built(cls, db: Database, name: str, email: str) -> House:
        with db.write() as tx:
            tenant = tenants.add(tx, name, NOON).id
            ann = an_administrator(tx, tenant, email, NOON)
        return cls(db, tenant, ann)


@pytest.fixture
def house(database: Database) -> House:
    return House.built(database, "default", EMAIL)


@pytest.fixture
def stranger(database: Database, house: House) -> House:
    return House.built(database, "stranger", "eve@example.org")
