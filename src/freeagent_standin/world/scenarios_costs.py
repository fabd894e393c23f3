"""Purchases and claims that a company's books can hold (https://dev.freeagent.com/docs/bills and /docs/expenses)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from freeagent_standin.world import acts, chart
from freeagent_standin.world.entities import Bill, BillItem
from freeagent_standin.world.stage import Stage


def _bill(stage: Stage, day: date, *items: BillItem, **more: Any) -> Bill:
    contact = more.pop("contact", None) or stage.contact()
    bill_id = acts.enter_bill(stage.world, contact=contact, day=day, items=items, at=stage.at(day), **more)
    return stage.world.bills[bill_id]


def _claim(stage: Stage, day: date, category: str, gross: int, description: str, **more: Any) -> None:
    tax = stage.tax(category, gross)
    tax.pop("tax", None)
    if not stage.is_vat:
        more.pop("manual_tax", None)
    acts.claim(
        stage.world,
        user=more.pop("user", stage.owner),
        category=category,
        day=day,
        gross=gross,
        at=stage.at(day),
        description=description,
        **(tax | more),
    )


def open_bills(stage: Stage) -> None:
    """One not due, one overdue, one part paid."""
    _bill(stage, stage.ago(7), stage.bill_line("Workshop rent", "251", 90_000))
    _bill(stage, stage.ago(80), stage.bill_line("Oak boards", "103", 45_678), comments="Query with supplier")
    part = _bill(stage, stage.ago(44), stage.bill_line("Brochures", "276", 31_999))
    stage.pay(part, stage.ago(20), 15_000)


def paid_bill(stage: Stage) -> None:
    """Three lines at three rates on a project, with a PDF, paid in full."""
    day = stage.ago(65)
    project = stage.projects[0]
    bill = _bill(
        stage,
        day,
        stage.bill_line("Ironmongery", "103", 24_000, project=project.id),
        stage.bill_line("Energy saving boards", "103", 10_500, rate="5.0"),
        stage.bill_line("Insurance share", "364", 4_000, status="EXEMPT"),
        project=project.id,
        rebill_type="cost",
        attachment=stage.file("invoice 118 (scan).pdf"),
    )
    stage.pay(bill, stage.later(day, 28))


def supplier_credits(stage: Stage) -> None:
    """A credit refunded, one open, and one netted against a bill by two bank entries of one day."""
    contact = stage.contact()
    refunded = _bill(stage, stage.ago(50), stage.bill_line("Returned felt", "103", -9_600), contact=contact, terms=0)
    stage.pay(refunded, stage.ago(38))
    _bill(stage, stage.ago(12), stage.bill_line("Returned van", "104", -4_200), terms=30)
    day = stage.ago(28)
    bill = _bill(stage, day, stage.bill_line("Felt", "103", 9_600), contact=contact)
    credit = _bill(stage, day, stage.bill_line("Returned felt", "103", -9_600), contact=contact)
    for each in (bill, credit):
        stage.pay(each, stage.later(day, 5), is_manual=True)


def awkward_bills(stage: Stage) -> None:
    """Manual tax, reverse charge, nothing to pay, a unit, a repeating one, and a negative line inside."""
    _bill(
        stage,
        stage.ago(31),
        stage.bill_line("Till receipt, mixed", "280", 5_000, manual_tax=417),
        stage.bill_line("Postage", "358", 1_250, unit="Products"),
        reference='Q1 / 2 – "mixed"',
    )
    _bill(stage, stage.ago(26), stage.bill_line("Free catalogue", "359", 0))
    _bill(
        stage,
        stage.ago(24),
        stage.bill_line("Timber", "103", 60_000),
        stage.bill_line("Pallet returned", "103", -1_800),
        recurring="Quarterly",
    )
    if stage.is_vat:
        day = stage.ago(37)
        line = stage.bill_line("Cloud hosting", "268", 12_345, rate="20.0", is_notional=True)
        bill = _bill(stage, day, line, ec_status="Reverse Charge")
        stage.pay(bill, stage.later(day, 10), account=stage.card)


def foreign_bills(stage: Stage) -> None:
    """Dollars paid from sterling, euros part paid from the euro account, and one open."""
    day = stage.ago(57)
    usd = _bill(stage, day, stage.bill_line("Bandsaw blades", "103", 32_050, rate="0.0"), currency="USD")
    stage.pay(usd, stage.later(day, 16))
    eur = _bill(stage, stage.ago(53), stage.bill_line("Hinges", "103", 77_700, rate="0.0"), currency="EUR")
    stage.pay(eur, stage.ago(36), 40_000, account=stage.euro or stage.main)
    _bill(stage, stage.ago(4), stage.bill_line("Glue", "103", 1_300, rate="0.0"), currency="EUR")


def cis_bills(stage: Stage) -> None:
    """A subcontractor's labour and materials: part paid, then one paid in full."""
    if not stage.world.company.cis_contractor:
        return
    contact = next(it for it in stage.contacts if it.cis_band)
    labour = stage.bill_line("Roofing labour", "097", 60_000 if stage.is_vat else 50_000, rate="20.0")
    materials = stage.bill_line("Battens and felt", "103", 12_000 if stage.is_vat else 10_000)
    part = _bill(stage, stage.ago(46), labour, materials, contact=contact)
    stage.pay(part, stage.ago(30), 31_000)
    whole = _bill(stage, stage.ago(73), labour, contact=contact)
    stage.pay(whole, stage.ago(60))


def claims(stage: Stage) -> None:
    """Out of pocket: a meal with a receipt, exempt, manual tax, a refund due, one rebilled and one that repeats."""
    _claim(stage, stage.ago(34), "285", 5_880, "Site lunch", attachment=stage.file("lunch.jpg", 91_002, "image/jpeg"))
    _claim(stage, stage.ago(33), "280", 1_999, "Sundries; till receipt", manual_tax=150, receipt_reference="R-77")
    _claim(stage, stage.ago(32), "365", -1_450, "Train ticket refunded")
    _claim(stage, stage.ago(27), "365", 4_310, "Train, client visit", project=stage.projects[0].id, rebill_type="cost")
    _claim(stage, stage.ago(21), "361", 1_200, "Subscription", recurring="Annually")


def mileage(stage: Stage) -> None:
    """A drive at 45p a mile, and one that is only rebilled and so costs nothing."""
    at = stage.at(stage.ago(23))
    untaxed: dict[str, Any] = {"tax_status": "TAXABLE", "tax_rate": Decimal("0.0")} if stage.is_vat else {}
    for miles, reclaim in ((Decimal("120.0"), 1), (Decimal("32.5"), 0)):
        acts.claim(
            stage.world,
            user=stage.owner,
            category=chart.MILEAGE,
            day=stage.ago(23),
            gross=int(miles * 45) * reclaim,
            at=at,
            description="Site visit",
            mileage=miles,
            reclaim_mileage=reclaim,
            project=stage.projects[0].id if not reclaim else None,
            rebill_type="" if reclaim else "price",
            **untaxed,
        )


def foreign_claim(stage: Stage) -> None:
    """A hotel abroad, claimed in euros: the rate is forced to 0."""
    _claim(stage, stage.ago(19), "285", 6_000, "Hotel, Lille", currency="EUR")
