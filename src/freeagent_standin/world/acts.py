"""Business acts: an invoice raised, money received, a bill paid, a claim made. Each enters true records in a world.

Amounts are minor units. `at` is the instant (seconds since 1970) that becomes created_at and updated_at. A document's
amounts carry the document's own sign: settling 50.00 of a credit note of -120.00 is -5000.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import msgspec

from freeagent_standin.world.amounts import inclusive_tax, shared_out, times
from freeagent_standin.world.books import World
from freeagent_standin.world.entities import (
    BankAccount,
    BankTransaction,
    Bill,
    BillItem,
    Contact,
    CreditNote,
    Expense,
    Explanation,
    Invoice,
    Item,
    Reconciliation,
    User,
)
from freeagent_standin.world.rates import CIS_LABOUR, CIS_RATES, days_after, exchange_rate


def priced(items: Sequence[Item], discount: Decimal | None) -> tuple[int, int, tuple[int, ...]]:
    """Net, tax and net by item: exact line values are added up first and rounded once, as FreeAgent's headers are."""
    keep = 1 - discount / 100 if discount else Decimal(1)
    exact = [item.price * item.quantity * 100 * keep for item in items]
    net = _rounded(sum(exact, Decimal(0)))
    tax = _rounded(
        sum((value * (item.tax_rate or 0) / 100 for value, item in zip(exact, items, strict=True)), Decimal(0))
    )
    return net, tax, tuple(shared_out(net, exact))


def raise_sale(
    world: World,
    kind: type[Invoice] | type[CreditNote],
    *,
    contact: Contact,
    day: date,
    items: Sequence[Item],
    at: int,
    reference: str = "",
    terms: int = 30,
    status: str = "sent",
    currency: str = "GBP",
    discount: Decimal | None = None,
    ec_status: str = "",
    cis_band: str = "",
    **more: Any,
) -> int:
    """Write an invoice or a credit note; returns its id. Prices of a credit note are negative."""
    table = world.invoices if kind is Invoice else world.credit_notes
    net, tax, item_nets = priced(items, discount)
    cis_rate = CIS_RATES.get(cis_band, Decimal(0))
    labour = sum(part for item, part in zip(items, item_nets, strict=True) if item.suffers_cis)
    document = kind(
        id=table.next_id,
        created_at=at,
        updated_at=at,
        contact=contact.id,
        reference=reference or next_reference(world),
        dated_on=day,
        due_on=days_after(day, terms),
        items=tuple(items),
        net=net,
        tax=tax,
        item_nets=item_nets,
        status=status,
        currency=currency,
        rate=exchange_rate(currency, day),
        discount=discount,
        ec_status=ec_status,
        cis_band=cis_band,
        cis_rate=cis_rate,
        cis_deduction=times(labour, cis_rate),
        **more,
    )
    world.add(document)
    return document.id


def next_reference(world: World) -> str:
    """Invoices and credit notes share one sequence (https://dev.freeagent.com/docs/credit_notes)."""
    return f"{len(world.invoices) + len(world.credit_notes) + 1:03d}"


def write_off(world: World, invoice_id: int, *, day: date, at: int) -> None:
    """Give up what is unpaid (https://dev.freeagent.com/docs/invoices, mark_as_cancelled)."""
    invoice = world.invoices[invoice_id]
    world.replace(msgspec.structs.replace(invoice, written_off_on=day, written_off=world.due(invoice), updated_at=at))


def reconcile(world: World, credit_note_id: int, invoice_id: int, *, amount: int, day: date, at: int) -> int:
    """Set part of a credit note against an invoice of the same currency."""
    invoice, credit_note = world.invoices[invoice_id], world.credit_notes[credit_note_id]
    refuse_too_much(world, credit_note, invoice, amount)
    reconciliation = Reconciliation(
        id=world.reconciliations.next_id,
        created_at=at,
        updated_at=at,
        invoice=invoice_id,
        credit_note=credit_note_id,
        gross=amount,
        dated_on=day,
        currency=invoice.currency,
        rate=exchange_rate(invoice.currency, day),
    )
    world.add(reconciliation)
    return reconciliation.id


