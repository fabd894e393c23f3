"""A process that starts anew knows what the one before it has used of the limits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.cli.conftest import run
from tests.store.house import House
from tests.sync.standin import standing_in

from comptoir.store import Database, SyncId, pages, syncs
from comptoir.store.spending import spent_in
from comptoir.store.tables import SYNCS

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTES = timedelta(minutes=1)


@pytest.fixture
def house(database: Database) -> House:
    return House.built(database)


def _sync(house: House) -> SyncId:
    with house.db.write() as tx:
        return syncs.begin(tx, house.tenant, house.connection, NOON).id


def _page(house: House, sync: SyncId, number: int, at: datetime) -> None:
    with house.db.write() as tx:
        pages.commit(tx, house.tenant, house.connection, sync, "invoices", 1, "", number, total=None, ids=(), now=at)


def test_pages_of_a_read_that_was_cut_off_count_with_those_under_way(house: House) -> None:
    sync = _sync(house)
    for number in range(6):
        _page(house, sync, number, NOON + number * MINUTES)
    spent = spent_in(house.db)

    assert spent(house.connection, NOON + 3 * MINUTES) == 3 + 20
    assert spent(None, NOON) == 6 + 20
    assert spent(house.connection, NOON + 10 * MINUTES) == 0
    assert spent("another", NOON) == 0


def test_a_read_that_ended_counts_by_the_share_of_its_time(house: House) -> None:
    sync = _sync(house)
    with house.db.write() as tx:
        values = {"ended": NOON + 10 * MINUTES, "calls": 100}
        tx.execute(sa.update(SYNCS).where(SYNCS.c.id == sync, SYNCS.c.tenant_id == house.tenant).values(values))
    spent = spent_in(house.db)

    assert spent(house.connection, NOON - MINUTES) == 100
    assert spent(house.connection, NOON + 5 * MINUTES) == 50
    assert spent(house.connection, NOON + 11 * MINUTES) == 0


@pytest.mark.slow
def test_a_pull_that_was_killed_and_started_again_is_never_refused(tmp_path: Path) -> None:
    """Five times as fast: a minute takes twelve seconds. The books take more calls than a minute allows."""
    limits = "25/60,3600/3600,15/60"
    with standing_in(tmp_path / "stand-in", books=900, limits=limits, time_scale=5) as standin:
        environ = {
            "COMPTOIR_TEST_SEAMS": "1",
            "COMPTOIR_TIME_SCALE": "5",
            "COMPTOIR_FAILPOINTS": "fetch.committed=crash@3",
        }
        asked = ("--freeagent-url", standin.url, "--access-token", standin.token, "--limits", limits)
        pull = (
            "pull",
            *asked,
            "--data-dir",
            tmp_path / "data",
            "--data-types",
            "bills,invoices,payments,bankTransactions",
        )

        assert run(*pull, **environ).code == -9
        before = standin.counters()["requests"]
        ended = run(*pull, COMPTOIR_TIME_SCALE="5")

        counters = standin.counters()
        assert ended.code == 0, ended.said
        assert before > 0
        assert counters["requests"] > 25
        assert counters["tooManyRequests"] == 0
