"""Profit and loss, balance sheet, cash flow: each against the ledger, the trial balance and the live API's shapes."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.freeagent_standin.api.test_ledger import ledger, periods, totals
from tests.freeagent_standin.api.test_shapes import _captured, faults, unlike
from tests.freeagent_standin.api.writer import told
from tests.freeagent_standin.reader import TODAY, Reader, Row, fresh, known
from tests.freeagent_standin.world.test_double_entry import NAMED, WORLDS
from tests.integrations.shared import needs_shared

ZERO = Decimal(0)
PROFIT = "accounting/profit_and_loss/summary"
SHEET = "accounting/balance_sheet"


@pytest.fixture
def reader() -> Reader:
    return Reader(fresh("small", 3))


def profit(reader: Reader, **query: object) -> dict[str, Any]:
    return dict(reader.get(PROFIT, **query)["profit_and_loss_summary"])


def sheet(reader: Reader, path: str = SHEET, **query: object) -> dict[str, Any]:
    return dict(reader.get(path, **query)["balance_sheet"])


def accounts(body: dict[str, Any]) -> dict[str, int]:
    sections = ("capital_assets", "current_assets", "current_liabilities", "owners_equity")
    rows = [row for name in sections for row in body[name].get("accounts", [])]
    found = {row["nominal_code"]: row["total_debit_value"] for row in rows}
    assert len(found) == len(rows)
    return found


@pytest.mark.parametrize(("size", "seed"), WORLDS[:12] + NAMED[:2])
def test_a_profit_and_loss_is_what_the_ledger_of_its_days_says(size: str | int, seed: int) -> None:
    profit_agrees(Reader(known(size, seed)))


def profit_agrees(reader: Reader) -> None:
    """Profit and loss is what the ledger of its days says."""
    ranges = [*periods(reader), ("2026-01-01", "2026-01-31"), ("2025-07-01", "2025-09-30")]
    for since, until in ranges:
        moved = totals(ledger(reader, from_date=since, to_date=until))
        income = -sum((total for code, total in moved.items() if code < "096"), ZERO)
        tax = sum((total for code, total in moved.items() if code in ("502", "503")), ZERO)
        costs = sum((total for code, total in moved.items() if "096" <= code < "600"), ZERO) - tax
        dividends = sum((total for code, total in moved.items() if code.startswith("908")), ZERO)
        told_so = profit(reader, from_date=since, to_date=until)

        less = {row["title"]: Decimal(row["total"]) for row in told_so["less"]}
        assert abs(Decimal(told_so["income"]) - income) < 1
        assert abs(Decimal(told_so["expenses"]) - costs) < 1
        assert abs(Decimal(told_so["operating_profit"]) - (income - costs)) < 1
        assert abs(less.get("Corp. Tax (est.)", ZERO) - tax) < 1
        assert abs(less.get("Dividends", ZERO) - dividends) < 1
        assert abs(Decimal(told_so["retained_profit"]) - (income - costs - tax - dividends)) < 1


@pytest.mark.parametrize(("size", "seed"), WORLDS[:12] + NAMED[:2])
def test_a_balance_sheet_balances_and_is_the_trial_balance_rounded(size: str | int, seed: int) -> None:
    sheet_agrees(Reader(known(size, seed)))


def sheet_agrees(reader: Reader) -> None:
    """The balance sheet balances, and is the trial balance rounded."""
    for day in (periods(reader)[0][1], "2026-02-11", TODAY.isoformat()):
        balance = defaultdict(Decimal, reader.trial_balance(to_date=day))
        body = sheet(reader, as_at_date=day)

        shown = accounts(body)
        assert all(abs(balance[code] - total) <= Decimal("0.5") for code, total in shown.items())
        unplaced = {code: total for code, total in balance.items() if code not in shown and code >= "600"}
        left = sum((total for code, total in unplaced.items() if code != "968" and code[:3] != "908"), ZERO)
        assert abs(left) < 1 * (1 + len(unplaced))
        assert body["total_assets"] == -body["total_owners_equity"]
        places = len(shown) + 2
        equity = sum(row["total_debit_value"] for row in body["owners_equity"].get("accounts", []))
        assert abs(equity + body["owners_equity"]["retained_profit"] - body["total_owners_equity"]) <= places
        assert abs(body["net_current_assets"] + body["capital_assets"]["net_book_value"] - body["total_assets"]) <= 1


@pytest.mark.parametrize(("size", "seed"), WORLDS[:6] + NAMED[:2])
def test_retained_profit_grows_by_what_profit_and_loss_says(size: str | int, seed: int) -> None:
    retained_profit_agrees(Reader(known(size, seed)))


def retained_profit_agrees(reader: Reader) -> None:
    """Retained profit grows by what profit and loss says."""
    first, last = periods(reader)[-1]
    before = (date.fromisoformat(first) - timedelta(days=1)).isoformat()
    summary = profit(reader, from_date=first, to_date=last)

    then, now = (sheet(reader, as_at_date=day)["owners_equity"]["retained_profit"] for day in (before, last))
    assert abs(then - now - int(summary["retained_profit"])) <= 1
    assert -now == int(summary["retained_profit_carried_forward"])
    assert -then == int(summary["retained_profit_brought_forward"])


@pytest.mark.parametrize(("size", "seed"), WORLDS[:12] + NAMED[:2])
def test_cash_flow_is_what_went_through_the_banks_but_transfers(size: str | int, seed: int) -> None:
    cash_flow_agrees(Reader(known(size, seed)))


def cash_flow_agrees(reader: Reader) -> None:
    """Cash flow is what went through the banks, but transfers."""
    rows: list[Row] = [row for row in ledger(reader) if row["nominal_code"].startswith("750-")]
    transfers = {row.get("source_item_url") for row in ledger(reader) if row["nominal_code"] == "761"}
    first = periods(reader)[0][0]

    flow = reader.get("cashflow", from_date=first, to_date="2026-06-30")["cashflow"]

    for side, sign in (("incoming", 1), ("outgoing", -1)):
        expected: defaultdict[tuple[int, int], Decimal] = defaultdict(Decimal)
        for row in rows:
            amount = sign * Decimal(row["debit_value"])
            if amount > 0 and row.get("source_item_url") not in transfers:
                day = date.fromisoformat(row["dated_on"])
                expected[day.year, day.month] += amount
        months = {(row["year"], row["month"]): Decimal(row["total"]) for row in flow[side]["months"]}
        assert {month: total for month, total in months.items() if total} == dict(expected)
        assert Decimal(flow[side]["total"]) == sum(expected.values(), ZERO)
        assert list(months)[-3:] == [(2026, 4), (2026, 5), (2026, 6)]
        assert [row["total"] for row in flow[side]["months"][-3:]] == [0, 0, 0]
    assert Decimal(flow["balance"]) == Decimal(flow["incoming"]["total"]) - Decimal(flow["outgoing"]["total"])


@needs_shared
@pytest.mark.parametrize(("size", "seed"), [("small", 1), *WORLDS[:6]])
def test_reports_are_as_the_contract_and_the_live_api_say(size: str | int, seed: int) -> None:
    reader = Reader(known(size, seed))
    flow = reader.get("cashflow", from_date="2025-02-01", to_date="2026-04-30")["cashflow"]
    found = faults("Cashflow", flow)
    for body in (sheet(reader), sheet(reader, as_at_date="2025-03-31"), sheet(reader, f"{SHEET}/opening_balances")):
        found += faults("BalanceSheet", body)
    found += unlike([_captured("balance_sheet")["balance_sheet"]], sheet(reader), may_lack=set())
    found += unlike([_captured("cashflow")["cashflow"]], flow, may_lack=set())
    found += unlike([_captured("profit_and_loss")["profit_and_loss_summary"]], profit(reader), may_lack=set())

    assert [each for each in found if not each.startswith("balance is decimal")] == []
    assert set(profit(reader)) == set(_captured("profit_and_loss")["profit_and_loss_summary"])


def test_a_profit_and_loss_takes_a_period_by_name_or_defaults_to_the_year_until_today(reader: Reader) -> None:
    assert profit(reader) == profit(reader, from_date="2025-04-01", to_date=TODAY)
    assert profit(reader, from_date="2026-01-01") == profit(reader, from_date="2026-01-01", to_date=TODAY)
    assert profit(reader, to_date="2026-01-31") == profit(reader, from_date="2025-04-01", to_date="2026-01-31")
    named = profit(reader, accounting_period="2024/25")
    assert named == profit(reader, from_date="2024-04-01", to_date="2025-03-31")
    assert profit(reader, from_date="2025-02-10", to_date="2026-02-09")["from"] == "2025-02-10"


@pytest.mark.parametrize(
    ("path", "query", "says"),
    [
        (PROFIT, {"from_date": "2025-02-10", "to_date": "2026-02-10"}, "12 months or less"),
        (PROFIT, {"from_date": "2026-02-10", "to_date": "2026-02-09"}, "must not be after"),
        (PROFIT, {"to_date": "2025-02-09"}, "must not be after"),
        (PROFIT, {"accounting_period": "2019/20"}, "not one of this company's"),
        (PROFIT, {"accounting_period": "last"}, "not one of this company's"),
        (PROFIT, {"from_date": "9999-12-31x", "to_date": "x"}, "to_date is not a valid date"),
        (SHEET, {"as_at_date": "soon"}, "as_at_date is not a valid date"),
        ("cashflow", {"from_date": "2026-01-01"}, "are required"),
        ("cashflow", {"to_date": "2026-01-01"}, "are required"),
        ("cashflow", {"from_date": "2026-01-02", "to_date": "2026-01-01"}, "must not be after"),
    ],
)
def test_days_that_make_no_sense_are_refused(reader: Reader, path: str, query: dict[str, str], says: str) -> None:
    given = reader.call(path, **query)

    assert given.status == 400
    assert says in told(given)[0]
    assert reader.send("POST", path, b"{}").status == 404
