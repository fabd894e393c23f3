"""FreeAgent's clock and ours apart, either way: no change is missed, and none is read for ever."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from tests.sync.conftest import HouseOf
from tests.sync.standin import standing_in

from comptoir.store import Database


@pytest.mark.parametrize("minutes", [10, -120])
def test_clocks_ten_minutes_apart_hide_no_change_and_bring_nothing_twice(
    db: Database, tmp_path: Path, house_of: HouseOf, minutes: int
) -> None:
    with standing_in(tmp_path / "stand-in", books=700, seed=3) as standin:  # a list of several pages
        house = house_of(db, standin)
        standin.advance(minutes * 60)
        house.sync("invoices")
        held = house.raw()["invoices"]
        assert len(held) > 100
        victim = next(iter(held))
        standin.reset()

        for number in range(2):
            standin.advance(60)
            house.clock.ahead += timedelta(minutes=1)
            standin.mutate("change", "invoices", victim, set={"comments": f"Changed {number}."})
            house.sync("invoices")
            assert f"Changed {number}.".encode() in house.raw()["invoices"][victim]

        ended = house.sync("invoices")["invoices"]
        assert (ended.records_new, ended.records_changed, ended.records_deleted) == (0, 0, 0)
        assert standin.calls("invoices") <= 3 * 6  # changes and counts, and no list whole
