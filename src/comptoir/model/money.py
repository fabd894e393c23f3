"""Exact decimals: in plain notation, rounded half away from zero, never a binary float."""

from __future__ import annotations

from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, ROUND_HALF_UP, Context, Decimal
from functools import lru_cache

__all__ = ["ONE", "WIDE", "ZERO", "minor_unit", "plain", "rate", "rounded"]

ZERO = Decimal(0)
ONE = Decimal(1)
_EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN, rounding=ROUND_HALF_UP)
# Python's own context rounds every sum to 28 digits. In this one sums and products of the longest amounts are exact.
WIDE = Context(prec=1000, rounding=ROUND_HALF_UP)
_QUOTIENT = Context(prec=150, rounding=ROUND_HALF_UP)
_FINEST_RATE = Decimal("0.000000001")
_MOST_DIGITS = 60  # before the point, or after it: more is no amount, and writing it out could fill the memory
_LONGEST = 2 * _MOST_DIGITS + 3  # signs of what is written out within that
# Currencies whose minor unit is not a hundredth (ISO 4217).
_WITHOUT = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THOUSANDTHS = "BHD IQD JOD KWD LYD OMR TND"
_PLACES = {**dict.fromkeys(_WITHOUT.split(), 0), **dict.fromkeys(_THOUSANDTHS.split(), 3)}


def plain(number: Decimal) -> Decimal:
    """The same number without exponent or trailing zeros; minus zero becomes zero. Digits are kept.

    ValueError for what cannot be an amount: not a number, infinite, or of an absurd size.
    """
    if not number:
        return ZERO
    # Its own text tells how it is written at a third of the cost of taking it apart; here every amount comes by.
    text = str(number)
    if len(text) <= _MOST_DIGITS and "E" not in text and number.is_finite():
        return number if text[-1] != "0" or "." not in text else Decimal(text.rstrip("0").rstrip("."))
    _check_size(number)
    if len(text) > _LONGEST or int(number.as_tuple().exponent) < -_MOST_DIGITS:
        raise _absurd(number)
    shortest = _EXACT.normalize(number)
    return shortest if int(shortest.as_tuple().exponent) <= 0 else _EXACT.quantize(number, ONE)


def _check_size(number: Decimal) -> None:
    if not number.is_finite():
        raise ValueError(f"{number} is no amount")
    if number.adjusted() > _MOST_DIGITS:
        raise _absurd(number)


def _absurd(number: Decimal) -> ValueError:
    return ValueError(f"{number:.3E} is too large or too fine for an amount")


@lru_cache(maxsize=64)
def minor_unit(currency: str | None) -> Decimal:
    """The smallest amount of a currency: 0.01 unless ISO 4217 says otherwise."""
    return Decimal(1).scaleb(-_PLACES.get(currency or "", 2))


def rounded(number: Decimal, unit: Decimal) -> Decimal:
    """Rounded half away from zero to a multiple of `unit` (0.01, 1, ...). ValueError as for `plain`."""
    if number:
        _check_size(number)
    return plain(number.quantize(unit, ROUND_HALF_UP, _EXACT))


def rate(dividend: Decimal, divisor: Decimal) -> Decimal | None:
    """A rate to at most nine decimals; None where there is nothing to divide by."""
    if not divisor:
        return None
    if divisor == ONE:
        return rounded(abs(dividend), _FINEST_RATE)
    return rounded(_QUOTIENT.abs(_QUOTIENT.divide(dividend, divisor)), _FINEST_RATE)
