"""What changed while the books were read: lists are read one after the other, and business does not wait.

An invoice may be read before a payment of it came in, and the payment after: then the two do not agree, and nothing is
wrong. Only what FreeAgent dates can be told; a record that was deleted meanwhile leaves no trace.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import timedelta
from functools import cached_property

import msgspec

from comptoir.integrations.contract import ReadRaw
from comptoir.integrations.freeagent.reading import payload_of
from comptoir.integrations.freeagent.references import bank_account_id, number_in

__all__ = ["Moving"]


class _Changed(msgspec.Struct):
    url: str
    paid_invoice: str | None = None
    paid_bill: str | None = None
    invoice: str | None = None
    credit_note: str | None = None
    bank_transaction: str | None = None
    bank_account: str | None = None


_changed = payload_of(_Changed)
_REPORTS = "dated_balances"
_CLOCKS_APART = timedelta(minutes=10)
_POSTED = (
    "invoices", "credit_notes", "bills", "credit_note_reconciliations", "bank_transactions",
    "bank_transaction_explanations", "expenses", "journal_sets",
    "ledger_transactions",
)  # fmt: skip


class Moving:
    """Records that were changed since the reading began, those that their payments or lines belong to, and those that
    could not be asked for again; without a data type, whether there are any.

    Looked through once, at the first question: there is none while all identities hold.
    """

    def __init__(self, read: ReadRaw) -> None:
        self._read = read

    def __call__(self, data_type: str, id_: str) -> bool:
        return (data_type, id_) in self._moving if data_type else bool(self._moving)

    @cached_property
    def _moving(self) -> frozenset[tuple[str, str]]:
        found: set[tuple[str, str]] = set()
        for resource, number in self._read.behind():
            found.add((resource, number))
            found.update(_touched(resource, number, _Changed(url="")))
        found.update((_REPORTS, id_) for id_ in _moved_on(self._read))
        begun_at = self._read.begun_at()
        if begun_at is None:
            return frozenset(found)
        for resource in _POSTED:
            for row in self._read.dated_since(resource, begun_at - _CLOCKS_APART):
                with contextlib.suppress(msgspec.MsgspecError, ValueError, RecursionError):
                    found.add((resource, row.id))
                    found.update(_touched(resource, row.id, _changed(row.body)))
        return frozenset(found)


def _moved_on(read: ReadRaw) -> Iterator[str]:
    """The day's balances, if they are others after the reports were read than before."""
    if read.is_complete(_REPORTS) and read.is_complete("balances_afterwards"):
        of_today = list(read.rows(_REPORTS))[-1:]
        for after in read.rows("balances_afterwards"):
            yield from (before.id for before in of_today if before.body != after.body)


def _touched(resource: str, number: str, record: _Changed) -> Iterator[tuple[str, str]]:
    invoices = [number_in(record.invoice), number_in(record.paid_invoice), number if resource == "invoices" else None]
    notes = [
        number_in(record.credit_note),
        number_in(record.paid_invoice),
        number if resource == "credit_notes" else None,
    ]
    bills = [number_in(record.paid_bill), number if resource == "bills" else None]
    lines = [number_in(record.bank_transaction), number if resource == "bank_transactions" else None]
    for invoice in filter(None, invoices):
        yield "invoices", invoice
        yield "creditNotes", f"inv-{invoice}"
    for note in filter(None, notes):
        yield "creditNotes", note
    for bill in filter(None, bills):
        yield "bills", bill
        yield "billCreditNotes", bill
    for line in filter(None, lines):
        yield "bankTransactions", line
        yield "accountTransactions", line
    if record.bank_account and resource.startswith("bank_") and number_in(record.bank_account):
        yield "bankAccounts", bank_account_id(record.bank_account)