def refuse_too_much(
    world: World, credit_note: CreditNote, invoice: Invoice, amount: int, *, besides: Reconciliation | None = None
) -> None:
    """Raise ValueError when so much of a credit note cannot be set against an invoice, one reconciliation left out."""
    if invoice.currency != credit_note.currency:
        raise ValueError("A credit note can be set only against an invoice in its own currency.")
    mine = besides.gross if besides is not None and besides.invoice == invoice.id else 0
    theirs = besides.gross if besides is not None and besides.credit_note == credit_note.id else 0
    if not 0 < amount <= min(world.due(invoice) + mine, theirs - world.due(credit_note)):
        raise ValueError("A reconciliation must be positive and within what both documents have left.")


def bill_item(
    world: World,
    *,
    description: str,
    category: str,
    gross: int,
    tax_rate: Decimal | None = None,
    tax_status: str = "",
    manual_tax: int | None = None,
    is_notional: bool = False,
    **more: Any,
) -> BillItem:
    """A line by its total. A manual amount wins and then no rate is sent; notional tax is not in the total."""
    tax = manual_tax
    if tax is None:
        percent = tax_rate or Decimal(0)
        tax = times(gross, percent / 100) if is_notional else inclusive_tax(gross, percent)
    else:
        tax_rate = None
    net, notional = (gross, tax) if is_notional else (gross - tax, 0)
    return BillItem(
        id=world.new_item_id(),
        description=description,
        category=category,
        gross=gross,
        net=net,
        notional_tax=notional,
        tax_rate=tax_rate,
        tax_status=tax_status,
        manual_tax=manual_tax,
        **more,
    )


def enter_bill(
    world: World,
    *,
    contact: Contact,
    day: date,
    items: Sequence[BillItem],
    at: int,
    reference: str = "",
    terms: int = 30,
    currency: str = "GBP",
    **more: Any,
) -> int:
    """Enter a bill, or with negative items a supplier's credit; returns its id."""
    band, cis_rate, deduction = "", Decimal(0), 0
    labour = sum(item.net for item in items if item.category in CIS_LABOUR)
    if contact.cis_band and labour and world.company.cis_contractor:
        band, cis_rate = contact.cis_band, CIS_RATES[contact.cis_band]
        deduction = times(labour, cis_rate)
    bill = Bill(
        id=world.bills.next_id,
        created_at=at,
        updated_at=at,
        contact=contact.id,
        reference=reference or f"B{len(world.bills) + 1:04d}",
        dated_on=day,
        due_on=days_after(day, terms),
        items=tuple(items),
        currency=currency,
        rate=exchange_rate(currency, day),
        cis_band=band,
        cis_rate=cis_rate,
        cis_deduction=deduction,
        **more,
    )
    world.add(bill)
    return bill.id


def claim(
    world: World,
    *,
    user: User,
    category: str,
    day: date,
    gross: int,
    at: int,
    tax_rate: Decimal | None = None,
    tax_status: str = "",
    manual_tax: int | None = None,
    currency: str = "GBP",
    **more: Any,
) -> int:
    """A user's out-of-pocket claim; on a foreign one a rate is forced to 0 (https://dev.freeagent.com/docs/expenses)."""
    rate = exchange_rate(currency, day)
    if currency != world.company.currency and tax_rate is not None:
        tax_rate = Decimal("0.0")
    tax = manual_tax if manual_tax is not None else inclusive_tax(gross, tax_rate or Decimal(0))
    expense = Expense(
        id=world.expenses.next_id,
        created_at=at,
        updated_at=at,
        user=user.id,
        category=category,
        dated_on=day,
        gross=gross,
        currency=currency,
        native_gross=times(gross, rate),
        native_tax=times(tax, rate),
        tax=tax,
        tax_rate=None if manual_tax is not None else tax_rate,
        tax_status=tax_status,
        manual_tax=manual_tax,
        **more,
    )
    world.add(expense)
    return expense.id


