"""Tax: which rate a line carries, what of it is charged, and the list of rates these references resolve in.

FreeAgent has no list of rates: a rate is a status, a number and the document's EC status. Source:
https://dev.freeagent.com/docs/invoices and https://dev.freeagent.com/docs/sales_tax
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal

import msgspec

from comptoir.integrations.contract import Mapped, Note
from comptoir.integrations.freeagent import payloads
from comptoir.integrations.freeagent.books import Books, magnitude
from comptoir.model.money import ZERO, minor_unit, plain, rounded
from comptoir.model.parties import PartyStatus
from comptoir.model.records import TaxRateRef, ValidDatatypeLinks, WithholdingTax
from comptoir.model.tax import TaxRate, TaxRateComponent

__all__ = [
    "Tuple_",
    "charged",
    "company_rates",
    "doubt",
    "period_rates",
    "rate_of",
    "rates_met",
    "ref",
    "split_of",
    "withheld",
]

_EC = {
    "Reverse Charge": ("reverse-charge", "Reverse charge"),
    "EC Goods": ("ec-goods", "EC goods"),
    "EC Services": ("ec-services", "EC services"),
}
_MOSS = "EC VAT MOSS"
_COUNTRIES = {
    "Austria": "AT", "Belgium": "BE", "Bulgaria": "BG", "Croatia": "HR", "Cyprus": "CY", "Czech Republic": "CZ",
    "Denmark": "DK", "Estonia": "EE", "Finland": "FI", "France": "FR", "Germany": "DE", "Greece": "GR",
    "Hungary": "HU", "Ireland": "IE", "Italy": "IT", "Latvia": "LV", "Lithuania": "LT", "Luxembourg": "LU",
    "Malta": "MT", "Netherlands": "NL", "Poland": "PL", "Portugal": "PT", "Romania": "RO", "Slovakia": "SK",
    "Slovenia": "SI", "Spain": "ES", "Sweden": "SE", "United Kingdom": "GB",
}  # fmt: skip
_UNSAFE = re.compile(r"[^A-Za-z0-9.-]")  # in the name of a country that stands in an id
_SALES_LINKS = (
    "Invoices.LineItems.TaxRateRef.Id",
    "CreditNotes.LineItems.TaxRateRef.Id",
    "DirectIncomes.LineItems.TaxRateRef.Id",
    "Items.InvoiceItem.TaxRateRef.Id",
)
_PURCHASE_LINKS = (
    "Bills.LineItems.TaxRateRef.Id",
    "BillCreditNotes.LineItems.TaxRateRef.Id",
    "DirectCosts.LineItems.TaxRateRef.Id",
)


class Tuple_(msgspec.Struct, frozen=True, kw_only=True):  # noqa: N801 - the plain name is Python's own
    """What a line says of its tax. `amount` and `net`, magnitudes, decide where a manual amount left no rate."""

    status: str | None = None
    rate: Decimal | None = None
    second_rate: Decimal | None = None
    ec_status: str | None = None
    place_of_supply: str | None = None
    involves_tax: bool = True
    is_manual: bool = False
    amount: Decimal = ZERO
    net: Decimal = ZERO


def charged(gross: Decimal, net: Decimal | None, tax: Decimal) -> tuple[Decimal, Decimal]:
    """From magnitudes: the tax that is part of the gross amount, and notional tax that is not.

    If gross is net plus tax, the tax is charged. If gross is net and there is tax, it is notional (reverse charge,
    acquisitions). Otherwise what lies between gross and net is charged.
    """
    if net is None:
        return tax, ZERO
    if gross == net + tax:
        return tax, ZERO
    if gross == net and tax > 0:
        return ZERO, tax
    return gross - net, ZERO


def doubt(gross: Decimal, net: Decimal | None, tax: Decimal, record_id: str, field: str) -> Iterator[Note]:
    """A note where gross, net and tax of a document contradict each other (magnitudes)."""
    # Where lines of both signs meet, the tax in all may go the other way than the total.
    if net is not None and gross not in (net + tax, net - tax) and not (gross == net and tax > 0):
        message = f"The source's total {gross} is not its net {net} plus its tax {tax}: the difference is taken as tax."
        yield Note(record_id=record_id, field=field, message=message)


def split_of(first: Decimal | None, second: Decimal | None) -> dict[str, Decimal] | None:
    """Two taxes are served as one amount; this tells them apart. None where there is no second."""
    if not second:
        return None
    return {"salesTax": plain(magnitude(first)), "secondSalesTax": plain(magnitude(second))}


def _digits(number: Decimal) -> str:
    return format(plain(number), "f")


def rate_of(tuple_: Tuple_, books: Books) -> TaxRate:
    """The rate a tuple stands for; equal tuples give equal rates, whatever record they were met on."""
    rate, status = tuple_.rate, tuple_.status
    if not tuple_.involves_tax or status == "OUT_OF_SCOPE":
        return _structural("out-of-scope", "Outside the scope")
    if status == "EXEMPT":
        return _structural("exempt", "Exempt")
    if rate is None or tuple_.is_manual:
        if rate is None and not tuple_.amount and not tuple_.is_manual:
            if status is None:
                return _structural("out-of-scope", "Outside the scope")
            return _taxable(ZERO, None, books)
        return _manual(tuple_, books)
    if (ec := _EC.get(tuple_.ec_status or "")) is not None:
        word, name = ec
        return TaxRate(
            id=f"{word}-{_digits(rate)}",
            name=f"{name} {_digits(rate)}%",
            status=_state(rate, None, books),
            effective_tax_rate=ZERO,
            total_tax_rate=plain(rate),
            components=(TaxRateComponent(name=name, rate=plain(rate), is_compound=False),),
            valid_datatype_links=_links(_SALES_LINKS + _PURCHASE_LINKS),
        )
    if tuple_.ec_status == _MOSS and tuple_.place_of_supply:
        country = _COUNTRIES.get(tuple_.place_of_supply) or _UNSAFE.sub("_", tuple_.place_of_supply)[:20]
        return TaxRate(
            id=f"moss-{country}-{_digits(rate)}",
            name=f"MOSS {tuple_.place_of_supply} {_digits(rate)}%",
            status=PartyStatus.ACTIVE,
            effective_tax_rate=plain(rate),
            total_tax_rate=plain(rate),
            components=(TaxRateComponent(name="VAT", rate=plain(rate), is_compound=False),),
            valid_datatype_links=_links(_SALES_LINKS + _PURCHASE_LINKS),
        )
    return _taxable(rate, tuple_.second_rate, books)


def _taxable(
    rate: Decimal,
    second: Decimal | None,
    books: Books,
    terms: payloads.Company | payloads.SalesTaxPeriod | None = None,
) -> TaxRate:
    """`terms` names the taxes: the company's own, unless a past period's are given."""
    company = terms or books.company
    name = company.sales_tax_name or "VAT"
    first = TaxRateComponent(name=name, rate=plain(rate), is_compound=False)
    if not second:
        return TaxRate(
            id=f"taxable-{_digits(rate)}",
            name=f"{name} {_digits(rate)}%",
            status=_state(rate, None, books),
            effective_tax_rate=plain(rate),
            total_tax_rate=plain(rate),
            components=(first,),
            valid_datatype_links=_links(_SALES_LINKS + _PURCHASE_LINKS),
        )
    second_name = company.second_sales_tax_name or "Second tax"
    is_compound = bool(company.second_sales_tax_is_compound)
    effective = rate + second + (rate * second / 100 if is_compound else ZERO)
    suffix, word = ("c", " (compound)") if is_compound else ("", "")
    return TaxRate(
        id=f"taxable-{_digits(rate)}_{_digits(second)}{suffix}",
        name=f"{name} {_digits(rate)}% + {second_name} {_digits(second)}%{word}",
        status=_state(rate, second, books),
        effective_tax_rate=plain(effective),
        total_tax_rate=plain(rate + second),
        components=(first, TaxRateComponent(name=second_name, rate=plain(second), is_compound=is_compound)),
        valid_datatype_links=_links(_SALES_LINKS + _PURCHASE_LINKS),
    )


def _manual(tuple_: Tuple_, books: Books) -> TaxRate:
    """A tax amount without a rate: the published rate that gives it to the penny, else none."""
    unit = minor_unit(books.base_currency)
    for rate in sorted(books.company.sales_tax_rates or (), reverse=bool(tuple_.amount)):
        if rounded(tuple_.net * rate / 100, unit) == tuple_.amount:
            return _taxable(rate, None, books)
    return TaxRate(
        id="manual",
        name="Manual tax",
        status=PartyStatus.ACTIVE,
        components=(),
        valid_datatype_links=_links(_PURCHASE_LINKS),
    )


def _structural(id_: str, name: str) -> TaxRate:
    return TaxRate(
        id=id_,
        name=name,
        status=PartyStatus.ACTIVE,
        effective_tax_rate=ZERO,
        total_tax_rate=ZERO,
        components=(),
        valid_datatype_links=_links(_SALES_LINKS + _PURCHASE_LINKS),
    )


def _state(rate: Decimal, second: Decimal | None, books: Books) -> PartyStatus:
    company = books.company
    lists: list[_Rates] = [(company.sales_tax_rates or (), company.second_sales_tax_rates or ())]
    if (period := books.tax_period) is not None:
        lists.append(_rates_in(period))
    is_current = any(rate in first and (not second or second in others) for first, others in lists)
    return PartyStatus.ACTIVE if is_current else PartyStatus.ARCHIVED


_Rates = tuple[tuple[Decimal | None, ...], tuple[Decimal | None, ...]]


def _rates_in(period: payloads.SalesTaxPeriod) -> _Rates:
    first = (period.sales_tax_rate_1, period.sales_tax_rate_2, period.sales_tax_rate_3)
    second = (period.second_sales_tax_rate_1, period.second_sales_tax_rate_2, period.second_sales_tax_rate_3)
    return first, second


def _links(links: tuple[str, ...]) -> tuple[ValidDatatypeLinks, ...]:
    return (ValidDatatypeLinks(property="Id", links=links),)


def ref(tuple_: Tuple_, books: Books) -> TaxRateRef:
    memo: dict[Tuple_, TaxRateRef] = books.carried.setdefault("tax refs", {})
    found = memo.get(tuple_)
    if found is None:
        rate = rate_of(tuple_, books)
        found = TaxRateRef(id=rate.id, name=rate.name, effective_tax_rate=rate.effective_tax_rate)
        if len(memo) < 10_000:
            memo[tuple_] = found
    return found


def withheld(deduction: Decimal | None, percent: Decimal | None) -> tuple[WithholdingTax, ...] | None:
    """Tax kept back under the Construction Industry Scheme; never part of the totals. None when there is none."""
    amount = magnitude(deduction)
    if not amount:
        return None
    name = "CIS deduction" if percent is None else f"CIS deduction {_digits(percent)}%"
    return (WithholdingTax(name=name, amount=plain(amount)),)


CIS_BANDS = {"cis_gross": Decimal(0), "cis_standard": Decimal(20), "cis_higher": Decimal(30)}


def band_percent(band: str | None, rate: Decimal | None) -> Decimal | None:
    """The percentage of a band; a rate is a fraction on bands and bills, and a percentage on sales documents."""
    if band in CIS_BANDS:
        return CIS_BANDS[band]
    if rate is None:
        return None
    return rate * 100 if abs(rate) <= 1 else rate


# The list of rates: the company's own, and all that were met


def company_rates(company: payloads.Company, books: Books) -> Iterator[Mapped]:
    yield Mapped(_structural("out-of-scope", "Outside the scope"))
    yield Mapped(_structural("exempt", "Exempt"))
    yield from _pairs(company.sales_tax_rates, company.second_sales_tax_rates, company, books)


def period_rates(period: payloads.SalesTaxPeriod, books: Books) -> Iterator[Mapped]:
    """Rates of a sales tax period, as companies outside the UK have them; those of past ones are archived."""
    yield from _pairs(*_rates_in(period), period, books)


def _pairs(
    first: Iterable[Decimal | None] | None,
    second: Iterable[Decimal | None] | None,
    terms: payloads.Company | payloads.SalesTaxPeriod,
    books: Books,
) -> Iterator[Mapped]:
    """Each rate alone, and with each second rate."""
    others = [rate for rate in second or () if rate]
    for rate in first or ():
        if rate is not None:
            yield Mapped(_taxable(rate, None, books, terms))
            for other in others:
                yield Mapped(_taxable(rate, other, books, terms))


class _Line(msgspec.Struct):
    sales_tax_status: str | None = None
    sales_tax_rate: Decimal | None = None
    second_sales_tax_rate: Decimal | None = None
    sales_tax_value: Decimal | None = None
    second_sales_tax_value: Decimal | None = None
    manual_sales_tax_amount: Decimal | None = None
    total_value: Decimal | None = None
    total_value_ex_tax: Decimal | None = None


class Met(msgspec.Struct):
    """The little of a record that tells which rates it carries."""

    ec_status: str | None = None
    place_of_supply: str | None = None
    involves_sales_tax: bool | None = None
    sales_tax_status: str | None = None
    sales_tax_rate: Decimal | None = None
    second_sales_tax_rate: Decimal | None = None
    sales_tax_value: Decimal | None = None
    second_sales_tax_value: Decimal | None = None
    manual_sales_tax_amount: Decimal | None = None
    gross_value: Decimal | None = None
    category: str | None = None
    invoice_items: tuple[_Line, ...] | None = None
    credit_note_items: tuple[_Line, ...] | None = None
    bill_items: tuple[_Line, ...] | None = None


def rates_met(met: Met, books: Books) -> Iterator[Mapped]:
    """Every rate a record's lines refer to."""
    known: set[Tuple_] = books.carried.setdefault("rates met", set())
    for tuple_ in _tuples(met):
        if tuple_ not in known:
            if len(known) < 10_000:
                known.add(tuple_)
            yield Mapped(rate_of(tuple_, books))


