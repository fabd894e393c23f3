"""One stand-in with two companies for a module; each test has an app, a tenant and a company of its own there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from tests.conftest import opened
from tests.link.house import House
from tests.sync.standin import StandIn, standing_in

from comptoir.store import Database

HouseOf = Callable[..., House]


@pytest.fixture(scope="module")
def _standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with standing_in(tmp_path_factory.mktemp("stand-in"), companies=2, books=20, refresh="strict") as running:
        yield running


@pytest.fixture
def standin(_standin: StandIn) -> Iterator[StandIn]:
    _standin.reset()
    yield _standin
    _standin.heal()
    _standin.set(refresh="strict", limits="off", accessTokenSeconds=3600)


@pytest.fixture
def house_of(standin: StandIn) -> Iterator[HouseOf]:
    """Makes houses, and closes them."""
    with ExitStack() as stack:

        def make(db: Database, **options: Any) -> House:
            house = House(db, standin, **options)
            stack.callback(house.close)
            return house

        yield make


@pytest.fixture
def db(migrated_sqlite_url: str) -> Iterator[Database]:
    """SQLite only: for what does not hang on the database."""
    db = opened(migrated_sqlite_url)
    yield db
    db.close()


@pytest.fixture
def house(db: Database, house_of: HouseOf) -> House:
    return house_of(db)


@pytest.fixture
def house_on_each(database: Database, house_of: HouseOf) -> House:
    """Once on each kind of database."""
    return house_of(database)
