"""References are followed many together, and each that leads nowhere is told, however many there are."""

from __future__ import annotations

from collections.abc import Collection, Set

from tests.model.shelf import Shelf

from comptoir.model.identities.findings import Findings
from comptoir.model.identities.references import Targets, refer


class Counted(Shelf):
    """Books that count how often they are asked which records there are, and of how many at most."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[int] = []

    def present(self, data_type: str, ids: Collection[str]) -> Set[str]:
        self.asked.append(len(ids))
        return super().present(data_type, ids)


def test_every_reference_that_leads_nowhere_is_told_and_look_ups_are_few() -> None:
    books, findings = Counted(), Findings()
    targets = Targets(books)
    held = sorted(books.books["invoices"])

    for number in range(5400):
        target = held[number % len(held)] if number % 3 else f"none-{number % 1200}"
        refer("payments", str(number), "invoices", target, findings, targets)
    targets.follow_all(findings)

    [line] = [line for line in findings.lines() if line.code == "A3"]
    assert (line.checked, line.breaches) == (5400, 1800)
    assert line.faults[0].id == "0"
    assert line.faults[0].detail == "payments 0 names invoices none-0, which is not there"
    assert len(books.asked) < 10
    assert max(books.asked) <= 1000


def test_a_reference_to_what_was_not_read_is_passed_by() -> None:
    books, findings = Counted(), Findings()
    del books.books["invoices"]
    targets = Targets(books)

    refer("payments", "1", "invoices", "9", findings, targets)
    targets.follow_all(findings)

    assert targets.not_followed == {"invoices"}
    assert not books.asked
    assert [line.breaches for line in findings.lines() if line.code == "A3"] == [0]
