"""What is sold: customers' documents, what they pay, and the lines these are made of."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from comptoir.model.records import (
    AccountRef,
    ItemRef,
    LocalDate,
    ProjectRef,
    Record,
    TaxRateRef,
    TrackingCategoryRef,
    Value,
    WithholdingTax,
)

__all__ = [
    "AllocatedPayment",
    "Allocation",
    "BilledTo",
    "CreditNote",
    "CustomerRef",
    "DocumentStatus",
    "Invoice",
    "LinkType",
    "Payment",
    "PaymentAllocation",
    "PaymentLine",
    "PaymentLink",
    "SalesLine",
    "Tracking",
]


class DocumentStatus(StrEnum):
    """Of invoices and credit notes. Void: deleted, refunded, written off or cancelled."""

    UNKNOWN = "Unknown"
    DRAFT = "Draft"
    SUBMITTED = "Submitted"
    PARTIALLY_PAID = "PartiallyPaid"
    PAID = "Paid"
    VOID = "Void"


class BilledTo(StrEnum):
    UNKNOWN = "Unknown"
    NOT_APPLICABLE = "NotApplicable"
    CUSTOMER = "Customer"
    PROJECT = "Project"


class LinkType(StrEnum):
    """What a payment line settles."""

    UNKNOWN = "Unknown"
    UNLINKED = "Unlinked"
    INVOICE = "Invoice"
    CREDIT_NOTE = "CreditNote"
    OTHER = "Other"
    REFUND = "Refund"
    PAYMENT = "Payment"
    PAYMENT_ON_ACCOUNT = "PaymentOnAccount"
    MANUAL_JOURNAL = "ManualJournal"
    DISCOUNT = "Discount"


class CustomerRef(Value, frozen=True, kw_only=True):
    id: str
    company_name: str | None = None


class Tracking(Value, frozen=True, kw_only=True):
    category_refs: tuple[TrackingCategoryRef, ...]
    customer_ref: CustomerRef | None = None
    project_ref: ProjectRef | None = None
    is_billed_to: BilledTo
    is_rebilled_to: BilledTo


class AllocatedPayment(Value, frozen=True, kw_only=True):
    """The payment behind an allocation, in its own currency."""

    id: str
    note: str | None = None
    reference: str | None = None
    account_ref: AccountRef | None = None
    currency: str | None = None
    currency_rate: Decimal | None = None
    paid_on_date: LocalDate | None = None
    total_amount: Decimal | None = None


class Allocation(Value, frozen=True, kw_only=True):
    """The part of a payment that settles this document, in the document's currency."""

    currency: str | None = None
    currency_rate: Decimal | None = None
    allocated_on_date: LocalDate | None = None
    total_amount: Decimal | None = None


class PaymentAllocation(Value, frozen=True, kw_only=True):
    payment: AllocatedPayment
    allocation: Allocation


class SalesLine(Value, frozen=True, kw_only=True):
    """A line of an invoice or credit note; totals are computed so that they add up to the header."""

    description: str | None = None
    unit_amount: Decimal
    quantity: Decimal
    discount_amount: Decimal | None = None
    sub_total: Decimal | None = None
    tax_amount: Decimal | None = None
    total_amount: Decimal | None = None
    account_ref: AccountRef | None = None
    discount_percentage: Decimal | None = None
    tax_rate_ref: TaxRateRef | None = None
    item_ref: ItemRef | None = None
    tracking_category_refs: tuple[TrackingCategoryRef, ...] | None = None
    tracking: Tracking | None = None
    is_direct_income: bool | None = None


class Invoice(Record, frozen=True, kw_only=True):
    invoice_number: str | None = None
    customer_ref: CustomerRef | None = None
    sales_order_refs: tuple[str, ...] | None = None
    issue_date: LocalDate
    due_date: LocalDate | None = None
    paid_on_date: LocalDate | None = None
    currency: str | None = None
    currency_rate: Decimal | None = None
    line_items: tuple[SalesLine, ...] | None = None
    payment_allocations: tuple[PaymentAllocation, ...] | None = None
    withholding_tax: tuple[WithholdingTax, ...] | None = None
    total_discount: Decimal | None = None
    sub_total: Decimal | None = None
    total_tax_amount: Decimal
    total_amount: Decimal
    amount_due: Decimal
    discount_percentage: Decimal | None = None
    status: DocumentStatus
    note: str | None = None


class CreditNote(Record, frozen=True, kw_only=True):
    """Amounts positive: what the customer is credited."""

    credit_note_number: str | None = None
    customer_ref: CustomerRef | None = None
    withholding_tax: tuple[WithholdingTax, ...] | None = None
    total_amount: Decimal
    total_discount: Decimal
    sub_total: Decimal
    total_tax_amount: Decimal
    discount_percentage: Decimal
    remaining_credit: Decimal
    status: DocumentStatus
    issue_date: LocalDate | None = None
    allocated_on_date: LocalDate | None = None
    currency: str | None = None
    currency_rate: Decimal | None = None
    line_items: tuple[SalesLine, ...] | None = None
    payment_allocations: tuple[PaymentAllocation, ...] | None = None
    note: str | None = None


class PaymentLink(Value, frozen=True, kw_only=True):
    """What a payment line settles, in that document's currency: negative where it reduces what is open."""

    type: LinkType
    id: str | None = None
    amount: Decimal | None = None
    currency_rate: Decimal | None = None


class PaymentLine(Value, frozen=True, kw_only=True):
    amount: Decimal
    links: tuple[PaymentLink, ...] | None = None
    allocated_on_date: LocalDate | None = None


class Payment(Record, frozen=True, kw_only=True):
    """Money from a customer (negative: to one), or an allocation without money (zero)."""

    customer_ref: CustomerRef | None = None
    account_ref: AccountRef | None = None
    total_amount: Decimal | None = None
    currency: str | None = None
    currency_rate: Decimal | None = None
    date: LocalDate
    note: str | None = None
    lines: tuple[PaymentLine, ...] | None = None
    reference: str | None = None
