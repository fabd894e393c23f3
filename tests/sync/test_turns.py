"""Turns between processes: one at a time over a connection, given back whatever happens meanwhile."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from sqlalchemy.engine import make_url
from tests.store.house import House

from comptoir.jobs import Stopped
from comptoir.store import Database, leases, open_database
from comptoir.sync import Turns

pytestmark = pytest.mark.postgres


@pytest.fixture
def db(postgres_url: str) -> Iterator[Database]:
    """Impatient: whoever waits for a lock is told after a moment that the database does not answer."""
    hurried = make_url(postgres_url).update_query_dict({"options": "-c lock_timeout=50ms"})
    opened = open_database(hurried.render_as_string(hide_password=False))
    yield opened
    opened.close()


def _leased(db: Database, *names: str) -> list[Turns]:
    """Processes that hold a lease each."""
    with db.write() as tx:
        numbers = [leases.take(tx, executor=name, process=name, is_worker=True, seconds=60) for name in names]
    return [Turns(db, itertools.repeat(number).__next__) for number in numbers]


def test_a_connection_is_one_processs_at_a_time(db: Database) -> None:
    house = House.built(db)
    one, other = _leased(db, "a", "b")

    def never(turns: Turns) -> None:
        with turns.take(house.tenant, house.connection, lambda: True):
            pass

    with one.take(house.tenant, house.connection, lambda: False):
        for turns in (other, one):
            with pytest.raises(Stopped):
                never(turns)
    never(other)


def test_whoever_was_buried_gets_no_turn(db: Database) -> None:
    house = House.built(db)
    [buried] = _leased(db, "a")
    with db.write() as tx:
        leases.give_back(tx, leases.held(tx)[0].number)

    with pytest.raises(Stopped), buried.take(house.tenant, house.connection, lambda: False):
        pass


def test_a_turn_that_ended_while_the_database_was_away_is_given_back(db: Database, postgres_url: str) -> None:
    house = House.built(db)
    one, other = _leased(db, "a", "b")
    is_taken, is_away, was_told = threading.Event(), threading.Event(), threading.Event()
    admin = psycopg.connect(make_url(postgres_url).set(drivername="postgresql").render_as_string(hide_password=False))

    def looks_up() -> bool:
        was_told.set()
        return False

    def work() -> None:
        with one.take(house.tenant, house.connection, looks_up):
            is_taken.set()
            is_away.wait(30)
        was_told.set()

    with ThreadPoolExecutor(1) as thread:
        working = thread.submit(work)
        assert is_taken.wait(30)
        with admin:
            admin.execute("LOCK TABLE turns IN ACCESS EXCLUSIVE MODE")
            is_away.set()
            assert was_told.wait(30)
        working.result(30)

    with other.take(house.tenant, house.connection, lambda: True):
        pass
