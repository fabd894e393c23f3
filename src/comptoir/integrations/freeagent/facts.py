"""What FreeAgent itself says of its books, read from the raw records: the mapped books are held against it.

This is a second, independent reading: nothing here goes through the mapping. It is told in the order of ids, a row at
a time, so that books of any size fit.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from datetime import date
from decimal import Decimal
from typing import TypeVar

import msgspec

from comptoir.integrations.contract import RawRow, ReadRaw
from comptoir.integrations.freeagent.moving import Moving
from comptoir.integrations.freeagent.references import bank_account_id, day, number_in
from comptoir.integrations.freeagent.reported import Total, balances_in, reported
from comptoir.model.identities import BankFigures, Figures, LedgerFacts, Movement, Reported, SourceFacts
from comptoir.model.money import ZERO, minor_unit, plain, rounded

__all__ = ["facts"]

_S = TypeVar("_S")
_T = TypeVar("_T")
_Told = Iterator[tuple[str, Figures | None]]
_Moved = Iterator[tuple[str, Movement | None]]

_SAYS_DUE = ("Open", "Overdue", "Paid")
_UNCHARGED = ("Reverse Charge", "EC Goods", "EC Services")  # tax under these is told and not paid
_DEBTORS, _CREDITORS, _EXPENSES, _RETAINED, _SUSPENSE = "681", "796", "905-", "968", "999"
_FLAT_RATE_SURPLUS = "055"
_EXPLANATIONS = "bank_transaction_explanations"
_SALES_TAX = frozenset({"817", "818", "819"})
_ACCRUAL_ONLY = ("UkLimitedCompany",)
_CIS_LABOUR = ("096", "097", "098", "099")
_CIS_INCOME = {"061": Decimal(0), "062": Decimal("0.2"), "063": Decimal("0.3")}
_CIS = {*_CIS_LABOUR, *_CIS_INCOME}


class _Item(msgspec.Struct):
    category: str | None = None
    price: Decimal | None = None
    quantity: Decimal | None = None
    total_value_ex_tax: Decimal | None = None


class _Document(msgspec.Struct):
    total_value: Decimal
    status: str
    currency: str | None = None
    net_value: Decimal | None = None
    sales_tax_value: Decimal | None = None
    second_sales_tax_value: Decimal | None = None
    due_value: Decimal | None = None
    discount_percent: Decimal | None = None
    cis_deduction_rate: Decimal | None = None
    cis_deduction: Decimal | None = None
    cis_deduction_suffered: Decimal | None = None
    is_paid_by_hire_purchase: bool | None = None
    invoice_items: tuple[_Item, ...] | None = None
    credit_note_items: tuple[_Item, ...] | None = None
    bill_items: tuple[_Item, ...] | None = None


class _Explanation(msgspec.Struct):
    gross_value: Decimal
    sales_tax_value: Decimal | None = None
    second_sales_tax_value: Decimal | None = None
    manual_sales_tax_amount: Decimal | None = None
    ec_status: str | None = None
    paid_user: str | None = None
    bank_transaction: str | None = None
    marked_for_review: bool | None = None
    linked_transfer_explanation: str | None = None


class _BankAccount(msgspec.Struct):
    url: str
    opening_balance: Decimal | None = None
    current_balance: Decimal | None = None


class _BankLine(msgspec.Struct):
    bank_account: str
    unexplained_amount: Decimal | None = None


class _Period(msgspec.Struct):
    starts_on: str
    ends_on: str


class _Company(msgspec.Struct):
    type: str | None = None
    freeagent_start_date: str | None = None
    sales_tax_registration_status: str | None = None
    initially_on_frs: bool | None = None
    annual_accounting_periods: tuple[_Period, ...] | None = None


class _Contact(msgspec.Struct):
    account_balance: Decimal | None = None


_document = msgspec.json.Decoder(_Document, strict=False).decode
_explanation = msgspec.json.Decoder(_Explanation, strict=False).decode
_bank_account = msgspec.json.Decoder(_BankAccount, strict=False).decode
_bank_line = msgspec.json.Decoder(_BankLine, strict=False).decode
_total = msgspec.json.Decoder(Total, strict=False).decode
_company = msgspec.json.Decoder(_Company, strict=False).decode
_contact = msgspec.json.Decoder(_Contact, strict=False).decode


def facts(read: ReadRaw) -> SourceFacts:
    documents: dict[str, Callable[[], _Told]] = {}
    if read.is_complete("invoices"):
        documents["invoices"] = lambda: _documents(read, "invoices", _is_charge)
        if read.is_complete("credit_notes"):
            documents["creditNotes"] = lambda: _in_order(
                _documents(read, "credit_notes", lambda _: True),
                _documents(read, "invoices", _is_credit, prefix="inv-"),
            )
    if read.is_complete("bills"):
        documents["bills"] = lambda: _documents(read, "bills", _is_charge)
        documents["billCreditNotes"] = lambda: _documents(read, "bills", _is_credit)
    has_explanations, has_expenses = read.is_complete(_EXPLANATIONS), read.is_complete("expenses")
    foreign = ("cnr-", "wo-") if has_expenses else ("cnr-", "wo-", "exp-")
    return SourceFacts(
        documents=documents,
        movements=(lambda: _movements(read, has_expenses=has_expenses)) if has_explanations else None,
        is_movement=lambda id_: not id_.startswith(foreign),
        bank=_banks(read),
        is_moving=Moving(read),
        lists=lambda data_type, id_: _lists(read, data_type, id_),
        open_lines=(lambda: _open_lines(read)) if read.is_complete("bank_transactions") else None,
        ledger=_ledger(read),
        contacts=(lambda: _contacts(read)) if read.is_complete("contacts") else None,
        reported=_reported(read),
    )


def _read(
    decode: Callable[[bytes], _S], row: RawRow, tell: Callable[[_S], _T], unread: Set[str] = frozenset()
) -> _T | None:
    """What a record tells; None if mapping, or this, cannot read it: mapping has set it aside, and said so."""
    if row.id in unread:
        return None
    try:
        return tell(decode(row.body))
    except (msgspec.MsgspecError, ValueError, ArithmeticError, TypeError, RecursionError):
        return None


def _amount(number: Decimal | None) -> Decimal | None:
    """ValueError for what is no amount, such as NaN or infinity."""
    return None if number is None else plain(number)


def _size(number: Decimal | None) -> Decimal | None:
    return None if number is None else abs(plain(number))


def _in_order(*told: Iterator[tuple[str, _T]]) -> Iterator[tuple[str, _T]]:
    return heapq.merge(*told, key=lambda one: one[0])


# Documents


def _is_charge(document: _Document) -> bool:
    return plain(document.total_value) >= 0


def _is_credit(document: _Document) -> bool:
    return plain(document.total_value) < 0


def _documents(read: ReadRaw, resource: str, belongs: Callable[[_Document], bool], prefix: str = "") -> _Told:
    """Those that belong to a data type; one that cannot be read might be of any."""
    unread = read.unread(resource)
    withheld = _labour_cis if resource == "bills" else _income_cis

    def tell(document: _Document) -> tuple[bool, Figures | None]:
        is_of_it = belongs(document)
        return is_of_it, _figures(document, withheld) if is_of_it else None

    for row in read.rows(resource):
        told = _read(_document, row, tell, unread)
        if told is None:
            yield prefix + row.id, None
        elif told[0]:
            yield prefix + row.id, told[1]


def _figures(document: _Document, withheld: Callable[[_Document], Decimal | None]) -> Figures:
    tax, second = _size(document.sales_tax_value), _size(document.second_sales_tax_value)
    if tax is not None and second is not None:
        tax += second
    net = _size(document.net_value)
    if net is not None and tax is None:
        tax = ZERO  # left out where no sales tax is involved
    due = _amount(document.due_value) if document.total_value >= 0 else _size(document.due_value)
    if due is not None and document.status == "Paid":
        due = max(due, ZERO)  # what was paid beyond it is not owed to anybody by this document
    says_due, has_cis = document.status in _SAYS_DUE, bool(document.cis_deduction)
    return Figures(
        total=abs(plain(document.total_value)),
        net=net,
        tax=tax,
        due=due if says_due else None,
        withheld=withheld(document) if has_cis else None,
        withheld_on=sum(_code(one) in _CIS for one in _items(document)) if has_cis else 1,
        suffered=_size(document.cis_deduction_suffered) if says_due and has_cis else None,
        # A finance agreement pays, or the money went back: no payment of ours tells of it.
        is_settled_unseen=bool(document.is_paid_by_hire_purchase)
        or (document.status == "Refunded" and document.total_value >= 0),
    )


def _items(document: _Document) -> Sequence[_Item]:
    return document.invoice_items or document.credit_note_items or document.bill_items or ()


def _labour_cis(document: _Document) -> Decimal | None:
    """What the rate gives on lines of subcontractors' labour."""
    if document.cis_deduction_rate is None:
        return None
    rate = document.cis_deduction_rate
    if abs(rate) > 1:
        rate /= 100  # a percentage
    labour = [_size(one.total_value_ex_tax) for one in document.bill_items or () if _code(one) in _CIS_LABOUR]
    if not labour or None in labour:
        return None
    net = sum((one for one in labour if one is not None), ZERO)
    return rounded(net * rate, minor_unit(document.currency))


