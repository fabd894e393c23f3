"""Datasets, syncs and their pages: one at a time, whoever asks at once, and a history that stays."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from tests.store.house import LATER, NOON, House

from comptoir.errors import Conflict, NotFound, ProductError
from comptoir.store import DatasetId, SyncId, datasets, history, pages, records, syncs
from comptoir.store.datasets import Dataset, Status, Warning_
from comptoir.store.syncs import ResourceRead


def queue(house: House, data_type: str = "invoices", now: Any = NOON) -> Dataset:
    with house.db.write() as tx:
        return datasets.queue(tx, house.tenant, house.company, house.connection, data_type, now)


def advance(house: House, dataset: Dataset, **members: Any) -> Dataset:
    with house.db.write() as tx:
        return datasets.advance(tx, house.tenant, dataset.id, **members)


def at_once(work: Callable[[], object], times: int = 6) -> list[object]:
    """What each of several threads that begin together got, or the error it met."""
    outcomes: list[object] = []
    start = threading.Barrier(times)

    def one() -> None:
        start.wait()
        try:
            outcomes.append(work())
        except Exception as error:  # handed to the test, which says which it expects
            outcomes.append(error)

    threads = [threading.Thread(target=one) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def test_a_type_already_asked_for_is_refused_with_the_documented_text(house: House) -> None:
    first = queue(house)

    with pytest.raises(Conflict) as told:
        queue(house)

    assert told.value.message == (
        f"DatasetAlreadyInProgressException: Cannot queue invoices sync for {house.company} as previous sync {first.id} is still in progress"
    )
    assert queue(house, "bills").data_type == "bills"
    advance(house, first, status=Status.COMPLETE, completed=LATER)
    assert queue(house).id != first.id


def test_of_many_that_ask_at_once_one_is_served_and_the_others_are_told(house: House) -> None:
    outcomes = at_once(lambda: queue(house))

    served = [one for one in outcomes if isinstance(one, Dataset)]
    assert len(served) == 1
    refused = [one for one in outcomes if isinstance(one, Conflict)]
    assert len(refused) == 5, outcomes
    assert all(f"previous sync {served[0].id}" in one.message for one in refused)


def test_one_that_waits_for_its_next_try_runs_at_once_when_asked_for(house: House) -> None:
    first = queue(house)
    advance(house, first, status=Status.FETCHING)
    advance(house, first, status=Status.QUEUED, retry_at=LATER, status_description="Tried again at 13:00", attempt=2)
    with house.db.read() as tx:
        assert datasets.all_waiting(tx, NOON) == []
        assert datasets.all_waiting(tx, LATER) == [(house.tenant, house.connection)]

    again = queue(house)

    assert (again.id, again.retry_at, again.status_description, again.attempt) == (first.id, None, None, 2)
    with house.db.read() as tx:
        assert datasets.all_waiting(tx, NOON) == [(house.tenant, house.connection)]


def test_what_waits_over_an_integration_is_read_at_once_when_its_keys_were_mended(house: House) -> None:
    waiting = queue(house)
    advance(house, waiting, retry_at=LATER, status_description="Tried again at 13:00")

    with house.db.write() as tx:
        datasets.wake(tx, house.tenant, "another")
        assert datasets.all_waiting(tx, NOON) == []
        datasets.wake(tx, house.tenant, "fbrh")

    with house.db.read() as tx:
        assert datasets.all_waiting(tx, NOON) == [(house.tenant, house.connection)]
        assert datasets.get(tx, house.tenant, waiting.id).status_description is None


@pytest.mark.parametrize("status", list(Status))
def test_a_status_says_whether_it_is_the_end(house: House, status: Status) -> None:
    ends = {
        "Complete", "FetchError", "MapError", "InternalError", "ProcessingError", "ValidationError", "AuthError", "RateLimitError",
        "PermissionsError", "PrerequisiteNotMet", "NotSupported", "Cancelled",
    }  # fmt: skip
    found = advance(house, queue(house), status=status)

    assert found.status is status
    assert found.status.is_ended == (status in ends)
    assert found.status.is_error == (status in ends and status != "Complete")
    with house.db.read() as tx:
        assert [one.id for one in datasets.open_ones(tx, house.tenant, house.connection)] == (
            [] if status in ends else [found.id]
        )


def test_an_ended_dataset_stays_as_it_ended(house: House) -> None:
    ended = advance(house, queue(house), status=Status.CANCELLED, error_message="Unlinked", completed=LATER)

    assert advance(house, ended, status=Status.FETCHING, progress=50, error_message=None) == ended


def test_what_is_told_of_a_dataset_is_kept(house: House) -> None:
    doubts = (Warning_(item_id="7", message="É \x00 is not documented", rule_id="mapping", validator_name="status"),)
    found = advance(
        house, queue(house), progress=40, records_read=7, records_new=3, records_changed=2, records_deleted=1, records_set_aside=1,
        warnings=doubts, sync_id="s", started=LATER,
    )  # fmt: skip

    with house.db.read() as tx:
        held = datasets.get(tx, house.tenant, found.id, company=house.company)
    assert held == found
    assert held.warnings == doubts
    assert (held.progress, held.records_read, held.records_set_aside, held.started) == (40, 7, 1, LATER)


def test_a_completed_dataset_makes_its_type_readable_and_a_failed_one_does_not(house: House) -> None:
    def readable() -> bool:
        return records.is_readable(house.db, house.tenant, house.company, "invoices", house.connection)

    advance(house, queue(house), status=Status.FETCH_ERROR, completed=LATER)
    assert not readable()

    advance(house, queue(house), status=Status.COMPLETE, completed=LATER)
    assert readable()

    advance(house, queue(house), status=Status.AUTH_ERROR, completed=LATER)
    assert readable()


def test_the_latest_and_the_latest_good_of_each_type_are_told(house: House) -> None:
    good = advance(house, queue(house, now=NOON), status=Status.COMPLETE, completed=NOON)
    better = advance(house, queue(house, now=NOON + timedelta(minutes=1)), status=Status.COMPLETE, completed=LATER)
    bad = advance(house, queue(house, now=NOON + timedelta(minutes=2)), status=Status.FETCH_ERROR, completed=LATER)
    running = queue(house, "bills")
    other = house.another_company()
    queue(other, "payments")

    with house.db.read() as tx:
        assert datasets.latest(tx, house.tenant, house.company) == {"invoices": (bad, better), "bills": (running, None)}
        assert datasets.newest_of(tx, house.tenant, house.connection) == {"invoices": bad, "bills": running}
        history = datasets.list_page(tx, house.tenant, house.company)
        assert [one.id for one in history.rows] == [bad.id, better.id, *sorted([good.id, running.id])]
        assert datasets.latest(tx, house.tenant, other.company).keys() == {"payments"}


def ended(house: House, days_ago: float, data_type: str = "invoices", **members: Any) -> Dataset:
    """A read that ended so long ago, of a sync of its own."""
    at = NOON - timedelta(days=days_ago)
    asked = queue(house, data_type, at)
    with house.db.write() as tx:
        sync = syncs.begin(tx, house.tenant, house.connection, at)
        syncs.end(tx, house.tenant, sync.id, calls=1, checks=None, now=at)
    return advance(house, asked, **{"status": Status.COMPLETE, "completed": at, "sync_id": sync.id, **members})


def test_reads_that_told_nothing_are_forgotten_sooner_and_the_newest_never(house: House, stranger: House) -> None:
    warned = (Warning_(item_id="1", message="Odd."),)
    kept = [
        ended(house, 400, "bills"),  # the newest that succeeded, and the newest
        ended(house, 300, "bills", status=Status.FETCH_ERROR),
        ended(house, 80, records_deleted=1),
        ended(house, 70, warnings=warned),
        ended(house, 60, status=Status.FETCH_ERROR),
        ended(house, 13),
        ended(stranger, 200),
        ended(stranger, 100),
    ]
    gone = [ended(house, 91, records_changed=7), ended(house, 15), ended(house, 14.1), ended(house, 500, "bills")]

    for _ in range(2):
        with house.db.write() as tx:
            datasets.purge(tx, house.tenant, house.connection, NOON)
            syncs.purge(tx, house.tenant, house.connection, NOON - datasets.QUIET_KEPT)

    for owner in (house, stranger):
        with owner.db.read() as tx:
            held = datasets.list_page(tx, owner.tenant, owner.company).rows
            told = syncs.list_page(tx, owner.tenant, owner.connection).rows
        mine = {one.id for one in kept if one.tenant_id == owner.tenant}
        assert {one.id for one in held} == mine
        assert {one.id for one in told} == {one.sync_id for one in kept if one.tenant_id == owner.tenant}
    assert not {one.id for one in gone} & {one.id for one in kept}


def test_a_sync_is_told_while_its_check_is_the_newest_or_its_changes_are_listed(house: House) -> None:
    found = []
    for number, checks in enumerate((b"{}", b"{}", None, None)):
        at = NOON - timedelta(days=50 - number)
        with house.db.write() as tx:
            sync = syncs.begin(tx, house.tenant, house.connection, at)
            syncs.end(tx, house.tenant, sync.id, calls=1, checks=checks, now=at)
        found.append(sync.id)
    with house.db.write() as tx:
        log = history.Log(house.tenant, house.connection, found[3])
        log.note(tx, history.Layer.STANDARD, "invoices", history.Change.NEW, ["1"])

        syncs.purge(tx, house.tenant, house.connection, NOON - timedelta(days=14))

        held = {one.id for one in syncs.list_page(tx, house.tenant, house.connection).rows}
    assert held == {found[1], found[3]}


def test_whatever_is_under_way_ends_together(house: House) -> None:
    done = advance(house, queue(house), status=Status.COMPLETE, completed=NOON)
    running = [queue(house), queue(house, "bills")]

    with house.db.write() as tx:
        datasets.end_all(
            tx, house.tenant, house.connection, Status.AUTH_ERROR, "FreeAgent no longer accepts our access.", LATER
        )

        assert datasets.open_ones(tx, house.tenant, house.connection) == []
        for one in running:
            ended = datasets.get(tx, house.tenant, one.id)
            assert (ended.status, ended.completed, ended.error_message) == (
                Status.AUTH_ERROR,
                LATER,
                "FreeAgent no longer accepts our access.",
            )
        assert datasets.get(tx, house.tenant, done.id) == done


def test_another_tenants_datasets_are_unknown(house: House, stranger: House) -> None:
    mine = queue(house)
    with house.db.write() as tx:
        for tenant, id_, company in (
            (stranger.tenant, mine.id, None), (house.tenant, mine.id, stranger.company), (house.tenant, DatasetId("nosuch"), None),
            (house.tenant, DatasetId("a\x00"), house.company),
        ):  # fmt: skip
            with pytest.raises(NotFound, match=f"^No data set was found with ID {id_}$"):
                datasets.get(tx, tenant, id_, company)
        with pytest.raises(NotFound):
            datasets.advance(tx, stranger.tenant, mine.id, status=Status.COMPLETE)
        datasets.end_all(tx, stranger.tenant, house.connection, Status.CANCELLED, "", LATER)
        assert datasets.open_ones(tx, stranger.tenant, house.connection) == []
        assert datasets.newest_of(tx, stranger.tenant, house.connection) == {}
        assert datasets.latest(tx, stranger.tenant, house.company) == {}
        assert datasets.list_page(tx, stranger.tenant, house.company).total == 0
        assert datasets.get(tx, house.tenant, mine.id) == mine


def test_of_many_that_begin_a_sync_at_once_all_go_on_with_the_same_one(house: House) -> None:
    def begin() -> SyncId:
        with house.db.write() as tx:
            return syncs.begin(tx, house.tenant, house.connection, NOON).id

    outcomes = at_once(begin)

    assert len(set(outcomes)) == 1
    assert isinstance(outcomes[0], str)


def test_a_sync_that_was_killed_goes_on_under_its_own_id_until_it_ends(house: House) -> None:
    with house.db.write() as tx:
        first = syncs.begin(tx, house.tenant, house.connection, NOON)
        assert syncs.begin(tx, house.tenant, house.connection, LATER) == first
        assert syncs.active(tx, house.tenant, house.connection) == first
        assert syncs.latest(tx, house.tenant, house.connection) is None

        syncs.end(tx, house.tenant, first.id, calls=7, checks=b'{"breaches":0}', now=LATER)
        assert syncs.active(tx, house.tenant, house.connection) is None
        second = syncs.begin(tx, house.tenant, house.connection, LATER)

        assert second.id != first.id
        held = syncs.latest(tx, house.tenant, house.connection)
        assert held is not None
        assert (held.id, held.calls, held.checks, held.ended) == (first.id, 7, b'{"breaches":0}', LATER)
        assert [one.ended is None for one in syncs.list_page(tx, house.tenant, house.connection).rows] == [True, False]


def test_the_newest_read_of_a_resource_counts(house: House, stranger: House) -> None:
    def read(outcome: str) -> ResourceRead:
        return ResourceRead(
            resource="invoices",
            sync_id=SyncId("s"),
            outcome=outcome,
            message=None,
            level_needed=4,
            set_aside=1,
            deleted=2,
            read_at=NOON,
        )

    with house.db.write() as tx:
        syncs.read_ended(tx, house.tenant, house.connection, read("failed"))
        syncs.read_ended(tx, house.tenant, house.connection, read("complete"))

        assert syncs.reads(tx, house.tenant, house.connection) == {"invoices": read("complete")}
        assert syncs.reads(tx, stranger.tenant, house.connection) == {}
        assert syncs.active(tx, stranger.tenant, house.connection) is None
        assert syncs.latest(tx, stranger.tenant, house.connection) is None
        assert syncs.list_page(tx, stranger.tenant, house.connection).rows == []


def test_pages_of_a_run_are_remembered_until_it_ends(house: House, stranger: House) -> None:
    def commit(page: int, ids: list[str], *, pass_number: int = 1, window: str = "") -> None:
        with house.db.write() as tx:
            pages.commit(
                tx,
                house.tenant,
                house.connection,
                SyncId("s"),
                "invoices",
                pass_number,
                window,
                page,
                total=3,
                ids=ids,
                now=NOON,
            )

    commit(1, ["1", "2"])
    commit(2, ["3"])
    commit(2, ["4"])  # the same page again takes its place
    commit(1, ["5"], pass_number=2, window="2026")

    with house.db.write() as tx:
        held = pages.done(tx, house.tenant, SyncId("s"), "invoices", 1)
        assert {place: (one.total, one.ids) for place, one in held.items()} == {
            ("", 1): (3, ["1", "2"]),
            ("", 2): (3, ["4"]),
        }
        assert pages.done(tx, stranger.tenant, SyncId("s"), "invoices", 1) == {}
        pages.purge(tx, stranger.tenant, SyncId("s"))
        pages.commit(
            tx,
            stranger.tenant,
            stranger.connection,
            SyncId("s"),
            "invoices",
            1,
            "",
            1,
            total=1,
            ids=["mine"],
            now=LATER,
        )
        assert pages.done(tx, house.tenant, SyncId("s"), "invoices", 1) == held
        pages.purge(tx, house.tenant, SyncId("s"))
        assert pages.done(tx, house.tenant, SyncId("s"), "invoices", 1) == {}


def test_a_page_and_its_row_are_kept_together_or_not_at_all(house: House) -> None:
    from tests.store.house import arrived

    from comptoir.store import raw

    def broken() -> None:
        with house.db.write() as tx:
            raw.put(tx, house.tenant, house.connection, "invoices", [arrived("1")], NOON)
            pages.commit(
                tx, house.tenant, house.connection, SyncId("s"), "invoices", 1, "", 1, total=1, ids=["1"], now=NOON
            )
            raise ProductError("cut")

    with pytest.raises(ProductError, match="cut"):
        broken()

    with house.db.read() as tx:
        assert pages.done(tx, house.tenant, SyncId("s"), "invoices", 1) == {}
        assert raw.count_live(tx, house.tenant, house.connection, "invoices") == 0
