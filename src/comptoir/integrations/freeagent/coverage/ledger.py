"""Where the members of accounts, banking, tax rates, items and tracking categories come from."""

from __future__ import annotations

from comptoir.integrations.contract import Covered
from comptoir.integrations.freeagent.coverage.fields import EXPLANATIONS, flat, none, read, within

__all__ = [
    "BANK_ACCOUNTS",
    "BANK_TRANSACTIONS",
    "CHART_OF_ACCOUNTS",
    "ITEMS",
    "TAX_RATES",
    "TRACKING_CATEGORIES",
    "TRANSFERS",
]

_CODE = ("categories.nominal_code", "trial_balance.display_nominal_code")
_RATES = ("company.sales_tax_rates", "company.second_sales_tax_rates", "sales_tax_periods.sales_tax_rate_1")
_MET = "Gathered from the company's rates, its sales tax periods, and all lines that were read."

CHART_OF_ACCOUNTS = flat(
    read("id", *_CODE, "bank_accounts.url", how="The nominal code; a bank account goes by its own number."),
    read("sourceModifiedDate", "bank_accounts.updated_at", how="Of bank accounts alone."),
    read("nominalCode", *_CODE),
    read("name", "categories.description", "bank_accounts.name", "trial_balance.name", "users.last_name"),
    none("FreeAgent's categories have no description beside their name.", "description"),
    read("fullyQualifiedCategory", *_CODE, how="By the group and the number of the code."),
    read("fullyQualifiedName", *_CODE, "categories.description", how="The category before the name."),
    read("currency", "bank_accounts.currency", "company.currency"),
    read("currentBalance", "trial_balance.total", "bank_accounts.current_balance", how="On the account's usual side."),
    read("type", *_CODE, how="By the group and the number of the code."),
    read("status", "bank_accounts.status", *_CODE, how="Archived if it is no longer listed."),
    read("isBankAccount", "categories.bank_account", "trial_balance.bank_account", "bank_accounts.url"),
    within(
        "validDatatypeLinks[]",
        read("property", how="Always Id."),
        read("links[]", *_CODE, how="By the type of the account."),
    ),
)

BANK_ACCOUNTS = flat(
    read("id", "bank_accounts.url"),
    read("sourceModifiedDate", "bank_accounts.updated_at"),
    read("accountName", "bank_accounts.name"),
    read("accountType", "bank_accounts.type"),
    read("nominalCode", "categories.nominal_code"),
    read("sortCode", "bank_accounts.sort_code"),
    read("accountNumber", "bank_accounts.account_number"),
    read("iBan", "bank_accounts.iban"),
    read("currency", "bank_accounts.currency", "company.currency"),
    read("balance", "bank_accounts.current_balance", how="What is owed on a credit card is positive."),
    read("institution", "bank_accounts.bank_name", "bank_accounts.bank_code"),
    read("availableBalance", "bank_accounts.current_balance"),
    none("FreeAgent knows no overdraft limit.", "overdraftLimit"),
    read("status", "bank_accounts.status"),
)

BANK_TRANSACTIONS = flat(
    read("id", "bank_transactions.url"),
    read("sourceModifiedDate", "bank_transactions.updated_at"),
    read("accountId", "bank_transactions.bank_account"),
    read("clearedOnDate", "bank_transactions.dated_on"),
    read("description", "bank_transactions.description"),
    none("FreeAgent keeps a statement line's text as one.", "counterparty", "reference"),
    read(
        "reconciled",
        "bank_transactions.unexplained_amount",
        "bank_transactions.bank_transaction_explanations[].marked_for_review",
        how="Explained whole, and nothing of it is marked for review.",
    ),
    read("amount", "bank_transactions.amount"),
    read("balance", "bank_accounts.opening_balance", "bank_transactions.amount", how="After this line."),
    read("transactionType", "bank_transactions.full_description", how="By the statement's token in the text."),
)


