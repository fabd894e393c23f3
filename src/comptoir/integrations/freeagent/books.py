"""What mapping may look up: the records loaded for a batch, decoded once, and the names and codes they give.

Nothing here fetches. A record that was not loaded, or cannot be read, is simply not found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from functools import cached_property
from types import MappingProxyType
from typing import TypeVar

import msgspec

from comptoir.integrations.contract import Loaded, RawRow
from comptoir.integrations.freeagent import payloads
from comptoir.integrations.freeagent.reading import Flawed, amounts_kept, reader, sound
from comptoir.integrations.freeagent.references import (
    bank_account_id,
    day,
    last_segment,
    number_in,
    number_of,
    posted_with,
    source_of,
)
from comptoir.model.money import ZERO, plain
from comptoir.model.records import AccountRef, ProjectRef, TrackingCategoryRef

__all__ = ["Books", "whole_balances"]

_P = TypeVar("_P", bound=payloads.Payload)
_T = TypeVar("_T")


_MOST_KNOWN = 10_000  # accounts that are remembered from batch to batch
_NOTHING: Mapping[str, tuple[RawRow, ...]] = MappingProxyType({})
_UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError)


def _decoder(payload: type[_P], *references: str) -> Callable[[RawRow], _P]:
    """Reads what a record of another kind is told with; amounts that are none are left out here too, so that they
    spoil no neighbour. ValueError where one of its `references` names nothing: it makes no record of its own then, and
    must not take along those that are told with it."""
    read = reader(payload)
    if not references:
        return lambda row: sound(amounts_kept(sound(read(row))))

    def decode(row: RawRow) -> _P:
        found: _P = sound(amounts_kept(sound(read(row))))
        for name in references:
            last_segment(getattr(found, name))
        return found

    return decode


_company = _decoder(payloads.Company)
_category = _decoder(payloads.Category)
_user = _decoder(payloads.User)
_contact = _decoder(payloads.Contact)
_project = _decoder(payloads.Project)
_property = _decoder(payloads.Property)
_sales_tax_period = _decoder(payloads.SalesTaxPeriod)
_bank_account = _decoder(payloads.BankAccount)
_balance = _decoder(payloads.TrialBalanceLine)
_named_code = _decoder(payloads.NamedCode)
_profit = _decoder(payloads.ProfitAndLoss)
_sheet = _decoder(payloads.BalanceSheetAnswer)
_invoice = _decoder(payloads.Invoice)
_credit_note = _decoder(payloads.CreditNote)
_reconciliation = _decoder(payloads.CreditNoteReconciliation, "invoice", "credit_note")
_bill = _decoder(payloads.Bill)
_explanation = _decoder(payloads.Explanation, "bank_account")
_expense = _decoder(payloads.Expense)
_journal_set = _decoder(payloads.JournalSet)
_ledger_line = _decoder(payloads.LedgerTransaction)


_trial_balance = reader(payloads.Balances)


def whole_balances(row: RawRow) -> tuple[payloads.TrialBalanceLine, ...]:
    """The lines of a trial balance. ValueError where any cannot be read: every sum would be wrong without it."""
    read = _trial_balance(row)
    if isinstance(read, Flawed):
        raise ValueError(f"{read.flaws[0].path} is {read.flaws[0].shown}, which cannot be read")
    lines: tuple[payloads.TrialBalanceLine, ...] = read.trial_balance_summary
    for line in lines:
        plain(line.total)
    return lines


class Books:
    """The books around one batch."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self.carried = loaded.carried
        self._memo: dict[tuple[str, str], object] = {}
        self._lines: dict[tuple[str, str], list[payloads.LedgerTransaction]] = {}
        self._account_refs: dict[str, AccountRef] = self.carried.setdefault("account refs", {})
        self._bank_refs: dict[str, AccountRef] = self.carried.setdefault("bank refs", {})
        self._bank_currencies: dict[str, str] = self.carried.setdefault("bank currencies", {})

    def is_complete(self, resource: str) -> bool:
        return resource in self._loaded.complete

    @property
    def today(self) -> date:
        if self._loaded.today is None:
            raise RuntimeError("a data type that looks at the day must be declared by_day")
        return self._loaded.today.date()

    # The company and its accounts

    @cached_property
    def company(self) -> payloads.Company:
        """An odd detail of the company's own does not take all its records along: its currency suffices."""
        for row in self._loaded.whole.get("company", ()):
            return _company(row)
        raise ValueError("the company itself could not be read, so its currency is not known")

    @property
    def base_currency(self) -> str:
        return self.company.currency

    @cached_property
    def categories(self) -> dict[str, tuple[str, payloads.Category]]:
        """By nominal code: the group it stands in, and the category."""
        found = {}
        for row, category in self._whole("categories", _category):
            found[category.nominal_code] = (row.part, category)
        return found

    @cached_property
    def users(self) -> dict[str, str]:
        """Names by user id."""
        return {
            row.id: " ".join(filter(None, (user.first_name, user.last_name)))
            for row, user in self._whole("users", _user)
        }

    @cached_property
    def trial_balance(self) -> dict[str, payloads.TrialBalanceLine] | None:
        """By display code; None where it may not be read."""
        if not self.is_complete("trial_balance"):
            return None
        return {line.display_nominal_code: line for _, line in self._whole("trial_balance", _balance)}

    @cached_property
    def named_codes(self) -> dict[str, payloads.NamedCode]:
        """What the trial balance tells of codes beside their balance; nothing where it may not be read."""
        if not self.is_complete("trial_balance"):
            return {}
        return {line.display_nominal_code: line for _, line in self._whole("trial_balance", _named_code)}

    @cached_property
    def dated_balances(self) -> dict[date, tuple[payloads.TrialBalanceLine, ...]]:
        """Trial balances by their day."""
        dated = ((day(row.id), lines) for row, lines in self._whole("dated_balances", whole_balances))
        return {on: lines for on, lines in dated if on}

    @cached_property
    def profits(self) -> dict[date, payloads.ProfitAndLossSummary]:
        """FreeAgent's own summaries of accounting years up to a day, by that day."""
        dated = ((day(row.id), profit) for row, profit in self._whole("profit_and_loss", _profit))
        return {on: profit.profit_and_loss_summary for on, profit in dated if on}

    @cached_property
    def balance_sheets(self) -> dict[date, payloads.BalanceSheet]:
        """FreeAgent's own balance sheets by their day."""
        dated = ((day(row.id), sheet) for row, sheet in self._whole("balance_sheet", _sheet))
        return {on: sheet.balance_sheet for on, sheet in dated if on}

    @cached_property
    def tax_period(self) -> payloads.SalesTaxPeriod | None:
        """The sales tax period that holds today, of a company that has such."""
        begun = [
            (period.effective_date or "", row.id, period)
            for row, period in self._whole("sales_tax_periods", _sales_tax_period)
            if (period.effective_date or "") <= self.today.isoformat()
        ]
        return max(begun)[-1] if begun else None

    @cached_property
    def unread_balances(self) -> frozenset[str]:
        """Codes whose line in the trial balance cannot be read: their balance is not known, and not nothing."""
        rows = {row.id for row in self._loaded.whole.get("trial_balance", ())}
        return frozenset(rows - (self.trial_balance or {}).keys())

    @cached_property
    def bank_accounts(self) -> dict[str, payloads.BankAccount]:
        """By our id."""
        return {bank_account_id(account.url): account for _, account in self._whole("bank_accounts", _bank_account)}

    @cached_property
    def _bank_codes(self) -> dict[str, str]:
        return {
            bank_account_id(category.bank_account): code
            for code, (_, category) in self.categories.items()
            if number_in(category.bank_account) and category.bank_account
        }

    @cached_property
    def _bank_by_code(self) -> dict[str, str]:
        return {code: account for account, code in self._bank_codes.items()}

    def bank_code(self, account_id: str) -> str | None:
        """The nominal code of a bank account, such as 750-1."""
        return self._bank_codes.get(account_id)

    def code_of_ledger(self, code: str) -> str:
        """A nominal code as reports show it: the ledger may write an internal number behind 750 and users' codes."""
        parent, dash, number = code.partition("-")
        if not dash or code in self.categories or code in self.named_codes:
            return code
        if parent == "750" and (own := self._bank_codes.get(bank_account_id(number))) is not None:
            return own
        return self._user_codes.get((parent, number), code)

    def bank_ref(self, url: str) -> AccountRef:
        known = self._bank_refs.get(url)
        if known is None:
            id_ = bank_account_id(url)
            account = self.bank_accounts.get(id_)
            known = AccountRef(id=id_, name=account.name if account else None)
            if len(self._bank_refs) < _MOST_KNOWN:
                self._bank_refs[url] = known
        return known

    @cached_property
    def stock_codes(self) -> dict[str, str]:
        """The nominal code of each stock item, such as 609-1, by its number."""
        numbered = ((number_in(category.stock_item), code) for code, (_, category) in self.categories.items())
        return {number: code for number, code in numbered if number is not None}

    @cached_property
    def codes_by_name(self) -> dict[str, str]:
        named = ((category.description, code) for code, (_, category) in reversed(self.categories.items()))
        return {name: code for name, code in named if name}

    def bank_currency(self, url: str) -> str:
        known = self._bank_currencies.get(url)
        if known is None:
            account = self.bank_accounts.get(bank_account_id(url))
            known = (account.currency if account else None) or self.base_currency
            if len(self._bank_currencies) < _MOST_KNOWN:
                self._bank_currencies[url] = known
        return known

    def is_credit_card(self, url: str) -> bool:
        account = self.bank_accounts.get(bank_account_id(url))
        return account is not None and account.type == "CreditCardAccount"

    def account_ref(self, category_url: str | None) -> AccountRef | None:
        return None if not category_url else self.account_ref_of_code(last_segment(category_url))

    def account_ref_of_code(self, code: str) -> AccountRef:
        known = self._account_refs.get(code)
        if known is None:
            known = self._ref_of_code(code)
            if len(self._account_refs) < _MOST_KNOWN:
                self._account_refs[code] = known
        return known

    def _ref_of_code(self, code: str) -> AccountRef:
        if (bank := self._bank_by_code.get(code)) is not None:
            account = self.bank_accounts.get(bank)
            return AccountRef(id=bank, name=account.name if account else None)
        return AccountRef(id=code, name=self.account_name(code))

    def account_name(self, code: str) -> str | None:
        """The category's name; a user's sub-account with the user's, as the trial balance names it."""
        found = self.categories.get(code)
        line = self.named_codes.get(code)
        if found is None:
            if line is not None:
                return line.name
            parent = self.categories.get(code.split("-", 1)[0])
            return parent[1].description if parent else None
        category = found[1]
        if category.user and (name := self.users.get(number_in(category.user) or "")):
            return f"{category.description}: {name}"
        if category.user and line is not None and line.name:
            return line.name
        return category.description

    def user_code(self, parent: str, user_url: str) -> str:
        """The code of a user's own sub-account, such as 905-1; the sub-code is not the user's id."""
        user = last_segment(user_url)
        if (code := self._user_codes.get((parent, user))) is not None:
            return code
        # No sub-account of this kind yet: the user's sub-code is the same under every parent.
        sub_code = self._user_codes.get(("", user), "")
        return f"{parent}-{sub_code}" if sub_code else parent

    @cached_property
    def _user_codes(self) -> dict[tuple[str, str], str]:
        """Codes of users' sub-accounts by parent and user; under no parent, the user's own sub-code."""
        found: dict[tuple[str, str], str] = {}
        named = [(code, category.user) for code, (_, category) in self.categories.items()]
        named += [(code, line.user) for code, line in self.named_codes.items()]
        for code, url in named:
            parent, dash, sub_code = code.partition("-")
            if dash and (user := number_in(url)) is not None:
                found.setdefault((parent, user), code)
                found.setdefault(("", user), sub_code)
        return found

    # Records named by others

    def contact(self, url: str | None) -> payloads.Contact | None:
        return self._one("contacts", url, _contact)

    def project(self, url: str | None) -> payloads.Project | None:
        return self._projects.get(last_segment(url)) if url else None

    @cached_property
    def _projects(self) -> dict[str, payloads.Project]:
        return {row.id: project for row, project in self._whole("projects", _project)}

    def property_(self, url: str | None) -> payloads.Property | None:
        return self._properties.get(last_segment(url)) if url else None

    @cached_property
    def _properties(self) -> dict[str, payloads.Property]:
        return {row.id: found for row, found in self._whole("properties", _property)}

    def invoice(self, url: str | None) -> payloads.Invoice | None:
        return self._one("invoices", url, _invoice)

    def credit_note(self, url: str | None) -> payloads.CreditNote | None:
        return self._one("credit_notes", url, _credit_note)

    def bill(self, url: str | None) -> payloads.Bill | None:
        return self._one("bills", url, _bill)

    def explanation(self, url: str | None) -> payloads.Explanation | None:
        return self._one("bank_transaction_explanations", url, _explanation)

    def reconciliation(self, url: str | None) -> payloads.CreditNoteReconciliation | None:
        return self._one("credit_note_reconciliations", url, _reconciliation)

    def expense(self, url: str | None) -> payloads.Expense | None:
        return self._one("expenses", url, _expense)

    def journal_set(self, url: str | None) -> payloads.JournalSet | None:
        """The set of one of its entries too."""
        found = source_of(url)
        return self._one("journal_sets", "/".join(found), _journal_set) if found else None

    def tracking(
        self, project_url: str | None, property_url: str | None
    ) -> tuple[tuple[TrackingCategoryRef, ...], ProjectRef | None]:
        """What a line is tracked by: the project, and a landlord's property."""
        if not project_url and not property_url:
            return (), None
        refs: list[TrackingCategoryRef] = []
        project_ref = None
        if project_url:
            project = self.project(project_url)
            name = project.name if project else None
            refs.append(TrackingCategoryRef(id=last_segment(project_url), name=name))
            project_ref = ProjectRef(id=last_segment(project_url), name=name)
        if property_url:
            found = self.property_(property_url)
            name = property_name(found) if found else None
            refs.append(TrackingCategoryRef(id=f"property-{last_segment(property_url)}", name=name))
        return tuple(refs), project_ref

    # Records that name one

    def receipts(self, invoice_id: str) -> list[payloads.Explanation]:
        """Explanations of an invoice, by date and id."""
        return self._naming("bank_transaction_explanations", "paid_invoices", invoice_id, _explanation)

    def refunds(self, credit_note_id: str) -> list[payloads.Explanation]:
        return self._naming("bank_transaction_explanations", "paid_credit_notes", credit_note_id, _explanation)

    def bill_payments(self, bill_id: str) -> list[payloads.Explanation]:
        return self._naming("bank_transaction_explanations", "paid_bill", bill_id, _explanation)

    def credits(self, invoice_id: str) -> list[payloads.CreditNoteReconciliation]:
        """Credit notes set against an invoice."""
        return self._naming("credit_note_reconciliations", "invoice", invoice_id, _reconciliation)

    def allocations(self, credit_note_id: str) -> list[payloads.CreditNoteReconciliation]:
        """Where a credit note was set against invoices."""
        return self._naming("credit_note_reconciliations", "credit_note", credit_note_id, _reconciliation)

    def netting(self, explanation: payloads.Explanation) -> list[payloads.Explanation]:
        """Bill payments and refunds of one size on the account and day of this one, itself among them, by id."""
        target = self._netted.get(last_segment(explanation.url))
        if target is None:
            return []
        return self._naming("bank_transaction_explanations", "netted", target, _explanation)

    @cached_property
    def _netted(self) -> dict[str, str]:
        found = self._loaded.naming.get(("bank_transaction_explanations", "netted"), {})
        return {row.id: target for target, rows in found.items() for row in rows}

    def explanations_of(self, bank_transaction_id: str) -> list[payloads.Explanation]:
        """What a bank line was for, by id."""
        return self._naming("bank_transaction_explanations", "bank_transaction", bank_transaction_id, _explanation)

    def ledger_lines(self, line: payloads.LedgerTransaction) -> list[payloads.LedgerTransaction]:
        """The lines of the same source, this one included, in the order of their numbers; of the same day, where they
        name no source."""
        link, _, id_ = posted_with(line.source_item_url, line.dated_on)
        lines = self._lines.get((link, id_))
        if lines is None:
            lines = self._those_naming("ledger_transactions", link, id_, _ledger_line)
            lines.sort(key=lambda one: (number_of(last_segment(one.url)), one.dated_on))
            self._lines[link, id_] = lines
        return lines

    def bank_lines_of(self, explanation: payloads.Explanation) -> list[payloads.LedgerTransaction]:
        """What the ledger that was read last booked of this on its bank account, in a currency not the company's."""
        id_ = last_segment(explanation.url)
        code = self.bank_code(bank_account_id(explanation.bank_account))
        lines = self._those_naming("ledger_transactions", "foreign", id_, _ledger_line)
        return [one for one in lines if code in (None, self.code_of_ledger(one.nominal_code))]

    # Inside

    def _whole(self, resource: str, decode: Callable[[RawRow], _T]) -> tuple[tuple[RawRow, _T], ...]:
        """Read once for all batches: what is given whole stays the same."""
        known: dict[object, tuple[tuple[RawRow, _T], ...]] = self.carried.setdefault("whole", {})
        key = (resource, decode)
        if key not in known:
            known[key] = tuple(self._readable(resource, decode))
        return known[key]

    def _readable(self, resource: str, decode: Callable[[RawRow], _T]) -> Iterator[tuple[RawRow, _T]]:
        for row in self._loaded.whole.get(resource, ()):
            try:
                yield row, decode(row)
            except _UNREADABLE:
                continue  # it is set aside and counted where it is mapped itself

    def _one(self, resource: str, url: str | None, decode: Callable[[RawRow], _P]) -> _P | None:
        if not url:
            return None
        id_ = last_segment(url)
        key = (resource, id_)
        if key not in self._memo:
            row = self._loaded.rows.get(resource, {}).get(id_)
            try:
                self._memo[key] = decode(row) if row is not None else None
            except _UNREADABLE:
                self._memo[key] = None  # likewise
        found: _P | None = self._memo[key]  # type: ignore[assignment]  # put there by this very method
        return found

    def _naming(self, resource: str, link: str, id_: str, decode: Callable[[RawRow], _P]) -> list[_P]:
        found = self._those_naming(resource, link, id_, decode)
        if len(found) > 1:
            found.sort(key=_by_date)
        return found

    def _those_naming(self, resource: str, link: str, id_: str, decode: Callable[[RawRow], _P]) -> list[_P]:
        found: list[_P] = []
        for row in self._loaded.naming.get((resource, link), _NOTHING).get(id_, ()):
            try:
                found.append(decode(row))
            except _UNREADABLE:
                continue  # likewise
        return found


def _by_date(record: payloads.Payload) -> tuple[str, str]:
    return str(getattr(record, "dated_on", "")), f"{number_in(str(getattr(record, 'url', ''))) or '':0>20}"


def property_name(found: payloads.Property) -> str | None:
    return ", ".join(filter(None, (found.address1 or found.name, found.postcode))) or None


def magnitude(number: Decimal | None) -> Decimal:
    return abs(number) if number is not None else ZERO
