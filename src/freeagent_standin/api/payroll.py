"""Payroll and its profiles as FreeAgent sends them (https://dev.freeagent.com/docs/payroll, /docs/payroll_profiles).

Inferred: periods are filed, and every profile is that of somebody who was paid in the year.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from freeagent_standin.api.answers import document, not_found
from freeagent_standin.api.desk import Body, Desk, day_text, instant, money
from freeagent_standin.api.lists import identifier
from freeagent_standin.wire import Answer
from freeagent_standin.world.payroll import PayPeriod, Payslip, periods, runs_payroll

_MARKS = {"mark_as_paid": True, "mark_as_unpaid": False}
_NOTHING = (
    *(
        "employee_ni",
        "employer_ni",
        "other_deductions",
        "student_loan_deduction",
        "postgrad_loan_deduction",
        "overtime",
    ),
    *("commission", "bonus", "allowance", "statutory_sick_pay", "statutory_maternity_pay", "statutory_paternity_pay"),
    *("statutory_adoption_pay", "absence_payments", "other_payments", "employee_pension", "employer_pension"),
    *("attachments", "payroll_giving"),
)


def answered(desk: Desk, parts: list[str], query: Mapping[str, str]) -> Answer:
    """A tax year, a period, a payment marked, or profiles; 404 for a company without payroll."""
    year = parts[1] if len(parts) > 1 else ""
    if not runs_payroll(desk.world) or not (year.isascii() and year.isdigit() and len(year) == 4):
        raise not_found()
    desk.require(7)
    if parts[0] == "payroll_profiles" and len(parts) == 2 and desk.call.method == "GET":
        return document(desk.call, {"profiles": _profiles(desk, int(year), query)})
    if parts[0] == "payroll" and desk.call.method == "GET" and len(parts) == 3:
        return document(desk.call, {"period": _period(desk, _numbered(desk, int(year), parts[2]), is_single=True)})
    if parts[0] == "payroll" and len(parts) == 5 and parts[2] == "payments" and parts[4] in _MARKS:
        _mark(desk, int(year), parts[3], is_paid=_MARKS[parts[4]])
    elif parts[0] != "payroll" or len(parts) != 2 or desk.call.method != "GET":
        raise not_found()
    found = periods(desk.world, int(year))
    rows = [_period(desk, each, is_single=False) for each in found]
    return document(desk.call, {"periods": rows, "payments": [_payment(desk, each) for each in found]})


def _numbered(desk: Desk, year: int, key: str) -> PayPeriod:
    found = next((each for each in periods(desk.world, year) if str(each.number) == key), None)
    if found is None:
        raise not_found()
    return found


def _mark(desk: Desk, year: int, key: str, *, is_paid: bool) -> None:
    """PUT, for all that the page says of GET."""
    due = next((each.due_on for each in periods(desk.world, year) if day_text(each.due_on) == key), None)
    if due is None or desk.call.method != "PUT":
        raise not_found()
    desk.change({"do": "payroll_payment", "due_on": key, "paid": is_paid})


def _period(desk: Desk, record: PayPeriod, *, is_single: bool) -> Body:
    body: Body = {
        "url": desk.url(f"payroll/{record.year}", record.number),
        "period": record.number,
        "frequency": "Monthly",
        "dated_on": day_text(record.dated_on),
        "status": "filed",
        "employment_allowance_claimed": False,
        "employment_allowance_amount": "0.0",
        "construction_industry_scheme_deduction": "0.0",
        "created_at": instant(record.source.created_at),
        "updated_at": instant(record.source.updated_at),
    }
    if is_single:
        body["payslips"] = [_payslip(desk, record, each) for each in record.payslips]
    return body


def _payslip(desk: Desk, period: PayPeriod, record: Payslip) -> Body:
    return {
        "user": desk.url("users", record.user.id),
        "tax_code": "1257L",
        "dated_on": day_text(period.dated_on),
        "basic_pay": money(record.pay),
        "tax_deducted": money(record.tax),
        **dict.fromkeys(_NOTHING, "0.0"),
        "ni_calc_type": "Director" if record.user.role == "Director" else "Employee",
        "frequency": "Monthly",
        "ni_letter": "A",
        "deduct_student_loan": False,
        "deduct_postgrad_loan": False,
        "week_1_month_1_basis": False,
        "deduction_free_pay": "0.0",
        "hours_worked": "0.0",
        "created_at": instant(period.source.created_at),
        "updated_at": instant(period.source.updated_at),
    }


def _payment(desk: Desk, record: PayPeriod) -> Body:
    is_paid = record.due_on in desk.world.held.paid_payroll
    return {
        "due_on": day_text(record.due_on),
        "amount_due": money(record.tax),
        "status": "marked_as_paid" if is_paid else "unpaid",
    }


def _profiles(desk: Desk, year: int, query: Mapping[str, str]) -> list[Body]:
    wanted = identifier(query["user"]) if query.get("user") else None
    paid = {slip.user.id: slip.user for period in periods(desk.world, year) for slip in period.payslips}
    address = desk.world.company.address
    first: date = desk.world.company.freeagent_start
    return [
        {
            "user": desk.url("users", each.id),
            "address_line_1": address[0],
            "postcode": address[5],
            "country": address[6],
            "title": "Mx",
            "gender": "F",
            "date_of_birth": "1984-02-29",
            "total_pay_in_previous_employment": "0.0",
            "total_tax_in_previous_employment": "0.0",
            "employment_starts_on": day_text(first),
            "created_at": instant(each.created_at),
            "updated_at": instant(each.updated_at),
        }
        for each in paid.values()
        if wanted is None or each.id == wanted
    ]