def _tuples(met: Met) -> Iterator[Tuple_]:
    involves = met.involves_sales_tax is not False
    for line in (*(met.invoice_items or ()), *(met.credit_note_items or ())):
        yield Tuple_(
            status=line.sales_tax_status,
            rate=line.sales_tax_rate,
            second_rate=line.second_sales_tax_rate,
            ec_status=met.ec_status,
            place_of_supply=met.place_of_supply,
            involves_tax=involves,
        )
    for line in met.bill_items or ():
        yield line_tuple(line, met.ec_status)
    if met.gross_value is not None:
        yield direct_tuple(met)


def line_tuple(line: payloads.BillItem | _Line, ec_status: str | None) -> Tuple_:
    """Of a bill's line; the amounts count only where no rate was given."""
    manual, amount, net = line.manual_sales_tax_amount, ZERO, ZERO
    if line.sales_tax_rate is None or manual is not None:
        amount = magnitude(line.sales_tax_value) + magnitude(line.second_sales_tax_value) or magnitude(manual)
        told = line.total_value_ex_tax
        net = magnitude(line.total_value) - amount if told is None else abs(told)
    return Tuple_(
        status=line.sales_tax_status,
        rate=line.sales_tax_rate,
        second_rate=line.second_sales_tax_rate,
        ec_status=ec_status,
        is_manual=manual is not None,
        amount=plain(amount),
        net=plain(net),
    )


def direct_tuple(record: payloads.Explanation | payloads.Expense | Met) -> Tuple_:
    """Of an explanation or expense, which are one line each."""
    manual = None if isinstance(record, payloads.Explanation) else record.manual_sales_tax_amount
    amount = net = ZERO
    if record.sales_tax_rate is None or manual is not None:
        second = None if isinstance(record, payloads.Expense) else record.second_sales_tax_value
        amount = magnitude(record.sales_tax_value) + magnitude(second) or magnitude(manual)
        net = magnitude(record.gross_value) - amount
    return Tuple_(
        status=record.sales_tax_status,
        rate=record.sales_tax_rate,
        second_rate=record.second_sales_tax_rate,
        ec_status=record.ec_status,
        place_of_supply=None if isinstance(record, payloads.Expense) else record.place_of_supply,
        is_manual=manual is not None,
        amount=plain(amount),
        net=plain(net),
    )
