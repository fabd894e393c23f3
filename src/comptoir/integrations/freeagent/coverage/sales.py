"""Where the members of sales documents and their payments come from."""

from __future__ import annotations

from comptoir.integrations.contract import Covered
from comptoir.integrations.freeagent.coverage.fields import AT, BOOKED, EXPLANATIONS, account, flat, none, read, within

__all__ = ["CREDIT_NOTES", "INVOICES", "PAYMENTS", "customer", "payments_of", "tracking", "withheld"]

_DOCUMENTS = ("credit_notes", "invoices")
_COMPUTED = "Made of the lines' prices so that it adds up to the document's own total."


def _of(resources: tuple[str, ...], *members: str) -> tuple[str, ...]:
    return tuple(f"{resource}.{member}" for resource in resources for member in members)


def customer(*resources: str) -> tuple[Covered, ...]:
    return within(
        "customerRef",
        read("id", *_of(resources, "contact")),
        read(
            "companyName",
            *_of(resources, "contact_name"),
            "contacts.organisation_name",
            "contacts.first_name",
            "contacts.last_name",
        ),
    )


def tracking(path: str, *projects: str) -> tuple[Covered, ...]:
    """What a line is tracked by: the project, and a landlord's property."""
    return within(
        path,
        read("id", *projects),
        read("name", "projects.name", "properties.address1", "properties.postcode"),
    )


def withheld(*resources: str) -> tuple[Covered, ...]:
    return within(
        "withholdingTax[]",
        read("name", *_of(resources, "cis_rate", "cis_deduction_rate"), how="`CIS deduction` and its percentage."),
        read("amount", *_of(resources, "cis_deduction")),
    )


def payments_of(resource: str, notes: tuple[str, ...] = (), reference: tuple[str, ...] = ()) -> tuple[Covered, ...]:
    """What settles a document; `notes` tell of credits set against it."""
    moneys = (f"{resource}.currency", "bank_accounts.currency")
    return within(
        "paymentAllocations[]",
        within(
            "payment",
            read("id", *_of((EXPLANATIONS, *notes), "url")),
            read("note", f"{EXPLANATIONS}.description"),
            read("reference", *_of((EXPLANATIONS,), "receipt_reference", "cheque_number"), *reference),
            account("accountRef", f"{EXPLANATIONS}.bank_account"),
            read("currency", *reversed(moneys)),
            read("currencyRate", *moneys, *BOOKED, how=AT),
            read("paidOnDate", *_of((EXPLANATIONS, *notes), "dated_on")),
            read("totalAmount", f"{EXPLANATIONS}.gross_value", how="0 where a credit or a write-off settles it."),
        ),
        within(
            "allocation",
            read("currency", f"{resource}.currency", "company.currency"),
            read("currencyRate", f"{resource}.exchange_rate", how="1 in the company's currency."),
            read("allocatedOnDate", *_of((EXPLANATIONS, *notes), "dated_on")),
            read(
                "totalAmount",
                *_of((EXPLANATIONS,), "gross_value", "foreign_currency_value"),
                *_of(notes, "gross_value"),
                how="In the document's currency.",
            ),
        ),
    )


def _lines(resources: tuple[str, ...]) -> tuple[Covered, ...]:
    items = {"invoices": "invoices.invoice_items[]", "credit_notes": "credit_notes.credit_note_items[]"}
    lines = tuple(items[resource] for resource in resources)
    projects = _of(lines, "project") + _of(resources, "project", "property")
    return within(
        "lineItems[]",
        read("description", *_of(lines, "description")),
        read("unitAmount", *_of(lines, "price")),
        read("quantity", *_of(lines, "quantity")),
        read("discountAmount", *_of(resources, "discount_percent"), how=_COMPUTED),
        read("subTotal", *_of(lines, "price", "quantity"), how=_COMPUTED),
        read("taxAmount", *_of(lines, "sales_tax_rate", "second_sales_tax_rate"), how=_COMPUTED),
        read("totalAmount", *_of(lines, "price", "quantity", "sales_tax_rate"), how=_COMPUTED),
        account("accountRef", *_of(lines, "category")),
        read("discountPercentage", *_of(resources, "discount_percent")),
        within(
            "taxRateRef",
            read("id", *_of(lines, "sales_tax_status", "sales_tax_rate"), *_of(resources, "ec_status"), how="Derived."),
            read("name", *_of(lines, "sales_tax_status", "sales_tax_rate"), "company.sales_tax_name", how="Derived."),
            read("effectiveTaxRate", *_of(lines, "sales_tax_rate", "second_sales_tax_rate"), how="What is charged."),
        ),
        read("itemRef.id", *_of(lines, "stock_item")),
        none("A line names its item by number alone.", "itemRef.name"),
        tracking("trackingCategoryRefs[]", *projects),
        within(
            "tracking",
            tracking("categoryRefs[]", *projects),
            customer(*resources),
            tracking("projectRef", *_of(lines, "project"), *_of(resources, "project")),
            read("isBilledTo", *_of(lines, "project"), *_of(resources, "project"), how="Project, if there is one."),
            read("isRebilledTo", how="Always NotApplicable."),
        ),
        read("isDirectIncome", how="Always false."),
    )


def _status(resources: tuple[str, ...]) -> Covered:
    members = _of(resources, "status", "total_value", "due_value")
    return read("status", *members, how="By the source's status, and by what is still open.")


