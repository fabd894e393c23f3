"""Only what changed is asked for again, with few calls; what was not told of is found all the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.sync.conftest import HouseOf
from tests.sync.house import House
from tests.sync.standin import StandIn, standing_in

from comptoir.integrations.freeagent import FREEAGENT
from comptoir.store import Database, cursors, profile

LISTS = ("invoices", "bills", "expenses", "bank_transactions", "bank_transaction_explanations", "contacts")


@pytest.fixture
def long(tmp_path: Path) -> Iterator[StandIn]:
    """Books whose lists take several pages."""
    with standing_in(tmp_path / "stand-in", books=700, seed=3) as running:
        yield running


def an_hour_later(house: House) -> None:
    house.standin.advance(3600)
    house.clock.ahead += type(house.clock.ahead)(hours=1)
    house.standin.reset()


def read_every_hour(house: House) -> list[str]:
    """Data types that are read every hour unless somebody says otherwise: reports and the ledger are read daily."""
    with house.db.read() as tx:
        settings = profile.sync_settings(tx, house.tenant, house.company)
    offered = {one.name for one in FREEAGENT.data_types}
    return [one.data_type for one in settings if one.data_type in offered and one.sync_schedule == 1]


def deleted_in_the_middle(standin: StandIn, resource: str, held: dict[str, bytes]) -> str:
    ids = sorted(held, key=int)
    for id_ in ids[len(ids) // 2 :]:
        try:
            standin.mutate("delete", resource, id_)
        except AssertionError:
            continue  # others rest on it
        return id_
    pytest.fail("nothing could be deleted")


def seen(house: House, resource: str) -> dict[str, object]:
    with house.db.read() as tx:
        return {name: one.seen for name, one in cursors.of(tx, house.tenant, house.connection, resource).items()}


def test_a_quiet_run_takes_few_calls_and_changes_nothing(database: Database, long: StandIn, house_of: HouseOf) -> None:
    house = house_of(database, long)
    house.sync()
    before, held = house.standard(), house.raw()
    an_hour_later(house)

    ended = house.sync(*(hourly := read_every_hour(house)))

    assert long.counters()["requests"] <= 40, long.counters()["byResource"]
    assert long.calls("bank_transactions") == 2 * len(held["bank_accounts"]) - 1  # changes and a count; one fits a page
    assert house.standard() == before
    found = [ended[name] for name in hourly]
    assert not any(one.records_new or one.records_changed or one.records_deleted for one in found)


def test_edits_and_additions_are_found_with_a_call_a_list(db: Database, long: StandIn, house_of: HouseOf) -> None:
    house = house_of(db, long)
    house.sync()
    an_hour_later(house)
    first = {name: next(iter(house.raw()[name])) for name in LISTS}
    long.mutate("change", "invoices", first["invoices"], set={"comments": "Changed."})
    long.mutate("change", "bills", first["bills"], set={"comments": "Changed."})
    long.mutate("add", "expenses")
    long.mutate("add", "bank_transactions")

    house.sync()

    assert {name: long.calls(name) for name in ("invoices", "expenses")} == {"invoices": 2, "expenses": 1}
    assert house.raw() == long.served()


def test_a_record_deleted_in_the_middle_of_a_long_list_is_found_with_few_calls(
    db: Database, tmp_path: Path, house_of: HouseOf
) -> None:
    resource = "bank_transactions"
    # Books of one day: in those of others the search takes a call more or less.
    with standing_in(tmp_path / "longer", books=3000, seed=3, today="2026-11-27") as longer:
        house = house_of(db, longer)
        house.sync("bankTransactions")
        an_hour_later(house)
        held = house.raw()
        victim = deleted_in_the_middle(longer, resource, held[resource])

        house.sync("bankTransactions")

        assert len(held[resource]) > 2500
        assert longer.calls(resource) <= 12  # changes and counts of three accounts, and the search
        assert held[resource].keys() - house.raw()[resource].keys() == {victim}
        assert house.raw()[resource] == longer.served()[resource]


def test_a_payment_that_does_not_date_its_invoice_has_it_read_again(
    db: Database, long: StandIn, house_of: HouseOf
) -> None:
    house = house_of(db, long)
    house.sync()
    an_hour_later(house)
    owed = next(
        id_
        for id_, body in house.raw()["invoices"].items()
        if b'"status":"Open"' in body and b'"currency":"GBP"' in body
    )
    paid = long.mutate("pay", "invoices", owed, amount="5.00", touch=False)

    house.sync()

    assert long.calls("invoices") == 3  # changes, a count, and the one
    assert house.raw() == long.served()

    an_hour_later(house)
    long.mutate("delete", "bank_transaction_explanations", paid["explanation"])

    house.sync()

    assert house.raw() == long.served()


def test_a_cursor_is_the_newest_change_that_was_seen(db: Database, long: StandIn, house_of: HouseOf) -> None:
    house = house_of(db, long)
    house.sync("bills")
    newest = seen(house, "bills")
    an_hour_later(house)
    house.clock.ahead += type(house.clock.ahead)(minutes=10)
    house.sync("bills")

    assert seen(house, "bills") == newest
