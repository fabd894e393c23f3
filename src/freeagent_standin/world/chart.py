"""The chart of accounts of a UK company: FreeAgent's fixed nominal codes, and which of them have sub-accounts.

FreeAgent groups categories in four lists and gives each a nominal code (https://dev.freeagent.com/docs/categories).
Codes below 600 are profit and loss, the rest stand on the balance sheet. CIS codes appear only for companies in the
Construction Industry Scheme; that 061 to 063 are listed as income and 096 to 099 as cost of sales is inferred.
"""

from __future__ import annotations

import msgspec

from freeagent_standin.world.entities import Company

ADMIN = "admin_expenses_categories"
COST_OF_SALES = "cost_of_sales_categories"
GENERAL = "general_categories"
INCOME = "income_categories"
GROUPS = (ADMIN, COST_OF_SALES, GENERAL, INCOME)

DEBTORS = "681"
CREDITORS = "796"
VAT_PAID = "817"
VAT_RECLAIMED = "818"
VAT_CHARGED = "819"
PAYE = "814"
BAD_DEBTS = "450"
EXCHANGE = "390"
IN_TRANSIT = "761"
RETAINED = "968"
SUSPENSE = "999"
MILEAGE = "249"
DIVIDEND = "908"
FIRST_COST = "096"
"""Codes below it are income."""
CORPORATION_TAX = ("502", "503")
TAX_EXPENSE = "502"
TAX_OWED = "820"

USER_CODES = ("900", "901", "902", "904", "905", "907", "908", "910")
BANK_CODE = "750"


class Category(msgspec.Struct, frozen=True, kw_only=True):
    """One nominal code."""

    code: str
    group: str
    description: str
    reporting: str = ""
    auto_rate: str = ""
    allowable: bool | None = None
    group_description: str = ""
    is_custom: bool = False
    """Whether a caller made it: only such ones change or go."""


_STANDARD, _REDUCED, _ZERO, _OUTSIDE = "Standard rate", "Reduced rate", "Zero rate", "Outside of the scope of VAT"
_VATABLE, _ZERO_VAT = "Admin expenses (normally VATable)", "Admin expenses (normally Zero-VAT)"

_TRAVEL = "Travel and subsistence expenses"
_SOFTWARE = "Computer software costs"
_VEHICLE = "Vehicle running costs"
_TELECOMS = "Telecommunications costs"
_PENSION = "Staff pensions, defined contribution schemes"
_LATE = "Late payment of tax"
_EXCHANGE = "Gain (loss) on foreign currency transactions"

# code, description, tax reporting name, automatic rate, not allowable for tax
_ADMIN: tuple[tuple[str, str, str, str, str], ...] = (
    ("249", "Mileage", _VEHICLE, _STANDARD, ""),
    ("250", "Office Costs", "General maintenance", _STANDARD, ""),
    ("251", "Rent", "Rent of premises", _STANDARD, ""),
    ("268", "Web Hosting", _SOFTWARE, _STANDARD, ""),
    ("269", "Computer Software", _SOFTWARE, _STANDARD, ""),
    ("270", "Computer Hardware", "IT and computer consumables", _STANDARD, ""),
    ("271", "Office Equipment", "Consumable items", _STANDARD, ""),
    ("272", "Other Computer Costs", _SOFTWARE, _STANDARD, ""),
    ("273", "Internet & Telephone", _TELECOMS, _STANDARD, ""),
    ("274", "Mobile Phone", _TELECOMS, _STANDARD, ""),
    ("276", "Printing", "Printing costs", _STANDARD, ""),
    ("277", "Stationery", "Stationery", _STANDARD, ""),
    ("278", "Childcare Vouchers", "Staff welfare", _STANDARD, ""),
    ("280", "Sundries", "Sundry expenses", _STANDARD, ""),
    ("282", "Staff Training", "Staff training", _STANDARD, ""),
    ("283", "Motor Expenses", _VEHICLE, _STANDARD, ""),
    ("285", "Accommodation and Meals", _TRAVEL, _STANDARD, ""),
    ("288", "Advertising and Promotion", "Advertising and promotional costs", _STANDARD, ""),
    ("289", "Staff Entertaining", "Staff entertaining", _STANDARD, ""),
    ("290", "Legal and Professional Fees", "Legal fees", _STANDARD, ""),
    ("291", "Leasing Payments", "Hire and leasing of other assets", _STANDARD, ""),
    ("292", "Accountancy Fees", "Accountancy fees", _STANDARD, ""),
    ("293", "Consultancy Fees", "General consultancy fees", _STANDARD, ""),
    ("294", "Formation Costs", "Other legal and professional fees", _ZERO, "no"),
    ("335", "Business Entertaining", "Business entertaining", _STANDARD, "no"),
    ("350", "Pension (Personal/Stakeholder)", _PENSION, _OUTSIDE, ""),
    ("351", "Pension (Annuity)", _PENSION, _OUTSIDE, ""),
    ("358", "Postage", "Postage costs", _ZERO, ""),
    ("359", "Books and Journals", "Stationery", _ZERO, ""),
    ("360", "Charitable Donations", "Charitable donations", _OUTSIDE, ""),
    ("361", "Subscriptions", "Subscriptions to professional and trade bodies", _ZERO, ""),
    ("362", "Interest Payable", "Interest Payable and similar charges", _ZERO, ""),
    ("363", "Bank/Finance Charges", "Finance charges", _ZERO, ""),
    ("364", "Insurance", "Insurance", _ZERO, ""),
    ("365", "Travel", _TRAVEL, _ZERO, ""),
    ("366", "Use Of Home", "Use of residence for business purposes", _ZERO, ""),
    ("371", "VAT Penalty", _LATE, _OUTSIDE, "no"),
    ("372", "Corporation Tax Penalty", _LATE, _OUTSIDE, "no"),
    ("373", "PAYE/NI Penalty", _LATE, _OUTSIDE, "no"),
    ("390", "Realized Currency Exchange Gain/Loss", _EXCHANGE, _ZERO, ""),
    ("391", "Unrealized Currency Exchange Gain/Loss", _EXCHANGE, _ZERO, ""),
)

