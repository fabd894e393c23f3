"""What a bookkeeper corrects at month ends, by journal (https://dev.freeagent.com/docs/journal_sets).

Played after everything else and with dice of its own, so that it changes nothing in the books before it.
"""

from __future__ import annotations

from datetime import date, timedelta

from freeagent_standin.world import acts
from freeagent_standin.world.entities import JournalLine, JournalSet
from freeagent_standin.world.payroll import PAYROLL_TAG
from freeagent_standin.world.stage import Stage


def journals(stage: Stage, months: int) -> None:
    """An accrual and its reversal each quarter, a tagged salary run each month, an insurance paid ahead."""
    ends = month_ends(stage.start, stage.latest)[-months:]
    for number, day in enumerate(ends):
        _salaries(stage, day)
        if number % 3 == 2:
            _accrual(stage, day)
    if ends:
        premium = 12 * stage.rng.randint(500, 9_000)
        enter(stage, ends[0], "Insurance paid ahead", ("620", premium), ("364", -premium))
        for day in ends[1:13]:
            enter(stage, day, "Insurance of the month", ("364", premium // 12), ("620", -premium // 12))


def month_end(stage: Stage, day: date) -> None:
    """What is entered for a month that is over, while business goes on; the salary is paid the day after."""
    net = _salaries(stage, day)
    acts.pay_user(
        stage.world,
        user=stage.owner,
        account=stage.main,
        day=stage.latest,
        amount=net,
        at=stage.at(stage.latest),
        category="902",
        note=f"Salary {day:%B %Y}",
    )
    if day.month % 3 == 0:
        _accrual(stage, day)


def _accrual(stage: Stage, day: date) -> None:
    fee = 5_000 + stage.rng.randint(0, 60_000)
    enter(stage, day, "Accountancy fees accrued", ("292", fee), ("660", -fee))
    enter(stage, stage.later(day, 1), "Accountancy fees, accrual reversed", ("660", fee), ("292", -fee))


def _salaries(stage: Stage, day: date) -> int:
    """The owner's salary as an outside payroll would enter it, by three entries; what is to be paid out."""
    gross = 90_000 + 100 * stage.rng.randint(0, 120)
    tax = gross // 10
    code = "407" if stage.world.company.is_limited else "401"
    legs = ((code, gross), (f"902-{stage.owner.number}", tax - gross), ("814", -tax))
    enter(stage, day, f"Salaries {day:%B %Y}", *legs, tag=PAYROLL_TAG)
    return gross - tax


def enter(stage: Stage, day: date, description: str, *legs: tuple[str, int], tag: str = "") -> None:
    """One set of entries."""
    at = stage.at(day)
    stage.world.add(
        JournalSet(
            id=stage.world.journal_sets.next_id,
            created_at=at,
            updated_at=at,
            dated_on=day,
            description=description,
            tag=tag,
            entries=tuple(
                JournalLine(
                    id=stage.world.new_journal_line_id(),
                    code=code,
                    amount=amount,
                    description=f"{description} ({stage.world.category_names[code.partition('-')[0]]})",
                )
                for code, amount in legs
            ),
        )
    )


def month_ends(first: date, last: date) -> list[date]:
    """The last day of every month that ends within two days, both included."""
    ends: list[date] = []
    day = first
    while True:
        following = date(day.year + day.month // 12, day.month % 12 + 1, 1)
        if following - timedelta(days=1) > last:
            return ends
        ends.append(following - timedelta(days=1))
        day = following
