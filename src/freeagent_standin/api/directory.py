"""The company, its users, contacts, projects, price list and categories as FreeAgent sends them.

https://dev.freeagent.com/docs/company, /docs/users, /docs/contacts, /docs/projects, /docs/price_list_items and
/docs/categories.
"""

from __future__ import annotations

from freeagent_standin.api.desk import Body, Desk, day_text, instant, money, sent
from freeagent_standin.world import chart
from freeagent_standin.world.amounts import decimal_text
from freeagent_standin.world.assets import CapitalAssetType, HirePurchase, StockItem
from freeagent_standin.world.chart import Category
from freeagent_standin.world.entities import BankAccount, Contact, PriceListItem, Project, Record, User
from freeagent_standin.world.filings import vat_periods
from freeagent_standin.world.parts import VAT_PERCENT
from freeagent_standin.world.profiles import accounting_periods

_ADDRESS = ("address1", "address2", "address3", "town", "region", "postcode", "country")


def company(desk: Desk) -> Body:
    """The company's one document."""
    record = desk.world.company
    periods = accounting_periods(record, desk.today)
    is_registered = record.vat_registered
    quarters = vat_periods(desk.world, desk.today)
    optional = sent(
        {
            "region": record.address[4],
            "company_registration_number": record.registration_number,
            "contact_email": record.email,
            "contact_phone": record.phone,
            "website": record.website,
            "sales_tax_registration_number": record.vat_number,
            "vat_first_return_period_ends_on": day_text(quarters[0][1]) if quarters else None,
        }
    )
    return optional | {
        "url": f"{desk.root}/company",
        "id": record.id,
        "name": record.name,
        "subdomain": record.subdomain,
        "type": record.type,
        "currency": record.currency,
        "mileage_units": "miles",
        "company_start_date": day_text(record.started_on),
        "trading_start_date": day_text(record.started_on),
        "first_accounting_year_end": day_text(record.first_year_end),
        "annual_accounting_periods": [
            {"starts_on": day_text(start), "ends_on": day_text(end)} for start, end in periods
        ],
        "freeagent_start_date": day_text(record.freeagent_start),
        "address1": record.address[0],
        "address2": record.address[1],
        "address3": record.address[2],
        "town": record.address[3],
        "postcode": record.address[5],
        "country": record.address[6],
        "business_category": record.business_category,
        "short_date_format": "dd mmm yy",
        "sales_tax_name": "VAT" if record.is_british else "Sales Tax",
        "sales_tax_effective_date": day_text(record.started_on),
        "sales_tax_rates": ["20.0", "5.0", "0.0"],
        "sales_tax_is_value_added": True,
        "sales_tax_registration_status": "Registered" if is_registered else "Not Registered",
        "supports_auto_sales_tax_on_purchases": True,
        "ec_vat_reporting_enabled": False,
        "initial_vat_basis": "Cash" if record.cash_basis else "Invoice",
        "initially_on_frs": False,
        "cis_enabled": record.cis_subcontractor,
        "cis_subcontractor": record.cis_subcontractor,
        "cis_contractor": record.cis_contractor,
        "locale": "en",
        "locked_attributes": ["currency"],
        "created_at": instant(record.created_at),
        "updated_at": instant(record.updated_at),
    }


def user(desk: Desk, record: User, *, is_nested: bool, is_single: bool) -> Body:
    """One user."""
    return sent(
        {
            "url": desk.url("users", record.id),
            "first_name": record.first_name,
            "last_name": record.last_name,
            "email": record.email,
            "role": record.role,
            "permission_level": record.permission_level,
            "opening_mileage": "0.0",
            "hidden": record.hidden,
            "created_at": instant(record.created_at),
            "updated_at": instant(record.updated_at),
        }
    )


def contact(desk: Desk, record: Contact, *, is_nested: bool, is_single: bool) -> Body:
    """One contact; account_balance is positive when the contact owes the company (inferred sign)."""
    projects = sum(each.contact == record.id and each.status == "Active" for each in desk.world.projects)
    is_subcontractor = bool(record.cis_band)
    return sent(
        {
            "url": desk.url("contacts", record.id),
            "first_name": record.first_name,
            "last_name": record.last_name,
            "organisation_name": record.organisation_name,
            "active_projects_count": projects,
            "email": record.email,
            "billing_email": record.billing_email,
            "phone_number": record.phone_number,
            "mobile": record.mobile,
            **dict(zip(_ADDRESS, record.address, strict=True)),
            "contact_name_on_invoices": True,
            "charge_sales_tax": record.charge_sales_tax,
            "sales_tax_registration_number": record.vat_number,
            "status": record.status,
            "default_payment_terms_in_days": record.payment_terms,
            "locale": record.locale,
            "account_balance": money(desk.world.ledger.contact_balance(record.id)),
            "uses_contact_invoice_sequence": False,
            "emails_invoices_automatically": False,
            "emails_payment_reminders": False,
            "emails_thank_you_notes": False,
            "uses_contact_level_email_settings": False,
            "is_cis_subcontractor": True if is_subcontractor else None,
            "cis_deduction_rate": record.cis_band,
            "unique_tax_reference": record.tax_reference,
            "subcontractor_verification_number": record.verification_number,
            "created_at": instant(record.created_at),
            "updated_at": instant(record.updated_at),
        }
    )


