"""What FreeAgent offers, and how to read all of it. Parents come first.

Filters are sent that widen each list to everything: several have views that hide records by default.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

import msgspec

from comptoir.integrations.contract import ByDay, InOrder, Kind, Link, Proof, RawRecord, Resource
from comptoir.integrations.freeagent import months, periods
from comptoir.integrations.freeagent.adding_up import adds_up
from comptoir.integrations.freeagent.drifting import without
from comptoir.integrations.freeagent.reading import payload_of
from comptoir.integrations.freeagent.references import (
    POSTING,
    day,
    identifier,
    in_a_key,
    is_credit_note,
    last_segment,
    moment,
    number_in,
    posted_with,
)
from comptoir.model.money import plain

__all__ = ["CATEGORY_GROUPS", "RESOURCES"]

_ORDINARY = 30  # digits before or after the point; what is longer is no amount to be netted by
_EXPLANATIONS = "bank_transaction_explanations"
_BANK = b'"750'  # the parent code of bank accounts
_DIGITS_ALONE = str.maketrans("", "", "-T:")

CATEGORY_GROUPS = (
    "admin_expenses_categories",
    "cost_of_sales_categories",
    "income_categories",
    "general_categories",
)


class _Filed(msgspec.Struct):
    """The little that filing a record needs; everything else is skipped while reading."""

    url: str
    updated_at: str | None = None


class _Sold(_Filed):
    contact: str | None = None
    project: str | None = None


class _BillItem(msgspec.Struct):
    project: str | None = None


class _Bill(_Sold):
    rebill_to_project: str | None = None
    bill_items: tuple[_BillItem, ...] | None = None


class _Reconciled(_Filed):
    invoice: str | None = None
    credit_note: str | None = None


class _Project(_Filed):
    contact: str | None = None


class _Explained(_Filed):
    paid_invoice: str | None = None
    paid_bill: str | None = None
    linked_transfer_explanation: str | None = None
    project: str | None = None
    bank_transaction: str | None = None
    bank_account: str | None = None
    dated_on: str | None = None
    gross_value: Decimal | None = None


class _Line(_Filed):
    bank_account: str = ""
    dated_on: str = ""
    created_at: str | None = None


class _Spent(_Filed):
    project: str | None = None


class _Posted(_Filed):
    source_item_url: str | None = None
    dated_on: str = ""
    # Looked at as they are written: a line is filed whatever stands here.
    nominal_code: msgspec.Raw = msgspec.field(default_factory=msgspec.Raw)
    foreign_currency_data: msgspec.Raw = msgspec.field(default_factory=msgspec.Raw)


class _Dated(msgspec.Struct):
    updated_at: str | None = None


class _Coded(msgspec.Struct):
    nominal_code: str


class _Balance(msgspec.Struct):
    display_nominal_code: str


def _links(*named: tuple[str, str, str | None]) -> tuple[Link, ...]:
    """What is no reference links to nothing: mapping says so of the record, which is filed all the same."""
    found = []
    for name, resource, url in named:
        if url and (number := number_in(url)) is not None:
            found.append(Link(name, resource, number))
    return tuple(found)


def _reader(
    kind: type[_Filed],
    links: Callable[[msgspec.Struct], tuple[Link, ...]] = lambda _: (),
    sort_key: Callable[[msgspec.Struct], str] = lambda _: "",
) -> Callable[[bytes], RawRecord]:
    decode = payload_of(kind)

    def read(body: bytes) -> RawRecord:
        record = decode(body)
        return RawRecord(
            id=last_segment(record.url),
            updated_at=moment(record.updated_at),
            links=links(record),
            sort_key=sort_key(record),
        )

    return read


def _sold(record: msgspec.Struct) -> tuple[Link, ...]:
    assert isinstance(record, _Sold)
    return _links(("contact", "contacts", record.contact), ("project", "projects", record.project))


def _bill(record: msgspec.Struct) -> tuple[Link, ...]:
    """A line may be for another project than its bill."""
    assert isinstance(record, _Bill)
    projects = (record.project, record.rebill_to_project, *(item.project for item in record.bill_items or ()))
    named = (("project", "projects", project) for project in dict.fromkeys(projects))
    return tuple(dict.fromkeys(_links(("contact", "contacts", record.contact), *named)))


def _reconciled(record: msgspec.Struct) -> tuple[Link, ...]:
    assert isinstance(record, _Reconciled)
    return _links(("invoice", "invoices", record.invoice), ("credit_note", "credit_notes", record.credit_note))


def _project(record: msgspec.Struct) -> tuple[Link, ...]:
    assert isinstance(record, _Project)
    return _links(("contact", "contacts", record.contact))


def _explained(record: msgspec.Struct) -> tuple[Link, ...]:
    assert isinstance(record, _Explained)
    paid = record.paid_invoice
    # A credit note is refunded by an explanation whose paid_invoice points at it.
    to = "credit_notes" if paid and is_credit_note(paid) else "invoices"
    return _links(
        (f"paid_{to}", to, paid),
        ("paid_bill", "bills", record.paid_bill),
        ("linked_transfer", "bank_transaction_explanations", record.linked_transfer_explanation),
        ("project", "projects", record.project),
        ("bank_transaction", "bank_transactions", record.bank_transaction),
    ) + _netted(record)


def _netted(record: _Explained) -> tuple[Link, ...]:
    """A bill is settled against a supplier's credit by two entries of one size on one account and day."""
    account = number_in(record.bank_account)
    if not record.paid_bill or not account or not record.dated_on or not record.gross_value:
        return ()
    if not (record.gross_value.is_finite() and abs(record.gross_value.adjusted()) < _ORDINARY):
        return ()
    return (Link("netted", "", f"{account} {in_a_key(record.dated_on[:10])} {plain(abs(record.gross_value))}"),)


