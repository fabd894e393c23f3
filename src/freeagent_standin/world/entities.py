"""What a company's books hold, in FreeAgent's own words.

Records are immutable: a change replaces the record. Money is integer minor units in the record's currency with
FreeAgent's signs undone (a sales total, a bill total and a claim are positive here; rendering puts the signs back),
except on bank lines and explanations, which keep the bank's sign. Instants are whole seconds since 1970, because every
`updated_at` seen ends in .000. Ids are unique within a resource.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import msgspec


class Record(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What every stored record has."""

    id: int
    created_at: int
    updated_at: int


class Company(msgspec.Struct, frozen=True, kw_only=True):
    """The company itself (https://dev.freeagent.com/docs/company)."""

    id: int
    name: str
    subdomain: str
    type: str
    started_on: date
    freeagent_start: date
    first_year_end: date
    created_at: int
    updated_at: int
    currency: str = "GBP"
    vat_registered: bool = True
    vat_number: str = ""
    cis_subcontractor: bool = False
    cis_contractor: bool = False
    cash_basis: bool = False
    """Whether documents are posted when they are paid; the API does not tell."""
    registration_number: str = ""
    address: tuple[str, str, str, str, str, str, str] = ("", "", "", "", "", "", "United Kingdom")
    """address1, address2, address3, town, region, postcode, country."""
    phone: str = ""
    email: str = ""
    website: str = ""
    business_category: str = ""

    @property
    def is_limited(self) -> bool:
        """Whether it has directors, shares and corporation tax."""
        return self.type == "UkLimitedCompany"

    @property
    def is_british(self) -> bool:
        """Whether VAT, CIS and the returns of the United Kingdom are its business."""
        return self.type.startswith("Uk")


class User(Record, frozen=True, kw_only=True, gc=False):
    """Someone with a place in the books (https://dev.freeagent.com/docs/users)."""

    first_name: str
    last_name: str
    email: str
    permission_level: int
    role: str = "Director"
    hidden: bool = False
    number: int = 1
    """The sub-code of this user's accounts: 905-1."""

    @property
    def name(self) -> str:
        """Both names as reports show them."""
        return f"{self.first_name} {self.last_name}"


class Contact(Record, frozen=True, kw_only=True, gc=False):
    """A customer, a supplier, or both (https://dev.freeagent.com/docs/contacts)."""

    organisation_name: str = ""
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    billing_email: str = ""
    phone_number: str = ""
    mobile: str = ""
    address: tuple[str, str, str, str, str, str, str] = ("", "", "", "", "", "", "United Kingdom")
    status: str = "Active"
    charge_sales_tax: str = "Auto"
    vat_number: str = ""
    payment_terms: int | None = None
    locale: str = "en"
    cis_band: str = ""
    """A CIS band name when the contact is a subcontractor of ours."""
    tax_reference: str = ""
    verification_number: str = ""

    @property
    def name(self) -> str:
        """What FreeAgent shows: the organisation, else the person."""
        return self.organisation_name or f"{self.first_name} {self.last_name}".strip()


class Project(Record, frozen=True, kw_only=True, gc=False):
    """https://dev.freeagent.com/docs/projects"""

    name: str
    contact: int
    status: str = "Active"
    currency: str = "GBP"
    budget: int | Decimal = 0
    budget_units: str = "Hours"
    hours_per_day: Decimal = Decimal("8.0")
    rate: Decimal = Decimal("0.0")
    billing_period: str = "hour"
    po_reference: str = ""
    starts_on: date | None = None
    ends_on: date | None = None
    is_ir35: bool | None = None


class PriceListItem(Record, frozen=True, kw_only=True, gc=False):
    """https://dev.freeagent.com/docs/price_list_items"""

    code: str
    description: str
    price: Decimal
    quantity: Decimal = Decimal("1.0")
    item_type: str = "Products"
    vat_status: str = "standard"
    category: str = "001"


