"""What is served from FreeAgent, which resources it needs, and which function makes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from comptoir.integrations.contract import DataType, Direction, Feature, Hop, Making, Part, Series, Source
from comptoir.integrations.freeagent import payloads
from comptoir.integrations.freeagent.kept import KEPT
from comptoir.integrations.freeagent.mapping import (
    accounts,
    banking,
    bill_payments,
    catalogue,
    direct,
    ledger,
    movements,
    parties,
    payments,
    purchases,
    sales,
    statements,
    tax,
    transfers,
)
from comptoir.integrations.freeagent.reading import making, reader
from comptoir.integrations.freeagent.references import POSTING

__all__ = ["DATA_TYPES"]

# What takes a few calls is there first. The ledger takes most of them, and reports look at what is read with it.
_FEW_CALLS, _LEDGER_LAST = 0, 2
_OUT, _IN = Direction.OUT, Direction.IN
_EXPLANATIONS = "bank_transaction_explanations"
_AFTERWARDS = "balances_afterwards"
_LEDGER = "ledger_transactions"
# An explanation tells no rate: the ledger line of a foreign bank account does, once that is read.
_BOOKED = Hop(start=_EXPLANATIONS, link="foreign", to=_LEDGER, direction=_IN, is_late=True)
# What mapping is given of resources that are given whole: all else of them moves without asking for any mapping.
_COMPANY = Part(
    "company",
    (
        "currency",
        "sales_tax_name",
        "sales_tax_rates",
        "second_sales_tax_name",
        "second_sales_tax_rates",
        "second_sales_tax_is_compound",
    ),
)
_BEGUN = Part("company", ("currency", "freeagent_start_date", "company_start_date"))
_YEARS = Part(
    "company",
    (
        "currency",
        "freeagent_start_date",
        "company_start_date",
        "first_accounting_year_end",
        "annual_accounting_periods",
    ),
)
_BANK_NAMES = Part("bank_accounts", ("url", "name", "currency"))
_ACCOUNT_NAMES = (
    "categories",
    Part("users", ("url", "first_name", "last_name")),
    _BANK_NAMES,
    # What categories do not name: the trial balance names everything that was ever posted to.
    Part("trial_balance", ("display_nominal_code", "name", "user"), beside="categories", or_having="user"),
)
_ACCOUNT_KINDS = tuple(  # and what tells a credit card
    Part("bank_accounts", (*one.members, "type")) if one is _BANK_NAMES else one for one in _ACCOUNT_NAMES
)
_ACCOUNT_SOURCES = ("categories", "users", "bank_accounts", "trial_balance")
_TRACKED = (
    Part("projects", ("url", "name", "contact")),
    Part("properties", ("url", "address1", "name", "postcode")),
)
_WITH_FILES = frozenset({Feature.GET, Feature.GET_ATTACHMENT, Feature.GET_ATTACHMENTS, Feature.DOWNLOAD_ATTACHMENT})
_PRINTED = frozenset({Feature.GET, Feature.GET_AS_PDF})
_OPTIONAL = {
    "users",
    "properties",
    "stock_items",
    "sales_tax_periods",
    "trial_balance",
    "credit_note_reconciliations",
    "expenses",
}


def _sources(*names: str, optional: tuple[str, ...] = ()) -> tuple[Source, ...]:
    required = tuple(Source(resource=name, required=name not in _OPTIONAL) for name in names)
    return required + tuple(Source(resource=name, required=False) for name in optional)


def _made(resource: str, payload: type[msgspec.Struct], function: Callable[[Any, Any], Iterator[Any]]) -> Making:
    return making(resource, reader(payload), function)


_invoice_hops = (
    Hop(start="invoices", link="paid_invoices", to=_EXPLANATIONS, direction=_IN),
    Hop(start="invoices", link="invoice", to="credit_note_reconciliations", direction=_IN),
    Hop(start="credit_note_reconciliations", link="credit_note", to="credit_notes", direction=_OUT),
    Hop(start="invoices", link="contact", to="contacts", direction=_OUT),
    _BOOKED,
)
_credit_hops = (
    Hop(start="credit_notes", link="paid_credit_notes", to=_EXPLANATIONS, direction=_IN),
    Hop(start="credit_notes", link="credit_note", to="credit_note_reconciliations", direction=_IN),
    Hop(start="credit_notes", link="contact", to="contacts", direction=_OUT),
    Hop(start="invoices", link="paid_invoices", to=_EXPLANATIONS, direction=_IN),
    Hop(start="invoices", link="contact", to="contacts", direction=_OUT),
    _BOOKED,
)
_bill_hops = (
    Hop(start="bills", link="paid_bill", to=_EXPLANATIONS, direction=_IN),
    Hop(start="bills", link="contact", to="contacts", direction=_OUT),
    Hop(start="bills", link="project", to="projects", direction=_OUT),
    Hop(start="projects", link="contact", to="contacts", direction=_OUT),
    _BOOKED,
)
_payment_hops = (
    Hop(start=_EXPLANATIONS, link="paid_invoices", to="invoices", direction=_OUT),
    Hop(start=_EXPLANATIONS, link="paid_credit_notes", to="credit_notes", direction=_OUT),
    Hop(start="credit_note_reconciliations", link="invoice", to="invoices", direction=_OUT),
    Hop(start="credit_note_reconciliations", link="credit_note", to="credit_notes", direction=_OUT),
    Hop(start="invoices", link="paid_invoices", to=_EXPLANATIONS, direction=_IN),
    Hop(start="invoices", link="invoice", to="credit_note_reconciliations", direction=_IN),
    Hop(start="invoices", link="contact", to="contacts", direction=_OUT),
    Hop(start="credit_notes", link="contact", to="contacts", direction=_OUT),
    _BOOKED,
)
_bill_payment_hops = (
    Hop(start=_EXPLANATIONS, link="netted", to=_EXPLANATIONS, direction=Direction.BESIDE),
    Hop(start=_EXPLANATIONS, link="paid_bill", to="bills", direction=_OUT),
    Hop(start="bills", link="contact", to="contacts", direction=_OUT),
    _BOOKED,
)
_direct_hops = (
    Hop(start=_EXPLANATIONS, link="project", to="projects", direction=_OUT),
    Hop(start="expenses", link="project", to="projects", direction=_OUT),
    _BOOKED,
)
_transaction_hops = (
    Hop(start="bank_transactions", link="bank_transaction", to=_EXPLANATIONS, direction=_IN),
    Hop(start=_EXPLANATIONS, link="linked_transfer", to=_EXPLANATIONS, direction=_OUT),
    _BOOKED,
)
_ledger_hops = (
    *(
        Hop(start=_LEDGER, link=link, to=_LEDGER, direction=Direction.BESIDE)
        for link in ("source", *(f"source_{name}" for name in POSTING))
    ),
    *(
        Hop(start=_LEDGER, link=f"source_{name}", to=name, direction=_OUT)
        for name in POSTING
        if name != "bank_transactions"
    ),
    Hop(start=_EXPLANATIONS, link="paid_invoices", to="invoices", direction=_OUT),
    Hop(start=_EXPLANATIONS, link="paid_credit_notes", to="credit_notes", direction=_OUT),
    Hop(start=_EXPLANATIONS, link="paid_bill", to="bills", direction=_OUT),
    Hop(start=_EXPLANATIONS, link="linked_transfer", to=_EXPLANATIONS, direction=_OUT),
    Hop(start="credit_note_reconciliations", link="invoice", to="invoices", direction=_OUT),
)
_line_names = (_COMPANY, *_ACCOUNT_NAMES, *_TRACKED)
_documents = ("invoices", "credit_notes", "bills", "expenses", _EXPLANATIONS)
_naming_accounts = (*_documents, "price_list_items")

DATA_TYPES = (
    DataType(
        name="company",
        stage=_FEW_CALLS,
        access_level=1,
        sources=_sources("company"),
        made_from=(_made("company", payloads.Company, parties.company),),
        by_day=True,
    ),
    DataType(
        name="chartOfAccounts",
        access_level=2,
        sources=_sources(
            "company", "categories", optional=("users", "bank_accounts", "trial_balance", *_naming_accounts)
        ),
        made_from=(
            making("categories", accounts.decode_category, accounts.account),
            _made("trial_balance", payloads.TrialBalanceLine, accounts.account_of_balance),
            _made("bank_accounts", payloads.BankAccount, accounts.account_of_bank),
            *(_made(name, accounts.Named, accounts.accounts_named) for name in _naming_accounts),
        ),
        whole=(_COMPANY, "categories", "users", "bank_accounts", "trial_balance"),
        merges=True,
    ),
    DataType(
        name="bankAccounts",
        stage=_FEW_CALLS,
        access_level=6,
        sources=_sources("company", "bank_accounts", optional=("categories",)),
        made_from=(_made("bank_accounts", payloads.BankAccount, banking.bank_account),),
        whole=(_COMPANY, "categories"),
    ),
    DataType(
        name="customers",
        stage=_FEW_CALLS,
        access_level=1,
        sources=_sources("company", "contacts"),
        made_from=(_made("contacts", payloads.Contact, parties.customer),),
        whole=(_COMPANY,),
    ),
    DataType(
        name="suppliers",
        stage=_FEW_CALLS,
        access_level=1,
        sources=_sources("company", "contacts"),
        made_from=(_made("contacts", payloads.Contact, parties.supplier),),
        whole=(_COMPANY,),
    ),
    DataType(
        name="trackingCategories",
        stage=_FEW_CALLS,
        access_level=3,
        sources=_sources("projects", "properties"),
        made_from=(
            _made("projects", payloads.Project, catalogue.project),
            _made("properties", payloads.Property, catalogue.property_),
        ),
    ),
    DataType(
        name="taxRates",
        access_level=1,
        sources=_sources("company", optional=("sales_tax_periods", "price_list_items", *_documents)),
        made_from=(
            _made("company", payloads.Company, tax.company_rates),
            _made("sales_tax_periods", payloads.SalesTaxPeriod, tax.period_rates),
            _made("price_list_items", payloads.PriceListItem, catalogue.item_rates),
            *(_made(name, tax.Met, tax.rates_met) for name in _documents),
        ),
        whole=(_COMPANY, "sales_tax_periods"),
        merges=True,
        by_day=True,
    ),
    DataType(
        name="items",
        stage=_FEW_CALLS,
        access_level=4,
        sources=_sources("company", "price_list_items", "stock_items", optional=_ACCOUNT_SOURCES),
        made_from=(
            _made("price_list_items", payloads.PriceListItem, catalogue.price_list_item),
            _made("stock_items", payloads.StockItem, catalogue.stock_item),
        ),
        whole=(_COMPANY, *_ACCOUNT_NAMES),
    ),
    DataType(
        name="invoices",
        access_level=4,
        sources=_sources(
            "company",
            "invoices",
            optional=(
                "contacts",
                "projects",
                "properties",
                *_ACCOUNT_SOURCES,
                "credit_notes",
                "credit_note_reconciliations",
                _EXPLANATIONS,
            ),
        ),
        made_from=(_made("invoices", payloads.Invoice, sales.invoice),),
        whole=_line_names,
        hops=_invoice_hops,
        features=_PRINTED,
    ),
    DataType(
        name="creditNotes",
        access_level=4,
        sources=_sources(
            "company",
            "credit_notes",
            "invoices",
            optional=(
                "contacts",
                "projects",
                "properties",
                *_ACCOUNT_SOURCES,
                "credit_note_reconciliations",
                _EXPLANATIONS,
            ),
        ),
        made_from=(
            _made("credit_notes", payloads.CreditNote, sales.credit_note),
            _made("invoices", payloads.Invoice, sales.negative_invoice),
        ),
        whole=_line_names,
        hops=_credit_hops,
    ),
    DataType(
        name="bills",
        access_level=5,
        features=_WITH_FILES,
        sources=_sources(
            "company", "bills", optional=("contacts", "projects", "properties", *_ACCOUNT_SOURCES, _EXPLANATIONS)
        ),
        made_from=(_made("bills", payloads.Bill, purchases.bill),),
        whole=_line_names,
        hops=_bill_hops,
    ),
    DataType(
        name="billCreditNotes",
        access_level=5,
        features=_WITH_FILES,
        sources=_sources(
            "company", "bills", optional=("contacts", "projects", "properties", *_ACCOUNT_SOURCES, _EXPLANATIONS)
        ),
        made_from=(_made("bills", payloads.Bill, purchases.bill_credit_note),),
        whole=_line_names,
        hops=_bill_hops,
    ),
    DataType(
        name="payments",
        access_level=6,
        features=_WITH_FILES,
        sources=_sources(
            "company",
            "bank_accounts",
            _EXPLANATIONS,
            optional=("invoices", "credit_notes", "credit_note_reconciliations", "contacts", "categories"),
        ),
        made_from=(
            _made(_EXPLANATIONS, payloads.Explanation, payments.payment),
            _made("credit_note_reconciliations", payloads.CreditNoteReconciliation, payments.reconciliation),
            _made("invoices", payloads.Invoice, payments.write_off),
        ),
        whole=(_COMPANY, "categories", _BANK_NAMES),
        hops=_payment_hops,
    ),
    DataType(
        name="billPayments",
        access_level=6,
        sources=_sources("company", "bank_accounts", _EXPLANATIONS, optional=("bills", "contacts", "categories")),
        made_from=(_made(_EXPLANATIONS, payloads.Explanation, bill_payments.bill_payment),),
        whole=(_COMPANY, "categories", _BANK_NAMES),
        hops=_bill_payment_hops,
    ),
    DataType(
        name="directCosts",
        access_level=6,
        features=_WITH_FILES,
        sources=_sources(
            "company",
            "bank_accounts",
            _EXPLANATIONS,
            "expenses",
            optional=("categories", "users", "trial_balance", "projects", "properties"),
        ),
        made_from=(
            _made(_EXPLANATIONS, payloads.Explanation, direct.direct_cost),
            _made("expenses", payloads.Expense, direct.expense),
        ),
        whole=_line_names,
        hops=_direct_hops,
    ),
    DataType(
        name="directIncomes",
        access_level=6,
        features=_WITH_FILES,
        sources=_sources(
            "company",
            "bank_accounts",
            _EXPLANATIONS,
            optional=("categories", "users", "trial_balance", "projects", "properties"),
        ),
        made_from=(_made(_EXPLANATIONS, payloads.Explanation, direct.direct_income),),
        whole=_line_names,
        hops=_direct_hops,
    ),
    DataType(
        name="transfers",
        access_level=6,
        features=_WITH_FILES,
        sources=_sources("company", "bank_accounts", _EXPLANATIONS),
        made_from=(_made(_EXPLANATIONS, payloads.Explanation, transfers.transfer),),
        whole=(_COMPANY, _BANK_NAMES),
        hops=(Hop(start=_EXPLANATIONS, link="linked_transfer", to=_EXPLANATIONS, direction=_OUT),),
    ),
    DataType(
        name="bankTransactions",
        access_level=6,
        sources=_sources("company", "bank_accounts", "bank_transactions"),
        made_from=(making("bank_transactions", banking.decode_line, banking.bank_transaction),),
        whole=(Part("bank_accounts", ("url", "opening_balance")),),
        series=Series(separator="|", resume=banking.resume),
    ),
    DataType(
        name="accountTransactions",
        access_level=6,
        sources=_sources("company", "bank_accounts", "bank_transactions", _EXPLANATIONS, optional=("categories",)),
        made_from=(_made("bank_transactions", payloads.BankTransaction, movements.account_transaction),),
        whole=(_COMPANY, _BANK_NAMES, "categories"),
        hops=_transaction_hops,
    ),
    DataType(
        name="journals",
        stage=_FEW_CALLS,
        access_level=1,
        sources=_sources("company"),
        made_from=(_made("company", payloads.Company, ledger.journal),),
    ),
    DataType(
        name="journalEntries",
        stage=_LEDGER_LAST,
        access_level=7,
        sources=_sources(
            "company",
            _LEDGER,
            optional=(
                "opening_balances",
                "closing_balances",
                "journal_sets",
                *_ACCOUNT_SOURCES,
                "projects",
                "properties",
                "credit_notes",
                "credit_note_reconciliations",
                "invoices",
                "bills",
                "expenses",
                _EXPLANATIONS,
            ),
        ),
        made_from=(
            _made("opening_balances", payloads.Balances, ledger.opening_balances),
            _made(_LEDGER, payloads.LedgerTransaction, ledger.journal_entries),
        ),
        along=tuple(resource.name for resource in KEPT),
        whole=(_BEGUN, *_ACCOUNT_NAMES, *_TRACKED),
        hops=_ledger_hops,
    ),
    DataType(
        name="profitAndLoss",
        stage=_LEDGER_LAST,
        access_level=7,
        sources=_sources(
            "company",
            "categories",
            "dated_balances",
            optional=("users", "bank_accounts", "trial_balance", "profit_and_loss", _AFTERWARDS),
        ),
        made_from=(making("dated_balances", statements.decode_balances, statements.profit_and_loss),),
        whole=(_YEARS, *_ACCOUNT_NAMES, "dated_balances", "profit_and_loss"),
    ),
    DataType(
        name="balanceSheet",
        stage=_LEDGER_LAST,
        access_level=7,
        sources=_sources(
            "company",
            "categories",
            "dated_balances",
            optional=("users", "bank_accounts", "trial_balance", "balance_sheet", _AFTERWARDS),
        ),
        made_from=(making("dated_balances", statements.decode_balances, statements.balance_sheet),),
        whole=(_YEARS, *_ACCOUNT_KINDS, "dated_balances", "balance_sheet"),
    ),
    DataType(
        name="cashFlowStatement",
        stage=_LEDGER_LAST,
        access_level=6,
        sources=_sources("company", "cashflow"),
        made_from=(_made("cashflow", payloads.Cashflow, statements.cash_flow),),
        whole=(_BEGUN,),
    ),
)
