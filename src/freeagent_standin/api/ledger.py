"""The ledger and its journal sets as FreeAgent sends them.

https://dev.freeagent.com/docs/transactions, /docs/journal_sets. A range of days must lie inside one accounting period,
as integrators report; the reference allows 12 months. Inferred: rows by day and id, descriptions but those in the
reference's examples, that a parent's code stands for all its sub-accounts in `nominal_code`, and that an undated set is
in no range of days.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from freeagent_standin.api.answers import bad_request, not_found
from freeagent_standin.api.desk import Body, Desk, day_text, instant, money, sent
from freeagent_standin.api.lists import Page, identifier, page_bounds
from freeagent_standin.api.reports import optional_day
from freeagent_standin.world import chart, entries
from freeagent_standin.world.assets import ASSET_CODES, STOCK, CapitalAsset
from freeagent_standin.world.books import World
from freeagent_standin.world.entities import (
    Bill,
    CreditNote,
    Expense,
    Explanation,
    Invoice,
    JournalLine,
    JournalSet,
    Reconciliation,
    Record,
    TaxProvision,
    VatFiling,
)
from freeagent_standin.world.entries import Row
from freeagent_standin.world.profiles import accounting_periods, accounting_year
from freeagent_standin.world.shelves import Table

_OUTSIDE = "No accounting period includes the specified dates"


def page(desk: Desk, query: Mapping[str, str]) -> Page:
    """The page of the ledger a query asks for."""
    since, until = _range(desk, query)
    ids = entries.window(desk.world, since, until, query.get("nominal_code", ""))
    number, per_page = page_bounds(query)
    first = (number - 1) * per_page
    found = [entries.row(desk.world, each) for each in ids[first : first + per_page]]
    rows = [each for each in found if each is not None]
    return Page(records=rows, number=number, per_page=per_page, total=len(ids))


def single(desk: Desk, key: str) -> Row:
    """One row by its id."""
    number = identifier(key)
    found = None if number is None else entries.row(desk.world, number)
    if found is None:
        raise not_found()
    return found


def transaction(desk: Desk, row: Row) -> Body:
    """One row: debit positive, in the company's currency."""
    record, leg = row.record, row.leg
    parent, name = leg.code.partition("-")[0], desk.world.account_name(leg.code)
    foreign: Body = {}
    if leg.currency:
        foreign = {"currency_code": leg.currency, "debit_value": money(leg.foreign)}
    return {
        "url": desk.url("accounting/transactions", row.id),
        "dated_on": day_text(row.day),
        "created_at": instant(record.created_at),
        "updated_at": instant(changed_at(desk, record)),
        "description": _description(desk, row) or name,
        "category": desk.category(parent),
        "category_name": name,
        "nominal_code": leg.code,
        "debit_value": money(leg.amount),
        **_source(desk, record),
        "foreign_currency_data": foreign,
    }


def _source(desk: Desk, record: Record) -> Body:
    """Where a row comes from; a VAT return's rows do not tell, as in the reference's example."""
    if isinstance(record, VatFiling):
        return {}
    if isinstance(record, TaxProvision):
        return {"source_item_url": desk.url("corporation_tax_returns", day_text(record.dated_on))}
    return {"source_item_url": desk.url(desk.world.table_of(record).name, record.id)}


def journal_set(desk: Desk, record: JournalSet, *, is_nested: bool, is_single: bool) -> Body:
    """One journal set; that of the opening balances has no date, and the banks' share with the sign turned."""
    body = sent(
        {
            "url": desk.url("journal_sets", record.id),
            "dated_on": None if record.dated_on is None else day_text(record.dated_on),
            "description": record.description,
            "tag": record.tag,
            "updated_at": instant(record.updated_at),
        }
    )
    if record.dated_on is not None:
        body["journal_entries"] = [
            _entry(desk, record, entry, entry.amount, entry.description) for entry in record.entries
        ]
        return body
    world = desk.world
    accounts = [each for each in world.bank_accounts if each.opening_native]
    banked = sum(each.opening_native for each in accounts)
    lines = [(entry, entry.amount - (banked if entry.code == chart.SUSPENSE else 0)) for entry in record.entries]
    body["journal_entries"] = [
        _entry(desk, record, entry, amount, _OPENING.get(entry.code, "Opening Balance"))
        for entry, amount in lines
        if amount
    ]
    body["bank_accounts"] = [
        {
            "url": desk.url("bank_accounts", each.id),
            "description": each.name,
            "debit_value": money(-each.opening_native),
        }
        for each in accounts
    ]
    body["stock_items"] = []
    return body


