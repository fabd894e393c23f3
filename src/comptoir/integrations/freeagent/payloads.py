"""FreeAgent's records as it sends them, in its own words. Decimals come as text or as numbers: both are exact.

Only what mapping reads is declared. What is left out on purpose stands in NOT_MAPPED with the reason, so that a field
in neither place is seen when it first appears. Source: https://dev.freeagent.com/docs
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cache
from types import MappingProxyType
from typing import Any

import msgspec

__all__ = [
    "NOT_MAPPED",
    "AccountingPeriod",
    "Attachment",
    "BalanceSheet",
    "BalanceSheetAnswer",
    "Balances",
    "BankAccount",
    "BankTransaction",
    "Bill",
    "BillItem",
    "Cashflow",
    "Category",
    "Company",
    "Contact",
    "CreditNote",
    "CreditNoteReconciliation",
    "Expense",
    "Explanation",
    "Invoice",
    "InvoiceItem",
    "JournalSet",
    "LedgerTransaction",
    "PriceListItem",
    "ProfitAndLoss",
    "ProfitAndLossSummary",
    "Project",
    "Property",
    "SalesTaxPeriod",
    "StockItem",
    "TrialBalanceLine",
    "User",
    "unexpected",
]


class Payload(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A record of FreeAgent's; members that are not declared are passed over."""


class AccountingPeriod(Payload, frozen=True, kw_only=True):
    starts_on: str
    ends_on: str


class Company(Payload, frozen=True, kw_only=True):
    """https://dev.freeagent.com/docs/company"""

    currency: str
    url: str | None = None
    name: str | None = None
    id: int | str | None = None
    subdomain: str | None = None
    type: str | None = None
    company_start_date: str | None = None
    freeagent_start_date: str | None = None
    first_accounting_year_end: str | None = None
    annual_accounting_periods: tuple[AccountingPeriod, ...] | None = None
    address1: str | None = None
    address2: str | None = None
    address3: str | None = None
    town: str | None = None
    region: str | None = None
    postcode: str | None = None
    country: str | None = None
    company_registration_number: str | None = None
    contact_email: str | None = None
    contact_phone: str | None = None
    website: str | None = None
    business_type: str | None = None
    business_category: str | None = None
    sales_tax_name: str | None = None
    sales_tax_registration_number: str | None = None
    sales_tax_registration_status: str | None = None
    sales_tax_effective_date: str | None = None
    sales_tax_rates: tuple[Decimal, ...] | None = None
    second_sales_tax_name: str | None = None
    second_sales_tax_rates: tuple[Decimal, ...] | None = None
    second_sales_tax_is_compound: bool | None = None
    initial_vat_basis: str | None = None
    initially_on_frs: bool | None = None
    cis_enabled: bool | None = None
    cis_subcontractor: bool | None = None
    cis_contractor: bool | None = None
    created_at: str | None = None
    updated_at: str | None = None


class User(Payload, frozen=True, kw_only=True):
    """https://dev.freeagent.com/docs/users"""

    url: str
    first_name: str | None = None
    last_name: str | None = None


class Category(Payload, frozen=True, kw_only=True):
    """https://dev.freeagent.com/docs/categories"""

    url: str
    nominal_code: str
    description: str | None = None
    group_description: str | None = None
    auto_sales_tax_rate: str | None = None
    allowable_for_tax: bool | str | None = None
    tax_reporting_name: str | None = None
    bank_account: str | None = None
    capital_asset_type: str | None = None
    stock_item: str | None = None
    hire_purchase: str | None = None
    user: str | None = None


class TrialBalanceLine(Payload, frozen=True, kw_only=True):
    """https://dev.freeagent.com/docs/trial_balance"""

    display_nominal_code: str
    total: Decimal
    nominal_code: str | None = None
    name: str | None = None
    bank_account: str | None = None
    user: str | None = None


class NamedCode(Payload, frozen=True, kw_only=True):
    """A line of the trial balance without its total: what it tells of a nominal code."""

    display_nominal_code: str
    name: str | None = None
    user: str | None = None


