"""What is bought: suppliers' documents, payments to them, and spending and income without a document."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from comptoir.model.records import (
    AccountRef,
    ContactRef,
    ItemRef,
    LocalDate,
    Record,
    RecordRef,
    TaxRateRef,
    TrackingCategoryRef,
    Value,
    WithholdingTax,
)
from comptoir.model.sales import DocumentStatus, PaymentAllocation, Tracking

__all__ = [
    "Bill",
    "BillCreditNote",
    "BillLinkType",
    "BillPayment",
    "BillPaymentLine",
    "BillPaymentLink",
    "BillStatus",
    "DirectCost",
    "DirectIncome",
    "DirectLine",
    "DirectTracking",
    "PurchaseLine",
    "SupplierRef",
]


class BillStatus(StrEnum):
    UNKNOWN = "Unknown"
    OPEN = "Open"
    PARTIALLY_PAID = "PartiallyPaid"
    PAID = "Paid"
    VOID = "Void"
    DRAFT = "Draft"


class BillLinkType(StrEnum):
    """What a bill payment line settles."""

    UNKNOWN = "Unknown"
    UNLINKED = "Unlinked"
    BILL = "Bill"
    OTHER = "Other"
    CREDIT_NOTE = "CreditNote"
    BILL_PAYMENT = "BillPayment"
    PAYMENT_ON_ACCOUNT = "PaymentOnAccount"
    REFUND = "Refund"
    MANUAL_JOURNAL = "ManualJournal"
    DISCOUNT = "Discount"


class SupplierRef(Value, frozen=True, kw_only=True):
    id: str
    supplier_name: str | None = None


class PurchaseLine(Value, frozen=True, kw_only=True):
    line_number: str | None = None
    description: str | None = None
    unit_amount: Decimal
    quantity: Decimal
    unit_of_measurement: str | None = None
    discount_amount: Decimal | None = None
    sub_total: Decimal | None = None
    tax_amount: Decimal | None = None
    total_amount: Decimal | None = None
    discount_percentage: Decimal | None = None
    account_ref: AccountRef | None = None
    tax_rate_ref: TaxRateRef | None = None
    item_ref: ItemRef | None = None
    tracking_category_refs: tuple[TrackingCategoryRef, ...] | None = None
    tracking: Tracking | None = None
    is_direct_cost: bool | None = None


class Bill(Record, frozen=True, kw_only=True):
    reference: str | None = None
    supplier_ref: SupplierRef | None = None
    purchase_order_refs: tuple[str, ...] | None = None
    issue_date: LocalDate
    due_date: LocalDate | None = None
    currency: str | None = None
    currency_rate: Decimal | None = None
    line_items: tuple[PurchaseLine, ...] | None = None
    withholding_tax: tuple[WithholdingTax, ...] | None = None
    status: BillStatus
    sub_total: Decimal
    tax_amount: Decimal
    total_amount: Decimal
    amount_due: Decimal | None = None
    note: str | None = None
    payment_allocations: tuple[PaymentAllocation, ...] | None = None


class BillCreditNote(Record, frozen=True, kw_only=True):
    """Amounts positive: what the supplier credits us."""

    bill_credit_note_number: str | None = None
    supplier_ref: SupplierRef | None = None
    withholding_tax: tuple[WithholdingTax, ...] | None = None
    total_amount: Decimal
    total_discount: Decimal
    sub_total: Decimal
    total_tax_amount: Decimal
    discount_percentage: Decimal
    remaining_credit: Decimal | None = None
    status: DocumentStatus
    issue_date: LocalDate | None = None
    allocated_on_date: LocalDate | None = None
    currency: str | None = None
    currency_rate: Decimal | None = None
    line_items: tuple[PurchaseLine, ...] | None = None
    payment_allocations: tuple[PaymentAllocation, ...] | None = None
    note: str | None = None


class BillPaymentLink(Value, frozen=True, kw_only=True):
    """What a bill payment line settles, in that document's currency: negative where it reduces what is open."""

    type: BillLinkType
    id: str | None = None
    amount: Decimal | None = None
    currency_rate: Decimal | None = None


class BillPaymentLine(Value, frozen=True, kw_only=True):
    amount: Decimal
    links: tuple[BillPaymentLink, ...] | None = None
    allocated_on_date: LocalDate | None = None


class BillPayment(Record, frozen=True, kw_only=True):
    """Money to a supplier (negative: a refund received)."""

    supplier_ref: SupplierRef | None = None
    account_ref: AccountRef | None = None
    total_amount: Decimal | None = None
    currency: str | None = None
    currency_rate: Decimal | None = None
    date: LocalDate
    note: str | None = None
    lines: tuple[BillPaymentLine, ...] | None = None
    reference: str | None = None


class DirectTracking(Value, frozen=True, kw_only=True):
    record_refs: tuple[RecordRef, ...]
    invoice_to: RecordRef | None = None


class DirectLine(Value, frozen=True, kw_only=True):
    description: str | None = None
    unit_amount: Decimal
    quantity: Decimal
    discount_amount: Decimal | None = None
    discount_percentage: Decimal | None = None
    sub_total: Decimal | None = None
    tax_amount: Decimal | None = None
    total_amount: Decimal | None = None
    account_ref: AccountRef | None = None
    tax_rate_ref: TaxRateRef | None = None
    item_ref: ItemRef | None = None
    tracking_category_refs: tuple[TrackingCategoryRef, ...] | None = None
    tracking: DirectTracking | None = None


class DirectCost(Record, frozen=True, kw_only=True):
    """Spending without a bill: out positive, a supplier's refund negative. Exactly one line."""

    reference: str | None = None
    note: str | None = None
    contact_ref: ContactRef | None = None
    issue_date: LocalDate
    currency: str
    currency_rate: Decimal | None = None
    line_items: tuple[DirectLine, ...]
    payment_allocations: tuple[PaymentAllocation, ...]
    sub_total: Decimal
    tax_amount: Decimal
    total_amount: Decimal


class DirectIncome(Record, frozen=True, kw_only=True):
    """A receipt without an invoice: in positive, a refund to a customer negative. Exactly one line."""

    reference: str | None = None
    note: str | None = None
    contact_ref: ContactRef | None = None
    issue_date: LocalDate
    currency: str
    currency_rate: Decimal | None = None
    line_items: tuple[DirectLine, ...]
    payment_allocations: tuple[PaymentAllocation, ...]
    sub_total: Decimal
    tax_amount: Decimal
    total_amount: Decimal
