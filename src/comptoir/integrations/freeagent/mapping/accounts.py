"""The chart of accounts: categories, bank accounts among them, and codes that only the trial balance or records name.

Source: https://dev.freeagent.com/docs/categories
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import msgspec

from comptoir.integrations.contract import Mapped, RawRow
from comptoir.integrations.freeagent import payloads
from comptoir.integrations.freeagent.books import Books
from comptoir.integrations.freeagent.mapping.banking import state_of
from comptoir.integrations.freeagent.reading import Flawed, reader
from comptoir.integrations.freeagent.references import instant, last_segment
from comptoir.model.ledger import Account, AccountStatus, AccountType
from comptoir.model.money import ZERO, plain
from comptoir.model.records import ValidDatatypeLinks

__all__ = [
    "Grouped",
    "Named",
    "account",
    "account_of_balance",
    "account_of_bank",
    "accounts_named",
    "decode_category",
    "type_of_code",
]

_A, _L, _E, _I, _Q = (
    AccountType.ASSET,
    AccountType.LIABILITY,
    AccountType.EXPENSE,
    AccountType.INCOME,
    AccountType.EQUITY,
)
# A company's own group placement outranks the number; within the general group these ranges hold, first match wins.
_GROUPS = {
    "income_categories": (_I, "Income.Revenue"),
    "cost_of_sales_categories": (_E, "Expense.CostOfSales"),
    "admin_expenses_categories": (_E, "Expense.Administrative"),
}
_RANGES: tuple[tuple[int, int, AccountType, str], ...] = (
    (1, 49, _I, "Income.Revenue"),
    (61, 63, _I, "Income.Revenue.CIS"),
    (50, 95, _I, "Income.Other"),
    (96, 199, _E, "Expense.CostOfSales"),
    (200, 399, _E, "Expense.Administrative"),
    (400, 449, _E, "Expense.Payroll"),
    (450, 499, _E, "Expense.Other"),
    (502, 503, _E, "Expense.Tax"),
    (500, 599, _E, "Expense.Other"),
    (601, 607, _A, "Asset.Fixed"),
    (609, 610, _A, "Asset.Current.Stock"),
    (620, 620, _A, "Asset.Current"),
    (630, 633, _A, "Asset.Fixed"),
    (650, 650, _L, "Liability.Current"),
    (660, 660, _L, "Liability.Current"),
    (670, 670, _Q, "Equity.Share"),
    (671, 720, _A, "Asset.Current"),
    (750, 750, _A, "Asset.Current.Bank"),
    (760, 761, _A, "Asset.Current"),
    (721, 780, _L, "Liability.Current"),
    (792, 793, _L, "Liability.Current.HirePurchase"),
    (795, 795, _L, "Liability.LongTerm"),
    (799, 799, _L, "Liability.LongTerm"),
    (818, 818, _A, "Asset.Current.Tax"),
    (781, 899, _L, "Liability.Current"),
    (900, 900, _L, "Liability.Current.Users"),
    (902, 902, _L, "Liability.Current.Users"),
    (904, 905, _L, "Liability.Current.Users"),
    (907, 907, _L, "Liability.Current.Users"),
    (908, 908, _Q, "Equity.Dividends"),
    (901, 910, _Q, "Equity.Owner"),
    (998, 999, _L, "Liability.Current.Suspense"),
    (968, 968, _Q, "Equity.RetainedProfit"),
    (911, 997, _Q, "Equity.Owner"),
)
_LINES = ("JournalEntries.JournalLines.AccountRef.Id",)
_INCOME_LINKS = (
    "Invoices.LineItems.AccountRef.Id",
    "CreditNotes.LineItems.AccountRef.Id",
    "DirectIncomes.LineItems.AccountRef.Id",
    "Items.InvoiceItem.AccountRef.Id",
    *_LINES,
)
_COST_LINKS = (
    "Bills.LineItems.AccountRef.Id",
    "BillCreditNotes.LineItems.AccountRef.Id",
    "DirectCosts.LineItems.AccountRef.Id",
    *_LINES,
)
_BANK_LINKS = (
    "Payments.AccountRef.Id",
    "BillPayments.AccountRef.Id",
    "DirectCosts.PaymentAllocations.Payment.AccountRef.Id",
    "DirectIncomes.PaymentAllocations.Payment.AccountRef.Id",
    "Transfers.From.AccountRef.Id",
    "Transfers.To.AccountRef.Id",
)
_BALANCE_LINKS = ("DirectCosts.LineItems.AccountRef.Id", "DirectIncomes.LineItems.AccountRef.Id", *_LINES)
_CONTROL = ("681", "796")
_HIRE_PURCHASE = ("792", "793")  # which of them is due within a year, the number does not tell


class Grouped(msgspec.Struct, frozen=True):
    """A category and the group it stands in."""

    group: str
    category: payloads.Category


_category = reader(payloads.Category)


def decode_category(row: RawRow) -> Grouped | Flawed:
    read = _category(row)
    if isinstance(read, Flawed):
        return Flawed(Grouped(row.part, read.payload), read.flaws)
    return Grouped(row.part, read)


def type_of_code(code: str, books: Books) -> tuple[AccountType, str | None]:
    """Type and category of a nominal code, or of a bank account's."""
    known: dict[str, tuple[AccountType, str | None]] = books.carried.setdefault("types of codes", {})
    if code not in known:
        known[code] = _type_of_code(code, books)
    return known[code]


