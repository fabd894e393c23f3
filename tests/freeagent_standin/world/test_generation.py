"""Worlds are made the same again from the same arguments, in the size asked for, and hold what they promise."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from tests.freeagent_standin.reader import LISTS, PER_ACCOUNT, TODAY, Reader, Row, fresh, known

from freeagent_standin.world import generate

TELL = """
import sys
from tests.freeagent_standin.reader import Reader, fresh
size = sys.argv[1]
print(Reader(fresh(int(size) if size.isdigit() else size, 5)).fingerprint())
"""


@pytest.mark.parametrize("size", ["small", "90"])
def test_the_same_seed_gives_the_same_bytes_in_every_process(size: str) -> None:
    told = set()
    for salt in ("1", "2"):
        ended = subprocess.run(
            [sys.executable, "-c", TELL, size],
            env=os.environ | {"PYTHONHASHSEED": salt, "PYTHONPATH": os.pathsep.join(("src", "."))},
            cwd=Path(__file__).parents[3],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        told.add(ended.stdout.strip())

    assert told == {Reader(fresh(int(size) if size.isdigit() else size, 5)).fingerprint()}


def test_another_seed_size_company_or_day_gives_other_books() -> None:
    told = {
        Reader(fresh("small", 1)).fingerprint(),
        Reader(fresh("small", 2)).fingerprint(),
        Reader(fresh(160, 1)).fingerprint(),
        Reader(fresh("small", 1, company=2)).fingerprint(),
        Reader(generate(size="small", seed=1, today=date(2026, 2, 28))).fingerprint(),
    }

    assert len(told) == 5


@pytest.mark.parametrize("lines", [1, 2, 3, 12, 99, 500, 999, 1_000, 3_000])
def test_a_number_is_the_number_of_bank_lines(lines: int) -> None:
    assert known(lines, 3).counts()["bank_transactions"] == lines


def test_medium_books_have_their_size() -> None:
    counts = known("medium").counts()
    documents = sum(counts[name] for name in ("invoices", "credit_notes", "bills", "expenses"))
    first, last = min(days("medium")), max(days("medium"))

    assert counts["bank_transactions"] == 5_000
    assert 1_800 <= documents <= 2_200
    assert 3 * 365 - 45 <= (last - first).days <= 3 * 365 + 45


@pytest.mark.slow
def test_large_books_have_their_size() -> None:
    assert fresh("large").counts()["bank_transactions"] == 100_000


def days(size: str) -> list[date]:
    return [line.dated_on for line in known(size).transactions]


@pytest.mark.parametrize("size", ["", "huge", "0", 0, -1, 1_000_001, "1e3", "٣"])
def test_a_size_there_is_not_is_refused_in_a_sentence(size: str | int) -> None:
    with pytest.raises(ValueError, match=r"(size|number of bank lines)"):
        generate(size=size, seed=1, today=TODAY)


@pytest.mark.parametrize("today", [date(2020, 2, 29), date(2026, 1, 1), date(2026, 4, 5), date(2031, 12, 31)])
def test_books_reach_to_any_day_and_not_beyond(today: date) -> None:
    world = generate(size="small", seed=1, today=today)

    assert max(line.dated_on for line in world.transactions) < today
    assert max(invoice.dated_on for invoice in world.invoices) < today
    assert min(line.dated_on for line in world.transactions) >= world.company.freeagent_start


@pytest.mark.parametrize("seed", range(1, 9))
def test_small_books_have_at_least_one_of_everything(seed: int) -> None:
    books = Reader(known("small", seed)).everything()
    invoices: list[Row] = books["invoices"]
    bills: list[Row] = books["bills"]
    explanations: list[Row] = books["bank_transaction_explanations"]
    statuses = Counter(row["status"] for row in invoices)

    assert all(books[name] for name in (*LISTS, *PER_ACCOUNT))
    assert 55 <= len(invoices) <= 70
    assert {"Draft", "Scheduled To Email", "Open", "Overdue", "Paid", "Overpaid", "Zero Value", "Refunded"} <= set(
        statuses
    )
    assert {"Written-off", "Part written-off"} & set(statuses)
    assert any(row["status"] in ("Open", "Overdue") and Decimal(row["paid_value"]) > 0 for row in invoices)
    assert {row["currency"] for row in invoices} > {"GBP"}
    assert {row["status"] for row in books["credit_notes"]} >= {"Draft", "Open", "Refunded"} or any(
        row["status"] == "Overdue" for row in books["credit_notes"]
    )
    assert any(Decimal(row["total_value"]) < 0 for row in bills)
    assert any("attachment" in row for row in bills)
    assert any("attachment" in row for row in books["expenses"])
    assert {row["type"] for row in explanations} >= {
        "Payment",
        "Refund",
        "Sales",
        "Invoice Receipt",
        "Bill Payment",
        "Credit Note Refund",
        "Money Paid to User",
        "Transfer to Another Account",
        "Transfer from Another Account",
        "Other Money Out",
    }
    assert any(row["marked_for_review"] for row in explanations)
    assert any(row["unexplained_amount"] != "0.0" for row in books["bank_transactions"])
    assert books["company"]["company"]["sales_tax_registration_status"] == "Registered"
    assert books["company"]["company"]["type"] == "UkLimitedCompany"
    assert len(books["bank_accounts"]) >= 2
    names = [row.get("organisation_name", "") + row.get("last_name", "") for row in books["contacts"]]
    assert any(not name.isascii() for name in names)
    assert any(" " in name for name in names)


def test_every_kind_of_company_turns_up_among_small_numbers() -> None:
    companies = [known(20, seed).company for seed in range(1, 81)]

    assert {company.type for company in companies} == {
        *("UkLimitedCompany", "UkSoleTrader", "UkUnincorporatedLandlord", "UkPartnership"),
        *("UkLimitedLiabilityPartnership", "UniversalCompany"),
    }
    assert {company.cash_basis for company in companies} == {True, False}
    assert {company.vat_registered for company in companies} == {True, False}
    assert {company.cis_contractor for company in companies} == {True, False}
    assert {company.cis_subcontractor for company in companies} == {True, False}


def test_companies_of_one_account_share_no_id_and_no_name() -> None:
    worlds = [fresh("small", company=number) for number in range(1, 6)]
    ids = [(name, record.id) for world in worlds for name, table in world.tables().items() for record in table]

    assert len({world.id for world in worlds}) == len({world.name for world in worlds}) == 5
    assert len({world.subdomain for world in worlds}) == 5
    assert len(ids) == len(set(ids))


def test_names_stay_apart_however_many_companies_there_are() -> None:
    names = {(fresh(1, company=number).name, fresh(1, company=number).subdomain) for number in range(1, 101)}

    assert len({name for name, _ in names}) == len({subdomain for _, subdomain in names}) == 100