class BankAccount(Record, frozen=True, kw_only=True, gc=False):
    """https://dev.freeagent.com/docs/bank_accounts"""

    name: str
    number: int
    """The sub-code: 750-1."""
    type: str = "StandardBankAccount"
    currency: str = "GBP"
    opening_balance: int = 0
    opening_native: int = 0
    bank_name: str = ""
    bank_code: str = "generic"
    account_number: str = ""
    sort_code: str = ""
    iban: str = ""
    bic: str = ""
    email: str = ""
    is_personal: bool = False
    is_primary: bool = False
    status: str = "active"

    @property
    def code(self) -> str:
        """Its nominal code as reports show it."""
        return f"750-{self.number}"


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """One file on a bill, an expense or an explanation (https://dev.freeagent.com/docs/attachments)."""

    id: int
    file_name: str
    content_type: str = "application/pdf"
    file_size: int = 0
    description: str = ""
    content: bytes = b""
    """What was uploaded; of a file that came with the books nothing, and something is made up when it is asked for."""


class Item(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A line of an invoice or credit note; credit notes keep FreeAgent's negative price."""

    id: int
    description: str
    price: Decimal = Decimal("0.0")
    quantity: Decimal = Decimal("1.0")
    item_type: str = "Services"
    category: str = "001"
    tax_rate: Decimal | None = None
    tax_status: str = ""
    project: int | None = None
    suffers_cis: bool = False

    @property
    def is_comment(self) -> bool:
        """A line of text without amounts."""
        return self.item_type == "Comment"


class SalesDocument(Record, frozen=True, kw_only=True, gc=False):
    """What invoices and credit notes share. A credit note's totals are negative, as FreeAgent sends them."""

    contact: int
    reference: str
    dated_on: date
    due_on: date
    items: tuple[Item, ...]
    net: int
    tax: int
    """Tax charged, or shown when `is_notional`."""
    item_nets: tuple[int, ...]
    """Net of each item after discount, adding up to `net`: what the postings use."""
    status: str = "sent"
    """draft, scheduled or sent; everything else about the status is derived."""
    currency: str = "GBP"
    rate: Decimal = Decimal("1.0")
    discount: Decimal | None = None
    ec_status: str = ""
    place_of_supply: str = ""
    project: int | None = None
    property_id: int | None = None
    """Of a landlord's: what it is for, where that was said; see `World.property_of`."""
    bank_account: int | None = None
    comments: str = ""
    po_reference: str = ""
    cis_band: str = ""
    cis_rate: Decimal = Decimal(0)
    cis_deduction: int = 0
    written_off_on: date | None = None
    written_off: int = 0
    """What was unpaid when it was written off, in the document's currency."""

    @property
    def is_notional(self) -> bool:
        """Tax is shown but not charged: reverse charge and supplies to the EC."""
        return self.ec_status in NOTIONAL

    @property
    def total(self) -> int:
        """What the contact is asked for."""
        return self.net if self.is_notional else self.net + self.tax


class Invoice(SalesDocument, frozen=True, kw_only=True, gc=False):
    """https://dev.freeagent.com/docs/invoices"""


class CreditNote(SalesDocument, frozen=True, kw_only=True, gc=False):
    """https://dev.freeagent.com/docs/credit_notes"""


class Reconciliation(Record, frozen=True, kw_only=True, gc=False):
    """A credit note set against an invoice (https://dev.freeagent.com/docs/credit_note_reconciliations)."""

    invoice: int
    credit_note: int
    gross: int
    dated_on: date
    currency: str = "GBP"
    rate: Decimal = Decimal("1.0")


NO_UNIT = "-no unit-"


class BillItem(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A line of a bill: gross and net carry the bill's own sign, positive for an ordinary bill."""

    id: int
    description: str
    category: str
    gross: int
    net: int
    notional_tax: int = 0
    tax_rate: Decimal | None = None
    tax_status: str = ""
    manual_tax: int | None = None
    project: int | None = None
    unit: str = NO_UNIT


class Bill(Record, frozen=True, kw_only=True, gc=False):
    """https://dev.freeagent.com/docs/bills"""

    contact: int
    reference: str
    dated_on: date
    due_on: date
    items: tuple[BillItem, ...]
    currency: str = "GBP"
    rate: Decimal = Decimal("1.0")
    ec_status: str = ""
    comments: str = ""
    project: int | None = None
    property_id: int | None = None
    rebill_type: str = ""
    attachment: Attachment | None = None
    recurring: str = ""
    cis_band: str = ""
    cis_rate: Decimal = Decimal(0)
    cis_deduction: int = 0
    hire_purchase: int = 0
    """The number of the finance agreement that pays it, where one does."""

    @property
    def total(self) -> int:
        """Positive for a bill, negative for a supplier's credit."""
        return sum(item.gross for item in self.items)

    @property
    def net(self) -> int:
        """Without tax, with the sign of the total."""
        return sum(item.net for item in self.items)

    @property
    def shown_tax(self) -> int:
        """Tax charged, or the notional tax of a reverse charge."""
        return self.total - self.net + sum(item.notional_tax for item in self.items)


class Expense(Record, frozen=True, kw_only=True, gc=False):
    """A user's claim: gross positive is owed to the claimant (https://dev.freeagent.com/docs/expenses)."""

    user: int
    category: str
    dated_on: date
    gross: int
    description: str = ""
    currency: str = "GBP"
    native_gross: int = 0
    native_tax: int = 0
    tax: int = 0
    tax_rate: Decimal | None = None
    tax_status: str = ""
    manual_tax: int | None = None
    ec_status: str = ""
    receipt_reference: str = ""
    project: int | None = None
    property_id: int | None = None
    rebill_type: str = ""
    attachment: Attachment | None = None
    recurring: str = ""
    mileage: Decimal | None = None
    reclaim_mileage: int = 0
    mileage_rate: Decimal = Decimal("0.45")


class BankTransaction(Record, frozen=True, kw_only=True, gc=False):
    """A statement line, in the account's currency, money in positive (https://dev.freeagent.com/docs/bank_transactions)."""

    account: int
    dated_on: date
    amount: int
    description: str
    line_type: str = "OTHER"
    is_manual: bool = False
    explanations: tuple[int, ...] = ()
    bank_reference: str = ""
    """The bank's own id of an uploaded line; lines that came with the books have one made from theirs."""


class Explanation(Record, frozen=True, kw_only=True, gc=False):
    """What (part of) a bank line was for (https://dev.freeagent.com/docs/bank_transaction_explanations)."""

    account: int
    transaction: int
    type: str
    dated_on: date
    gross: int
    native: int
    """gross in the company's currency at the day's rate: what the postings use."""
    description: str = ""
    category: str = ""
    tax: int = 0
    tax_rate: Decimal | None = None
    tax_status: str = ""
    ec_status: str = ""
    for_review: bool = False
    invoice: int | None = None
    credit_note: int | None = None
    bill: int | None = None
    settles: int = 0
    """Amount settled in the document's currency, with the sign of gross."""
    foreign_currency: str = ""
    cis_share: int = 0
    """CIS withheld that this payment realises, in the document's currency, with the sign of gross."""
    user: int | None = None
    linked_explanation: int | None = None
    linked_account: int | None = None
    project: int | None = None
    property_id: int | None = None
    rebill_type: str = ""
    receipt_reference: str = ""
    cheque_number: str = ""
    attachment: Attachment | None = None


class JournalLine(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One entry of a journal set: debit positive, in the company's currency."""

    id: int
    code: str
    """The nominal code with its sub-code: 001, 902-1."""
    amount: int
    description: str = ""
    quantity: int | None = None
    """How many of a stock item came or went; what is on hand does not follow."""


class JournalSet(Record, frozen=True, kw_only=True, gc=False):
    """Entries of one day that come to nothing (https://dev.freeagent.com/docs/journal_sets)."""

    description: str
    entries: tuple[JournalLine, ...]
    dated_on: date | None = None
    """None on the one set that holds the opening balances."""
    tag: str = ""


class VatFiling(Record, frozen=True, kw_only=True, gc=False):
    """A VAT return as it was filed; dated the last day of its quarter."""

    dated_on: date
    charged: int
    reclaimed: int
    sales: int
    purchases: int
    is_marked: bool = False
    """Filed elsewhere, and said to be."""


class TaxProvision(Record, frozen=True, kw_only=True, gc=False):
    """Corporation tax provided for on the last day of an accounting year."""

    dated_on: date
    amount: int
    is_final: bool = False
    """Whether the year had ended when it was worked out."""


NOTIONAL = frozenset({"Reverse Charge", "EC Goods", "EC Services"})
"""ec_status values under which tax is accounted for by the customer."""
