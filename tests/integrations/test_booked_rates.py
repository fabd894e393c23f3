"""Movements on a bank account in a foreign currency are at the rate the ledger booked them at, as far as it is known."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.books import NOON, Books, world_of
from tests.integrations.given import (
    EXPLANATIONS,
    Given,
    GivenBooks,
    a_bank_account,
    a_category,
    an_explanation,
    an_invoice,
    around,
    url,
)
from tests.integrations.test_mapping_what_changed import Edited, counted, mapped
from tests.sync.house import standard

from comptoir.store import Database, open_database
from comptoir.store.datasets import Dataset, Status

_ACCOUNT, _CODE = 738790, "750-2"
_MONEY = ("payments", "billPayments", "directCosts", "directIncomes", "accountTransactions")


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path / 'comptoir.db'}")
    yield opened
    opened.close()


def moved(number: int, gross: str, **more: Any) -> dict[str, Any]:
    """On the account in euros, and explaining a bank line of the same number."""
    account, line = url("bank_accounts", _ACCOUNT), url("bank_transactions", number)
    return an_explanation(number, gross, bank_account=account, bank_transaction=line, **more)


def a_bank_line(number: int, amount: str) -> dict[str, Any]:
    return {
        "url": url("bank_transactions", number),
        "bank_account": url("bank_accounts", _ACCOUNT),
        "dated_on": "2024-06-20",
        "amount": amount,
        "unexplained_amount": "0.0",
    }


def booked(number: int, base: str, foreign: str, *, line: int | None = None, **more: Any) -> dict[str, Any]:
    """The bank's side of an explanation in the ledger."""
    return {
        "url": url("accounting/transactions", line or 400000 + number),
        "dated_on": "2024-06-20",
        "nominal_code": _CODE,
        "debit_value": base,
        "source_item_url": url(EXPLANATIONS, number),
        "foreign_currency_data": _euros(foreign),
        **more,
    }


def _euros(amount: str) -> dict[str, Any]:
    return {"currency_code": "EUR", "debit_value": amount}


def given(*movements: dict[str, Any], ledger: list[dict[str, Any]] | None) -> Given:
    known = around()
    in_euros: dict[str, Any] = {"currency": "EUR", "exchange_rate": "0.9"}
    return {
        "bank_accounts": [*known["bank_accounts"], a_bank_account(_ACCOUNT, name="Euros", currency="EUR")],
        "categories": [*known["categories"], a_category(_CODE, "Euros", bank_account=url("bank_accounts", _ACCOUNT))],
        "invoices": [an_invoice(1, **in_euros)],
        "bills": [
            {
                "url": url("bills", 1),
                "contact": url("contacts", 4410021),
                "dated_on": "2024-05-20",
                "total_value": "90.0",
                "status": "Open",
                **in_euros,
            }
        ],
        EXPLANATIONS: list(movements),
        **({} if ledger is None else {"ledger_transactions": ledger}),
    }


def a_cost(number: int = 3, gross: str = "-30.0") -> dict[str, Any]:
    return moved(number, gross, category=url("categories", "285"))


def test_each_kind_of_movement_is_at_the_rate_its_ledger_line_tells(db: Database) -> None:
    movements = (
        moved(1, "120.0", paid_invoice=url("invoices", 1)),
        moved(2, "-90.0", paid_bill=url("bills", 1)),
        a_cost(),
        moved(4, "7.0", category=url("categories", "001")),
    )
    ledger = [booked(1, "101.0", "120.0"), booked(2, "-77.13", "-90.0"), booked(3, "-25.0", "-30.0")]
    ledger += [booked(4, "6.0", "7.0"), booked(4, "-6.0", "-7.0", line=500000, nominal_code="001")]

    books = GivenBooks(
        db,
        given(*movements, ledger=ledger),
        bank_transactions=[a_bank_line(1, "120.0"), a_bank_line(3, "-30.0"), a_bank_line(9, "-1.0")],
    )

    rates = {name: {id_: _rate(one) for id_, one in books.of(name).items()} for name in _MONEY}
    assert rates == {
        "payments": {"1": "0.841666667"},
        "billPayments": {"2": "0.857"},
        "directCosts": {"3": "0.833333333"},
        "directIncomes": {"4": "0.857142857"},
        "accountTransactions": {"1": "0.841666667", "3": "0.833333333", "9": None},
    }
    [settled] = books.one("invoices", "1")["paymentAllocations"]
    assert (_rate(settled["payment"]), _rate(settled["allocation"])) == ("0.841666667", "0.9")
    [paid] = books.one("bills", "1")["paymentAllocations"]
    assert _rate(paid["payment"]) == "0.857"
    [spent] = books.one("directCosts", "3")["paymentAllocations"]
    assert _rate(spent["payment"]) == _rate(spent["allocation"]) == "0.833333333"
    assert "C5" not in books.breached()  # of these few records other identities cannot hold


def _rate(record: dict[str, Any]) -> str | None:
    found = record.get("currencyRate")
    return None if found is None else str(found)


def test_a_line_of_something_else_tells_no_rate(db: Database) -> None:
    in_dollars = {"currency_code": "USD", "debit_value": "-30.0"}
    lines = [
        booked(10, "-25.0", "-31.0"),  # it was another amount when it was booked
        booked(11, "25.0", "30.0"),
        booked(12, "-25.0", "-30.0", dated_on="2024-06-19"),
        booked(13, "-25.0", "-30.0", nominal_code="750-1"),
        booked(14, "-25.0", "-30.0", foreign_currency_data=in_dollars),
        booked(15, "-25.0", "-30.0", foreign_currency_data={"currency_code": "EUR"}),
        booked(16, "-25.0", "-30.0", foreign_currency_data={}),
        booked(17, "-25.0", "-30.0", foreign_currency_data="odd"),
        booked(18, "0.0", "-30.0"),
        booked(20, "-25.0", "-30.0"),
    ]
    costs = [a_cost(number) for number in (*range(10, 20), 21)]

    books = GivenBooks(db, given(*costs, a_cost(20), ledger=lines), only=("directCosts", "journalEntries"))

    rates = {id_: _rate(one) for id_, one in books.of("directCosts").items()}
    assert rates == {str(number): None for number in range(10, 22)} | {"20": "0.833333333"}


