"""Bank lines and what explains them, beyond payments of documents.

https://dev.freeagent.com/docs/bank_transactions and /docs/bank_transaction_explanations. The names of types are
those of the application; which fields accompany each is partly inferred.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from freeagent_standin.world import acts, rates
from freeagent_standin.world.stage import Stage


def transfers(stage: Stage) -> None:
    """To savings, to the card, and back a day later on the other side."""
    acts.transfer(
        stage.world,
        source=stage.main,
        target=stage.savings,
        day=stage.ago(43),
        amount=50_000,
        at=stage.at(stage.ago(43)),
    )
    acts.transfer(
        stage.world, source=stage.main, target=stage.card, day=stage.ago(29), amount=42_000, at=stage.at(stage.ago(29))
    )
    acts.transfer(
        stage.world,
        source=stage.savings,
        target=stage.main,
        day=stage.ago(18),
        amount=12_345,
        at=stage.at(stage.ago(18)),
        lag_days=1,
    )


def euro_transfer(stage: Stage) -> None:
    """Sterling to euros: two amounts, one value."""
    if stage.euro is None:
        return
    day = stage.ago(39)
    acts.transfer(stage.world, source=stage.main, target=stage.euro, day=day, amount=100_000, at=stage.at(day))
    stage.spend(stage.ago(17), -4_550, "CAFE DE LA GARE", "285", account=stage.euro, tax=0, **_untaxed(stage))


def unexplained(stage: Stage) -> None:
    """Lines nobody has looked at; two are equal in day, amount and text; one is only half explained."""
    day = stage.ago(9)
    for _ in range(2):
        _plain(stage, day, -350, "CONTACTLESS CAFE 0417", "POS")
    _plain(stage, stage.ago(2), 12_345, "FASTER PAYMENT RECEIVED", "CREDIT")
    half = _plain(stage, stage.ago(16), -8_000, "MAKRO BRISTOL", "POS")
    gross = -5_000
    fields = stage.tax("280", gross)
    acts.explain(
        stage.world,
        half,
        at=stage.at(stage.ago(15)),
        gross=gross,
        type="Payment",
        category="280",
        description="Cleaning things",
        **fields,
    )


def for_review(stage: Stage) -> None:
    """A guess of the application's that nobody has approved."""
    stage.spend(stage.ago(6), -2_499, "VODAFONE LTD", "274", for_review=True, line_type="DIRECTDEBIT")


def split_line(stage: Stage) -> None:
    """One line for a lunch and a repayment of expenses."""
    day = stage.ago(36)
    line = _plain(stage, day, -19_830, "CARD PURCHASES", "POS")
    at = stage.at(day)
    lunch = stage.tax("285", -5_880)
    acts.explain(
        stage.world, line, at=at, gross=-5_880, type="Payment", category="285", description="Site lunch", **lunch
    )
    acts.explain(
        stage.world,
        line,
        at=at,
        gross=-13_950,
        type="Money Paid to User",
        category="905",
        user=stage.owner.id,
        description=f"Expenses repaid to {stage.owner.name}",
    )


def sales_and_refunds(stage: Stage) -> None:
    """A till sale, a refund to a customer, a refund from a shop, and bank interest."""
    stage.spend(stage.ago(47), 18_000, "WORKSHOP OPEN DAY", "001", type="Sales", line_type="DEP")
    stage.spend(stage.ago(41), -3_600, "REFUND TILL 4", "001", type="Sales Refund", line_type="DEBIT")
    stage.spend(stage.ago(24), 1_899, "SCREWFIX REFUND", "103", line_type="CREDIT", account=stage.card)
    stage.spend(
        stage.ago(30), 217, "GROSS INTEREST", "051", type="Other Money In", line_type="INT", account=stage.savings
    )


def tax_payments(stage: Stage) -> None:
    """VAT, PAYE and, for a limited company, corporation tax."""
    codes = [("814", "HMRC PAYE/NIC CUMBERNAULD", 61_250)]
    if stage.is_vat:
        codes.append(("817", "HMRC VAT", 84_250))
    if stage.world.company.is_limited:
        codes.append(("820", "HMRC CORP TAX", 120_000))
    for days, (code, text, amount) in enumerate(codes, start=50):
        stage.spend(stage.ago(days), -amount, text, code, type="Other Money Out", line_type="PAYMENT")


def people_paid(stage: Stage) -> None:
    """Expenses repaid, a smart payment, salary, dividend, and a loan from the owner."""
    world, owner = stage.world, stage.owner
    is_limited = world.company.is_limited
    rows = [("905", 13_950, "Expenses repaid"), ("", 5_000, "Smart user payment"), ("902", 104_800, "Salary")]
    rows += (
        [("908", 200_000, "Interim dividend"), ("907", -75_000, "Loan")]
        if is_limited
        else [("901", 90_000, "Drawings")]
    )
    for days, (category, amount, note) in enumerate(rows, start=20):
        day = stage.ago(days)
        acts.pay_user(
            world,
            user=owner,
            account=stage.main,
            day=day,
            amount=amount,
            at=stage.at(day),
            category=category,
            note=note,
        )


def reverse_charge_spend(stage: Stage) -> None:
    """A service from abroad on the card: tax is accounted for, not paid."""
    if not stage.is_vat:
        return
    gross = -4_999
    fields = rates.taxed(stage.world, "268", gross, rate="20.0", ec_status="Reverse Charge")
    day = stage.ago(13)
    acts.entry(
        stage.world,
        account=stage.card,
        day=day,
        amount=gross,
        description="HETZNER CLOUD DE",
        line_type="DEBIT",
        at=stage.at(day),
        type="Payment",
        category="268",
        **fields,
    )


def odd_costs(stage: Stage) -> None:
    """With a receipt image, rebilled to a project, entered by hand, exempt, and an awkward description."""
    attachment = stage.file("receipt.png", 20_480, "image/png")
    stage.spend(stage.ago(14), -2_310, "RYMAN 🖨 #12", "277", account=stage.card, attachment=attachment, line_type="POS")
    project = stage.projects[0].id
    stage.spend(stage.ago(22), -7_600, "ACCOMMODATION LE 'PETIT' HÔTEL", "285", project=project, rebill_type="cost")
    stage.spend(stage.ago(25), -450, "Cash for parking", "365", is_manual=True)
    exempt = {"tax_status": "EXEMPT"} if stage.is_vat else {}
    stage.spend(stage.ago(11), -8_800, "AXA INSURANCE", "364", line_type="DIRECTDEBIT", tax=0, tax_rate=None, **exempt)


def _plain(stage: Stage, day: date, amount: int, text: str, line_type: str) -> int:
    return acts.bank_line(
        stage.world, account=stage.main, day=day, amount=amount, description=text, line_type=line_type, at=stage.at(day)
    )


def _untaxed(stage: Stage) -> dict[str, object]:
    return {"tax_status": "TAXABLE", "tax_rate": Decimal("0.0")} if stage.is_vat else {}