def bank_line(
    world: World,
    *,
    account: BankAccount,
    day: date,
    amount: int,
    description: str,
    at: int,
    line_type: str = "OTHER",
    is_manual: bool = False,
    bank_reference: str = "",
) -> int:
    """A statement line without explanation; returns its id."""
    transaction = BankTransaction(
        id=world.transactions.next_id,
        created_at=at,
        updated_at=at,
        account=account.id,
        dated_on=day,
        amount=amount,
        description=description,
        line_type=line_type,
        is_manual=is_manual,
        bank_reference=bank_reference,
    )
    world.add(transaction)
    return transaction.id


def explain(world: World, transaction_id: int, *, at: int, gross: int | None = None, **fields: Any) -> int:
    """Explain a bank line, or part of it when `gross` is given; returns the explanation's id."""
    transaction = world.transactions[transaction_id]
    at = max(at, transaction.updated_at)  # a line cannot be explained before it came in
    account = world.bank_accounts[transaction.account]
    amount = transaction.amount if gross is None else gross
    native = amount if account.currency == world.company.currency else _native(account, amount, transaction.dated_on)
    explanation = Explanation(
        id=world.explanations.next_id,
        created_at=at,
        updated_at=at,
        account=account.id,
        transaction=transaction_id,
        dated_on=transaction.dated_on,
        gross=amount,
        native=fields.pop("native", native),
        **fields,
    )
    world.add(explanation)
    world.replace(
        msgspec.structs.replace(transaction, explanations=(*transaction.explanations, explanation.id), updated_at=at)
    )
    return explanation.id


def entry(
    world: World,
    *,
    account: BankAccount,
    day: date,
    amount: int,
    description: str,
    at: int,
    type: str,
    line_type: str = "OTHER",
    is_manual: bool = False,
    note: str = "",
    native: int | None = None,
    **fields: Any,
) -> int:
    """A bank line and the one explanation that covers it; returns the explanation's id."""
    explanation_id = world.explanations.next_id
    transaction = BankTransaction(
        id=world.transactions.next_id,
        created_at=at,
        updated_at=at,
        account=account.id,
        dated_on=day,
        amount=amount,
        description=description,
        line_type=line_type,
        is_manual=is_manual,
        explanations=(explanation_id,),
    )
    if native is None:
        native = amount if account.currency == world.company.currency else _native(account, amount, day)
    world.add(transaction)
    world.add(
        Explanation(
            id=explanation_id,
            created_at=at,
            updated_at=at,
            account=account.id,
            transaction=transaction.id,
            type=type,
            dated_on=day,
            gross=amount,
            native=native,
            description=note or description,
            **fields,
        )
    )
    return explanation_id


def settlement_fields(
    world: World, document: Invoice | CreditNote | Bill, account: BankAccount, *, day: date, amount: int
) -> dict[str, Any]:
    """How an explanation says that it settles `amount` (document's currency and sign) of a document, gross included."""
    if isinstance(document, Bill) and document.hire_purchase:
        raise ValueError("A hire purchase pays this bill.")
    if isinstance(document, Invoice) and document.written_off_on is not None:
        raise ValueError("A written-off invoice must be opened again before it is paid.")
    settles = -amount if isinstance(document, Bill) else amount
    fields: dict[str, Any] = {"settles": settles}
    if isinstance(document, Invoice):
        fields |= {"type": "Invoice Receipt" if settles > 0 else "Invoice Refund", "invoice": document.id}
        if document.total < 0:
            fields["type"] = "Credit Note Refund"
    elif isinstance(document, CreditNote):
        fields |= {"type": "Credit Note Refund", "credit_note": document.id}
    else:
        fields |= {"type": "Bill Payment" if settles < 0 else "Bill Refund", "bill": document.id}
    if document.cis_deduction:
        share = _cis_share(world, document, amount)
        fields["cis_share"] = -share if isinstance(document, Bill) else share
    if document.currency == account.currency:
        fields["gross"] = settles
    else:
        fields["foreign_currency"] = document.currency
        in_pounds = times(settles, exchange_rate(document.currency, day))
        fields["gross"] = times(in_pounds, 1 / exchange_rate(account.currency, day))
    return fields


