"""From when on changes are asked for: none is missed, whatever clocks, stops and broken reads do in between."""

from __future__ import annotations

import re
from datetime import timedelta

import msgspec
import pytest
from tests.sync.kept import SIZE, Kept, spoiled, stopping_engine

from comptoir.errors import TryLater
from comptoir.integrations.contract import Resource
from comptoir.jobs import Stopped
from comptoir.store import Database
from comptoir.store.datasets import Status
from comptoir.upstream.client import Page


def test_an_upstream_that_ignores_the_question_is_read_whole_from_then_on(shared_db: Database) -> None:
    kept = Kept(shared_db)
    kept.reader.hears_changes = False
    kept.edit(do="change", resource="bills", id=kept.some("bills"), set={"comments": "Changed."})

    kept.books.sync("bills")

    assert kept.held("bills") == kept.served("bills")
    kept.on(timedelta(hours=1))
    kept.books.sync("bills")
    assert not any(is_changes for _, is_changes in kept.reader.of("bills"))
    kept.reader.hears_changes = True
    kept.on(timedelta(days=31))  # it is asked again, rarely, after a read of all
    kept.books.sync("bills")
    kept.on(timedelta(hours=1))
    kept.books.sync("bills")
    assert kept.reader.of("bills") == [(1, True)]


def test_a_read_of_changes_that_was_stopped_goes_on_where_it_was(shared_db: Database) -> None:
    calls = []
    for stops in (False, True):
        kept = Kept(shared_db)
        for id_ in list(kept.held("bills"))[: 2 * SIZE + 1]:
            kept.edit(do="change", resource="bills", id=id_, set={"comments": "Changed."})
        kept.on(timedelta(minutes=1))
        before, stopping = kept.reader.made, [False]

        def stop(resource: str, number: int, stopping: list[bool] = stopping) -> None:
            stopping[0] = resource == "bills"

        kept.reader.after = stop if stops else kept.reader.after
        kept.books.engine = stopping_engine(kept, stopping)
        if stops:
            with pytest.raises(Stopped):
                kept.books.sync("bills")
            kept.reader.after = lambda *_: None
            stopping[0] = False
            kept.books.engine.run(kept.books.tenant, kept.books.connection, lambda _, work: work())
        else:
            kept.books.sync("bills")
        calls.append(kept.reader.made - before)
        assert kept.held("bills") == kept.served("bills")
    assert calls[1] - calls[0] in (0, 1)  # what FreeAgent does not have is asked for again


def test_a_read_of_changes_that_was_stopped_for_weeks_goes_on_asking_for_changes(shared_db: Database) -> None:
    """By then the list is to be read whole; but what was read of it are changes, and not the list."""
    kept = Kept(shared_db)
    changed = list(kept.held("bills"))[: 2 * SIZE + 1]
    for id_ in changed:
        kept.edit(do="change", resource="bills", id=id_, set={"comments": "Changed."})
    kept.on(timedelta(minutes=1))
    stopping = [False]

    def stop(resource: str, number: int) -> None:
        stopping[0] = resource == "bills"

    kept.reader.after = stop
    kept.books.engine = stopping_engine(kept, stopping)
    with pytest.raises(Stopped):
        kept.books.sync("bills")
    kept.reader.after, stopping[0] = lambda *_: None, False
    kept.on(timedelta(days=40))

    kept.books.engine.run(kept.books.tenant, kept.books.connection, lambda _, work: work())

    asked = kept.reader.of("bills")
    assert asked
    assert all(is_changes for _, is_changes in asked)
    assert all(b"Changed." in kept.held("bills")[id_] for id_ in changed)
    assert kept.held("bills").keys() == kept.served("bills").keys()


def test_a_read_that_broke_off_moves_no_cursor(shared_db: Database) -> None:
    kept = Kept(shared_db)
    id_ = kept.some("bills")
    kept.edit(do="change", resource="bills", id=id_, set={"comments": "Changed."})

    def fail(resource: str, number: int) -> None:
        if resource == "bills":
            kept.reader.after = lambda *_: None
            raise ZeroDivisionError("planted")

    kept.reader.after = fail
    with pytest.raises(ZeroDivisionError):
        kept.books.sync("bills")
    kept.on(timedelta(hours=5))

    kept.books.sync("bills")

    assert b"Changed." in kept.held("bills")[id_]
    assert kept.held("bills") == kept.served("bills")