def _spent(record: msgspec.Struct) -> tuple[Link, ...]:
    assert isinstance(record, _Spent)
    return _links(("project", "projects", record.project))


def _in_order(record: msgspec.Struct) -> str:
    """Bank lines in the order in which a running balance adds them up."""
    assert isinstance(record, _Line)
    created: datetime | None = moment(record.created_at)
    entered = created.isoformat()[:19].translate(_DIGITS_ALONE) if created else ""
    account, dated_on = number_in(record.bank_account) or "", in_a_key(record.dated_on)
    return f"{account}|{dated_on}|{entered}|{last_segment(record.url):0>20}"


def _posted(record: msgspec.Struct) -> tuple[Link, ...]:
    assert isinstance(record, _Posted)
    link = Link(*posted_with(record.source_item_url, record.dated_on))
    if link.resource == _EXPLANATIONS and _is_bank_in_foreign_currency(record):
        return (link, Link("foreign", _EXPLANATIONS, link.id))
    return (link,)


def _is_bank_in_foreign_currency(record: _Posted) -> bool:
    """Such a line tells at what rate a movement was booked. Those of base currency, nearly all, are not looked up."""
    return bytes(record.nominal_code)[:4] == _BANK and b'"currency_code"' in bytes(record.foreign_currency_data)


class _Placed(msgspec.Struct):
    dated_on: str | None = None
    created_at: str | None = None


_placed = payload_of(_Placed)


def _entered(body: bytes) -> str | None:
    created = moment(_placed(body).created_at)
    return None if created is None else created.isoformat()


def _day(body: bytes) -> str | None:
    text = _placed(body).dated_on
    dated = day(text) if text else None
    return None if dated is None else dated.isoformat()


_BY_DAY = ByDay(first="from_date", last="to_date", day=_day)
_AS_ENTERED = InOrder(params=(("sort", "created_at"),), moment=_entered)
_NEWEST_FIRST = (("sort", "-updated_at"),)


# A document tells what was paid of it, a contact what it owes, a bank line how it is explained.
_OF_DOCUMENT = frozenset({"contact"})
_OF_RECONCILIATION = frozenset({"invoice", "credit_note"})
_OF_EXPLANATION = frozenset({"paid_invoices", "paid_credit_notes", "paid_bill", "bank_transaction"})

_dated, _coded, _balance = payload_of(_Dated), payload_of(_Coded), payload_of(_Balance)


def _read_category(body: bytes) -> RawRecord:
    return RawRecord(id=identifier(_coded(body).nominal_code), updated_at=None)


def _read_balance(body: bytes) -> RawRecord:
    return RawRecord(id=identifier(_balance(body).display_nominal_code), updated_at=None)


def _read_company(body: bytes) -> RawRecord:
    return RawRecord(id="company", updated_at=moment(_dated(body).updated_at))