def _type_of_code(code: str, books: Books) -> tuple[AccountType, str | None]:
    found = books.categories.get(code)
    if found is not None and found[0] in _GROUPS and not code.startswith(("061", "062", "063")):
        return _GROUPS[found[0]]
    number = code.split("-", 1)[0]
    if not (number.isascii() and number.isdigit()) or len(number) > 3:
        return AccountType.UNKNOWN, None
    if number in _HIRE_PURCHASE and found is not None and "over one year" in (found[1].tax_reporting_name or ""):
        return _L, "Liability.LongTerm.HirePurchase"
    value = int(number)
    for low, high, type_, category in _RANGES:
        if low <= value <= high:
            return type_, category
    return AccountType.UNKNOWN, None


def _signed(total: Decimal, type_: AccountType) -> Decimal:
    """A balance is positive on the account's usual side."""
    return plain(total if type_ in (AccountType.ASSET, AccountType.EXPENSE, AccountType.UNKNOWN) else -total)


def _balance(code: str, type_: AccountType, books: Books) -> Decimal | None:
    if books.trial_balance is None or code in books.unread_balances:
        return None
    line = books.trial_balance.get(code)
    return ZERO if line is None else _signed(line.total, type_)


def _links(type_: AccountType, category: str | None, code: str) -> tuple[ValidDatatypeLinks, ...] | None:
    if code.split("-", 1)[0] in _CONTROL:
        return None
    links: tuple[str, ...]
    if type_ is AccountType.INCOME:
        links = _INCOME_LINKS
    elif type_ is AccountType.EXPENSE or (category or "").startswith(("Asset.Fixed", "Asset.Current.Stock")):
        links = _COST_LINKS
    else:
        links = _BALANCE_LINKS
    return (ValidDatatypeLinks(property="Id", links=links),)


def account(source: Grouped, books: Books) -> Iterator[Mapped]:
    """One category; a bank account's goes by the bank account's own id."""
    category = source.category
    extra = {
        "taxReportingName": category.tax_reporting_name,
        "allowableForTax": category.allowable_for_tax,
        "autoSalesTaxRate": category.auto_sales_tax_rate,
        "groupDescription": category.group_description,
        "user": last_segment(category.user) if category.user else None,
        "capitalAssetType": last_segment(category.capital_asset_type) if category.capital_asset_type else None,
        "stockItem": last_segment(category.stock_item) if category.stock_item else None,
        "hirePurchase": last_segment(category.hire_purchase) if category.hire_purchase else None,
        "sourceUrl": category.url,
    }
    if category.bank_account:
        yield Mapped(_bank(category.nominal_code, category.bank_account, books), extra)
    else:
        yield Mapped(_plain(category.nominal_code, AccountStatus.ACTIVE, books), extra)


def _plain(code: str, status: AccountStatus, books: Books) -> Account:
    type_, category = type_of_code(code, books)
    name = books.account_name(code)
    return Account(
        id=code,
        nominal_code=code,
        name=name,
        fully_qualified_category=category,
        fully_qualified_name=f"{category}.{name}" if category and name else None,
        currency=books.base_currency,
        current_balance=_balance(code, type_, books),
        type=type_,
        status=status,
        is_bank_account=False,
        valid_datatype_links=_links(type_, category, code),
    )