_INVOICE = ("invoices",)

INVOICES = flat(
    read("id", "invoices.url"),
    read("sourceModifiedDate", "invoices.updated_at"),
    read("invoiceNumber", "invoices.reference"),
    customer("invoices"),
    none("FreeAgent has no sales orders.", "salesOrderRefs[]"),
    read("issueDate", "invoices.dated_on"),
    read("dueDate", "invoices.due_on", "invoices.payment_terms_in_days"),
    read("paidOnDate", "invoices.paid_on"),
    read("currency", "invoices.currency", "company.currency"),
    read("currencyRate", "invoices.exchange_rate", how="1 in the company's currency."),
    _lines(_INVOICE),
    payments_of("invoices", ("credit_note_reconciliations",), ("credit_notes.reference",)),
    withheld("invoices"),
    read("totalDiscount", "invoices.discount_percent", how="Sum of the lines' discounts."),
    read("subTotal", "invoices.total_value", "invoices.sales_tax_value", how="Total less tax that is charged."),
    read("totalTaxAmount", *_of(_INVOICE, "sales_tax_value", "second_sales_tax_value"), how="Notional tax left out."),
    read("totalAmount", "invoices.total_value"),
    read("amountDue", "invoices.due_value", how="The whole of a draft, nothing of what is settled or void."),
    read("discountPercentage", "invoices.discount_percent"),
    _status(_INVOICE),
    read("note", "invoices.comments"),
)

CREDIT_NOTES = flat(
    read("id", "credit_notes.url", "invoices.url", how="`inv-` before the number of a negative invoice."),
    read("sourceModifiedDate", *_of(_DOCUMENTS, "updated_at")),
    read("creditNoteNumber", *_of(_DOCUMENTS, "reference")),
    customer(*_DOCUMENTS),
    withheld(*_DOCUMENTS),
    read("totalAmount", *_of(_DOCUMENTS, "total_value"), how="Without sign."),
    read("totalDiscount", *_of(_DOCUMENTS, "discount_percent"), how="Sum of the lines' discounts."),
    read("subTotal", *_of(_DOCUMENTS, "total_value", "sales_tax_value"), how="Total less tax that is charged."),
    read("totalTaxAmount", *_of(_DOCUMENTS, "sales_tax_value", "second_sales_tax_value"), how="Without sign."),
    read("discountPercentage", *_of(_DOCUMENTS, "discount_percent")),
    read("remainingCredit", *_of(_DOCUMENTS, "due_value"), how="Without sign; nothing of what is settled or void."),
    _status(_DOCUMENTS),
    read("issueDate", *_of(_DOCUMENTS, "dated_on")),
    read(
        "allocatedOnDate",
        "credit_notes.refunded_on",
        "invoices.paid_on",
        f"{EXPLANATIONS}.dated_on",
        "credit_note_reconciliations.dated_on",
        how="Of one that is used up: when the last of it was.",
    ),
    read("currency", *_of(_DOCUMENTS, "currency"), "company.currency"),
    read("currencyRate", *_of(_DOCUMENTS, "exchange_rate"), how="1 in the company's currency."),
    _lines(_DOCUMENTS),
    payments_of("credit_notes", ("credit_note_reconciliations",)),
    read("note", *_of(_DOCUMENTS, "comments")),
)

_SETTLING = (EXPLANATIONS, "credit_note_reconciliations", "invoices")

PAYMENTS = flat(
    read("id", *_of(_SETTLING, "url"), how="`cnr-` before a credit's number, `wo-` before a written-off invoice's."),
    read("sourceModifiedDate", *_of(_SETTLING, "updated_at")),
    customer("invoices", "credit_notes"),
    account("accountRef", f"{EXPLANATIONS}.bank_account"),
    read("totalAmount", f"{EXPLANATIONS}.gross_value", how="0 of a credit set against an invoice, and of a write-off."),
    read("currency", "bank_accounts.currency", "credit_note_reconciliations.currency", "invoices.currency"),
    read(
        "currencyRate",
        "bank_accounts.currency",
        "credit_note_reconciliations.exchange_rate",
        "invoices.exchange_rate",
        *BOOKED,
        how=AT,
    ),
    read("date", *_of(_SETTLING[:2], "dated_on"), "invoices.written_off_date"),
    read("note", f"{EXPLANATIONS}.description", how="`Written off` for a write-off."),
    within(
        "lines[]",
        read("amount", f"{EXPLANATIONS}.gross_value"),
        read("allocatedOnDate", *_of(_SETTLING[:2], "dated_on"), "invoices.written_off_date"),
        within(
            "links[]",
            read("type", f"{EXPLANATIONS}.paid_invoice", "invoices.total_value", how="By what is paid."),
            read(
                "id",
                f"{EXPLANATIONS}.paid_invoice",
                *_of(("credit_note_reconciliations",), "invoice", "credit_note"),
                "invoices.url",
            ),
            read(
                "amount",
                *_of((EXPLANATIONS,), "gross_value", "foreign_currency_value"),
                "credit_note_reconciliations.gross_value",
                how="In the document's currency; negative where it reduces what is open.",
            ),
            read(
                "currencyRate",
                *_of((EXPLANATIONS,), "gross_value", "foreign_currency_value"),
                how="Money paid for one unit of the document's currency.",
            ),
        ),
    ),
    read("reference", *_of((EXPLANATIONS,), "receipt_reference", "cheque_number")),
)