def test_after_a_read_that_a_limit_cut_short_the_list_is_read_whole(shared_db: Database) -> None:
    kept = Kept(shared_db)

    def refuse(resource: str, number: int) -> None:
        if resource == "bills":
            raise TryLater("planted", is_rate_limit=True)

    kept.reader.after = refuse
    kept.books.sync("bills")
    kept.reader.after = lambda *_: None
    kept.on(timedelta(hours=1))

    kept.books.sync("bills")

    assert kept.reader.of("bills")[0] == (1, False)


@pytest.mark.parametrize("breaks_off", [False, True])
def test_a_change_that_could_not_be_read_is_read_once_it_can_be(shared_db: Database, breaks_off: bool) -> None:
    """Also where the list, read whole because of it, breaks off."""
    kept = Kept(shared_db)
    id_, another, *_ = kept.held("bills")
    kept.edit(do="change", resource="bills", id=id_, set={"comments": "Changed."})
    kept.on(timedelta(hours=2))
    kept.edit(do="change", resource="bills", id=another, set={"comments": "Changed later."})
    kept.reader.answers = lambda resource, page: (
        msgspec.structs.replace(page, records=[(part, spoiled(body, {id_})) for part, body in page.records])
        if resource.name == "bills"
        else page
    )

    def fail(resource: str, number: int) -> None:
        if resource == "bills" and "updated_since" not in kept.reader.in_hand[2]:
            raise TryLater("planted")

    kept.reader.after = fail if breaks_off else kept.reader.after
    own = kept.reader.record
    kept.reader.record = lambda *_: b'{"url":null}'  # type: ignore[method-assign]  # nor by itself
    kept.books.sync("bills")
    kept.reader.record = own  # type: ignore[method-assign]
    assert (kept.books.datasets()["bills"].status is Status.FETCH_ERROR) == breaks_off
    kept.reader.answers, kept.reader.after = lambda _, page: page, lambda *_: None
    kept.on(timedelta(hours=5))

    kept.books.sync("bills")

    assert b"Changed." in kept.held("bills")[id_]


def test_a_clock_upstream_that_was_put_back_hides_no_change(shared_db: Database) -> None:
    kept = Kept(shared_db)
    kept.edit(do="change", resource="bills", id=kept.some("bills"), set={"comments": "While it was ahead."})
    kept.books.sync("bills")
    kept.on(timedelta(hours=-3))
    id_ = kept.some("bills")
    kept.edit(do="change", resource="bills", id=id_, set={"comments": "Put back."})
    kept.on(timedelta(minutes=1))

    kept.books.sync("bills")

    assert b"Put back." in kept.held("bills")[id_]
    kept.on(timedelta(minutes=1))
    kept.books.sync("bills")
    assert kept.reader.of("bills") == [(1, True)]  # it heard, and is asked for changes again


def test_records_dated_at_the_beginning_of_time_are_kept_up_with(shared_db: Database) -> None:
    kept = Kept(shared_db)
    kept.reader.answers = lambda _, page: msgspec.structs.replace(
        page,
        records=[(part, re.sub(rb'"updated_at":"\d{4}', b'"updated_at":"0001', body)) for part, body in page.records],
    )
    for _ in range(2):
        kept.on(timedelta(days=40))
        kept.books.sync("bills")
        assert kept.books.datasets()["bills"].status is Status.COMPLETE


def test_a_clock_upstream_that_was_put_back_hides_no_change_though_the_read_breaks_off(shared_db: Database) -> None:
    kept = Kept(shared_db)
    kept.edit(do="change", resource="bills", id=kept.some("bills"), set={"comments": "While it was ahead."})
    kept.books.sync("bills")
    kept.reader.now -= timedelta(hours=3)
    id_ = kept.some("bills")
    kept.edit(do="change", resource="bills", id=id_, set={"comments": "Put back."})

    def fail(resource: str, number: int) -> None:
        if resource == "bills" and "updated_since" not in kept.reader.in_hand[2]:
            raise TryLater("planted")

    kept.reader.after = fail
    kept.books.sync("bills")
    assert kept.books.datasets()["bills"].status is Status.FETCH_ERROR
    kept.reader.after = lambda *_: None
    kept.on(timedelta(hours=5))

    kept.books.sync("bills")

    assert b"Put back." in kept.held("bills")[id_]


