"""Pieces of records from what a caller sets: lines, categories, statuses, names, prices and files."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from freeagent_standin.world import acts, chart, rates, words
from freeagent_standin.world.amounts import added_tax, times
from freeagent_standin.world.books import World
from freeagent_standin.world.entities import (
    NOTIONAL,
    Attachment,
    BankAccount,
    BillItem,
    Contact,
    Item,
    JournalLine,
    PriceListItem,
    Project,
)
from freeagent_standin.world.kinds import LANDLORD
from freeagent_standin.world.wishes import Wishes

USER_CODES = frozenset(chart.USER_CODES)
_ADDRESS = ("address1", "address2", "address3", "town", "region", "postcode", "country")
VAT_PERCENT = {"standard": "20.0", "reduced": "5.0", "zero": "0.0", "out_of_scope": "0.0"}
_STATUSES = {"Draft": "draft", "Scheduled To Email": "scheduled", "Open": "sent", "Sent": "sent"}
_GREATEST_FILE = 5 * 1024 * 1024
MOST_BILL_ITEMS = 40

L = TypeVar("L", Item, BillItem, JournalLine)


def item(world: World, wishes: Wishes, old: Item | None = None) -> Item:
    """A line of an invoice or credit note; of one there is, what is not set stays."""
    fields: dict[str, Any] = {}
    if world.company.vat_registered:
        rate = percentage(wishes)
        status = wishes.choice("sales_tax_status", words.TAX_STATUSES)
        if old is None:
            fields = {"tax_rate": Decimal("20.0") if rate is None else rate, "tax_status": status or "TAXABLE"}
        else:
            fields |= {} if rate is None else {"tax_rate": rate}
            fields |= {"tax_status": status} if status else {}
        if status in ("EXEMPT", "OUT_OF_SCOPE"):
            fields["tax_rate"] = Decimal("0.0") if status == "EXEMPT" else None
    else:
        wishes.take("sales_tax_rate"), wishes.take("sales_tax_status")
    if "project" in wishes:
        fields["project"] = reference(wishes, "project", world.projects)
    if "item_type" in wishes:
        fields["item_type"] = wishes.choice("item_type", words.ITEM_TYPES)
    if "category" in wishes:
        fields["category"] = category(world, wishes.take("category") or "001")
    if "suffers_cis_deduction" in wishes:
        fields["suffers_cis"] = wishes.flag("suffers_cis_deduction")
    wishes.take("position"), wishes.take("url"), wishes.take("id"), wishes.take("_destroy")
    if old is None:
        old = Item(id=world.new_item_id(), description="Work")
    price, quantity = wishes.decimal("price", old.price), wishes.decimal("quantity", old.quantity)
    made = msgspec.structs.replace(
        old, description=wishes.text("description", old.description), price=price, quantity=quantity, **fields
    )
    wishes.done()
    return made


def bill_item(world: World, wishes: Wishes, ec_status: str, old: BillItem | None = None) -> BillItem:
    """A line of a bill, by its total with or without tax; of one there is, what is not set stays."""
    code = category(world, wishes.take("category") or ("103" if old is None else old.category))
    has_total = wishes.peek("total_value") is not None
    gross = wishes.money("total_value", 6_000 if old is None else old.gross)
    net = wishes.money("total_value_ex_tax", 0) if wishes.peek("total_value_ex_tax") is not None else None
    if has_total:
        net = None
    rate = percentage(wishes)
    manual = wishes.money("manual_sales_tax_amount", 0) if wishes.peek("manual_sales_tax_amount") is not None else None
    status = wishes.choice("sales_tax_status", words.TAX_STATUSES)
    project = None if old is None else old.project
    if "project" in wishes:
        project = reference(wishes, "project", world.projects)
    fields: dict[str, Any] = {}
    if world.company.vat_registered:
        if rate is None and old is not None and code == old.category:
            rate, manual = old.tax_rate, old.manual_tax if manual is None else manual
        tax = rates.taxed(world, code, gross, rate=None if rate is None else str(rate))
        if status in ("EXEMPT", "OUT_OF_SCOPE"):
            tax = {"tax_status": status}
        percent = tax.get("tax_rate")
        fields = {"tax_status": tax["tax_status"], "tax_rate": percent, "is_notional": ec_status in NOTIONAL}
        fields["manual_tax"] = manual
        if manual is not None and abs(manual) > abs(gross):
            raise ValueError("manual_sales_tax_amount is more than the line comes to.")
        if net is not None and manual is None and ec_status not in NOTIONAL:
            gross = net + added_tax(net, percent or Decimal(0))
    elif net is not None:
        gross = net
    for name in ("manual_sales_tax_amount", "total_value_ex_tax", "url", "_destroy", "id", "capital_asset"):
        wishes.take(name)
    description = wishes.text("description", "Supplies" if old is None else old.description)
    fields["unit"] = wishes.choice("unit", words.BILL_UNITS, "-no unit-" if old is None else old.unit)
    wishes.done()
    made = acts.bill_item(world, description=description, category=code, gross=gross, project=project, **fields)
    return made if old is None else msgspec.structs.replace(made, id=old.id)


def lines(old: tuple[L, ...], rows: list[Wishes], make: Callable[[Wishes, L | None], L]) -> tuple[L, ...]:
    """The lines of a document after a change.

    Through the API a row with `url` or `id` changes that line, with `_destroy` takes it away, and without either is
    added; the others stay. The control address gives all lines there are to be.
    """
    if not all(row.is_api for row in rows):
        return tuple(make(row, None) for row in rows)
    known = {each.id: each for each in old}
    for row in rows:
        named = row.peek("url") or row.peek("id")
        if named in (None, ""):
            if not row.flag("_destroy"):
                added = make(row, None)
                known[added.id] = added
            continue
        last = last_part(named)
        number = int(last) if last.isascii() and last.isdigit() and len(last) < 20 else 0
        if number not in known:
            raise ValueError(f"There is no line {named!r} to change.")
        if row.flag("_destroy"):
            del known[number]
        else:
            known[number] = make(row, known[number])
    return tuple(known.values())


def reference(wishes: Wishes, name: str, table: Any) -> int | None:
    """The id of the record a reference names; nothing named is none."""
    if wishes.peek(name) in (None, ""):
        wishes.take(name)
        return None
    record = wishes.one_of(name, table)
    return None if record is None else int(record.id)


def last_part(value: object) -> str:
    """What a reference names: the end of a URL, or the bare id or code."""
    return str(value).rstrip("/").rsplit("/", 1)[-1]


def category(world: World, value: object) -> str:
    """The nominal code of a category that amounts can be put on."""
    code = last_part(value)
    if isinstance(value, int) and not isinstance(value, bool):
        code = f"{value:03d}"  # numbers lose their leading zeros
    if world.owned.has_code(code):
        return code
    if code not in world.category_names or code == chart.BANK_CODE or code in USER_CODES:
        raise ValueError(f"There is no category {value!r} that a line could be put on.")
    return code


def status(value: str) -> str:
    """What FreeAgent calls a sales document's status, in the world's words."""
    if value not in _STATUSES:
        raise ValueError(f"A document can be set to {', '.join(_STATUSES)}; not to {value!r}.")
    return _STATUSES[value]


def contact_fields(world: World, record: Contact, wishes: Wishes) -> dict[str, Any]:
    """A contact's own attributes."""
    names = ("organisation_name", "first_name", "last_name", "email", "billing_email", "phone_number", "mobile")
    fields: dict[str, Any] = {name: wishes.text(name) for name in names if name in wishes}
    closed = (
        ("status", "status", words.CONTACT_STATUSES, "Active"),
        ("charge_sales_tax", "charge_sales_tax", words.CHARGE_SALES_TAX, "Auto"),
        ("locale", "locale", words.LOCALES, "en"),
        ("cis_deduction_rate", "cis_band", tuple(rates.CIS_RATES), ""),
    )
    for name, field, allowed, otherwise in closed:
        if name in wishes:
            fields[field] = wishes.choice(name, allowed, otherwise)
    plain = (
        ("sales_tax_registration_number", "vat_number"),
        ("unique_tax_reference", "tax_reference"),
        ("subcontractor_verification_number", "verification_number"),
    )
    fields |= {field: wishes.text(name) for name, field in plain if name in wishes}
    if "default_payment_terms_in_days" in wishes:
        days = wishes.take("default_payment_terms_in_days")
        fields["payment_terms"] = None if days in (None, "") else Wishes({"days": days}).whole("days", 0)
    if "is_cis_subcontractor" in wishes and not wishes.flag("is_cis_subcontractor"):
        fields["cis_band"] = ""
    if any(name in wishes for name in _ADDRESS):
        old = dict(zip(_ADDRESS, record.address, strict=True))
        fields["address"] = tuple(wishes.text(name, old[name]) for name in _ADDRESS)
    return fields