class ProfitAndLossLess(Payload, frozen=True, kw_only=True):
    title: str
    total: Decimal


class ProfitAndLossSummary(Payload, frozen=True, kw_only=True):
    """https://dev.freeagent.com/docs/profit_and_loss; whole units."""

    income: Decimal
    expenses: Decimal
    operating_profit: Decimal
    retained_profit: Decimal
    less: tuple[ProfitAndLossLess, ...] | None = None


class ProfitAndLoss(Payload, frozen=True, kw_only=True):
    profit_and_loss_summary: ProfitAndLossSummary


class BalanceSheetAccount(Payload, frozen=True, kw_only=True):
    nominal_code: str
    total_debit_value: Decimal


class BalanceSheetSection(Payload, frozen=True, kw_only=True):
    accounts: tuple[BalanceSheetAccount, ...] | None = None


class BalanceSheet(Payload, frozen=True, kw_only=True):
    """https://dev.freeagent.com/docs/balance_sheet; whole units, debits positive."""

    total_assets: Decimal
    total_owners_equity: Decimal
    capital_assets: BalanceSheetSection | None = None
    current_assets: BalanceSheetSection | None = None
    current_liabilities: BalanceSheetSection | None = None
    owners_equity: BalanceSheetSection | None = None


class BalanceSheetAnswer(Payload, frozen=True, kw_only=True):
    balance_sheet: BalanceSheet


class CashflowMonth(Payload, frozen=True, kw_only=True):
    month: int
    year: int
    total: Decimal


class CashflowSide(Payload, frozen=True, kw_only=True):
    months: tuple[CashflowMonth, ...]


class CashflowSummary(Payload, frozen=True, kw_only=True):
    """https://dev.freeagent.com/docs/cashflow"""

    to: str
    incoming: CashflowSide
    outgoing: CashflowSide


class Cashflow(Payload, frozen=True, kw_only=True):
    cashflow: CashflowSummary


class Attachment(Payload, frozen=True, kw_only=True):
    """https://dev.freeagent.com/docs/attachments"""

    url: str
    content_src: str | None = None
    content_type: str | None = None
    file_name: str | None = None
    file_size: int | None = None
    expires_at: str | None = None


class BankAccount(Payload, frozen=True, kw_only=True):
    """https://dev.freeagent.com/docs/bank_accounts"""

    url: str
    type: str | None = None
    name: str | None = None
    currency: str | None = None
    is_personal: bool | None = None
    is_primary: bool | None = None
    status: str | None = None
    bank_name: str | None = None
    bank_code: str | None = None
    opening_balance: Decimal | None = None
    current_balance: Decimal | None = None
    latest_activity_date: str | None = None
    account_number: str | None = None
    sort_code: str | None = None
    secondary_sort_code: str | None = None
    iban: str | None = None
    bic: str | None = None
    email: str | None = None
    bank_guess_enabled: bool | None = None
    updated_at: str | None = None


class Contact(Payload, frozen=True, kw_only=True):
    """https://dev.freeagent.com/docs/contacts"""

    url: str
    first_name: str | None = None
    last_name: str | None = None
    organisation_name: str | None = None
    email: str | None = None
    billing_email: str | None = None
    phone_number: str | None = None
    mobile: str | None = None
    address1: str | None = None
    address2: str | None = None
    address3: str | None = None
    town: str | None = None
    region: str | None = None
    postcode: str | None = None
    country: str | None = None
    status: str | None = None
    sales_tax_registration_number: str | None = None
    account_balance: Decimal | None = None
    default_payment_terms_in_days: Decimal | None = None
    charge_sales_tax: str | None = None
    locale: str | None = None
    is_cis_subcontractor: bool | None = None
    cis_deduction_rate: str | None = None
    unique_tax_reference: str | None = None
    subcontractor_verification_number: str | None = None
    direct_debit_mandate_state: str | None = None
    updated_at: str | None = None