def _income_cis(document: _Document) -> Decimal | None:
    """What the bands give on lines of construction income."""
    keep = 1 - (document.discount_percent or ZERO) / 100
    parts = [
        (one.price or ZERO) * (one.quantity or ZERO) * keep * _CIS_INCOME[_code(one)]
        for one in _items(document)
        if _code(one) in _CIS_INCOME
    ]
    return rounded(abs(sum(parts, ZERO)), minor_unit(document.currency)) if parts else None


def _code(item: _Item) -> str:
    return number_in(item.category) or ""


# Money


def _movements(read: ReadRaw, *, has_expenses: bool) -> _Moved:
    """What each bank line is for, and what people paid out of pocket."""
    explained = _moved(read, _EXPLANATIONS, _explained)
    return _in_order(explained, _moved(read, "expenses", _movement, "exp-")) if has_expenses else explained


def _moved(read: ReadRaw, resource: str, tell: Callable[[_Explanation], Movement], prefix: str = "") -> _Moved:
    unread = read.unread(resource)
    for row in read.rows(resource):
        yield prefix + row.id, _read(_explanation, row, tell, unread)


def _explained(found: _Explanation) -> Movement:
    """Without tax where it says none; an expense without it may have one that was entered by hand."""
    return _movement(found, untold=ZERO)