def project_fields(world: World, record: Project, wishes: Wishes) -> dict[str, Any]:
    """A project's own attributes."""
    fields: dict[str, Any] = {}
    if "name" in wishes:
        fields["name"] = wishes.text("name")
        if not fields["name"]:
            raise ValueError("Name can't be blank.")
    if wishes.peek("contact") is not None:
        fields["contact"] = wishes.one_of("contact", world.contacts).id
    closed = (
        ("status", words.PROJECT_STATUSES, record.status),
        ("currency", words.CURRENCIES, record.currency),
        ("budget_units", ("Hours", "Days", "Monetary"), record.budget_units),
        ("billing_period", ("hour", "day"), record.billing_period),
    )
    fields |= {name: wishes.choice(name, allowed, old) for name, allowed, old in closed if name in wishes}
    if "budget" in wishes:
        budget = wishes.decimal("budget", Decimal(record.budget))
        fields["budget"] = int(budget) if budget == budget.to_integral_value() else budget
    fields["hours_per_day"] = wishes.decimal("hours_per_day", record.hours_per_day)
    fields["rate"] = wishes.decimal("normal_billing_rate", record.rate)
    if "contract_po_reference" in wishes:
        fields["po_reference"] = wishes.text("contract_po_reference")
    if "is_ir35" in wishes:
        fields["is_ir35"] = wishes.flag("is_ir35")
    for name in ("starts_on", "ends_on"):
        if name in wishes:
            fields[name] = wishes.day(name, date.min) if wishes.peek(name) else wishes.take(name) or None
    return fields


