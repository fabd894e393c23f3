"""What syncs did, told afterwards: when, with how many calls, and exactly which records are new, changed or gone.

A record that somebody edited at the source is told apart from one that only followed, as an account's balance follows
an invoice: the first kind was made from a row that the same sync found changed.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection as Transaction

from comptoir.integrations.contract import Integration
from comptoir.store import CompanyId, ConnectionId, SyncId, TenantId, datasets, history, originals, syncs
from comptoir.store.calls import Made as MadeCall
from comptoir.store.datasets import Dataset
from comptoir.store.history import Change, Counted, Layer, Noted
from comptoir.store.originals import Made
from comptoir.store.rows import Page
from comptoir.store.syncs import Sync

__all__ = ["Told", "Touched", "curl", "page", "tell", "touched", "unmapped"]


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One sync: the datasets that it read, and how many records it changed, by resource of the source and by data type.
    A first read is no change: nothing is counted of it here."""

    sync: Sync
    datasets: tuple[Dataset, ...]
    source: dict[str, Counted]
    standard: dict[str, Counted]


class Touched(msgspec.Struct, frozen=True, kw_only=True):
    """A standard record that a sync changed. `is_direct`: its own record at the source changed, and not only others
    that it is told with. `made` is how it is today."""

    data_type: str
    id: str
    change: Change
    is_direct: bool
    made: Made | None


def page(tx: Transaction, tenant: TenantId, connection: ConnectionId, number: int = 1, size: int = 100) -> Page:
    """Syncs over a connection, the newest first."""
    found = syncs.list_page(tx, tenant, connection, number, size)
    return Page(found.total, _told(tx, tenant, connection, found.rows))


def tell(tx: Transaction, tenant: TenantId, connection: ConnectionId, sync: str) -> Told:
    """One sync; NotFound if there is none over this connection."""
    [told] = _told(tx, tenant, connection, [syncs.get(tx, tenant, connection, sync)])
    return told


def _told(tx: Transaction, tenant: TenantId, connection: ConnectionId, found: Sequence[Sync]) -> list[Told]:
    ids = [one.id for one in found]
    read = datasets.of_syncs(tx, tenant, connection, ids)
    source = history.counted(tx, tenant, connection, ids, Layer.SOURCE)
    standard = history.counted(tx, tenant, connection, ids, Layer.STANDARD)
    return [
        Told(
            sync=one,
            datasets=tuple(read.get(one.id, ())),
            source=dict(source.get(one.id, {})),
            standard=dict(standard.get(one.id, {})),
        )
        for one in found
    ]


def touched(
    tx: Transaction,
    tenant: TenantId,
    company: CompanyId,
    connection: ConnectionId,
    sync: SyncId,
    data_type: str | None = None,
    number: int = 1,
    size: int = 100,
) -> Page:
    """The standard records that a sync changed, of one data type or of all, by data type and id."""
    owner = (tenant, connection, sync)
    found = history.list_page(tx, *owner, Layer.STANDARD, name=data_type, page=number, page_size=size)
    ids: dict[str, list[str]] = {}
    for one in found.rows:
        ids.setdefault(one.name, []).append(one.id)
    made = {name: originals.made_all(tx, tenant, company, connection, name, those) for name, those in ids.items()}
    resources = {one.resource for those in made.values() for one in those.values()}
    changed = {resource: history.of(tx, *owner, Layer.SOURCE, resource) for resource in resources}

    def of(one: Noted) -> Touched:
        record = made[one.name].get(one.id)
        is_direct = record is not None and record.source_id in changed[record.resource]
        return Touched(data_type=one.name, id=one.id, change=one.change, is_direct=is_direct, made=record)

    return Page(found.total, [of(one) for one in found.rows])


def unmapped(
    tx: Transaction, tenant: TenantId, connection: ConnectionId, told: Told, integration: Integration
) -> list[Noted]:
    """Records of the source that a sync changed and nothing is made from."""
    mapped = {making.resource for one in integration.data_types for making in one.made_from}
    return [
        Noted(resource, id_, change)
        for resource in sorted(told.source.keys() - mapped)
        for id_, change in history.of(tx, tenant, connection, told.sync.id, Layer.SOURCE, resource).items()
    ]


_TOKENS = ('-u "$CLIENT_ID:$CLIENT_SECRET"', "-d grant_type=refresh_token", '-d "refresh_token=$REFRESH_TOKEN"')
_READS = ("-H 'Accept: application/json'", '-H "Authorization: Bearer $ACCESS_TOKEN"')


def curl(call: MadeCall) -> str:
    """A call as a command for a shell; what is secret is a variable that whoever runs it sets."""
    return " ".join(("curl -sS -i", *(_READS if call.method == "GET" else _TOKENS), shlex.quote(call.url)))
