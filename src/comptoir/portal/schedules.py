"""Settings > Schedules: how often each data type is read, for all companies or for one of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from comptoir.access import Permission
from comptoir.portal.languages import N_
from comptoir.portal.looks import LOOKS
from comptoir.portal.visits import Asked, Visit
from comptoir.store import CompanyId, companies, events, profile
from comptoir.store.profile import DAY_HOURS, REPORTS, SyncSetting

__all__ = ["ROUTES"]

_MAY = {"permission": Permission.MANAGE_SETTINGS}
_PAGE = "/settings/schedules"
_NAMES: Mapping[int, str] = MappingProxyType(
    {0: N_("Never"), 1: N_("Hourly"), 24: N_("Daily"), 168: N_("Weekly"), 720: N_("Monthly")}
)
_TIME = re.compile(r"(\d{2}:\d{2})(:00)?")
_NO_TIME = N_("Write the time as hours and minutes, such as 06:30.")
_TIME_NEEDS_DAYS = N_("A time of day needs a daily, weekly or monthly schedule.")
_NO_ORDER = N_("Write a whole number from 0 to 999.")
_NO_MONTHS = N_("Write how many months to keep, from 1 to 120.")


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    """One data type as it stands in the form, and what is wrong with it by field."""

    key: str
    name: str
    is_report: bool
    schedule: int
    time: str
    order: str
    months: str
    is_first: bool
    errors: Mapping[str, str] = {}


@get(_PAGE, opt=_MAY, sync_to_thread=True)
def show_schedules(visit: Asked) -> Response[Any]:
    with visit.services.db.read() as tx:
        settings = profile.sync_settings(tx, visit.tenant)
        is_own = profile.overridden(tx, visit.tenant)
    return _show(visit, None, map(_row, _offered(visit, settings)), is_own=is_own)


@post(_PAGE, opt=_MAY, status_code=200, sync_to_thread=True)
def save_schedules(visit: Asked) -> Response[Any]:
    return _save(visit, None)


@get("/companies/{company:str}/schedules", opt=_MAY, sync_to_thread=True)
def show_company_schedules(visit: Asked, company: FromPath[str]) -> Response[Any]:
    with visit.services.db.read() as tx:
        found = companies.get(tx, visit.tenant, company)
        settings = profile.sync_settings(tx, visit.tenant, found.id)
        is_own = profile.overridden(tx, visit.tenant, found.id)
    return _show(visit, found, map(_row, _offered(visit, settings)), is_own=is_own)


@post("/companies/{company:str}/schedules", opt=_MAY, status_code=200, sync_to_thread=True)
def save_company_schedules(visit: Asked, company: FromPath[str]) -> Response[Any]:
    with visit.services.db.read() as tx:
        found = companies.get(tx, visit.tenant, company)
    return _save(visit, found)


def _offered(visit: Visit, settings: Iterable[SyncSetting]) -> list[SyncSetting]:
    """The settings of what any integration supplies, in the order in which it is read."""
    places = [data_type.name for one in visit.services.integrations for data_type in one.data_types]
    return sorted((one for one in settings if one.data_type in places), key=lambda one: places.index(one.data_type))


def _row(setting: SyncSetting) -> _Row:
    return _Row(
        key=setting.data_type,
        name=LOOKS[setting.data_type].name,
        is_report=setting.data_type in REPORTS,
        schedule=setting.sync_schedule,
        time=setting.time_of_day or "",
        order=str(setting.sync_order),
        months=str(setting.months_to_sync or ""),
        is_first=setting.fetch_on_first_link,
    )


def _show(
    visit: Visit, company: companies.Company | None, rows: Iterable[_Row], *, is_own: bool, status: int = 200
) -> Response[Any]:
    return visit.page(
        "schedules.html",
        status,
        here=_address(company),
        company=company,
        rows=list(rows),
        is_own=is_own,
        names=_NAMES,
    )


def _address(company: companies.Company | None) -> str:
    return _PAGE if company is None else f"/companies/{company.id}/schedules"


def _save(visit: Visit, company: companies.Company | None) -> Response[Any]:
    owner = "" if company is None else company.id
    with visit.services.db.read() as tx:
        settings = _offered(visit, profile.sync_settings(tx, visit.tenant, owner))
        is_own = profile.overridden(tx, visit.tenant, owner)
    changed: list[SyncSetting] | None = None  # None: back to what stands above
    if not visit.form.get("defaults"):
        rows = [_sent(visit, one) for one in settings]
        if any(row.errors for row in rows):
            return _show(visit, company, rows, is_own=is_own, status=422)
        after = [_changed(one, row) for one, row in zip(settings, rows, strict=True)]
        changed = [one for one, before in zip(after, settings, strict=True) if one != before]
        if not changed:
            return visit.go(_address(company), said="schedules-saved")
    with visit.services.db.write() as tx:
        profile.put_sync_settings(tx, visit.tenant, changed, CompanyId(owner))
        events.audit(tx, visit.tenant, visit.actor, "syncSettings.changed", owner or None, visit.services.clock.now())
    return visit.go(_address(company), said="schedules-saved" if changed else "schedules-default")


def _sent(visit: Visit, setting: SyncSetting) -> _Row:
    """A data type's fields as they were sent; one that was not sent stays as it is."""
    key, form, stood = setting.data_type, visit.form, _row(setting)
    if f"schedule-{key}" not in form:
        return stood
    time, order = form.get(f"time-{key}", "").strip(), form.get(f"order-{key}", stood.order).strip()
    months = form.get(f"months-{key}", stood.months).strip()
    chosen = next((hours for hours in _NAMES if str(hours) == form[f"schedule-{key}"]), stood.schedule)
    errors: dict[str, str] = {}
    if time and not _is_time(time):
        errors["time"] = visit.say(_NO_TIME)
    elif time and chosen < DAY_HOURS:
        errors["time"] = visit.say(_TIME_NEEDS_DAYS)
    if not _is_number(order, 0, 999):
        errors["order"] = visit.say(_NO_ORDER)
    if stood.is_report and not _is_number(months, 1, 120):
        errors["months"] = visit.say(_NO_MONTHS)
    return msgspec.structs.replace(
        stood,
        schedule=chosen,
        time=time[:20],
        order=order[:20],
        months=months[:20],
        is_first=f"first-{key}" in form,
        errors=errors,
    )


def _is_time(text: str) -> bool:
    found = _TIME.fullmatch(text)
    return found is not None and found[1] < "24" and found[1][3:] < "60"


def _is_number(text: str, least: int, most: int) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 5 and least <= int(text) <= most


def _changed(setting: SyncSetting, row: _Row) -> SyncSetting:
    return msgspec.structs.replace(
        setting,
        sync_schedule=row.schedule,
        time_of_day=row.time[:5] or None,
        sync_order=int(row.order),
        months_to_sync=int(row.months) if row.is_report else None,
        fetch_on_first_link=row.is_first,
    )


ROUTES = (show_schedules, save_schedules, show_company_schedules, save_company_schedules)