def test_without_a_ledger_there_is_no_rate_and_nothing_else_is_lacking(db: Database) -> None:
    books = GivenBooks(db, given(a_cost(), ledger=None), bank_transactions=[a_bank_line(3, "-30.0")])

    assert {name: books.statuses()[name] for name in _MONEY} == dict.fromkeys(_MONEY, Status.COMPLETE)
    assert books.statuses()["journalEntries"] is Status.PERMISSIONS_ERROR
    assert _rate(books.one("directCosts", "3")) is None
    assert _rate(books.one("accountTransactions", "3")) is None


def test_a_bank_line_of_several_movements_is_at_the_rate_of_all_together(db: Database) -> None:
    fee = a_cost(4, "-10.0") | {"bank_transaction": url("bank_transactions", 3)}
    ledger = [booked(3, "-25.0", "-30.0"), booked(4, "-9.0", "-10.0")]

    books = GivenBooks(db, given(a_cost(), fee, ledger=ledger), bank_transactions=[a_bank_line(3, "-40.0")])

    assert _rate(books.one("accountTransactions", "3")) == "0.85"


def test_what_changed_since_the_ledger_was_read_is_at_no_rate_until_it_is_read_again(db: Database) -> None:
    edited = Edited(db, given(a_cost(), a_cost(4, "-1.0"), ledger=[
        booked(3, "-25.0", "-30.0"), booked(4, "-0.9", "-1.0"),
    ]))  # fmt: skip
    before = standard(db, edited.books.connection)["directCosts"]
    edited.given[EXPLANATIONS][0] |= {"gross_value": "-60.0"}
    edited.given["ledger_transactions"][0] = booked(3, "-48.0", "-60.0", line=499999)

    edited.books.sync("directCosts")
    between = {id_: _rate(one) for id_, one in edited.of("directCosts").items()}
    edited.books.sync("journalEntries")

    assert between == {"3": None, "4": "0.9"}
    assert {id_: _rate(one) for id_, one in edited.of("directCosts").items()} == {"3": "0.8", "4": "0.9"}
    after = standard(db, edited.books.connection)["directCosts"]
    assert after["3"][4] > before["3"][4]
    assert after["4"] == before["4"]
    assert counted(edited.sync()) == {}
    edited.given["ledger_transactions"][0] |= {"debit_value": "-30.0", "foreign_currency_data": _euros("-50.0")}
    assert counted(edited.edit(EXPLANATIONS, 3, gross_value="-50.0"))["directCosts"] == (0, 1, 0)
    assert _rate(edited.of("directCosts")["3"]) == "0.6"


def test_a_ledger_line_that_moves_changes_what_it_books_and_nothing_else(db: Database) -> None:
    edited = Edited(db, given(a_cost(), a_cost(4, "-1.0"), ledger=[
        booked(3, "-25.0", "-30.0"), booked(4, "-0.9", "-1.0"),
    ]))  # fmt: skip

    def sync_having_edited_the_other(description: str) -> dict[str, Dataset]:
        """Which has the year read again: it is over."""
        return edited.edit(EXPLANATIONS, 4, description=description)

    first = counted(edited.books.datasets())
    edited.given["ledger_transactions"][0] |= {"debit_value": "-24.0"}
    moved_on = counted(sync_having_edited_the_other("Stamps"))
    rates = {id_: _rate(one) for id_, one in edited.of("directCosts").items()}
    edited.given["ledger_transactions"].pop(0)
    gone = counted(sync_having_edited_the_other("Post"))

    assert first["directCosts"] == (2, 0, 0)
    assert moved_on == {"directCosts": (0, 2, 0), "journalEntries": (0, 1, 0)}
    assert rates == {"3": "0.8", "4": "0.9"}
    assert gone == {"directCosts": (0, 2, 0), "journalEntries": (0, 0, 1)}
    assert _rate(edited.of("directCosts")["3"]) is None


def test_books_with_an_account_in_euros_are_at_rates_throughout_and_mapping_them_anew_changes_nothing(
    db: Database,
) -> None:
    books = Books(db, world_of(4, 60))
    foreign = {str(one.id) for one in books.world.bank_accounts if one.currency == "EUR"}

    report = books.sync()

    found = [one for name in _MONEY for one in books.records(name) if one.currency == "EUR" and _bank(one) in foreign]
    rates = [one.currency_rate for one in found]
    assert rates
    assert all(rate is not None and 0 < rate < 2 and rate != 1 for rate in rates)
    assert not [line.code for line in report.lines if line.state == "breached"]
    results = mapped(books, anew=True)
    assert {name: one.changed for name, one in results.items() if one.changed} == {}
    books.reader.now = NOON + timedelta(hours=1)
    books.clock.set(books.reader.now)
    books.sync()
    assert {name: one.records_changed for name, one in books.datasets().items() if one.records_changed} == {}


def _bank(record: Any) -> str | None:
    for name in ("account_ref", "bank_account_ref"):
        if (ref := getattr(record, name, None)) is not None:
            return str(ref.id)
    allocations = getattr(record, "payment_allocations", None)
    ref = allocations[0].payment.account_ref if allocations else None
    return None if ref is None else str(ref.id)
