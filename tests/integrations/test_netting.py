"""A bill settled against the supplier's credit by two bank entries: each says which the other is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.integrations.given import GivenBooks, a_bank_account, an_explanation, url

from comptoir.store import Database, open_database


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path / 'comptoir.db'}")
    yield opened
    opened.close()


def a_bill(number: int, total: str, contact: int = 1) -> dict[str, Any]:
    return {
        "url": url("bills", number),
        "contact": url("contacts", contact),
        "dated_on": "2024-05-20",
        "total_value": total,
        "status": "Paid",
        "currency": "GBP",
    }


def paying(number: int, gross: str, bill: int, **more: Any) -> dict[str, Any]:
    return an_explanation(number, gross, paid_bill=url("bills", bill), **more)


def netted(db: Database, *explanations: dict[str, Any]) -> dict[str, str]:
    books = GivenBooks(
        db,
        bills=[a_bill(1, "96.0"), a_bill(2, "-96.0"), a_bill(3, "-96.0", contact=2)],
        bank_accounts=[a_bank_account(), a_bank_account(738790)],
        bank_transaction_explanations=list(explanations),
    )
    found = {id_: books.beside("billPayments", id_).get("nettedWith") for id_ in books.of("billPayments")}
    return {id_: other for id_, other in found.items() if other is not None}


def test_a_payment_and_a_refund_of_one_size_name_each_other(db: Database) -> None:
    assert netted(db, paying(11, "-96.0", 1), paying(12, "96.00", 2)) == {"11": "12", "12": "11"}


@pytest.mark.parametrize("other", [
    {"dated_on": "2024-06-21"},
    {"bank_account": url("bank_accounts", 738790)},
    {"gross_value": "95.0"},
    {"gross_value": "-96.0"},
    {"paid_bill": url("bills", 3)},  # of another supplier
])  # fmt: skip
def test_what_differs_in_more_than_its_sign_is_not_netted(db: Database, other: dict[str, Any]) -> None:
    assert netted(db, paying(11, "-96.0", 1), paying(12, "96.0", 2) | other) == {}


def test_several_of_one_size_are_paired_in_order_and_none_twice(db: Database) -> None:
    made = [
        paying(11, "-96.0", 1),
        paying(12, "96.0", 2),
        paying(13, "-96.0", 1),
        paying(14, "-96.0", 1),
        paying(15, "96.0", 2),
    ]

    assert netted(db, *made) == {"11": "12", "12": "11", "13": "15", "15": "13"}


@pytest.mark.parametrize("gross", ["NaN", "1e999", "much"])
def test_an_amount_that_is_none_nets_nothing(db: Database, gross: str) -> None:
    assert netted(db, paying(11, gross, 1), paying(12, "96.0", 2)) == {}