def settle(
    world: World,
    document: Invoice | CreditNote | Bill,
    *,
    account: BankAccount,
    day: date,
    at: int,
    amount: int | None = None,
    description: str = "",
    **fields: Any,
) -> int:
    """Pay, receive or refund (part of) a document by a new bank line; returns the explanation's id."""
    owed = world.due(document) if amount is None else amount
    if not owed:
        raise ValueError("There is nothing left to settle on this document.")
    details = settlement_fields(world, document, account, day=day, amount=owed)
    gross = details.pop("gross")
    line_type = fields.pop("line_type", "CREDIT" if gross > 0 else "PAYMENT")
    return entry(
        world,
        account=account,
        day=day,
        amount=gross,
        description=description or f"{world.contacts[document.contact].name} {document.reference}",
        line_type=line_type,
        at=at,
        **details,
        **fields,
    )


def transfer(
    world: World, *, source: BankAccount, target: BankAccount, day: date, amount: int, at: int, lag_days: int = 0
) -> tuple[int, int]:
    """Move money between two accounts: two bank lines and two linked explanations, paying side first."""
    first = world.explanations.next_id
    native = amount if source.currency == world.company.currency else _native(source, amount, day)
    received = amount
    if source.currency != target.currency:
        received = times(native, 1 / exchange_rate(target.currency, day))
    entry(
        world,
        account=source,
        day=day,
        amount=-amount,
        description=f"TRANSFER TO {target.name.upper()}",
        note=f"Transfer to {target.name}",
        line_type="XFER",
        at=at,
        type="Transfer to Another Account",
        native=-native,
        linked_explanation=first + 1,
        linked_account=target.id,
    )
    entry(
        world,
        account=target,
        day=day + timedelta(days=lag_days),
        amount=received,
        description=f"TRANSFER FROM {source.name.upper()}",
        note=f"Transfer from {source.name}",
        line_type="CREDIT",
        at=at,
        type="Transfer from Another Account",
        native=native,
        linked_explanation=first,
        linked_account=source.id,
    )
    return first, first + 1


def pay_user(
    world: World,
    *,
    user: User,
    account: BankAccount,
    day: date,
    amount: int,
    at: int,
    category: str = "905",
    note: str = "",
) -> int:
    """Money paid to a user (positive amount) or received from one (negative); no category is a smart payment."""
    is_out = amount > 0
    return entry(
        world,
        account=account,
        day=day,
        amount=-amount,
        description=f"{user.name.upper()}",
        note=note or (f"Paid to {user.name}" if is_out else f"Received from {user.name}"),
        line_type="PAYMENT" if is_out else "CREDIT",
        at=at,
        type="Money Paid to User" if is_out else "Money Received from User",
        category=category,
        user=user.id,
    )


def remove_explanation(world: World, explanation: Explanation, *, at: int) -> None:
    """Take an explanation away from its bank line; the other side of a transfer goes with it (inferred)."""
    both = [explanation]
    if explanation.linked_explanation is not None:
        other = world.explanations.get(explanation.linked_explanation)
        both += [other] if other is not None else []
    for each in both:
        transaction = world.transactions[each.transaction]
        kept = tuple(one for one in transaction.explanations if one != each.id)
        world.remove(each)
        world.replace(msgspec.structs.replace(transaction, explanations=kept, updated_at=at))


def _native(account: BankAccount, amount: int, day: date) -> int:
    return times(amount, exchange_rate(account.currency, day))


def _cis_share(world: World, document: Invoice | CreditNote | Bill, amount: int) -> int:
    payable = document.total - document.cis_deduction
    standing = world.standing(document)
    settled = min(standing.paid + amount, payable) if payable > 0 else standing.paid + amount
    realised = _rounded(Decimal(document.cis_deduction) * settled / payable) if payable else 0
    return realised - standing.cis_realised


def _rounded(value: Decimal) -> int:
    return int(value.quantize(Decimal(1), rounding=ROUND_HALF_UP))
