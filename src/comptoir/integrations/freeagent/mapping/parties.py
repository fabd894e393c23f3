"""Contacts become customers and suppliers, both: FreeAgent has no role. And the company itself.

Sources: https://dev.freeagent.com/docs/contacts, https://dev.freeagent.com/docs/company
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from comptoir.integrations.contract import Mapped, Note
from comptoir.integrations.freeagent import payloads
from comptoir.integrations.freeagent.books import Books
from comptoir.integrations.freeagent.references import day, instant, last_segment, local_date
from comptoir.model.parties import (
    Address,
    AddressType,
    Company,
    Contact,
    Customer,
    PartyStatus,
    PhoneNumber,
    PhoneNumberType,
    SourceUrls,
    Supplier,
    WebLink,
    WebLinkType,
)
from comptoir.model.records import Instant

__all__ = ["Party", "absent", "company", "customer", "party", "supplier"]

_MOST_KNOWN = 10_000  # contacts that are remembered from batch to batch


def _name(contact: payloads.Contact) -> str | None:
    """The organisation's name, else the person's."""
    return (contact.organisation_name or "").strip() or _person(contact)


def _person(contact: payloads.Contact) -> str | None:
    return " ".join(filter(None, ((contact.first_name or "").strip(), (contact.last_name or "").strip()))) or None


class Party(msgspec.Struct, frozen=True, gc=False):
    """A contact as others name it; without a name where it has none, or is not held."""

    id: str
    name: str | None
    is_held: bool


def party(contact: str, books: Books) -> Party:
    """Whom a record names: worked out once, for most are named by many. ValueError for what is no reference."""
    known: dict[str, Party] = books.carried.setdefault("parties", {})
    found = known.get(contact)
    if found is None:
        held = books.contact(contact)
        found = Party(last_segment(contact), _name(held) if held is not None else None, held is not None)
        if len(known) < _MOST_KNOWN:
            known[contact] = found
    return found


def absent(contact: str | None, record_id: str, field: str, books: Books) -> Iterator[Note]:
    """A note where a record names a contact that the whole list does not have: the reference keeps its number."""
    if contact and books.is_complete("contacts") and not party(contact, books).is_held:
        message = f"The contact {contact} is not on the list of contacts, or cannot be read."
        yield Note(record_id=record_id, field=field, message=message)


def _addresses(source: payloads.Contact | payloads.Company) -> tuple[Address, ...] | None:
    """FreeAgent fills the country in by itself: an address with nothing else is none."""
    parts = (source.address1, source.address2, source.address3, source.town, source.region, source.postcode)
    line1, line2, line3, town, region, postcode = [(part or "").strip() or None for part in parts]
    if not any((line1, line2, line3, town, region, postcode)):
        return None
    return (
        Address(
            type=AddressType.BILLING,
            line1=line1,
            line2=", ".join(filter(None, (line2, line3))) or None,
            city=town,
            region=region,
            country=(source.country or "").strip() or None,
            postal_code=postcode,
        ),
    )


def _status(source: payloads.Contact) -> PartyStatus:
    return {"Active": PartyStatus.ACTIVE, "Hidden": PartyStatus.ARCHIVED}.get(source.status or "", PartyStatus.UNKNOWN)


def _notes(source: payloads.Contact, id_: str) -> Iterator[Note]:
    if _status(source) is PartyStatus.UNKNOWN:
        yield Note(record_id=id_, field="status", message=f"The status {source.status!r} is not documented.")


def _people(source: payloads.Contact) -> tuple[Contact, ...] | None:
    status = _status(source)
    people: list[Contact] = []
    if name := _person(source):
        numbers = (
            (source.phone_number, PhoneNumberType.LANDLINE),
            (source.mobile, PhoneNumberType.MOBILE),
        )
        phones = tuple(PhoneNumber(number=number, type=kind) for number, kind in numbers if number)
        (address,) = _addresses(source) or (None,)
        people.append(Contact(name=name, email=source.email or None, phone=phones, address=address, status=status))
    if source.billing_email:
        people.append(Contact(name="Billing Email", email=source.billing_email, phone=(), status=status))
    return tuple(people) or None


def _extra(source: payloads.Contact) -> dict[str, Any]:
    return {
        "accountBalance": source.account_balance,
        "defaultPaymentTermsInDays": source.default_payment_terms_in_days,
        "chargeSalesTax": source.charge_sales_tax,
        "locale": source.locale,
        "isCisSubcontractor": source.is_cis_subcontractor,
        "cisBand": source.cis_deduction_rate,
        "uniqueTaxReference": source.unique_tax_reference,
        "subcontractorVerificationNumber": source.subcontractor_verification_number,
        "directDebitMandateState": source.direct_debit_mandate_state,
        "sourceUrl": source.url,
    }


def customer(source: payloads.Contact, books: Books) -> Iterator[Mapped | Note]:
    id_ = last_segment(source.url)
    yield from _notes(source, id_)
    yield Mapped(
        Customer(
            id=id_,
            customer_name=_name(source),
            contact_name=_person(source),
            email_address=source.email or None,
            phone=source.phone_number or source.mobile or None,
            default_currency=books.base_currency,
            addresses=_addresses(source),
            contacts=_people(source),
            tax_number=source.sales_tax_registration_number or None,
            status=_status(source),
            source_modified_date=instant(source.updated_at),
        ),
        _extra(source),
    )


def supplier(source: payloads.Contact, books: Books) -> Iterator[Mapped | Note]:
    id_ = last_segment(source.url)
    yield from _notes(source, id_)
    yield Mapped(
        Supplier(
            id=id_,
            supplier_name=_name(source),
            contact_name=_person(source),
            email_address=source.email or None,
            phone=source.phone_number or source.mobile or None,
            default_currency=books.base_currency,
            addresses=_addresses(source),
            tax_number=source.sales_tax_registration_number or None,
            status=_status(source),
            source_modified_date=instant(source.updated_at),
        ),
        _extra(source),
    )


def company(source: payloads.Company, books: Books) -> Iterator[Mapped]:
    website = source.website or ""
    if website and "://" not in website:
        website = f"https://{website}"
    is_registered = source.sales_tax_registration_status == "Registered"
    started = local_date(source.company_start_date)
    created = instant(source.created_at) or (Instant(started + "Z") if started else None)
    yield Mapped(
        Company(
            company_name=source.name,
            company_legal_name=source.name,
            accounting_platform_ref=None if source.id is None else str(source.id),
            addresses=_addresses(source),
            phone_numbers=(PhoneNumber(number=source.contact_phone, type=PhoneNumberType.PRIMARY),)
            if source.contact_phone
            else (),
            web_links=(WebLink(type=WebLinkType.WEBSITE, url=website),) if website else None,
            registration_number=source.company_registration_number or None,
            tax_number=(source.sales_tax_registration_number or None) if is_registered else None,
            financial_year_start_date=local_date(_year_start(source, books)),
            base_currency=source.currency,
            source_urls=SourceUrls(url=f"https://{source.subdomain}.freeagent.com") if source.subdomain else None,
            created_date=created,
        ),
        {
            "companyType": source.type,
            "subdomain": source.subdomain,
            "businessType": source.business_type,
            "businessCategory": source.business_category,
            "salesTaxRegistrationStatus": source.sales_tax_registration_status,
            "salesTaxEffectiveDate": source.sales_tax_effective_date,
            "initialVatBasis": source.initial_vat_basis,
            "initiallyOnFrs": source.initially_on_frs,
            "cisSubcontractor": source.cis_subcontractor,
            "cisContractor": source.cis_contractor,
            "freeagentStartDate": source.freeagent_start_date,
            "firstAccountingYearEnd": source.first_accounting_year_end,
            "contactEmail": source.contact_email,
        },
    )


def _year_start(source: payloads.Company, books: Books) -> str | None:
    """The accounting period that holds today, else the latest."""
    periods = sorted(source.annual_accounting_periods or (), key=lambda period: period.starts_on)
    for period in periods:
        first, last = day(period.starts_on), day(period.ends_on)
        if first is not None and last is not None and first <= books.today <= last:
            return period.starts_on
    return periods[-1].starts_on if periods else None
