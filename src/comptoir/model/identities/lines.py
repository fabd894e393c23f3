"""Identities B of everything that has lines: they add up, and to what the source says."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from comptoir.model.identities.findings import Fault, Figures, Findings
from comptoir.model.identities.references import Targets, line_refs
from comptoir.model.money import ZERO, minor_unit

__all__ = ["adds_up", "as_the_source_says"]

_HUNDRED = Decimal(100)


def adds_up(
    data_type: str, document: Any, tax: Decimal, findings: Findings, targets: Targets, *, is_priced: bool
) -> None:
    """`is_priced`: lines carry a price that was given, not one computed from their net."""
    id_, lines, unit = document.id, document.line_items or (), minor_unit(document.currency)
    findings.looked("B2")
    findings.looked("B3")
    for code in ("B1", "B4"):
        findings.looked(code, len(lines))
    nets = taxes = totals = ZERO
    for place, line in enumerate(lines, 1):
        net, taxed, whole = line.sub_total or ZERO, line.tax_amount or ZERO, line.total_amount or ZERO
        nets += net
        taxes += taxed
        totals += whole
        if whole != net + taxed:
            detail = f"{data_type} {id_} line {place}: {net} and {taxed} are not {whole}"
            findings.breach("B1", Fault(data_type, id_, detail, net + taxed, whole))
        priced = line.unit_amount * line.quantity
        if is_priced:
            # A tax line has a price and no net. A line rounds, and takes part of what the header was rounded by.
            expected, allowed = net if net or not taxed else taxed, 2 * unit
            off = abs(priced - (line.discount_amount or ZERO) - expected)
        else:
            off, allowed = 2 * abs(priced - net), unit * max(abs(line.quantity), 1)
        if off > allowed:
            detail = f"{data_type} {id_} line {place}: {line.quantity} x {line.unit_amount} for {net}"
            findings.breach("B4", Fault(data_type, id_, detail, priced - (line.discount_amount or ZERO), net))
        ref = line.tax_rate_ref
        rate = ref.effective_tax_rate if ref is not None else None
        # A tax line has no net. And where no tax is charged in all, rates are told for the record only, such as those
        # of a company whose registration is still under way; B5 holds that against the source.
        if rate is not None and (net or not taxed) and (tax or taxed):
            findings.looked("B6")
            # The net may have taken a unit of what the header was rounded by, the tax another.
            if abs(taxed * _HUNDRED - net * rate) > unit * (_HUNDRED + abs(rate)):
                detail = f"{data_type} {id_} line {place}: {taxed} on {net} at {rate} percent"
                findings.breach("B6", Fault(data_type, id_, detail, net * rate / _HUNDRED, taxed))
        line_refs(data_type, id_, line, findings, targets)
    if nets != document.sub_total or taxes != tax or totals != document.total_amount:
        detail = f"{data_type} {id_}: {nets} + {taxes} = {totals} in lines, {document.total_amount} in all"
        findings.breach("B2", Fault(data_type, id_, detail, totals, document.total_amount))
    if document.total_amount != document.sub_total + tax:
        detail = f"{data_type} {id_}: {document.sub_total} and {tax} are not {document.total_amount}"
        findings.breach("B3", Fault(data_type, id_, detail, document.sub_total + tax, document.total_amount))


def as_the_source_says(data_type: str, document: Any, tax: Decimal, figures: Figures, findings: Findings) -> None:
    findings.looked("A8")
    total = abs(document.total_amount)
    if total != figures.total:
        detail = f"{data_type} {document.id} is {total}, its source {figures.total}"
        findings.breach("A8", Fault(data_type, document.id, detail, figures.total, total))
    if figures.net is None or figures.tax is None:
        return
    if figures.total == figures.net + figures.tax:
        expected = (figures.total, figures.net, figures.tax)
    elif figures.total == figures.net:  # tax that is told and not charged
        expected = (figures.total, figures.total, ZERO)
    else:
        return
    findings.looked("B5")
    said = (total, abs(document.sub_total), abs(tax))
    if said != expected:
        shown = " / ".join(map(str, expected))
        detail = f"{data_type} {document.id} is {' / '.join(map(str, said))}, its source {shown}"
        findings.breach("B5", Fault(data_type, document.id, detail))
