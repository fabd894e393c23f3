"""Changes that are asked for and not given, counts that are wrong, lists that move: nothing lost, nothing taken away.

Pages are small, so that small books are kept up with as large ones are.
"""

from __future__ import annotations

import re
import threading
import zlib
from collections import Counter
from collections.abc import Callable, Container, Iterator, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

import msgspec
import pytest
from tests.books import Books, DirectReader, world_of
from tests.sync.standin import lasting

from comptoir.errors import TryLater
from comptoir.integrations.contract import Resource
from comptoir.integrations.freeagent import FREEAGENT
from comptoir.jobs import Stopped
from comptoir.store import Database, cursors, open_database, raw
from comptoir.store.datasets import Status
from comptoir.sync import Engine, sweep
from comptoir.upstream.client import Page
from freeagent_standin.world import World

SIZE = 4
T = TypeVar("T")


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path_factory.mktemp('told-wrong') / 'comptoir.db'}")
    yield opened
    opened.close()


class Reader(DirectReader):
    """Notes what it was asked, and lets a test act on answers."""

    def __init__(self, world: World, page_size: int) -> None:
        super().__init__(world, page_size=page_size)
        self.asked: list[tuple[str, int, dict[str, str]]] = []
        self._in_hand = threading.local()
        self.counted: list[str] = []
        self.hears_changes = True
        self.answers: Callable[[Resource, Page], Page] = lambda _, page: page
        self.after: Callable[[str, int], None] = lambda *_: None
        self.counts: dict[str, int | None] = {}  # what is told of a resource, or of an account's lists
        self.uncounted = ""  # a bank account of which no part is counted

    def page(self, resource: Resource, number: int, params: Sequence[tuple[str, str]] = ()) -> Page:
        self._in_hand.call = (resource.name, number, dict(params))
        self.asked.append(self._in_hand.call)
        self.now += timedelta(seconds=1)  # time goes on meanwhile
        if not self.hears_changes:
            params = [(name, value) for name, value in params if name != "updated_since"]
        page = self.answers(resource, super().page(resource, number, params))
        self.after(resource.name, number)
        return page

    def count(self, resource: Resource, params: Sequence[tuple[str, str]] = ()) -> int | None:
        self.counted.append(resource.name)
        if len(params) > 1 and self.uncounted in dict(params).values():
            return None
        told = super().count(resource, params)
        return self.counts.get(dict(params).get("bank_account", resource.name), told)

    @property
    def in_hand(self) -> tuple[str, int, dict[str, str]]:
        """The page that is being answered; several threads ask."""
        call: tuple[str, int, dict[str, str]] = self._in_hand.call
        return call

    def of(self, resource: str) -> list[tuple[int, bool]]:
        """Pages asked for of a resource, and whether only changes were."""
        return [(number, "updated_since" in params) for name, number, params in self.asked if name == resource]


class Kept:
    """Books that were read whole, an hour ago."""

    def __init__(self, db: Database, seed: int = 3, page_size: int = SIZE) -> None:
        self.world = world_of(seed, 60)
        self.books = Books(db, self.world, page_size=page_size)
        self.reader = self.books.reader = Reader(self.world, page_size)
        self.books.sync()
        self.on(timedelta(hours=1))

    def on(self, time: timedelta) -> None:
        self.reader.now += time
        self.books.clock.set(self.reader.now)
        self.reader.asked.clear()
        self.reader.counted.clear()

    def edit(self, **edit: Any) -> str:
        return str(self.world.mutate(edit, self.reader.now)["id"])

    def held(self, resource: str) -> dict[str, bytes]:
        with self.books.db.read() as tx:
            rows = raw.whole(tx, self.books.tenant, self.books.connection, resource)
        return {row.id: lasting(row.body) for row in rows}

    def served(self, resource: str) -> dict[str, bytes]:
        fresh = Books(self.books.db, self.world)
        fresh.reader.now = self.reader.now
        fresh.sync()
        with fresh.db.read() as tx:
            rows = raw.whole(tx, fresh.tenant, fresh.connection, resource)
        return {row.id: lasting(row.body) for row in rows}

    def some(self, resource: str) -> str:
        return next(iter(self.held(resource)))

    def warnings(self, data_type: str) -> str:
        return " ".join(one.message for one in self.books.datasets()[data_type].warnings)


