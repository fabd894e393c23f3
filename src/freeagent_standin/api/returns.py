"""Returns to the tax office and Companies House, each derived from postings and periods.

https://dev.freeagent.com/docs/vat_returns, /docs/corporation_tax_returns, /docs/self_assessment_returns,
/docs/final_accounts_reports. Addressed by the day a period ends.
Inferred: a company of another country has none of them (404); one not registered for VAT an empty list of VAT returns,
one that is not limited no corporation tax and no final accounts (404); income tax is a fifth of the user's share of the
profit above 12,570, a company's people draw dividends instead; a running period is listed too, and cannot be filed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec

from freeagent_standin.api import writes
from freeagent_standin.api.answers import document, forbidden, not_found, unprocessable
from freeagent_standin.api.desk import Body, Desk, day_text, money
from freeagent_standin.api.lists import Page, page_bounds, paging_headers
from freeagent_standin.wire import Answer
from freeagent_standin.world import filings
from freeagent_standin.world.amounts import times
from freeagent_standin.world.entities import User
from freeagent_standin.world.filings import Period, months_after
from freeagent_standin.world.profiles import accounting_periods
from freeagent_standin.world.rates import CORPORATION_TAX, INCOME_TAX, day_start

_ALLOWANCE = 1_257_000


class Return(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of return: how it is addressed, which periods there are, and how one is written."""

    plural: str
    singular: str
    is_there: Callable[[Desk], bool]
    periods: Callable[[Desk], list[Period]]
    body: Callable[[Desk, Period, User | None], Body]
    payments: Callable[[Desk, Period, User | None], list[Body]]


def _filing_status(desk: Desk, resource: str, period: Period, due: date, user: User | None) -> Body:
    """Filed when it was due before the books were made, unless something else was said since."""
    said = desk.world.marks.get((resource, 0 if user is None else user.id, period[1], None))
    if said is not None:
        return {"filing_status": "marked_as_filed" if said else "unfiled"}
    if due < desk.world.made_on:
        return {"filing_status": "filed"} | _filed(desk, due)
    return {"filing_status": "unfiled" if period[1] < desk.today else "draft"}


def _filed(desk: Desk, due: date) -> Body:
    moment = datetime.fromtimestamp(day_start(due - timedelta(days=9)) + 37_800, UTC)
    reference = f"{desk.world.id}{due:%y%m%d}".zfill(11)
    return {"filed_at": moment.strftime("%Y-%m-%dT%H:%M:%S.000+00:00"), "filed_reference": reference}


def _payment(desk: Desk, resource: str, period: Period, user: User | None, label: str, due: date, amount: int) -> Body:
    body: Body = {"label": label, "due_on": day_text(due), "amount_due": money(amount)}
    if amount > 0:
        body["status"] = _paid(desk, resource, period, user, due)
    return body


def _paid(desk: Desk, resource: str, period: Period, user: User | None, due: date) -> str:
    key = (resource, 0 if user is None else user.id, period[1], due)
    return "marked_as_paid" if desk.world.marks.get(key, due < desk.world.made_on) else "unpaid"


def _bounds(desk: Desk, address: str, period: Period) -> Body:
    return {
        "url": desk.url(address, day_text(period[1])),
        "period_ends_on": day_text(period[1]),
        "period_starts_on": day_text(period[0]),
    }


# VAT


def vat_payments(desk: Desk, period: Period, user: User | None) -> list[Body]:
    charged, reclaimed, _, _ = filings.vat_figures(desk.world, period)
    owed, due = charged - reclaimed, filings.vat_due_on(period[1])
    return [_payment(desk, "vat_returns", period, None, "Payment Due" if owed >= 0 else "Refund Due", due, owed)]


def _vat_return(desk: Desk, period: Period, user: User | None) -> Body:
    due = filings.vat_due_on(period[1])
    filed = filings.filing(desk.world, period[1])
    status: Body = {"filing_status": "unfiled"}
    if filed is not None:
        status = (
            {"filing_status": "marked_as_filed"} if filed.is_marked else {"filing_status": "filed"} | _filed(desk, due)
        )
    return {
        **_bounds(desk, "vat_returns", period),
        "payments": vat_payments(desk, period, None),
        "filing_due_on": day_text(due),
        **status,
        "breakdown": {"title": f"VAT Return {period[1]:%m %y}", "rows": _boxes(desk, period)},
    }


