"""Exact amounts: whole pennies inside, FreeAgent's trimmed decimal text outside.

Money is kept as integer minor units (two decimals for every currency the stand-in uses); prices, quantities and rates
stay Decimal. FreeAgent sends decimals as strings with at least one decimal and no further trailing zero
(https://dev.freeagent.com/docs/introduction, and every recorded response).
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

_ONE = Decimal(1)
_HUNDRED = Decimal(100)
_TOO_LARGE = Decimal(10) ** 13


def pennies(value: Decimal) -> int:
    """Minor units of an amount in major units, half away from zero."""
    return int((value * _HUNDRED).quantize(_ONE, rounding=ROUND_HALF_UP))


def parse_pennies(value: object, *, what: str) -> int:
    """Minor units of an amount that came from outside as text or a whole number; more than two decimals are refused."""
    amount = parse_decimal(value, what=what)
    scaled = amount * _HUNDRED
    if scaled != scaled.to_integral_value():
        raise ValueError(f"{what} must have at most two decimals, not {value!r}.")
    return int(scaled)


def parse_decimal(value: object, *, what: str) -> Decimal:
    """A decimal that came from outside as text or a number."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise ValueError(f"{what} must be a decimal, not {value!r}.")
    try:
        amount = Decimal(str(value))
    except ArithmeticError as error:
        raise ValueError(f"{what} must be a decimal, not {value!r}.") from error
    if not amount.is_finite() or abs(amount) >= _TOO_LARGE or amount != round(amount, 12):
        raise ValueError(f"{what} must be a decimal, not {value!r}.")
    return amount


def times(amount: int, factor: Decimal) -> int:
    """Minor units multiplied by a rate, half away from zero."""
    return int((amount * factor).quantize(_ONE, rounding=ROUND_HALF_UP))


def money_text(amount: int) -> str:
    """Minor units as FreeAgent writes them: 25100 is "251.0", 1999 is "19.99", -50 is "-0.5"."""
    sign = "-" if amount < 0 else ""
    whole, part = divmod(abs(amount), 100)
    if part % 10 == 0:
        return f"{sign}{whole}.{part // 10}"
    return f"{sign}{whole}.{part:02d}"


def decimal_text(value: Decimal) -> str:
    """A decimal as FreeAgent writes it: no exponent, trailing zeros cut, at least one decimal."""
    text = format(value, "f")
    if "." not in text:
        return text + ".0"
    text = text.rstrip("0")
    return text + "0" if text.endswith(".") else text


def shared_out(total: int, exact: Sequence[Decimal]) -> list[int]:
    """Whole pennies that add up to total, each as near its exact share (in pennies) as can be.

    The pennies lost by rounding go to the shares with the largest lost fraction, first come first on a tie.
    """
    parts = [int(share.quantize(_ONE, rounding=ROUND_HALF_UP)) for share in exact]
    gap = total - sum(parts)
    if gap:
        step = 1 if gap > 0 else -1
        by_loss = sorted(range(len(parts)), key=lambda i: (parts[i] - exact[i]) * step)
        for turn in range(abs(gap)):
            parts[by_loss[turn % len(parts)]] += step
    return parts


def added_tax(net: int, rate: Decimal) -> int:
    """The tax on top of a net amount at a percentage, with the sign of the net."""
    return times(net, rate / _HUNDRED)


def inclusive_tax(gross: int, rate: Decimal) -> int:
    """The tax inside a gross amount at a percentage, with the sign of the gross."""
    if not rate:
        return 0
    return int((gross * rate / (_HUNDRED + rate)).quantize(_ONE, rounding=ROUND_HALF_UP))