_OPENING = {chart.SUSPENSE: "Automatic Balancing Entry"}


def _entry(desk: Desk, record: JournalSet, line: JournalLine, amount: int, description: str) -> Body:
    parent, _, sub_code = line.code.partition("-")
    number = int(sub_code or 0)
    body: Body = {
        "url": desk.url(f"journal_sets/{record.id}/journal_entries", line.id),
        "category": desk.category(parent),
        "description": description,
        "debit_value": money(amount),
        "stock_altering_quantity": line.quantity,
    }
    for name, table, codes in _OWNERS:
        if parent in codes:
            owner = next((each for each in table(desk.world) if each.number == number), None)
            body[name] = None if owner is None else desk.url(f"{name}s", owner.id)
    return sent(body)


_OWNERS: tuple[tuple[str, Callable[[World], Table[Any]], tuple[str, ...]], ...] = (
    ("user", lambda world: world.people, chart.USER_CODES),
    ("capital_asset_type", lambda world: world.owned.capital_asset_types, ASSET_CODES),
    ("stock_item", lambda world: world.owned.stock_items, (STOCK,)),
)
"""Whose sub-account an entry can stand on: the attribute, the records, and the categories."""


def _range(desk: Desk, query: Mapping[str, str]) -> tuple[date, date]:
    """From the start of today's accounting period to today, where nothing else is said."""
    company = desk.world.company
    since = optional_day(query, "from_date") or accounting_year(company, desk.today)[0]
    until = optional_day(query, "to_date") or desk.today
    if since > until:
        raise bad_request("from_date must not be after to_date")
    if not any(first <= since and until <= last for first, last in accounting_periods(company, desk.today)):
        raise bad_request(_OUTSIDE)
    return since, until


def changed_at(desk: Desk, record: Record) -> int:
    """When a row last changed: what settles a foreign document follows that document's rate."""
    world = desk.world
    if isinstance(record, Reconciliation):
        documents: tuple[Invoice | CreditNote | Bill, ...] = (
            world.invoices[record.invoice],
            world.credit_notes[record.credit_note],
        )
    else:
        settled = world.settled_document(record) if isinstance(record, Explanation) else None
        documents = () if settled is None else (settled,)
    return max([record.updated_at, *(each.updated_at for each in documents if each.rate != 1)])


def _description(desk: Desk, row: Row) -> str:
    record, contacts = row.record, desk.world.contacts
    if isinstance(record, JournalSet):
        return record.entries[row.place].description or record.description
    if isinstance(record, CapitalAsset):
        return f"Depreciation of {record.description}"
    if isinstance(record, VatFiling):
        return f"VAT Return {record.dated_on:%m %y}*"
    if isinstance(record, TaxProvision):
        return f"Corporation Tax Provision for the Period Ending {record.dated_on.day} {record.dated_on:%B %Y}"
    if isinstance(record, Reconciliation):
        note, invoice = desk.world.credit_notes[record.credit_note], desk.world.invoices[record.invoice]
        return f"Credit Note {note.reference} against Invoice {invoice.reference}"
    if isinstance(record, Invoice | CreditNote | Bill):
        words = {Invoice: "Invoice", CreditNote: "Credit Note", Bill: "Bill"}[type(record)]
        return f"{contacts[record.contact].name} - {words} {record.reference}"
    return record.description if isinstance(record, Expense | Explanation) else ""
