"""Explanations: what each bank movement is for. Every one becomes a record of exactly one data type.

`type` is free text and no contract: structure decides. Source:
https://dev.freeagent.com/docs/bank_transaction_explanations
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import Any

from comptoir.integrations.freeagent import payloads
from comptoir.integrations.freeagent.books import Books
from comptoir.integrations.freeagent.mapping import accounts
from comptoir.integrations.freeagent.references import last_segment
from comptoir.model.ledger import AccountType

__all__ = ["Kind", "beside", "is_transfer", "kind_of", "reference"]


class Kind(StrEnum):
    """The data type of what an explanation is served as."""

    TRANSFER = "transfers"
    PAYMENT = "payments"
    BILL_PAYMENT = "billPayments"
    DIRECT_COST = "directCosts"
    DIRECT_INCOME = "directIncomes"


def is_transfer(source: payloads.Explanation) -> bool:
    return bool(source.linked_transfer_account or source.transfer_bank_account or source.linked_transfer_explanation)


def kind_of(source: payloads.Explanation, books: Books) -> Kind:
    """Which data type an explanation belongs to; first match wins."""
    money_out = source.gross_value < 0
    if is_transfer(source):
        return Kind.TRANSFER
    if source.paid_invoice:
        return Kind.PAYMENT
    if source.paid_bill:
        return Kind.BILL_PAYMENT
    if source.paid_user:
        return Kind.DIRECT_COST if money_out else Kind.DIRECT_INCOME
    if source.disposed_asset:
        return Kind.DIRECT_INCOME
    code = last_segment(source.category) if source.category else ""
    if source.capital_asset or source.stock_item or _is_held(code):
        return Kind.DIRECT_COST if money_out else Kind.DIRECT_INCOME
    type_, _ = accounts.type_of_code(code, books)
    if type_ is AccountType.INCOME:
        return Kind.DIRECT_INCOME
    if type_ is AccountType.EXPENSE:
        return Kind.DIRECT_COST
    return Kind.DIRECT_COST if money_out else Kind.DIRECT_INCOME


@lru_cache(maxsize=4096)
def _is_held(code: str) -> bool:
    """Of a nominal code: of capital assets or stock."""
    number = code.split("-", 1)[0]
    return number.isdigit() and 601 <= int(number) <= 609


def beside(source: payloads.Explanation) -> dict[str, Any]:
    """What the standard model has no member for, of a record made of one."""
    return {
        "sourceUrl": source.url,
        "type": source.type,
        "bankTransactionId": last_segment(source.bank_transaction) if source.bank_transaction else None,
        "ecStatus": source.ec_status,
        "markedForReview": source.marked_for_review,
    }


def reference(source: payloads.Explanation) -> str | None:
    return source.receipt_reference or source.cheque_number or None
