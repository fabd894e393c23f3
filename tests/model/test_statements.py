"""Reports of any length put together from months: exact, whole, and only of periods that are all there."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comptoir.model.money import WIDE
from comptoir.model.records import LocalDate
from comptoir.model.reports import (
    BalanceSheetMonth,
    BalanceSheetReport,
    CashFlowMonth,
    CashFlowReport,
    ProfitAndLossMonth,
    ReportBasis,
    ReportInput,
    ReportLine,
)
from comptoir.model.statements import Asked, balance_sheet, by_code, cash_flow, profit_and_loss, profit_and_loss_report

JUNE_2023 = LocalDate("2023-06-01T00:00:00")


def line(account: str | None, value: str | Decimal, name: str = "Sales") -> ReportLine:
    return ReportLine(account_id=account, name=name, value=Decimal(value), items=())


def a_month(
    id_: str, *income: ReportLine, costs: tuple[ReportLine, ...] = (), begun: LocalDate = JUNE_2023
) -> ProfitAndLossMonth:
    return ProfitAndLossMonth(
        id=id_,
        currency="GBP",
        earliest_available_month=begun,
        report_basis=ReportBasis.ACCRUAL,
        report=profit_and_loss_report(
            LocalDate(f"{id_}-01T00:00:00"),
            LocalDate(f"{id_}-28T00:00:00"),
            income=income,
            cost_of_sales=costs,
            expenses=(),
            other_expenses=(),
        ),
    )


def months(count: int, *, until: int = 2026 * 12 + 2) -> list[ProfitAndLossMonth]:
    """So many months up to March 2026, each with an income that no other has."""
    numbers = range(until - count + 1, until + 1)
    return [a_month(f"{number // 12}-{number % 12 + 1:02}", line("001", str(number))) for number in numbers]


def spans(held: list[ProfitAndLossMonth], length: int, count: int, latest: date | None = None) -> list[tuple[str, str]]:
    made = profit_and_loss(held, Asked(length=length, count=count, latest=latest))
    return [(one.from_date[:7], one.to_date[:7]) for one in made.reports]


@pytest.mark.parametrize(("length", "count", "latest", "becomes"), [
    (1, 2, None, [("2026-03", "2026-03"), ("2026-02", "2026-02")]),
    (3, 2, None, [("2026-01", "2026-03"), ("2025-10", "2025-12")]),
    (3, 1, date(2025, 12, 31), [("2025-10", "2025-12")]),
    (1, 1, date(2030, 1, 1), [("2026-03", "2026-03")]),
    (5, 3, None, [("2025-11", "2026-03"), ("2025-06", "2025-10")]),
    (1, 1, date(2020, 1, 1), []),
    (12, 10**18, None, [("2025-04", "2026-03")]),
    (10**18, 1, None, []),
])  # fmt: skip
def test_periods_are_counted_back_and_are_whole(
    length: int, count: int, latest: date | None, becomes: list[tuple[str, str]]
) -> None:
    assert spans(months(14), length, count, latest) == becomes


def test_a_period_that_the_books_began_in_says_so_by_its_first_day() -> None:
    begun = LocalDate("2025-11-01T00:00:00")
    held = [a_month(one, line("001", "1"), begun=begun) for one in ("2025-11", "2025-12", "2026-01", "2026-02")]

    assert spans(held, 3, 3) == [("2025-12", "2026-02"), ("2025-11", "2025-11")]
    assert spans(held, 12, 1) == [("2025-11", "2026-02")]


def test_a_period_with_a_month_missing_is_left_out() -> None:
    held = [one for one in months(6) if one.id != "2026-02"]

    assert spans(held, 1, 6) == [(one, one) for one in ("2026-03", "2026-01", "2025-12", "2025-11", "2025-10")]
    assert spans(held, 3, 2) == [("2025-10", "2025-12")]


def test_accounts_are_added_up_under_their_newest_name_and_drop_out_at_zero() -> None:
    held = [
        a_month("2026-01", line("001", "10.01", "Sales"), line("010", "5"), line(None, "1", "Other")),
        a_month("2026-02", line("001", "0.02", "Turnover"), line("010", "-5"), costs=(line("104", "4"),)),
    ]

    [report] = profit_and_loss(held, Asked(length=2, count=1)).reports

    assert [(one.account_id, one.name, one.value) for one in report.income.items] == [
        ("001", "Turnover", Decimal("10.03")),
        (None, "Other", Decimal(1)),
    ]
    assert (report.income.value, report.gross_profit, report.net_profit) == (
        Decimal("11.03"), Decimal("7.03"), Decimal("7.03"),
    )  # fmt: skip


@given(st.lists(st.decimals("-1e50", "1e50", places=2), min_size=12, max_size=12), st.sampled_from([1, 2, 3, 4, 6, 12]))
def test_a_year_is_the_sum_of_its_parts_to_the_last_digit(values: list[Decimal], length: int) -> None:
    with localcontext(WIDE):
        held = [
            a_month(one.id, line("001", value), costs=(line("104", value * 3),))
            for one, value in zip(months(12), values, strict=True)
        ]

        [year] = profit_and_loss(held, Asked(length=12, count=1)).reports
        parts = profit_and_loss(held, Asked(length=length, count=12)).reports

        assert len(parts) == 12 // length
        assert year.net_profit == sum(one.net_profit for one in parts) == -2 * sum(values)


def test_a_balance_sheet_is_that_of_the_periods_last_month() -> None:
    held = [
        BalanceSheetMonth(
            id=id_,
            currency="GBP",
            earliest_available_month=JUNE_2023,
            report=BalanceSheetReport(
                date=LocalDate(f"{id_}-28T00:00:00"),
                assets=line(None, "1"),
                liabilities=line(None, "0"),
                net_assets=Decimal(1),
                equity=line(None, "1"),
            ),
        )
        for id_ in ("2025-11", "2025-12", "2026-01", "2026-02")
    ]

    made = balance_sheet(held, Asked(length=2, count=3))

    assert [one.date for one in made.reports] == ["2026-02-28T00:00:00", "2025-12-28T00:00:00"]
    assert (made.most_recent_available_month, made.earliest_available_month) == ("2026-02-01T00:00:00", JUNE_2023)


def test_cash_is_added_up() -> None:
    held = [
        CashFlowMonth(
            id=id_,
            currency="GBP",
            report_basis=ReportBasis.CASH,
            report_input=ReportInput.DIRECT,
            report=CashFlowReport(
                from_date=LocalDate(f"{id_}-01T00:00:00"),
                to_date=LocalDate(f"{id_}-28T00:00:00"),
                cash_receipts=line(None, "10.10", "Cash receipts"),
                cash_payments=line(None, "0.05", "Cash payments"),
            ),
        )
        for id_ in ("2026-01", "2026-02")
    ]

    made = cash_flow(held, Asked(length=2, count=1))

    [report] = made.reports
    assert (report.from_date, report.to_date) == ("2026-01-01T00:00:00", "2026-02-28T00:00:00")
    assert (report.cash_receipts.value, report.cash_payments.value) == (Decimal("20.2"), Decimal("0.1"))
    assert made.earliest_available_month == "2026-01-01T00:00:00"


def test_without_a_month_there_is_no_report() -> None:
    made = profit_and_loss([], Asked(length=1, count=1))

    assert (made.currency, made.report_basis, made.reports) == ("XXX", ReportBasis.UNKNOWN, ())


def test_codes_stand_in_the_order_of_their_numbers() -> None:
    assert sorted(["750-10", "681", "750-2", "001", "905-1", "x"], key=by_code) == [
        "001", "681", "750-2", "750-10", "905-1", "x",
    ]  # fmt: skip
