"""What FreeAgent's own reports say of the months kept, read from the raw reports and not through the mapping."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import TypeVar

import msgspec

from comptoir.integrations.contract import ReadRaw
from comptoir.integrations.freeagent.references import bank_account_id, day
from comptoir.model.identities import Cash, Profit, Reported, Sheet, Standing
from comptoir.model.money import ZERO, plain

__all__ = ["Total", "balances_in", "reported"]

_T = TypeVar("_T")
_RETAINED = "968"
_SALES_TAX = ("817", "818", "819")


class _Account(msgspec.Struct):
    nominal_code: str
    total_debit_value: Decimal


class _Section(msgspec.Struct):
    accounts: tuple[_Account, ...] | None = None
    retained_profit: Decimal | None = None


class _Sheet(msgspec.Struct):
    total_assets: Decimal
    total_owners_equity: Decimal
    as_at_date: str | None = None
    capital_assets: _Section | None = None
    current_assets: _Section | None = None
    current_liabilities: _Section | None = None
    owners_equity: _Section | None = None


class _SheetAnswer(msgspec.Struct):
    balance_sheet: _Sheet


class _Less(msgspec.Struct):
    title: str
    total: Decimal


class _Summary(msgspec.Struct, rename={"since": "from", "until": "to"}):
    since: str
    until: str
    income: Decimal
    expenses: Decimal
    operating_profit: Decimal
    retained_profit: Decimal
    less: tuple[_Less, ...] | None = None


class _ProfitAnswer(msgspec.Struct):
    profit_and_loss_summary: _Summary


class _Cashflow(msgspec.Struct, rename={"since": "from", "until": "to"}):
    since: str
    until: str
    balance: Decimal


class _CashAnswer(msgspec.Struct):
    cashflow: _Cashflow


class Total(msgspec.Struct):
    """A line of a trial balance; debits positive."""

    display_nominal_code: str
    total: Decimal
    bank_account: str | None = None


class Balances(msgspec.Struct):
    """A trial balance as it was answered."""

    trial_balance_summary: tuple[Total, ...]


class _Category(msgspec.Struct):
    nominal_code: str
    bank_account: str | None = None


class _Return(msgspec.Struct):
    period_starts_on: str
    period_ends_on: str


_sheet = msgspec.json.Decoder(_SheetAnswer, strict=False).decode
_profit = msgspec.json.Decoder(_ProfitAnswer, strict=False).decode
_cash = msgspec.json.Decoder(_CashAnswer, strict=False).decode
balances_in = msgspec.json.Decoder(Balances, strict=False).decode
_category = msgspec.json.Decoder(_Category, strict=False).decode
_return = msgspec.json.Decoder(_Return, strict=False).decode


def reported(read: ReadRaw, began: date | None) -> Reported:
    """`began`: the first day of the books."""
    banks = dict(_banks_of_categories(read))
    banks.update((code, id_) for _, one in _dated(read) for code, id_ in _bank_codes(one))
    return Reported(
        sheets=_all(read, "balance_sheet", lambda id_, body: _sheet_of(id_, body, banks)),
        profits=_all(read, "profit_and_loss", lambda _, body: _profit_of(body, began)),
        cash=next(iter(_all(read, "cashflow", lambda _, body: _cash_of(body)) or ()), None),
        standings=_all(read, "dated_balances", lambda id_, body: _standing_of(id_, balances_in(body))),
        tax_periods=_all(read, "vat_returns", lambda _, body: _period_of(body)),
    )


def _all(read: ReadRaw, resource: str, tell: Callable[[str, bytes], _T]) -> tuple[_T, ...] | None:
    """What each report tells, but those that cannot be read, of which mapping says so; None if not all were read."""
    if not read.is_complete(resource):
        return None
    return tuple(told for row in read.rows(resource) if (told := _readable(tell, row.id, row.body)) is not None)


def _readable(tell: Callable[[str, bytes], _T], id_: str, body: bytes) -> _T | None:
    try:
        return tell(id_, body)
    except (msgspec.MsgspecError, ValueError, ArithmeticError, RecursionError):
        return None


def _on(text: str) -> date:
    if (found := day(text)) is None:
        raise ValueError(f"{text[:20]!r} is no day")
    return found


def _dated(read: ReadRaw) -> Iterator[tuple[str, Balances]]:
    if read.is_complete("dated_balances"):
        for row in read.rows("dated_balances"):
            if (told := _readable(lambda _, body: balances_in(body), row.id, row.body)) is not None:
                yield row.id, told


def _bank_codes(told: Balances) -> Iterator[tuple[str, str]]:
    """A balance sheet names bank accounts by code alone."""
    for line in told.trial_balance_summary:
        if line.bank_account:
            yield line.display_nominal_code, bank_account_id(line.bank_account)


def _banks_of_categories(read: ReadRaw) -> Iterator[tuple[str, str]]:
    if read.is_complete("categories"):
        for row in read.rows("categories"):
            told = _readable(lambda _, body: _category(body), row.id, row.body)
            if told is not None and told.bank_account:
                yield told.nominal_code, bank_account_id(told.bank_account)


def _sheet_of(id_: str, body: bytes, banks: dict[str, str]) -> Sheet:
    told = _sheet(body).balance_sheet
    accounts: dict[str, Decimal] = {}
    for section in (told.capital_assets, told.current_assets, told.current_liabilities, told.owners_equity):
        for one in (section and section.accounts) or ():
            account = banks.get(one.nominal_code, one.nominal_code)
            accounts[account] = accounts.get(account, ZERO) + plain(one.total_debit_value)
    earlier = accounts.pop(_RETAINED, None)
    retained = told.owners_equity.retained_profit if told.owners_equity is not None else None
    return Sheet(
        on=_on(told.as_at_date or id_),
        accounts=accounts,
        retained_account=_RETAINED,
        retained=None if retained is None else plain(retained + (earlier or ZERO)),
        parts=1 if earlier is None else 2,
        net_assets=plain(told.total_assets),
        equity=plain(-told.total_owners_equity),
    )


def _profit_of(body: bytes, began: date | None) -> Profit:
    told = _profit(body).profit_and_loss_summary
    since, on = _on(told.since), _on(told.until)
    paid_out = sum((one.total for one in told.less or () if one.title.startswith("Dividends")), ZERO)
    begun = began if began is not None and began >= since else since if since.day == 1 else None
    return Profit(
        since=since,
        on=on,
        first_month=None if begun is None else f"{begun:%Y-%m}",
        income=plain(told.income),
        costs=plain(told.expenses),
        operating=plain(told.operating_profit),
        profit=plain(told.retained_profit + paid_out),
    )


def _cash_of(body: bytes) -> Cash:
    told = _cash(body).cashflow
    return Cash(_on(told.since), _on(told.until), plain(told.balance))


def _standing_of(id_: str, told: Balances) -> Standing:
    lines = told.trial_balance_summary
    bank = sum((line.total for line in lines if line.bank_account), ZERO)
    tax = sum((line.total for line in lines if line.display_nominal_code.partition("-")[0] in _SALES_TAX), ZERO)
    return Standing(_on(id_), plain(bank), plain(tax))


def _period_of(body: bytes) -> tuple[date, date]:
    told = _return(body)
    return _on(told.period_starts_on), _on(told.period_ends_on)
