"""Which resources the stand-in lists, and how: the table behind the routes.

Levels, filters, views and sorts are those of the reference pages, one a resource, under
https://dev.freeagent.com/docs. Inferred: the views `open` and `overdue` follow the status shown;
`recent_open_or_overdue` means dated within six months; a client has been invoiced and a supplier has sent a bill;
projects without a view are all projects.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from freeagent_standin.api import assets, banking, directory, ledger, purchases, sales, work
from freeagent_standin.api.desk import Desk
from freeagent_standin.api.lists import Listing, View
from freeagent_standin.world.kinds import LANDLORD

_RECENT = timedelta(days=183)
_OWED = ("Open", "Overdue")


def _invoice_is(*statuses: str) -> View:
    return lambda desk, it: sales.invoice_status(desk, it) in statuses


def _credit_note_is(*statuses: str) -> View:
    return lambda desk, it: sales.credit_note_status(desk, it) in statuses


def _bill_is(*statuses: str) -> View:
    return lambda desk, it: purchases.bill_status(desk, it) in statuses


def _contact_ids(desk: Desk, *resources: str) -> set[int]:
    tables = desk.world.tables()
    return {document.contact for resource in resources for document in tables[resource]}


def _contact_with(*resources: str) -> View:
    def view(desk: Desk, it: Any) -> bool:
        return it.id in desk.remembered(("contacts of", *resources), lambda: _contact_ids(desk, *resources))

    return view


def _open_contacts(desk: Desk, resource: str) -> set[int]:
    world = desk.world
    return {each.contact for each in world.tables()[resource] if world.is_posted(each) and world.due(each) > 0}


def _contact_owing(resource: str) -> View:
    def view(desk: Desk, it: Any) -> bool:
        return it.id in desk.remembered(("open contacts of", resource), lambda: _open_contacts(desk, resource))

    return view


def _contact_with_project(status: str) -> View:
    return lambda desk, it: any(each.contact == it.id and each.status == status for each in desk.world.projects)


def _has_ended(desk: Desk, it: Any) -> bool:
    return it.ends_on is not None and it.ends_on < desk.today


_created_at = {"created_at": lambda _desk, it: it.created_at, "updated_at": lambda _desk, it: it.updated_at}

LISTINGS = (
    Listing(
        name="users",
        singular="user",
        level=7,
        table=lambda world: world.people,
        render=directory.user,
        views={
            "staff": lambda _desk, it: it.role != "Accountant",
            "active_staff": lambda _desk, it: it.role != "Accountant" and not it.hidden,
            "advisors": lambda _desk, it: it.role == "Accountant",
            "active_advisors": lambda _desk, it: it.role == "Accountant" and not it.hidden,
        },
    ),
    Listing(
        name="contacts",
        singular="contact",
        level=1,
        table=lambda world: world.contacts,
        render=directory.contact,
        views={
            "all": lambda _desk, _it: True,
            "active": lambda _desk, it: it.status == "Active",
            "hidden": lambda _desk, it: it.status == "Hidden",
            "clients": _contact_with("invoices", "credit_notes"),
            "suppliers": _contact_with("bills"),
            "active_projects": _contact_with_project("Active"),
            "completed_projects": _contact_with_project("Completed"),
            "open_clients": _contact_owing("invoices"),
            "open_suppliers": _contact_owing("bills"),
        },
        default_view="active",
        sorts={"name": lambda _desk, it: it.name.casefold()} | _created_at,
        default_sort="name",
        has_updated_since=True,
    ),
    Listing(
        name="projects",
        singular="project",
        level=3,
        table=lambda world: world.projects,
        render=directory.project,
        views={
            "active": lambda _desk, it: it.status == "Active",
            "completed": lambda _desk, it: it.status == "Completed",
            "cancelled": lambda _desk, it: it.status == "Cancelled",
            "hidden": lambda _desk, it: it.status == "Hidden",
        },
        sorts={
            "name": lambda _desk, it: it.name.casefold(),
            "contact_name": lambda desk, it: desk.world.contacts[it.contact].name.casefold(),
            "contact_display_name": lambda desk, it: desk.world.contacts[it.contact].name.casefold(),
        }
        | _created_at,
        default_sort="name",
        relations={"contact": lambda it: it.contact},
        nested="nested",
    ),
    Listing(
        name="price_list_items",
        singular="price_list_item",
        level=4,
        table=lambda world: world.price_list,
        render=directory.price_list_item,
        sorts={"code": lambda _desk, it: it.code} | _created_at,
        default_sort="created_at",
    ),
    Listing(
        name="bank_accounts",
        singular="bank_account",
        level=6,
        table=lambda world: world.bank_accounts,
        render=banking.bank_account,
        views={
            "standard_bank_accounts": lambda _desk, it: it.type == "StandardBankAccount",
            "credit_card_accounts": lambda _desk, it: it.type == "CreditCardAccount",
            "paypal_accounts": lambda _desk, it: it.type == "PaypalAccount",
        },
    ),
    Listing(
        name="invoices",
        singular="invoice",
        level=4,
        table=lambda world: world.invoices,
        render=sales.invoice,
        views={
            "open": _invoice_is("Open"),
            "overdue": _invoice_is("Overdue"),
            "open_or_overdue": _invoice_is(*_OWED),
            "recent_open_or_overdue": lambda desk, it: (
                it.dated_on >= desk.today - _RECENT and sales.invoice_status(desk, it) in _OWED
            ),
            "draft": _invoice_is("Draft"),
            "paid": _invoice_is("Paid"),
            "scheduled_to_email": _invoice_is("Scheduled To Email"),
            "thank_you_emails": lambda _desk, _it: False,
            "reminder_emails": lambda _desk, _it: False,
        },
        months_view=True,
        sorts=_created_at,
        has_updated_since=True,
        relations={"contact": lambda it: it.contact, "project": lambda it: it.project},
        nested="nested_invoice_items",
    ),
    Listing(
        name="credit_notes",
        singular="credit_note",
        level=4,
        table=lambda world: world.credit_notes,
        render=sales.credit_note,
        views={
            "open": _credit_note_is("Open"),
            "overdue": _credit_note_is("Overdue"),
            "open_or_overdue": _credit_note_is(*_OWED),
            "recent_open_or_overdue": lambda desk, it: (
                it.dated_on >= desk.today - _RECENT and sales.credit_note_status(desk, it) in _OWED
            ),
            "draft": _credit_note_is("Draft"),
            "refunded": _credit_note_is("Refunded"),
        },
        months_view=True,
        sorts=_created_at,
        has_updated_since=True,
        relations={"contact": lambda it: it.contact, "project": lambda it: it.project},
        nested="nested_credit_note_items",
    ),
    Listing(
        name="credit_note_reconciliations",
        singular="credit_note_reconciliation",
        level=4,
        table=lambda world: world.reconciliations,
        render=sales.reconciliation,
        has_updated_since=True,
        has_dates=True,
    ),
    Listing(
        name="bills",
        singular="bill",
        level=5,
        table=lambda world: world.bills,
        render=purchases.bill,
        views={
            "open": _bill_is("Open"),
            "overdue": _bill_is("Overdue"),
            "open_or_overdue": _bill_is(*_OWED),
            "open_or_overdue_payments": lambda desk, it: it.total > 0 and purchases.bill_status(desk, it) in _OWED,
            "open_or_overdue_refunds": lambda desk, it: it.total < 0 and purchases.bill_status(desk, it) in _OWED,
            "paid": _bill_is("Paid", "Refunded"),
            "recurring": lambda _desk, it: bool(it.recurring),
            "hire_purchase": lambda _desk, it: bool(it.hire_purchase),
            "cis": lambda _desk, it: bool(it.cis_band),
        },
        has_updated_since=True,
        has_dates=True,
        relations={"contact": lambda it: it.contact, "project": lambda it: it.project},
        nested="nested_bill_items",
    ),
    Listing(
        name="expenses",
        singular="expense",
        level=2,
        table=lambda world: world.expenses,
        render=purchases.expense,
        views={
            "recent": lambda desk, it: it.dated_on >= desk.today - _RECENT,
            "recurring": lambda _desk, it: bool(it.recurring),
        },
        has_updated_since=True,
        has_dates=True,
        relations={"project": lambda it: it.project},
    ),
    Listing(
        name="journal_sets",
        singular="journal_set",
        level=7,
        table=lambda world: world.journal_sets,
        render=ledger.journal_set,
        has_updated_since=True,
        has_dates=True,
        texts={"tag": lambda it: it.tag},
    ),
    Listing(
        name="bank_transactions",
        singular="bank_transaction",
        level=6,
        table=lambda world: world.transactions,
        render=banking.bank_transaction,
        views={
            "unexplained": lambda desk, it: desk.world.unexplained(it) != 0,
            "explained": lambda desk, it: desk.world.unexplained(it) == 0,
            "manual": lambda _desk, it: it.is_manual,
            "imported": lambda _desk, it: not it.is_manual,
            "marked_for_review": lambda desk, it: any(
                desk.world.explanations[each].for_review for each in it.explanations
            ),
        },
        has_updated_since=True,
        has_dates=True,
        newest_first=True,
        by_bank_account=True,
    ),
    Listing(
        name="bank_transaction_explanations",
        singular="bank_transaction_explanation",
        level=6,
        table=lambda world: world.explanations,
        render=banking.explanation,
        has_updated_since=True,
        has_dates=True,
        by_bank_account=True,
    ),
    Listing(
        name="tasks",
        singular="task",
        level=1,
        table=lambda world: world.held.tasks,
        render=work.task,
        views={
            "active": lambda _desk, it: it.status == "Active",
            "completed": lambda _desk, it: it.status == "Completed",
            "hidden": lambda _desk, it: it.status == "Hidden",
        },
        sorts={
            "name": lambda _desk, it: it.name.casefold(),
            "project": lambda desk, it: desk.world.projects[it.project].name.casefold(),
            "billing_rate": lambda _desk, it: it.rate,
        }
        | _created_at,
        default_sort="name",
        has_updated_since=True,
        relations={"project": lambda it: it.project},
    ),
    Listing(
        name="timeslips",
        singular="timeslip",
        level=1,
        table=lambda world: world.held.timeslips,
        render=work.timeslip,
        views={
            "unbilled": lambda _desk, it: it.invoice is None,
            "running": lambda _desk, it: it.running_since is not None,
        },
        has_updated_since=True,
        has_dates=True,
        relations={"user": lambda it: it.user, "task": lambda it: it.task, "project": lambda it: it.project},
        nested="nested",
    ),
    Listing(
        name="notes",
        singular="note",
        level=3,
        table=lambda world: world.held.notes,
        render=work.note,
        relations={"contact": lambda it: it.contact, "project": lambda it: it.project},
        needs=("contact", "project"),
    ),
    Listing(
        name="estimates",
        singular="estimate",
        level=4,
        table=lambda world: world.held.estimates,
        render=work.estimate,
        views={
            "recent": lambda desk, it: it.dated_on >= desk.today - _RECENT,
            "draft": lambda _desk, it: it.status == "Draft",
            "non_draft": lambda _desk, it: it.status != "Draft",
            "sent": lambda _desk, it: it.status == "Sent",
            "approved": lambda _desk, it: it.status == "Approved",
            "rejected": lambda _desk, it: it.status == "Rejected",
            "invoiced": lambda _desk, it: it.status == "Invoiced",
        },
        has_updated_since=True,
        has_dates=True,
        relations={
            "contact": lambda it: it.contact,
            "project": lambda it: it.project,
            "invoice": lambda it: it.invoice,
        },
        nested="nested_estimate_items",
    ),
    Listing(
        name="recurring_invoices",
        singular="recurring_invoice",
        level=4,
        table=lambda world: world.held.recurring_invoices,
        render=work.recurring_invoice,
        views={
            "draft": lambda _desk, it: not it.is_active,
            "active": lambda desk, it: it.is_active and not _has_ended(desk, it),
            "inactive": lambda desk, it: it.is_active and _has_ended(desk, it),
        },
        relations={"contact": lambda it: it.contact},
    ),
    Listing(
        name="stock_items",
        singular="stock_item",
        level=4,
        table=lambda world: world.owned.stock_items,
        render=assets.stock_item,
        sorts={"description": lambda _desk, it: it.description.casefold()} | _created_at,
        default_sort="created_at",
    ),
    Listing(
        name="capital_assets",
        singular="capital_asset",
        level=6,
        table=lambda world: world.owned.capital_assets,
        render=assets.capital_asset,
        views={"disposed": lambda _desk, _it: False},
        nested="include_history",
    ),
    Listing(
        name="capital_asset_types",
        singular="capital_asset_type",
        level=8,
        table=lambda world: world.owned.capital_asset_types,
        render=assets.capital_asset_type,
    ),
    Listing(
        name="hire_purchases",
        singular="hire_purchase",
        level=5,
        table=lambda world: world.owned.hire_purchases,
        render=assets.hire_purchase,
        exists=lambda company: company.is_british,
    ),
    Listing(
        name="bank_feeds",
        singular="bank_feed",
        level=6,
        table=lambda world: world.owned.bank_feeds,
        render=assets.bank_feed,
    ),
    Listing(
        name="properties",
        singular="property",
        level=7,
        table=lambda world: world.owned.properties,
        render=assets.property_,
        exists=lambda company: company.type == LANDLORD,
    ),
    Listing(
        name="sales_tax_periods",
        singular="sales_tax_period",
        level=4,
        write_level=8,
        table=lambda world: world.owned.sales_tax_periods,
        render=assets.sales_tax_period,
        exists=lambda company: not company.is_british,
    ),
)
