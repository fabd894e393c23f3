"""A tenant's profile, and how often and how much is synced."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterable
from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection, Table

from comptoir.errors import InvalidInput
from comptoir.model import DATA_TYPE_KEYS
from comptoir.store.ids import TenantId
from comptoir.store.rows import only, upsert
from comptoir.store.tables import PROFILES, SYNC_SETTINGS

__all__ = [
    "DAY_HOURS",
    "REPORTS",
    "SCHEDULES",
    "Profile",
    "SyncSetting",
    "get",
    "history_from",
    "months_of_reports",
    "overridden",
    "put",
    "put_sync_settings",
    "sync_settings",
]

REPORTS = ("balanceSheet", "profitAndLoss", "cashFlowStatement")
DAY_HOURS = 24
_MONTHS = 24
SCHEDULES = (0, 1, DAY_HOURS, 7 * DAY_HOURS, 30 * DAY_HOURS)
_TIME_OF_DAY = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


class Profile(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    name: str
    redirect_url: str = ""
    logo_url: str | None = None
    icon_url: str | None = None
    white_list_urls: tuple[str, ...] = ()
    confirm_company_name: bool | None = None
    alert_auth_header: str | None = None


class SyncSetting(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """How one data type is kept fresh: `sync_schedule` in hours (0 none), lower `sync_order` first.

    `time_of_day` is HH:MM in UTC, for schedules of a day or longer; it is not part of the public API.
    """

    data_type: str
    fetch_on_first_link: bool
    sync_schedule: int
    sync_order: int
    sync_from_utc: str | None = None
    sync_from_window: int | None = None
    months_to_sync: int | None = None
    is_locked: bool = False
    time_of_day: str | None = None


# What costs many calls: reports, and the ledger, which cannot be asked for its changes.
_DAILY = (*REPORTS, "journalEntries")
_DEFAULTS = tuple(
    SyncSetting(
        data_type=name,
        fetch_on_first_link=True,
        sync_schedule=DAY_HOURS if name in _DAILY else 1,
        sync_order=0,
        months_to_sync=_MONTHS if name in REPORTS else None,
    )
    for name in DATA_TYPE_KEYS
)


def get(tx: Connection, tenant: TenantId, default_name: str) -> Profile:
    row = tx.execute(sa.select(PROFILES.c.document).where(only(PROFILES, tenant))).one_or_none()
    return Profile(name=default_name) if row is None else msgspec.json.decode(row.document, type=Profile)


def put(tx: Connection, tenant: TenantId, profile: Profile) -> None:
    _replace(tx, PROFILES, tenant, {}, msgspec.json.encode(profile))


def sync_settings(tx: Connection, tenant: TenantId, company: str = "") -> tuple[SyncSetting, ...]:
    """One setting for every data type: the company's own where it has them, else the tenant's, else the defaults."""
    for owner in dict.fromkeys((company, "")):
        mine = only(SYNC_SETTINGS, tenant, SYNC_SETTINGS.c.company_id == owner)
        row = tx.execute(sa.select(SYNC_SETTINGS.c.document).where(mine)).one_or_none()
        if row is not None:
            return msgspec.json.decode(row.document, type=tuple[SyncSetting, ...])
    return _DEFAULTS


def months_of_reports(tx: Connection, tenant: TenantId, company: str = "") -> int:
    """How many months reports are kept for: what the most demanding of them wants, for they share sources."""
    return max(one.months_to_sync or _MONTHS for one in sync_settings(tx, tenant, company) if one.data_type in REPORTS)


def history_from(tx: Connection, tenant: TenantId, company: str, now: datetime) -> dict[str, datetime]:
    """By data type, from when on records are wanted by the day the source last changed them; without, all of them."""
    found: dict[str, datetime] = {}
    for one in sync_settings(tx, tenant, company):
        if one.sync_from_utc is not None:
            found[one.data_type] = datetime.fromisoformat(one.sync_from_utc)
        elif one.sync_from_window is not None:
            found[one.data_type] = _months_before(now, one.sync_from_window)
    return found


def _months_before(now: datetime, months: int) -> datetime:
    """The same day so many months ago, or the month's last; not before the first day there is."""
    whole = max(now.year * 12 + now.month - 1 - months, 12)
    year, month = whole // 12, whole % 12 + 1
    day = min(now.day, monthrange(year, month)[1])
    return now.replace(year=year, month=month, day=day, hour=0, minute=0, second=0, microsecond=0)


def overridden(tx: Connection, tenant: TenantId, company: str = "") -> bool:
    mine = only(SYNC_SETTINGS, tenant, SYNC_SETTINGS.c.company_id == company)
    return tx.execute(sa.select(SYNC_SETTINGS.c.tenant_id).where(mine)).one_or_none() is not None


def put_sync_settings(
    tx: Connection,
    tenant: TenantId,
    settings: Iterable[SyncSetting] | None,
    company: str = "",
    *,
    keep_times: bool = False,
) -> None:
    """Change the data types named and keep the rest; None goes back to what stands above.

    `keep_times` leaves times of day as they are, for callers that do not know of them. Raises InvalidInput.
    """
    if settings is None:
        tx.execute(sa.delete(SYNC_SETTINGS).where(only(SYNC_SETTINGS, tenant, SYNC_SETTINGS.c.company_id == company)))
        return
    current = {one.data_type: one for one in sync_settings(tx, tenant, company)}
    for one in settings:
        if one.data_type not in current:
            raise InvalidInput(f"There is no data type {one.data_type!r}.", field="dataType")
        before = current[one.data_type]
        if before.is_locked:
            raise InvalidInput(f"The settings of {one.data_type} are locked.", field="isLocked")
        if one.sync_schedule not in SCHEDULES:
            allowed = ", ".join(map(str, SCHEDULES))
            raise InvalidInput(f"syncSchedule of {one.data_type} is in hours: {allowed}.", field="syncSchedule")
        if keep_times:
            time = before.time_of_day if one.sync_schedule >= DAY_HOURS else None
            current[one.data_type] = msgspec.structs.replace(one, time_of_day=time)
            continue
        if one.time_of_day is not None:
            _check_time(one)
        current[one.data_type] = one
    _replace(tx, SYNC_SETTINGS, tenant, {"company_id": company}, msgspec.json.encode(tuple(current.values())))


def _check_time(setting: SyncSetting) -> None:
    if not _TIME_OF_DAY.fullmatch(setting.time_of_day or ""):
        raise InvalidInput(
            f"The time of day of {setting.data_type} is written as hours and minutes: 06:30.", field="timeOfDay"
        )
    if setting.sync_schedule < DAY_HOURS:
        raise InvalidInput(
            f"{setting.data_type} has a time of day: choose a daily, weekly or monthly schedule, or take the time out.",
            field="timeOfDay",
        )


def _replace(tx: Connection, table: Table, tenant: TenantId, key: dict[str, str], document: bytes) -> None:
    upsert(tx, table, {"tenant_id": tenant, **key}, {"document": document})