def test_an_upstream_that_ignores_the_question_is_read_whole_from_then_on(db: Database) -> None:
    kept = Kept(db)
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


def test_a_count_that_lost_a_fifth_takes_nothing_away_that_is_there(db: Database) -> None:
    kept = Kept(db)
    before = kept.held("bills")
    kept.reader.counts["bills"] = len(before) // 2
    kept.reader.answers = lambda resource, page: _shortened(page) if resource.name == "bills" else page

    kept.books.sync("bills")

    assert kept.held("bills") == before
    assert "None is marked deleted until a later sync" in kept.warnings("bills")
    assert (1, False) in kept.reader.of("bills")  # more than can be searched for
    kept.reader.counts.clear()
    kept.reader.answers = lambda _, page: page
    kept.on(timedelta(hours=1))
    kept.books.sync("bills")
    assert kept.held("bills") == before
    assert "marked deleted" not in kept.warnings("bills")


def _shortened(page: Page) -> Page:
    rows = page.records[: len(page.records) // 2]
    return msgspec.structs.replace(page, records=rows, total=len(rows), has_next=False)


def test_a_list_that_is_suddenly_empty_takes_nothing_away_that_is_there(db: Database) -> None:
    kept = Kept(db)
    before = kept.held("invoices")
    kept.reader.counts["invoices"] = 0
    kept.reader.answers = lambda resource, page: _emptied(page) if resource.name == "invoices" else page

    kept.books.sync("invoices")

    assert kept.held("invoices") == before
    assert "None is marked deleted until a later sync" in kept.warnings("invoices")


def _emptied(page: Page) -> Page:
    return msgspec.structs.replace(page, records=[], total=0, has_next=False)


def test_one_account_of_many_that_is_suddenly_empty_loses_no_line(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Less than a fifth of all lines, and more than would be asked for by themselves."""
    monkeypatch.setattr(sweep, "_MOST_ASKED_FOR", 2)
    kept = Kept(db)
    before = kept.held("bank_transactions")
    lines = Counter(msgspec.json.decode(body)["bank_account"] for body in before.values())
    account = min((one for one in lines if lines[one] > 2), key=lambda one: lines[one])
    kept.reader.answers = lambda resource, page: (
        _emptied(page) if kept.reader.in_hand[2].get("bank_account") == account else page
    )
    kept.on(timedelta(days=40))

    kept.books.sync("bankTransactions")

    assert 2 < lines[account] < len(before) / 5
    assert kept.held("bank_transactions") == before


def test_one_account_of_many_that_is_empty_once_loses_no_line(db: Database) -> None:
    """Less than a fifth of all lines; an outage, in which none of them is there by itself either."""
    kept = Kept(db)
    before = kept.held("bank_transactions")
    lines = Counter(msgspec.json.decode(body)["bank_account"] for body in before.values())
    account = min((one for one in lines if lines[one] > 2), key=lambda one: lines[one])

    def empty_once(resource: Resource, page: Page) -> Page:
        name, _, params = kept.reader.in_hand
        is_first = kept.reader.asked.count((name, 1, params)) == 1
        is_theirs = name == "bank_transactions" and params["bank_account"] == account
        return _emptied(page) if is_theirs and is_first else page

    kept.reader.answers = empty_once
    kept.reader.record = lambda *_: None  # type: ignore[method-assign]  # it is not there for now
    kept.on(timedelta(days=40))

    kept.books.sync("bankTransactions")

    assert lines[account] < len(before) / 5
    assert kept.held("bank_transactions") == before


def test_a_record_deleted_in_one_of_several_accounts_is_looked_for_there_alone(db: Database) -> None:
    kept = Kept(db)
    lines = kept.held("bank_transactions")
    victim = next(id_ for id_ in lines if _deleted(kept, id_))

    kept.books.sync("bankTransactions")

    account = msgspec.json.decode(lines[victim])["bank_account"]
    searched = {
        params["bank_account"]
        for name, _, params in kept.reader.asked
        if name == "bank_transactions" and "from_date" in params
    }
    assert searched == {account}
    assert lines.keys() - kept.held("bank_transactions").keys() == {victim}


def _deleted(kept: Kept, id_: str) -> bool:
    try:
        kept.edit(do="delete", resource="bank_transactions", id=id_)
    except ValueError:
        return False
    return True


def test_records_that_shift_while_changes_are_read_are_not_lost(db: Database) -> None:
    kept = Kept(db)
    changed = list(kept.held("bills"))[: 2 * SIZE + 1]
    for id_ in changed:
        kept.edit(do="change", resource="bills", id=id_, set={"comments": "Changed."})
    victim = next(
        str(one.id) for one in kept.world.bills if kept.world.due(one) == one.total and str(one.id) in changed
    )

    def one_goes_and_one_comes(resource: str, number: int) -> None:
        if (resource, number) == ("bills", 1):
            kept.reader.after = lambda *_: None
            kept.edit(do="delete", resource="bills", id=victim)
            kept.edit(do="add", resource="bills")

    kept.on(timedelta(minutes=1))
    kept.reader.after = one_goes_and_one_comes

    kept.books.sync("bills")

    assert kept.held("bills") == kept.served("bills")


def _the_same(it: T, _: Any) -> T:
    return it


def _engine(kept: Kept, stopping: list[bool]) -> Engine:
    """One that stops when told to."""
    return Engine(
        kept.books.db,
        kept.books.clock,
        partial(_the_same, msgspec.structs.replace(FREEAGENT, page_size=SIZE)),
        partial(_the_same, (kept.reader, kept.reader.calls)),
        workers=1,
        retries_slowly=False,
        should_stop=partial(any, stopping),
    )


def test_a_read_of_changes_that_was_stopped_goes_on_where_it_was(db: Database) -> None:
    calls = []
    for stops in (False, True):
        kept = Kept(db)
        for id_ in list(kept.held("bills"))[: 2 * SIZE + 1]:
            kept.edit(do="change", resource="bills", id=id_, set={"comments": "Changed."})
        kept.on(timedelta(minutes=1))
        before, stopping = kept.reader.made, [False]

        def stop(resource: str, number: int, stopping: list[bool] = stopping) -> None:
            stopping[0] = resource == "bills"

        kept.reader.after = stop if stops else kept.reader.after
        kept.books.engine = _engine(kept, stopping)
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


def test_a_read_that_broke_off_moves_no_cursor(db: Database) -> None:
    kept = Kept(db)
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


def test_after_a_read_that_a_limit_cut_short_the_list_is_read_whole(db: Database) -> None:
    kept = Kept(db)

    def refuse(resource: str, number: int) -> None:
        if resource == "bills":
            raise TryLater("planted", is_rate_limit=True)

    kept.reader.after = refuse
    kept.books.sync("bills")
    kept.reader.after = lambda *_: None
    kept.on(timedelta(hours=1))

    kept.books.sync("bills")

    assert kept.reader.of("bills")[0] == (1, False)


def test_a_deletion_shows_though_the_list_is_not_counted(db: Database) -> None:
    kept = Kept(db)
    victim = next(str(one.id) for one in kept.world.bills if kept.world.due(one) == one.total)
    kept.edit(do="delete", resource="bills", id=victim)
    kept.reader.counts["bills"] = None

    kept.books.sync("bills")

    assert victim not in kept.held("bills")
    assert kept.held("bills") == kept.served("bills")


def test_a_change_that_could_not_be_read_is_read_once_it_can_be(db: Database) -> None:
    kept = Kept(db)
    id_, another, *_ = kept.held("bills")
    kept.edit(do="change", resource="bills", id=id_, set={"comments": "Changed."})
    kept.on(timedelta(hours=2))
    kept.edit(do="change", resource="bills", id=another, set={"comments": "Changed later."})
    kept.reader.answers = lambda resource, page: (
        msgspec.structs.replace(page, records=[(part, _spoiled(body, {id_})) for part, body in page.records])
        if resource.name == "bills"
        else page
    )
    kept.books.sync("bills")
    assert kept.warnings("bills")
    kept.reader.answers = lambda _, page: page
    kept.on(timedelta(hours=5))

    kept.books.sync("bills")

    assert b"Changed." in kept.held("bills")[id_]


def test_records_that_all_turn_unreadable_are_not_taken_for_gone(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than would be asked for by themselves, and less than a fifth of the list; the one asked for is gone."""
    monkeypatch.setattr(sweep, "_MOST_ASKED_FOR", 1)
    kept = Kept(db)
    before = kept.held("bank_transactions")
    victim = next(id_ for id_ in sorted(before) if _deleted(kept, id_))
    spoiled = set([id_ for id_ in sorted(before) if id_ > victim][: len(before) // 6])
    kept.reader.answers = lambda _, page: msgspec.structs.replace(
        page, records=[(part, _spoiled(body, spoiled)) for part, body in page.records]
    )
    kept.on(timedelta(days=40))  # read whole again

    kept.books.sync("bankTransactions")

    assert len(spoiled) > 2
    assert before.keys() - kept.held("bank_transactions").keys() == {victim}


def test_what_could_not_be_read_is_not_forgotten_as_missing_while_another_list_is_read_whole(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "_MOST_ASKED_FOR", 1)
    kept = Kept(db, seed=7, page_size=6)
    accounts = {id_: msgspec.json.decode(body)["bank_account"] for id_, body in kept.held("bank_transactions").items()}
    [(longest, _), (other, _)] = Counter(accounts.values()).most_common(2)
    theirs = sorted(id_ for id_, account in accounts.items() if account == longest)
    victim = next(id_ for id_ in theirs if _deleted(kept, id_))
    spoiled = next(id_ for id_ in theirs if id_ > victim)
    kept.reader.answers = lambda _, page: msgspec.structs.replace(
        page, records=[(part, _spoiled(body, {spoiled})) for part, body in page.records]
    )
    with kept.books.db.write() as tx:
        cursors.forget(tx, kept.books.tenant, kept.books.connection, "bank_transactions", [longest.rpartition("/")[2]])
    kept.reader.counts[other] = None

    kept.books.sync("bankTransactions")

    assert spoiled in kept.held("bank_transactions")


def test_an_account_that_is_empty_once_is_not_believed_while_another_is_read_whole(db: Database) -> None:
    """Nor where each of its lines, asked for by itself, is not there either: an outage, and no second pass agrees."""
    kept = Kept(db, seed=7, page_size=6)
    before = kept.held("bank_transactions")
    lines = Counter(msgspec.json.decode(body)["bank_account"] for body in before.values())
    _, (other, _), (short, _) = lines.most_common()
    kept.reader.answers = lambda resource, page: (
        _emptied(page) if kept.reader.in_hand[2].get("bank_account") == short else page
    )
    kept.reader.record = lambda *_: None  # type: ignore[method-assign]  # it is not there for now
    kept.reader.counts[other] = None

    kept.books.sync("bankTransactions")

    assert kept.held("bank_transactions") == before


def _spoiled(body: bytes, ids: Container[str]) -> bytes:
    number = msgspec.json.decode(body).get("url", "").rpartition("/")[2]
    return b'{"url":null}' if number in ids else body


@pytest.mark.parametrize("lost", [1, 10])
def test_what_a_list_lacks_for_a_while_is_held_in_its_newest_version_all_the_same(db: Database, lost: int) -> None:
    kept = Kept(db)
    ids = list(kept.held("bills"))
    hidden = set(ids[:lost])
    for id_ in ids:
        kept.edit(do="change", resource="bills", id=id_, set={"comments": "Changed."})
        kept.on(timedelta(hours=2))
    kept.reader.answers = lambda resource, page: _without(page, hidden) if resource.name == "bills" else page
    kept.reader.counts["bills"] = len(ids) - len(hidden)
    kept.on(timedelta(days=40))
    kept.books.sync("bills")
    kept.reader.answers = lambda _, page: page
    kept.reader.counts.clear()
    kept.on(timedelta(hours=1))

    kept.books.sync("bills")

    assert all(b"Changed." in body for body in kept.held("bills").values())
    assert kept.held("bills").keys() == set(ids)


def _without(page: Page, ids: Container[str]) -> Page:
    rows = [row for row in page.records if msgspec.json.decode(row[1])["url"].rpartition("/")[2] not in ids]
    return msgspec.structs.replace(page, records=rows, total=None, has_next=page.has_next)


def test_a_clock_upstream_that_was_put_back_hides_no_change(db: Database) -> None:
    kept = Kept(db)
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


def test_records_dated_at_the_beginning_of_time_are_kept_up_with(db: Database) -> None:
    kept = Kept(db)
    kept.reader.answers = lambda _, page: msgspec.structs.replace(
        page,
        records=[(part, re.sub(rb'"updated_at":"\d{4}', b'"updated_at":"0001', body)) for part, body in page.records],
    )
    for _ in range(2):
        kept.on(timedelta(days=40))
        kept.books.sync("bills")
        assert kept.books.datasets()["bills"].status is Status.COMPLETE


def test_reports_that_are_kept_no_longer_are_not_told_as_lost(db: Database) -> None:
    kept = Kept(db)
    before = kept.held("dated_balances").keys()
    kept.on(timedelta(days=700))

    kept.books.sync("profitAndLoss")

    now = kept.held("dated_balances").keys()
    assert len(before - now) * 5 > len(before)
    assert "dated_balances" not in kept.warnings("profitAndLoss")
    assert len(kept.reader.of("dated_balances")) == len(now)


def test_a_chart_of_accounts_that_is_suddenly_empty_takes_no_account_away(db: Database) -> None:
    kept = Kept(db)
    before = kept.held("categories")
    kept.reader.answers = lambda resource, page: (
        msgspec.structs.replace(page, records=[]) if resource.name == "categories" else page
    )

    kept.books.sync("chartOfAccounts")

    assert kept.held("categories") == before


def test_a_check_does_not_stand_after_a_read_that_changed_something_and_was_stopped(db: Database) -> None:
    kept = Kept(db)
    assert kept.books.sync().stands
    kept.on(timedelta(minutes=5))
    kept.reader.answers = lambda resource, page: (
        _told_more(page) if resource.name == "closing_balances" else page  # nothing is made of it
    )
    stopping = [False]

    def stop(resource: str, number: int) -> None:
        stopping[0] = resource == "closing_balances"

    kept.reader.after = stop
    kept.books.engine = _engine(kept, stopping)
    with pytest.raises(Stopped):
        kept.books.sync()
    kept.reader.after = lambda *_: None
    stopping[0] = False

    assert not kept.books.sync().stands


def _told_more(page: Page) -> Page:
    return msgspec.structs.replace(page, records=[(part, b'{"more":1,' + body[1:]) for part, body in page.records])


def test_a_check_does_not_stand_after_a_list_that_changed_and_was_read_twice(db: Database) -> None:
    kept = Kept(db)
    assert kept.books.sync().stands
    kept.on(timedelta(minutes=5))
    kept.edit(do="change", resource="journal_sets", id=kept.some("journal_sets"), set={"tag": "Changed."})

    def another_tag(resource: str, number: int) -> None:
        if resource == "journal_sets":
            kept.reader.after = lambda *_: None

    kept.reader.after = another_tag

    assert not kept.books.sync().stands


def test_what_lists_lack_is_not_forgotten_while_another_is_read_whole(db: Database) -> None:
    kept = Kept(db, seed=7, page_size=6)
    lines = {id_: msgspec.json.decode(body) for id_, body in kept.held("bank_transactions").items()}
    by_account: dict[str, list[str]] = {}
    for id_, line in lines.items():
        by_account.setdefault(line["bank_account"], []).append(id_)
    searched, unsearched, of_one_page = sorted(by_account, key=lambda account: -len(by_account[account]))
    assert len(by_account[of_one_page]) <= kept.reader.page_size < len(by_account[unsearched])
    middle = [by_account[account][len(by_account[account]) // 2] for account in (searched, unsearched, of_one_page)]
    gone = {kept.edit(do="delete", resource="bank_transactions", id=one) for one in middle}
    kept.reader.uncounted = unsearched

    kept.books.sync("bankTransactions")

    assert kept.held("bank_transactions") == kept.served("bank_transactions")
    assert lines.keys() - kept.held("bank_transactions").keys() >= gone


def test_lines_that_a_long_list_hides_are_not_gone(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than would all be asked for by themselves, and less than a fifth of the list."""
    monkeypatch.setattr(sweep, "_MOST_ASKED_FOR", 2)
    kept = Kept(db)
    before = kept.held("bank_transactions")
    accounts = {id_: msgspec.json.decode(body)["bank_account"] for id_, body in before.items()}
    [(account, lines)] = Counter(accounts.values()).most_common(1)
    hidden = [id_ for id_, of in accounts.items() if of == account][: lines // 6]
    kept.reader.answers = lambda resource, page: (
        _without(page, hidden) if resource.name == "bank_transactions" else page
    )
    kept.on(timedelta(days=40))

    kept.books.sync("bankTransactions")

    assert len(hidden) > 2
    assert kept.held("bank_transactions") == before
    assert "there by themselves" in kept.warnings("bankTransactions")
    kept.on(timedelta(hours=1))
    kept.books.sync("bankTransactions")  # it goes on being read whole: of most that it lacks nobody could say
    assert "there by themselves" in kept.warnings("bankTransactions")


def test_a_list_that_is_empty_after_it_moved_must_say_so_twice(db: Database) -> None:
    """A year's ledger is read again because it moved, and comes back empty: of its lines none can be asked for."""
    kept = Kept(db)
    before = kept.held("ledger_transactions")

    def moved_and_then_empty(resource: Resource, page: Page) -> Page:
        if resource.name != "ledger_transactions":
            return page
        _, number, params = kept.reader.in_hand
        passes = kept.reader.asked.count((resource.name, 1, params))
        if (passes, number) == (1, 1):
            return msgspec.structs.replace(page, records=[*page.records, page.records[0]])
        return _emptied(page) if passes == 2 else page

    kept.reader.answers = moved_and_then_empty

    kept.books.sync("journalEntries")

    assert kept.held("ledger_transactions") == before


def test_a_list_that_lacks_something_else_each_time_loses_nothing(db: Database) -> None:
    kept = Kept(db)
    before = kept.held("ledger_transactions")

    def half(resource: Resource, page: Page) -> Page:
        if resource.name != "ledger_transactions":
            return page
        _, _, params = kept.reader.in_hand
        is_odd = kept.reader.asked.count((resource.name, 1, params)) % 2
        rows = [row for row in page.records if zlib.crc32(resource.read(row[1]).id.encode()) % 2 == is_odd]
        return msgspec.structs.replace(page, records=rows, total=None)

    kept.reader.answers = half

    kept.books.sync("journalEntries")

    assert kept.held("ledger_transactions") == before


def test_a_clock_upstream_that_was_put_back_hides_no_change_though_the_read_breaks_off(db: Database) -> None:
    kept = Kept(db)
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


def test_a_line_explained_anew_is_asked_for_though_another_account_is_read_whole(db: Database) -> None:
    kept = Kept(db, seed=7, page_size=6)
    explained = kept.held("bank_transaction_explanations")
    lines = Counter(msgspec.json.decode(body)["bank_account"] for body in kept.held("bank_transactions").values())
    [(longest, _), (other, _)] = lines.most_common(2)
    id_ = next(id_ for id_, body in explained.items() if f'"bank_account":"{longest}"'.encode() in body)
    line = str(msgspec.json.decode(explained[id_])["bank_transaction"]).rpartition("/")[2]
    before = kept.held("bank_transactions")[line]
    kept.edit(do="change", resource="bank_transaction_explanations", id=id_, set={"gross_value": "-3.21"})
    kept.on(timedelta(minutes=5))
    kept.reader.counts[other] = None

    kept.books.sync("bankTransactions", "payments", "billPayments")

    assert kept.held("bank_transactions")[line] != before
    assert kept.held("bank_transactions") == kept.served("bank_transactions")


def test_a_line_that_another_account_lists_now_is_not_told_as_missing(db: Database) -> None:
    kept = Kept(db, seed=7, page_size=6)
    before = kept.held("bank_transactions")
    accounts = {id_: msgspec.json.decode(body)["bank_account"] for id_, body in before.items()}
    longest, *_, short = (account for account, _ in Counter(accounts.values()).most_common())
    line = next(id_ for id_, account in accounts.items() if account == short)

    def moved(resource: Resource, page: Page) -> Page:
        params = kept.reader.in_hand[2]
        if resource.name != "bank_transactions" or params["bank_account"] != longest:
            return _without(page, {line}) if resource.name == "bank_transactions" else page
        row = [] if page.has_next or "updated_since" in params else [(page.records[0][0], before[line])]
        return msgspec.structs.replace(page, records=[*page.records, *row], total=None)

    kept.reader.answers = moved
    kept.reader.counts[longest] = list(accounts.values()).count(longest) + 1

    kept.books.sync("bankTransactions")

    assert kept.held("bank_transactions") == before
    assert not kept.warnings("bankTransactions")
