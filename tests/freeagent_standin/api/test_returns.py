"""Returns to the tax office, the tax timeline and locks: against the ledger, the contract, and what they mark."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from tests.freeagent_standin.api.test_ledger import ledger, totals
from tests.freeagent_standin.api.test_shapes import faults
from tests.freeagent_standin.api.writer import bodies, made, send
from tests.freeagent_standin.reader import TODAY, Reader, Row, fresh, known
from tests.freeagent_standin.world.test_double_entry import WORLDS
from tests.integrations.shared import needs_shared

from freeagent_standin.world import generate, kind_named

ZERO = Decimal(0)
KINDS = {
    "vat_returns": "VatReturn",
    "corporation_tax_returns": "CorporationTaxReturn",
    "final_accounts_reports": "FinalAccountsReport",
}


@pytest.fixture
def reader() -> Reader:
    return Reader(fresh("small", 3))


def of_kind(kind: str) -> Reader:
    return Reader(generate(size="small", seed=3, today=TODAY, kind=kind_named(kind)))


def boxes(row: Row) -> dict[int, Decimal]:
    return {each["box_number"]: Decimal(each["value"]) for each in row["breakdown"]["rows"]}


def put(reader: Reader, path: str) -> Any:
    given = send(reader, "PUT", path)
    assert given.status == 200, given
    return next(iter(msgspec.json.decode(given.body).values()))


@needs_shared
@pytest.mark.parametrize(("size", "seed"), [("small", 3), *WORLDS[:10]])
def test_returns_and_the_timeline_are_as_the_contract_says(size: str | int, seed: int) -> None:
    reader = Reader(known(size, seed))
    found: set[str] = set()
    for path, schema in KINDS.items():
        given = reader.call(path)
        rows = msgspec.json.decode(given.body)[path] if given.status == 200 else []
        found |= {fault for row in rows for fault in faults(schema, row)}
        for row in rows:
            assert row == next(iter(reader.get(f"{path}/{row['period_ends_on']}").values()))
    user = reader.all("users")[0]["url"].split("/v2/")[1]
    if reader.world.company.is_british:
        rows = reader.get(f"{user}/self_assessment_returns")["self_assessment_returns"]
        found |= {fault for row in rows for fault in faults("SelfAssessmentReturn", row)}
        assert rows
    found |= set(faults("/company/tax_timeline", reader.get("company/tax_timeline")))

    assert found == set()


@pytest.mark.parametrize(("size", "seed"), [("small", 3), (120, 3), (120, 11)])
def test_a_vat_return_is_what_its_quarter_was_charged_and_reclaimed(size: str | int, seed: int) -> None:
    reader = Reader(known(size, seed))
    rows = ledger(reader)
    moved: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    filings = [row for row in rows if row["description"].startswith("VAT Return")]
    for row in rows:
        if row not in filings:
            moved[row["nominal_code"], row["dated_on"]] += Decimal(row["debit_value"])

    returns = reader.get("vat_returns", per_page=100)["vat_returns"]
    for one in returns:
        days = [key for key in moved if one["period_starts_on"] <= key[1] <= one["period_ends_on"]]
        shown = boxes(one)
        assert shown[1] == shown[3] == -sum((moved[key] for key in days if key[0] == "819"), ZERO)
        assert shown[4] == sum((moved[key] for key in days if key[0] == "818"), ZERO)
        assert shown[5] == abs(shown[3] - shown[4])
        assert Decimal(one["payments"][0]["amount_due"]) == shown[3] - shown[4]
        sales = -sum((moved[key] for key in days if key[0] < "096"), ZERO)
        assert abs(shown[6] - sales) < 1
        transferred = totals([row for row in filings if row["dated_on"] == one["period_ends_on"]])
        assert transferred["817"] == (shown[4] - shown[3] if one["filing_status"] == "filed" else ZERO)
    assert all("source_item_url" not in row for row in filings)
    assert bool(filings) == reader.world.company.vat_registered == bool(returns)


def test_a_return_is_filed_and_unfiled_by_hand(reader: Reader) -> None:
    *_, filed, running = reader.get("vat_returns")["vat_returns"]
    before = reader.trial_balance()
    later = Reader(reader.world, now=reader.now + timedelta(days=3))

    assert (filed["filing_status"], running["filing_status"]) == ("filed", "unfiled")
    assert send(reader, "PUT", f"vat_returns/{running['period_ends_on']}/mark_as_filed").status == 422
    marked = put(later, f"vat_returns/{running['period_ends_on']}/mark_as_filed")
    assert marked["filing_status"] == "marked_as_filed"
    after = later.trial_balance()
    assert after.get("819", ZERO) == before.get("819", ZERO) + boxes(running)[1]
    assert sum(after.values()) == 0
    assert put(later, f"vat_returns/{running['period_ends_on']}/mark_as_unfiled")["filing_status"] == "unfiled"
    assert reader.trial_balance() == before


def test_a_filed_return_stays_as_it_was_filed(reader: Reader) -> None:
    filed = reader.get("vat_returns")["vat_returns"][-2]
    [invoice] = bodies(reader)["invoices"].values()

    made(reader, "invoices", invoice | {"dated_on": filed["period_ends_on"]})

    assert reader.get("vat_returns")["vat_returns"][-2] == filed


def test_payments_are_marked_one_by_one(reader: Reader) -> None:
    running = reader.get("vat_returns")["vat_returns"][-1]
    [payment] = running["payments"]
    key = f"vat_returns/{running['period_ends_on']}/payments/{payment['due_on']}"
    tax = reader.get("corporation_tax_returns")["corporation_tax_returns"][-1]
    year = f"corporation_tax_returns/{tax['period_ends_on']}"

    assert (payment["status"], tax["payment_status"]) == ("unpaid", "unpaid")
    assert put(reader, f"{key}/mark_as_paid")["payments"][0]["status"] == "marked_as_paid"
    assert put(reader, f"{key}/mark_as_unpaid")["payments"] == [payment]
    assert put(reader, f"{year}/mark_as_paid")["payment_status"] == "marked_as_paid"
    assert reader.get(year)["corporation_tax_return"]["payment_status"] == "marked_as_paid"
    assert send(reader, "PUT", key.replace("payments/2026", "payments/2027") + "/mark_as_paid").status == 404


def test_corporation_tax_is_provided_for_when_a_year_has_ended(reader: Reader) -> None:
    ended, running = reader.get("corporation_tax_returns")["corporation_tax_returns"]
    rows = [row for row in ledger(reader) if "corporation_tax_returns" in row.get("source_item_url", "")]

    assert [(row["nominal_code"], row["dated_on"]) for row in rows] == [
        *(("820", "2025-03-31"), ("502", "2025-03-31"), ("820", "2026-03-31"), ("502", "2026-03-31"))
    ]
    assert [row["debit_value"] for row in rows] == [f"-{ended['amount_due']}", ended["amount_due"], "0.0", "0.0"]
    assert Decimal(running["amount_due"]) > 0
    summary = reader.get("accounting/profit_and_loss/summary", accounting_period="2024/25")["profit_and_loss_summary"]
    assert summary["less"][0] == {"title": "Corp. Tax (est.)", "total": str(int(Decimal(ended["amount_due"])))}


@pytest.mark.parametrize(
    ("kind", "answers"),
    [
        ("limited", {"vat_returns": 200, "corporation_tax_returns": 200, "final_accounts_reports": 200}),
        ("limited,no-vat", {"vat_returns": 200, "corporation_tax_returns": 200, "final_accounts_reports": 200}),
        ("sole-trader", {"vat_returns": 200, "corporation_tax_returns": 404, "final_accounts_reports": 404}),
        ("universal", {"vat_returns": 404, "corporation_tax_returns": 404, "final_accounts_reports": 404}),
    ],
)
def test_a_company_has_the_returns_of_its_kind(kind: str, answers: dict[str, int]) -> None:
    reader = of_kind(kind)

    assert {path: reader.call(path).status for path in answers} == answers
    if "no-vat" in kind:
        assert reader.get("vat_returns") == {"vat_returns": []}
    user = f"users/{reader.world.users[0].id}/self_assessment_returns"
    assert reader.call(user).status == (404 if kind == "universal" else 200)
    assert reader.call("users/1/self_assessment_returns").status == 404
    assert reader.call("self_assessment_returns").status == 404


def test_a_sole_trader_pays_income_tax_on_the_profit() -> None:
    reader = of_kind("sole-trader")
    user = reader.world.users[0].id
    owner = reader.get(f"users/{user}/self_assessment_returns")["self_assessment_returns"]

    assert any(Decimal(row["payments"][0]["amount_due"]) > 0 for row in owner)
    timeline = reader.get("company/tax_timeline")["timeline_items"]
    assert {item["is_personal"] for item in timeline} == {True, False}
    assert [item["dated_on"] for item in timeline] == sorted(item["dated_on"] for item in timeline)


def test_the_lock_of_the_books_is_set_read_and_taken_away(reader: Reader) -> None:
    day = {"account_lock": {"locked_to_date": "2026-01-31"}}

    assert reader.get("account_locks") == {"account_locks": []}
    assert Reader(reader.world, level=7).call("account_locks").status == 403
    assert send(Reader(reader.world, level=7), "PUT", "account_locks", day).status == 403
    put = msgspec.json.decode(send(reader, "PUT", "account_locks", day).body)
    given = reader.get("account_locks")
    assert put == {"account_locks": given["account_locks"]}
    assert given["earliest_lock_date"] == given["account_locks"][0]["locked_to_date"] == "2026-01-31"
    assert faults("/account_locks", given) == []
    [bill] = bodies(reader)["bills"].values()
    assert send(reader, "POST", "bills", {"bill": bill | {"dated_on": "2026-01-30"}}).status == 403
    assert send(reader, "PUT", "account_locks", {"account_lock": {"locked_to_date": "soon"}}).status == 400
    assert send(reader, "DELETE", "account_locks").body == b""
    assert reader.get("account_locks") == {"account_locks": []}


def test_marks_on_returns_need_full_access(reader: Reader) -> None:
    accountant = Reader(reader.world, level=7)
    end = reader.get("final_accounts_reports")["final_accounts_reports"][0]["period_ends_on"]

    assert send(accountant, "PUT", f"final_accounts_reports/{end}/mark_as_filed").status == 403
    assert put(reader, f"final_accounts_reports/{end}/mark_as_filed")["filing_status"] == "marked_as_filed"
    assert put(reader, f"final_accounts_reports/{end}/mark_as_unfiled")["filing_status"] == "unfiled"
    assert send(reader, "POST", "vat_returns").status == 404
    assert send(reader, "DELETE", f"final_accounts_reports/{end}").status == 404
    assert reader.call("vat_returns/2019-03-31").status == 404
    assert Reader(reader.world, level=6).call("vat_returns").status == 403


def test_months_of_business_file_and_pay_what_is_due(reader: Reader) -> None:
    before = reader.get("vat_returns")["vat_returns"]

    told = reader.world.mutate({"do": "advance", "days": 100}, reader.now)
    later = Reader(reader.world, now=reader.now + timedelta(days=100))
    after = later.get("vat_returns")["vat_returns"]

    assert len(after) == len(before) + 2
    assert [row["filing_status"] for row in after[-3:]] == ["filed", "unfiled", "unfiled"]
    assert told["added"]["journal_sets"] >= 3
    owed = Decimal(after[-3]["payments"][0]["amount_due"])
    paid = [row for row in later.all("bank_transaction_explanations") if row["description"] == "HMRC VAT 03 26"]
    assert [Decimal(row["gross_value"]) for row in paid] == [-owed]
    salaries = [row for row in later.all("journal_sets", tag="PAYROLL-RUN") if row["dated_on"] >= "2026-03-31"]
    wages = [row for row in later.all("bank_transaction_explanations") if row["description"].startswith("Salary ")]
    taxes = [row for row in later.all("bank_transaction_explanations") if "PAYE/NIC 0" in row["description"]]
    assert len(salaries) >= 3
    assert [row["gross_value"] for row in wages] == [row["journal_entries"][1]["debit_value"] for row in salaries]
    assert taxes
    assert sum(later.trial_balance().values()) == 0
    rows = ledger(later)
    assert sum(totals(rows).values()) == 0
    assert Decimal(later.get("corporation_tax_returns")["corporation_tax_returns"][1]["amount_due"]) == -sum(
        Decimal(row["debit_value"])
        for row in rows
        if row["nominal_code"] == "820" and row["dated_on"] == "2026-03-31" and "source_item_url" in row
    )
