"""One company's books: tables of records, and the ledger their postings add up to.

Every record enters, changes and leaves through `add`, `replace` and `remove`, which post it to the ledger or take its
postings back. So the trial balance is at any moment the sum of what the records say, and a document's payments are
exactly the explanations that name it. What is a business act (an invoice paid, a bill written) is in `acts`; what may
be asked of a running stand-in is in `mutations`.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable
from datetime import date, datetime
from itertools import islice
from typing import Any

import msgspec

from freeagent_standin.world import chart, postings
from freeagent_standin.world.assets import Assets, CapitalAsset, legs_of_asset
from freeagent_standin.world.chart import Category
from freeagent_standin.world.entities import (
    Attachment,
    BankAccount,
    BankTransaction,
    Bill,
    Company,
    Contact,
    CreditNote,
    Expense,
    Explanation,
    Invoice,
    JournalSet,
    PriceListItem,
    Project,
    Reconciliation,
    Record,
    SalesDocument,
    TaxProvision,
    User,
    VatFiling,
)
from freeagent_standin.world.holdings import Holdings
from freeagent_standin.world.postings import Ledger, Leg
from freeagent_standin.world.shelves import Table

_PROPERTIES_AT_FIRST = 2


def is_by_category(explanation: Explanation) -> bool:
    """Whether an explanation is for what its category says, and pays no document, user or account of one's own."""
    paid = (explanation.invoice, explanation.credit_note, explanation.bill, explanation.user)
    return all(each is None for each in (*paid, explanation.linked_account))


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What has happened to a document so far, in its currency and with its own sign."""

    paid: int = 0
    """By bank: receipts of an invoice, payments of a bill, refunds of a credit note (negative)."""
    reconciled: int = 0
    """By credit notes, or of a credit note by invoices; never negative."""
    cis_realised: int = 0
    last_on: date | None = None


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """What FreeAgent counts on a bank account."""

    total: int = 0
    unexplained: int = 0
    manual: int = 0
    for_review: int = 0
    unexplained_amount: int = 0


class World:
    """The books of one company. The shell uses id, name, subdomain, users, counts and mutate."""

    def __init__(self, *, company: Company, number: int, seed: int, today: date) -> None:
        base = (number % 40) * 100_000_000  # so that ids of the first forty companies differ and fit 32 bits
        self.company = company
        self.id = company.id
        self.seed = seed
        self.made_on = today
        self.categories: tuple[Category, ...] = chart.categories(company)
        self.category_names = {category.code: category.description for category in self.categories}
        self.ledger = Ledger()
        self.revision = 0
        self.journal_length = 0
        self.selections: dict[tuple[object, ...], list[int]] = {}
        """The last filtered lists the API made, by what they depend on."""
        self.said: dict[int, dict[str, object]] = {}
        """Attributes that are only shown again, by the id of the record they were set on; see `plain`."""
        self.locked_until: date | None = None
        """The last day of the period that callers of the API may not touch any more."""
        self.windows: dict[tuple[object, ...], tuple[int, array[int]]] = {}
        """Row ids of the ledger's last windows, with the revision they were collected at; see `entries`."""
        self.awaited: list[tuple[int, int, list[dict[str, Any]]]] = []
        """Uploaded statement lines on their way: when they arrive, on which account, and what they are."""
        self.people: Table[User] = Table("users", first_id=base + 101, key=lambda user: user.created_at)
        self.contacts: Table[Contact] = Table("contacts", first_id=base + 2_001, key=lambda it: it.created_at)
        self.projects: Table[Project] = Table("projects", first_id=base + 3_001, key=lambda it: it.created_at)
        self.price_list: Table[PriceListItem] = Table(
            "price_list_items", first_id=base + 4_001, key=lambda it: it.created_at
        )
        self.bank_accounts: Table[BankAccount] = Table(
            "bank_accounts", first_id=base + 5_001, key=lambda it: it.created_at
        )
        self.invoices: Table[Invoice] = Table("invoices", first_id=base + 100_001, key=lambda it: it.created_at)
        self.credit_notes: Table[CreditNote] = Table(
            "credit_notes", first_id=base + 600_001, key=lambda it: it.created_at
        )
        self.reconciliations: Table[Reconciliation] = Table(
            "credit_note_reconciliations", first_id=base + 800_001, key=lambda it: it.dated_on.toordinal()
        )
        self.bills: Table[Bill] = Table("bills", first_id=base + 900_001, key=lambda it: it.dated_on.toordinal())
        self.expenses: Table[Expense] = Table(
            "expenses", first_id=base + 1_400_001, key=lambda it: it.dated_on.toordinal()
        )
        self.journal_sets: Table[JournalSet] = Table(
            "journal_sets",
            first_id=base + 1_900_001,
            key=lambda it: it.dated_on.toordinal() if it.dated_on is not None else 0,
        )
        self.transactions: Table[BankTransaction] = Table(
            "bank_transactions",
            first_id=base + 2_000_001,
            key=lambda it: it.dated_on.toordinal(),
            partition=lambda it: it.account,
        )
        self.explanations: Table[Explanation] = Table(
            "bank_transaction_explanations",
            first_id=base + 5_000_001,
            key=lambda it: it.dated_on.toordinal(),
            partition=lambda it: it.account,
        )
        self.vat_filings: Table[VatFiling] = Table(
            "vat_filings", first_id=base + 1_980_001, key=lambda it: it.dated_on.toordinal()
        )
        self.provisions: Table[TaxProvision] = Table(
            "provisions", first_id=base + 1_990_001, key=lambda it: it.dated_on.toordinal()
        )
        self.marks: dict[tuple[str, int, date, date | None], bool] = {}
        """What was said of returns: by resource, user, end of the period, and day of a payment or None for filing."""
        self.held = Holdings(base)
        self.owned = Assets(base)
        self._items = base + 8_000_000
        self._journal_lines = base + 1_950_000
        self._attachments = base + 20_000
        self._payments_of_invoices: dict[int, list[int]] = {}
        self._payments_of_credit_notes: dict[int, list[int]] = {}
        self._payments_of_bills: dict[int, list[int]] = {}
        self._reconciled_invoices: dict[int, list[int]] = {}
        self._reconciled_credit_notes: dict[int, list[int]] = {}
        self._files: dict[int, tuple[type[Record], int]] = {}
        self._balances: dict[int, int] = {}
        self._tallies: dict[int, tuple[tuple[int, int], Tally]] = {}
        self._legs: dict[type[Record], Callable[[Any], Iterable[tuple[date, list[Leg]]]]] = {
            Invoice: self._legs_of_sales,
            CreditNote: self._legs_of_sales,
            Reconciliation: self._legs_of_reconciliation,
            Bill: lambda bill: ((bill.dated_on, postings.of_bill(bill)),),
            Expense: lambda it: ((it.dated_on, postings.of_expense(it, self.people[it.user])),),
            Explanation: self._legs_of_explanation,
            BankAccount: self._legs_of_opening,
            JournalSet: self._legs_of_journal,
            VatFiling: lambda it: ((it.dated_on, postings.of_vat_filing(it)),),
            TaxProvision: lambda it: ((it.dated_on, postings.of_provision(it)),),
            CapitalAsset: legs_of_asset,
        }
        self._owed: Callable[[Any], Iterable[tuple[date, list[Leg]]]] | None = None
        """On the cash basis: what a record would post on the accrual basis, which tells what contacts owe."""
        if company.cash_basis:
            accrual = {kind: self._legs[kind] for kind in (Invoice, CreditNote, Reconciliation, Bill, Explanation)}
            self._owed = lambda record: accrual[type(record)](record) if type(record) in accrual else ()
            self._legs |= dict.fromkeys((Invoice, CreditNote, Reconciliation, Bill), lambda _record: ())
            self._legs[Explanation] = self._legs_of_explanation_on_cash
        self._tables: dict[type[Record], Table[Any]] = {
            User: self.people,
            Contact: self.contacts,
            Project: self.projects,
            PriceListItem: self.price_list,
            BankAccount: self.bank_accounts,
            Invoice: self.invoices,
            CreditNote: self.credit_notes,
            Reconciliation: self.reconciliations,
            Bill: self.bills,
            Expense: self.expenses,
            JournalSet: self.journal_sets,
            BankTransaction: self.transactions,
            Explanation: self.explanations,
            **self.held.tables(),
            **self.owned.tables(company),
        }
        self._shelves: dict[type[Record], Table[Any]] = {
            **self._tables,
            VatFiling: self.vat_filings,
            TaxProvision: self.provisions,
        }
        """With tables that are no list of the API's."""

    # What the shell asks

    @property
    def name(self) -> str:
        """The company's name."""
        return self.company.name

    @property
    def subdomain(self) -> str:
        """The company's place under freeagent.com."""
        return self.company.subdomain

    @property
    def users(self) -> list[User]:
        """Everyone with a place in the books, in order of arrival."""
        return list(self.people)

    def counts(self) -> dict[str, int]:
        """Records of each resource, as its list would total with its widest view (categories: with sub-accounts)."""
        counts = {table.name: len(table) for table in self._tables.values()}
        counts["categories"] = len(self.sub_accounts())
        counts["company"] = 1
        return counts

    def mutate(self, op: dict[str, Any], now: datetime) -> dict[str, Any]:
        """Change the books; see `mutations`. Raises ValueError with a sentence on nonsense."""
        from freeagent_standin.world import mutations  # acts import World: the other way round would be a circle

        self.journal_length += 1
        self.arrive(now)
        return mutations.apply(self, op, now)

    def say(self, record_id: int, attributes: dict[str, object]) -> None:
        """Keep attributes that are only shown again; one without a value is forgotten."""
        kept = self.said.get(record_id, {}) | attributes
        self.said[record_id] = {name: value for name, value in kept.items() if value not in (None, "")}
        if not self.said[record_id]:
            del self.said[record_id]

    def is_locked(self, day: date) -> bool:
        """Whether a day lies in the locked period."""
        return self.locked_until is not None and day <= self.locked_until

    def arrive(self, now: datetime) -> None:
        """Let in what was on its way and has arrived by now."""
        if self.awaited:
            from freeagent_standin.world import importing

            importing.arrived(self, int(now.timestamp()))

    # Tables

    def table_of(self, record: Record) -> Table[Any]:
        """The table a record stands in."""
        return self._shelves[type(record)]

    def tables(self) -> dict[str, Table[Any]]:
        """Every table by the name of its resource."""
        return {table.name: table for table in self._tables.values()}

    def new_item_id(self) -> int:
        """An id for a line of a document."""
        self._items += 1
        return self._items

    def new_journal_line_id(self) -> int:
        """An id for an entry of a journal set."""
        self._journal_lines += 1
        return self._journal_lines

    def new_attachment_id(self) -> int:
        """An id for a file."""
        self._attachments += 1
        return self._attachments

    def add(self, record: Record) -> None:
        """Enter a record in its table and its postings in the ledger."""
        kind = type(record)
        self._shelves[kind].add(record)
        self.revision += 1
        self._link(record)
        self._post(record)

    def replace(self, record: Record) -> None:
        """Put a newer record in the place of the one with its id; what settles a document is posted anew with it."""
        kind = type(record)
        table = self._tables[kind]
        old = table[record.id]
        dependants = self._dependants(old)
        for each in (*dependants, old):
            self._unpost(each)
        self._unlink(old)
        table.replace(record)
        self._link(record)
        for each in (record, *dependants):
            self._post(each)
        self.revision += 1
        self._write_off_again(record)

    def remove(self, record: Record) -> None:
        """Delete a record and take its postings back; what depends on it must have gone before."""
        if self._dependants(record):
            raise ValueError(f"{type(record).__name__} {record.id} is still settled by other records.")
        self._unpost(record)
        self._unlink(record)
        self._shelves[type(record)].remove(record.id)
        self.said.pop(record.id, None)
        self.revision += 1
        self._write_off_again(record)

    def _write_off_again(self, record: Record) -> None:
        """What a written-off invoice lacks since a settlement of it shrank or went is written off like the rest."""
        if not isinstance(record, Explanation | Reconciliation) or record.invoice is None:
            return
        invoice = self.invoices.get(record.invoice)
        if invoice is not None and invoice.written_off_on is not None:
            unpaid = self.due(msgspec.structs.replace(invoice, written_off_on=None))
            if unpaid != invoice.written_off:
                self.replace(msgspec.structs.replace(invoice, written_off=unpaid))

    # What documents and accounts come to

    def standing(self, document: Record) -> Standing:
        """What has been paid, refunded and reconciled on an invoice, a credit note or a bill."""
        paid = cis = reconciled = 0
        last: date | None = None
        for explanation in self.payments(document):
            paid += explanation.settles
            cis += explanation.cis_share
            last = max(last, explanation.dated_on) if last else explanation.dated_on
        if isinstance(document, Bill):
            paid, cis = -paid, -cis
        for reconciliation in self.reconciled(document):
            reconciled += reconciliation.gross
            last = max(last, reconciliation.dated_on) if last else reconciliation.dated_on
        return Standing(paid=paid, reconciled=reconciled, cis_realised=cis, last_on=last)

    def due(self, document: SalesDocument | Bill) -> int:
        """What is still to be settled, with the sign of the total; negative on an overpaid invoice."""
        if isinstance(document, Bill) and document.hire_purchase:
            return 0
        standing = self.standing(document)
        due = document.total - document.cis_deduction - standing.paid
        if isinstance(document, Invoice):
            return 0 if document.written_off_on else due - standing.reconciled
        return due + standing.reconciled if isinstance(document, CreditNote) else due

    def is_posted(self, document: Record) -> bool:
        """Whether a document counts: drafts and scheduled invoices do not."""
        return not isinstance(document, SalesDocument) or document.status == "sent"

    def property_of(self, record: SalesDocument | Bill | Expense | Explanation) -> int | None:
        """What a landlord's record is for: the property it names, or else one of those the books were made with."""
        if self.company.type != "UkUnincorporatedLandlord":
            return None
        if record.property_id is not None or (isinstance(record, Explanation) and not is_by_category(record)):
            return record.property_id
        known = list(islice(self.owned.properties, _PROPERTIES_AT_FIRST))
        return known[record.id % len(known)].id if known else None

    def payments(self, document: Record) -> list[Explanation]:
        """The explanations that settle a document."""
        if isinstance(document, Invoice):
            ids = self._payments_of_invoices.get(document.id)
        elif isinstance(document, CreditNote):
            ids = self._payments_of_credit_notes.get(document.id)
        elif isinstance(document, Bill):
            ids = self._payments_of_bills.get(document.id)
        else:
            return []
        return [self.explanations[each] for each in ids] if ids else []

    def reconciled(self, document: Record) -> list[Reconciliation]:
        """The reconciliations of an invoice or a credit note."""
        if isinstance(document, Invoice):
            ids = self._reconciled_invoices.get(document.id)
        elif isinstance(document, CreditNote):
            ids = self._reconciled_credit_notes.get(document.id)
        else:
            return []
        return [self.reconciliations[each] for each in ids] if ids else []

    def balance(self, account: BankAccount) -> int:
        """Opening balance and every line since, in the account's currency."""
        return account.opening_balance + self._balances.get(account.id, 0)

    def unexplained(self, transaction: BankTransaction) -> int:
        """The part of a bank line that no explanation covers."""
        rest = transaction.amount
        for each in transaction.explanations:
            rest -= self.explanations[each].gross
        return rest

    def tally(self, account: BankAccount) -> Tally:
        """The counters of a bank account; counted anew only after a change to its lines."""
        lines = self.transactions.order(account.id)
        version = (lines.version, self.explanations.order(account.id).version)
        known = self._tallies.get(account.id)
        if known is not None and known[0] == version:
            return known[1]
        unexplained = manual = for_review = amount = 0
        for each in lines.ids():
            transaction = self.transactions[each]
            rest = self.unexplained(transaction)
            if rest:
                unexplained += 1
                amount += rest
            manual += transaction.is_manual
            for_review += any(self.explanations[one].for_review for one in transaction.explanations)
        tally = Tally(
            total=len(lines),
            unexplained=unexplained,
            manual=manual,
            for_review=for_review,
            unexplained_amount=amount,
        )
        self._tallies[account.id] = (version, tally)
        return tally

    def attachment(self, file_id: int) -> tuple[str, Attachment] | None:
        """A file and the resource it hangs on."""
        owner = self.owner_of_file(file_id)
        return None if owner is None else (self._tables[type(owner)].name, owner.attachment)

    def owner_of_file(self, file_id: int) -> Any:
        """The bill, expense or explanation a file hangs on, or None."""
        kind, record_id = self._files.get(file_id, (None, 0))
        return None if kind is None else self._tables[kind][record_id]

    def account_name(self, code: str) -> str:
        """What an account is called; those of banks and users by their category alone."""
        parent, _, number = code.partition("-")
        name = self.category_names.get(parent, parent)
        owned = self.owned.sub_accounts(parent, name) if number else None
        return next((text for full, text, _ in owned or () if full == code), name)

    def sub_accounts(self) -> list[tuple[Category, str, Record | None]]:
        """Categories with parents replaced by children: (category, full code, owner)."""
        rows: list[tuple[Category, str, Record | None]] = []
        for category in self.categories:
            if category.code == chart.BANK_CODE:
                rows += [(category, account.code, account) for account in self.bank_accounts]
            elif category.code in chart.USER_CODES:
                rows += [(category, f"{category.code}-{user.number}", user) for user in self.people]
            else:
                owned = self.owned.sub_accounts(category.code, category.description)
                if owned is None:
                    rows.append((category, category.code, None))
                else:
                    named = msgspec.structs.replace
                    rows += [(named(category, description=text), code, owner) for code, text, owner in owned]
        return rows

    @property
    def opening(self) -> JournalSet:
        """The opening balances that belong to no bank account: the first journal set, which has no date."""
        return next(iter(self.journal_sets))

    # Postings and links

    def postings_of(self, record: Record) -> Iterable[tuple[date, list[Leg]]]:
        """What a record means in the ledger, day by day; always in the same order."""
        legs_of = self._legs.get(type(record))
        return () if legs_of is None else legs_of(record)

    def _post(self, record: Record, sign: int = 1) -> None:
        for day, legs in self.postings_of(record):
            self.ledger.post(day, legs, sign=sign)
        if self._owed is not None:
            for _, legs in self._owed(record):
                self.ledger.owe(legs, sign=sign)

    def _unpost(self, record: Record) -> None:
        self._post(record, sign=-1)

    def _legs_of_sales(self, document: SalesDocument) -> Iterable[tuple[date, list[Leg]]]:
        yield document.dated_on, postings.of_sales_document(document)
        if document.written_off_on is not None:
            yield document.written_off_on, postings.of_write_off(document)

    def _legs_of_reconciliation(self, reconciliation: Reconciliation) -> Iterable[tuple[date, list[Leg]]]:
        invoice = self.invoices[reconciliation.invoice]
        credit_note = self.credit_notes[reconciliation.credit_note]
        yield reconciliation.dated_on, postings.of_reconciliation(reconciliation, invoice, credit_note)

    def _legs_of_opening(self, account: BankAccount) -> Iterable[tuple[date, list[Leg]]]:
        if account.opening_native:
            legs = [Leg(account.code, account.opening_native), Leg(chart.SUSPENSE, -account.opening_native)]
            yield self.company.freeagent_start, legs

    def _legs_of_journal(self, journal: JournalSet) -> Iterable[tuple[date, list[Leg]]]:
        return ((journal.dated_on or self.company.freeagent_start, postings.of_journal(journal)),)

    def _legs_of_explanation(self, explanation: Explanation) -> Iterable[tuple[date, list[Leg]]]:
        account = self.bank_accounts[explanation.account]
        document = self.settled_document(explanation)
        if document is not None:
            legs = postings.of_settlement(explanation, account, document)
        elif explanation.linked_account is not None:
            legs = postings.of_transfer(explanation, account)
        elif explanation.user is not None:
            legs = postings.of_user_payment(explanation, account, self.people[explanation.user])
        else:
            legs = postings.of_direct(explanation, account)
        return ((explanation.dated_on, legs),)

    def _legs_of_explanation_on_cash(self, explanation: Explanation) -> Iterable[tuple[date, list[Leg]]]:
        document = self.settled_document(explanation)
        if document is None:
            return self._legs_of_explanation(explanation)
        account = self.bank_accounts[explanation.account]
        return ((explanation.dated_on, postings.of_settlement_on_cash(explanation, account, document)),)

    def settled_document(self, explanation: Explanation) -> Invoice | CreditNote | Bill | None:
        """The document an explanation pays or refunds, if any."""
        if explanation.invoice is not None:
            return self.invoices[explanation.invoice]
        if explanation.bill is not None:
            return self.bills[explanation.bill]
        if explanation.credit_note is not None:
            return self.credit_notes[explanation.credit_note]
        return None

    def _dependants(self, record: Record) -> tuple[Record, ...]:
        return (*self.payments(record), *self.reconciled(record))

    def _link(self, record: Record) -> None:
        for index, key in self._links(record):
            index.setdefault(key, []).append(record.id)
        if isinstance(record, Bill | Expense | Explanation) and record.attachment is not None:
            self._files[record.attachment.id] = (type(record), record.id)
        if isinstance(record, BankTransaction):
            self._balances[record.account] = self._balances.get(record.account, 0) + record.amount

    def _unlink(self, record: Record) -> None:
        for index, key in self._links(record):
            index[key].remove(record.id)
        if isinstance(record, Bill | Expense | Explanation) and record.attachment is not None:
            del self._files[record.attachment.id]
        if isinstance(record, BankTransaction):
            self._balances[record.account] -= record.amount

    def _links(self, record: Record) -> Iterable[tuple[dict[int, list[int]], int]]:
        if isinstance(record, Explanation):
            if record.invoice is not None:
                return ((self._payments_of_invoices, record.invoice),)
            if record.bill is not None:
                return ((self._payments_of_bills, record.bill),)
            if record.credit_note is not None:
                return ((self._payments_of_credit_notes, record.credit_note),)
        elif isinstance(record, Reconciliation):
            return (
                (self._reconciled_invoices, record.invoice),
                (self._reconciled_credit_notes, record.credit_note),
            )
        return ()
