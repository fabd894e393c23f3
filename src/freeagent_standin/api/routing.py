"""From a call to an answer: levels, routes, and the rules that belong to one resource alone.

Levels are cumulative (https://dev.freeagent.com/docs/introduction); what a user's level does not reach answers 403. A
record, resource or feature that is not there answers 404: sales_tax_periods and properties exist for other company
types only, and what the stand-in has not built yet is missing in the same way.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from freeagent_standin.api import directory, ledger, payroll, purchases, returns, schemes, work, writes
from freeagent_standin.api.answers import (
    Refusal,
    bad_request,
    document,
    emptied,
    forbidden,
    not_found,
    refusal,
    unprocessable,
)
from freeagent_standin.api.catalogue import LISTINGS
from freeagent_standin.api.deadlines import account_locks
from freeagent_standin.api.desk import Body, Desk
from freeagent_standin.api.documents import DOCUMENTS, default_text, printed
from freeagent_standin.api.lists import Listing, View, flag, identifier, page_of, paging_headers, rendered
from freeagent_standin.api.reports import REPORTS
from freeagent_standin.api.sales import items_of
from freeagent_standin.api.statements import lines_of
from freeagent_standin.wire import Answer, Call
from freeagent_standin.world.books import World
from freeagent_standin.world.entities import Attachment, Expense

_BY_NAME = {listing.name: listing for listing in LISTINGS}
_OWN_EXPENSES_ONLY = 2
_READ_ONLY = frozenset(
    {
        *("stock_items", "recurring_invoices", "capital_assets", "hire_purchases", "bank_feeds", "company"),
        *("accounting", "cashflow"),
    }
)
_OF_ONE_RECORD = frozenset(
    {
        *((name, "pdf", "GET") for name in ("invoices", "credit_notes", "estimates")),
        *((name, "duplicate", "POST") for name in ("invoices", "estimates")),
        *((name, "send_email", "POST") for name in ("invoices", "credit_notes", "estimates")),
        ("invoices", "direct_debit", "POST"),
        ("timeslips", "timer", "POST"),
        ("timeslips", "timer", "DELETE"),
    }
)


# How the reference pages spell two addresses once each.
_AS_DOCUMENTED = {"bank_transaction": "bank_transactions", "price_list_item": "price_list_items"}


def answer(world: World, call: Call) -> Answer:
    """Everything under /v2 but the two OAuth addresses. Never raises for what a caller sends."""
    world.arrive(call.now)
    try:
        return _route(Desk(world, call))
    except Refusal as refused:
        return refusal(call, refused)


def _route(desk: Desk) -> Answer:
    call = desk.call
    path = call.path.strip("/").removesuffix(".json").removesuffix(".xml")
    query = dict(call.query)
    parts = path.split("/")
    parts[0] = _AS_DOCUMENTED.get(parts[0], parts[0]) if len(parts) == 2 else parts[0]
    return_named = returns.address(desk, parts)
    if return_named is not None:
        desk.require(7)
        return returns.answered(desk, return_named, query)
    if parts[0] in ("payroll", "payroll_profiles"):
        return payroll.answered(desk, parts, query)
    if not _exists(desk, parts):
        raise not_found()
    if call.method != "GET":
        return _write(desk, parts)
    if path == "company":
        desk.require(1)
        return document(call, {"company": directory.company(desk)}, modified=desk.world.company.updated_at)
    if path == "users/me":
        return _me(desk)
    if path in DOCUMENTS:
        level, make = DOCUMENTS[path]
        desk.require(level)
        return document(call, make(desk))
    if parts[0] == "categories":
        return _categories(desk, parts, query)
    if parts[:2] == ["accounting", "transactions"]:
        return _ledger(desk, parts, query)
    if path in REPORTS:
        level, report = REPORTS[path]
        desk.require(level)
        return document(call, report(desk, query))
    if path == "journal_sets/opening_balances":
        parts = ["journal_sets", str(desk.world.opening.id)]
    if parts[0] == "attachments":
        return _attachment(desk, parts[1])
    if path == "bill_items" or (parts[0] == "bill_items" and len(parts) == 2):
        return _bill_items(desk, parts, query)
    if path == "cis_bands":
        desk.require(4)
        return document(call, {"available_bands": directory.cis_bands(desk)})
    if path == "cis_settings":
        desk.require(8)
        return document(call, schemes.cis_settings(desk))
    if path == "ec_moss/sales_tax_rates":
        desk.require(1)
        return document(call, schemes.moss_rates(query))
    if path == "email_addresses":
        desk.require(1)
        return document(call, {"email_addresses": [f"{each.name} <{each.email}>" for each in desk.world.users]})
    listing = _BY_NAME[parts[0]]
    desk.require(listing.level)
    if len(parts) == 3:
        _record(desk, listing, parts[1])
        return document(call, printed())
    return _list(desk, listing, query) if len(parts) == 1 else _single(desk, listing, parts[1], query)


def _exists(desk: Desk, parts: list[str]) -> bool:
    head, size = parts[0], len(parts)
    if "/".join(parts) in DOCUMENTS or "/".join(parts) in REPORTS:
        return True
    if head in ("company", "email_addresses"):
        return size == 1
    if head == "cis_settings":
        return size == 1 and desk.world.company.is_british
    if head == "ec_moss":
        return parts == ["ec_moss", "sales_tax_rates"] and desk.call.method == "GET"
    if head == "cis_bands":
        return size == 1 and desk.world.company.cis_subcontractor
    if parts[:2] == ["accounting", "transactions"]:
        return size <= 3
    if head == "attachments":
        return size == 2
    if head in _BY_NAME and size == 4:
        return parts[2] == "transitions" and desk.call.method != "GET"
    if head in _BY_NAME and size == 3:
        return (head, parts[2], desk.call.method) in _OF_ONE_RECORD
    if head in _BY_NAME and not _BY_NAME[head].exists(desk.world.company):
        return False
    if head == "invoice_items":
        return size == 1 and desk.call.method == "POST"
    if head == "estimate_items":
        return desk.call.method == ("POST" if size == 1 else desk.call.method) and desk.call.method != "GET"
    return (head in _BY_NAME or head in ("categories", "bill_items")) and size <= 2


def _write(desk: Desk, parts: list[str]) -> Answer:
    """Anything but a read: what FreeAgent takes, refuses, or does not know."""
    method, listing = desk.call.method, _BY_NAME.get(parts[0])
    if method not in ("POST", "PUT", "PATCH", "DELETE") or parts[0] in _READ_ONLY:
        raise not_found()
    if parts == ["bank_transactions", "statement"]:
        return _upload(desk)
    if parts == ["account_locks"] and method in ("PUT", "DELETE"):
        return _lock(desk)
    if parts[-1] == "default_additional_text" and method in ("PUT", "PATCH", "DELETE"):
        return _write_default_text(desk, parts)
    if "/".join(parts) in DOCUMENTS:
        raise not_found()
    if parts[0] == "categories":
        return _write_category(desk, parts)
    if parts[0] == "attachments":
        return _delete_attachment(desk, parts[1])
    if parts[0] == "cis_settings" and method in ("PUT", "PATCH"):
        desk.require(8)
        writes.scheme_changed(desk)
        return document(desk.call, schemes.cis_settings(desk))
    if parts[0] == "estimate_items":
        return _write_item_of_estimate(desk, parts)
    if parts[0] == "invoice_items":
        desk.require(4)
        return document(desk.call, {"invoice_item": items_of(desk, writes.item_of_invoice_added(desk))[-1]})
    if listing is None:
        raise not_found()
    if parts == ["users", "me"] and method != "DELETE":
        return _change_me(desk, listing)
    desk.require(listing.write_level or listing.level)
    if len(parts) == 1:
        if method != "POST":
            raise not_found()
        return _create(desk, listing)
    record = _record(desk, listing, parts[1])
    if len(parts) == 3:
        return _act_on(desk, listing, record, parts[2])
    if len(parts) == 4:
        if method not in ("PUT", "PATCH") or parts[2] != "transitions":
            raise not_found()
        if parts[3] == "convert_to_credit_note" and listing.name == "invoices":
            return _written(desk, _BY_NAME["credit_notes"], writes.credited(desk, record), status=200)
        writes.moved(desk, listing.name, listing.singular, record, parts[3])
    elif method == "DELETE":
        before = rendered(desk, listing, record, is_nested=False, is_single=True)
        writes.deleted(desk, listing.name, listing.singular, record)
        if listing.name == "capital_asset_types":
            return document(desk.call, {listing.singular: before})
        # Published clients read this one as JSON, and show by it that it is.
        return document(desk.call, {}) if listing.name == "timeslips" else emptied(desk.call)
    elif method == "POST":
        raise not_found()
    else:
        writes.changed(desk, listing.name, listing.singular, record)
    return _written(desk, listing, record.id, status=200)


def _create(desk: Desk, listing: Listing) -> Answer:
    together = writes.created_together(desk, listing.name, listing.singular)
    if together is None:
        number = writes.created(desk, listing.name, listing.singular)
        return _written(desk, listing, number, status=200 if listing.name == "notes" else 201)
    table = listing.table(desk.world)
    rows = [rendered(desk, listing, table[number], is_nested=False, is_single=True) for number in together]
    return document(desk.call, {listing.name: rows}, status=201)


def _act_on(desk: Desk, listing: Listing, record: Any, act: str) -> Answer:
    """What is done to one record: a duplicate, a timer, an e-mail that nobody gets."""
    number = record.id
    if act == "duplicate":
        number = writes.duplicated(desk, listing.name, listing.singular, record)
    elif act == "timer":
        writes.timed(desk, record, runs=desk.call.method == "POST")
    elif act == "direct_debit":
        raise unprocessable("Direct Debit is not available for this invoice")
    elif record.status in ("Draft", "draft", "scheduled"):
        writes.moved(desk, listing.name, listing.singular, record, "mark_as_sent")
    if act == "send_email":
        return emptied(desk.call)
    return _written(desk, listing, number, status=200)


def _write_item_of_estimate(desk: Desk, parts: list[str]) -> Answer:
    desk.require(4)
    number = identifier(parts[1]) if len(parts) == 2 else None
    if len(parts) == 2 and number is None:
        raise not_found()
    number = writes.item_of_estimate_written(desk, number)
    estimate = desk.world.held.estimate_with(number)
    if estimate is None:
        return emptied(desk.call)
    position, item = next(each for each in enumerate(estimate.items, start=1) if each[1].id == number)
    return document(desk.call, {"estimate_item": work.estimate_item(desk, estimate, item, position)})


def _write_default_text(desk: Desk, parts: list[str]) -> Answer:
    desk.require(4)
    writes.default_text_written(desk, parts[0])
    return emptied(desk.call) if desk.call.method == "DELETE" else document(desk.call, default_text(desk, parts[0]))


def _write_category(desk: Desk, parts: list[str]) -> Answer:
    """Answered, deletes too, by the category under the key of its group."""
    desk.require(2)
    code, method = parts[1] if len(parts) > 1 else "", desk.call.method
    if (method == "POST") != (not code):
        raise not_found()
    before = directory.category(desk, code)
    if code and before is None:
        raise not_found()
    code = writes.category_written(desk, code)
    written = before if method == "DELETE" else directory.category(desk, code)
    if written is None:
        raise not_found()
    where = (("Location", desk.category(code)),) if method == "POST" else ()
    return document(desk.call, {written[0]: written[1]}, headers=where, status=201 if method == "POST" else 200)


def _lock(desk: Desk) -> Answer:
    desk.require(8)
    writes.locked(desk)
    if desk.call.method == "DELETE":
        return emptied(desk.call)
    return document(desk.call, {"account_locks": account_locks(desk)["account_locks"]})


def _upload(desk: Desk) -> Answer:
    """A bank statement; the answer does not wait for its lines (https://dev.freeagent.com/docs/bank_transactions)."""
    if desk.call.method != "POST":
        raise not_found()
    desk.require(6)
    account = identifier(dict(desk.call.query).get("bank_account", ""))
    if account is None or desk.world.bank_accounts.get(account) is None:
        raise not_found()
    writes.imported(desk, account, lines_of(desk.call.body))
    return emptied(desk.call)


def _change_me(desk: Desk, listing: Listing) -> Answer:
    """Everybody may change their own profile; nobody their own level (inferred)."""
    desk.require(1)
    record = _record(desk, listing, str(desk.call.user_id))
    writes.changed(desk, listing.name, listing.singular, record, except_for="permission_level")
    return _written(desk, listing, record.id, status=200)


def _delete_attachment(desk: Desk, key: str) -> Answer:
    if desk.call.method != "DELETE":
        raise not_found()
    resource, file = _file(desk, key)
    writes.detached(desk, resource, desk.world.owner_of_file(file.id))
    return emptied(desk.call)


def _written(desk: Desk, listing: Listing, number: int, *, status: int) -> Answer:
    """A record as it is after a write, and where it is."""
    body = rendered(desk, listing, listing.table(desk.world)[number], is_nested=False, is_single=True)
    where = (("Location", desk.url(listing.name, number)),) if status == 201 else ()
    return document(desk.call, {listing.singular: body}, headers=where, status=status)


def _list(desk: Desk, listing: Listing, query: Mapping[str, str]) -> Answer:
    if listing.name == "expenses" and desk.call.level == _OWN_EXPENSES_ONLY:
        listing = _own_expenses(desk, listing)
    page = page_of(desk, listing, query)
    is_nested = bool(listing.nested) and flag(query.get(listing.nested))
    rows = [rendered(desk, listing, record, is_nested=is_nested, is_single=False) for record in page.records]
    return document(desk.call, {listing.name: rows}, headers=paging_headers(desk.call, page))


def _single(desk: Desk, listing: Listing, key: str, query: Mapping[str, str]) -> Answer:
    record = _record(desk, listing, key)
    is_nested = bool(listing.nested) and flag(query.get(listing.nested))
    body = rendered(desk, listing, record, is_nested=is_nested, is_single=True)
    return document(desk.call, {listing.singular: body}, modified=record.updated_at)


def _record(desk: Desk, listing: Listing, key: str) -> Any:
    number = identifier(key)
    record: Any = None if number is None else listing.table(desk.world).get(number)
    if record is None:
        raise not_found()
    if isinstance(record, Expense) and desk.call.level == _OWN_EXPENSES_ONLY and record.user != desk.call.user_id:
        raise forbidden("You do not have permission to access this resource")
    return record


def _own_expenses(desk: Desk, listing: Listing) -> Listing:
    """A user of level 2 sees only the own claims (inferred)."""
    mine = desk.call.user_id

    def own(view: View) -> View:
        return lambda desk, it: it.user == mine and view(desk, it)

    views = {name: own(view) for name, view in listing.views.items()} | {"own": own(lambda _desk, _it: True)}
    return msgspec.structs.replace(listing, reader=mine, views=views, default_view="own")


def _me(desk: Desk) -> Answer:
    desk.require(1)
    record = desk.world.people.get(desk.call.user_id)
    if record is None:
        raise not_found()
    body = directory.user(desk, record, is_nested=False, is_single=True) | {"permission_level": desk.call.level}
    return document(desk.call, {"user": body}, modified=record.updated_at)


def _categories(desk: Desk, parts: list[str], query: Mapping[str, str]) -> Answer:
    """One unpaged document of four groups; a single category answers under the key of its group."""
    desk.require(2)
    if len(parts) == 1:
        return document(desk.call, directory.categories(desk, with_sub_accounts=flag(query.get("sub_accounts"))))
    found = directory.category(desk, parts[1])
    if found is None:
        raise not_found()
    group, body = found
    return document(desk.call, {group: body})


def _ledger(desk: Desk, parts: list[str], query: Mapping[str, str]) -> Answer:
    desk.require(7)
    if len(parts) == 3:
        row = ledger.single(desk, parts[2])
        return document(
            desk.call, {"transaction": ledger.transaction(desk, row)}, modified=ledger.changed_at(desk, row.record)
        )
    page = ledger.page(desk, query)
    rows = [ledger.transaction(desk, row) for row in page.records]
    return document(desk.call, {"transactions": rows}, headers=paging_headers(desk.call, page))


def _attachment(desk: Desk, key: str) -> Answer:
    return document(desk.call, {"attachment": purchases.attachment(desk, _file(desk, key)[1])})


def _file(desk: Desk, key: str) -> tuple[str, Attachment]:
    """Access needs the level of the record the file hangs on (https://dev.freeagent.com/docs/attachments)."""
    number = identifier(key)
    found = None if number is None else desk.world.attachment(number)
    if found is None:
        raise not_found()
    desk.require(_BY_NAME[found[0]].level)
    return found


def _bill_items(desk: Desk, parts: list[str], query: Mapping[str, str]) -> Answer:
    desk.require(5)
    world = desk.world
    if len(parts) == 2:
        number = identifier(parts[1])
        for bill in world.bills:
            for item in bill.items:
                if item.id == number:
                    return document(desk.call, {"bill_item": purchases.bill_item(desk, bill, item)})
        raise not_found()
    wanted = identifier(query.get("bill", ""))
    if wanted is None:
        raise bad_request("bill parameter is required")
    found = world.bills.get(wanted)
    if found is None:
        raise not_found()
    rows: list[Body] = [purchases.bill_item(desk, found, item) for item in found.items]
    return document(desk.call, {"bill_items": rows}, headers=(("Link", ""), ("X-Total-Count", str(len(rows)))))
