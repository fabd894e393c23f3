"""Items and what lines are tracked by.

Sources: https://dev.freeagent.com/docs/price_list_items, stock_items, projects, properties
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from comptoir.integrations.contract import Mapped, Note
from comptoir.integrations.freeagent import payloads
from comptoir.integrations.freeagent.books import Books, property_name
from comptoir.integrations.freeagent.mapping import tax
from comptoir.integrations.freeagent.references import instant, last_segment
from comptoir.model.ledger import TrackingCategory
from comptoir.model.money import plain
from comptoir.model.parties import PartyStatus
from comptoir.model.records import TaxRateRef
from comptoir.model.tax import BillItem, InvoiceItem, Item, ItemType

__all__ = ["price_list_item", "project", "property_", "stock_item"]

_SERVICES = ("Hours", "Days", "Weeks", "Months", "Years", "Services", "Training")
_ITEM_TYPES: dict[str | None, ItemType] = {
    "Stock": ItemType.INVENTORY,
    "Comment": ItemType.UNKNOWN,
    **dict.fromkeys(_SERVICES, ItemType.SERVICE),
    **dict.fromkeys(("Products", "Expenses", "Bills", "Discount", "Credit", "VAT", "", None), ItemType.NON_INVENTORY),
}
_VAT_STATES = (None, "", "standard", "reduced", "zero", "out_of_scope")
_PROJECT_STATES = {
    "Active": PartyStatus.ACTIVE,
    "Completed": PartyStatus.ARCHIVED,
    "Cancelled": PartyStatus.ARCHIVED,
    "Hidden": PartyStatus.ARCHIVED,
}


def price_list_item(source: payloads.PriceListItem, books: Books) -> Iterator[Mapped | Note]:
    id_ = last_segment(source.url)
    if source.item_type not in _ITEM_TYPES:
        yield Note(record_id=id_, field="type", message=f"The type {source.item_type!r} is not documented.")
    if source.vat_status not in _VAT_STATES:
        message = f"The VAT status {source.vat_status!r} is not documented."
        yield Note(record_id=id_, field="invoiceItem.taxRateRef", message=message)
    yield Mapped(
        Item(
            id=id_,
            name=source.description or source.code or None,
            code=source.code or None,
            item_status=PartyStatus.ACTIVE,
            type=_ITEM_TYPES.get(source.item_type, ItemType.UNKNOWN),
            is_invoice_item=True,
            invoice_item=InvoiceItem(
                description=source.description or None,
                unit_price=None if source.price is None else plain(source.price),
                account_ref=books.account_ref(source.category),
                tax_rate_ref=_tax_ref(source, books),
            ),
            is_bill_item=False,
            source_modified_date=instant(source.updated_at),
        ),
        {
            "sourceUrl": source.url,
            "quantity": source.quantity,
            "itemType": source.item_type,
            "stockItem": last_segment(source.stock_item) if source.stock_item else None,
        },
    )


def _tax_ref(source: payloads.PriceListItem, books: Books) -> TaxRateRef | None:
    rates = sorted(books.company.sales_tax_rates or (), reverse=True)
    by_name: dict[str, Decimal] = {"zero": Decimal(0)}
    if rates:
        by_name |= {"standard": rates[0], "reduced": rates[len(rates) // 2]}
    if source.vat_status == "out_of_scope":
        return tax.ref(tax.Tuple_(status="OUT_OF_SCOPE"), books)
    if source.vat_status in by_name:
        return tax.ref(tax.Tuple_(status="TAXABLE", rate=by_name[source.vat_status]), books)
    if source.vat_status is None and source.sales_tax_rate is not None:
        tuple_ = tax.Tuple_(status="TAXABLE", rate=source.sales_tax_rate, second_rate=source.second_sales_tax_rate)
        return tax.ref(tuple_, books)
    return None


def item_rates(source: payloads.PriceListItem, books: Books) -> Iterator[Mapped]:
    """The rate a price list item refers to, so that it is on the list of rates."""
    if source.vat_status is None and source.sales_tax_rate is not None:
        tuple_ = tax.Tuple_(status="TAXABLE", rate=source.sales_tax_rate, second_rate=source.second_sales_tax_rate)
        yield Mapped(tax.rate_of(tuple_, books))
    elif source.vat_status == "zero":
        yield Mapped(tax.rate_of(tax.Tuple_(status="TAXABLE", rate=Decimal(0)), books))


def stock_item(source: payloads.StockItem, books: Books) -> Iterator[Mapped | Note]:
    number = last_segment(source.url)
    code = books.stock_codes.get(number)
    account = books.account_ref_of_code(code) if code else None
    yield Mapped(
        Item(
            id=f"stock-{number}",
            name=source.description or None,
            item_status=PartyStatus.ACTIVE,
            type=ItemType.INVENTORY,
            is_invoice_item=True,
            invoice_item=InvoiceItem(description=source.description or None),
            is_bill_item=True,
            bill_item=BillItem(account_ref=account),
            source_modified_date=instant(source.updated_at),
        ),
        {
            "sourceUrl": source.url,
            "openingQuantity": source.opening_quantity,
            "openingBalance": source.opening_balance,
            "stockOnHand": source.stock_on_hand,
            "costOfSaleCategory": last_segment(source.cost_of_sale_category) if source.cost_of_sale_category else None,
        },
    )


def project(source: payloads.Project, books: Books) -> Iterator[Mapped | Note]:
    id_ = last_segment(source.url)
    status = _PROJECT_STATES.get(source.status or "", PartyStatus.UNKNOWN)
    if status is PartyStatus.UNKNOWN:
        yield Note(record_id=id_, field="status", message=f"The status {source.status!r} is not documented.")
    yield Mapped(
        TrackingCategory(
            id=id_,
            name=source.name,
            has_children=False,
            status=status,
            source_modified_date=instant(source.updated_at),
        ),
        {
            "sourceUrl": source.url,
            "contact": last_segment(source.contact) if source.contact else None,
            "contractPoReference": source.contract_po_reference,
            "currency": source.currency,
            "budget": source.budget,
            "budgetUnits": source.budget_units,
            "isIr35": source.is_ir35,
            "startsOn": source.starts_on,
            "endsOn": source.ends_on,
        },
    )


def property_(source: payloads.Property, books: Books) -> Iterator[Mapped | Note]:
    yield Mapped(
        TrackingCategory(
            id=f"property-{last_segment(source.url)}",
            name=property_name(source),
            has_children=False,
            status=PartyStatus.ACTIVE,
            source_modified_date=instant(source.updated_at),
        ),
        {"sourceUrl": source.url},
    )
