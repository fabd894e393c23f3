"""Payroll as the ledger knows it: each tagged salary journal is one month's payslips, and tax owed for it.

https://dev.freeagent.com/docs/payroll, /docs/payroll_profiles. A tax year is named by the year it ends in, and its
months begin on the sixth. Inferred: tax is due on the 22nd after the month; payslips hold pay and tax alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import msgspec

from freeagent_standin.world import chart
from freeagent_standin.world.books import World
from freeagent_standin.world.entities import JournalSet, User

PAYROLL_TAG = "PAYROLL-RUN"
_FIRST_MONTH, _FIRST_DAY, _DUE_DAY = 4, 6, 22
_PAY_CODES = ("401", "407")
_NET_CODE = "902"


class Payslip(msgspec.Struct, frozen=True, kw_only=True):
    """What one person was paid, and how much of it was kept back as tax."""

    user: User
    pay: int
    tax: int


class PayPeriod(msgspec.Struct, frozen=True, kw_only=True):
    """One month of a tax year."""

    year: int
    number: int
    """0 to 11."""
    source: JournalSet
    dated_on: date
    payslips: tuple[Payslip, ...]
    due_on: date

    @property
    def tax(self) -> int:
        """What is owed for the month."""
        return sum(each.tax for each in self.payslips)


def runs_payroll(world: World) -> bool:
    """Whether a company has payroll at all."""
    return world.company.is_british and any(each.tag == PAYROLL_TAG for each in world.journal_sets)


def periods(world: World, year: int) -> list[PayPeriod]:
    """The months of a tax year that were paid, first to last."""
    found = (period for period in _all(world) if period.year == year)
    return sorted(found, key=lambda period: (period.number, period.source.id))


def due(world: World, day: date) -> list[PayPeriod]:
    """The months whose tax is to be paid on a day."""
    return [period for period in _all(world) if period.due_on == day]


def _all(world: World) -> Iterator[PayPeriod]:
    for source in world.journal_sets:
        if source.tag == PAYROLL_TAG and source.dated_on is not None:
            day = source.dated_on
            passed = day.year * 12 + day.month - (day.day < _FIRST_DAY) - _FIRST_MONTH
            due = passed + _FIRST_MONTH + 1
            yield PayPeriod(
                year=passed // 12 + 1,
                number=passed % 12,
                source=source,
                dated_on=day,
                payslips=_payslips(world, source),
                due_on=date((due - 1) // 12, (due - 1) % 12 + 1, _DUE_DAY),
            )


def _payslips(world: World, source: JournalSet) -> tuple[Payslip, ...]:
    amounts = {entry.code: entry.amount for entry in source.entries}
    pay = sum(amounts.get(code, 0) for code in _PAY_CODES)
    tax = -amounts.get(chart.PAYE, 0)
    users = [each for each in world.people if f"{_NET_CODE}-{each.number}" in amounts]
    return tuple(Payslip(user=each, pay=pay, tax=tax) for each in users[:1])
