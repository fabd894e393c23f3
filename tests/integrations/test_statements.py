"""Profit and loss, balance sheet and cash flow from FreeAgent's dated trial balances and its own reports."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from tests.books import Books, world_of
from tests.integrations.given import Given, GivenBooks, a_bank_account, a_category, a_company, url
from tests.integrations.shared import SHARED, needs_shared

from comptoir import model
from comptoir.model import encode
from comptoir.model.reports import BalanceSheet, ProfitAndLoss
from comptoir.model.statements import Asked, balance_sheet, profit_and_loss
from comptoir.store import Database, open_database
from comptoir.store.datasets import Status


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path_factory.mktemp('statements') / 'comptoir.db'}")
    yield opened
    opened.close()


# The books of these tests are read on 2026-03-31.
YEAR = {"annual_accounting_periods": [{"starts_on": "2025-04-01", "ends_on": "2026-03-31"}]}
STATEMENTS = ("profitAndLoss", "balanceSheet", "cashFlowStatement")
COMPANY = a_company(**YEAR, freeagent_start_date="2024-01-01")


def balances(on: str, **totals: str) -> dict[str, Any]:
    """A trial balance of one day: `_104="5.00"` for code 104."""
    lines = [
        {"display_nominal_code": code[1:].replace("_", "-"), "name": f"Account {code[1:]}", "total": total}
        for code, total in totals.items()
    ]
    return {"#on": on, "trial_balance_summary": lines}


def summary(on: str, income: str, expenses: str, *less: tuple[str, str]) -> dict[str, Any]:
    retained = Decimal(income) - Decimal(expenses) - sum(Decimal(total) for _, total in less)
    told = {
        "income": income,
        "expenses": expenses,
        "operating_profit": str(Decimal(income) - Decimal(expenses)),
        "less": [{"title": title, "total": total} for title, total in less],
        "retained_profit": str(retained),
    }
    return {"#on": on, "profit_and_loss_summary": told}


def sheet(on: str, total: int, **sections: dict[str, int]) -> dict[str, Any]:
    told: dict[str, Any] = {
        name: {
            "accounts": [
                {"nominal_code": code, "name": "x", "total_debit_value": value} for code, value in accounts.items()
            ]
        }
        for name, accounts in sections.items()
    }
    return {"#on": on, "balance_sheet": {"total_assets": total, "total_owners_equity": -total, **told}}


def given(db: Database, *dated: dict[str, Any], **more: Any) -> GivenBooks:
    return GivenBooks(db, {"company": [COMPANY], "dated_balances": list(dated)}, only=STATEMENTS, **more)


def section(books: GivenBooks, month: str, name: str) -> dict[str | None, Decimal]:
    """The lines of one section of a month's profit and loss, by account."""
    held = books.one("profitAndLoss", month)["report"][name]
    return {line.get("accountId"): line["value"] for line in held["items"]}


def test_a_month_is_how_far_the_year_moved(db: Database) -> None:
    books = given(
        db,
        balances("2026-02-28", _001="-100.10", _104="30", _681="70.10"),
        balances("2026-03-31", _001="-100.12", _104="25", _285="7.77", _681="67.35"),
    )

    assert section(books, "2026-03", "income") == {"001": Decimal("0.02")}
    assert section(books, "2026-03", "costOfSales") == {"104": Decimal(-5)}
    assert section(books, "2026-03", "expenses") == {"285": Decimal("7.77")}
    report = books.one("profitAndLoss", "2026-03")["report"]
    assert (report["fromDate"], report["toDate"]) == ("2026-03-01T00:00:00", "2026-03-31T00:00:00")
    assert (report["grossProfit"], report["netProfit"]) == (Decimal("5.02"), Decimal("-2.75"))


def test_an_account_that_stopped_moving_is_no_line_and_one_that_vanished_went_back(db: Database) -> None:
    books = given(
        db,
        balances("2026-02-28", _001="-100", _104="30", _285="5"),
        balances("2026-03-31", _001="-100", _285="6"),
    )

    assert section(books, "2026-03", "income") == {}
    assert section(books, "2026-03", "costOfSales") == {"104": Decimal(-30)}


def test_the_first_month_of_an_accounting_year_begins_at_nothing(db: Database) -> None:
    books = given(db, balances("2025-03-31", _001="-999"), balances("2025-04-30", _001="-10"))

    assert section(books, "2025-04", "income") == {"001": Decimal(10)}