def _movement(found: _Explanation, untold: Decimal | None = None) -> Movement:
    """`untold` is the tax where it says none."""
    tax, second = _amount(found.sales_tax_value), _amount(found.second_sales_tax_value)
    if found.manual_sales_tax_amount and not tax:
        tax = None  # told in the base currency alone
    if tax is not None and (found.ec_status in _UNCHARGED or found.paid_user):
        tax = ZERO
    elif tax is not None and second is not None:
        tax += second
    return Movement(
        plain(found.gross_value),
        untold if tax is None else tax,
        number_in(found.linked_transfer_explanation),
        number_in(found.bank_transaction) if found.marked_for_review else None,
    )


def _banks(read: ReadRaw) -> dict[str, BankFigures] | None:
    if not (read.is_complete("bank_accounts") and read.is_complete("bank_transactions")):
        return None
    told = (_read(_bank_account, row, _balances) for row in read.rows("bank_accounts"))
    return dict(one for one in told if one is not None)


def _balances(account: _BankAccount) -> tuple[str, BankFigures]:
    """ValueError where it does not say both."""
    opening, current = _amount(account.opening_balance), _amount(account.current_balance)
    if opening is None or current is None:
        raise ValueError(f"{account.url} does not say where it began and where it stands")
    return bank_account_id(account.url), BankFigures(opening, current)


def _open_lines(read: ReadRaw) -> Iterator[tuple[str, str, Decimal]]:
    for row in read.rows("bank_transactions"):
        told = _read(_bank_line, row, lambda line: (line.bank_account, _amount(line.unexplained_amount)))
        if told is not None and told[1] != 0:
            yield row.id, bank_account_id(told[0]), told[1] or ZERO


# The ledger


