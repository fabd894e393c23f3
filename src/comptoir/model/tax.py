"""Tax rates, and the items that carry one."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from comptoir.model.parties import PartyStatus
from comptoir.model.records import AccountRef, Record, TaxRateRef, ValidDatatypeLinks, Value

__all__ = ["BillItem", "InvoiceItem", "Item", "ItemType", "TaxRate", "TaxRateComponent"]


class ItemType(StrEnum):
    UNKNOWN = "Unknown"
    INVENTORY = "Inventory"
    NON_INVENTORY = "NonInventory"
    SERVICE = "Service"


class TaxRateComponent(Value, frozen=True, kw_only=True):
    name: str
    rate: Decimal | None = None
    is_compound: bool


class TaxRate(Record, frozen=True, kw_only=True):
    """Rates in percent. The effective rate is what is charged; notional tax has a total rate only."""

    name: str | None = None
    code: str | None = None
    status: PartyStatus
    effective_tax_rate: Decimal | None = None
    total_tax_rate: Decimal | None = None
    components: tuple[TaxRateComponent, ...] | None = None
    valid_datatype_links: tuple[ValidDatatypeLinks, ...] | None = None


class InvoiceItem(Value, frozen=True, kw_only=True):
    description: str | None = None
    unit_price: Decimal | None = None
    account_ref: AccountRef | None = None
    tax_rate_ref: TaxRateRef | None = None


class BillItem(Value, frozen=True, kw_only=True):
    description: str | None = None
    unit_price: Decimal | None = None
    account_ref: AccountRef | None = None
    tax_rate_ref: TaxRateRef | None = None


class Item(Record, frozen=True, kw_only=True):
    name: str | None = None
    code: str | None = None
    item_status: PartyStatus
    type: ItemType
    is_invoice_item: bool
    invoice_item: InvoiceItem | None = None
    is_bill_item: bool
    bill_item: BillItem | None = None
