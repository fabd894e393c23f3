"""Every call of a sync is listed with it: as it was made, without what is secret, and only for so long."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from tests.sync.conftest import HouseOf
from tests.sync.house import House
from tests.sync.standin import StandIn

from comptoir.jobs import Stopped
from comptoir.store import Database, calls, syncs
from comptoir.store.calls import Made
from comptoir.sync import diary, fetch


def _listed(house: House) -> list[Made]:
    with house.db.read() as tx:
        sync = syncs.list_page(tx, house.tenant, house.connection).rows[0]
        return calls.of_sync(tx, house.tenant, house.connection, sync.id)


def _rows(house: House) -> int:
    return len(house.db.fetch("SELECT pk FROM sync_calls WHERE tenant_id = ?", (house.tenant,)))


def test_a_sync_lists_exactly_the_calls_that_the_source_served(
    db: Database, standin: StandIn, house_of: HouseOf
) -> None:
    house = house_of(db, standin, limits=((5000, 60), (9000, 3600)))
    standin.reset()

    house.sync()

    listed = _listed(house)
    assert len(listed) == standin.counters()["requests"] > 30
    assert Counter(one.resource for one in listed)["invoices"] == standin.calls("invoices")
    assert {one.status for one in listed} <= {200, 404}
    assert all(urlsplit(one.url).path.startswith("/v2/") and one.size and one.attempt == 1 for one in listed)
    assert [one.at for one in listed] == sorted(one.at for one in listed)
    assert {seconds for one in listed for seconds, _ in one.left} == {60, 3600}
    assert min(left for one in listed for seconds, left in one.left if seconds == 3600) == 9000 - len(listed)
    assert _rows(house) == 1


def test_a_call_that_is_tried_again_is_listed_each_time_and_with_what_was_wrong(
    db: Database, standin: StandIn, house_of: HouseOf
) -> None:
    house = house_of(db, standin)
    standin.fault({"list": "contacts", "times": 1}, "reset")

    house.sync("customers")

    first, second = [one for one in _listed(house) if one.resource == "contacts"][:2]
    assert (first.attempt, first.status, first.size) == (1, None, 0)
    assert first.problem == "FreeAgent could not be reached, or its answer broke off."
    assert (second.attempt, second.status) == (2, 200)
    assert second.problem is None


def test_no_call_holds_the_token_and_each_can_be_made_again_with_one(
    db: Database, standin: StandIn, house_of: HouseOf
) -> None:
    house = house_of(db, standin)
    house.sync("invoices")

    commands = [diary.curl(one) for one in _listed(house)]

    assert commands
    assert not [one for one in commands if standin.token in one]
    assert all(one.startswith("curl ") and '"Authorization: Bearer $ACCESS_TOKEN"' in one for one in commands)


def test_calls_of_a_sync_that_was_stopped_and_went_on_are_all_listed(
    db: Database, standin: StandIn, house_of: HouseOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = house_of(db, standin)
    standin.reset()
    struck: list[str] = []

    def strike(name: str) -> None:
        if name == "fetch.committed" and not struck:
            struck.append(name)
            raise Stopped

    monkeypatch.setattr(fetch, "failpoint", strike)
    house.ask("invoices")
    with pytest.raises(Stopped):
        house.run()
    before = len(_listed(house))
    house.run()

    assert 0 < before < len(_listed(house))


def test_calls_are_forgotten_after_a_while(db: Database, standin: StandIn, house_of: HouseOf) -> None:
    house = house_of(db, standin)
    house.sync("invoices")
    with db.write() as tx:
        calls.purge(tx, house.clock.now() + calls.KEPT - timedelta(minutes=5))
    assert _rows(house) == 1

    with db.write() as tx:
        calls.purge(tx, house.clock.now() + calls.KEPT + timedelta(minutes=5))

    assert _rows(house) == 0