def bank_account_fields(world: World, record: BankAccount, wishes: Wishes) -> dict[str, Any]:
    """A bank account's own attributes; its currency is fixed once it has lines."""
    names = ("name", "bank_name", "bank_code", "account_number", "sort_code", "iban", "bic", "email")
    fields: dict[str, Any] = {name: wishes.text(name) for name in names if name in wishes}
    if fields.get("name") == "":
        raise ValueError("Name can't be blank.")
    if fields.get("email") and "@" not in fields["email"]:
        raise ValueError(f"email is an address, not {fields['email']!r}.")
    if "status" in wishes:
        fields["status"] = wishes.choice("status", ("active", "hidden"), record.status)
    if "type" in wishes:
        fields["type"] = wishes.choice("type", words.BANK_ACCOUNT_TYPES, record.type)
    fields |= {name: wishes.flag(name) for name in ("is_personal", "is_primary") if name in wishes}
    if "currency" in wishes:
        fields["currency"] = wishes.choice("currency", words.CURRENCIES, record.currency)
        if fields["currency"] != record.currency and len(world.transactions.order(record.id)):
            raise ValueError("currency is locked and cannot be changed.")
    opening = wishes.money("opening_balance", record.opening_balance)
    currency = fields.get("currency", record.currency)
    rate = rates.exchange_rate(currency, world.company.freeagent_start)
    if (opening, currency) != (record.opening_balance, record.currency):
        fields |= {"opening_balance": opening, "opening_native": times(opening, rate)}
    return fields


def keep_one_primary(world: World, account: BankAccount) -> None:
    """A new primary account takes the place of the one there was."""
    if account.is_primary:
        for each in world.bank_accounts:
            if each.is_primary and each.id != account.id:
                world.replace(msgspec.structs.replace(each, is_primary=False))


def level(wishes: Wishes, otherwise: int) -> int:
    """A permission level."""
    value = wishes.whole("permission_level", otherwise)
    if not 0 <= value <= 8:
        raise ValueError("A permission level is a number from 0 to 8.")
    return value


def discount(wishes: Wishes) -> Decimal | None:
    """A discount in percent; none is no discount, not one of nothing."""
    percent = wishes.decimal("discount_percent")
    if percent is not None and not 0 <= percent <= 100:
        raise ValueError("discount_percent is from 0 to 100.")
    return percent or None


def rebilled(world: World, wishes: Wishes) -> dict[str, Any]:
    """The project of a cost, and how it is charged on."""
    project = reference(wishes, "project", world.projects)
    kind = wishes.choice("rebill_type", words.REBILL_TYPES)
    if kind and project is None:
        raise ValueError("A cost that is charged on needs a project.")
    wishes.take("rebill_factor")
    return {"project": project, "rebill_type": kind}


def let(world: World, wishes: Wishes) -> dict[str, Any]:
    """The property that a landlord's record is for; other companies have none."""
    if "property" not in wishes:
        return {}
    if world.company.type != LANDLORD:
        wishes.take("property")
        return {}
    return {"property_id": reference(wishes, "property", world.owned.properties)}


