"""The books agree to the penny: what the reports say is what the documents and the bank say."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from tests.freeagent_standin.reader import TODAY, Reader, Row, fresh, known

from freeagent_standin.world import World

SEEDS = range(1, 1 + int(os.environ.get("COMPTOIR_TEST_WORLDS", "40")))
"""COMPTOIR_TEST_WORLDS=1000 is the long form."""
SIZES = (1, 7, 40, 120)
WORLDS: list[tuple[str | int, int]] = [(SIZES[seed % len(SIZES)], seed) for seed in SEEDS]
NAMED: list[tuple[str | int, int]] = [("small", 1), ("small", 2), ("medium", 1)]
ZERO = Decimal(0)


def days_of_interest(world: World) -> list[date]:
    first = world.company.freeagent_start
    ends = [date(TODAY.year - back, 3, 31) for back in range(4)]
    return [first - timedelta(days=1), first, *ends, TODAY - timedelta(days=17), TODAY + timedelta(days=400)]


@pytest.mark.parametrize(("size", "seed"), WORLDS + NAMED)
def test_a_trial_balance_comes_to_nothing_on_any_day(size: str | int, seed: int) -> None:
    world = known(size, seed)
    reader = Reader(world)

    for day in days_of_interest(world):
        assert sum(reader.trial_balance(to_date=day).values()) == 0, day
        assert sum(reader.trial_balance(from_date=day - timedelta(days=90), to_date=day).values()) == 0, day
    opening = reader.get("accounting/trial_balance/summary/opening_balances")["trial_balance_summary"]
    assert sum(Decimal(row["total"]) for row in opening) == 0


@pytest.mark.parametrize(("size", "seed"), WORLDS + NAMED)
def test_the_trial_balance_is_what_documents_and_bank_lines_come_to(size: str | int, seed: int) -> None:
    balances_agree(Reader(known(size, seed)))


def balances_agree(reader: Reader) -> None:
    """The trial balance is what documents, bank lines and claims come to."""
    books, balance = reader.everything(), defaultdict(Decimal, reader.trial_balance())

    hired = [row for row in books["bills"] if row["is_paid_by_hire_purchase"]]
    assert sum(balance[f"{code}-1"] for code in ("792", "793")) == -owed(books, hired)
    if not reader.world.company.cash_basis:
        assert balance["681"] == owed(books, books["invoices"] + books["credit_notes"])
        assert balance["796"] == -owed(books, [row for row in books["bills"] if row not in hired])
        assert vat(balance) == expected_vat(books)
    for code, total in expected_accounts(books).items():
        assert balance[code] == total, code
    for code, total in expected_claims(books).items():
        assert balance[code] == total, code


def test_foreign_money_is_in_some_worlds_and_not_in_others() -> None:
    is_foreign = [any(one.currency != "GBP" for one in known(size, seed).bank_accounts) for size, seed in WORLDS]

    assert len(WORLDS) // 5 <= sum(is_foreign) <= 4 * len(WORLDS) // 5


@pytest.mark.parametrize(("size", "seed"), [(40, seed) for seed in SEEDS])
def test_the_books_have_no_profit_of_their_own(size: int, seed: int) -> None:
    """Profit by income and costs over all years is what the balance sheet has gained since the opening day."""
    world = fresh(size, seed)
    reader = Reader(world)
    start = world.company.freeagent_start

    over_all = reader.trial_balance(from_date=start, to_date=TODAY)
    profit = -sum(total for code, total in over_all.items() if code < "600")
    opening = reader.get("accounting/trial_balance/summary/opening_balances")["trial_balance_summary"]
    began = {row["display_nominal_code"]: Decimal(row["total"]) for row in opening}
    stands = {code: total for code, total in over_all.items() if code >= "600"}
    gained = sum(stands.values(), ZERO) - sum((total for code, total in began.items() if code >= "600"), ZERO)

    assert profit == gained


@pytest.mark.parametrize(("size", "seed"), WORLDS[:12] + NAMED)
def test_every_document_and_bank_line_adds_up(size: str | int, seed: int) -> None:
    documents_add_up(Reader(known(size, seed)))


def documents_add_up(reader: Reader) -> None:
    """Every document, line and account comes to what its parts come to."""
    books = reader.everything()

    for invoice in books["invoices"]:
        assert Decimal(invoice["total_value"]) == Decimal(invoice["net_value"]) + charged(invoice), invoice
        if invoice["status"] not in ("Written-off", "Part written-off"):
            withheld = Decimal(invoice.get("cis_deduction", "0"))
            due = Decimal(invoice["total_value"]) - withheld - Decimal(invoice["paid_value"])
            assert Decimal(invoice["due_value"]) == due, invoice
    for bill in books["bills"]:
        assert sum(Decimal(item["total_value"]) for item in bill["bill_items"]) == Decimal(bill["total_value"])
        assert sum(Decimal(item["total_value_ex_tax"]) for item in bill["bill_items"]) == -Decimal(bill["net_value"])
    for name, rows in books.items():
        if isinstance(rows, list):
            early = [row for row in rows if row.get("created_at", "") > row.get("updated_at", "")]
            assert early == [], f"{name} changed before they came to be"
    explained: Counter[str] = Counter()
    for line in books["bank_transactions"]:
        parts = line["bank_transaction_explanations"]
        explained.update(part["url"] for part in parts)
        total = sum((Decimal(part["gross_value"]) for part in parts), ZERO)
        assert Decimal(line["amount"]) == total + Decimal(line["unexplained_amount"]), line
    assert explained == Counter(row["url"] for row in books["bank_transaction_explanations"])
    for account in books["bank_accounts"]:
        lines = [row for row in books["bank_transactions"] if row["bank_account"] == account["url"]]
        moved = sum((Decimal(line["amount"]) for line in lines), ZERO)
        assert Decimal(account["current_balance"]) == Decimal(account["opening_balance"]) + moved
        assert account["total_count"] == len(lines)
        assert account["unexplained_transaction_count"] == sum(line["unexplained_amount"] != "0.0" for line in lines)


@pytest.mark.parametrize(("size", "seed"), WORLDS[:12] + NAMED)
def test_what_was_paid_is_what_the_explanations_say(size: str | int, seed: int) -> None:
    payments_agree(Reader(known(size, seed)))


def payments_agree(reader: Reader) -> None:
    """What was paid of each document is what explanations and reconciliations say."""
    books = reader.everything()
    paid: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in books["bank_transaction_explanations"]:
        target = row.get("paid_invoice") or row.get("paid_bill")
        if target:
            paid[target] += Decimal(row["foreign_currency_value"] if "foreign_currency" in row else row["gross_value"])
    offset: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in books["credit_note_reconciliations"]:
        offset[row["invoice"]] += Decimal(row["gross_value"])
        offset[row["credit_note"]] += Decimal(row["gross_value"])

    for invoice in books["invoices"]:
        assert Decimal(invoice["paid_value"]) == paid[invoice["url"]] + offset[invoice["url"]]
    for bill in books["bills"]:
        is_hired = bill["is_paid_by_hire_purchase"]
        assert Decimal(bill["paid_value"]) == (Decimal(bill["total_value"]) if is_hired else -paid[bill["url"]])
    for note in books["credit_notes"]:
        assert Decimal(note["refunded_value"]) == -paid[note["url"]]
        assert Decimal(note["due_value"]) == Decimal(note["total_value"]) - paid[note["url"]] + offset[note["url"]]


@pytest.mark.parametrize(("size", "seed"), WORLDS[:12] + NAMED)
def test_every_reference_leads_to_a_record(size: str | int, seed: int) -> None:
    reader = Reader(known(size, seed))
    books = reader.everything()
    known_urls = {row["url"] for rows in books.values() if isinstance(rows, list) for row in rows}
    known_urls |= {row["url"] for group in books["categories"].values() for row in group}
    if reader.call("properties").status == 200:
        known_urls |= {row["url"] for row in reader.all("properties")}
    known_urls |= {row["url"] for group in reader.get("categories").values() for row in group}

    for url in set(references({name: rows for name, rows in books.items() if name != "company"})) - known_urls:
        kind = url.split("/v2/")[1].split("/")[0]
        lines = ("invoice_items", "bill_items", "estimate_items", "attachments")
        assert kind in lines or "/journal_entries/" in url, url


def references(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [url for each in value.values() for url in references(each)]
    if isinstance(value, list):
        return [url for each in value for url in references(each)]
    return [value] if isinstance(value, str) and "/v2/" in value and not value.startswith("http://x") else []


def charged(document: Row) -> Decimal:
    """Tax that is part of the total."""
    return ZERO if is_notional(document) else Decimal(document.get("sales_tax_value", "0"))


def is_notional(row: Row) -> bool:
    return row.get("ec_status") in ("Reverse Charge", "EC Goods", "EC Services")


def is_posted(row: Row) -> bool:
    return row["status"] not in ("Draft", "Scheduled To Email")


def owed(books: dict[str, Any], documents: list[Row]) -> Decimal:
    """In pounds at each document's own rate: totals, less what was paid, set off, withheld and realised, or given up."""
    posted = {row["url"]: row for row in documents if is_posted(row)}
    rates = {url: Decimal(row.get("exchange_rate", "1")) for url, row in posted.items()}
    left = {url: pounds(Decimal(row["total_value"]), rates[url]) for url, row in posted.items()}
    for row in books["bank_transaction_explanations"]:
        url = row.get("paid_invoice") or row.get("paid_bill")
        if url in left:
            paid = Decimal(row["foreign_currency_value"] if "foreign_currency" in row else row["gross_value"])
            left[url] -= pounds(-paid if "paid_bill" in row else paid, rates[url])
    for row in books["credit_note_reconciliations"]:
        for url, sign in ((row["invoice"], 1), (row["credit_note"], -1)):
            if url in left:
                left[url] -= sign * pounds(Decimal(row["gross_value"]), rates[url])
    for url, row in posted.items():
        if "written_off_date" in row:
            left[url] = ZERO
        left[url] -= Decimal(row.get("cis_deduction_suffered", "0"))
    return sum(left.values(), ZERO)