def _ledger(read: ReadRaw) -> LedgerFacts | None:
    begun_at = read.begun_at()
    if begun_at is None or not read.is_complete("trial_balance"):
        return None
    lines = [_read(_total, row, lambda line: line) for row in read.rows("trial_balance")]
    if (totals := _totals(lines)) is None:
        return None
    until = begun_at.date()
    company = _company_of(read)
    return LedgerFacts(
        totals=totals,
        until=until,
        opening=_opening(read),
        taxes=_SALES_TAX,
        retained=_RETAINED,
        suspense=_SUSPENSE,
        began=day(company.freeagent_start_date or ""),
        year_began=_year_began(company, until),
        debtors=_DEBTORS,
        creditors=_CREDITORS,
        users={code for code in totals if code.startswith(_EXPENSES)},
        # No member of the company says so; what it says of a basis is that of VAT.
        may_be_cash_basis=company.type is not None and company.type not in _ACCRUAL_ONLY,
        is_flat_rate=bool(company.initially_on_frs) or _FLAT_RATE_SURPLUS in totals,
    )


def _company_of(read: ReadRaw) -> _Company:
    told = (_read(_company, row, lambda company: company) for row in read.rows("company"))
    return next((one for one in told if one is not None), _Company())


def _reported(read: ReadRaw) -> Reported:
    company = _company_of(read)
    told = reported(read, day(company.freeagent_start_date or ""))
    # Only who is registered for VAT has returns to file: others have no list of them.
    is_registered = company.sales_tax_registration_status == "Registered"
    return told if is_registered else msgspec.structs.replace(told, tax_periods=())


def _totals(lines: Iterable[Total | None]) -> dict[str, Decimal] | None:
    """By account; None where a line cannot be read."""
    totals: dict[str, Decimal] = {}
    for line in lines:
        if line is None:
            return None
        id_, total = _stands(line)
        totals[id_] = totals.get(id_, ZERO) + total
    return totals


def _opening(read: ReadRaw) -> dict[str, Decimal] | None:
    if not read.is_complete("opening_balances"):
        return None
    told = [
        _read(balances_in, row, lambda body: _totals(body.trial_balance_summary))
        for row in read.rows("opening_balances")
    ]
    return next(iter(told), {})


def _year_began(company: _Company, until: date) -> date | None:
    for period in company.annual_accounting_periods or ():
        first, last = day(period.starts_on), day(period.ends_on)
        if first and last and first <= until <= last:
            return first
    return None


def _stands(line: Total) -> tuple[str, Decimal]:
    id_ = bank_account_id(line.bank_account) if line.bank_account else line.display_nominal_code
    return id_, plain(line.total)


def _contacts(read: ReadRaw) -> Iterator[tuple[str, Decimal]]:
    for row in read.rows("contacts"):
        balance = _read(_contact, row, lambda contact: _amount(contact.account_balance))
        if balance is not None:
            yield row.id, balance


# What there is at all

_MADE_FROM: dict[str, tuple[tuple[str, str], ...]] = {  # by data type: resources, and how ids of theirs begin
    "customers": (("contacts", ""),),
    "suppliers": (("contacts", ""),),
    "invoices": (("invoices", ""),),
    "creditNotes": (("invoices", "inv-"), ("credit_notes", "")),
    "bills": (("bills", ""),),
    "billCreditNotes": (("bills", ""),),
    "payments": (("credit_note_reconciliations", "cnr-"), ("invoices", "wo-"), (_EXPLANATIONS, "")),
    "billPayments": ((_EXPLANATIONS, ""),),
    "directCosts": (("expenses", "exp-"), (_EXPLANATIONS, "")),
    "directIncomes": ((_EXPLANATIONS, ""),),
    "transfers": ((_EXPLANATIONS, ""),),
    "trackingCategories": (("properties", "property-"), ("projects", "")),
    "items": (("stock_items", "stock-"), ("price_list_items", "")),
}


def _lists(read: ReadRaw, data_type: str, id_: str) -> bool:
    """Whether FreeAgent has a record of its own behind this id; of what is derived from others it has none to lack."""
    for resource, prefix in _MADE_FROM.get(data_type, ()):
        if id_.startswith(prefix):
            number = id_.removeprefix(prefix)
            return any(row.id == number for row in read.rows(resource))
    return True