class Project(Payload, frozen=True, kw_only=True):
    """https://dev.freeagent.com/docs/projects"""

    url: str
    name: str | None = None
    contact: str | None = None
    status: str | None = None
    currency: str | None = None
    contract_po_reference: str | None = None
    budget: Decimal | None = None
    budget_units: str | None = None
    is_ir35: bool | None = None
    starts_on: str | None = None
    ends_on: str | None = None
    updated_at: str | None = None


class Property(Payload, frozen=True, kw_only=True):
    """https://dev.freeagent.com/docs/properties"""

    url: str
    address1: str | None = None
    name: str | None = None
    postcode: str | None = None
    updated_at: str | None = None


class SalesTaxPeriod(Payload, frozen=True, kw_only=True):
    """https://dev.freeagent.com/docs/sales_tax_periods"""

    url: str
    sales_tax_name: str | None = None
    sales_tax_rate_1: Decimal | None = None
    sales_tax_rate_2: Decimal | None = None
    sales_tax_rate_3: Decimal | None = None
    second_sales_tax_name: str | None = None
    second_sales_tax_rate_1: Decimal | None = None
    second_sales_tax_rate_2: Decimal | None = None
    second_sales_tax_rate_3: Decimal | None = None
    second_sales_tax_is_compound: bool | None = None
    effective_date: str | None = None


class InvoiceItem(Payload, frozen=True, kw_only=True):
    """A line of an invoice or credit note."""

    url: str | None = None
    position: Decimal | None = None
    item_type: str | None = None
    quantity: Decimal | None = None
    description: str | None = None
    price: Decimal | None = None
    sales_tax_rate: Decimal | None = None
    second_sales_tax_rate: Decimal | None = None
    sales_tax_status: str | None = None
    second_sales_tax_status: str | None = None
    stock_item: str | None = None
    category: str | None = None
    project: str | None = None


class _SalesDocument(Payload, frozen=True, kw_only=True):
    """What invoices and credit notes share."""

    url: str
    status: str
    dated_on: str
    total_value: Decimal
    contact: str | None = None
    contact_name: str | None = None
    client_contact_name: str | None = None
    reference: str | None = None
    due_on: str | None = None
    payment_terms_in_days: Decimal | None = None
    currency: str | None = None
    exchange_rate: Decimal | None = None
    discount_percent: Decimal | None = None
    net_value: Decimal | None = None
    sales_tax_value: Decimal | None = None
    second_sales_tax_value: Decimal | None = None
    due_value: Decimal | None = None
    involves_sales_tax: bool | None = None
    is_interim_uk_vat: bool | None = None
    ec_status: str | None = None
    place_of_supply: str | None = None
    po_reference: str | None = None
    comments: str | None = None
    project: str | None = None
    property: str | None = None
    written_off_date: str | None = None
    cis_rate: str | None = None
    cis_deduction_rate: Decimal | None = None
    cis_deduction: Decimal | None = None
    cis_deduction_suffered: Decimal | None = None
    updated_at: str | None = None


class Invoice(_SalesDocument, frozen=True, kw_only=True):
    """https://dev.freeagent.com/docs/invoices"""

    paid_value: Decimal | None = None
    paid_on: str | None = None
    payment_url: str | None = None
    recurring_invoice: str | None = None
    invoice_items: tuple[InvoiceItem, ...] | None = None


class CreditNote(_SalesDocument, frozen=True, kw_only=True):
    """https://dev.freeagent.com/docs/credit_notes"""

    refunded_value: Decimal | None = None
    refunded_on: str | None = None
    credit_note_items: tuple[InvoiceItem, ...] | None = None


class CreditNoteReconciliation(Payload, frozen=True, kw_only=True):
    """https://dev.freeagent.com/docs/credit_note_reconciliations"""

    url: str
    gross_value: Decimal
    dated_on: str
    invoice: str
    credit_note: str
    currency: str | None = None
    exchange_rate: Decimal | None = None
    updated_at: str | None = None


