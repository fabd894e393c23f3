"""A corner of an empty database of each kind: a tenant with a company and its connection."""

from __future__ import annotations

import pytest
from tests.store.house import House

from comptoir.store import Database


@pytest.fixture
def house(database: Database) -> House:
    """A tenant with a company and a linked connection."""
    return House.built(database)


@pytest.fixture
def stranger(database: Database, house: House) -> House:
    """Another tenant of the same database, with a company and a connection of its own."""
    return House.built(database, name="stranger")
