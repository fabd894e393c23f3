"""The accounting years in which the ledger is read: as the company tells them, without a gap up to today."""

from __future__ import annotations

import itertools
import json
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.integrations.given import a_company

from comptoir.integrations.contract import RawRow
from comptoir.integrations.freeagent import periods

TODAY = date(2026, 3, 31)


def years(today: date = TODAY, **company: Any) -> list[tuple[str, str, bool]]:
    rows = {"company": (RawRow("company", "company", json.dumps(a_company(**company)).encode()),)}
    found = periods.years(rows, today, 24)
    closings = {one.name for one in periods.closings(rows, today, 24)}
    month_end = (
        {end} if (end := periods.last_month_end(today).isoformat()) >= dict(found[0].params)["from_date"] else set()
    )
    assert closings == {one.name for one in found if one.is_closed} | month_end
    return [(dict(one.params)["from_date"], dict(one.params)["to_date"], one.is_closed) for one in found]


def told(*spans: tuple[str, str]) -> dict[str, Any]:
    return {"annual_accounting_periods": [{"starts_on": first, "ends_on": last} for first, last in spans]}


def test_years_are_those_the_company_tells_the_oldest_first() -> None:
    assert years(**told(("2025-09-01", "2026-08-31"), ("2024-05-12", "2025-08-31"))) == [
        ("2024-05-12", "2025-08-31", True),
        ("2025-09-01", "2026-08-31", False),
    ]


def test_years_go_on_up_to_today_where_the_company_tells_too_few() -> None:
    assert years(**told(("2023-03-01", "2024-02-29"))) == [
        ("2023-03-01", "2024-02-29", True),
        ("2024-03-01", "2025-02-28", True),
        ("2025-03-01", "2026-02-28", True),
        ("2026-03-01", "2027-02-28", False),
    ]


def test_a_year_that_is_to_come_is_not_asked_for() -> None:
    assert years(**told(("2025-04-01", "2026-03-31"), ("2026-04-01", "2027-03-31"))) == [
        ("2025-04-01", "2026-03-31", False)
    ]


def test_without_any_years_told_they_are_counted_from_the_first() -> None:
    assert years(freeagent_start_date="2024-02-29", first_accounting_year_end="2025-04-30") == [
        ("2024-02-29", "2025-04-30", True),
        ("2025-05-01", "2026-04-30", False),
    ]
    assert years(date(2024, 12, 31), freeagent_start_date="2024-02-29") == [("2024-02-29", "2025-02-28", False)]


@pytest.mark.parametrize("odd", [
    told(("2025-04-01", "2025-03-01")),
    told(("nonsense", "2026-03-31")),
    {"annual_accounting_periods": None},
])  # fmt: skip
def test_years_that_cannot_be_are_left_out(odd: dict[str, Any]) -> None:
    assert years(freeagent_start_date="2025-04-01", **odd) == [("2025-04-01", "2026-03-31", False)]


def test_a_company_that_tells_nothing_is_refused_with_a_sentence() -> None:
    with pytest.raises(ValueError, match="neither its accounting periods nor when they began"):
        years(freeagent_start_date=None)


_DAYS = st.dates(date(2016, 1, 1), date(2026, 3, 31))


@given(
    start=_DAYS, lengths=st.lists(st.integers(1, 550), max_size=6), today=st.dates(date(2016, 1, 1), date(2029, 2, 28))
)
def test_ranges_tile_every_day_once(start: date, lengths: list[int], today: date) -> None:
    """From the first day that is told to today's year, each day is in one range: none is missed and none read twice."""
    spans = []
    first = start
    for length in lengths:
        last = first + timedelta(days=length - 1)
        spans.append((first.isoformat(), last.isoformat()))
        first = last + timedelta(days=1)

    found = years(today, freeagent_start_date=start.isoformat(), **told(*spans))

    for (_, last_day, _), (first_day, _, _) in itertools.pairwise(found):
        assert date.fromisoformat(first_day) == date.fromisoformat(last_day) + timedelta(days=1)
    assert found[-1][0] <= today.isoformat() <= found[-1][1]
    if today >= start:
        assert found[0][0] == start.isoformat()
