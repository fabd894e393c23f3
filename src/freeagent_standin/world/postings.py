"""What each record means in double entry: pure functions from a record to legs that add up to zero.

Amounts are minor units of the company's currency, debit positive. Which codes are used follows FreeAgent's fixed ones
(https://dev.freeagent.com/docs/categories). Inferred: CIS withheld stays in trade debtors or creditors until the
payment that realises it and then moves to 814; reverse charge posts tax on both VAT codes; a bank transfer passes
through 761; unexplained bank lines are not in the ledger.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import msgspec

from freeagent_standin.world import chart
from freeagent_standin.world.amounts import shared_out, times
from freeagent_standin.world.entities import (
    BankAccount,
    Bill,
    Expense,
    Explanation,
    JournalSet,
    Reconciliation,
    SalesDocument,
    TaxProvision,
    User,
    VatFiling,
)


class Leg(msgspec.Struct, frozen=True, gc=False):
    """One side of an entry; `contact` is set on trade debtors and creditors."""

    code: str
    amount: int
    contact: int | None = None
    currency: str = ""
    """Set where the entry was made in another currency than the company's."""
    foreign: int = 0
    """The amount in that currency."""


def native_parts(total_native: int, parts: Sequence[int], rate: Decimal) -> list[int]:
    """Parts of a document in the company's currency, adding up to its total there."""
    return shared_out(total_native, [part * rate for part in parts])


def of_sales_document(document: SalesDocument) -> list[Leg]:
    """Debtors against income by line and VAT charged; a credit note is negative throughout. Drafts post nothing."""
    if document.status != "sent" or not document.items:
        return []
    charged = 0 if document.is_notional else document.tax
    nets = [(item.category, net) for item, net in zip(document.items, document.item_nets, strict=True) if net]
    legs = [Leg(category, -net) for category, net in nets]
    if charged:
        legs.append(Leg(chart.VAT_CHARGED, -charged))
    if document.rate != 1:
        total = times(document.total, document.rate)
        parts = native_parts(-total, [leg.amount for leg in legs], document.rate)
        legs = [Leg(leg.code, part, None, document.currency, leg.amount) for leg, part in zip(legs, parts, strict=True)]
        if total:
            legs.append(Leg(chart.DEBTORS, total, document.contact, document.currency, document.total))
        return legs
    if document.total:
        legs.append(Leg(chart.DEBTORS, document.total, document.contact))
    return legs


def of_write_off(document: SalesDocument) -> list[Leg]:
    """The unpaid rest of a written-off invoice becomes a bad debt."""
    amount = times(document.written_off, document.rate)
    given_up = document.written_off
    currency = document.currency if document.rate != 1 else ""
    return [
        Leg(chart.BAD_DEBTS, amount, None, currency, given_up),
        Leg(chart.DEBTORS, -amount, document.contact, currency, -given_up),
    ]


def of_reconciliation(reconciliation: Reconciliation, invoice: SalesDocument, credit: SalesDocument) -> list[Leg]:
    """Debtors on both sides at each document's own rate; a difference between the rates is an exchange gain."""
    on_invoice = times(reconciliation.gross, invoice.rate)
    on_credit = times(reconciliation.gross, credit.rate)
    currency, gross = reconciliation.currency if invoice.rate != 1 else "", reconciliation.gross
    legs = [
        Leg(chart.DEBTORS, -on_invoice, invoice.contact, currency, -gross),
        Leg(chart.DEBTORS, on_credit, credit.contact, currency, gross),
    ]
    if on_invoice != on_credit:
        legs.append(Leg(chart.EXCHANGE, on_invoice - on_credit))
    return legs


def of_bill(bill: Bill) -> list[Leg]:
    """Costs by line and VAT reclaimed against creditors; a supplier's credit is negative throughout."""
    total, net, tax = bill.total, bill.net, bill.total - bill.net
    costs = [(item.category, item.net) for item in bill.items]
    currency = ""
    if bill.rate == 1:
        legs = [Leg(code, amount) for code, amount in costs if amount]
        if tax:
            legs.append(Leg(chart.VAT_RECLAIMED, tax))
        native_total = total
    else:
        native_total = times(total, bill.rate)
        currency = bill.currency
        amounts = [*costs, (chart.VAT_RECLAIMED, total - net)]
        parts = native_parts(native_total, [amount for _, amount in amounts], bill.rate)
        legs = [
            Leg(code, part, None, currency, amount) for (code, amount), part in zip(amounts, parts, strict=True) if part
        ]
    notional = sum(times(item.notional_tax, bill.rate) for item in bill.items)
    if notional:
        legs += [Leg(chart.VAT_RECLAIMED, notional), Leg(chart.VAT_CHARGED, -notional)]
    if native_total and bill.hire_purchase:
        legs += _of_agreement(bill.hire_purchase, native_total)
    elif native_total:
        legs.append(Leg(chart.CREDITORS, -native_total, bill.contact, currency, -total))
    return legs


