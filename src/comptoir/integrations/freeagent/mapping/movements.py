"""Bank lines together with what they were for. Source: https://dev.freeagent.com/docs/bank_transactions"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from comptoir.integrations.contract import Mapped, Note
from comptoir.integrations.freeagent import payloads
from comptoir.integrations.freeagent.books import Books
from comptoir.integrations.freeagent.mapping import settlement
from comptoir.integrations.freeagent.mapping.banking import without_token
from comptoir.integrations.freeagent.mapping.transfers import record_of
from comptoir.integrations.freeagent.references import instant, last_segment, local_date
from comptoir.model.banking import AccountTransaction, AccountTransactionLine, TransferStatus
from comptoir.model.money import ONE, ZERO, plain, rate

__all__ = ["account_transaction"]


def account_transaction(source: payloads.BankTransaction, books: Books) -> Iterator[Mapped | Note]:
    """A statement line with what it was for: a line for each explanation, and none for what is not explained yet."""
    id_ = last_segment(source.url)
    explained_by = books.explanations_of(id_)
    currency = books.bank_currency(source.bank_account)
    needs_review = any(one.marked_for_review for one in explained_by)
    is_settled = source.unexplained_amount is not None and not source.unexplained_amount and not needs_review
    yield from settlement.odd_days(id_, date=source.dated_on)
    yield Mapped(
        AccountTransaction(
            id=id_,
            transaction_id=source.transaction_id or None,
            note=without_token(source.description or "") or None,
            bank_account_ref=books.bank_ref(source.bank_account),
            date=local_date(source.dated_on),
            status=TransferStatus.RECONCILED if is_settled else TransferStatus.UNRECONCILED,
            currency=currency,
            currency_rate=ONE if currency == books.base_currency else _rate(source, explained_by, books),
            lines=tuple(
                AccountTransactionLine(
                    description=one.description or None,
                    record_ref=record_of(one, books),
                    amount=plain(one.gross_value),
                )
                for one in explained_by
            ),
            total_amount=plain(source.amount),
            source_modified_date=instant(source.updated_at),
        ),
        {"sourceUrl": source.url, "unexplainedAmount": source.unexplained_amount, "isManual": source.is_manual},
    )


def _rate(
    source: payloads.BankTransaction, explained_by: Sequence[payloads.Explanation], books: Books
) -> Decimal | None:
    """That of the movements it was for, all together; None unless they are the whole of it, each in the ledger."""
    base = [settlement.booked(one, books) for one in explained_by]
    told = [one for one in base if one is not None]
    if len(told) < len(base) or sum((one.gross_value for one in explained_by), ZERO) != source.amount:
        return None
    return rate(sum(told, ZERO), source.amount) or None
