"""The Construction Industry Scheme as a company is registered for it, and the rates of EC VAT MOSS.

https://dev.freeagent.com/docs/cis_settings, /docs/ec_moss. Inferred: a scheme that documents were made under cannot be
left (409); everybody may read rates; the rates are the standard and one reduced rate of each country, whatever the day.
"""

from __future__ import annotations

from collections.abc import Mapping

from freeagent_standin.api.answers import bad_request
from freeagent_standin.api.desk import Body, Desk, day_text
from freeagent_standin.api.lists import day

_RATES = {
    "Austria": ("20.0", "10.0"),
    "Belgium": ("21.0", "6.0"),
    "Bulgaria": ("20.0", "9.0"),
    "Croatia": ("25.0", "13.0"),
    "Cyprus": ("19.0", "5.0"),
    "Czech Republic": ("21.0", "12.0"),
    "Denmark": ("25.0",),
    "Estonia": ("22.0", "9.0"),
    "Finland": ("25.5", "14.0"),
    "France": ("20.0", "5.5"),
    "Germany": ("19.0", "7.0"),
    "Greece": ("24.0", "6.0"),
    "Hungary": ("27.0", "5.0"),
    "Ireland": ("23.0", "9.0"),
    "Italy": ("22.0", "4.0"),
    "Latvia": ("21.0", "12.0"),
    "Lithuania": ("21.0", "9.0"),
    "Luxembourg": ("17.0", "3.0"),
    "Malta": ("18.0", "5.0"),
    "Netherlands": ("21.0", "9.0"),
    "Poland": ("23.0", "8.0"),
    "Portugal": ("23.0", "6.0"),
    "Romania": ("19.0", "5.0"),
    "Slovakia": ("23.0", "5.0"),
    "Slovenia": ("22.0", "5.0"),
    "Spain": ("21.0", "4.0"),
    "Sweden": ("25.0", "6.0"),
}
_BANDS = ("Standard", "Reduced")


def moss_rates(query: Mapping[str, str]) -> Body:
    """The rates of one country on one day."""
    country = query.get("country", "")
    if not country or not query.get("date"):
        raise bad_request("country and date parameters are required")
    day(query["date"], what="date")
    if country not in _RATES:
        raise bad_request("country is not a member of the EU")
    rates = zip(_RATES[country], _BANDS, strict=False)
    return {"sales_tax_rates": [{"percentage": rate, "band": band} for rate, band in rates]}


def cis_settings(desk: Desk) -> Body:
    """Which sides of the scheme a company is on; null for one that it is not on."""
    company = desk.world.company
    contractor = {"reporting_starts_on": day_text(company.freeagent_start), "paye_ni_period": "Monthly"}
    subcontractor = {
        "cis_deduction_rates": ["cis_gross", "cis_standard", "cis_higher"],
        "prior_deductions": None,
    }
    settings: Body = {
        "contractor_details": contractor if company.cis_contractor else None,
        "subcontractor_details": subcontractor if company.cis_subcontractor else None,
    }
    return {"cis_settings": settings}
