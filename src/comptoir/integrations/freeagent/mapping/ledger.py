"""The general ledger: postings as journal entries, one for each source and day, and the opening balances.

FreeAgent tells the ledger line by line, https://dev.freeagent.com/docs/transactions: entries are put together again
from lines of one source. The line with the lowest number yields the entries of its source, the others nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import accumulate
from typing import Any

import msgspec

from comptoir.integrations.contract import Mapped, Note
from comptoir.integrations.freeagent import payloads
from comptoir.integrations.freeagent.books import Books
from comptoir.integrations.freeagent.mapping import accounts, settlement
from comptoir.integrations.freeagent.mapping.transfers import record_of
from comptoir.integrations.freeagent.references import instant, is_credit_note, last_segment, source_of
from comptoir.model.ledger import (
    AccountType,
    Journal,
    JournalEntry,
    JournalLine,
    JournalRef,
    JournalStatus,
    JournalTracking,
)
from comptoir.model.money import ZERO, plain
from comptoir.model.records import AccountRef, ContactRef, Instant, RecordRef

__all__ = ["journal", "journal_entries", "opening_balances"]

_ID, _NAME = "general-ledger", "General ledger"
_JOURNAL = JournalRef(id=_ID, name=_NAME)
_ENTRIES = "journal_entries"
_DEBTORS, _CREDITORS, _SUSPENSE = "681", "796", "999"

Lines = Sequence[payloads.LedgerTransaction]


def journal(source: payloads.Company, books: Books) -> Iterator[Mapped]:
    """The one book that FreeAgent keeps."""
    yield Mapped(
        Journal(
            id=_ID,
            journal_code="GL",
            name=_NAME,
            has_children=False,
            created_on=instant(source.created_at),
            status=JournalStatus.ACTIVE,
        )
    )


class _Origin(msgspec.Struct, frozen=True, kw_only=True):
    """What an entry says of where it comes from: the record, whom it concerns, and what it is tracked by."""

    record_ref: RecordRef | None = None
    contact_ref: ContactRef | None = None
    tracking: JournalTracking | None = None
    description: str | None = None
    tag: str | None = None


def journal_entries(source: payloads.LedgerTransaction, books: Books) -> Iterator[Mapped | Note]:
    """The entries of a line's source, or of all lines of its day that name none; nothing unless it is the first."""
    lines = books.ledger_lines(source)
    if not lines or lines[0].url != source.url:
        return
    named = source_of(source.source_item_url)
    is_journal = named is not None and named[0] in ("journal_sets", _ENTRIES)
    for id_, of in _entries(named, lines):
        origin = _origin(named, of[0], books)
        description = origin.description or of[0].description or None
        if difference := _difference(of):
            message = f"The lines of this entry do not add up to nothing: they come to {plain(difference)}."
            yield Note(record_id=id_, field="journalLines", message=message)
        yield Mapped(
            JournalEntry(
                id=id_,
                description=description,
                posted_on=settlement.required_day(min(line.dated_on for line in of), "dated_on"),
                created_on=_instant(min, [line.created_at for line in of]),
                updated_on=_instant(max, [line.updated_at for line in of]),
                journal_ref=_JOURNAL,
                journal_lines=tuple(_line(line, description, origin, books) for line in of),
                record_ref=RecordRef(id=id_, data_type="journalEntries") if is_journal else origin.record_ref,
            ),
            {
                "sourceUrl": of[0].source_item_url,
                "tag": origin.tag,
                "transactions": [line.url for line in of],
                "unbalanced": plain(difference) if difference else None,
            },
        )


def _entries(named: tuple[str, str] | None, lines: Lines) -> Iterator[tuple[str, Lines]]:
    """Lines as entries, each under its id; both in the order of numbers."""
    if named is None or named[0] == _ENTRIES:
        for of in _loose(lines):
            named = source_of(of[0].source_item_url) or ("tx", last_segment(of[0].url))
            yield "-".join(named), of
        return
    days: dict[str, list[payloads.LedgerTransaction]] = {}
    for line in lines:
        days.setdefault(line.dated_on, []).append(line)
    if len(days) == 1:  # nearly all of them: one entry, whether it adds up or not
        yield "-".join(named), lines
        return
    whole = [of for of in days.values() if not _difference(of)]
    if rest := [line for line in lines if _difference(days[line.dated_on])]:
        # What does not add up by the day may do so over days.
        whole.append(rest)
    for of in whole:
        day = min(line.dated_on for line in of)[:10].replace("-", "")
        yield "-".join([*named, day]), of


def _loose(lines: Lines) -> Iterator[Lines]:
    """Lines of one day that name no source: by description; else all of them; else runs of neighbours that balance."""
    described: dict[str | None, list[payloads.LedgerTransaction]] = {}
    for line in lines:
        described.setdefault(line.description, []).append(line)
    yield from (of for of in described.values() if not _difference(of))
    rest = [line for line in lines if _difference(described[line.description])]
    if rest and not _difference(rest):
        yield rest
        return
    sums = list(accumulate((line.debit_value for line in rest), initial=ZERO))
    ends: dict[int, int] = {}  # where the shortest run from a place ends: the sum is what it was before
    met: dict[Decimal, int] = {}
    for place in reversed(range(len(sums))):
        ends[place] = met.get(sums[place], 0)
        met[sums[place]] = place
    place, left = 0, []
    while place < len(rest):
        if end := ends[place]:
            yield rest[place:end]
        else:
            left.append(rest[place])
        place = end or place + 1
    if left:
        yield left


def _difference(lines: Lines) -> Decimal:
    return sum([line.debit_value for line in lines], ZERO)


def _instant(choose: Any, texts: list[str | None]) -> Instant | None:
    told = [found for text in set(texts) if (found := instant(text)) is not None]
    return choose(told) if told else None