def _of_agreement(number: int, total: int) -> list[Leg]:
    """What a finance agreement owes in place of trade creditors: a third within the year (inferred)."""
    soon = total // 3
    return [Leg(f"792-{number}", -soon), Leg(f"793-{number}", soon - total)]


def of_expense(expense: Expense, user: User) -> list[Leg]:
    """Cost and VAT reclaimed against the user's expense account."""
    if not expense.native_gross:
        return []
    currency = expense.currency if (expense.gross, expense.tax) != (expense.native_gross, expense.native_tax) else ""
    net = expense.native_gross - expense.native_tax
    legs = [Leg(expense.category, net, None, currency, expense.gross - expense.tax)]
    if expense.native_tax:
        legs.append(Leg(chart.VAT_RECLAIMED, expense.native_tax, None, currency, expense.tax))
    legs.append(Leg(f"905-{user.number}", -expense.native_gross, None, currency, -expense.gross))
    return legs


def of_settlement(explanation: Explanation, account: BankAccount, document: SalesDocument | Bill) -> list[Leg]:
    """Bank against trade debtors or creditors at the document's rate; the rest is an exchange gain or loss."""
    control = chart.CREDITORS if isinstance(document, Bill) else chart.DEBTORS
    settled = times(explanation.settles + explanation.cis_share, document.rate)
    withheld = times(explanation.cis_share, document.rate)
    currency = document.currency if document.rate != 1 else ""
    legs = [
        _bank(explanation, account),
        Leg(control, -settled, document.contact, currency, -explanation.settles - explanation.cis_share),
    ]
    if withheld:
        legs.append(Leg(chart.PAYE, withheld))
    difference = settled - withheld - explanation.native
    if difference:
        legs.append(Leg(chart.EXCHANGE, difference))
    return legs


def of_settlement_on_cash(explanation: Explanation, account: BankAccount, document: SalesDocument | Bill) -> list[Leg]:
    """The cash basis: bank against income or costs by line and VAT, as much of each as is settled of the whole."""
    withheld = times(explanation.cis_share, document.rate)
    parts: list[tuple[str, int]]
    if isinstance(document, Bill):
        parts = [(item.category, item.net) for item in document.items]
        parts.append((chart.VAT_RECLAIMED, document.total - document.net))
    else:
        parts = [(item.category, net) for item, net in zip(document.items, document.item_nets, strict=True)]
        parts.append((chart.VAT_CHARGED, 0 if document.is_notional else document.tax))
    whole = -(explanation.native + withheld)
    legs = [_bank(explanation, account)]
    if not document.total:  # its lines have come to nothing since it was settled
        parts, shares = [(chart.SUSPENSE, 0)], [whole]
    else:
        shares = shared_out(whole, [Decimal(whole * part) / document.total for _, part in parts])
    legs += [Leg(code, share) for (code, _), share in zip(parts, shares, strict=True) if share]
    if withheld:
        legs.append(Leg(chart.PAYE, withheld))
    notional = sum(item.notional_tax for item in document.items) if isinstance(document, Bill) else 0
    tax = times(notional * whole, Decimal(1) / document.total) if notional and document.total else 0
    return [*legs, Leg(chart.VAT_RECLAIMED, tax), Leg(chart.VAT_CHARGED, -tax)] if tax else legs


def of_transfer(explanation: Explanation, account: BankAccount) -> list[Leg]:
    """Each side against money in transit, at the same value in the company's currency."""
    return _both_sides(explanation, account, chart.IN_TRANSIT)


def of_user_payment(explanation: Explanation, account: BankAccount, user: User) -> list[Leg]:
    """Bank against the user's sub-account; a smart payment (no category) repays expenses."""
    parent = explanation.category or "905"
    return _both_sides(explanation, account, f"{parent}-{user.number}")


