"""Only what changed since a day is held, where a schedule says so; and all of it again when it no longer does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.sync.conftest import HouseOf
from tests.sync.house import House
from tests.sync.standin import StandIn

from comptoir.store import Database, profile, syncs
from comptoir.sync import Report


def _limit(house: House, data_type: str, **limit: Any) -> None:
    setting = profile.SyncSetting(data_type=data_type, fetch_on_first_link=True, sync_schedule=1, sync_order=0, **limit)
    with house.db.write() as tx:
        profile.put_sync_settings(tx, house.tenant, [setting], house.company)


def _live(house: House, data_type: str) -> dict[str, bytes]:
    return {id_: row[0] for id_, row in house.standard()[data_type].items() if not row[3]}


def _modified(house: House, data_type: str) -> dict[str, str]:
    return {id_: row[2] for id_, row in house.standard()[data_type].items()}


def test_a_day_that_moves_on_leaves_older_records_behind_and_back_again_brings_them(
    db: Database, standin: StandIn, house_of: HouseOf
) -> None:
    house = house_of(db, standin)
    house.sync()
    whole, modified = _live(house, "invoices"), _modified(house, "invoices")
    days = sorted(set(modified.values()))
    calls = standin.counters()["requests"]

    _limit(house, "invoices", sync_from_utc=days[len(days) // 2].replace(".000000Z", "Z"))
    ended = house.sync("invoices")["invoices"]

    kept = {id_ for id_, when in modified.items() if when >= days[len(days) // 2]}
    assert 0 < len(kept) < len(whole)
    assert _live(house, "invoices") == {id_: whole[id_] for id_ in kept}
    assert ended.records_deleted == len(whole) - len(kept)

    _limit(house, "invoices", sync_from_utc=days[-1].replace(".000000Z", "Z"))
    house.sync("invoices")
    assert set(_live(house, "invoices")) == {id_ for id_, when in modified.items() if when >= days[-1]}

    _limit(house, "invoices")
    house.sync("invoices")
    assert _live(house, "invoices") == whole
    assert standin.counters()["requests"] > calls


def test_what_is_left_out_on_purpose_is_no_breach(db: Database, standin: StandIn, house_of: HouseOf) -> None:
    house = house_of(db, standin)
    for name in ("invoices", "payments", "bankTransactions"):
        _limit(house, name, sync_from_utc="2100-01-01T00:00:00Z")
    house.sync()

    assert not house.standard()["invoices"]  # never made, so nothing to mark deleted either
    assert _live(house, "bills")
    with db.read() as tx:
        sync = syncs.latest(tx, house.tenant, house.connection)
    assert sync is not None
    assert sync.checks is not None
    report = Report.decode(sync.checks)
    assert [(line.code, line.faults[:3]) for line in report.lines if line.breaches] == []
    assert "only what changed since 2100-01-01 is held" in sync.checks.decode()


def test_months_are_counted_back_from_today() -> None:
    def since(now: datetime, months: int) -> datetime:
        return profile._months_before(now, months)

    assert since(datetime(2026, 5, 31, 14, tzinfo=UTC), 3) == datetime(2026, 2, 28, tzinfo=UTC)
    assert since(datetime(2026, 1, 15, tzinfo=UTC), 13) == datetime(2024, 12, 15, tzinfo=UTC)
    assert since(datetime(2026, 1, 15, tzinfo=UTC), 1_000_000).year == 1
    assert since(datetime(2026, 1, 15, 9, tzinfo=UTC), 0) == datetime(2026, 1, 15, tzinfo=UTC)


def test_a_window_of_months_lets_records_fall_out_as_days_pass(
    db: Database, standin: StandIn, house_of: HouseOf
) -> None:
    house = house_of(db, standin)
    _limit(house, "bills", sync_from_window=24)
    house.sync("bills")
    before = _live(house, "bills")
    assert before

    house.clock.ahead = timedelta(days=800)
    ended = house.sync("bills")["bills"]

    assert not _live(house, "bills")
    assert ended.records_deleted == len(before)
