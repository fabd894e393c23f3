"""What FreeAgent itself says of its books, read from the raw records: the mapped books are held against it.

This is a second, independent reading: nothing here goes through the mapping.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import TypeVar

import msgspec

from comptoir.integrations.contract import RawRow, ReadRaw
from comptoir.integrations.freeagent.references import bank_account_id, last_segment
from comptoir.model.identities import BankFigures, Figures, Once, SourceFacts
from comptoir.model.money import ZERO, minor_unit, rounded

__all__ = ["facts"]

_T = TypeVar("_T")

_SAYS_DUE = ("Open", "Overdue", "Paid")
_CIS_LABOUR = ("096", "097", "098", "099")
_CIS_INCOME = {"061": Decimal(0), "062": Decimal("0.2"), "063": Decimal("0.3")}


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
    invoice_items: tuple[_Item, ...] = ()
    credit_note_items: tuple[_Item, ...] = ()
    bill_items: tuple[_Item, ...] = ()


class _Movement(msgspec.Struct):
    gross_value: Decimal
    bank_transaction: str | None = None
    marked_for_review: bool | None = None
    paid_invoice: str | None = None
    paid_bill: str | None = None
    transfer_bank_account: str | None = None
    linked_transfer_account: str | None = None
    linked_transfer_explanation: str | None = None


class _BankAccount(msgspec.Struct):
    url: str
    opening_balance: Decimal | None = None
    current_balance: Decimal | None = None


class _BankLine(msgspec.Struct):
    unexplained_amount: Decimal | None = None


_document = msgspec.json.Decoder(_Document)
_movement = msgspec.json.Decoder(_Movement)
_bank_account = msgspec.json.Decoder(_BankAccount)
_bank_line = msgspec.json.Decoder(_BankLine)


def facts(read: ReadRaw) -> SourceFacts:
    """`read` gives the live raw rows of a resource, or None where its latest read was not complete."""
    figures: dict[str, dict[str, Figures]] = {}
    once: list[Once] = []
    invoices, credit_notes, bills = read("invoices"), read("credit_notes"), read("bills")
    if invoices is not None and credit_notes is not None:
        figures |= {"invoices": {}, "creditNotes": {}}
        numbers: set[str] = set()
        for id_, document in _documents(invoices):
            numbers.add(id_)
            if document.total_value < 0:
                figures["creditNotes"][f"inv-{id_}"] = _figures(document, document.invoice_items, _income_cis)
            else:
                figures["invoices"][id_] = _figures(document, document.invoice_items, _income_cis)
        for id_, document in _documents(credit_notes):
            figures["creditNotes"][id_] = _figures(document, document.credit_note_items, _income_cis)
        once.append(
            Once(
                code="A6",
                words="invoice",
                ids=numbers,
                origin={
                    "invoices": lambda id_: id_,
                    "creditNotes": lambda id_: id_.removeprefix("inv-") if id_.startswith("inv-") else None,
                },
            )
        )
    if bills is not None:
        figures |= {"bills": {}, "billCreditNotes": {}}
        numbers = set()
        for id_, document in _documents(bills):
            numbers.add(id_)
            side = "bills" if document.total_value >= 0 else "billCreditNotes"
            figures[side][id_] = _figures(document, document.bill_items, _labour_cis)
        own = {"bills": lambda id_: id_, "billCreditNotes": lambda id_: id_}
        once.append(Once(code="A6", words="bill", ids=numbers, origin=own))
    movements, expenses = read("bank_transaction_explanations"), read("expenses")
    reviewed: set[str] | None = None
    if movements is not None:
        direct, explained, reviewed = _explained(movements)
        once.append(explained)
        figures |= {"directCosts": direct, "directIncomes": direct}
    for row in expenses or ():
        if (claim := _read(_movement, row)) is not None:
            total = abs(claim.gross_value)
            figures.setdefault("directCosts", {})[f"exp-{row.id}"] = Figures(total, flow=claim.gross_value)
    return SourceFacts(
        figures=figures,
        once=tuple(once),
        bank=_banks(read),
        unreconciled=_unreconciled(read, reviewed),
    )


def _documents(rows: Iterator[RawRow]) -> Iterator[tuple[str, _Document]]:
    for row in rows:
        if (document := _read(_document, row)) is not None:
            yield row.id, document


def _read(decoder: msgspec.json.Decoder[_T], row: RawRow) -> _T | None:
    """None for a record that cannot be read: mapping has set it aside, and said so."""
    try:
        return decoder.decode(row.body)
    except msgspec.DecodeError:
        return None


def _figures(
    document: _Document, items: Sequence[_Item], withheld: Callable[[_Document, Sequence[_Item]], Decimal | None]
) -> Figures:
    tax = document.sales_tax_value
    if tax is not None and document.second_sales_tax_value is not None:
        tax = abs(tax) + abs(document.second_sales_tax_value)
    return Figures(
        total=abs(document.total_value),
        net=None if document.net_value is None else abs(document.net_value),
        tax=None if tax is None else abs(tax),
        due=abs(document.due_value) if document.status in _SAYS_DUE and document.due_value is not None else None,
        withheld=withheld(document, items) if document.cis_deduction else None,
    )


def _labour_cis(document: _Document, items: Sequence[_Item]) -> Decimal | None:
    """What the rate gives on lines of subcontractors' labour."""
    if document.cis_deduction_rate is None:
        return None
    labour = [one.total_value_ex_tax for one in items if _code(one) in _CIS_LABOUR]
    if not labour or None in labour:
        return None
    net = sum((abs(one) for one in labour if one is not None), ZERO)
    return rounded(net * document.cis_deduction_rate, minor_unit(document.currency))


