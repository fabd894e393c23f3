"""Records made anew from what is held: nothing is asked upstream, and only what is made otherwise changes."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from tests.books import Books, world_of
from tests.sync.house import document, standard

from comptoir.errors import Conflict, InvalidInput, NotFound
from comptoir.integrations import by_key
from comptoir.integrations.freeagent.mapping import sales
from comptoir.integrations.freeagent.payloads import Invoice
from comptoir.integrations.freeagent.references import last_segment
from comptoir.jobs import Stopped
from comptoir.model.records import LocalDate
from comptoir.store import Database, companies, syncs
from comptoir.sync import Remapped, Remapping, Turns, diary, remap

FAR = LocalDate("2031-05-05T00:00:00")


@pytest.fixture
def books(db: Database) -> Books:
    books = Books(db, world_of(5, 60))
    books.sync()
    return books


def remapped(
    books: Books,
    company: str | None = None,
    *data_types: str,
    turns: Turns | None = None,
    tell: Callable[[Remapping], None] = lambda _: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> dict[str, Remapped]:
    found = remap(
        books.db,
        books.clock,
        by_key,
        turns or Turns(),
        company=company,
        data_types=data_types,
        tell=tell,
        should_stop=should_stop,
    )
    return {one.data_type: one for one in found}


def test_the_same_mapping_changes_nothing_and_asks_nobody(books: Books) -> None:
    before, calls = standard(books.db, books.connection), books.reader.count
    told: list[Remapping] = []

    found = remapped(books, books.company, tell=told.append)

    assert standard(books.db, books.connection) == before
    assert books.reader.count == calls
    assert found.keys() == before.keys()
    assert {(one.new, one.changed, one.deleted) for one in found.values()} == {(0, 0, 0)}
    assert found["bankTransactions"].rows == len(before["bankTransactions"])
    assert {one.data_type for one in told if one.done == one.in_all} == {
        name for name, one in found.items() if one.rows
    }


def test_an_improved_mapping_changes_exactly_its_records(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    before = standard(books.db, books.connection)
    chosen = set(sorted(before["invoices"])[::3])
    was = sales._due_date

    def better(source: Invoice) -> LocalDate | None:
        return FAR if last_segment(source.url) in chosen else was(source)

    monkeypatch.setattr(sales, "_due_date", better)

    found = remapped(books, None, "invoices", "bills")

    after = standard(books.db, books.connection)
    assert {name for name in after if after[name] != before[name]} == {"invoices"}
    assert {id_ for id_, row in after["invoices"].items() if row != before["invoices"][id_]} == chosen
    assert all(document(after["invoices"][id_])["dueDate"] == FAR for id_ in chosen)
    assert all(after["invoices"][id_][4] > before["invoices"][id_][4] for id_ in chosen)  # modifiedDate
    assert {name: one.changed for name, one in found.items()} == {"invoices": len(chosen), "bills": 0}

    # And the data history tells it so, as no sync
    with books.db.read() as tx:
        page = diary.page(tx, books.tenant, books.connection)
        told = page.rows[0].sync
        touched = diary.touched(tx, books.tenant, books.company, books.connection, told.id)
        newest = syncs.latest(tx, books.tenant, books.connection)
    assert page.total == 2
    assert {one.data_type: one.changed for one in told.remade} == {"invoices": len(chosen), "bills": 0}
    assert {(one.data_type, one.id) for one in touched.rows} == {("invoices", id_) for id_ in chosen}
    assert newest is not None
    assert newest.id == books.last_sync


def test_a_record_that_cannot_be_mapped_is_set_aside_and_stays_as_it_was(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = standard(books.db, books.connection)
    victim = min(before["invoices"])
    was = sales._due_date

    def worse(source: Invoice) -> LocalDate | None:
        if last_segment(source.url) == victim:
            raise ValueError("cannot be told")
        return was(source)

    monkeypatch.setattr(sales, "_due_date", worse)

    assert remapped(books, books.company, "invoices")["invoices"].set_aside == 1
    assert standard(books.db, books.connection) == before


def test_what_was_stopped_is_gone_through_again(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sales, "_due_date", lambda _: FAR)
    with pytest.raises(Stopped):
        remapped(books, books.company, "invoices", should_stop=lambda: True)
    with books.db.read() as tx:
        assert syncs.list_page(tx, books.tenant, books.connection).rows[0].remade == ()
        assert syncs.active(tx, books.tenant, books.connection) is None

    found = remapped(books, books.company, "invoices")

    assert found["invoices"].changed == len(standard(books.db, books.connection)["invoices"])


def test_while_the_books_are_read_it_waits_and_says_so(books: Books) -> None:
    turns, told = Turns(), threading.Event()
    found: dict[str, Remapped] = {}

    def tell(how_far: Remapping) -> None:
        if how_far.data_type is None:
            told.set()

    with turns.take(books.tenant, books.connection, lambda: False):
        work = threading.Thread(target=lambda: found.update(remapped(books, books.company, turns=turns, tell=tell)))
        work.start()
        assert told.wait(60)
        assert not found
    work.join()

    assert found


def test_books_that_are_half_read_are_left_alone(books: Books) -> None:
    with books.db.write() as tx:
        syncs.begin(tx, books.tenant, books.connection, books.clock.now())

    with pytest.raises(Conflict, match="half read"):
        remapped(books, books.company)


def test_a_company_is_named_by_its_id_or_its_name(books: Books) -> None:
    other = Books(books.db, world_of(6, 60))  # nothing is read of it

    assert remapped(books, books.world.name.upper(), "invoices").keys() == {"invoices"}
    with pytest.raises(NotFound, match="no company with the id or name 'Nobody'"):
        remapped(books, "Nobody")
    with pytest.raises(InvalidInput, match="no data type 'invoice'"):
        remapped(books, books.company, "invoice")
    with pytest.raises(InvalidInput, match="Nothing was read of bills yet"):
        remapped(books, other.company, "bills")
    assert remapped(books, other.company) == {}
    with books.db.write() as tx:
        companies.update(tx, other.tenant, other.company, name=books.world.name)
    with pytest.raises(InvalidInput, match=f"Give the id of one: {books.company}, {other.company}"):
        remapped(books, books.world.name)
