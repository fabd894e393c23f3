"""Rates of exchange, of the Construction Industry Scheme and of VAT, and the days they are taken on."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any

from freeagent_standin.world import chart
from freeagent_standin.world.amounts import inclusive_tax, times
from freeagent_standin.world.books import World
from freeagent_standin.world.entities import NOTIONAL

CIS_RATES = {"cis_gross": Decimal("0.0"), "cis_standard": Decimal("0.2"), "cis_higher": Decimal("0.3")}
CIS_INCOME = {"cis_gross": "061", "cis_standard": "062", "cis_higher": "063"}
CORPORATION_TAX = Decimal("0.19")
INCOME_TAX = Decimal("0.2")
CIS_LABOUR = frozenset({"096", "097", "098", "099"})

_BASE_RATES = {
    "EUR": Decimal("0.86"),
    "USD": Decimal("0.78"),
    "CHF": Decimal("0.89"),
    "AUD": Decimal("0.51"),
    "CAD": Decimal("0.57"),
}


@lru_cache(maxsize=8192)
def day_start(day: date) -> int:
    """Midnight UTC in seconds since 1970."""
    return int(datetime.combine(day, time(), UTC).timestamp())


def days_after(day: date, days: int) -> date:
    """A day so many days later (or earlier), as far as there are dates."""
    return date.fromordinal(max(1, min(date.max.toordinal(), day.toordinal() + days)))


@lru_cache(maxsize=8192)
def exchange_rate(currency: str, day: date) -> Decimal:
    """Pounds for one unit on a day: a made-up market that wanders within three percent."""
    if currency == "GBP":
        return Decimal("1.0")
    base = _BASE_RATES.get(currency, Decimal("0.75"))
    wander = Decimal((day.toordinal() * 7919) % 61 - 30) / 1000
    return (base * (1 + wander)).quantize(Decimal("0.00001"), rounding=ROUND_HALF_UP)


def taxed(world: World, category: str, gross: int, *, rate: str | None = None, ec_status: str = "") -> dict[str, Any]:
    """The tax fields of an explanation on a category; none for a company that is not registered for VAT."""
    if not world.company.vat_registered:
        return {}
    chosen = rate if rate is not None else _automatic_rate(world, category)
    if chosen == "":
        return {"tax_status": "OUT_OF_SCOPE"}
    percent = Decimal(chosen)
    tax = times(gross, percent / 100) if ec_status in NOTIONAL else inclusive_tax(gross, percent)
    return {"tax_status": "TAXABLE", "tax_rate": percent, "tax": tax, "ec_status": ec_status}


def _automatic_rate(world: World, category: str) -> str:
    for each in world.categories:
        if each.code == category:
            return chart.automatic_rate(each)
    return ""