def _line(line: payloads.LedgerTransaction, description: str | None, origin: _Origin, books: Books) -> JournalLine:
    code = books.code_of_ledger(line.nominal_code)
    foreign = line.foreign_currency_data
    amount = foreign.debit_value if foreign is not None else None
    tracking = origin.tracking
    if tracking is not None and accounts.type_of_code(code, books)[0] not in (AccountType.INCOME, AccountType.EXPENSE):
        tracking = None
    return JournalLine(
        description=line.description if line.description != description and line.description else None,
        net_amount=plain(line.debit_value),
        currency=books.base_currency,
        transaction_amount=None if amount is None else plain(amount),
        transaction_currency=foreign.currency_code if foreign is not None else None,
        account_ref=books.account_ref_of_code(code),
        contact_ref=origin.contact_ref if code in (_DEBTORS, _CREDITORS) else None,
        tracking=tracking,
    )


# Where an entry comes from


def _origin(named: tuple[str, str] | None, line: payloads.LedgerTransaction, books: Books) -> _Origin:
    kind, number = named or ("", "")
    url = line.source_item_url
    if kind == "invoices":
        invoice = books.invoice(url)
        is_credit = invoice is not None and invoice.total_value < 0
        return _sold(
            RecordRef(id=f"inv-{number}", data_type="creditNotes")
            if is_credit
            else RecordRef(id=number, data_type="invoices"),
            invoice,
            "customers",
            books,
        )
    if kind == "credit_notes":
        return _sold(RecordRef(id=number, data_type="creditNotes"), books.credit_note(url), "customers", books)
    if kind == "bills":
        bill = books.bill(url)
        is_credit = bill is not None and bill.total_value < 0
        data_type = "billCreditNotes" if is_credit else "bills"
        return _sold(RecordRef(id=number, data_type=data_type), bill, "suppliers", books)
    if kind == "credit_note_reconciliations":
        found = books.reconciliation(url)
        of = books.invoice(found.invoice) if found is not None else None
        return _sold(RecordRef(id=f"cnr-{number}", data_type="payments"), of, "customers", books, is_tracked=False)
    if kind == "bank_transaction_explanations":
        return _explained(url, books)
    if kind == "expenses":
        expense = books.expense(url)
        return _Origin(
            record_ref=RecordRef(id=f"exp-{number}", data_type="directCosts"),
            tracking=None if expense is None else _tracking(expense.project, expense.property, books),
        )
    if kind == "bank_transactions":
        return _Origin(record_ref=RecordRef(id=number, data_type="bankTransactions"))
    if kind == "journal_sets":
        journal_set = books.journal_set(url)
        if journal_set is not None:
            return _Origin(description=journal_set.description, tag=journal_set.tag)
    return _Origin()


def _sold(
    record_ref: RecordRef,
    document: payloads.Invoice | payloads.CreditNote | payloads.Bill | None,
    data_type: str,
    books: Books,
    *,
    is_tracked: bool = True,
) -> _Origin:
    if document is None:
        return _Origin(record_ref=record_ref)
    contact = document.contact
    return _Origin(
        record_ref=record_ref,
        contact_ref=ContactRef(id=last_segment(contact), data_type=data_type) if contact else None,
        tracking=_tracking(document.project, document.property, books) if is_tracked else None,
    )


def _explained(url: str | None, books: Books) -> _Origin:
    explanation = books.explanation(url)
    if explanation is None:
        return _Origin()
    paid, data_type = explanation.paid_invoice, "customers"
    document: payloads.Invoice | payloads.CreditNote | payloads.Bill | None
    document = books.credit_note(paid) if paid and is_credit_note(paid) else books.invoice(paid)
    if explanation.paid_bill:
        document, data_type = books.bill(explanation.paid_bill), "suppliers"
    contact = document.contact if document is not None else None
    return _Origin(
        record_ref=record_of(explanation, books),
        contact_ref=ContactRef(id=last_segment(contact), data_type=data_type) if contact else None,
        tracking=_tracking(explanation.project, explanation.property, books),
    )


def _tracking(project: str | None, property_: str | None, books: Books) -> JournalTracking | None:
    refs, _ = books.tracking(project, property_)
    named = tuple(RecordRef(id=one.id, data_type="trackingCategories") for one in refs)
    return JournalTracking(record_refs=named) if named else None


# Before the first day


def opening_balances(source: payloads.Balances, books: Books) -> Iterator[Mapped | Note]:
    """What stood in the books when the company began to use FreeAgent. It is no document and in no other entry; what
    is lacking to nothing stands in suspense, as FreeAgent itself books it."""
    told = [line for line in source.trial_balance_summary if line.total]
    if not told:
        return
    lines = [
        JournalLine(
            net_amount=plain(line.total),
            currency=books.base_currency,
            account_ref=_account(line, books),
        )
        for line in told
    ]
    if difference := sum((line.total for line in told), ZERO):
        lines.append(
            JournalLine(
                net_amount=plain(-difference),
                currency=books.base_currency,
                account_ref=books.account_ref_of_code(_SUSPENSE),
            )
        )
    company = books.company
    yield Mapped(
        JournalEntry(
            id="opening-balances",
            description="Opening balances",
            posted_on=settlement.required_day(
                company.freeagent_start_date or company.company_start_date or "", "the company's freeagent_start_date"
            ),
            journal_ref=_JOURNAL,
            journal_lines=tuple(lines),
        )
    )


def _account(line: payloads.TrialBalanceLine, books: Books) -> AccountRef:
    return (
        books.bank_ref(line.bank_account) if line.bank_account else books.account_ref_of_code(line.display_nominal_code)
    )