def _boxes(desk: Desk, period: Period) -> list[Body]:
    """The nine boxes; the last four in whole pounds."""
    charged, reclaimed, sales, purchases = filings.vat_figures(desk.world, period)
    rows = (
        ("vat_due_sales", "VAT due in this period on sales and other outputs", money(charged)),
        ("vat_due_acquisitions", "VAT due in this period on acquisitions from the EC", "0.0"),
        ("total_vat_due", "Total VAT due", money(charged)),
        ("vat_reclaimed", "VAT reclaimed in this period on purchases and other inputs", money(reclaimed)),
        ("net_vat_due", "Net VAT to be paid or reclaimed", money(abs(charged - reclaimed))),
        ("total_sales", "Total value of sales and all other outputs excluding any VAT", _pounds(sales)),
        ("total_purchases", "Total value of purchases and all other inputs excluding any VAT", _pounds(purchases)),
        ("total_supplies", "Total value of all supplies of goods to the EC", 0),
        ("total_acquisitions", "Total value of all acquisitions of goods from the EC", 0),
    )
    return [
        {"title": title, "value": value, "key": key, "box_number": number}
        for number, (key, title, value) in enumerate(rows, start=1)
    ]


def _pounds(amount: int) -> int:
    return int(amount / 100)


# Corporation tax and final accounts


def _years(desk: Desk) -> list[Period]:
    return accounting_periods(desk.world.company, desk.today)


def corporation_tax_due(desk: Desk, period: Period) -> int:
    """As provided for, or as the year has it so far; whole pounds."""
    known = filings.provision(desk.world, period[1])
    if known is not None and known.is_final:
        return known.amount
    so_far = max(0, filings.profit(desk.world, period[0], min(period[1], desk.today)))
    return times(so_far, CORPORATION_TAX) // 100 * 100


def _corporation_tax_return(desk: Desk, period: Period, user: User | None) -> Body:
    due, amount = filings.tax_due_on(period[1]), corporation_tax_due(desk, period)
    resource = "corporation_tax_returns"
    filing_due = months_after(period[1], 12)
    body = _bounds(desk, resource, period) | {"amount_due": money(amount), "payment_due_on": day_text(due)}
    if amount > 0:
        body["payment_status"] = _paid(desk, resource, period, None, due)
    return {
        **body,
        "filing_due_on": day_text(filing_due),
        **_filing_status(desk, resource, period, filing_due, None),
    }


def _final_accounts(desk: Desk, period: Period, user: User | None) -> Body:
    due = months_after(period[1], 9)
    return {
        **_bounds(desk, "final_accounts_reports", period),
        "filing_due_on": day_text(due),
        **_filing_status(desk, "final_accounts_reports", period, due, None),
    }


# Self assessment


def tax_years(desk: Desk) -> list[Period]:
    start = desk.world.company.freeagent_start
    year = start.year - (start < date(start.year, 4, 6))
    years = []
    while date(year, 4, 6) <= desk.today:
        years.append((date(year, 4, 6), date(year + 1, 4, 5)))
        year += 1
    return years


def _self_assessment(desk: Desk, period: Period, user: User | None) -> Body:
    if user is None:
        raise not_found()
    address = f"users/{user.id}/self_assessment_returns"
    due = date(period[1].year + 1, 1, 31)
    status = _filing_status(desk, "self_assessment_returns", period, due, user)
    if status["filing_status"] == "draft":
        status = {"filing_status": "unfiled"}
    return {
        **_bounds(desk, address, period),
        "payments": personal_payments(desk, period, user),
        "filing_due_on": day_text(due),
        **status,
    }


def personal_payments(desk: Desk, period: Period, user: User | None) -> list[Body]:
    due = date(period[1].year + 1, 1, 31)
    owed = 0
    if not desk.world.company.is_limited:
        heads = [each for each in desk.world.people if each.role in ("Owner", "Partner")]
        share = filings.profit(desk.world, *period) // max(1, len(heads))
        owed = times(max(0, share - _ALLOWANCE), INCOME_TAX)
    return [_payment(desk, "self_assessment_returns", period, user, "Balancing Payment", due, owed)]


def _none(desk: Desk, period: Period, user: User | None) -> list[Body]:
    return []


