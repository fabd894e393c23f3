"""Reports of months that are over are left alone while nothing moved them, a ledger is read once, lists newest first."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from tests.books import NOON, Books, DirectReader, world_of
from tests.sync.house import standard

from comptoir.errors import PermissionsLacking
from comptoir.integrations.contract import Resource
from comptoir.store import Database, raw
from comptoir.upstream.client import Page
from freeagent_standin.world import World

_PAGE_SIZE = 8
_REPORTS = ("profitAndLoss", "balanceSheet", "cashFlowStatement")


class CountingReader(DirectReader):
    """Counts pages by resource, refuses some, and lets a test act before one of them is read, or behind it."""

    def __init__(self, world: World) -> None:
        super().__init__(world, page_size=_PAGE_SIZE)
        self.pages: Counter[str] = Counter()
        self.before: dict[tuple[str, int], Callable[[], object]] = {}
        # By resource: what stands on a page, and what to do once that was read.
        self.behind: dict[str, tuple[bytes, Callable[[], object]]] = {}
        self.refused: set[str] = set()

    def page(self, resource: Resource, number: int, params: Sequence[tuple[str, str]] = ()) -> Page:
        self.pages[resource.name] += 1
        if resource.name in self.refused:
            raise PermissionsLacking(f"{resource.name} is refused")
        if act := self.before.pop((resource.name, number), None):
            act()
        given = super().page(resource, number, params)
        mark, then = self.behind.get(resource.name, (b"", None))
        if then is not None and any(mark in body for _, body in given.records):
            del self.behind[resource.name]
            then()
        return given


def books_of(db: Database, world: World) -> Books:
    books = Books(db, world, page_size=_PAGE_SIZE)
    books.reader = CountingReader(world)
    return books


def reader_of(books: Books) -> CountingReader:
    assert isinstance(books.reader, CountingReader)
    return books.reader


def _pages(books: Books) -> Counter[str]:
    return reader_of(books).pages


@pytest.fixture
def books(db: Database) -> Books:
    """Read whole once."""
    kept = books_of(db, world_of(3, 60))
    kept.sync()
    return kept


def _later(books: Books, **passed: float) -> None:
    books.reader.now += timedelta(**passed)
    books.clock.set(books.reader.now)
    _pages(books).clear()


def _ledger(books: Books) -> dict[str, bytes]:
    with books.db.read() as tx:
        rows = raw.whole(tx, books.tenant, books.connection, "ledger_transactions")
    return {row.id: row.body for row in rows}


def _equals_a_fresh_pull(books: Books, *data_types: str) -> bool:
    fresh = Books(books.db, books.world, page_size=_PAGE_SIZE)
    fresh.reader.now = books.reader.now
    fresh.clock.set(books.reader.now)
    fresh.sync(*data_types)
    ours, theirs = (standard(books.db, one.connection) for one in (books, fresh))
    return all(
        {id_: row[:3] for id_, row in ours[name].items() if not row[3]}
        == {id_: row[:3] for id_, row in theirs[name].items() if not row[3]}
        for name in data_types
    )


def _edit_an_old_bill(books: Books, edit: Callable[[Any], dict[str, Any]]) -> None:
    """Of months ago, early enough in its month that it can be moved to the next; not one that others rest on."""
    for bill in sorted(books.world.tables()["bills"], key=lambda one: one.dated_on):
        if bill.dated_on.day < 28 and (NOON.date() - bill.dated_on).days > 100:
            with contextlib.suppress(ValueError):
                books.world.mutate({"resource": "bills", "id": bill.id, **edit(bill)}, books.reader.now)
                return
    pytest.fail("no bill could be edited")


def _to_the_next_month(bill: Any) -> dict[str, Any]:
    following = (bill.dated_on.replace(day=28) + timedelta(days=4)).replace(day=2)
    return {"do": "change", "set": {"dated_on": following.isoformat()}}


def test_reports_of_months_that_nothing_moved_are_not_read_again(books: Books) -> None:
    _later(books, hours=1)

    books.sync()

    pages = _pages(books)
    assert {name: pages[name] for name in ("dated_balances", "profit_and_loss", "balance_sheet", "cashflow")} == {
        "dated_balances": 1,
        "profit_and_loss": 1,
        "balance_sheet": 1,
        "cashflow": 1,
    }
    assert _equals_a_fresh_pull(books, *_REPORTS)


def test_a_bill_moved_from_one_month_that_is_over_to_another_shows_in_the_reports_of_both(books: Books) -> None:
    before = standard(books.db, books.connection)["profitAndLoss"]
    _later(books, hours=1)
    _edit_an_old_bill(books, _to_the_next_month)

    books.sync()

    assert _pages(books)["dated_balances"] > 1
    assert standard(books.db, books.connection)["profitAndLoss"] != before
    assert _equals_a_fresh_pull(books, *_REPORTS)


def test_reports_asked_for_without_the_records_behind_them_are_read_whole(books: Books) -> None:
    _later(books, hours=1)
    _edit_an_old_bill(books, _to_the_next_month)

    books.sync(*_REPORTS)

    assert _equals_a_fresh_pull(books, *_REPORTS)


def test_reports_are_read_whole_where_records_behind_them_are_refused(books: Books) -> None:
    """From one month to the next of one year: its end, which is what is looked at, stands as it was."""
    _later(books, hours=1)
    _edit_an_old_bill(books, _to_the_next_month)
    reader_of(books).refused.add("bills")

    books.sync()

    assert books.datasets()["bills"].status == "PermissionsError"
    assert books.datasets()["journalEntries"].status == "Complete"
    assert _equals_a_fresh_pull(books, *_REPORTS)


def test_a_ledger_of_several_pages_is_read_once(books: Books) -> None:
    with books.db.read() as tx:
        held = raw.standing(tx, books.tenant, books.connection, "ledger_transactions")
    least = sum(-(-one.live // _PAGE_SIZE) for one in held.values())

    fresh = books_of(books.db, books.world)
    fresh.sync("journalEntries")

    assert least > 10
    assert _pages(fresh)["ledger_transactions"] == least


def test_an_asset_described_anew_is_told_by_the_ledger_of_years_that_are_over(db: Database) -> None:
    books = books_of(db, world_of(29, 60))
    books.world.mutate({"do": "advance", "days": 200}, books.reader.now)  # the year it was bought in ends
    _later(books, days=200)
    books.sync()
    _later(books, hours=1)
    asset = next(iter(books.world.tables()["capital_assets"])).id
    edit = {"do": "change", "resource": "capital_assets", "id": asset, "set": {"description": "Kiln, the old one"}}
    books.world.mutate(edit, books.reader.now)

    books.sync()

    fresh = books_of(db, books.world)
    fresh.reader.now = books.reader.now
    fresh.clock.set(books.reader.now)
    fresh.sync()
    kept, anew = (standard(db, one.connection)["journalEntries"] for one in (books, fresh))
    assert any(b"Kiln, the old one" in row[0] for row in anew.values())
    assert {id_: row[:3] for id_, row in kept.items() if not row[3]} == {id_: row[:3] for id_, row in anew.items()}


def test_a_ledger_that_moved_while_it_was_read_does_not_add_up_and_is_read_again(db: Database) -> None:
    """An amount changes behind the page that told it: as many lines as before, each of them met once."""
    books = books_of(db, world_of(3, 60))
    reader, world = reader_of(books), books.world
    costs = next(iter(world.tables()["expenses"]))
    change = {"do": "change", "resource": "expenses", "id": costs.id, "set": {"gross_value": "-77.77"}}
    mark = f'/expenses/{costs.id}"'.encode()
    reader.behind["ledger_transactions"] = (mark, lambda: world.mutate(change, reader.now))

    books.sync("journalEntries")

    fresh = books_of(db, world)
    fresh.sync("journalEntries")
    assert _ledger(books) == _ledger(fresh)
    years_read_once = _pages(fresh)["ledger_transactions"]
    assert years_read_once < _pages(books)["ledger_transactions"] <= 2 * years_read_once


def test_a_list_without_a_question_for_changes_is_read_newest_first(books: Books) -> None:
    for days in range(1, 3 * _PAGE_SIZE):
        books.world.mutate({"do": "add", "resource": "projects"}, NOON - timedelta(days=days))
    _later(books, hours=1)
    books.sync("trackingCategories")
    first = next(iter(books.world.tables()["projects"])).id
    change = {"do": "change", "resource": "projects", "id": first, "set": {"name": "Lighthouse"}}
    books.world.mutate(change, books.reader.now + timedelta(minutes=5))
    _later(books, hours=1)

    books.sync("trackingCategories")

    assert _pages(books)["projects"] == 1
    assert _equals_a_fresh_pull(books, "trackingCategories")

    _later(books, hours=1)
    gone = list(books.world.tables()["projects"])[-1].id
    books.world.mutate({"do": "delete", "resource": "projects", "id": gone}, books.reader.now)

    books.sync("trackingCategories")

    assert _equals_a_fresh_pull(books, "trackingCategories")


def test_what_another_process_has_read_meanwhile_is_not_read_again(books: Books) -> None:
    _later(books, hours=1)
    calls = books.reader.calls
    read_by_then = 0

    def step(name: str, work: Callable[[], Any]) -> Any:
        """The process that plans is stopped, and goes on once another has read all, and then again."""
        nonlocal read_by_then
        done = work()
        if name == "plan 1":
            by_command = books.another_engine()
            by_command.run(books.tenant, books.connection, lambda _, work: work())
            books.request("customers")
            by_command.run(books.tenant, books.connection, lambda _, work: work())
            read_by_then = calls()
        return done

    books.request("customers")
    books.engine.run(books.tenant, books.connection, step)

    assert books.datasets()["customers"].status == "Complete"
    assert calls() == read_by_then
