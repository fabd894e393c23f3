"""What FreeAgent's documentation does not promise, it may send: other spellings, other types, absurd values.

A record keeps what can be read of it, with a note for what cannot; only what it cannot be told without sets it aside.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from random import Random
from typing import Any

import msgspec
import pytest
from tests.integrations.given import (
    GivenBooks,
    a_bank_account,
    a_category,
    a_company,
    an_explanation,
    an_invoice,
    url,
)

from comptoir.errors import TryLater
from comptoir.integrations.freeagent.errors import error_of
from comptoir.integrations.freeagent.mapping import banking, tax
from comptoir.integrations.freeagent.oauth import OAUTH
from comptoir.integrations.freeagent.payloads import BankTransaction, Invoice
from comptoir.integrations.freeagent.reading import payload_of, reader, sound
from comptoir.integrations.freeagent.references import any_date, day, is_credit_note, last_segment
from comptoir.model.money import WIDE
from comptoir.store import Database, open_database
from comptoir.store.datasets import Status

D = Decimal
MANY = "1234567890123456789012345678901234567890.123456789"


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path_factory.mktemp('odd') / 'comptoir.db'}")
    yield opened
    opened.close()


# Amounts


def test_amounts_of_many_digits_are_exact_in_every_sum(db: Database) -> None:
    net, tax_, total = D(MANY), WIDE.multiply(D(MANY), D("0.2")), WIDE.multiply(D(MANY), D("1.2"))
    item = an_invoice()["invoice_items"][0] | {"price": MANY, "quantity": "1"}
    wide = an_invoice(
        net_value=MANY, sales_tax_value=str(tax_), total_value=str(total), due_value=str(total), invoice_items=[item]
    )

    books = GivenBooks(db, invoices=[wide])

    made = books.one("invoices", "5150001")
    assert (made["subTotal"], made["totalTaxAmount"], made["totalAmount"]) == (net, tax_, total)
    [line] = made["lineItems"]
    assert WIDE.add(line["subTotal"], line["taxAmount"]) == line["totalAmount"] == total
    assert books.breached() == {}


@pytest.mark.parametrize("gross", ["-" + MANY, MANY, "-0.00000000000000000000000000000000000001", "-0.0", "0"])
def test_a_movement_keeps_every_digit(db: Database, gross: str) -> None:
    books = GivenBooks(
        db,
        bank_transaction_explanations=[
            an_explanation(
                99140001,
                gross,
                category=url("categories", "285"),
                bank_transaction=url("bank_transactions", 66000001),
            )
        ],
        bank_transactions=[
            {
                "url": url("bank_transactions", 66000001),
                "bank_account": url("bank_accounts", 738783),
                "dated_on": "2024-06-20",
                "amount": gross,
                "unexplained_amount": "0.0",
            }
        ],
        bank_accounts=[a_bank_account(current_balance=gross)],
    )

    assert books.one("directCosts", "99140001")["totalAmount"] == D(gross).copy_negate()
    assert books.one("bankTransactions", "66000001")["amount"] == D(gross)
    assert books.one("bankAccounts", "738783")["balance"] == D(gross)
    assert "E" not in books.text("bankTransactions").split('"amount":')[1].split(",")[0]
    assert "-0," not in books.text("directCosts")
    assert books.breached() == {}


def test_what_is_owed_on_a_card_keeps_every_digit(db: Database) -> None:
    books = GivenBooks(
        db, bank_accounts=[a_bank_account(type="CreditCardAccount", current_balance="-" + MANY, opening_balance="0")]
    )

    assert books.one("bankAccounts", "738783")["balance"] == D(MANY)
    assert books.one("chartOfAccounts", "738783")["currentBalance"] == D(MANY)


NO_AMOUNTS: tuple[Any, ...] = ("NaN", "Infinity", "-inf", "sNaN", "1e999", "1e-999", "much", "", [], {}, True)


def _each(values: Iterable[Any], **members: Callable[[Any], Any]) -> list[dict[str, Any]]:
    """An invoice for each value, numbered from 1, with members made of it."""
    return [
        an_invoice(number, **{member: of(value) for member, of in members.items()})
        for number, value in enumerate(values, 1)
    ]


def _itself(value: Any) -> Any:
    return value


def test_what_is_no_amount_is_left_out_of_its_record_with_a_note(db: Database) -> None:
    books = GivenBooks(db, invoices=_each(NO_AMOUNTS, due_value=_itself, exchange_rate=_itself))

    made = books.of("invoices")
    assert [invoice["amountDue"] for invoice in made.values()] == [120] * len(NO_AMOUNTS)
    noted = {(one.item_id, one.validator_name) for one in books.warnings("invoices")}
    assert noted == {(id_, member) for id_ in made for member in ("due_value", "exchange_rate")}
    assert all("cannot be read" in one.message for one in books.warnings("invoices"))
    assert books.breached() == {}


@pytest.mark.parametrize("member", ["total_value", "dated_on"])
def test_a_record_without_what_it_needs_is_set_aside_and_its_neighbours_go_on(db: Database, member: str) -> None:
    odd: tuple[Any, ...] = ("NaN", "Infinity", "1e999", "much", "", None, [], {})
    books = GivenBooks(db, invoices=[*_each(odd, **{member: _itself}), an_invoice(5150002)])

    assert books.of("invoices").keys() == {"5150002"}
    reasons = books.set_aside("invoices")
    assert reasons.keys() == {str(number) for number in range(1, len(odd) + 1)}
    assert all(member in reason for reason in reasons.values())
    assert books.breached() == {}


def test_a_payment_that_cannot_be_read_does_not_take_its_invoice_along(db: Database) -> None:
    books = GivenBooks(
        db,
        invoices=[an_invoice()],
        bank_transaction_explanations=[
            an_explanation(99120001, "NaN", paid_invoice=url("invoices", 5150001)),
            an_explanation(99120002, "20.0", paid_invoice=url("invoices", 5150001)),
        ],
    )

    [allocation] = books.one("invoices", "5150001")["paymentAllocations"]
    assert allocation["payment"]["id"] == "99120002"
    assert books.set_aside("payments").keys() == {"99120001"}
    assert books.breached() == {}


@pytest.mark.parametrize("odd", [
    {"gross_value": "0." + "1" * 5000}, {"gross_value": "9" * 5000}, {"bank_account": "\x00"}, {"bank_account": "x" * 5000},
])  # fmt: skip
def test_a_payment_of_any_oddness_does_not_take_along_what_it_pays(db: Database, odd: dict[str, str]) -> None:
    paid = an_explanation(99120001, "20.0", paid_invoice=url("invoices", 5150001))

    told = {"#body": json.dumps(paid | odd), "bank_account": paid["bank_account"]}  # in the list of its account
    books = GivenBooks(db, invoices=[an_invoice()], bank_transaction_explanations=[told])

    assert books.one("invoices", "5150001")["amountDue"] == 120
    assert books.set_aside("invoices") == {}
    assert books.set_aside("payments").keys() == {"99120001"}


@pytest.mark.parametrize("odd", [{"gross_value": "0." + "1" * 5000}, {"credit_note": "\x00"}])
def test_a_credit_of_any_oddness_does_not_take_along_its_documents(db: Database, odd: dict[str, str]) -> None:
    credit = {
        "url": url("credit_note_reconciliations", 7),
        "gross_value": "20.0",
        "dated_on": "2024-06-20",
        "invoice": url("invoices", 5150001),
        "credit_note": url("credit_notes", 5),
    }
    note = an_invoice(5) | {"url": url("credit_notes", 5), "credit_note_items": an_invoice()["invoice_items"]}

    books = GivenBooks(db, invoices=[an_invoice()], credit_notes=[note], credit_note_reconciliations=[credit | odd])

    assert books.of("invoices").keys() == {"5150001"}
    assert books.of("creditNotes").keys() == {"5"}
    assert books.set_aside("payments").keys() == {"7"}


@pytest.mark.parametrize(
    ("currency", "price", "tax"), [("JPY", "1001", "200"), ("KWD", "10.005", "2.001"), ("XYZ", "10.01", "2.0")]
)
def test_currencies_have_their_own_smallest_unit(db: Database, currency: str, price: str, tax: str) -> None:
    items = [an_invoice()["invoice_items"][0] | {"price": price, "quantity": "1"}]
    total = str(D(price) + D(tax))
    books = GivenBooks(
        db,
        invoices=[
            an_invoice(
                currency=currency,
                exchange_rate="0.5",
                net_value=price,
                sales_tax_value=tax,
                total_value=total,
                due_value=total,
                invoice_items=items,
            )
        ],
    )

    made = books.one("invoices", "5150001")
    assert made["currency"] == currency
    assert made["lineItems"][0]["taxAmount"] == D(tax)
    assert books.breached() == {}


# Spellings and types


def test_a_reference_is_known_by_its_number_however_it_is_written(db: Database) -> None:
    spellings = (
        "/v2/contacts/4410021",
        "contacts/4410021",
        "http://api.freeagent.com/v2/contact/4410021",
        "https://elsewhere.example/v2/contacts/4410021/",
        "https://api.freeagent.com/v2/contacts/4410021?view=all",
        "4410021",
        4410021,
    )
    books = GivenBooks(db, invoices=_each(spellings, contact=_itself))

    named = [invoice["customerRef"] for invoice in books.of("invoices").values()]
    assert named == [{"id": "4410021", "companyName": "Bramble & Oak Interiors"}] * len(spellings)
    assert books.warnings("invoices") == []


@pytest.mark.parametrize(
    ("paid", "is_note"),
    [
        ("https://api.freeagent.com/v2/credit_notes/7", True),
        ("/v2/credit_note/7", True),
        ("credit_notes/7", True),
        ("https://credit_notes.example/v2/invoices/7", False),
        ("https://api.freeagent.com/credit_notes/v2/invoices/7", False),
        ("invoices/7", False),
        ("7", False),
    ],
)
def test_a_credit_note_is_told_from_an_invoice_by_the_segment_before_the_number(paid: str, is_note: bool) -> None:
    assert is_credit_note(paid) is is_note


@pytest.mark.parametrize("text", ["", "..", "/v2/contacts/.", "/v2/contacts/a b", "/v2/contacts/é", "x" * 5 + "/\x00"])
def test_what_cannot_be_an_id_is_no_reference(text: str) -> None:
    with pytest.raises(ValueError, match="no reference"):
        last_segment(text)


def test_numbers_for_text_and_text_for_numbers_are_taken_for_each_other(db: Database) -> None:
    books = GivenBooks(
        db,
        invoices=[an_invoice(reference=20240001, total_value=120.0, net_value=100, payment_terms_in_days="30.0")],
        price_list_items=[{"url": url("price_list_items", 61007), "code": 7, "price": 18.99, "description": 2.50}],
    )

    assert books.one("invoices", "5150001")["invoiceNumber"] == "20240001"
    item = books.one("items", "61007")
    assert (item["code"], item["name"], item["invoiceItem"]["unitPrice"]) == ("7", "2.5", D("18.99"))
    assert books.warnings("invoices") == books.warnings("items") == []


def test_a_number_for_text_is_kept_digit_by_digit() -> None:
    body = b'{"url":"/v2/invoices/1","status":"Open","dated_on":"2024-05-14","total_value":1.10,"reference":2024.010}'

    read = payload_of(Invoice)(body)

    assert (read.reference, read.total_value) == ("2024.010", D("1.10"))


def test_a_member_of_another_kind_is_left_out_with_a_note(db: Database) -> None:
    members = ("reference", "comments", "updated_at", "project")
    books = GivenBooks(db, invoices=_each(([], {}, True, [1]), **dict.fromkeys(members, _itself)))

    made = books.of("invoices")
    assert not any({"invoiceNumber", "note", "sourceModifiedDate"} & invoice.keys() for invoice in made.values())
    noted = {(one.item_id, one.validator_name) for one in books.warnings("invoices")}
    assert noted == {(id_, member) for id_ in made for member in members}
    assert books.breached() == {}


@pytest.mark.parametrize("odd", [None, 7, "one", []])
def test_a_line_that_is_none_leaves_the_others(db: Database, odd: Any) -> None:
    item = an_invoice()["invoice_items"][0]
    books = GivenBooks(db, invoices=[an_invoice(invoice_items=[odd, item, item | {"price": "0.0", "quantity": []}])])

    first, second = books.one("invoices", "5150001")["lineItems"]
    assert (first["subTotal"], second["quantity"]) == (100, 0)
    assert {"invoice_items.0", "invoice_items.2.quantity"} == books.noted("invoices").keys()


def test_null_is_what_is_left_out(db: Database) -> None:
    bare = {name: an_invoice()[name] for name in ("url", "status", "dated_on", "total_value")}
    nulls = dict.fromkeys(an_invoice().keys() - bare.keys())
    books = GivenBooks(db, invoices=[bare, {**nulls, **bare, "url": url("invoices", 5150002)}])

    made = books.of("invoices")
    assert made["5150001"] | {"id": ""} == made["5150002"] | {"id": ""}
    assert made["5150001"]["currency"] == "GBP"
    assert made["5150001"]["amountDue"] == 120
    assert not books.set_aside("invoices")


def test_members_nobody_knows_are_passed_over(db: Database) -> None:
    plain = GivenBooks(db, invoices=[an_invoice()])
    more = GivenBooks(db, invoices=[an_invoice(novelty={"deep": [1, {"x": None}]}, problems_=[1], payload=2)])

    assert more.of("invoices") == plain.of("invoices")


def test_text_of_every_kind_is_kept(db: Database) -> None:
    texts = ("\x00", "a\x00b", "\u202eטקסט", "👩‍👩‍👧", "e\u0301", "\ufeff", "<script>", "\U0010ffff", "\uffff")
    contacts = [
        {"url": url("contacts", number), "organisation_name": f"x{text}y", "status": "Active"}
        for number, text in enumerate(texts, 1)
    ]
    books = GivenBooks(db, contacts=contacts, invoices=_each(texts, comments=_itself))

    assert [one["note"] for one in books.of("invoices").values()] == list(texts)
    assert [one["customerName"] for one in books.of("customers").values()] == [f"x{text}y" for text in texts]


def test_text_where_a_key_should_be_is_no_worse_than_text_elsewhere(database: Database) -> None:
    long = "".join(Random(1).choices("0123456789abcdef", k=5000))
    odd = ("a\x00b", long, "\x1a", "2024-05-14\x00" + long)
    given = {
        "contacts": [
            {"url": url("contacts", long), "status": "Active"},
            {"url": url("contacts", 77), "status": "Active"},
        ],
        "bank_transactions": [
            {"url": url("bank_transactions", number), "bank_account": account, "dated_on": dated_on, "amount": "1.0"}
            for number, (account, dated_on) in enumerate(
                [(url("bank_accounts", 738783), text) for text in odd] + [(text, "2024-05-14") for text in odd], 6001
            )
        ],
        "bank_transaction_explanations": [
            an_explanation(7001 + number, "-5.0", paid_bill=url("bills", 1), dated_on=text)
            for number, text in enumerate(odd)
        ],
        "ledger_transactions": [
            {"url": url("transactions", 8001 + number), "dated_on": text, "source_item_url": f"/v2/{text}/{number}"}
            for number, text in enumerate(odd)
        ],
        "categories": [a_category(long, "Odd"), a_category("285", "Travel")],
    }

    books = GivenBooks(database, given)

    assert set(books.statuses().values()) == {Status.COMPLETE}
    assert set(books.of("customers")) == {"77"}
    assert "285" in books.of("chartOfAccounts")
    assert "6001" in {*books.of("bankTransactions"), *books.set_aside("bankTransactions")}


def test_a_body_nested_beyond_sense_is_set_aside_alone(db: Database) -> None:
    deep = '{"url":"/v2/invoices/5150002","status":"Open","dated_on":"2024-05-14","total_value":"1","invoice_items":'
    deep += "[" * 5000 + "]" * 5000 + "}"
    books = GivenBooks(db, invoices=[an_invoice(), {"#body": deep}])

    assert books.of("invoices").keys() == {"5150001"}


def test_an_odd_company_still_has_books(db: Database) -> None:
    company = a_company(
        id=[], name=7, sales_tax_rates=["20.0", "x", None], annual_accounting_periods=[{"starts_on": 1}]
    )
    del company["url"]
    books = GivenBooks(db, company=[company], invoices=[an_invoice()])

    assert books.one("company", "company")["companyName"] == "7"
    assert books.one("invoices", "5150001")["currency"] == "GBP"
    assert books.breached() == {}


def test_an_odd_chart_of_accounts_keeps_what_can_be_read(db: Database) -> None:
    books = GivenBooks(
        db,
        categories=[
            a_category("001", "Sales", "income_categories"),
            a_category("285", "Meals", "admin_expenses_categories", allowable_for_tax=[]),
            {"#part": "general_categories", "url": url("categories", 290), "nominal_code": 290, "description": None},
            a_category("../x", "Up"),
            a_category("7500", "Beyond the ranges"),
        ],
        trial_balance=[
            {"display_nominal_code": "001", "total": "-100.0"},
            {"display_nominal_code": 285, "total": "many"},
        ],
    )

    made = books.of("chartOfAccounts")
    assert made.keys() == {"001", "285", "290", "7500", "738783"}
    assert made["001"]["currentBalance"] == 100
    assert "currentBalance" not in made["285"]  # told, and unreadable: that is not nothing
    assert made["290"]["currentBalance"] == 0
    assert made["7500"]["type"] == "Unknown"
    assert "A1" not in books.breached()


# Days


def test_a_day_that_does_not_exist_or_is_far_off_is_null_with_a_note(db: Database) -> None:
    there = {"2024-02-29": "2024-02-29T00:00:00", "2024-06-13T23:59:59+14:00": "2024-06-13T00:00:00"}
    impossible = ("2023-02-29", "0000-00-00", "20240613", "2024-W24-4", "2024-06-1", "2024-06-130", "soon")
    far_off = ("1066-10-14", "9999-12-31")
    books = GivenBooks(db, invoices=_each((*there, *impossible, *far_off), due_on=_itself))

    made = {number: books.one("invoices", str(number)).get("dueDate") for number in range(1, 12)}
    assert list(made.values()) == [*there.values(), *[None] * 9]
    noted = {one.item_id: one.message for one in books.warnings("invoices") if one.validator_name == "dueDate"}
    assert noted.keys() == {str(number) for number, day_ in made.items() if day_ is None}
    assert ["far off" in noted[str(number)] for number in range(3, 12)] == [False] * 7 + [True] * 2


def test_a_record_that_needs_its_day_keeps_one_that_is_far_off(db: Database) -> None:
    books = GivenBooks(
        db,
        invoices=[an_invoice(dated_on="0024-05-14")],
        bank_transaction_explanations=[
            an_explanation(99120001, "20.0", dated_on="9999-12-31", paid_invoice=url("invoices", 5150001))
        ],
    )

    assert books.one("invoices", "5150001")["issueDate"] == "0024-05-14T00:00:00"
    assert "far off" in books.noted("invoices")["issueDate"]
    assert books.one("payments", "99120001")["date"] == "9999-12-31T00:00:00"
    assert "C7" not in books.breached()


def test_a_record_that_can_do_without_its_day_is_served_without_one(db: Database) -> None:
    books = GivenBooks(
        db,
        credit_notes=[
            {
                "url": url("credit_notes", 5150101),
                "status": "Open",
                "dated_on": "2024-13-01",
                "total_value": "-10.0",
                "due_value": "-10.0",
            }
        ],
        bank_transactions=[
            {
                "url": url("bank_transactions", 66000001),
                "bank_account": url("bank_accounts", 738783),
                "dated_on": "2024-02-30",
                "amount": "1.0",
            }
        ],
    )

    assert "issueDate" not in books.one("creditNotes", "5150101")
    assert "issueDate" in books.noted("creditNotes")
    assert "clearedOnDate" not in books.one("bankTransactions", "66000001")
    assert "clearedOnDate" in books.noted("bankTransactions")


def test_terms_beyond_the_calendar_give_no_day_due(db: Database) -> None:
    terms = ("1e60", "-1e9", 10**30, None, "30")
    books = GivenBooks(db, invoices=_each(terms, due_on=lambda _: None, payment_terms_in_days=_itself))

    due = [invoice.get("dueDate") for invoice in books.of("invoices").values()]
    assert due == [None, None, None, None, "2024-06-13T00:00:00"]


def test_days_are_read_with_and_without_bounds() -> None:
    assert day("9999-12-31") is None
    assert any_date("9999-12-31") == "9999-12-31T00:00:00"
    assert any_date("2024-02-30") is None


# Values of lists nobody told us of


def test_an_unknown_value_is_served_as_unknown(db: Database) -> None:
    books = GivenBooks(
        db,
        invoices=[an_invoice(status="Disputed")],
        bank_accounts=[a_bank_account(status="closed", type="Wallet")],
        price_list_items=[{"url": url("price_list_items", 1), "item_type": "Lease"}],
        contacts=[{"url": url("contacts", 4410021), "status": "Prospect"}],
        projects=[{"url": url("projects", 1), "status": "Paused"}],
    )

    assert books.one("chartOfAccounts", "738783")["status"] == "Unknown"
    for data_type, id_, member in (
        ("invoices", "5150001", "status"),
        ("bankAccounts", "738783", "status"),
        ("bankAccounts", "738783", "accountType"),
        ("items", "1", "type"),
        ("customers", "4410021", "status"),
        ("suppliers", "4410021", "status"),
        ("trackingCategories", "1", "status"),
    ):
        assert books.one(data_type, id_)[member] == "Unknown"
        assert member in books.noted(data_type)
    assert books.breached() == {}


# Bank lines


def _line(number: int, amount: Any, **more: Any) -> dict[str, Any]:
    return {
        "url": url("bank_transactions", number),
        "bank_account": url("bank_accounts", 738783),
        "dated_on": "2024-06-24",
        "amount": amount,
        "unexplained_amount": "0.0",
        **more,
    }


def test_after_a_line_that_cannot_be_read_no_balance_is_told(db: Database) -> None:
    other = {"bank_account": url("bank_accounts", 738790)}
    books = GivenBooks(
        db,
        bank_accounts=[a_bank_account(opening_balance="10.0"), a_bank_account(738790, opening_balance="1.0")],
        bank_transactions=[_line(1, "5.0"), _line(2, "NaN"), _line(3, "2.0"), _line(4, "1.0", **other)],
    )

    made = books.of("bankTransactions")
    assert {id_: line.get("balance") for id_, line in made.items()} == {"1": 15, "3": None, "4": 2}
    assert books.set_aside("bankTransactions").keys() == {"2"}
    assert "D3" not in books.breached()


def test_without_an_opening_balance_no_balance_is_told(db: Database) -> None:
    books = GivenBooks(db, bank_accounts=[a_bank_account(opening_balance=None)], bank_transactions=[_line(1, "5.0")])

    assert "balance" not in books.one("bankTransactions", "1")


def test_a_line_that_does_not_say_what_is_open_of_it_is_not_reconciled(db: Database) -> None:
    books = GivenBooks(db, bank_transactions=[_line(1, "5.0", unexplained_amount=None)])

    assert books.one("bankTransactions", "1")["reconciled"] is False
    assert "D5" not in books.breached()


def test_the_token_of_a_statement_line(db: Database) -> None:
    told = (
        ("CARD PURCHASES//POS/", "CARD PURCHASES//POS/£198.30", "CARD PURCHASES", "Pos"),
        ("FPI//OTHER/", "FPI//OTHER/", "FPI", "Other"),
        ("A/B/", "A/B/", "A/B/", "Unknown"),
        ("OTHER/", "OTHER/", "OTHER/", "Unknown"),
        ("/OTHER/", "/OTHER/", None, "Other"),
        ("X/FEE", "X/FEE", "X/FEE", "Unknown"),
        ("X", None, "X", "Unknown"),
    )
    lines = [
        _line(number, "5.0", description=description, full_description=full)
        for number, (description, full, _, _) in enumerate(told, 1)
    ]
    books = GivenBooks(db, bank_transactions=lines)

    made = [(one.get("description"), one["transactionType"]) for one in books.of("bankTransactions").values()]
    assert made == [(served, kind) for _, _, served, kind in told]


def test_a_description_of_nothing_but_slashes_takes_no_time() -> None:
    slashes = "/" * 1_000_000

    assert banking.without_token(slashes) == slashes


# Tax


def test_a_sale_under_moss_has_the_rate_of_its_country(db: Database) -> None:
    books = GivenBooks(
        db,
        bank_transaction_explanations=[
            an_explanation(
                99150001,
                "121.0",
                category=url("categories", "001"),
                ec_status="EC VAT MOSS",
                place_of_supply="Spain",
                sales_tax_rate="21.0",
                sales_tax_value="21.0",
                sales_tax_status="TAXABLE",
            )
        ],
    )

    [line] = books.one("directIncomes", "99150001")["lineItems"]
    assert line["taxRateRef"] == {"id": "moss-ES-21", "name": "MOSS Spain 21%", "effectiveTaxRate": 21}
    assert "moss-ES-21" in books.of("taxRates")
    assert books.breached() == {}


def test_the_rates_of_the_period_that_holds_today_are_current(db: Database) -> None:
    company = a_company(type="UniversalCompany", sales_tax_rates=None)

    def period(number: int, since: str, rate: str) -> dict[str, Any]:
        return {
            "url": url("sales_tax_periods", number),
            "effective_date": since,
            "sales_tax_name": "GST",
            "sales_tax_rate_1": rate,
            "second_sales_tax_name": "PST",
            "second_sales_tax_rate_1": "8.0",
            "second_sales_tax_is_compound": True,
        }

    books = GivenBooks(
        db,
        company=[company],
        sales_tax_periods=[
            period(1, "2020-01-01", "7.0"),
            period(2, "2024-01-01", "5.0"),
            period(3, "2099-01-01", "9"),
        ],
    )

    rates = books.of("taxRates")
    assert {id_: rate["status"] for id_, rate in rates.items() if id_.startswith("taxable")} == {
        "taxable-7": "Archived",
        "taxable-7_8c": "Archived",
        "taxable-5": "Active",
        "taxable-5_8c": "Active",
        "taxable-9": "Archived",
        "taxable-9_8c": "Archived",
    }
    assert rates["taxable-5_8c"]["effectiveTaxRate"] == D("13.4")


def test_tax_that_goes_the_other_way_than_its_total_is_no_contradiction() -> None:
    assert list(tax.doubt(D(76), D(80), D(4), "1", "totalTaxAmount")) == []
    assert tax.charged(D(76), D(80), D(4)) == (D(-4), D(0))
    assert list(tax.doubt(D(76), D(80), D(5), "1", "totalTaxAmount")) != []


# Answers that are no records


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "60"}, 60),
        ({"retry-after": " 7 "}, 7),
        ({"retry-after": "²"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "9" * 500}, 999_999_999),
        ({"retry-after": "soon"}, None),
        ({}, None),
        ({"retry-after": "Fri, 27 Nov 2026 07:30:30 GMT", "date": "Fri, 27 Nov 2026 07:30:00 GMT"}, 30),
        ({"retry-after": "Fri, 27 Nov 2026 07:30:00 GMT", "date": "Fri, 27 Nov 2026 07:30:30 GMT"}, 0),
        ({"retry-after": "Fri, 27 Nov 2026 07:30:00 GMT"}, None),
    ],
)
def test_how_long_to_wait_is_told_in_seconds_or_by_the_clock(headers: dict[str, str], seconds: float | None) -> None:
    error = error_of(429, headers, b"You must not exceed 120 requests per 60 seconds", None)

    assert isinstance(error, TryLater)
    assert error.retry_after_seconds == seconds


@pytest.mark.parametrize(("level", "known"), [("8", 8), (6, 6), (99, 8), (-1, 0), (None, 8)])
def test_an_access_level_may_be_quoted(level: Any, known: int) -> None:
    assert OAUTH.access(json.dumps({"user": {"permission_level": level}}).encode()).level == known


# The reader itself


def test_one_reader_serves_every_data_type_made_of_a_payload() -> None:
    assert reader(BankTransaction) is reader(BankTransaction)


def test_a_body_that_lacks_what_it_must_have_names_it() -> None:
    with pytest.raises(ValueError, match="dated_on"):
        payload_of(Invoice)(b'{"url":"/v2/invoices/1","status":"Open","total_value":"1"}')
    with pytest.raises(msgspec.ValidationError):
        payload_of(Invoice)(b"[]")


def test_a_sound_payload_is_itself() -> None:
    read = payload_of(Invoice)(msgspec.json.encode(an_invoice()))

    assert sound(read) is read