RETURNS = (
    Return(
        plural="vat_returns",
        singular="vat_return",
        is_there=lambda desk: desk.world.company.is_british,
        periods=lambda desk: filings.vat_periods(desk.world, desk.today),
        body=_vat_return,
        payments=vat_payments,
    ),
    Return(
        plural="corporation_tax_returns",
        singular="corporation_tax_return",
        is_there=lambda desk: desk.world.company.is_limited,
        periods=_years,
        body=_corporation_tax_return,
        payments=_none,
    ),
    Return(
        plural="final_accounts_reports",
        singular="final_accounts_report",
        is_there=lambda desk: desk.world.company.is_limited,
        periods=_years,
        body=_final_accounts,
        payments=_none,
    ),
    Return(
        plural="self_assessment_returns",
        singular="self_assessment_return",
        is_there=lambda desk: desk.world.company.is_british,
        periods=tax_years,
        body=_self_assessment,
        payments=personal_payments,
    ),
)
_BY_NAME = {each.plural: each for each in RETURNS}
_FILED = ("mark_as_filed", "mark_as_unfiled")
_PAID = ("mark_as_paid", "mark_as_unpaid")


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """What a path under one of the returns names."""

    kind: Return
    user: User | None = None
    end: str = ""
    payment: str = ""
    mark: str = ""


def address(desk: Desk, parts: list[str]) -> Address | None:
    """What a path names, or None when it leads elsewhere."""
    user: User | None = None
    rest = parts
    if parts[0] == "users" and len(parts) > 2 and parts[2] == "self_assessment_returns":
        user = desk.world.people.get(int(parts[1])) if parts[1].isascii() and parts[1].isdigit() else None
        if user is None:
            raise not_found()
        rest = parts[2:]
    elif parts[0] == "self_assessment_returns" or parts[0] not in _BY_NAME:
        return None
    kind = _BY_NAME[rest[0]]
    if not kind.is_there(desk):
        raise not_found()
    match rest[1:]:
        case []:
            return Address(kind=kind, user=user)
        case [end]:
            return Address(kind=kind, user=user, end=end)
        case [end, what] if what in _FILED and desk.call.method == "PUT":
            return Address(kind=kind, user=user, end=end, mark=what)
        case [end, what] if what in _PAID and desk.call.method == "PUT" and kind.singular == "corporation_tax_return":
            return Address(kind=kind, user=user, end=end, mark=what)
        case [end, "payments", day, what] if what in _PAID and desk.call.method == "PUT":
            return Address(kind=kind, user=user, end=end, payment=day, mark=what)
    raise not_found()


def answered(desk: Desk, where: Address, query: Mapping[str, str]) -> Answer:
    """The list of a kind, earliest first, one return, or the one that was marked."""
    if where.mark:
        writes.marked(desk, _marking(desk, where))
    elif desk.call.method != "GET":
        raise not_found()
    if where.end:
        return document(desk.call, {where.kind.singular: where.kind.body(desk, _period(desk, where), where.user)})
    periods = where.kind.periods(desk)
    number, per_page = page_bounds(query)
    first = (number - 1) * per_page
    page = Page(records=periods[first : first + per_page], number=number, per_page=per_page, total=len(periods))
    rows = [where.kind.body(desk, period, where.user) for period in page.records]
    return document(desk.call, {where.kind.plural: rows}, headers=paging_headers(desk.call, page))


def _period(desk: Desk, where: Address) -> Period:
    found = next((each for each in where.kind.periods(desk) if day_text(each[1]) == where.end), None)
    if found is None:
        raise not_found()
    return found


def _marking(desk: Desk, where: Address) -> dict[str, Any]:
    """The change that a mark asks of the books; refused where there is nothing to mark."""
    period = _period(desk, where)
    due: str | None = None
    if where.mark in _FILED:
        if desk.call.level < 8:
            raise forbidden("You do not have permission to access this resource")
        if period[1] >= desk.today:
            raise unprocessable("A return cannot be filed before its period has ended")
    elif where.payment:
        days = [each["due_on"] for each in where.kind.payments(desk, period, where.user) if "status" in each]
        if where.payment not in days:
            raise not_found()
        due = where.payment
    else:
        due = day_text(filings.tax_due_on(period[1]))
    return {
        "do": "return",
        "resource": where.kind.plural,
        "user": 0 if where.user is None else where.user.id,
        "period_ends_on": where.end,
        "mark": where.mark,
        "payment": due,
    }
