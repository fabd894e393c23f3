"""Houses and stand-ins for a test: each has its own, so that tests may change, break and stop them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.sync.house import House
from tests.sync.standin import StandIn, standing_in

from comptoir.store import Database, open_database

HouseOf = Callable[..., House]


@pytest.fixture
def standin(tmp_path: Path) -> Iterator[StandIn]:
    with standing_in(tmp_path / "stand-in") as running:
        yield running


@pytest.fixture
def db(migrated_sqlite_url: str) -> Iterator[Database]:
    """SQLite only: for what does not hang on the database."""
    opened = open_database(migrated_sqlite_url)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def shared_db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """For tests that each have a connection of their own in it."""
    opened = open_database(f"sqlite:///{tmp_path_factory.mktemp('shared') / 'comptoir.db'}")
    yield opened
    opened.close()


@pytest.fixture
def house_of() -> Iterator[HouseOf]:
    """Makes houses, and closes them."""
    with ExitStack() as stack:

        def make(*arguments: Any, **options: Any) -> House:
            house = House(*arguments, **options)
            stack.callback(house.close)
            return house

        yield make
