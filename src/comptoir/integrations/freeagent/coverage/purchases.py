"""Where the members of purchases, and of spending and income without a document, come from."""

from __future__ import annotations

from comptoir.integrations.contract import Covered
from comptoir.integrations.freeagent.coverage.fields import AT, BOOKED, EXPLANATIONS, account, flat, none, read, within
from comptoir.integrations.freeagent.coverage.sales import payments_of, tracking

__all__ = ["BILLS", "BILL_CREDIT_NOTES", "BILL_PAYMENTS", "DIRECT_COSTS", "DIRECT_INCOMES"]

_ITEMS = "bills.bill_items[]"
_PROJECTS = (f"{_ITEMS}.project", "bills.project", "bills.rebill_to_project", "bills.property")
_ONE = "One line of one unit, unless stock was bought or sold."


def _supplier(resource: str) -> tuple[Covered, ...]:
    names = ("contacts.organisation_name", "contacts.first_name", "contacts.last_name")
    return within(
        "supplierRef",
        read("id", f"{resource}.contact"),
        read("supplierName", f"{resource}.contact_name", *names),
    )


def _lines(*, is_bill: bool) -> tuple[Covered, ...]:
    unpublished = "Lines of credit notes have none."
    return within(
        "lineItems[]",
        *(
            (
                read("lineNumber", how="Counted from 1."),
                read("unitOfMeasurement", f"{_ITEMS}.unit"),
                read("isDirectCost", how="Always false."),
            )
            if is_bill
            else none(unpublished, "lineNumber", "unitOfMeasurement", "isDirectCost")
        ),
        read("description", f"{_ITEMS}.description", f"{_ITEMS}.stock_item_description"),
        read("unitAmount", f"{_ITEMS}.total_value_ex_tax", f"{_ITEMS}.quantity", how="Net divided by the quantity."),
        read("quantity", f"{_ITEMS}.stock_altering_quantity", f"{_ITEMS}.quantity", how="1 if the line tells none."),
        none("FreeAgent's bills have no discounts.", "discountAmount", "discountPercentage"),
        read("subTotal", f"{_ITEMS}.total_value_ex_tax", f"{_ITEMS}.total_value"),
        read("taxAmount", f"{_ITEMS}.sales_tax_value", f"{_ITEMS}.second_sales_tax_value", how="Total less net."),
        read("totalAmount", f"{_ITEMS}.total_value"),
        account("accountRef", f"{_ITEMS}.category"),
        within(
            "taxRateRef",
            read("id", f"{_ITEMS}.sales_tax_status", f"{_ITEMS}.sales_tax_rate", "bills.ec_status", how="Derived."),
            read("name", f"{_ITEMS}.sales_tax_status", f"{_ITEMS}.sales_tax_rate", how="Derived."),
            read("effectiveTaxRate", f"{_ITEMS}.sales_tax_rate", how="What is charged."),
        ),
        read("itemRef.id", f"{_ITEMS}.stock_item"),
        none("A line names its item by number alone.", "itemRef.name"),
        tracking("trackingCategoryRefs[]", *_PROJECTS),
        within(
            "tracking",
            tracking("categoryRefs[]", *_PROJECTS),
            within(
                "customerRef",
                read("id", "projects.contact"),
                read("companyName", "contacts.organisation_name", "contacts.first_name", "contacts.last_name"),
            ),
            tracking("projectRef", *_PROJECTS[:-1]),
            read("isBilledTo", *_PROJECTS[:-1], how="Project, if there is one."),
            read("isRebilledTo", "bills.rebill_type", how="Project, if it is rebilled to one."),
        ),
    )


_CIS = within(
    "withholdingTax[]",
    read("name", "bills.cis_deduction_rate", "bills.cis_deduction_band", how="`CIS deduction` and its percentage."),
    read("amount", "bills.cis_deduction"),
)
_STATUS = read(
    "status", "bills.status", "bills.total_value", "bills.due_value", how="By its status, and what is still open."
)
_CHARGED = "Total less tax that is charged."
_NOTIONAL = "Without sign, notional tax left out."