class BillItem(Payload, frozen=True, kw_only=True):
    url: str | None = None
    category: str | None = None
    description: str | None = None
    total_value: Decimal | None = None
    total_value_ex_tax: Decimal | None = None
    manual_sales_tax_amount: Decimal | None = None
    sales_tax_rate: Decimal | None = None
    second_sales_tax_rate: Decimal | None = None
    sales_tax_value: Decimal | None = None
    second_sales_tax_value: Decimal | None = None
    sales_tax_status: str | None = None
    unit: str | None = None
    quantity: Decimal | None = None
    stock_item: str | None = None
    stock_item_description: str | None = None
    stock_altering_quantity: Decimal | None = None
    project: str | None = None


class Bill(Payload, frozen=True, kw_only=True):
    """https://dev.freeagent.com/docs/bills"""

    url: str
    dated_on: str
    total_value: Decimal
    status: str
    contact: str | None = None
    contact_name: str | None = None
    reference: str | None = None
    due_on: str | None = None
    paid_on: str | None = None
    currency: str | None = None
    exchange_rate: Decimal | None = None
    due_value: Decimal | None = None
    net_value: Decimal | None = None
    sales_tax_value: Decimal | None = None
    second_sales_tax_value: Decimal | None = None
    ec_status: str | None = None
    comments: str | None = None
    project: str | None = None
    rebill_to_project: str | None = None
    rebill_type: str | None = None
    rebill_factor: Decimal | None = None
    rebilled_on_invoice_item: str | None = None
    property: str | None = None
    recurring: bool | str | None = None
    is_paid_by_hire_purchase: bool | None = None
    cis_deduction_band: str | None = None
    cis_deduction_rate: Decimal | None = None
    cis_deduction: Decimal | None = None
    cis_deduction_suffered: Decimal | None = None
    bill_items: tuple[BillItem, ...] | None = None
    updated_at: str | None = None


class Expense(Payload, frozen=True, kw_only=True):
    """https://dev.freeagent.com/docs/expenses"""

    url: str
    dated_on: str
    gross_value: Decimal
    user: str | None = None
    category: str | None = None
    currency: str | None = None
    native_gross_value: Decimal | None = None
    sales_tax_rate: Decimal | None = None
    sales_tax_value: Decimal | None = None
    native_sales_tax_value: Decimal | None = None
    second_sales_tax_rate: Decimal | None = None
    manual_sales_tax_amount: Decimal | None = None
    sales_tax_status: str | None = None
    ec_status: str | None = None
    description: str | None = None
    receipt_reference: str | None = None
    stock_item: str | None = None
    stock_altering_quantity: Decimal | None = None
    project: str | None = None
    rebill_to_project: str | None = None
    rebill_type: str | None = None
    rebill_factor: Decimal | None = None
    rebilled_on_invoice: str | None = None
    property: str | None = None
    recurring: bool | str | None = None
    mileage: Decimal | None = None
    vehicle_type: str | None = None
    engine_type: str | None = None
    engine_size: str | None = None
    reclaim_mileage_rate: Decimal | None = None
    rebill_mileage_rate: Decimal | None = None
    have_vat_receipt: bool | None = None
    updated_at: str | None = None


class Explanation(Payload, frozen=True, kw_only=True):
    """https://dev.freeagent.com/docs/bank_transaction_explanations"""

    url: str
    bank_account: str
    dated_on: str
    gross_value: Decimal
    bank_transaction: str | None = None
    type: str | None = None
    category: str | None = None
    description: str | None = None
    cheque_number: str | None = None
    receipt_reference: str | None = None
    ec_status: str | None = None
    place_of_supply: str | None = None
    sales_tax_rate: Decimal | None = None
    second_sales_tax_rate: Decimal | None = None
    sales_tax_value: Decimal | None = None
    second_sales_tax_value: Decimal | None = None
    sales_tax_status: str | None = None
    marked_for_review: bool | None = None
    project: str | None = None
    property: str | None = None
    rebill_type: str | None = None
    rebill_factor: Decimal | None = None
    paid_invoice: str | None = None
    paid_bill: str | None = None
    paid_user: str | None = None
    foreign_currency_value: Decimal | None = None
    transfer_bank_account: str | None = None
    linked_transfer_explanation: str | None = None
    linked_transfer_account: str | None = None
    stock_item: str | None = None
    stock_altering_quantity: Decimal | None = None
    capital_asset: str | None = None
    disposed_asset: str | None = None
    updated_at: str | None = None


