"""How things of the standard model look on pages: names of data types, columns of their tables, words for states."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import msgspec

from comptoir.portal.languages import N_, Language
from comptoir.store.connections import ConnectionStatus
from comptoir.store.datasets import Dataset, Status

__all__ = ["CONNECTION_STATES", "LOOKS", "Cell", "Column", "Look", "cells", "dataset_state", "title"]


class Column(msgspec.Struct, frozen=True):
    """A heading and where its value is. Kinds: text, amount, number, percent, day, month, id, flag."""

    heading: str
    path: str
    kind: str = "text"


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """One data type: its name for people, its table, and the order people look for things in."""

    name: str
    columns: tuple[Column, ...]
    order: str | None = None


class Cell(msgspec.Struct, frozen=True):
    text: str
    kind: str


_NUMBER, _DATE, _DUE = N_("Number"), N_("Date"), N_("Due")
_CUSTOMER, _SUPPLIER, _STATUS = N_("Customer"), N_("Supplier"), N_("Status")
_TOTAL, _OPEN, _NAME = N_("Total"), N_("Amount due"), N_("Name")
_REFERENCE, _NOTE, _CURRENCY = N_("Reference"), N_("Note"), N_("Currency")
_MONTH = N_("Month")

_PARTY = (
    Column(N_("Contact"), "contactName"),
    Column(N_("Email"), "emailAddress"),
    Column(N_("Telephone"), "phone"),
    Column(_STATUS, "status"),
)
_CREDIT = (
    Column(_DATE, "issueDate", "day"),
    Column(_TOTAL, "totalAmount", "amount"),
    Column(N_("Left to use"), "remainingCredit", "amount"),
    Column(_STATUS, "status"),
)
_PAYMENT = (
    Column(_DATE, "date", "day"),
    Column(N_("Account"), "accountRef.name"),
    Column(_REFERENCE, "reference"),
    Column(_NOTE, "note"),
    Column(_TOTAL, "totalAmount", "amount"),
)
_DIRECT = (
    Column(_DATE, "issueDate", "day"),
    Column(_REFERENCE, "reference"),
    Column(_NOTE, "note"),
    Column(N_("Tax"), "taxAmount", "amount"),
    Column(_TOTAL, "totalAmount", "amount"),
)

LOOKS: Mapping[str, Look] = MappingProxyType(
    {
        "company": Look(
            name=N_("Company"),
            columns=(
                Column(_NAME, "companyName"),
                Column(N_("Legal name"), "companyLegalName"),
                Column(N_("Company number"), "registrationNumber"),
                Column(N_("VAT number"), "taxNumber"),
                Column(_CURRENCY, "baseCurrency"),
                Column(N_("Financial year starts"), "financialYearStartDate", "day"),
            ),
        ),
        "invoices": Look(
            name=N_("Invoices"),
            columns=(
                Column(_NUMBER, "invoiceNumber"),
                Column(_CUSTOMER, "customerRef.companyName"),
                Column(_DATE, "issueDate", "day"),
                Column(_DUE, "dueDate", "day"),
                Column(_TOTAL, "totalAmount", "amount"),
                Column(_OPEN, "amountDue", "amount"),
                Column(_STATUS, "status"),
            ),
            order="-issueDate",
        ),
        "creditNotes": Look(
            name=N_("Credit notes"),
            columns=(
                Column(_NUMBER, "creditNoteNumber"),
                Column(_CUSTOMER, "customerRef.companyName"),
                *_CREDIT,
            ),
            order="-issueDate",
        ),
        "bills": Look(
            name=N_("Bills"),
            columns=(
                Column(_REFERENCE, "reference"),
                Column(_SUPPLIER, "supplierRef.supplierName"),
                Column(_DATE, "issueDate", "day"),
                Column(_DUE, "dueDate", "day"),
                Column(_TOTAL, "totalAmount", "amount"),
                Column(_OPEN, "amountDue", "amount"),
                Column(_STATUS, "status"),
            ),
            order="-issueDate",
        ),
        "billCreditNotes": Look(
            name=N_("Bill credit notes"),
            columns=(
                Column(_NUMBER, "billCreditNoteNumber"),
                Column(_SUPPLIER, "supplierRef.supplierName"),
                *_CREDIT,
            ),
            order="-issueDate",
        ),
        "payments": Look(
            name=N_("Payments"),
            columns=(Column(_CUSTOMER, "customerRef.companyName"), *_PAYMENT),
            order="-date",
        ),
        "billPayments": Look(
            name=N_("Bill payments"),
            columns=(Column(_SUPPLIER, "supplierRef.supplierName"), *_PAYMENT),
            order="-date",
        ),
        "directCosts": Look(name=N_("Direct costs"), columns=_DIRECT, order="-issueDate"),
        "directIncomes": Look(name=N_("Direct incomes"), columns=_DIRECT, order="-issueDate"),
        "bankAccounts": Look(
            name=N_("Bank accounts"),
            columns=(
                Column(_NAME, "accountName"),
                Column(N_("Bank"), "institution"),
                Column(N_("Sort code"), "sortCode"),
                Column(N_("Account number"), "accountNumber"),
                Column(N_("Type"), "accountType"),
                Column(N_("Balance"), "balance", "amount"),
            ),
        ),
        "bankTransactions": Look(
            name=N_("Bank transactions"),
            columns=(
                Column(_DATE, "clearedOnDate", "day"),
                Column(N_("Description"), "description"),
                Column(N_("Account"), "accountId", "id"),
                Column(N_("Explained"), "reconciled", "flag"),
                Column(N_("Amount"), "amount", "amount"),
            ),
            order="-clearedOnDate",
        ),
        "transfers": Look(
            name=N_("Transfers"),
            columns=(
                Column(_DATE, "date", "day"),
                Column(N_("Description"), "description"),
                Column(N_("From account"), "from.accountRef.id", "id"),
                Column(N_("To account"), "to.accountRef.id", "id"),
                Column(N_("Amount"), "from.amount", "amount"),
                Column(_STATUS, "status"),
            ),
            order="-date",
        ),
        "accountTransactions": Look(
            name=N_("Account transactions"),
            columns=(
                Column(_DATE, "date", "day"),
                Column(N_("Description"), "note"),
                Column(N_("Account"), "bankAccountRef.name"),
                Column(N_("Amount"), "totalAmount", "amount"),
                Column(_CURRENCY, "currency"),
                Column(_STATUS, "status"),
            ),
            order="-date",
        ),
        "journalEntries": Look(
            name=N_("Journal entries"),
            columns=(
                Column(_DATE, "postedOn", "day"),
                Column(N_("Description"), "description"),
                Column(N_("Origin"), "recordRef.dataType"),
                Column(_NUMBER, "id", "id"),
            ),
            order="-postedOn",
        ),
        "journals": Look(
            name=N_("Journals"),
            columns=(Column(_NAME, "name"), Column(N_("Code"), "journalCode"), Column(_STATUS, "status")),
            order="name",
        ),
        "profitAndLoss": Look(
            name=N_("Profit and loss"),
            columns=(
                Column(_MONTH, "id", "month"),
                Column(N_("Income"), "report.income.value", "amount"),
                Column(N_("Cost of sales"), "report.costOfSales.value", "amount"),
                Column(N_("Expenses"), "report.expenses.value", "amount"),
                Column(N_("Net profit"), "report.netProfit", "amount"),
            ),
            order="-id",
        ),
        "balanceSheet": Look(
            name=N_("Balance sheet"),
            columns=(
                Column(_MONTH, "id", "month"),
                Column(N_("Assets"), "report.assets.value", "amount"),
                Column(N_("Liabilities"), "report.liabilities.value", "amount"),
                Column(N_("Net assets"), "report.netAssets", "amount"),
            ),
            order="-id",
        ),
        "cashFlowStatement": Look(
            name=N_("Cash flow"),
            columns=(
                Column(_MONTH, "id", "month"),
                Column(N_("Receipts"), "report.cashReceipts.value", "amount"),
                Column(N_("Paid out"), "report.cashPayments.value", "amount"),
            ),
            order="-id",
        ),
        "customers": Look(name=N_("Customers"), columns=(Column(_NAME, "customerName"), *_PARTY), order="customerName"),
        "suppliers": Look(name=N_("Suppliers"), columns=(Column(_NAME, "supplierName"), *_PARTY), order="supplierName"),
        "chartOfAccounts": Look(
            name=N_("Accounts"),
            columns=(
                Column(N_("Code"), "nominalCode"),
                Column(_NAME, "name"),
                Column(N_("Type"), "type"),
                Column(N_("Balance"), "currentBalance", "amount"),
                Column(_STATUS, "status"),
            ),
            order="nominalCode",
        ),
        "taxRates": Look(
            name=N_("Tax rates"),
            columns=(
                Column(_NAME, "name"),
                Column(N_("Code"), "code"),
                Column(N_("Rate"), "effectiveTaxRate", "percent"),
                Column(_STATUS, "status"),
            ),
            order="name",
        ),
        "trackingCategories": Look(
            name=N_("Tracking categories"),
            columns=(Column(_NAME, "name"), Column(N_("Within"), "parentId", "id"), Column(_STATUS, "status")),
            order="name",
        ),
        "items": Look(
            name=N_("Items"),
            columns=(
                Column(_NAME, "name"),
                Column(N_("Code"), "code"),
                Column(N_("Type"), "type"),
                Column(N_("Unit price"), "invoiceItem.unitPrice", "amount"),
                Column(_STATUS, "itemStatus"),
            ),
            order="name",
        ),
    }
)

CONNECTION_STATES: Mapping[ConnectionStatus, tuple[str, str]] = MappingProxyType(
    {
        ConnectionStatus.PENDING_AUTH: ("wait", N_("Waiting for approval")),
        ConnectionStatus.LINKED: ("good", N_("Linked")),
        ConnectionStatus.UNLINKED: ("idle", N_("Unlinked")),
        ConnectionStatus.DEAUTHORIZED: ("bad", N_("Access lost")),
    }
)

_DATASET_STATES: Mapping[Status, tuple[str, str]] = MappingProxyType(
    {
        Status.INITIAL: ("idle", N_("Not read yet")),
        Status.QUEUED: ("wait", N_("Waiting")),
        Status.FETCHING: ("busy", N_("Reading")),
        Status.COMPLETE: ("good", N_("Complete")),
        Status.AUTH_ERROR: ("bad", N_("Access lost")),
        Status.RATE_LIMIT_ERROR: ("bad", N_("Limit reached")),
        Status.PERMISSIONS_ERROR: ("bad", N_("Not permitted")),
        Status.NOT_SUPPORTED: ("idle", N_("Not offered")),
        Status.PREREQUISITE_NOT_MET: ("bad", N_("Something is missing")),
        Status.CANCELLED: ("idle", N_("Stopped")),
    }
)


def dataset_state(dataset: Dataset) -> tuple[str, str]:
    """Tone and word for where a read stands."""
    if (found := _DATASET_STATES.get(dataset.status)) is not None:
        return found
    return ("bad", N_("Failed")) if dataset.status.is_error else ("busy", N_("Mapping"))


def cells(document: bytes, look: Look, language: Language) -> list[Cell]:
    """A record as a table's row; numbers exact, a missing value is empty."""
    record = json.loads(document, parse_float=Decimal, parse_int=Decimal)
    currency = _at(record, "currency") or _at(record, "from.currency")
    return [_cell(_at(record, column.path), column, currency, language) for column in look.columns]


