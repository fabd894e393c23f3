"""What scenarios need at hand while a world is made: its accounts and contacts, days, prices, and the dice."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from freeagent_standin.world import acts, chart, names, rates
from freeagent_standin.world.amounts import inclusive_tax
from freeagent_standin.world.books import World
from freeagent_standin.world.entities import (
    Attachment,
    BankAccount,
    BillItem,
    Contact,
    CreditNote,
    Invoice,
    Item,
    PriceListItem,
    Project,
    User,
)


class Stage:
    """A world being made."""

    def __init__(self, world: World, rng: Random, *, latest: date | None = None, at: int | None = None) -> None:
        self.world = world
        self.rng = rng
        self._at = at
        self.latest = latest or world.made_on - timedelta(days=1)
        """While made, nothing happened today yet: what is done to running books is newer than what they began with."""
        self.start = world.company.freeagent_start
        accounts = list(world.bank_accounts)
        self.main, self.savings, self.card = accounts[:3]
        self.euro: BankAccount | None = accounts[3] if len(accounts) > 3 else None
        self.owner: User = next(iter(world.people))
        self.is_vat = world.company.vat_registered
        self.contacts: list[Contact] = [each for each in world.contacts if each.status == "Active"]
        self.projects: list[Project] = list(world.projects)
        self._rates = {category.code: chart.automatic_rate(category) for category in world.categories}

    # Days

    def ago(self, days: int) -> date:
        """A day so long before today, though never before the books begin or after yesterday."""
        return max(self.start, min(self.latest, self.latest - timedelta(days=days - 1)))

    def later(self, day: date, days: int) -> date:
        """A day after another, though never after yesterday."""
        return min(self.latest, day + timedelta(days=days))

    def at(self, day: date) -> int:
        """A moment on a day, at one of a few working minutes: several records share a second."""
        if self._at is not None:
            return self._at
        return rates.day_start(day) + 32_400 + 60 * self.rng.randrange(0, 480, 15)

    def feed_at(self, day: date) -> int:
        """When a bank feed brings a day's lines, all in one go."""
        return rates.day_start(day) + 21_600 if self._at is None else self._at

    # Cast

    def add_contact(self, organisation: str, first: str, last: str, *, day: date, **more: Any) -> Contact:
        """A contact with an address."""
        town, postcode = self.rng.choice(names.TOWNS)
        mailbox = f"{self.world.contacts.next_id}@contact.example"
        at = self.at(day)
        fields: dict[str, Any] = {
            "email": mailbox,
            "phone_number": "0117 496 0011",
            "address": (
                f"{self.rng.randint(1, 120)} {self.rng.choice(names.STREETS)}",
                "",
                "",
                town,
                "",
                postcode,
                "United Kingdom",
            ),
        } | more
        contact = Contact(
            id=self.world.contacts.next_id,
            created_at=at,
            updated_at=at,
            organisation_name=organisation,
            first_name=first,
            last_name=last,
            **fields,
        )
        self.world.add(contact)
        self.contacts.append(contact)
        return contact

    def add_project(self, name: str, contact: Contact, *, day: date, **more: Any) -> Project:
        """A project of a contact."""
        at = self.at(day)
        project = Project(
            id=self.world.projects.next_id, created_at=at, updated_at=at, name=name, contact=contact.id, **more
        )
        self.world.add(project)
        self.projects.append(project)
        return project

    def add_price(self, code: str, description: str, price: str, *, day: date, **more: Any) -> None:
        """A price list item."""
        at = self.at(day)
        self.world.add(
            PriceListItem(
                id=self.world.price_list.next_id,
                created_at=at,
                updated_at=at,
                code=code,
                description=description,
                price=Decimal(price),
                **more,
            )
        )

    def contact(self) -> Contact:
        """Anyone."""
        return self.contacts[int(self.rng.random() * len(self.contacts))]

    def holder(self, project: Project) -> Contact:
        """Whose project it is."""
        return self.world.contacts[project.contact]

    def file(self, name: str, size: int = 48_213, content_type: str = "application/pdf") -> Attachment:
        """A file to attach."""
        return Attachment(id=self.world.new_attachment_id(), file_name=name, content_type=content_type, file_size=size)

    # Lines

    def item(
        self,
        description: str,
        price: str,
        quantity: str = "1.0",
        *,
        rate: str = "20.0",
        status: str = "TAXABLE",
        **more: Any,
    ) -> Item:
        """A sales line; a company that is not registered puts no tax on it."""
        if self.is_vat and more.get("item_type") != "Comment":
            more |= {"tax_rate": Decimal(rate) if status == "TAXABLE" else Decimal("0.0"), "tax_status": status}
            if status == "OUT_OF_SCOPE":
                more["tax_rate"] = None
        return Item(
            id=self.world.new_item_id(),
            description=description,
            price=Decimal(price),
            quantity=Decimal(quantity),
            **more,
        )

    def bill_line(
        self,
        description: str,
        category: str,
        gross: int,
        *,
        rate: str | None = None,
        status: str = "TAXABLE",
        **more: Any,
    ) -> BillItem:
        """A bill line at its category's automatic rate unless one is given."""
        if self.is_vat:
            chosen = self._rates[category] if rate is None else rate
            if chosen == "" and status == "TAXABLE":
                status = "OUT_OF_SCOPE"
            more |= {"tax_status": status}
            if status == "TAXABLE":
                more |= {"tax_rate": Decimal(chosen)}
        else:
            more.pop("manual_tax", None)
        return acts.bill_item(self.world, description=description, category=category, gross=gross, **more)

    def tax(self, category: str, gross: int) -> dict[str, Any]:
        """The tax fields of an explanation or a claim at the category's automatic rate."""
        if not self.is_vat:
            return {}
        chosen = self._rates.get(category, "")
        if chosen == "":
            return {"tax_status": "OUT_OF_SCOPE"}
        rate = Decimal(chosen)
        return {"tax_status": "TAXABLE", "tax_rate": rate, "tax": inclusive_tax(gross, rate)}

    # Documents

    def invoice(self, day: date, *items: Item, contact: Contact | None = None, **more: Any) -> Invoice:
        """An invoice, sent unless said otherwise."""
        invoice_id = acts.raise_sale(
            self.world,
            Invoice,
            contact=contact or self.contact(),
            day=day,
            items=items,
            at=self.at(day),
            **({"bank_account": self.main.id} | more),
        )
        return self.world.invoices[invoice_id]

    def credit_note(self, day: date, *items: Item, contact: Contact | None = None, **more: Any) -> CreditNote:
        """A credit note, sent unless said otherwise; prices are negative."""
        credit_note_id = acts.raise_sale(
            self.world,
            CreditNote,
            contact=contact or self.contact(),
            day=day,
            items=items,
            at=self.at(day),
            terms=0,
            **more,
        )
        return self.world.credit_notes[credit_note_id]

    def pay(self, document: Any, day: date, amount: int | None = None, **more: Any) -> int:
        """Settle a document through the main account, or another one given."""
        account = more.pop("account", self.main)
        return acts.settle(self.world, document, account=account, day=day, at=self.at(day), amount=amount, **more)

    def spend(self, day: date, gross: int, description: str, category: str, **more: Any) -> int:
        """Money out (negative gross) or back in against a category."""
        account = more.pop("account", self.main)
        fields = self.tax(category, gross) | {"type": "Payment" if gross < 0 else "Refund", "category": category} | more
        return acts.entry(
            self.world, account=account, day=day, amount=gross, description=description, at=self.at(day), **fields
        )