def _read_report(body: bytes) -> RawRecord:
    return RawRecord(id="", updated_at=None)  # it goes by the name of its window


RESOURCES = (
    Resource(name="company", path="/company", kind=Kind.SINGLE, keys=("company",), read=_read_company),
    Resource(
        name="categories",
        path="/categories",
        kind=Kind.DOCUMENT,
        keys=CATEGORY_GROUPS,
        read=_read_category,
        params=(("sub_accounts", "true"),),
        access_level=2,
    ),
    Resource(
        name="users",
        path="/users",
        kind=Kind.LIST,
        keys=("users",),
        read=_reader(_Filed),
        params=(("view", "all"),),
        access_level=7,
    ),
    Resource(
        name="contacts",
        path="/contacts",
        kind=Kind.LIST,
        keys=("contacts",),
        read=_reader(_Filed),
        params=(("view", "all"),),
        since="updated_since",
        lasting=without("account_balance", "active_projects_count"),
        narrowing=_AS_ENTERED,
    ),
    Resource(
        name="projects",
        path="/projects",
        kind=Kind.LIST,
        keys=("projects",),
        read=_reader(_Project, _project),
        access_level=3,
        newest_first=_NEWEST_FIRST,
        lasting=without(),
        narrowing=_AS_ENTERED,
    ),
    Resource(
        name="properties",
        path="/properties",
        kind=Kind.LIST,
        keys=("properties",),
        read=_reader(_Filed),
        access_level=7,
    ),
    Resource(
        name="bank_accounts",
        path="/bank_accounts",
        kind=Kind.LIST,
        keys=("bank_accounts",),
        read=_reader(_Filed),
        access_level=6,
    ),
    Resource(
        name="sales_tax_periods",
        path="/sales_tax_periods",
        kind=Kind.LIST,
        keys=("sales_tax_periods",),
        read=_reader(_Filed),
        access_level=4,
    ),
    Resource(
        name="price_list_items",
        path="/price_list_items",
        kind=Kind.LIST,
        keys=("price_list_items",),
        read=_reader(_Filed),
        access_level=4,
        newest_first=_NEWEST_FIRST,
        narrowing=_AS_ENTERED,
    ),
    Resource(
        name="stock_items",
        path="/stock_items",
        kind=Kind.LIST,
        keys=("stock_items",),
        read=_reader(_Filed),
        access_level=4,
        lasting=without("stock_on_hand"),  # which moves without a date: the list is always read whole
    ),
    Resource(
        name="invoices",
        path="/invoices",
        kind=Kind.LIST,
        keys=("invoices",),
        read=_reader(_Sold, _sold),
        params=(("view", "all"), ("nested_invoice_items", "true")),
        access_level=4,
        since="updated_since",
        lasting=without(),
        touches=_OF_DOCUMENT,
        narrowing=_AS_ENTERED,
        day=_day,
    ),
    Resource(
        name="credit_notes",
        path="/credit_notes",
        kind=Kind.LIST,
        keys=("credit_notes",),
        read=_reader(_Sold, _sold),
        params=(("view", "all"), ("nested_credit_note_items", "true")),
        access_level=4,
        since="updated_since",
        lasting=without(),
        touches=_OF_DOCUMENT,
        narrowing=_AS_ENTERED,
        day=_day,
    ),
    Resource(
        name="credit_note_reconciliations",
        path="/credit_note_reconciliations",
        kind=Kind.LIST,
        keys=("credit_note_reconciliations",),
        read=_reader(_Reconciled, _reconciled),
        access_level=4,
        since="updated_since",
        touches=_OF_RECONCILIATION,
        narrowing=_BY_DAY,
        day=_day,
    ),
    Resource(
        name="bills",
        path="/bills",
        kind=Kind.LIST,
        keys=("bills",),
        read=_reader(_Bill, _bill),
        params=(("view", "all"), ("nested_bill_items", "true")),
        access_level=5,
        since="updated_since",
        lasting=without("capital_asset"),
        touches=_OF_DOCUMENT,
        narrowing=_BY_DAY,
        day=_day,
    ),
    Resource(
        name="expenses",
        path="/expenses",
        kind=Kind.LIST,
        keys=("expenses",),
        read=_reader(_Spent, _spent),
        access_level=2,
        since="updated_since",
        lasting=without("capital_asset", "project_name"),
        narrowing=_BY_DAY,
        day=_day,
    ),
    Resource(
        name="bank_transactions",
        path="/bank_transactions",
        kind=Kind.LIST,
        keys=("bank_transactions",),
        read=_reader(_Line, sort_key=_in_order),
        per="bank_accounts",
        per_param="bank_account",
        access_level=6,
        since="updated_since",
        lasting=without("detail"),
        narrowing=_BY_DAY,
        day=_day,
    ),
    Resource(
        name="bank_transaction_explanations",
        path="/bank_transaction_explanations",
        kind=Kind.LIST,
        keys=("bank_transaction_explanations",),
        read=_reader(_Explained, _explained),
        per="bank_accounts",
        per_param="bank_account",
        access_level=6,
        since="updated_since",
        lasting=without("detail"),
        touches=_OF_EXPLANATION,
        narrowing=_BY_DAY,
        day=_day,
    ),
    Resource(
        name="trial_balance",
        path="/accounting/trial_balance/summary",
        kind=Kind.DOCUMENT,
        keys=("trial_balance_summary",),
        read=_read_balance,
        access_level=7,
        today_param="to_date",
        is_derived=True,
    ),
    Resource(
        name="opening_balances",
        path="/accounting/trial_balance/summary/opening_balances",
        kind=Kind.REPORT,
        keys=("trial_balance_summary",),
        read=_read_report,
        access_level=7,
    ),
    Resource(
        name="journal_sets",
        path="/journal_sets",
        kind=Kind.LIST,
        keys=("journal_sets",),
        read=_reader(_Filed),
        access_level=7,
        # No `since`: the opening balances tell names of bank accounts, and are not dated.
        day=_day,
    ),
    Resource(
        name="closing_balances",
        path="/accounting/trial_balance/summary",
        kind=Kind.REPORT,
        keys=("trial_balance_summary",),
        read=_read_report,
        access_level=7,
        windows=periods.closings,
        windows_of=("company",),
    ),
    Resource(
        name="ledger_transactions",
        path="/accounting/transactions",
        kind=Kind.LIST,
        keys=("transactions",),
        read=_reader(_Posted, _posted),
        access_level=7,
        windows=periods.years,
        windows_of=("company",),
        closed_until_moved="closing_balances",
        moved_by=POSTING,
        worded_by=("contacts", "capital_assets"),
        proof=Proof(
            report="closing_balances",
            asked=lambda window: (("to_date", window.last),),
            beside=("closing_balances", "opening_balances"),
            holds=adds_up,
        ),
        asked_by_id=False,
        is_derived=True,
    ),
    Resource(
        name="dated_balances",
        path="/accounting/trial_balance/summary",
        kind=Kind.REPORT,
        keys=("trial_balance_summary",),
        read=_read_report,
        access_level=7,
        windows=months.balances,
        windows_of=("company",),
        closed_until_moved="closing_balances",
        moved_by=POSTING,
    ),
    Resource(
        name="profit_and_loss",
        path="/accounting/profit_and_loss/summary",
        kind=Kind.REPORT,
        keys=("profit_and_loss_summary",),
        read=_read_report,
        access_level=7,
        windows=months.profits,
        windows_of=("company",),
        closed_until_moved="dated_balances",
    ),
    Resource(
        name="balance_sheet",
        path="/accounting/balance_sheet",
        kind=Kind.REPORT,
        keys=("balance_sheet",),
        read=_read_report,
        access_level=7,
        windows=months.sheets,
        windows_of=("company",),
        closed_until_moved="dated_balances",
    ),
    Resource(
        name="cashflow",
        path="/cashflow",
        kind=Kind.REPORT,
        keys=("cashflow",),
        read=_read_report,
        access_level=6,
        windows=months.cash,
        windows_of=("company",),
    ),
    # The last of today's balances once more: reports that were read in between tell of the same books if both agree.
    Resource(
        name="balances_afterwards",
        path="/accounting/trial_balance/summary",
        kind=Kind.REPORT,
        keys=("trial_balance_summary",),
        read=_read_report,
        access_level=7,
        today_param="to_date",
        after=("dated_balances", "profit_and_loss", "balance_sheet", "cashflow"),
    ),
)
