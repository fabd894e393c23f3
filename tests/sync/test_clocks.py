"""FreeAgent's clock and ours ten minutes apart, either way: no change is missed, and none is read for ever."""

from __future__ import annotations

import pytest
from tests.sync.conftest import HouseOf
from tests.sync.standin import StandIn

from comptoir.store import Database


@pytest.mark.parametrize("seconds", [600, -600])
def test_clocks_ten_minutes_apart_hide_no_change_and_bring_nothing_twice(
    db: Database, standin: StandIn, house_of: HouseOf, seconds: int
) -> None:
    house = house_of(db, standin)
    standin.advance(seconds)
    house.sync("bills")
    victim = next(iter(house.raw()["bills"]))

    for number in range(3):
        standin.mutate("change", "bills", victim, set={"comments": f"Changed {number}."})
        assert house.sync("bills")["bills"].records_changed == 1

    assert f"Changed {number}.".encode() in house.raw()["bills"][victim]
    standin.advance(60)  # a change of the moment in which a read began is asked for once more
    house.sync("bills")
    assert house.sync("bills")["bills"].records_changed == 0
