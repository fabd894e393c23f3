"""Mapping what changed makes the same as mapping everything, whatever is done to the books in between.

In full: `COMPTOIR_TEST_WORLDS=50 pytest tests/integrations/test_mapping_what_changed.py`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa
from tests.books import NOON, Books, world_of
from tests.integrations.given import (
    EXPLANATIONS,
    Given,
    GivenReader,
    an_explanation,
    an_invoice,
    around,
    url,
)
from tests.sync.house import standard

from comptoir.integrations import versions
from comptoir.integrations.freeagent import FREEAGENT
from comptoir.integrations.freeagent.mapping import banking
from comptoir.jobs import Stopped
from comptoir.store import Database, mappings, open_database, raw, syncs
from comptoir.store.datasets import Dataset
from comptoir.store.tables import standard_name
from comptoir.sync import Board, surroundings
from comptoir.sync import map as map_
from comptoir.sync.map import Mapper, MapResult
from comptoir.sync.outcomes import COMPLETE
from comptoir.sync.progress import Mapped
from freeagent_standin.world import World

WORLDS = int(os.environ.get("COMPTOIR_TEST_WORLDS", "2"))
FIRST_SEED = int(os.environ.get("COMPTOIR_TEST_FIRST_SEED", "1"))
ROUNDS = int(os.environ.get("COMPTOIR_TEST_ROUNDS", "6"))


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path_factory.mktemp('mapping') / 'comptoir.db'}")
    yield opened
    opened.close()


def mapped(books: Books, *data_types: str, anew: bool = False) -> dict[str, MapResult]:
    """Map what is held of these data types, or of all, without reading anything."""
    with books.db.read() as tx:
        reads = syncs.reads(tx, books.tenant, books.connection)
    mapper = Mapper(
        books.db,
        FREEAGENT,
        books.clock,
        tenant=books.tenant,
        company=books.company,
        connection=books.connection,
        sync=books.last_sync,
        complete=frozenset(name for name, read in reads.items() if read.outcome == COMPLETE),
        today=NOON,
    )
    return mapper.run([one for one in FREEAGENT.data_types if not data_types or one.name in data_types], anew=anew)


def doubts(books: Books) -> Any:
    with books.db.read() as tx:
        return {
            one.name: mappings.doubts(tx, books.tenant, books.connection, one.name, 10_000)
            for one in FREEAGENT.data_types
        }


def sources(books: Books) -> Any:
    return {name: _made_of(books, name) for name in ("invoices", "transfers", "chartOfAccounts", "taxRates")}


def _made_of(books: Books, data_type: str) -> list[tuple[str, str, str]]:
    """Id, and resource and id of the row it was made of."""
    sql = f"SELECT id, source_resource, source_id FROM {standard_name(data_type)} WHERE connection_id = '{books.connection}'"
    with books.db.read() as tx:
        return sorted((id_, resource, source) for id_, resource, source in tx.exec_driver_sql(sql))


def _names() -> tuple[str, ...]:
    return tuple(one.name for one in FREEAGENT.data_types)


def _edit(world: World, rng: Random) -> dict[str, Any]:
    """Something that people do to books, not always allowed."""
    tables = world.tables()
    match rng.randrange(8):
        case 0:
            return {"do": "advance", "days": rng.randint(1, 5)}
        case 1:
            resource = rng.choice(("invoices", "credit_notes", "bills", "expenses", "bank_transactions", "contacts"))
            return {"do": "add", "resource": resource}
        case 2:
            resource = rng.choice([name for name in sorted(tables) if len(tables[name])])
            return {"do": "delete", "resource": resource, "id": rng.choice(list(tables[resource])).id}
        case 3:
            return {"do": "write_off", "resource": "invoices", "id": rng.choice(list(world.invoices)).id}
        case 4:
            source, target = rng.sample([account.id for account in world.bank_accounts], 2)
            return {"do": "transfer", "from": source, "to": target, "amount": f"{rng.randint(1, 900)}.05"}
        case 5:
            resource = rng.choice([name for name in ("invoices", "bills", "credit_notes") if len(tables[name])])
            return {"do": "pay", "resource": resource, "id": rng.choice(list(tables[resource])).id}
        case 6:
            resource, wanted = rng.choice(
                (
                    ("contacts", {"organisation_name": f"Renamed {rng.random()}"}),
                    ("projects", {"name": f"Renamed {rng.random()}"}),
                    ("bank_accounts", {"name": f"Renamed {rng.random()}"}),
                    ("users", {"first_name": f"Renamed {rng.random()}"}),
                )
            )
            rows = list(tables[resource])
            return {"do": "change", "resource": resource, "id": rng.choice(rows).id if rows else 1, "set": wanted}
        case _:
            resource = rng.choice(("invoices", "bills", "expenses", "bank_transactions", "credit_notes"))
            rows = list(tables[resource])
            day = (NOON - timedelta(days=rng.randint(0, 90))).date().isoformat()
            return {
                "do": "change",
                "resource": resource,
                "id": rng.choice(rows).id if rows else 1,
                "set": {"dated_on": day},
            }


@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + WORLDS))
def test_what_changed_is_mapped_as_everything_would_be(db: Database, seed: int) -> None:
    _follow(db, seed, ROUNDS)


def test_on_both_databases_alike(database: Database) -> None:
    _follow(database, 3, 2)


def _follow(db: Database, seed: int, rounds: int) -> None:
    """Edit books, sync, and hold what was mapped against mapping everything, round after round."""
    books, rng, done = Books(db, world_of(seed, 60)), Random(seed), 0
    books.sync()
    for round_ in range(rounds):
        for step in range(rng.choice((1, 1, 3, 12))):
            try:
                books.world.mutate(_edit(books.world, rng), NOON + timedelta(minutes=round_, seconds=step))
                done += 1
            except ValueError:
                continue  # what the books do not allow, such as a second write-off
        books.sync()
        followed = standard(db, books.connection), doubts(books), sources(books)

        results = mapped(books, anew=True)

        assert {name: (one.new, one.changed, one.deleted) for name, one in results.items()} == dict.fromkeys(
            _names(), (0, 0, 0)
        ), (seed, round_)
        assert (standard(db, books.connection), doubts(books), sources(books)) == followed
    assert done > rounds / 2

    fresh = Books(db, books.world)
    fresh.sync()
    live = {
        name: {id_: row[:-1] for id_, row in rows.items() if not row[3]}
        for name, rows in standard(db, books.connection).items()
    }
    assert live == {
        name: {id_: row[:-1] for id_, row in rows.items()} for name, rows in standard(db, fresh.connection).items()
    }


# One thing at a time


class Edited:
    """Books of given records that a test edits; `sync` reads them as they are then."""

    def __init__(self, db: Database, given: Given) -> None:
        self.books = Books(db, world_of(1))
        self.given = around() | given
        reader: Any = GivenReader(self.given)
        self.books.engine._open = lambda _: (reader, lambda: 0)
        self.sync()

    def sync(self) -> dict[str, Dataset]:
        self.books.sync()
        return self.books.datasets()

    def edit(self, resource: str, number: int, **members: Any) -> dict[str, Dataset]:
        [row] = [one for one in self.given[resource] if one["url"] == url(resource, number)]
        row.update(members)
        return self.sync()

    def of(self, data_type: str) -> dict[str, dict[str, Any]]:
        return self.books.plain(data_type)


def counted(ended: dict[str, Dataset]) -> dict[str, tuple[int, int, int]]:
    """New, changed and deleted, of data types that have any."""
    found = {name: (one.records_new, one.records_changed, one.records_deleted) for name, one in sorted(ended.items())}
    return {name: counts for name, counts in found.items() if any(counts)}


def gone_through(ended: dict[str, Dataset]) -> dict[str, int]:
    return {name: one.records_read for name, one in sorted(ended.items()) if one.records_read}


def a_line(number: int, amount: str, day: str) -> dict[str, Any]:
    return {
        "url": url("bank_transactions", number),
        "bank_account": url("bank_accounts", 738783),
        "dated_on": day,
        "amount": amount,
        "unexplained_amount": amount,
    }


@pytest.fixture
def lines(db: Database) -> Edited:
    days = ("2024-06-01", "2024-06-02", "2024-06-03", "2024-06-04")
    return Edited(db, {"bank_transactions": [a_line(number, "10.0", day) for number, day in enumerate(days, 1)]})


def test_when_nothing_changed_nothing_is_mapped(lines: Edited) -> None:
    assert gone_through(lines.sync()) == {}


def test_a_payment_moved_to_another_invoice_changes_both(db: Database) -> None:
    paid = {"paid_invoice": url("invoices", 1)}
    edited = Edited(
        db,
        {"invoices": [an_invoice(1), an_invoice(2), an_invoice(3)], EXPLANATIONS: [an_explanation(9, "120.0", **paid)]},
    )

    ended = edited.edit(EXPLANATIONS, 9, paid_invoice=url("invoices", 2))

    assert counted(ended) == {"invoices": (0, 2, 0), "payments": (0, 1, 0)}
    assert [len(one["paymentAllocations"]) for one in edited.of("invoices").values()] == [0, 1, 0]
    assert ended["invoices"].records_read == 2


def test_a_line_that_moves_on_changes_the_balances_between(lines: Edited) -> None:
    ended = lines.edit("bank_transactions", 2, dated_on="2024-06-03", amount="7.0")

    assert [line["balance"] for line in lines.of("bankTransactions").values()] == [10, 17, 27, 37]
    assert counted(ended) == {"accountTransactions": (0, 1, 0), "bankTransactions": (0, 3, 0)}
    assert ended["bankTransactions"].records_read == 3


def test_a_line_in_the_middle_that_is_gone_changes_all_after_it(lines: Edited) -> None:
    del lines.given["bank_transactions"][1]
    with lines.books.db.write() as tx:
        raw.mark_deleted(tx, lines.books.tenant, lines.books.connection, "bank_transactions", ["2"], NOON)

    [result] = mapped(lines.books, "bankTransactions").values()

    assert (result.new, result.changed, result.deleted) == (0, 2, 1)
    assert [line["balance"] for line in lines.of("bankTransactions").values()] == [10, 20, 30]


def test_a_line_that_cannot_be_read_any_more_takes_the_balances_after_it_along(lines: Edited) -> None:
    ended = lines.edit("bank_transactions", 2, amount="much")

    assert ended["bankTransactions"].records_set_aside == 1
    assert [line.get("balance") for line in lines.of("bankTransactions").values()] == [10, 20, None, None]

    ended = lines.edit("bank_transactions", 2, amount="10.0")

    assert ended["bankTransactions"].records_set_aside == 0
    assert [line["balance"] for line in lines.of("bankTransactions").values()] == [10, 20, 30, 40]


def test_another_balance_of_a_bank_account_asks_for_no_mapping_of_its_lines(lines: Edited) -> None:
    ended = lines.edit("bank_accounts", 738783, current_balance="12.0")

    assert gone_through(ended).keys() == {"bankAccounts", "chartOfAccounts"}
    assert counted(ended) == {"bankAccounts": (0, 1, 0), "chartOfAccounts": (0, 1, 0)}


def test_a_first_posting_to_a_category_asks_for_no_mapping_of_what_names_accounts(db: Database) -> None:
    edited = Edited(db, {"invoices": [an_invoice(1)], "trial_balance": []})
    edited.given["trial_balance"].append({"display_nominal_code": "285", "name": "Meals", "total": "0.0"})

    assert "invoices" not in gone_through(edited.sync())


def test_another_name_of_an_account_is_told_wherever_it_is_named(db: Database) -> None:
    edited = Edited(db, {"invoices": [an_invoice(1)]})
    [sales] = [one for one in edited.given["categories"] if one["nominal_code"] == "001"]
    sales["description"] = "Joinery sold"

    edited.sync()

    [invoice] = edited.of("invoices").values()
    assert invoice["lineItems"][0]["accountRef"]["name"] == "Joinery sold"


# Records that several rows make


def an_item(rate: str) -> list[dict[str, Any]]:
    return [{"position": 1, "quantity": "1.0", "price": "100.0", "sales_tax_rate": rate, "sales_tax_status": "TAXABLE"}]


@pytest.fixture
def rated(db: Database) -> Edited:
    """Two invoices of one rate that stands nowhere else, and one of another."""
    rates = {1: "12.5", 2: "12.5", 3: "3.0"}
    return Edited(db, {"invoices": [an_invoice(number, invoice_items=an_item(rate)) for number, rate in rates.items()]})


def test_lists_put_together_of_many_records_follow_those_that_changed(rated: Edited) -> None:
    ended = rated.edit("invoices", 2, comments="another one", invoice_items=an_item("7.5"))

    assert (ended["taxRates"].records_read, ended["chartOfAccounts"].records_read) == (1, 1)
    assert counted(ended) == {"invoices": (0, 1, 0), "taxRates": (1, 0, 0)}
    assert {"taxable-12.5", "taxable-7.5", "taxable-3"} < rated.of("taxRates").keys()


def test_what_its_only_record_made_is_gone_with_it(rated: Edited) -> None:
    ended = rated.edit("invoices", 3, invoice_items=an_item("12.5"))

    assert counted(ended) == {"invoices": (0, 1, 0), "taxRates": (0, 0, 1)}
    assert "taxable-3" not in rated.of("taxRates")


def test_what_another_record_makes_too_stays_and_is_told_to_come_from_it(rated: Edited) -> None:
    ended = rated.edit("invoices", 1, invoice_items=an_item("3.0"))

    assert counted(ended) == {"invoices": (0, 1, 0)}
    made_of = {id_: (resource, source) for id_, resource, source in _made_of(rated.books, "taxRates")}
    assert made_of["taxable-12.5"] == ("invoices", "2")
    assert made_of["taxable-3"] == ("invoices", "1")


def test_what_depends_on_the_day_is_mapped_anew_on_another_day(lines: Edited) -> None:
    lines.books.clock.sleep(86_400)

    assert gone_through(lines.sync()).keys() == {"company", "taxRates", "profitAndLoss", "balanceSheet"}


def test_what_was_doubtful_is_told_until_it_is_mended(db: Database) -> None:
    edited = Edited(db, {"invoices": [an_invoice(1, status="Odd"), an_invoice(2, dated_on="never"), an_invoice(3)]})

    ended = edited.edit("invoices", 3, comments="another one")

    assert ended["invoices"].records_read == 1
    assert ended["invoices"].records_set_aside == 1
    assert [one.item_id for one in ended["invoices"].warnings] == ["2", "1"]
    ended = edited.edit("invoices", 1, status="Open")
    assert [one.item_id for one in ended["invoices"].warnings] == ["2"]
    ended = edited.edit("invoices", 2, dated_on="2024-05-14")
    assert (ended["invoices"].warnings, ended["invoices"].records_set_aside) == ((), 0)


def test_stopped_between_batches_it_goes_on_and_counts_each_change_once(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(map_, "_BATCH", 2)
    edited = Edited(db, {"invoices": [an_invoice(number) for number in range(1, 8)]})
    for row in edited.given["invoices"]:
        row["comments"] = "changed"
    done: list[str] = []
    edited.books.engine._board = Board(lambda _, row: done.append(row.data_type) if isinstance(row, Mapped) else None)
    edited.books.engine._should_stop = lambda: done.count("invoices") >= 2
    with pytest.raises(Stopped):
        edited.sync()
    assert 0 < sum(one.get("note") == "changed" for one in edited.of("invoices").values()) < 7
    edited.books.engine._should_stop = lambda: False

    edited.books.engine.run(edited.books.tenant, edited.books.connection, lambda _, work: work())

    assert counted(edited.books.datasets()) == {"invoices": (0, 7, 0)}
    assert all(one["note"] == "changed" for one in edited.of("invoices").values())
    assert gone_through(edited.sync()) == {}


# Another version of the mapping


def test_another_version_maps_all_and_changes_only_what_it_makes_otherwise(
    lines: Edited, monkeypatch: pytest.MonkeyPatch
) -> None:
    books = lines.books
    before = standard(books.db, books.connection)["bankTransactions"]
    was = versions_of(books, "bankTransactions")
    state_of = banking.without_token
    monkeypatch.setattr(banking, "without_token", lambda text: "better" if text == "odd" else state_of(text))
    for module in (map_, surroundings):
        monkeypatch.setattr(module, "mapping_version", lambda *_: "another")
    lines.edit("bank_transactions", 3, description="odd")

    after, ended = standard(books.db, books.connection)["bankTransactions"], books.datasets()

    assert ended["bankTransactions"].records_read == 4
    assert {id_ for id_, row in after.items() if row != before[id_]} == {"3"}
    assert versions_of(books, "bankTransactions") == was | {"3": "another"}
    assert gone_through(lines.sync()) == {}


def versions_of(books: Books, data_type: str) -> dict[str, str]:
    with books.db.read() as tx:
        sql = f"SELECT id, mapping_version FROM {standard_name(data_type)} WHERE connection_id = :c"
        return {row.id: row.mapping_version for row in tx.execute(sa.text(sql), {"c": books.connection})}


def test_a_version_is_that_of_the_code_a_data_type_is_made_by() -> None:
    def modules(name: str) -> set[str]:
        data_type = FREEAGENT.data_type(name)
        assert data_type is not None
        return {one.rsplit(".", 1)[1] for one in versions._modules(data_type, FREEAGENT.books)}

    assert {"banking", "books", "payloads", "reading", "money"} <= modules("bankTransactions")
    assert "sales" in modules("invoices")
    assert not modules("customers") & {"explanations", "purchases"}
    assert not modules("invoices") & {"data_types", "resources", "words"}
    assert len({versions.mapping_version(FREEAGENT, one) for one in FREEAGENT.data_types}) == len(_names())
