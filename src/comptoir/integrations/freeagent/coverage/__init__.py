"""What is covered: for each data type, each member of the standard model and the members of FreeAgent it comes from.

Published in the documents and by the API, and shown beside each record. A test holds it against the model and against
mapped books: what is said to be read is there somewhere, and what is said to be missing never is.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from comptoir.integrations.contract import Covered
from comptoir.integrations.freeagent.coverage import journals, ledger, parties, purchases, sales, statements

__all__ = ["COVERAGE", "ORDERED"]

COVERAGE: Mapping[str, tuple[Covered, ...]] = MappingProxyType(
    {
        "company": parties.COMPANY,
        "chartOfAccounts": ledger.CHART_OF_ACCOUNTS,
        "bankAccounts": ledger.BANK_ACCOUNTS,
        "customers": parties.CUSTOMERS,
        "suppliers": parties.SUPPLIERS,
        "trackingCategories": ledger.TRACKING_CATEGORIES,
        "taxRates": ledger.TAX_RATES,
        "items": ledger.ITEMS,
        "invoices": sales.INVOICES,
        "creditNotes": sales.CREDIT_NOTES,
        "bills": purchases.BILLS,
        "billCreditNotes": purchases.BILL_CREDIT_NOTES,
        "payments": sales.PAYMENTS,
        "billPayments": purchases.BILL_PAYMENTS,
        "directCosts": purchases.DIRECT_COSTS,
        "directIncomes": purchases.DIRECT_INCOMES,
        "transfers": ledger.TRANSFERS,
        "bankTransactions": ledger.BANK_TRANSACTIONS,
        "accountTransactions": journals.ACCOUNT_TRANSACTIONS,
        "journals": journals.JOURNALS,
        "journalEntries": journals.JOURNAL_ENTRIES,
        "profitAndLoss": statements.PROFIT_AND_LOSS,
        "balanceSheet": statements.BALANCE_SHEET,
        "cashFlowStatement": statements.CASH_FLOW_STATEMENT,
    }
)

# Lists whose elements are served in the order of one of their members, and not as they came.
ORDERED: Mapping[str, str] = MappingProxyType(
    {"invoices.invoice_items": "position", "credit_notes.credit_note_items": "position"}
)
