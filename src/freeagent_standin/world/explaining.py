"""Bank lines explained as a caller sets it: by category, as payment of a document or to a user, or as a transfer.

https://dev.freeagent.com/docs/bank_transaction_explanations. Given a bank account in place of a line, a line entered by
hand comes into being with the explanation.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from freeagent_standin.world import acts, parts, rates, words
from freeagent_standin.world.amounts import times
from freeagent_standin.world.books import World
from freeagent_standin.world.entities import BankAccount, BankTransaction, Bill, CreditNote, Invoice
from freeagent_standin.world.wishes import Wishes, named


def added(world: World, wishes: Wishes, at: int, today: date) -> int:
    """Explain (part of) a bank line; returns the explanation's id."""
    transaction: BankTransaction | None = wishes.one_of("bank_transaction", world.transactions)
    account: BankAccount | None = wishes.one_of("bank_account", world.bank_accounts)
    day = wishes.day("dated_on", today)
    if transaction is not None:
        account, day = world.bank_accounts[transaction.account], transaction.dated_on
    if account is None:
        raise ValueError("An explanation needs a bank_transaction, or a bank_account.")
    gross = wishes.money("gross_value", 0 if transaction is None else world.unexplained(transaction))
    text = wishes.text("description", "" if transaction is None else transaction.description)
    fields = _meaning(world, wishes, account, day, gross)
    fields |= {
        "for_review": wishes.flag("marked_for_review"),
        "receipt_reference": wishes.text("receipt_reference"),
        "cheque_number": wishes.text("cheque_number"),
        "attachment": parts.attached(world, wishes),
        **parts.rebilled(world, wishes),
        **parts.let(world, wishes),
    }
    wishes.done()
    if not gross:
        raise ValueError("There is nothing to explain on this bank line." if transaction else "gross_value is missing.")
    if transaction is None:
        line = acts.bank_line(
            world, account=account, day=day, amount=gross, description=text or "Manual entry", at=at, is_manual=True
        )
    else:
        line = transaction.id
    if "linked_account" in fields:
        return _transferred(world, line, account, fields, at=at, gross=gross, text=text)
    return acts.explain(world, line, at=at, **(fields | {"gross": gross, "description": text}))


def _meaning(world: World, wishes: Wishes, account: BankAccount, day: date, gross: int) -> dict[str, Any]:
    document = _document(world, wishes)
    user = wishes.one_of("paid_user", world.people)
    target = wishes.one_of("transfer_bank_account", world.bank_accounts)
    category = wishes.take("category", wishes.take("nominal_code"))
    foreign = wishes.money("foreign_currency_value", 0)
    if document is not None:
        if document.currency != account.currency and not foreign:
            raise ValueError("A document in another currency needs a foreign_currency_value.")
        settled = foreign or gross
        amount = -settled if isinstance(document, Bill) else settled
        if not world.is_posted(document):
            raise ValueError("A draft cannot be paid.")
        return acts.settlement_fields(world, document, account, day=day, amount=amount)
    if user is not None:
        kind = "Money Paid to User" if gross < 0 else "Money Received from User"
        code = "905" if category is None else parts.last_part(category)
        if code not in parts.USER_CODES:
            raise ValueError(f"Money cannot be paid to a user on category {category!r}.")
        return {"type": kind, "user": user.id, "category": code}
    if target is not None:
        if target.id == account.id:
            raise ValueError("A transfer needs two bank accounts.")
        return {"linked_account": target.id}
    code = parts.category(world, category or ("280" if gross < 0 else "001"))
    return {"type": direct_type(code, gross), "category": code, **tax_of(world, wishes, code, gross)}


def tax_of(world: World, wishes: Wishes, code: str, gross: int) -> dict[str, Any]:
    """The tax inside what a category explains: an amount given wins over a rate, a rate over the category's own."""
    ec_status = wishes.choice("ec_status", words.EC_STATUSES_OF_SALES)
    if not world.company.vat_registered:
        return {}
    if wishes.peek("manual_sales_tax_amount") is not None or wishes.peek("sales_tax_status") not in (None, "TAXABLE"):
        claimed = parts.claimed_tax(world, wishes, code, gross)
        return {"tax_status": claimed["tax_status"], "tax": claimed.get("manual_tax", 0), "ec_status": ec_status}
    wishes.take("sales_tax_status")
    rate = parts.percentage(wishes)
    return rates.taxed(world, code, gross, rate=None if rate is None else str(rate), ec_status=ec_status)


def _document(world: World, wishes: Wishes) -> Invoice | CreditNote | Bill | None:
    invoice = wishes.take("paid_invoice")
    if invoice is not None:
        table: Any = world.credit_notes if "/credit_notes/" in str(invoice) else world.invoices
        found: Invoice | CreditNote = named(table, invoice)
        return found
    bill: Bill | None = wishes.one_of("paid_bill", world.bills)
    return bill


def _transferred(
    world: World, line: int, account: BankAccount, fields: dict[str, Any], *, at: int, gross: int, text: str
) -> int:
    """Both sides: the line at hand, and one entered by hand on the other account."""
    target = world.bank_accounts[fields.pop("linked_account")]
    day = world.transactions[line].dated_on
    native = (
        gross
        if account.currency == world.company.currency
        else times(gross, rates.exchange_rate(account.currency, day))
    )
    other = (
        gross if account.currency == target.currency else times(native, 1 / rates.exchange_rate(target.currency, day))
    )
    names = ("Transfer to Another Account", "Transfer from Another Account")
    mine = acts.explain(
        world,
        line,
        at=at,
        gross=gross,
        native=native,
        description=text,
        type=names[gross > 0],
        linked_explanation=world.explanations.next_id + 1,
        linked_account=target.id,
        **fields,
    )
    acts.entry(
        world,
        account=target,
        day=day,
        amount=-other,
        native=-native,
        description=text or "Transfer",
        at=at,
        is_manual=True,
        type=names[gross < 0],
        linked_explanation=mine,
        linked_account=account.id,
    )
    return mine


def direct_type(category: str, gross: int) -> str:
    """What FreeAgent calls money in or out against a category."""
    if category < "096":
        return "Sales" if gross > 0 else "Sales Refund"
    if category < "600":
        return "Payment" if gross < 0 else "Refund"
    return "Other Money Out" if gross < 0 else "Other Money In"