def _side(path: str, *, is_paying: bool) -> tuple[Covered, ...]:
    sides = (f"{EXPLANATIONS}.bank_account", f"{EXPLANATIONS}.linked_transfer_account")
    return within(
        path,
        read("accountRef.id", *(sides if is_paying else reversed(sides))),
        read("accountRef.dataType", how="Always bankAccounts."),
        read("currency", "bank_accounts.currency"),
        read("amount", f"{EXPLANATIONS}.gross_value", how="Without sign; of the explanation on that side."),
    )


TRANSFERS = flat(
    read("id", f"{EXPLANATIONS}.url", how="Of the paying side."),
    read("sourceModifiedDate", f"{EXPLANATIONS}.updated_at"),
    read("description", f"{EXPLANATIONS}.description"),
    read("date", f"{EXPLANATIONS}.dated_on"),
    _side("from", is_paying=True),
    _side("to", is_paying=False),
    read("status", f"{EXPLANATIONS}.marked_for_review"),
)

TAX_RATES = flat(
    read("id", *_RATES, how=_MET),
    none("A rate is no record of FreeAgent's, so nobody says when it changed.", "sourceModifiedDate"),
    read("name", "company.sales_tax_name", *_RATES, how=_MET),
    none("FreeAgent's rates have no code.", "code"),
    read("status", *_RATES, how="Archived if the company does not have it any more."),
    read("effectiveTaxRate", *_RATES, how="What is charged."),
    read("totalTaxRate", *_RATES, how="Notional tax too."),
    within(
        "components[]",
        read("name", "company.sales_tax_name", "company.second_sales_tax_name"),
        read("rate", *_RATES),
        read("isCompound", "company.second_sales_tax_is_compound"),
    ),
    within("validDatatypeLinks[]", read("property", how="Always Id."), read("links[]", how="By the kind of rate.")),
)

_ITEM, _STOCK = "price_list_items", "stock_items"

ITEMS = flat(
    read("id", f"{_ITEM}.url", f"{_STOCK}.url", how="`stock-` before the number of a stock item."),
    read("sourceModifiedDate", f"{_ITEM}.updated_at", f"{_STOCK}.updated_at"),
    read("name", f"{_ITEM}.description", f"{_ITEM}.code", f"{_STOCK}.description"),
    read("code", f"{_ITEM}.code"),
    read("itemStatus", how="Always Active: FreeAgent archives none."),
    read("type", f"{_ITEM}.item_type", how="A stock item is Inventory."),
    read("isInvoiceItem", how="Always true."),
    within(
        "invoiceItem",
        read("description", f"{_ITEM}.description", f"{_STOCK}.description"),
        read("unitPrice", f"{_ITEM}.price"),
        read("accountRef.id", f"{_ITEM}.category"),
        read("accountRef.name", "categories.description"),
        within(
            "taxRateRef",
            read("id", f"{_ITEM}.vat_status", f"{_ITEM}.sales_tax_rate", how="Derived."),
            read("name", f"{_ITEM}.vat_status", f"{_ITEM}.sales_tax_rate", how="Derived."),
            read("effectiveTaxRate", f"{_ITEM}.vat_status", f"{_ITEM}.sales_tax_rate", how="What is charged."),
        ),
    ),
    read("isBillItem", how="Of stock items alone."),
    within(
        "billItem",
        read("accountRef.id", "categories.stock_item", "categories.nominal_code", how="The item's own stock account."),
        read("accountRef.name", "categories.description"),
        none(
            "FreeAgent keeps no purchase side of an item.",
            "description",
            "unitPrice",
            "taxRateRef.id",
            "taxRateRef.name",
            "taxRateRef.effectiveTaxRate",
        ),
    ),
)

TRACKING_CATEGORIES = flat(
    read("id", "projects.url", "properties.url", how="`property-` before the number of a property."),
    read("sourceModifiedDate", "projects.updated_at", "properties.updated_at"),
    read("name", "projects.name", "properties.address1", "properties.postcode"),
    none("FreeAgent's projects and properties have no hierarchy.", "parentId"),
    read("hasChildren", how="Always false: there is no hierarchy."),
    read("status", "projects.status"),
)
