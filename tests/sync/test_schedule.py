"""When books are read again: intervals, times of day, order, runs missed while nobody was there."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from comptoir.errors import InvalidInput
from comptoir.integrations.freeagent import FREEAGENT
from comptoir.store import (
    CompanyId,
    ConnectionId,
    Database,
    TenantId,
    companies,
    connections,
    datasets,
    open_database,
    profile,
)
from comptoir.store import tenants as tenants_
from comptoir.store.connections import ConnectionStatus
from comptoir.store.datasets import Status
from comptoir.store.profile import SyncSetting
from comptoir.sync import Scheduler

MONDAY = datetime(2026, 6, 1, 10, 0, tzinfo=UTC)
NEVER = {one.name: 0 for one in FREEAGENT.data_types}


class Desk:
    """One linked company, a clock set by hand, and a scheduler that looks when told to."""

    def __init__(self, db: Database, *, time_scale: float = 1.0) -> None:
        self.db, self.at = db, MONDAY
        with db.write() as tx:
            self.tenant: TenantId = tenants_.add(tx, f"tenant {uuid4()}", self.at).id
        self.company, self.connection = self.add_company("Kestrel")
        self.begun: list[ConnectionId] = []
        self.scheduler = Scheduler(
            db, self, lambda _: FREEAGENT, lambda _, one: self.begun.append(one), time_scale=time_scale
        )

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    def sleep(self, seconds: float) -> None:
        raise AssertionError(f"nobody sleeps {seconds} s")

    def add_company(self, name: str) -> tuple[CompanyId, ConnectionId]:
        with self.db.write() as tx:
            company = companies.add(tx, self.tenant, name=name, created_by=None, now=self.at).id
            connection = connections.add(tx, self.tenant, company, FREEAGENT.key, self.at).id
            connections.set_status(tx, self.tenant, connection, ConnectionStatus.LINKED, self.at)
        return company, connection

    def schedule(self, hours: dict[str, int], company: str = "", *, time: str | None = None, **order: int) -> None:
        settings = [
            SyncSetting(
                data_type=name,
                fetch_on_first_link=True,
                sync_schedule=every,
                sync_order=order.get(name, 0),
                time_of_day=time if every else None,
            )
            for name, every in (NEVER | hours).items()
        ]
        with self.db.write() as tx:
            profile.put_sync_settings(tx, self.tenant, settings, company)

    def look(self, moment: datetime) -> list[str]:
        """Let the scheduler look at this moment; what it asked for over the company, read at once to its end."""
        self.at = moment
        self.scheduler.turn()
        with self.db.write() as tx:
            asked = datasets.open_ones(tx, self.tenant, self.connection)
            for one in asked:
                datasets.advance(tx, self.tenant, one.id, status=Status.COMPLETE, started=moment, completed=moment)
        return [one.data_type for one in asked]

    def days_read(self, until: timedelta, every: timedelta = timedelta(minutes=30)) -> list[datetime]:
        """Look again and again for so long; when something was read."""
        began, read = self.at, []
        while self.at < began + until:
            if self.look(self.at + every):
                read.append(self.at)
        return read


@pytest.fixture
def desk(migrated_sqlite_url: str) -> Iterator[Desk]:
    db = open_database(migrated_sqlite_url)
    yield Desk(db)
    db.close()


def test_nothing_is_read_before_its_interval_is_over(desk: Desk) -> None:
    desk.schedule({"invoices": 1})
    assert desk.look(MONDAY + timedelta(minutes=59)) == []
    assert desk.look(MONDAY + timedelta(minutes=61)) == ["invoices"]
    assert desk.look(MONDAY + timedelta(minutes=119)) == []


def test_what_was_missed_while_nobody_was_there_is_read_once(desk: Desk) -> None:
    desk.schedule({"invoices": 1})
    assert desk.look(MONDAY + timedelta(days=3)) == ["invoices"]
    assert desk.look(MONDAY + timedelta(days=3, minutes=30)) == []


def test_what_is_nearly_due_joins_in_the_order_that_was_set(desk: Desk) -> None:
    desk.schedule({"invoices": 1, "bills": 1, "items": 24}, invoices=2, bills=1)
    assert desk.look(MONDAY + timedelta(hours=1)) == ["bills", "invoices"]


def test_a_time_of_day_is_kept_whenever_the_last_read_was(desk: Desk) -> None:
    desk.schedule({"invoices": 24}, time="06:30")
    read = desk.days_read(timedelta(days=3))
    assert [one.strftime("%d %H:%M") for one in read] == ["02 06:30", "03 06:30", "04 06:30"]


def test_a_week_and_a_month_with_a_time_of_day(desk: Desk) -> None:
    hourly = timedelta(hours=1)
    desk.schedule({"invoices": 168}, time="23:00")
    read = desk.days_read(timedelta(days=15), hourly)
    assert [one.strftime("%d %H:%M") for one in read] == ["07 23:00", "14 23:00"]
    desk.schedule({"invoices": 720}, time="00:00")
    read = desk.days_read(timedelta(days=31), 3 * hourly)
    assert [one.strftime("%m-%d") for one in read] == ["07-14"]


def test_a_time_of_day_that_was_missed_is_made_up_for_once(desk: Desk) -> None:
    desk.schedule({"invoices": 24}, time="06:30")
    assert desk.look(MONDAY + timedelta(days=5)) == ["invoices"]
    assert desk.look(MONDAY + timedelta(days=5, hours=1)) == []
    assert desk.look(datetime(2026, 6, 7, 6, 31, tzinfo=UTC)) == ["invoices"]


def test_what_has_a_time_of_day_does_not_join_others_before_it(desk: Desk) -> None:
    desk.schedule({"invoices": 24}, time="09:00")
    with desk.db.write() as tx:
        hourly = SyncSetting(data_type="bills", fetch_on_first_link=True, sync_schedule=1, sync_order=0)
        profile.put_sync_settings(tx, desk.tenant, [hourly])
    assert desk.look(datetime(2026, 6, 2, 8, 55, tzinfo=UTC)) == ["bills"]
    assert desk.look(datetime(2026, 6, 2, 9, 1, tzinfo=UTC)) == ["invoices"]


def test_days_are_shortened_with_the_time_scale(migrated_sqlite_url: str) -> None:
    db = open_database(migrated_sqlite_url)
    desk = Desk(db, time_scale=24.0)
    desk.schedule({"invoices": 24}, time="12:00")
    read = desk.days_read(timedelta(hours=3), timedelta(minutes=5))
    db.close()
    assert [one.strftime("%H:%M") for one in read] == ["10:30", "11:30", "12:30"]


def test_a_company_may_have_a_schedule_of_its_own(desk: Desk) -> None:
    desk.schedule({"invoices": 1})
    desk.schedule({"bills": 1}, desk.company)
    assert desk.look(MONDAY + timedelta(hours=2)) == ["bills"]
    with desk.db.write() as tx:
        profile.put_sync_settings(tx, desk.tenant, None, desk.company)
    assert desk.look(MONDAY + timedelta(hours=3)) == ["invoices"]


def test_many_companies_due_at_once_are_begun_bit_by_bit(desk: Desk) -> None:
    desk.schedule({"invoices": 1})
    for number in range(189):
        desk.add_company(f"Company {number}")
    desk.look(MONDAY + timedelta(hours=2))
    assert len(desk.begun) == 2  # of 190 in 180 looks


@pytest.mark.parametrize("is_restarted", [False, True])
def test_a_clock_that_was_ahead_and_is_put_back_holds_nothing_up(desk: Desk, is_restarted: bool) -> None:
    desk.schedule({"invoices": 1, "bills": 24})
    ahead = MONDAY + timedelta(days=400)
    assert desk.look(ahead) == ["bills", "invoices"]
    assert desk.look(ahead + timedelta(hours=1)) == ["invoices"]

    if is_restarted:
        desk.scheduler = Scheduler(desk.db, desk, lambda _: FREEAGENT, lambda _, one: desk.begun.append(one))
    assert desk.look(MONDAY + timedelta(minutes=1)) == []  # read just now, whatever the clock said
    with desk.db.read() as tx:
        dated = datasets.list_page(tx, desk.tenant, desk.company).rows

    assert sorted((one.requested, one.data_type) for one in dated) == [
        (MONDAY - timedelta(minutes=59), "bills"),
        (MONDAY - timedelta(minutes=59), "invoices"),
        (MONDAY + timedelta(minutes=1), "invoices"),
    ]
    assert all(one.completed == one.requested for one in dated)
    assert desk.look(MONDAY + timedelta(minutes=62)) == ["invoices"]
    assert desk.look(MONDAY + timedelta(hours=24)) == ["bills", "invoices"]


def test_a_link_made_while_the_clock_was_ahead_is_read_all_the_same(desk: Desk) -> None:
    desk.schedule({"invoices": 24})
    desk.at = MONDAY + timedelta(days=400)
    _, linked_ahead = desk.add_company("Lighthouse")
    desk.look(MONDAY + timedelta(minutes=1))
    desk.look(MONDAY + timedelta(minutes=2))
    assert set(desk.begun) == {linked_ahead}


def test_machines_whose_clocks_are_minutes_apart_leave_each_others_dates_alone(desk: Desk) -> None:
    desk.schedule({"invoices": 1})
    assert desk.look(MONDAY + timedelta(hours=1, minutes=5)) == ["invoices"]
    desk.look(MONDAY + timedelta(hours=1))
    with desk.db.read() as tx:
        (one,) = datasets.newest_of(tx, desk.tenant, desk.connection).values()
    assert one.requested == MONDAY + timedelta(hours=1, minutes=5)


def test_of_several_processes_those_that_are_not_on_duty_begin_nothing(desk: Desk) -> None:
    desk.schedule({"invoices": 1})
    desk.at = MONDAY + timedelta(hours=2)
    asked: list[int] = []
    has_turned = threading.Event()

    def is_on_duty() -> bool:
        asked.append(1)
        if len(asked) == 2:  # so one turn is over
            has_turned.set()
        return False

    other = Scheduler(
        desk.db, desk, lambda _: FREEAGENT, lambda _, one: desk.begun.append(one), is_on_duty=is_on_duty, time_scale=1e4
    )
    other.start()
    assert has_turned.wait(10)
    other.stop()

    assert desk.begun == []


@pytest.mark.parametrize(
    ("schedule", "time"), [(1, "06:30"), (0, "06:30"), (24, "24:00"), (24, "6:30"), (24, "06:60"), (24, "morning")]
)
def test_a_time_of_day_that_cannot_be_kept_is_refused(desk: Desk, schedule: int, time: str) -> None:
    wrong = SyncSetting(
        data_type="invoices", fetch_on_first_link=True, sync_schedule=schedule, sync_order=0, time_of_day=time
    )
    with desk.db.write() as tx, pytest.raises(InvalidInput, match=r"time"):
        profile.put_sync_settings(tx, desk.tenant, [wrong])


def test_a_caller_who_knows_of_no_times_leaves_them_as_they_are(desk: Desk) -> None:
    desk.schedule({"invoices": 24, "bills": 24}, time="06:30")
    with desk.db.write() as tx:
        weekly = SyncSetting(data_type="invoices", fetch_on_first_link=True, sync_schedule=168, sync_order=0)
        hourly = SyncSetting(data_type="bills", fetch_on_first_link=True, sync_schedule=1, sync_order=0)
        profile.put_sync_settings(tx, desk.tenant, [weekly, hourly], keep_times=True)
        found = {one.data_type: one for one in profile.sync_settings(tx, desk.tenant)}
    assert (found["invoices"].sync_schedule, found["invoices"].time_of_day) == (168, "06:30")
    assert found["bills"].time_of_day is None  # every hour: there is no such time
