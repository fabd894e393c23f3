"""What FreeAgent offers beyond the standard model: read along with the ledger and kept as it is, made into nothing.

Each is one row: a paged list whose records have addresses of their own, or a report that is kept whole. What is not
read at all is listed too, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from types import MappingProxyType

import msgspec

from comptoir.integrations.contract import Kind, RawRecord, RawRow, ReadWindow, Resource
from comptoir.integrations.freeagent import payloads
from comptoir.integrations.freeagent.drifting import without
from comptoir.integrations.freeagent.reading import payload_of
from comptoir.integrations.freeagent.references import day, last_segment, moment

__all__ = ["KEPT", "NOT_READ"]

_TAX_YEAR_ENDS = (4, 5)
_FIRST_PAYROLL_YEARS = 7  # as long as they must be kept by law, and the one that runs


class _Addressed(msgspec.Struct):
    url: str
    updated_at: str | None = None


_addressed = payload_of(_Addressed)
_company = payload_of(payloads.Company)


def _read(body: bytes) -> RawRecord:
    """A record goes by the last part of its address; what belongs to a user, whose returns go by days, by both."""
    record = _addressed(body)
    parts = record.url.split("/")
    owner = parts[parts.index("users") + 1] + "-" if "users" in parts[:-2] else ""
    return RawRecord(id=owner + last_segment(record.url), updated_at=moment(record.updated_at))


def _read_report(body: bytes) -> RawRecord:
    return RawRecord(id="", updated_at=None)  # it goes by the name of its window


# What a return comes to follows the books until it is filed: nobody edits it.
_figures_aside = without("amount_due", "breakdown")


def _list(
    name: str,
    level: int,
    *params: tuple[str, str],
    since: str | None = None,
    lasting: Callable[[bytes], object] | None = None,
) -> Resource:
    return Resource(
        name=name,
        path=f"/{name}",
        kind=Kind.LIST,
        keys=(name,),
        read=_read,
        params=params,
        access_level=level,
        since=since,
        lasting=lasting,
    )


def _report(name: str, level: int, key: str, path: str | None = None) -> Resource:
    return Resource(
        name=name, path=path or f"/{name}", kind=Kind.REPORT, keys=(key,), read=_read_report, access_level=level
    )


def _of_users(rows: Mapping[str, tuple[RawRow, ...]], today: date, months: int) -> tuple[ReadWindow, ...]:
    return tuple(ReadWindow(name=row.id, params=(("user", row.id),)) for row in rows["users"])


def _tax_years(rows: Mapping[str, tuple[RawRow, ...]], today: date, months: int) -> tuple[ReadWindow, ...]:
    """FreeAgent names a tax year by the year it ends in. None for a company that is not in the UK: it has no payroll.

    ValueError where the company does not tell when it began.
    """
    company = _company(rows["company"][0].body)
    if not (company.type or "").startswith("Uk"):
        return ()
    began = day(company.freeagent_start_date or "") or day(company.company_start_date or "")
    if began is None:
        raise ValueError("the company does not tell when it began")
    last = _tax_year(today)
    first = max(_tax_year(began), last - _FIRST_PAYROLL_YEARS + 1)
    return tuple(
        ReadWindow(name=str(year), params=(("year", str(year)),), is_closed=year < last)
        for year in range(first, last + 1)
    )


def _tax_year(on: date) -> int:
    return on.year + ((on.month, on.day) > _TAX_YEAR_ENDS)


def _of_tax_years(name: str, key: str) -> Resource:
    return Resource(
        name=name,
        path=f"/{name}/{{year}}",
        kind=Kind.REPORT,
        keys=(key,),
        read=_read_report,
        access_level=7,
        windows=_tax_years,
        windows_of=("company",),
    )


KEPT = (
    _report("business_categories", 1, "business_categories", "/company/business_categories"),
    _report("email_addresses", 1, "email_addresses"),
    _list("tasks", 1, ("view", "all"), since="updated_since", lasting=without()),
    _list("timeslips", 1, ("view", "all"), since="updated_since", lasting=without()),
    _list("estimates", 4, ("view", "all"), ("nested_estimate_items", "true"), since="updated_since", lasting=without()),
    _list("recurring_invoices", 4, lasting=without()),
    _report("cis_bands", 4, "available_bands"),
    _list("hire_purchases", 5),
    _list("bank_feeds", 6),
    # What an asset lost so far grows by the month.
    _list("capital_assets", 6, ("view", "all"), ("include_history", "true"), lasting=without("capital_asset_history")),
    _report("tax_timeline", 7, "timeline_items", "/company/tax_timeline"),
    _list("vat_returns", 7, lasting=_figures_aside),
    _list("corporation_tax_returns", 7, lasting=_figures_aside),
    _list("final_accounts_reports", 7),
    Resource(
        name="self_assessment_returns",
        path="/users/{user}/self_assessment_returns",
        kind=Kind.LIST,
        keys=("self_assessment_returns",),
        read=_read,
        access_level=7,
        lasting=_figures_aside,
        windows=_of_users,
        windows_of=("users",),
        asked_by_id=False,
    ),
    _of_tax_years("payroll", "periods"),
    _of_tax_years("payroll_profiles", "profiles"),
    _list("capital_asset_types", 8),
    _report("account_locks", 8, "account_locks"),
    _report("cis_settings", 8, "cis_settings"),
)

NOT_READ = MappingProxyType(
    {
        "attachments": "There is no list of them: bills, expenses and explanations tell of theirs. A file is fetched "
        "when somebody asks for it, and nothing of it is kept.",
        "bill_items": "They come with their bills.",
        "estimate_items": "They come with their estimates.",
        "notes": "They can be asked for only by contact and by project, one call for each: many calls a day for what "
        "rarely changes.",
        "payslips": "Each period of a tax year takes a call of its own. The year itself is kept, with its periods and "
        "payments.",
        "ec_moss_rates": "Asked for by country and day: they are the tax offices' tables, and no books of the company.",
        "practice": "It takes the access of an accountancy practice, and a company's own approval does not open it.",
        "clients": "They take the access of an accountancy practice.",
        "account_managers": "They take the access of an accountancy practice.",
    }
)