def test_a_record_dated_in_the_future_leads_nobody_astray(shared_db: Database) -> None:
    kept = Kept(shared_db)
    first, second, *_ = kept.held("bills")
    ahead = {"do": "change", "resource": "bills", "id": first, "set": {"comments": "Tomorrow's."}}
    kept.world.mutate(ahead, kept.reader.now + timedelta(days=1))
    kept.books.sync("bills")
    kept.edit(do="change", resource="bills", id=second, set={"comments": "Today's."})
    kept.on(timedelta(hours=1))

    kept.books.sync("bills")

    assert b"Today's." in kept.held("bills")[second]
    assert kept.reader.of("bills") == [(1, True)]


def test_a_change_that_shows_only_after_a_newer_one_was_seen_is_found(shared_db: Database) -> None:
    """It is dated when its work began, and the work took twenty minutes."""
    kept = Kept(shared_db)
    first, second, *_ = kept.held("bills")
    kept.edit(do="change", resource="bills", id=first, set={"comments": "Quick."})
    began = kept.reader.now - timedelta(minutes=20)
    kept.on(timedelta(minutes=1))
    kept.books.sync("bills")
    slow = {"do": "change", "resource": "bills", "id": second, "set": {"comments": "Slow."}}
    kept.world.mutate(slow, began)
    kept.on(timedelta(hours=1))

    kept.books.sync("bills")

    assert b"Slow." in kept.held("bills")[second]


def test_an_edit_between_a_stop_and_going_on_is_held(shared_db: Database) -> None:
    """Of a record whose page was read before the stop."""
    kept = Kept(shared_db)
    stopping, met = [False], ""
    kept.books.engine = stopping_engine(kept, stopping)
    kept.on(timedelta(days=40))  # read whole

    def stop(resource: Resource, page: Page) -> Page:
        nonlocal met
        if resource.name == "bills":
            stopping[0], met = True, resource.read(page.records[0][1]).id
        return page

    kept.reader.answers = stop
    with pytest.raises(Stopped):
        kept.books.sync("bills")
    kept.reader.answers, stopping[0] = lambda _, page: page, False
    kept.edit(do="change", resource="bills", id=met, set={"comments": "Changed."})
    kept.on(timedelta(minutes=5))

    kept.books.engine.run(kept.books.tenant, kept.books.connection, lambda _, work: work())

    assert b"Changed." in kept.held("bills")[met]
    assert (1, True) in kept.reader.of("bills")


def test_an_edit_during_a_read_is_held_though_no_answer_is_dated_and_clocks_are_apart(shared_db: Database) -> None:
    kept = Kept(shared_db)
    kept.on(timedelta(days=40))
    kept.books.clock.set(kept.reader.now + timedelta(minutes=9))
    met = ""

    def edited(resource: Resource, page: Page) -> Page:
        nonlocal met
        if resource.name == "bills" and not met:
            met = resource.read(page.records[0][1]).id
            kept.edit(do="change", resource="bills", id=met, set={"comments": "Changed."})
        return msgspec.structs.replace(page, made_after=None)

    kept.reader.answers = edited

    kept.books.sync("bills")

    assert b"Changed." in kept.held("bills")[met]


def test_what_was_seen_is_not_asked_for_again_and_again(shared_db: Database) -> None:
    kept = Kept(shared_db)
    edited = kept.reader.now
    kept.edit(do="change", resource="bills", id=kept.some("bills"), set={"comments": "Changed."})
    kept.books.sync("bills")
    kept.on(timedelta(hours=5))

    kept.books.sync("bills")

    [since] = [params["updated_since"] for name, _, params in kept.reader.asked if name == "bills"]
    assert since >= (edited - timedelta(minutes=31)).isoformat()[:19]


def test_a_list_that_never_stood_still_is_read_whole_at_the_next_sync(shared_db: Database) -> None:
    kept = Kept(shared_db)
    kept.reader.counts["bills"] = None  # read whole, because nobody counts it

    def doubled(resource: Resource, page: Page) -> Page:
        if resource.name != "bills" or "updated_since" in kept.reader.in_hand[2]:
            return page
        return msgspec.structs.replace(page, records=[*page.records, page.records[0]])

    kept.reader.answers = doubled
    kept.books.sync("bills")
    assert "kept changing" in kept.warnings("bills")
    kept.reader.answers = lambda _, page: page
    kept.reader.counts.clear()
    kept.on(timedelta(hours=1))

    kept.books.sync("bills")

    assert (2, False) in kept.reader.of("bills")