def project(desk: Desk, record: Project, *, is_nested: bool, is_single: bool) -> Body:
    """One project; nested=true puts the whole contact in place of its address."""
    holder = desk.world.contacts[record.contact]
    body = sent(
        {
            "url": desk.url("projects", record.id),
            "name": record.name,
            "contact": desk.url("contacts", record.contact),
            "contact_name": holder.name,
            "status": record.status,
            "contract_po_reference": record.po_reference,
            "uses_project_invoice_sequence": False,
            "currency": record.currency,
            "budget": record.budget if isinstance(record.budget, int) else decimal_text(record.budget),
            "budget_units": record.budget_units,
            "hours_per_day": decimal_text(record.hours_per_day),
            "normal_billing_rate": decimal_text(record.rate),
            "billing_period": record.billing_period,
            "is_ir35": record.is_ir35,
            "starts_on": None if record.starts_on is None else day_text(record.starts_on),
            "ends_on": None if record.ends_on is None else day_text(record.ends_on),
            "include_unbilled_time_in_profitability": True,
            "created_at": instant(record.created_at),
            "updated_at": instant(record.updated_at),
        }
    )
    if is_nested:
        body["contact"] = contact(desk, holder, is_nested=False, is_single=False)
    if is_single:
        body["is_deletable"] = not _is_used(desk, record)
    return body


def price_list_item(desk: Desk, record: PriceListItem, *, is_nested: bool, is_single: bool) -> Body:
    """One price list item."""
    return sent(
        {
            "url": desk.url("price_list_items", record.id),
            "code": record.code,
            "quantity": decimal_text(record.quantity),
            "item_type": record.item_type,
            "description": record.description,
            "price": decimal_text(record.price),
            "vat_status": record.vat_status,
            "sales_tax_rate": VAT_PERCENT[record.vat_status] if desk.world.company.vat_registered else "0.0",
            "second_sales_tax_rate": "0.0",
            "category": desk.category(record.category),
            "created_at": instant(record.created_at),
            "updated_at": instant(record.updated_at),
        }
    )


def categories(desk: Desk, *, with_sub_accounts: bool) -> Body:
    """All categories by group; sub_accounts=true replaces 750 and 900 to 910 by a row for each account or user."""
    groups: dict[str, list[Body]] = {group: [] for group in chart.GROUPS}
    if with_sub_accounts:
        for category, code, owner in desk.world.sub_accounts():
            groups[category.group].append(_category(desk, category, code, owner))
    else:
        for category in desk.world.categories:
            groups[category.group].append(_category(desk, category, category.code, None))
    return dict(groups)


def category(desk: Desk, code: str) -> tuple[str, Body] | None:
    """One category or sub-account with the key of its group, or None."""
    for each in desk.world.categories:
        if each.code == code:
            return each.group, _category(desk, each, code, None)
    for each, full_code, owner in desk.world.sub_accounts():
        if full_code == code:
            return each.group, _category(desk, each, full_code, owner)
    return None


def cis_bands(desk: Desk) -> list[Body]:
    """The bands of a subcontractor (https://dev.freeagent.com/docs/cis_bands)."""
    rows = (
        ("cis_gross", "0.0", "CIS Income (Gross)", "CIS Deduction (Gross)", "061"),
        ("cis_standard", "0.2", "CIS Income (20%)", "CIS Deduction (20%)", "062"),
        ("cis_higher", "0.3", "CIS Income (30%)", "CIS Deduction (30%)", "063"),
    )
    keys = ("name", "deduction_rate", "income_description", "deduction_description", "nominal_code")
    return [dict(zip(keys, row, strict=True)) for row in rows]


def _category(desk: Desk, record: Category, code: str, owner: Record | None) -> Body:
    body = sent(
        {
            "url": desk.category(code),
            "description": record.description,
            "nominal_code": code,
            "group_description": record.group_description,
            "auto_sales_tax_rate": record.auto_rate,
            "allowable_for_tax": record.allowable,
            "tax_reporting_name": record.reporting,
        }
    )
    if isinstance(owner, BankAccount):
        body["bank_account"] = desk.url("bank_accounts", owner.id)
    elif isinstance(owner, User):
        body["user"] = desk.url("users", owner.id)
    name = _OWNERS.get(type(owner))
    if owner is not None and name is not None:
        body[name] = desk.url(f"{name}s", owner.id)
    return body


_OWNERS: dict[type, str] = {
    CapitalAssetType: "capital_asset_type",
    StockItem: "stock_item",
    HirePurchase: "hire_purchase",
}


def _is_used(desk: Desk, record: Project) -> bool:
    world = desk.world
    documents = (*world.invoices, *world.credit_notes, *world.bills, *world.expenses)
    return any(each.project == record.id for each in documents)