def pounds(amount: Decimal, rate: Decimal) -> Decimal:
    return (amount * rate).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


def vat(balance: dict[str, Decimal]) -> Decimal:
    return balance["817"] + balance["818"] + balance["819"]


def expected_vat(books: dict[str, Any]) -> Decimal:
    opening = {row["nominal_code"]: row["total"] for row in books["opening"]["trial_balance_summary"]}
    total = Decimal(opening.get("817", "0"))
    total -= sum(charged(row) for row in filter(is_posted, books["invoices"] + books["credit_notes"]))
    total += sum((-charged(row) for row in books["bills"]), ZERO)
    total -= sum(Decimal(row.get("native_sales_tax_value", "0")) for row in books["expenses"])
    for row in books["bank_transaction_explanations"]:
        total -= charged(row)
        if row.get("category", "").endswith("/817"):
            total -= Decimal(row["gross_value"]) - charged(row)
    return total


def expected_accounts(books: dict[str, Any]) -> dict[str, Decimal]:
    """Each account in pounds: what it began with, and what its explanations say."""
    codes = {
        row["bank_account"]: row["nominal_code"]
        for row in books["categories"]["general_categories"]
        if "bank_account" in row
    }
    pounds = {row["url"]: Decimal(row["opening_balance"]) for row in books["bank_accounts"] if row["currency"] == "GBP"}
    for row in books["bank_transaction_explanations"]:
        if row["bank_account"] in pounds:
            pounds[row["bank_account"]] += Decimal(row["gross_value"])
    return {codes[url]: total for url, total in pounds.items()}


def expected_claims(books: dict[str, Any]) -> dict[str, Decimal]:
    """Each user's expense account: claims, less what was repaid."""
    rows = books["categories"]["general_categories"]
    codes = {row["user"]: row["nominal_code"] for row in rows if row["nominal_code"].startswith("905-")}
    totals = dict.fromkeys(codes, ZERO)
    for row in books["expenses"]:
        totals[row["user"]] += Decimal(row["native_gross_value"])
    for row in books["bank_transaction_explanations"]:
        if "paid_user" in row and row.get("category", "/905").endswith("/905"):
            totals[row["paid_user"]] -= Decimal(row["gross_value"])
    return {codes[url]: total for url, total in totals.items()}