BILLS = flat(
    read("id", "bills.url"),
    read("sourceModifiedDate", "bills.updated_at"),
    read("reference", "bills.reference"),
    _supplier("bills"),
    none("FreeAgent has no purchase orders.", "purchaseOrderRefs[]"),
    read("issueDate", "bills.dated_on"),
    read("dueDate", "bills.due_on"),
    read("currency", "bills.currency", "company.currency"),
    read("currencyRate", "bills.exchange_rate", how="1 in the company's currency."),
    _lines(is_bill=True),
    _CIS,
    _STATUS,
    read("subTotal", "bills.total_value", "bills.sales_tax_value", how=_CHARGED),
    read("taxAmount", "bills.sales_tax_value", "bills.second_sales_tax_value", how=_NOTIONAL),
    read("totalAmount", "bills.total_value"),
    read("amountDue", "bills.due_value"),
    read("note", "bills.comments"),
    payments_of("bills"),
)

BILL_CREDIT_NOTES = flat(
    read("id", "bills.url"),
    read("sourceModifiedDate", "bills.updated_at"),
    read("billCreditNoteNumber", "bills.reference"),
    _supplier("bills"),
    _CIS,
    read("totalAmount", "bills.total_value", how="Without sign."),
    read("totalDiscount", how="Always 0: FreeAgent's bills have no discounts."),
    read("subTotal", "bills.total_value", "bills.sales_tax_value", how=_CHARGED),
    read("totalTaxAmount", "bills.sales_tax_value", "bills.second_sales_tax_value", how=_NOTIONAL),
    read("discountPercentage", how="Always 0: FreeAgent's bills have no discounts."),
    read("remainingCredit", "bills.due_value", how="Without sign."),
    _STATUS,
    read("issueDate", "bills.dated_on"),
    read("allocatedOnDate", "bills.paid_on", how="Of one that is used up."),
    read("currency", "bills.currency", "company.currency"),
    read("currencyRate", "bills.exchange_rate", how="1 in the company's currency."),
    _lines(is_bill=False),
    payments_of("bills"),
    read("note", "bills.comments"),
)

BILL_PAYMENTS = flat(
    read("id", f"{EXPLANATIONS}.url"),
    read("sourceModifiedDate", f"{EXPLANATIONS}.updated_at"),
    _supplier("bills"),
    account("accountRef", f"{EXPLANATIONS}.bank_account"),
    read("totalAmount", f"{EXPLANATIONS}.gross_value", how="Money out is positive."),
    read("currency", "bank_accounts.currency"),
    read("currencyRate", "bank_accounts.currency", *BOOKED, how=AT),
    read("date", f"{EXPLANATIONS}.dated_on"),
    read("note", f"{EXPLANATIONS}.description"),
    within(
        "lines[]",
        read("amount", f"{EXPLANATIONS}.gross_value", how="Money out is positive."),
        read("allocatedOnDate", f"{EXPLANATIONS}.dated_on"),
        within(
            "links[]",
            read(
                "type", f"{EXPLANATIONS}.paid_bill", "bills.total_value", how="A credit note if the bill is negative."
            ),
            read("id", f"{EXPLANATIONS}.paid_bill"),
            read(
                "amount",
                f"{EXPLANATIONS}.gross_value",
                f"{EXPLANATIONS}.foreign_currency_value",
                how="In the bill's currency; negative where it reduces what is open.",
            ),
            read(
                "currencyRate",
                f"{EXPLANATIONS}.gross_value",
                f"{EXPLANATIONS}.foreign_currency_value",
                how="Money paid for one unit of the bill's currency.",
            ),
        ),
    ),
    read("reference", f"{EXPLANATIONS}.receipt_reference", f"{EXPLANATIONS}.cheque_number"),
)


