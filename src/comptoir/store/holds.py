"""Holds: while one lies on a tenant, or on all of them, nothing is asked of any upstream for it.

What is held stays readable. Every call looks here first, so a hold counts for all processes at once.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from comptoir.errors import OnHold
from comptoir.store.database import Source, fetch
from comptoir.store.ids import TenantId
from comptoir.store.rows import only, upsert
from comptoir.store.tables import DATASET_IS_OPEN, DATASETS, HOLDS, META

__all__ = ["Hold", "Why", "lift", "of", "put", "refuse"]

Why = Literal["asked", "restored", "moved"]
_OF_ALL = "hold"  # the row of `meta` of a hold on every tenant
_FIND = (
    f"SELECT 1, value FROM meta WHERE name = '{_OF_ALL}' "  # noqa: S608 - our own names
    "UNION ALL SELECT 0, told FROM holds WHERE tenant_id = ? ORDER BY 1 DESC"
)


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """Since when, by whom, and why; `is_of_all` lies on every tenant, and only a command lifts it."""

    since: datetime
    by: str
    why: Why
    is_of_all: bool = False

    @property
    def sentence(self) -> str:
        since = f"{self.since:%Y-%m-%d %H:%M}"
        if self.why == "restored":
            return (
                f"Everything has been on hold since {since} UTC, because this system was restored from a backup. An "
                "Administrator lifts the hold once no other copy of it is running."
            )
        if self.why == "moved":
            return f"Everything has been on hold since {since} UTC, because these data were moved to another database."
        if self.is_of_all:
            return (
                f"Everything has been on hold since {since} UTC: whoever runs this installation asked for it. It goes "
                "on when the hold is lifted."
            )
        return (
            f"Everything has been on hold since {since} UTC: {self.by} asked for it. It goes on when the hold is "
            "lifted."
        )


_decode = msgspec.json.Decoder(Hold).decode


def of(source: Source, tenant: TenantId) -> Hold | None:
    """The hold that lies on a tenant, one on all of them first."""
    rows = fetch(source, _FIND, (tenant,))
    return _decode(rows[0][1]) if rows else None


def refuse(source: Source, tenant: TenantId) -> None:
    """OnHold with its sentence while a hold lies on the tenant."""
    if (hold := of(source, tenant)) is not None:
        raise OnHold(hold.sentence)


def put(tx: Connection, tenant: TenantId | None, *, by: str, why: Why, now: datetime) -> None:
    """Lay a hold on a tenant, or on all of them; one that lies there stays as it is."""
    hold = Hold(since=now, by=by, why=why, is_of_all=tenant is None)
    told = msgspec.json.encode(hold)
    if tenant is None:
        if tx.execute(sa.select(META.c.name).where(META.c.name == _OF_ALL)).one_or_none() is None:
            tx.execute(sa.insert(META).values(name=_OF_ALL, value=told))
        return
    upsert(tx, HOLDS, {"tenant_id": tenant}, {"told": told}, told=HOLDS.c.told)


def lift(tx: Connection, tenant: TenantId | None) -> bool:
    """Lift the hold of a tenant, or every hold there is; what waited for it is read at once. Whether one lay there."""
    if tenant is None:
        lifted = tx.execute(sa.delete(META).where(META.c.name == _OF_ALL)).rowcount
        lifted += tx.execute(sa.delete(HOLDS).where(HOLDS.c.tenant_id.is_not(None))).rowcount
        theirs: sa.ColumnElement[bool] = DATASETS.c.tenant_id.is_not(None)
    else:
        lifted = tx.execute(sa.delete(HOLDS).where(only(HOLDS, tenant))).rowcount
        theirs = only(DATASETS, tenant)
    waits = sa.and_(theirs, DATASET_IS_OPEN, DATASETS.c.retry_at.is_not(None))
    tx.execute(sa.update(DATASETS).where(waits).values(retry_at=None, status_description=None))
    return bool(lifted)