def title(document: bytes, look: Look, language: Language) -> str:
    """What a record is known by: the first two columns of its table that say something."""
    said = [cell.text for cell in cells(document, look, language) if cell.text]
    return " · ".join(said[:2])


def id_of(document: bytes, key: str) -> str:
    """A record's id; a single one goes by the name of its data type."""
    return str(json.loads(document).get("id", key))


def is_deleted(document: bytes) -> bool:
    return json.loads(document).get("metadata", {}).get("isDeleted") is True


def _at(record: Any, path: str) -> Any:
    for name in path.split("."):
        if not isinstance(record, dict):
            return None
        record = record.get(name)
    return record


def _cell(value: Any, column: Column, currency: Any, language: Language) -> Cell:
    if value is None:
        return Cell("", column.kind)
    if column.kind == "amount" and isinstance(value, Decimal):
        return Cell(language.amount(value, currency if isinstance(currency, str) else None), "amount")
    if column.kind == "percent" and isinstance(value, Decimal):
        return Cell(f"{language.number(value)}\N{NO-BREAK SPACE}%", "amount")
    if column.kind == "day" and isinstance(value, str):
        return Cell(_day(value, language), "day")
    if column.kind == "month" and isinstance(value, str):
        return Cell(_month(value, language), "month")
    if column.kind == "flag":
        return Cell(language.say(N_("Yes")) if value is True else language.say(N_("No")), "text")
    return Cell(str(value), column.kind)


def _month(text: str, language: Language) -> str:
    try:
        return language.month(date.fromisoformat(f"{text}-01"))
    except ValueError:
        return text


def _day(text: str, language: Language) -> str:
    try:
        return language.day(date.fromisoformat(text[:10]))
    except ValueError:
        return text