class _Reviewed(Payload, frozen=True, kw_only=True):
    """Of the explanations embedded in a bank transaction only this is read; they have a list of their own."""

    marked_for_review: bool | None = None


class BankTransaction(Payload, frozen=True, kw_only=True):
    """https://dev.freeagent.com/docs/bank_transactions"""

    url: str
    bank_account: str
    dated_on: str
    amount: Decimal
    description: str | None = None
    full_description: str | None = None
    transaction_id: str | None = None
    unexplained_amount: Decimal | None = None
    is_manual: bool | None = None
    created_at: str | None = None
    updated_at: str | None = None
    bank_transaction_explanations: tuple[_Reviewed, ...] | None = None


class _Foreign(Payload, frozen=True, kw_only=True):
    currency_code: str | None = None
    debit_value: Decimal | None = None


class LedgerTransaction(Payload, frozen=True, kw_only=True):
    """One posting (https://dev.freeagent.com/docs/transactions): debit positive, in the company's currency."""

    url: str
    dated_on: str
    nominal_code: str
    debit_value: Decimal
    description: str | None = None
    source_item_url: str | None = None
    foreign_currency_data: _Foreign | None = None
    created_at: str | None = None
    updated_at: str | None = None


class JournalSet(Payload, frozen=True, kw_only=True):
    """https://dev.freeagent.com/docs/journal_sets. What it posts stands in the ledger."""

    url: str
    description: str | None = None
    tag: str | None = None


class Balances(Payload, frozen=True, kw_only=True):
    """https://dev.freeagent.com/docs/trial_balance"""

    trial_balance_summary: tuple[TrialBalanceLine, ...]


class PriceListItem(Payload, frozen=True, kw_only=True):
    """https://dev.freeagent.com/docs/price_list_items"""

    url: str
    code: str | None = None
    quantity: Decimal | None = None
    item_type: str | None = None
    description: str | None = None
    price: Decimal | None = None
    vat_status: str | None = None
    sales_tax_rate: Decimal | None = None
    second_sales_tax_rate: Decimal | None = None
    category: str | None = None
    stock_item: str | None = None
    updated_at: str | None = None


class StockItem(Payload, frozen=True, kw_only=True):
    """https://dev.freeagent.com/docs/stock_items"""

    url: str
    description: str | None = None
    opening_quantity: Decimal | None = None
    opening_balance: Decimal | None = None
    cost_of_sale_category: str | None = None
    stock_on_hand: Decimal | None = None
    updated_at: str | None = None


_TIMES = {"created_at": "when it was entered tells nothing of the books"}
_LOCKS = {
    "locked_attributes": "tells what may be edited in FreeAgent",
    "locked_reason": "tells what may be edited in FreeAgent",
    "is_locked": "tells what may be edited in FreeAgent",
}
_SENDING = dict.fromkeys(
    (
        "send_new_invoice_emails",
        "send_reminder_emails",
        "send_thank_you_emails",
        "omit_header",
        "show_project_name",
        "always_show_bic_and_iban",
        "payment_methods",
        "payment_terms",
        "include_timeslips",
        "include_expenses",
        "include_estimates",
    ),
    "how the document is sent or printed",
)
_DRIFTS = "changes by itself, with the day"
_SALES = {
    **_TIMES,
    **_SENDING,
    "long_status": _DRIFTS,
    "bank_account": "where payment is asked for, not where it arrives",
    "discount_value": "follows from the lines and discount_percent",
    "suffers_cis_deduction": "the deduction stands in the header",
}