def _income_cis(document: _Document, items: Sequence[_Item]) -> Decimal | None:
    """What the bands give on lines of construction income."""
    keep = 1 - (document.discount_percent or ZERO) / 100
    parts = [
        (one.price or ZERO) * (one.quantity or ZERO) * keep * _CIS_INCOME[_code(one)]
        for one in items
        if _code(one) in _CIS_INCOME
    ]
    return rounded(abs(sum(parts, ZERO)), minor_unit(document.currency)) if parts else None


def _code(item: _Item) -> str:
    return last_segment(item.category) if item.category else ""


def _explained(rows: Iterator[RawRow]) -> tuple[dict[str, Figures], Once, set[str]]:
    """Money without a document, that each movement is served once, and bank lines with something left to review."""
    direct: dict[str, Figures] = {}
    ids: set[str] = set()
    linked: dict[str, str] = {}
    reviewed: set[str] = set()
    for row in rows:
        movement = _read(_movement, row)
        if movement is None:
            continue
        ids.add(row.id)
        if movement.marked_for_review and movement.bank_transaction:
            reviewed.add(last_segment(movement.bank_transaction))
        if movement.linked_transfer_explanation:
            linked[row.id] = last_segment(movement.linked_transfer_explanation)
        if not (
            movement.paid_invoice
            or movement.paid_bill
            or movement.transfer_bank_account
            or movement.linked_transfer_account
            or movement.linked_transfer_explanation
        ):
            direct[row.id] = Figures(abs(movement.gross_value), flow=movement.gross_value)
    # A transfer whose paying side cannot be read bears that side's number all the same.
    unread = {other: id_ for id_, other in linked.items() if other not in ids}
    explained = Once(
        code="A5",
        words="explanation",
        ids=ids,
        origin={
            "payments": lambda id_: None if id_.startswith(("cnr-", "wo-")) else id_,
            "billPayments": lambda id_: id_,
            "directCosts": lambda id_: None if id_.startswith("exp-") else id_,
            "directIncomes": lambda id_: id_,
            "transfers": lambda id_: unread.get(id_, id_),
        },
        both_sides="transfers",
        other_side={id_: other for id_, other in linked.items() if other in ids},
    )
    return direct, explained, reviewed


def _banks(read: ReadRaw) -> dict[str, BankFigures] | None:
    accounts, lines = read("bank_accounts"), read("bank_transactions")
    if accounts is None or lines is None:
        return None
    found = {}
    for row in accounts:
        account = _read(_bank_account, row)
        if account is not None and account.opening_balance is not None and account.current_balance is not None:
            found[bank_account_id(account.url)] = BankFigures(account.opening_balance, account.current_balance)
    return found


def _unreconciled(read: ReadRaw, reviewed: set[str] | None) -> set[str] | None:
    lines = read("bank_transactions")
    if lines is None or reviewed is None:
        return None
    unexplained = {row.id for row in lines if (line := _read(_bank_line, row)) is not None and line.unexplained_amount}
    return unexplained | reviewed
