"""Making a world: who the company is, then situations, then ordinary business until the wanted size is reached.

The same (size, seed, today, company) makes the same world. Named sizes: `small` (every situation once, about 60
invoices), `medium` (about 2,000 documents and 5,000 bank lines over three years), `large` (100,000 bank lines). A
number is the number of bank lines, reached exactly: below a thousand the company's kind and the situations are drawn by
seed, from a thousand up every situation is there.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from datetime import date
from random import Random

import msgspec

from freeagent_standin.world import (
    filings,
    names,
    routine,
    scenarios_assets,
    scenarios_bank,
    scenarios_costs,
    scenarios_ledger,
    scenarios_sales,
    scenarios_work,
)
from freeagent_standin.world.books import World
from freeagent_standin.world.kinds import Kind, kind_by_seed
from freeagent_standin.world.profiles import found
from freeagent_standin.world.stage import Stage

GREATEST = 1_000_000


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """How much of everything."""

    lines: int
    invoices: int
    bills: int
    claims: int
    contacts: int
    months: int
    is_drawn: bool = False


_NAMED = {
    "small": Size(lines=160, invoices=62, bills=30, claims=20, contacts=16, months=14),
    "medium": Size(lines=5_000, invoices=1_050, bills=620, claims=300, contacts=120, months=36),
    "large": Size(lines=100_000, invoices=9_000, bills=6_000, claims=3_000, contacts=800, months=36),
}


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """A situation, and the most bank lines it writes."""

    play: Callable[[Stage], None]
    lines: int
    is_foreign: bool = False


_SCENARIOS = (
    Scenario(play=scenarios_sales.draft, lines=0),
    Scenario(play=scenarios_sales.open_with_odd_quantities, lines=0),
    Scenario(play=scenarios_sales.overdue, lines=0),
    Scenario(play=scenarios_sales.due_on_receipt, lines=0),
    Scenario(play=scenarios_sales.part_paid, lines=1),
    Scenario(play=scenarios_sales.paid, lines=1),
    Scenario(play=scenarios_sales.paid_twice, lines=2),
    Scenario(play=scenarios_sales.overpaid, lines=1),
    Scenario(play=scenarios_sales.written_off, lines=1),
    Scenario(play=scenarios_sales.zero_value, lines=0),
    Scenario(play=scenarios_sales.discounted, lines=1),
    Scenario(play=scenarios_sales.comment_and_credit_lines, lines=0),
    Scenario(play=scenarios_sales.mixed_rates, lines=1),
    Scenario(play=scenarios_sales.reverse_charge, lines=1),
    Scenario(play=scenarios_sales.foreign, lines=3, is_foreign=True),
    Scenario(play=scenarios_sales.one_receipt_for_two, lines=1),
    Scenario(play=scenarios_sales.credit_notes, lines=2),
    Scenario(play=scenarios_sales.foreign_credit, lines=0, is_foreign=True),
    Scenario(play=scenarios_sales.negative_invoices, lines=1),
    Scenario(play=scenarios_sales.cis_sales, lines=4),
    Scenario(play=scenarios_costs.open_bills, lines=1),
    Scenario(play=scenarios_costs.paid_bill, lines=1),
    Scenario(play=scenarios_costs.supplier_credits, lines=3),
    Scenario(play=scenarios_costs.awkward_bills, lines=1),
    Scenario(play=scenarios_costs.foreign_bills, lines=2, is_foreign=True),
    Scenario(play=scenarios_costs.cis_bills, lines=2),
    Scenario(play=scenarios_costs.claims, lines=0),
    Scenario(play=scenarios_costs.mileage, lines=0),
    Scenario(play=scenarios_costs.foreign_claim, lines=0, is_foreign=True),
    Scenario(play=scenarios_bank.transfers, lines=6),
    Scenario(play=scenarios_bank.euro_transfer, lines=3, is_foreign=True),
    Scenario(play=scenarios_bank.unexplained, lines=4),
    Scenario(play=scenarios_bank.for_review, lines=1),
    Scenario(play=scenarios_bank.split_line, lines=1),
    Scenario(play=scenarios_bank.sales_and_refunds, lines=4),
    Scenario(play=scenarios_bank.tax_payments, lines=3),
    Scenario(play=scenarios_bank.people_paid, lines=5),
    Scenario(play=scenarios_bank.reverse_charge_spend, lines=1),
    Scenario(play=scenarios_bank.odd_costs, lines=4),
)


def generate(*, size: str | int, seed: int, today: date, company: int = 1, kind: Kind | None = None) -> World:
    """The books of company number `company`, as they stand on `today`, of a kind or the one its size and seed give it.

    Raises ValueError on a size there is not.
    """
    wanted = _size(size)
    rng = Random(f"{size}/{seed}/{company}")  # noqa: S311  books, not secrets
    more = Random(f"kind/{size}/{seed}/{company}")  # noqa: S311  books, not secrets
    drawn = kind_by_seed(rng, more) if wanted.is_drawn else Kind()
    kind = drawn if kind is None else kind
    was_collecting = gc.isenabled()
    gc.disable()  # a million records without one cycle among them
    try:
        world = found(number=company, seed=seed, kind=kind, months=wanted.months, today=today, rng=rng)
        stage = Stage(world, rng)
        _cast(stage, wanted)
        _situations(stage, wanted, kind)
        _ordinary_business(stage, wanted)
        after = Random(f"{size}/{seed}/{company}/month ends")  # noqa: S311  books, not secrets
        scenarios_ledger.journals(Stage(world, after), wanted.months)
        # With dice of its own, so that what is kept beside the books leaves the books as they are.
        beside = Stage(world, Random(f"beside/{size}/{seed}/{company}"))  # noqa: S311  books, not secrets
        scenarios_work.play(beside)
        scenarios_assets.play(beside)
        filings.close(world, today)
    finally:
        if was_collecting:
            gc.enable()
    return world


def _size(size: str | int) -> Size:
    if isinstance(size, str):
        if size in _NAMED:
            return _NAMED[size]
        if not (size.isascii() and size.isdigit() and len(size) < 10):
            raise ValueError(f"There is no size {size!r}: use small, medium, large or a number of bank lines.")
        size = int(size)
    if not 1 <= size <= GREATEST:
        raise ValueError(f"The number of bank lines must be from 1 to {GREATEST:,}.")
    if size < 1_000:
        return Size(
            lines=size,
            invoices=size // 3,
            bills=size // 5,
            claims=size // 10,
            contacts=6 + size // 40,
            months=14,
            is_drawn=True,
        )
    documents = size // 10 + 300
    return Size(
        lines=size,
        invoices=documents // 2,
        bills=documents // 3,
        claims=documents // 6,
        contacts=min(2_000, 60 + size // 200),
        months=36 if size <= 200_000 else 60,
    )


def _cast(stage: Stage, wanted: Size) -> None:
    first = stage.start
    for organisation, given, family in names.AWKWARD_CONTACTS[: max(3, min(8, wanted.contacts - 2))]:
        stage.add_contact(organisation, given, family, day=first, billing_email="accounts@contact.example")
    while len(stage.contacts) < wanted.contacts:
        number = len(stage.contacts)
        head = names.BUSINESS_HEADS[number % len(names.BUSINESS_HEADS)]
        tail = names.BUSINESS_TAILS[(number * 7 + number // 20) % len(names.BUSINESS_TAILS)]
        days = stage.rng.randint(0, 300)
        stage.add_contact(
            f"{head} {tail}" + (f" {number}" if number >= 60 else ""),
            stage.rng.choice(names.FIRST_NAMES),
            stage.rng.choice(names.LAST_NAMES),
            day=stage.later(first, days),
            payment_terms=stage.rng.choice((None, 14, 30, 60)),
            vat_number="GB123456782" if number % 3 == 0 else "",
        )
    if stage.world.company.cis_contractor:
        stage.add_contact(
            "Ridgeway Roofing",
            "Dai",
            "Ap Rhys",
            day=first,
            cis_band="cis_standard",
            tax_reference="1234567890",
            verification_number="V1234567890AB",
        )
    hidden = stage.add_contact("Former Client (closed)", "Old", "Friend", day=first, status="Hidden", email="")
    stage.contacts.remove(hidden)
    holder = stage.contacts[0]
    stage.add_project("Mill Lane barn", holder, day=first, po_reference="ML-7", budget=120, is_ir35=False)
    stage.add_project("Étude d'été 🌞", stage.contacts[1], day=first, status="Completed", starts_on=first)
    shop = stage.contacts[2]
    stage.add_project("Old shop", shop, day=first, status="Cancelled", budget_units="Monetary", budget=5_000)
    stage.add_project("Archive", shop, day=first, status="Hidden")
    stage.add_price("HNG-BR", "Brass hinge set", "18.99", day=first)
    stage.add_price("CONS", "Consultancy", "95.0", day=first, item_type="Hours", vat_status="standard")
    stage.add_price("BOOK", "Printed manual", "25.0", day=first, vat_status="zero")
    stage.add_price("AID", "Mobility aid", "150.0", day=first, item_type="Services", vat_status="reduced")
    stage.add_price("DEP", "Deposit", "100.0", day=first, item_type="", vat_status="out_of_scope")


def _situations(stage: Stage, wanted: Size, kind: Kind) -> None:
    scenarios = [each for each in _SCENARIOS if kind.foreign or not each.is_foreign]
    if wanted.is_drawn:
        stage.rng.shuffle(scenarios)
        scenarios = scenarios[: max(1, wanted.lines // 2)]
    for each in scenarios:
        if len(stage.world.transactions) + each.lines <= wanted.lines:
            each.play(stage)


def _ordinary_business(stage: Stage, wanted: Size) -> None:
    world, rng = stage.world, stage.rng
    days = (stage.latest - stage.start).days
    while len(world.invoices) < wanted.invoices:
        routine.sale(stage, stage.ago(rng.randint(0, days)), wanted.lines)
    while len(world.bills) < wanted.bills:
        routine.purchase(stage, stage.ago(rng.randint(0, days)), wanted.lines)
    while len(world.expenses) < wanted.claims:
        routine.claim(stage, stage.ago(rng.randint(0, days)))
    for number in range(wanted.lines - len(world.transactions)):
        routine.card_cost(stage, stage.ago(int(rng.random() * (days + 1))), number)
