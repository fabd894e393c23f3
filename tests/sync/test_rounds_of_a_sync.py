"""A sync goes in rounds: what takes few calls is there first, the ledger holds up nobody, and the end covers all."""

from __future__ import annotations

from tests.books import Books, world_of
from tests.sync.test_what_stands import books_of, reader_of

from comptoir.integrations.freeagent import FREEAGENT
from comptoir.store import Database, syncs
from comptoir.store.datasets import Status
from comptoir.sync import request


def _statuses(books: Books) -> dict[str, Status]:
    return {name: one.status for name, one in books.datasets().items()}


def test_documents_are_served_while_the_ledger_is_still_being_read(db: Database) -> None:
    books = books_of(db, world_of(3, 60))
    served: dict[str, Status] = {}
    held: list[int] = []

    def look() -> None:
        served.update(_statuses(books))
        held.append(len(books.documents("invoices")))

    reader_of(books).before["ledger_transactions", 3] = look

    books.sync()

    late = {one.name for one in FREEAGENT.data_types if one.stage == 2}
    assert {name for name, status in served.items() if status is not Status.COMPLETE} == late
    assert held[0] > 0
    assert set(_statuses(books).values()) == {Status.COMPLETE}


def test_a_sync_in_rounds_asks_for_nothing_twice_and_is_checked_as_one(db: Database) -> None:
    books = books_of(db, world_of(3, 60))

    report = books.sync()

    asked = [name for name, pages in reader_of(books).pages.items() if pages > 1]
    single = [one.name for one in FREEAGENT.resources if one.windows is None and one.per is None and one.kind != "list"]
    assert not set(single) & set(asked)
    with db.read() as tx:
        assert [one.ended is None for one in syncs.list_page(tx, books.tenant, books.connection).rows] == [False]
    states = {line.code: line.state for line in report.lines}
    assert states["A1"] == states["E3"] == "held"


def test_what_is_asked_for_while_the_ledger_is_read_overtakes_it(db: Database) -> None:
    books = books_of(db, world_of(3, 60))
    pages_before: list[int] = []

    def ask() -> None:
        pages_before.append(reader_of(books).pages["contacts"])
        with db.write() as tx:
            request(
                tx, books.tenant, books.company, lambda _: FREEAGENT, data_types=["customers"], now=books.clock.now()
            )

    reader_of(books).before["ledger_transactions", 3] = ask

    books.sync()

    found = books.datasets()
    completed = {name: one.completed for name, one in found.items()}
    assert set(_statuses(books).values()) == {Status.COMPLETE}
    assert completed["customers"] < completed["journalEntries"]  # type: ignore[operator]  # both are complete
    assert reader_of(books).pages["contacts"] > pages_before[0]
    with db.read() as tx:
        assert [one.ended is None for one in syncs.list_page(tx, books.tenant, books.connection).rows] == [False]