_COST_OF_SALES: tuple[tuple[str, str, str], ...] = (
    ("101", "Cost of Sales", "Purchases"),
    ("102", "Commission Paid", "Commissions Payable"),
    ("103", "Materials", "Purchases"),
    ("104", "Equipment Hire", "Material Costs"),
    ("150", "Subcontractor Costs", "Subcontractor Costs"),
)

_CIS_COSTS: tuple[tuple[str, str, str], ...] = (
    ("096", "CIS Labour (Gross)", "Subcontractor Costs"),
    ("097", "CIS Labour", "Subcontractor Costs"),
    ("098", "CIS Labour (Higher Rate)", "Subcontractor Costs"),
    ("099", "CIS Materials", "Purchases"),
)

_CIS_INCOME: tuple[tuple[str, str], ...] = (
    ("061", "CIS Income (Gross)"),
    ("062", "CIS Income (20%)"),
    ("063", "CIS Income (30%)"),
)

_CREDITORS, _DEBTORS, _FIXED = "Creditors", "Debtors", "Fixed asset"
_USER_MONEY = "Money due to/from user"

_GENERAL: tuple[tuple[str, str, str], ...] = (
    ("051", "Interest Received", "Interest Received"),
    ("055", "Flat Rate Scheme Surplus", "Turnover"),
    ("056", "Refund of Other Tax Received", "Other Income"),
    ("057", "PAYE/NI Online Filing Incentive Claimed", "Other Income"),
    ("058", "Grant Income", "Other Income"),
    ("401", "Salaries", "Wages and salaries"),
    ("402", "Employer NICs", "Employer's National Insurance, staff"),
    ("403", "Staff Pensions", _PENSION),
    ("404", "Net Salary Expense", "Wages and salaries"),
    ("405", "PAYE/NI Expense", "Wages and salaries"),
    ("407", "Directors' Salaries", "Director's remuneration"),
    ("408", "Directors' Employer NICs", "Employer's National Insurance, directors"),
    ("409", "Directors' Staff Pensions", "Director pensions, defined contribution schemes"),
    ("450", "Bad Debts Written Off", "Bad debts written off"),
    ("460", "Depreciation Charge", "Depreciation of tangible fixed assets"),
    ("461", "Loss/Gain on Disposal of Capital Asset", "Gain (loss) from disposal of tangible fixed assets"),
    ("502", "Corporation Tax Expense", "Corporation tax"),
    ("503", "Deferred Corporation Tax Expense", "Corporation tax"),
    ("599", "Error", "Error"),
    ("601", "Capital Asset Brought Forward", f"{_FIXED}s brought forward"),
    ("602", "Capital Asset Purchase", f"{_FIXED} purchases"),
    ("604", "Disposal of Capital Asset", f"{_FIXED} disposals"),
    ("605", "Capital Asset Depreciation Brought Forward", f"{_FIXED} depreciation brought forward"),
    ("606", "Capital Asset Depreciation in Year", f"{_FIXED} depreciation in year"),
    ("607", "Depreciation on Disposal of Capital Asset", f"{_FIXED} depreciation on disposals"),
    ("609", "Stock", "Stock"),
    ("610", "Stock Adjustment", "Stock"),
    ("620", "Prepayments", "Prepayments and accrued income"),
    ("630", "Investments Brought Forward", f"{_FIXED} investments"),
    ("631", "Investments Additions", f"{_FIXED} investments"),
    ("632", "Investments Revaluations", f"{_FIXED} investments"),
    ("633", "Investments Disposals", f"{_FIXED} investments"),
    ("650", "Provisions for Liabilities", "Provisions for liabilities"),
    ("660", "Accruals", "Accruals and deferred income"),
    ("670", "Share Premium", ""),
    ("681", "Trade Debtors", _DEBTORS),
    ("682", "Other Debtors", _DEBTORS),
    ("750", "Bank Account", "Bank account"),
    ("760", "Unpresented Items", "Money in transit"),
    ("761", "Bank Transfers in Progress", "Money in transit"),
    ("790", "Credit Note Reconciliations", "Contra"),
    ("792", "Hire Purchase Liabilities < 1 Year", "Creditors due within one year"),
    ("793", "Hire Purchase Liabilities > 1 Year", "Creditors due in over one year"),
    ("794", "Liabilities < 1 Year", "Creditors due within one year"),
    ("795", "Liabilities > 1 Year", "Creditors due in over one year"),
    ("796", "Trade Creditors", _CREDITORS),
    ("797", "Other Creditors", _CREDITORS),
    ("798", "Non-Bill HP Liabilities < 1 Year", "Creditors due within one year"),
    ("799", "Non-Bill HP Liabilities > 1 Year", "Creditors due in over one year"),
    ("813", "Pension Creditor", _CREDITORS),
    ("814", "PAYE/NI", _CREDITORS),
    ("815", "Other Payroll Deductions", _CREDITORS),
    ("817", "VAT", "VAT"),
    ("818", "VAT Reclaimed", "VAT"),
    ("819", "VAT Charged", "VAT"),
    ("820", "Corporation Tax", "Corporation tax"),
    ("823", "Deferred VAT", "VAT"),
    ("824", "VAT Mini One Stop Shop", _CREDITORS),
    ("825", "Deferred Corporation Tax", "Corporation tax"),
    ("900", "Smart User Payment", _USER_MONEY),
    ("901", "Capital Account", ""),
    ("902", "Salary and Bonuses", _USER_MONEY),
    ("904", "Benefit in Kind", _USER_MONEY),
    ("905", "Expense Account", _USER_MONEY),
    ("907", "Director Loan Account", _USER_MONEY),
    ("908", "Dividend", ""),
    ("910", "Unpaid Shares", "Called up share capital not paid"),
    ("968", "Profit and Loss", ""),
    ("998", "Contra Account", "Contra"),
    ("999", "Suspense Account", "Suspense"),
)

