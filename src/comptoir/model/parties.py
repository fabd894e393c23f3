"""Who is traded with, and the company itself."""

from __future__ import annotations

from enum import StrEnum

from comptoir.model.records import Instant, LocalDate, Record, Value

__all__ = [
    "Address",
    "AddressType",
    "Company",
    "Contact",
    "Customer",
    "PartyStatus",
    "PhoneNumber",
    "PhoneNumberType",
    "SourceUrls",
    "Supplier",
    "WebLink",
    "WebLinkType",
]


class AddressType(StrEnum):
    UNKNOWN = "Unknown"
    BILLING = "Billing"
    DELIVERY = "Delivery"


class PhoneNumberType(StrEnum):
    PRIMARY = "Primary"
    LANDLINE = "Landline"
    MOBILE = "Mobile"
    FAX = "Fax"
    UNKNOWN = "Unknown"


class WebLinkType(StrEnum):
    WEBSITE = "Website"
    SOCIAL = "Social"
    UNKNOWN = "Unknown"


class PartyStatus(StrEnum):
    UNKNOWN = "Unknown"
    ACTIVE = "Active"
    ARCHIVED = "Archived"


class Address(Value, frozen=True, kw_only=True):
    type: AddressType
    line1: str | None = None
    line2: str | None = None
    city: str | None = None
    region: str | None = None
    country: str | None = None
    postal_code: str | None = None


class PhoneNumber(Value, frozen=True, kw_only=True):
    number: str
    type: PhoneNumberType


class Contact(Value, frozen=True, kw_only=True):
    """A person of a customer."""

    name: str | None = None
    email: str | None = None
    phone: tuple[PhoneNumber, ...] | None = None
    address: Address | None = None
    status: PartyStatus


class Customer(Record, frozen=True, kw_only=True):
    customer_name: str | None = None
    contact_name: str | None = None
    email_address: str | None = None
    phone: str | None = None
    default_currency: str | None = None
    addresses: tuple[Address, ...] | None = None
    contacts: tuple[Contact, ...] | None = None
    registration_number: str | None = None
    tax_number: str | None = None
    status: PartyStatus


class Supplier(Record, frozen=True, kw_only=True):
    supplier_name: str | None = None
    contact_name: str | None = None
    email_address: str | None = None
    phone: str | None = None
    default_currency: str | None = None
    addresses: tuple[Address, ...] | None = None
    registration_number: str | None = None
    tax_number: str | None = None
    status: PartyStatus


class WebLink(Value, frozen=True, kw_only=True):
    type: WebLinkType
    url: str


class SourceUrls(Value, frozen=True, kw_only=True):
    url: str


class Company(Value, frozen=True, kw_only=True):
    """The linked company itself: a single record."""

    company_name: str | None = None
    accounting_platform_ref: str | None = None
    company_legal_name: str | None = None
    addresses: tuple[Address, ...] | None = None
    phone_numbers: tuple[PhoneNumber, ...] | None = None
    web_links: tuple[WebLink, ...] | None = None
    ledger_lock_date: LocalDate | None = None
    registration_number: str | None = None
    tax_number: str | None = None
    financial_year_start_date: LocalDate | None = None
    base_currency: str | None = None
    source_urls: SourceUrls | None = None
    created_date: Instant | None = None