def of_direct(explanation: Explanation, account: BankAccount) -> list[Leg]:
    """Bank against a category, with VAT charged on income and reclaimed on the rest."""
    native, tax = explanation.native, explanation.tax
    if explanation.ec_status in ("Reverse Charge", "EC Goods", "EC Services"):
        legs = _both_sides(explanation, account, explanation.category)
        if tax:
            legs += [Leg(chart.VAT_RECLAIMED, -tax), Leg(chart.VAT_CHARGED, tax)]
        return legs
    currency, untaxed = "", 0
    if native != explanation.gross:
        currency, untaxed = account.currency, tax - explanation.gross
        tax = times(tax, Decimal(native) / Decimal(explanation.gross)) if explanation.gross else tax
    legs = [_bank(explanation, account), Leg(explanation.category, tax - native, None, currency, untaxed)]
    if tax:
        code = chart.VAT_CHARGED if explanation.category < chart.FIRST_COST else chart.VAT_RECLAIMED
        legs.append(Leg(code, -tax, None, currency, -explanation.tax))
    return legs


def of_journal(journal: JournalSet) -> list[Leg]:
    """Its entries, one for one."""
    return [Leg(entry.code, entry.amount) for entry in journal.entries]


def of_vat_filing(filed: VatFiling) -> list[Leg]:
    """What was charged and reclaimed becomes what is owed."""
    legs = [
        Leg(chart.VAT_CHARGED, filed.charged),
        Leg(chart.VAT_RECLAIMED, -filed.reclaimed),
        Leg(chart.VAT_PAID, filed.reclaimed - filed.charged),
    ]
    return [leg for leg in legs if leg.amount]


def of_provision(provision: TaxProvision) -> list[Leg]:
    """Both sides even of nothing, as the live API has them."""
    return [Leg(chart.TAX_OWED, -provision.amount), Leg(chart.TAX_EXPENSE, provision.amount)]


def _both_sides(explanation: Explanation, account: BankAccount, code: str) -> list[Leg]:
    bank = _bank(explanation, account)
    return [bank, Leg(code, -bank.amount, None, bank.currency, -bank.foreign)]


def _bank(explanation: Explanation, account: BankAccount) -> Leg:
    if explanation.native == explanation.gross:
        return Leg(account.code, explanation.native)
    return Leg(account.code, explanation.native, None, account.currency, explanation.gross)


class Ledger:
    """Totals by nominal code and day, and by contact: all that reports need of the postings."""

    def __init__(self) -> None:
        self._days: dict[str, dict[int, int]] = {}
        self._contacts: dict[int, int] = {}

    def post(self, day: date, legs: Sequence[Leg], *, sign: int = 1) -> None:
        """Add an entry, or take it back with sign -1. Raises ValueError when it does not balance."""
        ordinal = day.toordinal()
        balance = 0
        for leg in legs:
            amount = leg.amount
            balance += amount
            days = self._days.get(leg.code)
            if days is None:
                days = self._days[leg.code] = {}
            days[ordinal] = days.get(ordinal, 0) + amount * sign
            if leg.contact is not None:
                self._contacts[leg.contact] = self._contacts.get(leg.contact, 0) + amount * sign
        if balance:
            raise ValueError(f"This entry does not balance: {legs!r}.")

    def owe(self, legs: Sequence[Leg], *, sign: int = 1) -> None:
        """Note what contacts owe without posting it: what is open on the cash basis."""
        for leg in legs:
            if leg.contact is not None:
                self._contacts[leg.contact] = self._contacts.get(leg.contact, 0) + leg.amount * sign

    def codes(self) -> list[str]:
        """Every code ever posted to, sorted."""
        return sorted(self._days)

    def total(self, code: str, *, since: date | None = None, until: date | None = None) -> int:
        """Debits less credits on a code within two dates, both included."""
        days = self._days.get(code, {})
        first = since.toordinal() if since else 0
        last = until.toordinal() if until else date.max.toordinal()
        return sum(amount for day, amount in days.items() if first <= day <= last)

    def contact_balance(self, contact: int) -> int:
        """What a contact owes (positive) or is owed (negative) in the company's currency."""
        return self._contacts.get(contact, 0)
