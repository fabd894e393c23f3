"""Whether a year's ledger adds up to the trial balance at its end: then no line was missed, and none read twice.

Either of two sums shows it for each account: costs and income begin anew each year, all else goes on from where it
stood at the end of the year before. Retained profit does neither: it takes over what the year before earned.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal

import msgspec

from comptoir.integrations.contract import RawRow, ReadWindow
from comptoir.model.money import ZERO, plain

__all__ = ["adds_up"]

_RETAINED = "968"


class _Line(msgspec.Struct):
    nominal_code: str
    debit_value: Decimal


class _Total(msgspec.Struct):
    display_nominal_code: str
    total: Decimal


class _Balances(msgspec.Struct):
    trial_balance_summary: tuple[_Total, ...]


_line = msgspec.json.Decoder(_Line, strict=False).decode
_balances = msgspec.json.Decoder(_Balances, strict=False).decode


def adds_up(
    year: ReadWindow, lines: Iterable[bytes], balances: bytes, beside: Mapping[str, tuple[RawRow, ...]]
) -> bool:
    """`beside` are trial balances by their day, and the one with which the books began."""
    posted: dict[str, Decimal] = defaultdict(Decimal)
    for body in lines:
        line = _line(body)
        posted[_account(line.nominal_code)] += plain(line.debit_value)
    stands, stood = _totals(balances), _totals(_before(year, beside))
    return all(
        posted[code] in (stands[code], stands[code] - stood[code]) for code in {*posted, *stands, *stood} - {_RETAINED}
    )


def _before(year: ReadWindow, beside: Mapping[str, tuple[RawRow, ...]]) -> bytes | None:
    eve = (date.fromisoformat(dict(year.params)["from_date"]) - timedelta(days=1)).isoformat()
    of_eve = [row.body for row in beside["closing_balances"] if row.id == eve]
    opening = [row.body for row in beside["opening_balances"]]
    return next(iter(of_eve + opening), None)


def _totals(body: bytes | None) -> defaultdict[str, Decimal]:
    totals: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
    for line in _balances(body).trial_balance_summary if body is not None else ():
        totals[_account(line.display_nominal_code)] += plain(line.total)
    return totals


def _account(code: str) -> str:
    """Accounts of one kind are taken together: the two answers number them differently."""
    return code.partition("-")[0]
