"""The standard data model: what is served, whatever system it was read from. Knows nothing of storing or fetching."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from comptoir.model import banking, ledger, parties, purchases, reports, sales, tax
from comptoir.model.records import Column, ColumnKind, Record, Value, columns_of, decoder, encode, values_of

__all__ = ["DATA_TYPE_KEYS", "SHAPES", "Column", "ColumnKind", "Record", "Shape", "Value", "decode", "encode"]


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """How a data type looks: its struct, its word in paths and errors, and its scalar properties as columns.

    `is_statement`: kept as one record a month, and served as reports put together from these, never record by record.
    """

    name: str
    struct: type[Value]
    path_word: str
    type_word: str
    columns: tuple[Column, ...]
    values: Callable[[Any], tuple[Any, ...]]
    has_metadata: bool = True
    has_modified_date: bool = True
    is_single: bool = False
    is_statement: bool = False


def _shape(name: str, struct: type[Value], *, path_word: str | None = None, **facts: bool) -> Shape:
    return Shape(
        name=name,
        struct=struct,
        path_word=path_word or name,
        type_word=struct.__name__,
        columns=columns_of(struct),
        values=values_of(struct),
        **facts,
    )


_STATEMENT = {"has_metadata": False, "has_modified_date": False, "is_statement": True}

SHAPES: Mapping[str, Shape] = MappingProxyType(
    {
        shape.name: shape
        for shape in (
            _shape(
                "company",
                parties.Company,
                path_word="info",
                has_metadata=False,
                has_modified_date=False,
                is_single=True,
            ),
            _shape("chartOfAccounts", ledger.Account, path_word="accounts"),
            _shape("bankAccounts", banking.BankAccount),
            _shape("bankTransactions", banking.BankTransaction, has_metadata=False),
            _shape("customers", parties.Customer),
            _shape("suppliers", parties.Supplier),
            _shape("invoices", sales.Invoice),
            _shape("creditNotes", sales.CreditNote),
            _shape("bills", purchases.Bill),
            _shape("billCreditNotes", purchases.BillCreditNote),
            _shape("payments", sales.Payment),
            _shape("billPayments", purchases.BillPayment),
            _shape("directCosts", purchases.DirectCost),
            _shape("directIncomes", purchases.DirectIncome),
            _shape("transfers", banking.Transfer),
            _shape("accountTransactions", banking.AccountTransaction),
            _shape("journals", ledger.Journal),
            _shape("journalEntries", ledger.JournalEntry),
            _shape("taxRates", tax.TaxRate),
            _shape("trackingCategories", ledger.TrackingCategory),
            _shape("items", tax.Item),
            _shape("profitAndLoss", reports.ProfitAndLossMonth, path_word="financials/profitAndLoss", **_STATEMENT),
            _shape("balanceSheet", reports.BalanceSheetMonth, path_word="financials/balanceSheet", **_STATEMENT),
            _shape("cashFlowStatement", reports.CashFlowMonth, path_word="financials/cashFlowStatement", **_STATEMENT),
        )
    }
)

# Every key of the platform's accounting data types, whether an integration can supply it or not.
DATA_TYPE_KEYS: tuple[str, ...] = (
    "accountTransactions",
    "balanceSheet",
    "bankAccounts",
    "bankTransactions",
    "billCreditNotes",
    "billPayments",
    "bills",
    "cashFlowStatement",
    "chartOfAccounts",
    "company",
    "creditNotes",
    "customers",
    "directCosts",
    "directIncomes",
    "invoices",
    "itemReceipts",
    "items",
    "journalEntries",
    "journals",
    "paymentMethods",
    "payments",
    "profitAndLoss",
    "purchaseOrders",
    "salesOrders",
    "suppliers",
    "taxRates",
    "trackingCategories",
    "transfers",
)


def decode(data_type: str, document: bytes) -> Any:
    """A stored document as its struct again; decimals exactly as written."""
    return decoder(SHAPES[data_type].struct).decode(document)
