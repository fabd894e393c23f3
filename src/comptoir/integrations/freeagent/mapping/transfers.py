"""Money between bank accounts: two explanations of one movement become one record.

Source: https://dev.freeagent.com/docs/bank_transaction_explanations
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import msgspec

from comptoir.integrations.contract import Mapped, Note
from comptoir.integrations.freeagent import payloads
from comptoir.integrations.freeagent.books import Books
from comptoir.integrations.freeagent.mapping import settlement
from comptoir.integrations.freeagent.mapping.explanations import Kind, beside, is_transfer, kind_of
from comptoir.integrations.freeagent.references import bank_account_id, instant, last_segment, local_date
from comptoir.model.banking import Transfer, TransferAccount, TransferStatus
from comptoir.model.money import plain
from comptoir.model.records import RecordRef

__all__ = ["record_of", "transfer"]


def record_of(source: payloads.Explanation, books: Books) -> RecordRef | None:
    """The record that an explanation is served as: of a transfer the one record of both sides, None where these do
    not fit together."""
    kind = kind_of(source, books)
    if kind is not Kind.TRANSFER:
        return RecordRef(id=last_segment(source.url), data_type=kind)
    return RecordRef(id=_transfer_id(source), data_type=kind) if _other_side(source, books).fits else None


class _OtherSide(msgspec.Struct, frozen=True, kw_only=True):
    """The other side of a transfer, as far as it is known; `fits` unless nothing moves, or both move the same way."""

    account: str | None
    explanation: payloads.Explanation | None
    fits: bool


def _other_side(source: payloads.Explanation, books: Books) -> _OtherSide:
    other = books.explanation(source.linked_transfer_explanation)
    if other is not None and not is_transfer(other):
        other = None  # it is served as something else
    account = source.linked_transfer_account or source.transfer_bank_account
    if account is None and other is not None:
        account = other.bank_account
    moves_apart = other is None or other.gross_value * source.gross_value < 0
    return _OtherSide(
        account=account,
        explanation=other,
        fits=bool(source.gross_value) and account is not None and moves_apart,
    )


def _transfer_id(source: payloads.Explanation) -> str:
    """The paying side's, held or not."""
    pays = source.gross_value < 0 or not source.linked_transfer_explanation
    return last_segment(source.url if pays else source.linked_transfer_explanation or "")


def transfer(source: payloads.Explanation, books: Books) -> Iterator[Mapped | Note]:
    """Two explanations of one movement: listed once, under the paying side's id."""
    if not is_transfer(source):
        return
    side = _other_side(source, books)
    other, other_account = side.explanation, side.account
    pays = source.gross_value < 0
    if not pays and other is not None and other.gross_value < 0:
        return  # the paying side is held, and yields it
    id_ = _transfer_id(source)
    if not side.fits or other_account is None:
        message = "The two sides of this transfer do not fit together: it moves nothing, or both the same way."
        yield Note(record_id=last_segment(source.url), field="amount", message=message)
        return
    here = _side(source.bank_account, abs(source.gross_value), books)
    amount = abs(other.gross_value) if other is not None else None
    if amount is None and books.bank_currency(other_account) == books.bank_currency(source.bank_account):
        amount = abs(source.gross_value)
    there = _side(other_account, amount, books)
    is_settled = not source.marked_for_review and not (other is not None and other.marked_for_review)
    yield from settlement.odd_days(id_, date=source.dated_on)
    extra = beside(source)
    if other is not None and other.dated_on != source.dated_on:
        extra["receivedOn"] = other.dated_on
    yield Mapped(
        Transfer(
            id=id_,
            description=source.description or None,
            date=local_date(source.dated_on),
            from_=here if pays else there,
            to=there if pays else here,
            status=TransferStatus.RECONCILED if is_settled else TransferStatus.UNRECONCILED,
            source_modified_date=instant(source.updated_at),
        ),
        extra,
    )


def _side(bank_account: str, amount: Decimal | None, books: Books) -> TransferAccount:
    return TransferAccount(
        account_ref=RecordRef(id=bank_account_id(bank_account), data_type="bankAccounts"),
        currency=books.bank_currency(bank_account),
        amount=None if amount is None else plain(amount),
    )
