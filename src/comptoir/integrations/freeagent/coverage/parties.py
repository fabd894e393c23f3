"""Where the members of customers, suppliers and the company itself come from."""

from __future__ import annotations

from comptoir.integrations.contract import Covered
from comptoir.integrations.freeagent.coverage.fields import flat, none, read, within

__all__ = ["COMPANY", "CUSTOMERS", "SUPPLIERS"]

_PERSON = ("contacts.first_name", "contacts.last_name")


def _address(resource: str) -> tuple[Covered, ...]:
    return flat(
        read("type", how="Always Billing."),
        read("line1", f"{resource}.address1"),
        read("line2", f"{resource}.address2", f"{resource}.address3"),
        read("city", f"{resource}.town"),
        read("region", f"{resource}.region"),
        read("country", f"{resource}.country"),
        read("postalCode", f"{resource}.postcode"),
    )


def _party(name: str) -> tuple[Covered, ...]:
    return flat(
        read("id", "contacts.url"),
        read("sourceModifiedDate", "contacts.updated_at"),
        read(name, "contacts.organisation_name", *_PERSON),
        read("contactName", *_PERSON),
        read("emailAddress", "contacts.email"),
        read("phone", "contacts.phone_number", "contacts.mobile"),
        read("defaultCurrency", "company.currency"),
        within("addresses[]", _address("contacts")),
        none("A contact has no company number.", "registrationNumber"),
        read("taxNumber", "contacts.sales_tax_registration_number"),
        read("status", "contacts.status"),
    )


CUSTOMERS = flat(
    _party("customerName"),
    within(
        "contacts[]",
        read("name", *_PERSON, how="`Billing Email` for the address that invoices go to."),
        read("email", "contacts.email", "contacts.billing_email"),
        read("phone[].number", "contacts.phone_number", "contacts.mobile"),
        read("phone[].type", "contacts.phone_number", "contacts.mobile", how="By which of them it is."),
        within("address", _address("contacts")),
        read("status", "contacts.status"),
    ),
)

SUPPLIERS = _party("supplierName")

COMPANY = flat(
    read("companyName", "company.name"),
    read("accountingPlatformRef", "company.id"),
    read("companyLegalName", "company.name"),
    within("addresses[]", _address("company")),
    read("phoneNumbers[].number", "company.contact_phone"),
    read("phoneNumbers[].type", how="Always Primary."),
    read("webLinks[].type", how="Always Website."),
    read("webLinks[].url", "company.website"),
    none("FreeAgent tells of locks per record, and of no one date.", "ledgerLockDate"),
    read("registrationNumber", "company.company_registration_number"),
    read("taxNumber", "company.sales_tax_registration_number", how="Of a company that is registered."),
    read(
        "financialYearStartDate", "company.annual_accounting_periods[].starts_on", how="Of the year that holds today."
    ),
    read("baseCurrency", "company.currency"),
    read("sourceUrls.url", "company.subdomain"),
    read("createdDate", "company.created_at", "company.company_start_date"),
)