def driven(wishes: Wishes) -> dict[str, Any]:
    """A drive: its miles at the claimed rate are owed, or nothing when it is only charged on.

    https://dev.freeagent.com/docs/expenses
    """
    miles = wishes.decimal("mileage")
    if miles is None or miles <= 0:
        raise ValueError("Mileage can't be blank.")
    rate = wishes.decimal("reclaim_mileage_rate", Decimal("0.45"))
    if not 0 <= rate <= 10:
        raise ValueError("reclaim_mileage_rate is pounds a mile.")
    reclaim = wishes.whole("reclaim_mileage", 0)
    if reclaim not in (0, 1):
        raise ValueError("reclaim_mileage is 0 or 1.")
    for name in ("vehicle_type", "engine_type", "engine_size", "rebill_mileage_rate", "have_vat_receipt"):
        wishes.take(name)
    owed = times(100, miles * rate) if reclaim else 0
    return {"mileage": miles, "mileage_rate": rate, "reclaim_mileage": reclaim, "gross": owed}


def claimed_tax(world: World, wishes: Wishes, code: str, gross: int) -> dict[str, Any]:
    """The tax of a claim: an amount given wins over a rate, a rate over the category's own."""
    status = wishes.choice("sales_tax_status", words.TAX_STATUSES)
    if wishes.peek("manual_sales_tax_amount") is not None:
        manual = abs(wishes.money("manual_sales_tax_amount", 0)) * (-1 if gross < 0 else 1)
        if abs(manual) > abs(gross):
            raise ValueError("manual_sales_tax_amount is more than the claim comes to.")
        return {"tax_status": status or "TAXABLE", "manual_tax": manual}
    if status in ("EXEMPT", "OUT_OF_SCOPE"):
        return {"tax_status": status}
    rate = percentage(wishes)
    tax = rates.taxed(world, code, gross, rate=None if rate is None else str(rate))
    return {key: tax[key] for key in ("tax_status", "tax_rate") if key in tax}


def percentage(wishes: Wishes) -> Decimal | None:
    """A rate of sales tax; `Auto`, like none, means the category's own."""
    if wishes.peek("sales_tax_rate") == "Auto":
        wishes.take("sales_tax_rate")
    rate = wishes.decimal("sales_tax_rate")
    if rate is not None and not 0 <= rate <= 100:
        raise ValueError("sales_tax_rate is a percentage from 0 to 100.")
    return rate


def price_fields(world: World, record: PriceListItem, wishes: Wishes) -> dict[str, Any]:
    """A price list item's own attributes."""
    fields: dict[str, Any] = {name: wishes.text(name) for name in ("code", "description") if name in wishes}
    if "item_type" in wishes:
        fields["item_type"] = wishes.choice("item_type", words.ITEM_TYPES)
    if "vat_status" in wishes:
        fields["vat_status"] = wishes.choice("vat_status", tuple(VAT_PERCENT), "out_of_scope")
    fields |= {name: wishes.decimal(name, getattr(record, name)) for name in ("price", "quantity") if name in wishes}
    if "category" in wishes:
        fields["category"] = category(world, wishes.take("category") or "001")
    return fields


def attached(world: World, wishes: Wishes, old: Attachment | None = None) -> Attachment | None:
    """The file that was uploaded with a record (https://dev.freeagent.com/docs/attachments), or None.

    A description of the one there is already, as it was read, leaves it where it is.
    """
    given = wishes.take("attachment")
    if given is None:
        return None
    if isinstance(given, Mapping) and "data" not in given and "url" in given:
        return old
    wanted = Wishes(given, is_api=wishes.is_api)
    name, kind = wanted.text("file_name"), wanted.text("content_type")
    if not name or kind not in words.FILE_TYPES:
        raise ValueError(f"An attachment has a file_name and a content_type of {', '.join(words.FILE_TYPES)}.")
    try:
        content = base64.b64decode(wanted.text("data").replace("\n", "").replace("\r", ""), validate=True)
    except (binascii.Error, ValueError) as problem:
        raise ValueError("The data of an attachment is base64.") from problem
    if not 0 < len(content) <= _GREATEST_FILE:
        raise ValueError("An attachment has something in it, and 5 MB at most.")
    return Attachment(
        id=world.new_attachment_id(),
        file_name=name,
        content_type=words.FILE_TYPES[kind],
        file_size=len(content),
        description=wanted.text("description"),
        content=content,
    )