# Members that FreeAgent sends and mapping leaves alone, by resource, with the reason.
NOT_MAPPED: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "company": {
            "mileage_units": "a display setting",
            "trading_start_date": "no member in the standard model",
            "short_date_format": "a display setting",
            "sales_tax_is_value_added": "follows from the tax name",
            "sales_tax_deregistration_effective_date": "no member in the standard model",
            "vat_first_return_period_ends_on": "no member in the standard model",
            "initial_vat_frs_type": "no member in the standard model",
            "locked_attributes": "tells what may be edited in FreeAgent",
            "locale": "a display setting",
            "ec_vat_reporting_enabled": "no member in the standard model",
            "supports_auto_sales_tax_on_purchases": "concerns entry in FreeAgent",
            "logo": "a picture",
        },
        "users": dict.fromkeys(
            (
                "email",
                "ni_number",
                "unique_tax_reference",
                "role",
                "opening_mileage",
                "send_invitation",
                "permission_level",
                "current_payroll_profile",
                "hidden",
                "created_at",
                "updated_at",
            ),
            "a person's own data: only the name is needed, for user accounts",
        ),
        "categories": {},
        "trial_balance": {"category": "the code identifies the account"},
        "dated_balances": {"category": "the code identifies the account"},
        "balances_afterwards": {"category": "the code identifies the account"},
        "profit_and_loss": {
            "from": "it was asked for",
            "to": "it was asked for",
            "retained_profit_brought_forward": "the trial balance has it to the penny",
            "retained_profit_carried_forward": "the trial balance has it to the penny",
        },
        "balance_sheet": {
            "accounting_period_start_date": "the company tells its accounting years",
            "as_at_date": "it was asked for",
            "currency": "the company's own",
            "net_current_assets": "computed",
            "net_book_value": "computed",
            "name": "the chart of accounts has it",
            "retained_profit": "the trial balance has it to the penny",
        },
        "cashflow": {
            "from": "the months are told",
            "balance": "computed",
            "total": "computed",
        },
        "bank_accounts": {
            **_TIMES,
            "total_count": "a counter for display",
            "unexplained_transaction_count": "a counter for display",
            "marked_for_review_count": "a counter for display",
            "manually_added_transaction_count": "a counter for display",
            "bank_feed_enabled": "concerns the bank feed",
        },
        "contacts": {
            **_TIMES,
            "active_projects_count": "a counter for display",
            "contact_name_on_invoices": "how documents are printed",
            "uses_contact_invoice_sequence": "concerns entry in FreeAgent",
            "emails_invoices_automatically": "how documents are sent",
            "emails_payment_reminders": "how documents are sent",
            "emails_thank_you_notes": "how documents are sent",
            "uses_contact_level_email_settings": "how documents are sent",
        },
        "projects": {
            **_TIMES,
            "contact_name": "the contact has it",
            "uses_project_invoice_sequence": "concerns entry in FreeAgent",
            "hours_per_day": "concerns time keeping",
            "normal_billing_rate": "concerns time keeping",
            "billing_period": "concerns time keeping",
            "include_unbilled_time_in_profitability": "concerns time keeping",
            "is_deletable": "tells what may be edited in FreeAgent",
        },
        "invoices": _SALES,
        "credit_notes": _SALES,
        "credit_note_reconciliations": _TIMES,
        "bills": {
            **_TIMES,
            **_LOCKS,
            "long_status": _DRIFTS,
            "native_due_value": _DRIFTS,
            "input_total_values_inc_tax": "concerns entry in FreeAgent",
            "recurring_end_date": "concerns entry in FreeAgent",
            "paid_value": "follows from the payments",
            "attachment": "a data type of its own",
            "bill": "the line stands in its bill",
            "cis_deduction_rate": "of a line: the bill has it",
            "second_sales_tax_status": "the rate tells it",
            "depreciation_schedule": "concerns capital assets",
            "capital_asset": "concerns capital assets",
        },
        "expenses": {
            **_TIMES,
            **_LOCKS,
            "attachment": "a data type of its own",
            "stock_item_description": "the description has it",
            "second_sales_tax_status": "the rate tells it",
            "next_recurs_on": "concerns entry in FreeAgent",
            "recurring_end_date": "concerns entry in FreeAgent",
            "reclaim_mileage": "the amount tells it",
            "initial_rate_mileage": "the amount tells it",
            "capital_asset": "concerns capital assets",
            "depreciation_schedule": "concerns capital assets",
            "rebilled_on_invoice_item": "the invoice is named",
            "project_name": "the project has it",
            "contact_name": "the project has it",
            "engine_type_index": "concerns entry in FreeAgent",
            "engine_size_index": "concerns entry in FreeAgent",
        },
        "bank_transactions": {
            "uploaded_at": "when the statement was uploaded tells nothing of the books",
            "matching_transactions_count": _DRIFTS,
        },
        "bank_transaction_explanations": {
            **_LOCKS,
            "second_sales_tax_status": "the rate tells it",
            "attachment": "a data type of its own",
            "is_money_in": "the sign tells it",
            "is_money_out": "the sign tells it",
            "is_money_paid_to_user": "paid_user tells it",
            "is_deletable": "tells what may be edited in FreeAgent",
            "asset_life_years": "concerns capital assets",
            "foreign_currency": "the document has it",
            "transaction_description": "the bank transaction has it",
            "transfer_value": "minus gross_value",
            "detail": "text for display",
            "has_pending_operation": _DRIFTS,
            "entry_type": "text for display",
        },
        "ledger_transactions": {
            "category": "the nominal code identifies the account",
            "category_name": "the account has it",
        },
        "journal_sets": {
            **_TIMES,
            "dated_on": "the ledger has it",
            "journal_entries": "the ledger has what they post",
            "bank_accounts": "the opening trial balance has it",
            "stock_items": "the opening trial balance has it",
            "updated_at": "the ledger's lines have their own",
        },
        "opening_balances": {"category": "the code identifies the account"},
        "closing_balances": {"category": "the code identifies the account"},
        "price_list_items": _TIMES,
        "stock_items": _TIMES,
        "properties": dict.fromkeys(
            ("address2", "address3", "town", "region", "country"), "address1 and the postcode name a property"
        ),
        "sales_tax_periods": {
            "sales_tax_registration_status": "the company has its present one",
            "sales_tax_registration_number": "the company has its present one",
            "sales_tax_is_value_added": "follows from the tax name",
            "is_locked": "tells what may be edited in FreeAgent",
            "locked_reason": "tells what may be edited in FreeAgent",
        },
    }
)


@cache
def _members(payload: type[Payload]) -> dict[str, type[Payload] | None]:
    """The declared members; those that hold a list of payloads with the type of these."""
    found: dict[str, type[Payload] | None] = {}
    for field in msgspec.structs.fields(payload):
        found[field.name] = next((one for one in _inside(field.type) if one is not _Reviewed), None)
    return found


def _inside(kind: Any) -> Iterator[type[Payload]]:
    """The payload types that a field's type is made of."""
    if isinstance(kind, type) and issubclass(kind, Payload):
        yield kind
    for one in getattr(kind, "__args__", ()):
        yield from _inside(one)


def unexpected(payload: type[Payload], resource: str, record: Mapping[str, Any]) -> list[str]:
    """Members that are neither mapped nor left alone on purpose, by dotted path."""
    left_alone = NOT_MAPPED.get(resource, {})
    found: list[str] = []
    members = _members(payload)
    for name, value in record.items():
        if name not in members:
            if name not in left_alone:
                found.append(name)
        elif (nested := members[name]) is not None:
            for one in value if isinstance(value, list) else [value]:
                found += [f"{name}.{inner}" for inner in unexpected(nested, resource, one)]
    return found
