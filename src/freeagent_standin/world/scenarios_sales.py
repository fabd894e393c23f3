"""Sales situations that a company's books can hold, each played once in a named world and at random in numbered ones.

Every function writes true records through `Stage`. The states follow https://dev.freeagent.com/docs/invoices,
/docs/credit_notes and /docs/credit_note_reconciliations.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from freeagent_standin.world import acts
from freeagent_standin.world.stage import Stage


def draft(stage: Stage) -> None:
    """A draft with a project, and one scheduled to be e-mailed: neither is posted."""
    contact = stage.contact()
    project = next((it for it in stage.projects if it.contact == contact.id), None)
    line = stage.item("Bench joinery", "125.5", "2.0", item_type="Hours", project=project.id if project else None)
    stage.invoice(stage.ago(3), line, contact=contact, status="draft", project=project.id if project else None)
    stage.invoice(stage.ago(1), stage.item("Retainer", "150.0", item_type="Months"), status="scheduled")


def open_with_odd_quantities(stage: Stage) -> None:
    """Not due yet; a quantity of eight decimals, a price of four, and a blank unit."""
    stage.invoice(
        stage.ago(8),
        stage.item("Consulting, part hours", "97.35", "1.03333333", item_type="Hours"),
        stage.item("Screws, by the gram", "0.0375", "1250.0", item_type="Products"),
        stage.item("Sundry", "12.0", item_type=""),
        po_reference="PO 44/17",
    )


def overdue(stage: Stage) -> None:
    """Two months old and unpaid."""
    stage.invoice(stage.ago(75), stage.item("Site survey", "480.0", "2.0", item_type="Days"), comments="Reminder sent")


def due_on_receipt(stage: Stage) -> None:
    """Terms of no days: overdue the day after."""
    stage.invoice(stage.ago(5), stage.item("Call-out", "85.0"), terms=0)


def part_paid(stage: Stage) -> None:
    """Half has come in."""
    invoice = stage.invoice(stage.ago(40), stage.item("Oak worktop", "249.5", "4.0", item_type="Products"))
    stage.pay(invoice, stage.ago(12), invoice.total // 2)


def paid(stage: Stage) -> None:
    """Settled by one receipt, for a project."""
    day = stage.ago(stage.rng.randint(40, 90))
    project = stage.projects[0]
    line = stage.item("Workshop training", "320.0", "3.0", item_type="Training", project=project.id)
    invoice = stage.invoice(day, line, contact=stage.holder(project), project=project.id)
    stage.pay(invoice, stage.later(day, 21))


def paid_twice(stage: Stage) -> None:
    """Settled by two receipts, one of them by cheque into savings."""
    day = stage.ago(70)
    invoice = stage.invoice(day, stage.item("Kitchen fitting", "1875.33"), stage.item("Disposal", "60.0"))
    first = invoice.total // 3
    stage.pay(invoice, stage.later(day, 10), first)
    stage.pay(invoice, stage.later(day, 30), account=stage.savings, cheque_number="000417", line_type="DEP")


def overpaid(stage: Stage) -> None:
    """The customer rounded up."""
    day = stage.ago(55)
    invoice = stage.invoice(day, stage.item("Drawing set", "137.25"))
    stage.pay(invoice, stage.later(day, 9), invoice.total + 500)


def written_off(stage: Stage) -> None:
    """One given up whole, one after a part payment."""
    day = stage.ago(200)
    whole = stage.invoice(day, stage.item("Fitting", "210.0"))
    part = stage.invoice(day, stage.item("Fitting", "330.0"))
    stage.pay(part, stage.later(day, 30), 10_000)
    for each in (whole, part):
        acts.write_off(stage.world, each.id, day=stage.later(day, 150), at=stage.at(stage.later(day, 150)))


def zero_value(stage: Stage) -> None:
    """Nothing to pay: a free sample, and a full discount."""
    stage.invoice(stage.ago(30), stage.item("Sample board", "0.0", item_type="Products"))
    stage.invoice(stage.ago(29), stage.item("Goodwill visit", "85.0"), discount=Decimal("100.0"))


def discounted(stage: Stage) -> None:
    """Ten per cent off, and lines whose tax does not round line by line (three times 10.01)."""
    stage.invoice(
        stage.ago(20),
        stage.item("Bench joinery", "62.5", "12.0", item_type="Hours"),
        stage.item("Brass hinge set", "18.99", "3.0", item_type="Products"),
        discount=Decimal("10.0"),
        comments="Workshop fit-out",
    )
    invoice = stage.invoice(stage.ago(50), *(stage.item(f"Leaflet {n}", "10.01") for n in "ABC"))
    stage.pay(invoice, stage.ago(30))


def comment_and_credit_lines(stage: Stage) -> None:
    """Lines of text, a discount line and a credit line inside a positive invoice."""
    stage.invoice(
        stage.ago(15),
        stage.item("Work done in June, as agreed:", "0.0", "0.0", item_type="Comment"),
        stage.item("Delivery and fitting", "85.0", "3.0"),
        stage.item("Loyalty discount", "-15.0", item_type="Discount"),
        stage.item("Credit for returned hinges", "-18.99", item_type="Credit"),
    )


def mixed_rates(stage: Stage) -> None:
    """Standard, reduced, zero and exempt lines on one invoice, and one outside the scope."""
    day = stage.ago(35)
    invoice = stage.invoice(
        day,
        stage.item("Joinery", "400.0"),
        stage.item("Mobility aid fitting", "150.0", rate="5.0"),
        stage.item("Printed manual", "25.0", rate="0.0"),
        stage.item("Insurance recharge", "40.0", status="EXEMPT"),
        stage.item("Deposit held", "100.0", status="OUT_OF_SCOPE"),
    )
    stage.pay(invoice, stage.later(day, 20))


def reverse_charge(stage: Stage) -> None:
    """Tax is shown but not charged: the total is the net."""
    if not stage.is_vat:
        return
    day = stage.ago(45)
    invoice = stage.invoice(day, stage.item("Translation", "640.0"), ec_status="Reverse Charge")
    stage.pay(invoice, stage.later(day, 25))
    stage.invoice(stage.ago(6), stage.item("Translation", "85.5"), ec_status="Reverse Charge")


def foreign(stage: Stage) -> None:
    """Dollars paid into the sterling account, euros into the euro account, part paid, and one still open."""
    dollars, euros = stage.contact(), stage.contact()
    day = stage.ago(60)
    usd = stage.invoice(day, stage.item("Design", "1200.0", rate="0.0"), contact=dollars, currency="USD")
    stage.pay(usd, stage.later(day, 27))
    part = stage.invoice(stage.ago(58), stage.item("Prototype", "815.45", rate="0.0"), contact=euros, currency="EUR")
    stage.pay(part, stage.ago(25), 30_000)
    if stage.euro is not None:
        own = stage.invoice(stage.ago(48), stage.item("Fitting", "99.99", "3.0", rate="0.0"), currency="EUR")
        stage.pay(own, stage.ago(22), account=stage.euro)
    stage.invoice(stage.ago(9), stage.item("Drawings", "377.7", rate="0.0"), contact=euros, currency="EUR")


def one_receipt_for_two(stage: Stage) -> None:
    """One bank line explained by two invoices of one customer."""
    contact, day = stage.contact(), stage.ago(33)
    both = [stage.invoice(day, stage.item("Fitting", price), contact=contact) for price in ("110.0", "92.5")]
    arrived = stage.later(day, 14)
    at = stage.at(arrived)
    line = acts.bank_line(
        stage.world,
        account=stage.main,
        day=arrived,
        amount=sum(invoice.total for invoice in both),
        description=f"{contact.name[:18].upper()} BOTH",
        line_type="CREDIT",
        at=at,
    )
    for invoice in both:
        fields = acts.settlement_fields(stage.world, invoice, stage.main, day=arrived, amount=invoice.total)
        acts.explain(stage.world, line, at=at, description=invoice.reference, **fields)


def credit_notes(stage: Stage) -> None:
    """Open, part set against an invoice, fully set against one, refunded in full, refunded in part, and a draft."""
    contact = stage.contact()
    invoice = stage.invoice(stage.ago(90), stage.item("Hinge sets", "25.0", "40.0"), contact=contact)
    full_day, part_day = stage.ago(80), stage.ago(75)
    full = stage.credit_note(full_day, stage.item("Damaged hinge sets", "-25.0", "4.0"), contact=contact)
    part = stage.credit_note(part_day, stage.item("Late delivery", "-120.0"), contact=contact)
    acts.reconcile(
        stage.world, full.id, invoice.id, amount=-full.total, day=stage.later(full_day, 1), at=stage.at(full_day)
    )
    acts.reconcile(stage.world, part.id, invoice.id, amount=7_000, day=stage.later(part_day, 1), at=stage.at(part_day))
    project = stage.projects[0]
    returned = stage.item("Returned worktop", "-249.5", project=project.id)
    refunded = stage.credit_note(stage.ago(42), returned, contact=stage.holder(project), project=project.id)
    stage.pay(refunded, stage.ago(35))
    half = stage.credit_note(stage.ago(41), stage.item("Returned boards", "-80.0", "2.0"))
    stage.pay(half, stage.ago(30), half.total // 2)
    stage.credit_note(stage.ago(10), stage.item("Goodwill", "-45.0"), comments="Sorry about the wait")
    stage.credit_note(stage.ago(2), stage.item("Under discussion", "-30.0"), status="draft")


def foreign_credit(stage: Stage) -> None:
    """A euro credit note set against a euro invoice of another rate."""
    contact = stage.contact()
    line = stage.item("Prototype", "500.0", rate="0.0")
    invoice = stage.invoice(stage.ago(66), line, contact=contact, currency="EUR")
    back = stage.item("Prototype, part returned", "-200.0", rate="0.0")
    note = stage.credit_note(stage.ago(52), back, contact=contact, currency="EUR")
    acts.reconcile(stage.world, note.id, invoice.id, amount=20_000, day=stage.ago(50), at=stage.at(stage.ago(50)))


def negative_invoices(stage: Stage) -> None:
    """The credit notes of old: one refunded, one open."""
    refunded = stage.invoice(stage.ago(120), stage.item("Refund of deposit", "-150.0", item_type="Credit"))
    stage.pay(refunded, stage.ago(110))
    stage.invoice(stage.ago(14), stage.item("Refund of deposit", "-40.0", item_type="Credit"), terms=60)


def cis_sales(stage: Stage) -> None:
    """Under the Construction Industry Scheme: open, part paid, paid net of what was withheld, reverse charge."""
    if not stage.world.company.cis_subcontractor:
        return
    labour: dict[str, Any] = {"category": "062", "suffers_cis": True}
    lines = (
        stage.item("First fix labour", "1000.0", **labour),
        stage.item("Materials", "180.0", item_type="Products"),
    )
    stage.invoice(stage.ago(11), *lines, cis_band="cis_standard")
    part = stage.invoice(stage.ago(62), *lines, cis_band="cis_standard")
    stage.pay(part, stage.ago(40), 31_234)
    paid_up = stage.invoice(stage.ago(93), *lines, cis_band="cis_standard")
    stage.pay(paid_up, stage.ago(80), 40_000)
    stage.pay(paid_up, stage.ago(64))
    if stage.is_vat:
        both = stage.invoice(
            stage.ago(71),
            stage.item("Second fix labour", "1000.0", **labour),
            cis_band="cis_standard",
            ec_status="Reverse Charge",
        )
        stage.pay(both, stage.ago(44))