def _bank(code: str | None, bank_account_url: str, books: Books) -> Account:
    ref = books.bank_ref(bank_account_url)
    bank = books.bank_accounts.get(ref.id or "")
    is_credit = books.is_credit_card(bank_account_url)
    type_, category = (_L, "Liability.Current.CreditCard") if is_credit else (_A, "Asset.Current.Bank")
    name = ref.name or (books.account_name(code) if code else None)
    balance = None
    if bank is not None and bank.current_balance is not None:
        balance = _signed(bank.current_balance, type_)
    return Account(
        id=ref.id or code or "",
        nominal_code=code,
        name=name,
        fully_qualified_category=category,
        fully_qualified_name=f"{category}.{name}" if name else None,
        currency=(bank.currency if bank else None) or books.base_currency,
        current_balance=balance,
        type=type_,
        status=AccountStatus(state_of(bank.status if bank is not None else None)),
        is_bank_account=True,
        valid_datatype_links=(ValidDatatypeLinks(property="Id", links=_BANK_LINKS),),
        source_modified_date=instant(bank.updated_at) if bank else None,
    )


def account_of_balance(line: payloads.TrialBalanceLine, books: Books) -> Iterator[Mapped]:
    """A code that stands in the trial balance and not among the categories."""
    code = line.display_nominal_code
    if code not in books.categories:
        if line.bank_account:
            yield Mapped(_bank(code, line.bank_account, books))
        else:
            yield Mapped(_plain(code, _unlisted(code, books), books))


def _unlisted(code: str, books: Books) -> AccountStatus:
    """Of a code that is not listed: a parent goes on beside its children, and a user's sub-account comes with its
    first posting; any other is gone from the list."""
    parent, dash, _ = code.partition("-")
    is_user = bool(dash) and "900" <= parent <= "910"
    is_parent = any(one.startswith(code + "-") for one in books.categories)
    return AccountStatus.ACTIVE if is_user or is_parent else AccountStatus.ARCHIVED


def account_of_bank(source: payloads.BankAccount, books: Books) -> Iterator[Mapped]:
    """A bank account that no category and no line of the trial balance names, as one without any posting yet."""
    named: set[str] | None = books.carried.get("banks named")
    if named is None:
        urls = [category.bank_account for _, category in books.categories.values()]
        urls += [line.bank_account for line in (books.trial_balance or {}).values()]
        named = books.carried["banks named"] = {last_segment(url) for url in urls if url}
    if last_segment(source.url) not in named:
        yield Mapped(_bank(None, source.url, books))


class _Coded(msgspec.Struct):
    category: str | None = None


class Named(msgspec.Struct):
    """The little of a record that tells which accounts it names."""

    category: str | None = None
    user: str | None = None
    paid_user: str | None = None
    disposed_asset: str | None = None
    invoice_items: tuple[_Coded, ...] | None = None
    credit_note_items: tuple[_Coded, ...] | None = None
    bill_items: tuple[_Coded, ...] | None = None


def accounts_named(source: Named, books: Books) -> Iterator[Mapped]:
    """Accounts that a record names and no list has: a parent code, or a user's first sub-account."""
    known: set[str] = books.carried.setdefault("codes named", set())
    for code in _codes(source, books):
        if code not in known:
            known.add(code)
            if code not in books.categories and code not in (books.trial_balance or {}):
                yield Mapped(_plain(code, _unlisted(code, books), books))


def _codes(source: Named, books: Books) -> Iterator[str]:
    for line in (*(source.invoice_items or ()), *(source.credit_note_items or ()), *(source.bill_items or ())):
        if line.category:
            yield last_segment(line.category)
    if source.user:
        yield books.user_code("905", source.user)
    if source.paid_user:
        yield paid_user_code(source.category, source.paid_user, books)
    elif source.disposed_asset and not source.category:
        yield "604"
    elif source.category and "/" in source.category:
        yield last_segment(source.category)


def paid_user_code(category: str | None, user: str, books: Books) -> str:
    """The user's own sub-account of the category paid; without one, of the expense account."""
    code = last_segment(category) if category else "905"
    return code if "-" in code else books.user_code(code, user)