def test_a_year_that_ends_inside_a_month_is_cut_there(db: Database) -> None:
    company = a_company(freeagent_start_date="2024-01-01", first_accounting_year_end="2024-04-05")
    books = given(
        db,
        balances("2025-03-31", _001="-1000"),
        balances("2025-04-05", _001="-1200"),
        balances("2025-04-30", _001="-30"),
        company=[company],
    )

    assert section(books, "2025-04", "income") == {"001": Decimal(230)}
    assert "2025-03" not in books.of("profitAndLoss")


def test_the_month_the_books_began_in_needs_none_before_it(db: Database) -> None:
    company = a_company(**YEAR, freeagent_start_date="2026-02-10")
    books = given(db, balances("2026-02-28", _001="-5"), balances("2026-03-31", _001="-7"), company=[company])

    assert section(books, "2026-02", "income") == {"001": Decimal(5)}
    assert books.one("profitAndLoss", "2026-02")["earliestAvailableMonth"] == "2026-02-01T00:00:00"


def test_a_month_whose_trial_balance_cannot_be_read_is_set_aside_with_the_one_after_it(db: Database) -> None:
    odd = balances("2026-02-28", _001="-5", _104="NaN")
    books = given(db, balances("2026-01-31", _001="-1"), odd, balances("2026-03-31", _001="-7"))

    aside = books.set_aside("profitAndLoss")

    assert "NaN" in aside["2026-02-28"]
    assert "the trial balance of 2026-02-28 is not there" in aside["2026-03-31"]
    assert list(books.of("balanceSheet")) == ["2026-03"]


def test_corporation_tax_stands_apart_and_dividends_are_no_cost(db: Database) -> None:
    books = given(
        db,
        balances("2025-04-30", _001="-100", _502="19", _908_1="50", _750_1="31"),
        profit_and_loss=[summary("2025-04-30", "100", "0", ("Corp. Tax (est.)", "19"), ("Dividends", "50"))],
    )

    report = books.one("profitAndLoss", "2025-04")["report"]
    assert report["netOperatingProfit"] == 100
    assert section(books, "2025-04", "otherExpenses") == {"502": Decimal(19)}
    assert (report["netOtherIncome"], report["netProfit"]) == (-19, 81)
    assert books.noted("profitAndLoss") == {}


def test_adjustments_that_no_account_holds_are_a_line_without_account(db: Database) -> None:
    books = given(
        db,
        balances("2025-04-30", _001="-100", _750_1="100"),
        profit_and_loss=[summary("2025-04-30", "100", "0", ("Adjustments", "7"))],
    )

    assert section(books, "2025-04", "otherExpenses") == {None: Decimal(7)}
    assert books.noted("profitAndLoss") == {}


@pytest.mark.parametrize(("income", "is_noted"), [("100", False), ("101", False), ("101.01", True), ("98", True)])
def test_a_summary_more_than_one_off_is_noted_and_the_month_served(db: Database, income: str, is_noted: bool) -> None:
    books = given(db, balances("2025-04-30", _001="-100"), profit_and_loss=[summary("2025-04-30", income, "0")])

    assert ("income" in books.noted("profitAndLoss")) is is_noted
    assert section(books, "2025-04", "income") == {"001": Decimal(100)}


CARD = {"bank_accounts": [a_bank_account(), a_bank_account(738790, type="CreditCardAccount", name="Card")]}


def test_accounts_stand_where_freeagent_places_them_on_that_day(db: Database) -> None:
    books = given(
        db,
        balances("2026-03-31", _601_1="10.4", _681="-3", _750_1="7.6", _799="-2", _907_1="5", _670="-30", _001="12"),
        balance_sheet=[
            sheet(
                "2026-03-31", 18, capital_assets={"601-1": 10}, current_assets={"750-1": 8, "907-1": 5},
                current_liabilities={"681": -3, "799": -2}, owners_equity={"670": -30},
            )
        ],
    )  # fmt: skip

    report = books.one("balanceSheet", "2026-03")["report"]

    assert {one["name"]: [line["accountId"] for line in one["items"]] for one in report["assets"]["items"]} == {
        "Fixed assets": ["601-1"],
        "Current assets": ["738783", "907-1"],
    }
    assert {one["name"]: [line["accountId"] for line in one["items"]] for one in report["liabilities"]["items"]} == {
        "Current liabilities": ["681"],
        "Long-term liabilities": ["799"],
    }
    assert [(one.get("accountId"), one["value"]) for one in report["equity"]["items"]] == [("670", 30), (None, -12)]
    assert report["netAssets"] == report["equity"]["value"] == 18
    assert books.noted("balanceSheet") == {}


