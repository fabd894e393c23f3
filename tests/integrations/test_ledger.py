"""Postings become journal entries: lines of one source together, whatever batch, day or year they come in."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from tests.books import Books, world_of
from tests.integrations.given import (
    EXPLANATIONS,
    ROOT,
    Given,
    GivenBooks,
    GivenReader,
    a_bank_account,
    a_category,
    a_company,
    an_explanation,
    an_invoice,
    url,
)

from comptoir.store import Database, open_database
from comptoir.store.datasets import Status, Warning_

_numbers = count(410001)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path / 'comptoir.db'}")
    yield opened
    opened.close()


def a_line(code: str, amount: str, source: str | None = None, **more: Any) -> dict[str, Any]:
    return {
        "url": url("accounting/transactions", next(_numbers)),
        "dated_on": "2024-05-20",
        "created_at": "2024-05-20T09:00:00.000Z",
        "updated_at": "2024-05-20T09:00:00.000Z",
        "description": "Bill RB-118",
        "nominal_code": code,
        "debit_value": amount,
        "foreign_currency_data": {},
        **({"source_item_url": f"{ROOT}/{source}"} if source else {}),
        **more,
    }


def ledger(*lines: dict[str, Any]) -> dict[str, Any]:
    return {"ledger_transactions": list(lines)}


def doubts(books: GivenBooks) -> list[Warning_]:
    """Of mapping: these books are no whole ones, and what a check of them finds is not looked at."""
    return [one for one in books.warnings("journalEntries") if not (one.rule_id or "").startswith("books-check")]


def amounts(entry: dict[str, Any]) -> dict[str, Decimal]:
    return {line["accountRef"]["id"]: line["netAmount"] for line in entry["journalLines"]}


def test_lines_of_one_source_are_one_entry_however_many_lie_between(db: Database) -> None:
    between = [
        line
        for number in range(300)
        for line in (a_line("104", "1.0", f"bills/{number}"), a_line("796", "-1.0", f"bills/{number}"))
    ]
    books = GivenBooks(
        db, ledger(a_line("104", "500.0", "bills/7300456"), *between, a_line("796", "-500.0", "bills/7300456"))
    )

    entries = books.of("journalEntries")

    assert len(entries) == 301
    assert amounts(entries["bills-7300456"]) == {"104": 500, "796": -500}
    assert doubts(books) == []


def test_a_source_that_posts_on_several_days_has_an_entry_a_day(db: Database) -> None:
    asset = "capital_assets/5"
    books = GivenBooks(
        db,
        ledger(
            a_line("601", "900.0", asset, dated_on="2024-03-31"),
            a_line("750-1", "-900.0", asset, dated_on="2024-03-31"),
            a_line("450", "25.0", asset, dated_on="2024-04-30"),
            a_line("605", "-25.0", asset, dated_on="2024-04-30"),
        ),
    )

    entries = books.of("journalEntries")

    assert {id_: one["postedOn"] for id_, one in entries.items()} == {
        "capital_assets-5-20240331": "2024-03-31T00:00:00",
        "capital_assets-5-20240430": "2024-04-30T00:00:00",
    }
    assert "recordRef" not in entries["capital_assets-5-20240331"]
    assert amounts(entries["capital_assets-5-20240331"]) == {"601": 900, "738783": -900}


def test_days_that_do_not_balance_alone_are_one_entry(db: Database) -> None:
    pay = "payroll/2025/3"
    books = GivenBooks(
        db,
        ledger(
            a_line("401", "3000.0", pay, dated_on="2024-06-28"),
            a_line("902", "-3000.0", pay, dated_on="2024-07-01"),
            a_line("402", "10.0", pay, dated_on="2024-07-05"),
            a_line("814", "-10.0", pay, dated_on="2024-07-05"),
        ),
    )

    entries = books.of("journalEntries")

    assert {id_: amounts(one) for id_, one in entries.items()} == {
        "2025-3-20240628": {"401": 3000, "902": -3000},
        "2025-3-20240705": {"402": 10, "814": -10},
    }


def test_lines_without_a_source_go_by_their_text_then_their_day_then_their_neighbours(db: Database) -> None:
    by_text = [
        a_line("817", "120.0", description="VAT Return 04 23*"),
        a_line("819", "-120.0", description="VAT Return 04 23*"),
    ]
    by_day = [
        a_line("502", "70.0", description="Charge", dated_on="2024-05-21"),
        a_line("820", "-70.0", description="Due", dated_on="2024-05-21"),
    ]
    by_neighbours = [
        a_line("502", amount, description=text, dated_on="2024-05-22")
        for amount, text in (("9.0", "a"), ("5.0", "b"), ("-2.0", "c"), ("-3.0", "d"))
    ]
    books = GivenBooks(db, ledger(*by_text, *by_day, *by_neighbours))

    entries = books.of("journalEntries")

    def id_of(line: dict[str, Any]) -> str:
        return "tx-" + str(line["url"]).rsplit("/", 1)[-1]

    assert {id_: len(one["journalLines"]) for id_, one in entries.items()} == {
        id_of(by_text[0]): 2,
        id_of(by_day[0]): 2,
        id_of(by_neighbours[1]): 3,
        id_of(by_neighbours[0]): 1,
    }
    [warning] = doubts(books)
    assert (warning.item_id, warning.message) == (
        id_of(by_neighbours[0]),
        "The lines of this entry do not add up to nothing: they come to 9.",
    )
    assert books.beside("journalEntries", id_of(by_neighbours[0]))["unbalanced"] == 9


def test_an_entry_names_the_record_it_comes_from(db: Database) -> None:
    pairs = (
        ("invoices/1", {"id": "1", "dataType": "invoices"}),
        ("invoices/2", {"id": "inv-2", "dataType": "creditNotes"}),
        ("credit_notes/3", {"id": "3", "dataType": "creditNotes"}),
        ("credit_note_reconciliations/4", {"id": "cnr-4", "dataType": "payments"}),
        ("bills/5", {"id": "5", "dataType": "bills"}),
        ("bills/6", {"id": "6", "dataType": "billCreditNotes"}),
        (f"{EXPLANATIONS}/7", {"id": "7", "dataType": "payments"}),
        (f"{EXPLANATIONS}/8", {"id": "8", "dataType": "directCosts"}),
        (f"{EXPLANATIONS}/10", {"id": "9", "dataType": "transfers"}),
        ("expenses/11", {"id": "exp-11", "dataType": "directCosts"}),
        ("bank_transactions/12", {"id": "12", "dataType": "bankTransactions"}),
        ("journal_sets/13/journal_entries/130", {"id": "journal_sets-13", "dataType": "journalEntries"}),
        ("vat_returns/2024-03-31", None),
    )
    given: Given = {
        "invoices": [an_invoice(1), an_invoice(2, total_value="-120.0")],
        "bills": [
            {
                "url": url("bills", number),
                "contact": url("contacts", 4410045),
                "dated_on": "2024-05-20",
                "total_value": total,
                "status": "Open",
            }
            for number, total in ((5, "720.0"), (6, "-96.0"))
        ],
        EXPLANATIONS: [
            an_explanation(7, "120.0", paid_invoice=url("invoices", 1)),
            an_explanation(8, "-58.8", category=url("categories", "285")),
            an_explanation(
                9,
                "-500.0",
                linked_transfer_explanation=url(EXPLANATIONS, 10),
                linked_transfer_account=url("bank_accounts", 738790),
            ),
            an_explanation(
                10,
                "500.0",
                bank_account=url("bank_accounts", 738790),
                linked_transfer_explanation=url(EXPLANATIONS, 9),
                linked_transfer_account=url("bank_accounts", 738783),
            ),
        ],
        "bank_accounts": [a_bank_account(), a_bank_account(738790)],
    }
    lines = [line for source, _ in pairs for line in (a_line("681", "1.0", source), a_line("796", "-1.0", source))]
    books = GivenBooks(db, given, **ledger(*lines))

    entries = books.of("journalEntries")

    found = {books.beside("journalEntries", id_)["sourceUrl"]: one.get("recordRef") for id_, one in entries.items()}
    assert found == {f"{ROOT}/{source}": ref for source, ref in pairs}
    contacts = {id_: [line.get("contactRef") for line in one["journalLines"]] for id_, one in entries.items()}
    assert contacts["bills-5"] == [{"id": "4410045", "dataType": "suppliers"}] * 2
    assert contacts[f"{EXPLANATIONS}-7"] == [{"id": "4410021", "dataType": "customers"}] * 2
    assert contacts[f"{EXPLANATIONS}-8"] == [None, None]


def test_a_journal_set_gives_its_entry_words_and_tag(db: Database) -> None:
    books = GivenBooks(
        db,
        ledger(
            a_line("104", "12.0", "journal_sets/37", description="Screws"),
            a_line("285", "-12.0", "journal_sets/37", description="Booked as meals"),
        ),
        journal_sets=[{"url": url("journal_sets", 37), "description": "Correction", "tag": "YEAR-END"}],
    )

    entry = books.one("journalEntries", "journal_sets-37")

    assert entry["description"] == "Correction"
    assert [line["description"] for line in entry["journalLines"]] == ["Screws", "Booked as meals"]
    assert books.beside("journalEntries", "journal_sets-37")["tag"] == "YEAR-END"


def test_only_lines_of_income_and_cost_are_tracked(db: Database) -> None:
    books = GivenBooks(
        db,
        ledger(a_line("681", "120.0", "invoices/1"), a_line("001", "-120.0", "invoices/1")),
        invoices=[an_invoice(1, project=url("projects", 520018))],
        projects=[{"url": url("projects", 520018), "name": "Mill Lane barn", "status": "Active"}],
    )

    debtors, sales = books.one("journalEntries", "invoices-1")["journalLines"]

    assert "tracking" not in debtors
    assert sales["tracking"] == {"recordRefs": [{"id": "520018", "dataType": "trackingCategories"}]}
    assert debtors["contactRef"] == {"id": "4410021", "dataType": "customers"}


def test_a_foreign_line_says_its_amount_there_too(db: Database) -> None:
    foreign = {"currency_code": "USD", "debit_value": "37.61"}
    books = GivenBooks(
        db,
        ledger(
            a_line("104", "30.0", "bills/2", foreign_currency_data=foreign),
            a_line("796", "-30.0", "bills/2"),
        ),
    )

    first, second = books.one("journalEntries", "bills-2")["journalLines"]

    assert (first["netAmount"], first["currency"]) == (30, "GBP")
    assert (first["transactionAmount"], first["transactionCurrency"]) == (Decimal("37.61"), "USD")
    assert second.keys() == {"netAmount", "currency", "accountRef"}


@pytest.mark.parametrize("code", ["750-1", "750-738783"])
def test_a_bank_line_names_the_bank_account(db: Database, code: str) -> None:
    books = GivenBooks(
        db,
        ledger(a_line(code, "1.0", "invoices/1"), a_line("905-6465", "-1.0", "invoices/1")),
        categories=[
            a_category("750-1", "Bank Account", bank_account=url("bank_accounts", 738783)),
            a_category("905-2", "Expense Account", user=url("users", 6465)),
        ],
    )

    assert amounts(books.one("journalEntries", "invoices-1")) == {"738783": 1, "905-2": -1}


def test_one_line_that_cannot_be_read_takes_nobody_along(db: Database) -> None:
    books = GivenBooks(
        db,
        ledger(
            a_line("104", "no amount", "bills/1"),
            a_line("796", "-500.0", "bills/1"),
            a_line("104", "2.0", "bills/2"),
            a_line("796", "-2.0", "bills/2"),
        ),
    )

    assert {id_: amounts(one) for id_, one in books.of("journalEntries").items()} == {
        "bills-1": {"796": -500},
        "bills-2": {"104": 2, "796": -2},
    }
    assert len(books.set_aside("journalEntries")) == 1


def test_opening_balances_are_an_entry_of_their_own_and_balance_by_suspense(db: Database) -> None:
    lines = [
        {
            "display_nominal_code": "750-1",
            "name": "Main",
            "total": "1000.0",
            "bank_account": url("bank_accounts", 738783),
        },
        {"display_nominal_code": "922", "name": "Founder shares", "total": "-100.0"},
        {"display_nominal_code": "681", "name": "Trade Debtors", "total": "0.0"},
    ]
    books = GivenBooks(db, ledger(), opening_balances=[{"trial_balance_summary": lines}])

    entry = books.one("journalEntries", "opening-balances")

    assert amounts(entry) == {"738783": 1000, "922": -100, "999": -900}
    assert entry["postedOn"] == "2023-04-01T00:00:00"
    assert "recordRef" not in entry


def test_without_the_ledger_there_are_no_entries_and_all_else_is_served(db: Database) -> None:
    books = GivenBooks(db, refused=["ledger_transactions"], invoices=[an_invoice()])

    statuses = {name: one.status for name, one in books._books.datasets().items()}

    assert statuses["journalEntries"] is Status.PERMISSIONS_ERROR
    assert {status for name, status in statuses.items() if name != "journalEntries"} == {Status.COMPLETE}


def test_there_is_one_journal(db: Database) -> None:
    books = GivenBooks(db, company=[a_company(created_at="2023-04-01T10:00:00.000Z")])

    [journal] = books.of("journals").values()

    assert journal == {
        "id": "general-ledger",
        "journalCode": "GL",
        "name": "General ledger",
        "hasChildren": False,
        "createdOn": "2023-04-01T10:00:00Z",
        "status": "Active",
    }


class _Ledger:
    """One company's ledger, read again after changes."""

    def __init__(self, db: Database) -> None:
        self.books = Books(db, world_of(1))
        self.given: Given = {"company": [a_company()], "ledger_transactions": []}
        reader: Any = GivenReader(self.given)
        self.books.engine._open = lambda _: (reader, lambda: 0)

    def read(self, *lines: dict[str, Any]) -> dict[str, dict[str, Any]]:
        # In the year that runs: one that is over is read again when its balance moved.
        self.given["ledger_transactions"] = [line | {"dated_on": "2026-03-20"} for line in lines]
        self.books.sync("company", "journalEntries")
        return self.books.plain("journalEntries")


