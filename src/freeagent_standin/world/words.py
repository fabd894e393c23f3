"""The closed lists of values FreeAgent takes, from the reference pages under https://dev.freeagent.com/docs.

What is not among them answers 422.
"""

from __future__ import annotations

CURRENCIES = frozenset(
    {
        *("AED", "AMD", "AOA", "ARS", "AUD", "AWG", "AZN", "BBD", "BDT", "BGN", "BRL", "BWP", "CAD", "CHF", "CLP"),
        *("CNY", "COP", "CRC", "CUC", "CUP", "CZK", "DKK", "DOP", "EGP", "EUR", "FJD", "GBP", "GEL", "GHS", "GTQ"),
        *("GYD", "HKD", "HNL", "HRK", "HUF", "IDR", "ILS", "INR", "ISK", "JMD", "JPY", "KES", "KRW", "KWD", "KYD"),
        *("KZT", "LAK", "LBP", "LKR", "LTL", "LVL", "MAD", "MDL", "MGA", "MUR", "MVR", "MWK", "MXN", "MYR", "MZN"),
        *("NAD", "NGN", "NOK", "NPR", "NZD", "OMR", "PEN", "PHP", "PKR", "PLN", "QAR", "RON", "RSD", "RUB", "RWF"),
        *("SAR", "SCR", "SEK", "SGD", "THB", "TND", "TRY", "TTD", "TWD", "TZS", "UAH", "UGX", "USD", "UYU", "VEF"),
        *("VND", "VUV", "XAF", "XCD", "XOF", "ZAR", "ZMK"),
    }
)
ITEM_TYPES = (
    *("", "Hours", "Days", "Weeks", "Months", "Years", "Products", "Services", "Training", "Expenses", "Comment"),
    *("Bills", "Discount", "Credit", "VAT", "Stock"),
)
BILL_UNITS = ("-no unit-", "Hours", "Days", "Weeks", "Months", "Years", "Products", "Services", "Training", "Stock")
TAX_STATUSES = ("TAXABLE", "EXEMPT", "OUT_OF_SCOPE")
AUTO_RATES = ("Outside of the scope of VAT", "Zero rate", "Reduced rate", "Standard rate", "Exempt")
EC_STATUSES = ("UK/Non-EC", "EC Goods", "EC Services", "Reverse Charge")
EC_STATUSES_OF_SALES = (*EC_STATUSES, "EC VAT MOSS")
CONTACT_STATUSES = ("Active", "Hidden")
PROJECT_STATUSES = ("Active", "Completed", "Cancelled", "Hidden")
CHARGE_SALES_TAX = ("Auto", "Always", "Never")
LOCALES = (
    *("bg", "ca", "cy", "cz", "de", "dk", "en", "en-US", "es", "et", "fi", "fr", "fr-BE", "fr-CA", "is", "it", "lv-LV"),
    *("nl", "nl-BE", "nk", "pl-PL", "pt-BR", "ro", "rs", "ru", "se", "sk", "tr"),
)
BANK_ACCOUNT_TYPES = ("StandardBankAccount", "PaypalAccount", "CreditCardAccount")
ROLES = ("Owner", "Director", "Partner", "Company Secretary", "Employee", "Shareholder", "Accountant")
REBILL_TYPES = ("cost", "markup", "price")
RECURRING = ("Weekly", "Two Weekly", "Four Weekly", "Two Monthly", "Quarterly", "Biannually", "Annually", "2-Yearly")
LINE_TYPES_IN = ("CREDIT", "DIV", "DEP", "DIRECTDEP")
LINE_TYPES_OUT = ("DEBIT", "FEE", "SRVCHG", "XFER", "CHECK", "PAYMENT", "CASH", "DIRECTDEBIT", "REPEATPMT")
LINE_TYPES = (*LINE_TYPES_IN, *LINE_TYPES_OUT, "INT", "ATM", "POS", "OTHER")
FILE_TYPES = {
    "application/x-pdf": "application/pdf",
    "application/pdf": "application/pdf",
    "image/png": "image/png",
    "image/x-png": "image/png",
    "image/jpeg": "image/jpeg",
    "image/jpg": "image/jpeg",
    "image/gif": "image/gif",
}
"""What may be uploaded, and under what type it is shown: live records show application/pdf."""
TASK_STATUSES = ("Active", "Completed", "Hidden")
ESTIMATE_STATUSES = ("Draft", "Sent", "Open", "Approved", "Rejected", "Invoiced")
ESTIMATE_TYPES = ("Estimate", "Quote", "Proposal")
ESTIMATE_ITEM_TYPES = (
    *("Hours", "Days", "Weeks", "Months", "Years", "-no unit-", "Products", "Services", "Training", "Expenses"),
    *("Comments", "Bills", "Discount", "Credit"),
)