def test_without_a_place_of_freeagents_the_kind_of_account_decides(db: Database) -> None:
    lines = balances("2026-03-31", _750_1="50", _750_2="-20", _601_1="8", _795="-1", _968="-37")
    lines["trial_balance_summary"][1]["bank_account"] = url("bank_accounts", 738790)
    books = given(db, lines, **CARD)

    report = books.one("balanceSheet", "2026-03")["report"]

    assert [one["accountId"] for one in report["liabilities"]["items"][0]["items"]] == ["738790"]
    assert [one["accountId"] for one in report["liabilities"]["items"][1]["items"]] == ["795"]
    assert [one["accountId"] for one in report["assets"]["items"][0]["items"]] == ["601-1"]
    assert report["equity"]["items"] == [{"accountId": "968", "name": "Retained profit", "value": 37, "items": []}]


@pytest.mark.parametrize(
    ("rounded", "total", "field"), [(8, 8, None), (9, 9, None), (10, 8, "lines"), (8, 10, "netAssets")]
)
def test_a_sheet_more_than_one_off_is_noted_and_served(
    db: Database, rounded: int, total: int, field: str | None
) -> None:
    books = given(
        db,
        balances("2026-03-31", _750_1="8", _968="-8"),
        balance_sheet=[sheet("2026-03-31", total, current_assets={"750-1": rounded})],
    )

    assert (field is None and not books.noted("balanceSheet")) or field in books.noted("balanceSheet")
    assert books.one("balanceSheet", "2026-03")["report"]["netAssets"] == 8


def test_a_trial_balance_that_does_not_balance_is_noted(db: Database) -> None:
    books = given(db, balances("2026-03-31", _750_1="8", _968="-7"))

    assert books.noted("balanceSheet")["netAssets"] == "Assets less liabilities are 8, and equity is 7."


def _cashflow(until: str, *months: tuple[int, int, str, str]) -> dict[str, Any]:
    def side(place: int) -> dict[str, Any]:
        return {"months": [{"year": one[0], "month": one[1], "total": one[place]} for one in months]}

    return {"cashflow": {"from": "2026-01-01", "to": until, "incoming": side(2), "outgoing": side(3)}}


def test_cash_comes_by_the_month_and_ends_today(db: Database) -> None:
    told = _cashflow("2026-03-20", (2026, 2, "10.5", "3"), (2026, 3, "0.0", "4.25"), (2026, 4, "0", "0"))
    books = given(db, cashflow=[told])

    assert list(books.of("cashFlowStatement")) == ["2026-02", "2026-03"]
    march = books.one("cashFlowStatement", "2026-03")
    assert march["report"] == {
        "fromDate": "2026-03-01T00:00:00",
        "toDate": "2026-03-20T00:00:00",
        "cashReceipts": {"name": "Cash receipts", "value": 0, "items": []},
        "cashPayments": {"name": "Cash payments", "value": Decimal("4.25"), "items": []},
    }
    assert (march["reportBasis"], march["reportInput"]) == ("Cash", "Direct")


def test_who_may_not_see_the_accounts_gets_no_report(db: Database) -> None:
    books = given(db, refused=("dated_balances", "profit_and_loss", "cashflow"))

    assert {name: one for name, one in books.statuses().items() if name in ("profitAndLoss", "balanceSheet")} == {
        "profitAndLoss": Status.PERMISSIONS_ERROR,
        "balanceSheet": Status.PERMISSIONS_ERROR,
    }
    assert books.statuses()["cashFlowStatement"] is Status.PERMISSIONS_ERROR


def test_the_sources_own_reports_are_not_needed(db: Database) -> None:
    books = given(db, balances("2026-03-31", _750_1="8", _968="-8"), refused=("profit_and_loss", "balance_sheet"))

    assert books.statuses()["balanceSheet"] is Status.COMPLETE
    assert books.one("balanceSheet", "2026-03")