def _direct(*resources: str) -> tuple[Covered, ...]:
    """Costs and incomes without a document; what somebody paid out of pocket is a cost too."""

    def of(*members: str) -> tuple[str, ...]:
        return tuple(f"{resource}.{member}" for resource in resources for member in members)

    is_cost = "expenses" in resources
    account_of = ("category", "paid_user") if resources == (EXPLANATIONS,) else ("category",)
    projects = of("project", "property")
    when, total = of("dated_on"), of("gross_value")
    moneys = ("bank_accounts.currency", *(("expenses.currency",) if is_cost else ()))
    rates = ("bank_accounts.currency", *BOOKED, *(("expenses.native_gross_value",) if is_cost else ()))
    manual = ("expenses.manual_sales_tax_amount",) if is_cost else ()
    owed = ("expenses.user",) if is_cost else ()
    references = (f"{EXPLANATIONS}.receipt_reference", f"{EXPLANATIONS}.cheque_number")
    return flat(
        read("id", *of("url"), how="`exp-` before the number of an expense." if is_cost else None),
        read("sourceModifiedDate", *of("updated_at")),
        read("reference", *references, *(("expenses.receipt_reference",) if is_cost else ())),
        read("note", *of("description")),
        none("Neither an explanation nor an expense names a contact.", "contactRef.id", "contactRef.dataType"),
        read("issueDate", *when),
        read("currency", *moneys),
        read("currencyRate", *rates, how=AT),
        within(
            "lineItems[]",
            read("description", *of("description")),
            read("unitAmount", *total, *of("sales_tax_value"), how=_ONE),
            read("quantity", f"{EXPLANATIONS}.stock_altering_quantity", how=_ONE),
            none("Spending without a document has no discounts.", "discountAmount", "discountPercentage"),
            read("subTotal", *total, *of("sales_tax_value"), how="Total less tax that is charged."),
            read("taxAmount", *of("sales_tax_value"), *manual, how="With the sign of the total."),
            read("totalAmount", *total),
            account("accountRef", *of(*account_of), *((f"{EXPLANATIONS}.paid_user",) if is_cost else ())),
            within(
                "taxRateRef",
                read("id", *of("sales_tax_status", "sales_tax_rate", "ec_status"), how="Derived."),
                read("name", *of("sales_tax_status", "sales_tax_rate"), how="Derived."),
                read("effectiveTaxRate", *of("sales_tax_rate"), how="What is charged."),
            ),
            read("itemRef.id", *of("stock_item")),
            none("A line names its item by number alone.", "itemRef.name"),
            tracking("trackingCategoryRefs[]", *projects),
            within(
                "tracking",
                *(
                    (
                        read("recordRefs[].id", *projects),
                        read("recordRefs[].dataType", how="Always trackingCategories."),
                        read("invoiceTo.id", "projects.contact", *of("rebill_type"), how="Of what is rebilled."),
                        read("invoiceTo.dataType", how="Always customers."),
                    )
                    if is_cost
                    else none(
                        "What comes in is rebilled to nobody.",
                        "recordRefs[].id",
                        "recordRefs[].dataType",
                        "invoiceTo.id",
                        "invoiceTo.dataType",
                    )
                ),
            ),
        ),
        within(
            "paymentAllocations[]",
            within(
                "payment",
                read("id", *of("url"), how="The record itself: it is paid at once and whole."),
                none("It is the record's own.", "note", "reference"),
                account("accountRef", f"{EXPLANATIONS}.bank_account", *owed),
                read("currency", *moneys),
                read("currencyRate", *rates, how=AT),
                read("paidOnDate", *when),
                read("totalAmount", *total),
            ),
            within(
                "allocation",
                read("currency", *moneys),
                read("currencyRate", *rates, how=AT),
                read("allocatedOnDate", *when),
                read("totalAmount", *total),
            ),
        ),
        read("subTotal", *total, *of("sales_tax_value"), how="Total less tax that is charged."),
        read("taxAmount", *of("sales_tax_value"), *manual, how="With the sign of the total."),
        read("totalAmount", *total, how="Money out is positive." if is_cost else None),
    )


DIRECT_COSTS = _direct(EXPLANATIONS, "expenses")
DIRECT_INCOMES = _direct(EXPLANATIONS)