def test_a_line_that_changes_changes_its_entry_and_one_that_goes_takes_its_own(db: Database) -> None:
    book = _Ledger(db)
    first, second = a_line("104", "5.0", "bills/1"), a_line("796", "-5.0", "bills/1")
    others = [
        line
        for n in range(9)
        for line in (a_line("104", "1.0", f"bills/{n + 2}"), a_line("796", "-1.0", f"bills/{n + 2}"))
    ]
    assert book.read(first, second, *others)["bills-1"]["journalLines"][1]["netAmount"] == -5

    changed = book.read(first | {"debit_value": "6.0"}, second | {"debit_value": "-6.0"}, *others)
    assert [line["netAmount"] for line in changed["bills-1"]["journalLines"]] == [6, -6]
    assert len(changed) == 10

    assert book.read(*others).keys() == {f"bills-{n + 2}" for n in range(9)}


def test_an_entry_whose_lines_are_written_anew_with_other_numbers_stays(db: Database) -> None:
    book = _Ledger(db)
    others = [
        line
        for n in range(9)
        for line in (a_line("104", "1.0", f"bills/{n + 2}"), a_line("796", "-1.0", f"bills/{n + 2}"))
    ]
    before = book.read(a_line("104", "5.0", "bills/1"), a_line("796", "-5.0", "bills/1"), *others)

    after = book.read(a_line("104", "5.0", "bills/1"), a_line("796", "-5.0", "bills/1"), *others)

    assert after == before
    assert book.books.datasets()["journalEntries"].records_deleted == 0


def test_a_line_that_moves_to_another_source_changes_both_entries(db: Database) -> None:
    book = _Ledger(db)
    lines = [a_line("104", "5.0", "bills/1"), a_line("104", "-5.0", "bills/1"), a_line("285", "0.0", "bills/1")]
    more = [a_line("104", "1.0", "bills/2"), a_line("796", "-1.0", "bills/2")]
    book.read(*lines, *more)

    after = book.read(*lines[:2], lines[2] | {"source_item_url": f"{ROOT}/bills/2"}, *more)

    assert {id_: len(one["journalLines"]) for id_, one in after.items()} == {"bills-1": 2, "bills-2": 3}