_LIMITED_ONLY = frozenset({"502", "503", "670", "820", "825", "907", "908", "910", "407", "408", "409"})


def categories(company: Company) -> tuple[Category, ...]:
    """The company's categories, by group and then by nominal code."""
    rows = [
        Category(
            code=code,
            group=ADMIN,
            description=description,
            reporting=reporting,
            auto_rate=rate,
            allowable=not refused,
            group_description=_VATABLE if rate == _STANDARD else _ZERO_VAT,
        )
        for code, description, reporting, rate, refused in _ADMIN
    ]
    costs = (_CIS_COSTS if company.cis_contractor else ()) + _COST_OF_SALES
    rows += [
        Category(
            code=code,
            group=COST_OF_SALES,
            description=description,
            reporting=reporting,
            auto_rate=_STANDARD,
            allowable=True,
            group_description="Cost of sales (normally VATable)",
        )
        for code, description, reporting in costs
    ]
    rows += [
        Category(code=code, group=GENERAL, description=description, reporting=reporting)
        for code, description, reporting in _GENERAL
        if company.is_limited or code not in _LIMITED_ONLY
    ]
    income = (("001", "Sales"),) + (_CIS_INCOME if company.cis_subcontractor else ())
    rows += [
        Category(
            code=code,
            group=INCOME,
            description=description,
            auto_rate=_STANDARD,
            group_description="Income (normally VATable)",
        )
        for code, description in income
    ]
    return tuple(rows)


def is_profit_and_loss(code: str) -> bool:
    """Whether a nominal code (with or without sub-code) belongs to profit and loss."""
    return code < "600"


def is_capital_asset(code: str) -> bool:
    """Whether a nominal code stands among capital assets and investments."""
    return "601" <= code[:3] <= "607" or "630" <= code[:3] <= "633"


def is_equity(code: str) -> bool:
    """Whether a nominal code is the owners': shares, capital, and what a company made for itself."""
    return code[:3] in ("670", "901", "910") or "921" <= code[:3] <= "960"


def automatic_rate(category: Category) -> str:
    """The percentage FreeAgent takes by itself for a category, or "" where VAT has no part."""
    return {_STANDARD: "20.0", _REDUCED: "5.0", _ZERO: "0.0"}.get(category.auto_rate, "")
