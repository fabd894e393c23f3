"""Pieces of records from what a caller sets: lines, categories, statuses, names and prices."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from freeagent_standin.world import acts, chart, rates
from freeagent_standin.world.books import World
from freeagent_standin.world.entities import NOTIONAL, BillItem, Contact, Item, PriceListItem
from freeagent_standin.world.wishes import Wishes

USER_CODES = frozenset(chart.USER_CODES)
_ADDRESS = ("address1", "address2", "address3", "town", "region", "postcode", "country")
VAT_PERCENT = {"standard": "20.0", "reduced": "5.0", "zero": "0.0", "out_of_scope": "0.0"}
_STATUSES = {"Draft": "draft", "Scheduled To Email": "scheduled", "Open": "sent", "Sent": "sent"}


def item(world: World, wishes: Wishes) -> Item:
    rate = wishes.decimal("sales_tax_rate")
    project = wishes.one_of("project", world.projects)
    fields: dict[str, Any] = {}
    if world.company.vat_registered:
        fields = {
            "tax_rate": Decimal("20.0") if rate is None else rate,
            "tax_status": wishes.text("sales_tax_status", "TAXABLE"),
        }
    item = Item(
        id=world.new_item_id(),
        description=wishes.text("description", "Work"),
        price=wishes.decimal("price", Decimal("0.0")),
        quantity=wishes.decimal("quantity", Decimal("1.0")),
        item_type=wishes.text("item_type", "Services"),
        category=category(world, wishes.take("category", "001")),
        project=None if project is None else project.id,
        **fields,
    )
    wishes.done()
    return item


def bill_item(world: World, wishes: Wishes, ec_status: str) -> BillItem:
    code = category(world, wishes.take("category", "103"))
    gross = wishes.money("total_value", 6_000)
    rate = wishes.decimal("sales_tax_rate")
    manual = wishes.money("manual_sales_tax_amount", -1) if "manual_sales_tax_amount" in wishes else None
    project = wishes.one_of("project", world.projects)
    fields: dict[str, Any] = {}
    if world.company.vat_registered:
        is_notional = ec_status in NOTIONAL
        tax = rates.taxed(world, code, gross, rate=None if rate is None else str(rate))
        fields = {"tax_status": tax["tax_status"], "tax_rate": tax.get("tax_rate"), "is_notional": is_notional}
        fields["manual_tax"] = manual
    description = wishes.text("description", "Supplies")
    wishes.done()
    return acts.bill_item(
        world,
        description=description,
        category=code,
        gross=gross,
        project=None if project is None else project.id,
        **fields,
    )


def last_part(value: object) -> str:
    """What a reference names: the end of a URL, or the bare id or code."""
    return str(value).rstrip("/").rsplit("/", 1)[-1]


def category(world: World, value: object) -> str:
    code = last_part(value)
    if code not in world.category_names or code == chart.BANK_CODE or code in USER_CODES:
        raise ValueError(f"There is no category {value!r} that a line could be put on.")
    return code


def status(value: str) -> str:
    if value not in _STATUSES:
        raise ValueError(f"A document can be set to {', '.join(_STATUSES)}; not to {value!r}.")
    return _STATUSES[value]


def contact_fields(world: World, record: Contact, wishes: Wishes) -> dict[str, Any]:
    names = (
        "organisation_name",
        "first_name",
        "last_name",
        "email",
        "billing_email",
        "phone_number",
        "mobile",
        "status",
    )
    fields: dict[str, Any] = {name: wishes.text(name) for name in names if name in wishes}
    if "sales_tax_registration_number" in wishes:
        fields["vat_number"] = wishes.text("sales_tax_registration_number")
    if any(name in wishes for name in _ADDRESS):
        old = dict(zip(_ADDRESS, record.address, strict=True))
        fields["address"] = tuple(wishes.text(name, old[name]) for name in _ADDRESS)
    return fields


def price_fields(world: World, record: PriceListItem, wishes: Wishes) -> dict[str, Any]:
    names = ("code", "description", "item_type", "vat_status")
    fields: dict[str, Any] = {name: wishes.text(name) for name in names if name in wishes}
    if fields.get("vat_status", "standard") not in VAT_PERCENT:
        raise ValueError(f"vat_status is one of {', '.join(VAT_PERCENT)}.")
    fields |= {name: wishes.decimal(name, getattr(record, name)) for name in ("price", "quantity") if name in wishes}
    if "category" in wishes:
        fields["category"] = category(world, wishes.take("category"))
    return fields
