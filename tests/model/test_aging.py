"""What is owed, by age: on the day asked for, per currency, and to the penny."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal, localcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comptoir.model.aging import Periods, aged_creditors, aged_debtors
from comptoir.model.money import WIDE
from comptoir.model.purchases import Bill, BillCreditNote, BillStatus, SupplierRef
from comptoir.model.records import LocalDate
from comptoir.model.reports import AgedAmount
from comptoir.model.sales import (
    AllocatedPayment,
    Allocation,
    CreditNote,
    CustomerRef,
    DocumentStatus,
    Invoice,
    PaymentAllocation,
)

ON = date(2026, 3, 31)
PERIODS = Periods(on=ON, count=4, days=30)
TOFT = CustomerRef(id="7", company_name="Toft Bakery")


def _day(day: date) -> LocalDate:
    return LocalDate(f"{day.isoformat()}T00:00:00")


def paid(amount: str, on: date) -> PaymentAllocation:
    return PaymentAllocation(
        payment=AllocatedPayment(id="1"),
        allocation=Allocation(allocated_on_date=_day(on), total_amount=Decimal(amount)),
    )


def an_invoice(due: date = ON, amount_due: str = "120", **members: Any) -> Invoice:
    given: dict[str, Any] = {
        "id": "1",
        "customer_ref": TOFT,
        "issue_date": _day(date(2025, 1, 1)),
        "due_date": _day(due),
        "currency": "GBP",
        "total_tax_amount": Decimal(20),
        "total_amount": Decimal(120),
        "amount_due": Decimal(amount_due),
        "status": DocumentStatus.SUBMITTED,
    }
    return Invoice(**(given | members))


def a_credit(issued: date = ON, remaining: str = "50", **members: Any) -> CreditNote:
    given: dict[str, Any] = {
        "id": "2",
        "customer_ref": TOFT,
        "issue_date": _day(issued),
        "currency": "GBP",
        "total_amount": Decimal(50),
        "total_discount": Decimal(0),
        "sub_total": Decimal(50),
        "total_tax_amount": Decimal(0),
        "discount_percentage": Decimal(0),
        "remaining_credit": Decimal(remaining),
        "status": DocumentStatus.SUBMITTED,
    }
    return CreditNote(**(given | members))


def amounts(
    invoices: Iterable[Invoice], notes: Iterable[CreditNote] = (), periods: Periods = PERIODS
) -> tuple[AgedAmount, ...]:
    """Those of the one customer and currency there is."""
    [debtor] = aged_debtors(invoices, notes, periods)
    [currency] = debtor.aged_currency_outstanding
    return currency.aged_outstanding_amounts


@pytest.mark.parametrize(("due", "first", "last"), [
    (date(2026, 4, 1), "2026-04-01T00:00:00", None),
    (date(2026, 3, 31), "2026-03-02T00:00:00", "2026-03-31T00:00:00"),
    (date(2026, 3, 2), "2026-03-02T00:00:00", "2026-03-31T00:00:00"),
    (date(2026, 3, 1), "2026-01-31T00:00:00", "2026-03-01T00:00:00"),
    (date(2025, 12, 2), "2025-12-02T00:00:00", "2025-12-31T00:00:00"),
    (date(2025, 12, 1), None, "2025-12-01T00:00:00"),
])  # fmt: skip
def test_an_invoice_stands_in_the_period_of_its_due_date(due: date, first: str | None, last: str | None) -> None:
    [found] = [one for one in amounts([an_invoice(due)]) if one.amount]

    assert (found.from_date, found.to_date, found.amount) == (first, last, Decimal(120))


def test_every_period_asked_for_is_there_and_days_are_neither_lost_nor_doubled() -> None:
    found = amounts([an_invoice()])

    assert len(found) == 4
    days = [date.fromisoformat(str(day)[:10]) for one in reversed(found) for day in (one.from_date, one.to_date)]
    assert days[0] == ON - timedelta(days=4 * 30 - 1)
    assert days[-1] == ON
    assert all(later - earlier == timedelta(days=1) for earlier, later in zip(days[1::2], days[2::2], strict=False))


def test_a_credit_note_is_taken_off_by_its_own_date_and_told_apart() -> None:
    found = amounts([an_invoice()], [a_credit()])

    assert found[0].amount == Decimal(70)
    assert [(one.name, one.amount) for one in found[0].details] == [
        ("Invoices", Decimal(120)),
        ("CreditNotes", Decimal(-50)),
    ]


def test_on_a_past_day_what_was_settled_since_was_still_open() -> None:
    settled = an_invoice(
        amount_due="0",
        status=DocumentStatus.PAID,
        payment_allocations=(paid("100", ON), paid("20", ON + timedelta(days=1))),
    )

    assert amounts([settled])[0].amount == Decimal(20)
    assert aged_debtors([settled], [], Periods(on=ON + timedelta(days=1), count=4, days=30)) == []


def test_drafts_and_what_was_issued_later_are_left_out() -> None:
    later = an_invoice(issue_date=_day(ON + timedelta(days=1)))
    draft = an_invoice(status=DocumentStatus.DRAFT)

    assert aged_debtors([later, draft], [a_credit(ON + timedelta(days=1))], PERIODS) == []


def test_currencies_and_customers_stand_apart_by_name() -> None:
    wren = CustomerRef(id="3", company_name="Wren Ltd")

    found = aged_debtors(
        [an_invoice(customer_ref=wren), an_invoice(currency="USD"), an_invoice(), an_invoice(customer_ref=None)],
        [],
        PERIODS,
    )

    assert [(one.customer_id, one.customer_name) for one in found] == [
        (None, None),
        ("7", "Toft Bakery"),
        ("3", "Wren Ltd"),
    ]
    assert [one.currency for one in found[1].aged_currency_outstanding] == ["GBP", "USD"]


def test_creditors_are_aged_likewise() -> None:
    supplier = SupplierRef(id="9", supplier_name="Mill")
    bill = Bill(
        id="1", supplier_ref=supplier, issue_date=_day(ON), due_date=_day(ON), currency="GBP", status=BillStatus.OPEN,
        sub_total=Decimal(10), tax_amount=Decimal(2), total_amount=Decimal(12), amount_due=Decimal(12),
    )  # fmt: skip
    note = BillCreditNote(
        id="2", supplier_ref=supplier, issue_date=_day(ON), currency="GBP", total_amount=Decimal(5),
        total_discount=Decimal(0), sub_total=Decimal(5), total_tax_amount=Decimal(0), discount_percentage=Decimal(0),
        remaining_credit=Decimal(5), status=DocumentStatus.SUBMITTED,
    )  # fmt: skip

    [found] = aged_creditors([bill], [note], PERIODS)

    [gbp] = found.aged_currency_outstanding
    assert (found.supplier_id, found.supplier_name) == ("9", "Mill")
    assert gbp.aged_outstanding_amounts[0].amount == Decimal(7)
    assert [one.name for one in gbp.aged_outstanding_amounts[0].details] == ["Bills", "BillCreditNotes"]


@given(
    st.lists(st.tuples(st.integers(-400, 400), st.decimals("0.01", "1e40", places=2)), max_size=20),
    st.integers(1, 12),
    st.integers(1, 90),
)
def test_no_amount_is_lost_whatever_the_periods(debts: list[tuple[int, Decimal]], count: int, days: int) -> None:
    invoices = [an_invoice(ON + timedelta(days=day), str(amount)) for day, amount in debts]

    found = aged_debtors(invoices, [], Periods(on=ON, count=count, days=days))

    cells = [cell for one in found for held in one.aged_currency_outstanding for cell in held.aged_outstanding_amounts]
    with localcontext(WIDE):
        assert sum(cell.amount for cell in cells) == sum(amount for _, amount in debts)
