"""Values in columns: their order is the order of what they mean, and nothing is lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from comptoir.store import Database
from comptoir.store.tables import META, TENANTS
from comptoir.store.values import amount_key, folded, from_text, numeric, storable, text_of

decimals = st.one_of(
    st.decimals(allow_nan=False, allow_infinity=False),
    st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20, places=9),
    st.builds(Decimal, st.integers(-(10**40), 10**40)),
)


@given(decimals, decimals)
@example(Decimal("-0.00"), Decimal(0))
@example(Decimal("1E+200"), Decimal("1E+30"))
@example(Decimal("-1E-200"), Decimal("-1E-30"))
@example(Decimal("1E+45"), Decimal("9E+44"))
@example(Decimal("-1E+45"), Decimal("-9E+44"))
@example(Decimal("1.10"), Decimal("1.1"))
def test_amount_keys_order_and_compare_as_their_numbers_do(one: Decimal, other: Decimal) -> None:
    assert (amount_key(one) < amount_key(other)) == (one < other)
    assert (amount_key(one) == amount_key(other)) == (one == other)


@given(
    st.datetimes(
        timezones=st.sampled_from([UTC, timezone(timedelta(hours=-11)), timezone(timedelta(hours=5, minutes=30))])
    )
)
@example(datetime(2026, 1, 1, tzinfo=UTC))
def test_an_instant_as_text_is_the_same_instant(moment: datetime) -> None:
    if not 1 < moment.year < 9999:  # a year from the edge, a shift to UTC would leave the calendar
        return
    text = text_of(moment)

    assert from_text(text) == moment
    assert len(text) == len("2026-01-01T00:00:00.000000Z")


@given(st.text(), st.text())
def test_folded_text_compares_without_regard_to_case(one: str, other: str) -> None:
    assert (folded(one) == folded(other)) == (storable(one.casefold()) == storable(other.casefold()))


@pytest.mark.parametrize(("number", "fits"), [
    ("1E+131070", True), ("1E+131072", False), ("1E-16383", True), ("1E-16384", False), ("-12.50", True),
])  # fmt: skip
def test_a_number_beyond_the_column_is_left_to_the_document(number: str, fits: bool) -> None:
    assert (numeric(Decimal(number)) is not None) == fits


def test_any_text_comes_back_from_the_database_as_it_was_given(database: Database) -> None:
    texts = [
        "",
        "é",
        "e\u0301",
        "\x00",
        "\x1a",
        "\x1a0\x00\x1a1",
        "日本",
        "🧾",
        "‮",
        "ſ",
        "a\r\nb\tc",
        "' OR 1=1 --",
        "%s ? :x",
    ]

    with database.write() as tx:
        for text in texts:
            tx.execute(sa.insert(META).values(name=f"n{text}", value=b""))
    with database.read() as tx:
        held = set(tx.execute(sa.select(META.c.name)).scalars())

    assert {f"n{text}" for text in texts} <= held


def test_text_is_ordered_by_code_points_on_both_databases(database: Database) -> None:
    names = ["Z", "a", "é", "É", "_", "~", "10", "9", "aa", "ｚ"]

    with database.write() as tx:
        for name in names:
            tx.execute(sa.insert(TENANTS).values(id=name, name=name))
    with database.read() as tx:
        held = list(tx.execute(sa.select(TENANTS.c.name).order_by(TENANTS.c.name)).scalars())

    assert held == sorted(names)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(days=st.integers(-40_000, 80_000), microseconds=st.integers(0, 86_399_999_999))
def test_an_instant_comes_back_from_the_database_to_the_microsecond(
    database: Database, days: int, microseconds: int
) -> None:
    moment = datetime(2000, 1, 1, tzinfo=UTC) + timedelta(days=days, microseconds=microseconds)
    with database.write() as tx:
        tx.execute(sa.delete(TENANTS))
        tx.execute(sa.insert(TENANTS).values(id="1", name="1", created=moment))
        held = tx.execute(sa.select(TENANTS.c.created)).scalar_one()

    assert held == moment
    assert held.tzinfo is not None