_TOTAL = re.compile(r"([0-9]{3}(?:-[0-9]+)?) (-?[0-9.]+[0-9])")
_OUT = re.compile(r"^```json out\n(.*?)\n```$", re.MULTILINE | re.DOTALL)
_NAMES = {
    "001": "Sales", "104": "Materials", "285": "Accommodation and Meals", "401": "Salaries", "402": "Employer NICs",
    "601-1": "Computer Equipment Brought Forward", "605-1": "Computer Equipment Depreciation Brought Forward",
    "681": "Trade Debtors", "796": "Trade Creditors", "817": "VAT", "905-1": "Expense Account: Ines Hartley",
    "922": "Founder shares", "968": "Profit and Loss", "750-1": "Bank Account Main", "750-2": "Bank Account Company card",
}  # fmt: skip


def _example() -> tuple[dict[str, str], str, str]:
    """The trial balance that reports.md tells, and the two answers it becomes."""
    text = (SHARED / "mapping" / "reports.md").read_text(encoding="utf-8").partition("## 6. Worked example")[2]
    told = text.partition("(debit positive):")[2].partition("Sum 0.")[0]
    profit, sheet_ = _OUT.findall(text)
    return dict(_TOTAL.findall(told)), profit, sheet_


@needs_shared
def test_the_worked_example_comes_out_to_the_byte(db: Database) -> None:
    totals, expected_profit, expected_sheet = _example()
    assert len(totals) == 15
    lines = [
        {"display_nominal_code": code, "name": _NAMES[code], "total": total, "category": url("categories", code)}
        for code, total in totals.items()
    ]
    for line in lines:
        if (number := {"750-1": 738783, "750-2": 738790}.get(line["display_nominal_code"])) is not None:
            line["bank_account"] = url("bank_accounts", number)
    around: Given = {
        "company": [a_company(freeagent_start_date="2024-04-01", first_accounting_year_end="2025-03-31")],
        "categories": [
            a_category("001", "Sales", "income_categories"),
            a_category("104", "Materials", "cost_of_sales_categories"),
            a_category("750-1", "Bank Account", bank_account=url("bank_accounts", 738783)),
            a_category("750-2", "Bank Account", bank_account=url("bank_accounts", 738790)),
        ],
        "bank_accounts": [a_bank_account(), a_bank_account(738790, type="CreditCardAccount", name="Company card")],
        "dated_balances": [
            balances("2024-04-30", _001="-5000.01", _104="1"),
            balances("2024-05-31", _001="-11000", _285="500"),
            {"#on": "2024-06-30", "trial_balance_summary": lines},
        ],
    }

    books = GivenBooks(db, around, only=STATEMENTS)

    profit = profit_and_loss(books.records("profitAndLoss"), Asked(length=3, count=1))
    sheets = balance_sheet(books.records("balanceSheet"), Asked(length=3, count=1))
    assert _without_months(profit) == expected_profit
    assert _without_months(sheets) == expected_sheet


def _without_months(made: ProfitAndLoss | BalanceSheet) -> str:
    """As the example has it: it does not tell which months there are."""
    held = json.loads(encode(made), parse_float=Decimal)
    months = [held.pop(name) for name in ("mostRecentAvailableMonth", "earliestAvailableMonth")]
    assert months == ["2024-06-01T00:00:00", "2024-04-01T00:00:00"]
    tail = f',"mostRecentAvailableMonth":"{months[0]}","earliestAvailableMonth":"{months[1]}"}}'
    text = encode(made).decode()
    assert text.endswith(tail)
    return text.removesuffix(tail) + "}"


def test_the_month_under_way_moves_on_each_day_and_the_one_that_is_over_stays(db: Database) -> None:
    books = Books(db, world_of(3, "small"))
    for _ in range(3):
        books.sync(*STATEMENTS)
        for name in STATEMENTS:
            fresh = Books(db, books.world)
            fresh.clock = books.clock
            fresh.engine._clock = books.clock
            fresh.sync(name)
            assert [model.encode(one) for one in books.records(name)] == [
                model.encode(one) for one in fresh.records(name)
            ]
        books.clock.sleep(86_400)

    [april] = [one for one in books.records("profitAndLoss") if one.id == "2026-04"]
    assert (april.report.from_date, april.report.to_date) == ("2026-04-01T00:00:00", "2026-04-02T00:00:00")
    assert [one.warnings for one in books.datasets().values()] == [()] * 3
