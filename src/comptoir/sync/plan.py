"""What comes next over a connection: of all that waits, what is read together, and which resources that takes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import datetime

import msgspec
from sqlalchemy import Connection as Transaction

from comptoir.integrations.contract import DataType, Integration, Resource
from comptoir.store import DatasetId, SyncId, cursors, datasets, mappings, pages, profile, syncs
from comptoir.store.connections import Connection
from comptoir.store.datasets import Dataset, Status
from comptoir.store.syncs import Sync
from comptoir.sync.outcomes import COMPLETE
from comptoir.sync.requests import due

__all__ = ["Round", "following", "is_overtaken", "needed", "take_up"]

_ORDINARY_STAGE = 1


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """What of a sync is worked off together: the datasets of one place in the order of all."""

    sync: SyncId
    today: datetime
    place: tuple[int, int]
    datasets: tuple[DatasetId, ...]


def take_up(tx: Transaction, connection: Connection, integration: Integration, now: datetime) -> Round | None:
    """Take up what comes first of all that waits; None if nothing does."""
    tenant = connection.tenant_id
    waiting = due(tx, tenant, connection.id, now)
    if not waiting:
        return None
    place_of = _order(tx, connection, integration)
    first = min(map(place_of, waiting))
    chosen = [dataset for dataset in waiting if place_of(dataset) == first]
    sync = syncs.begin(tx, tenant, connection.id, now)
    for dataset in waiting:
        datasets.advance(tx, tenant, dataset.id, sync_id=sync.id)
    for dataset in chosen:
        _read_since(tx, connection, integration, sync, dataset)
        datasets.advance(
            tx,
            tenant,
            dataset.id,
            status=Status.FETCHING,
            started=dataset.started or now,
            retry_at=None,
            status_description=None,
            progress=5,
        )
    places = {data_type.name: place for place, data_type in enumerate(integration.data_types)}
    ordered = sorted(chosen, key=lambda one: places.get(one.data_type, len(places)))
    return Round(sync=sync.id, today=sync.started, place=first, datasets=tuple(one.id for one in ordered))


def is_overtaken(tx: Transaction, connection: Connection, integration: Integration, turn: Round, now: datetime) -> bool:
    """Whether something waits that comes before a round: it was asked for since, or its next try has come."""
    place_of = _order(tx, connection, integration)
    waiting = due(tx, connection.tenant_id, connection.id, now)
    return any(one.status is Status.QUEUED and place_of(one) < turn.place for one in waiting)


def _order(tx: Transaction, connection: Connection, integration: Integration) -> Callable[[Dataset], tuple[int, int]]:
    """Where datasets stand: by the order that is set, then by stage. After the first sync little is read of most, and
    the early stages go together."""
    tenant = connection.tenant_id
    orders = {one.data_type: one.sync_order for one in profile.sync_settings(tx, tenant, connection.company_id)}
    stages = {one.name: one.stage for one in integration.data_types}
    early = 0 if syncs.latest(tx, tenant, connection.id) is None else _ORDINARY_STAGE
    return lambda one: (orders.get(one.data_type, 0), max(early, stages.get(one.data_type, 0)))


def _read_since(
    tx: Transaction, connection: Connection, integration: Integration, sync: Sync, dataset: Dataset
) -> None:
    """Have read once more what this sync had read before the dataset was asked for, whole if that was wanted."""
    reads = syncs.reads(tx, connection.tenant_id, connection.id)
    its = needed(integration, [dataset], connection.access_level)
    for resource in its if dataset.is_whole else ():
        cursors.forget(tx, connection.tenant_id, connection.id, resource.name)
    old = [
        one.name
        for one in its
        if (read := reads.get(one.name)) is not None and read.sync_id == sync.id and read.read_at < dataset.requested
    ]
    syncs.read_again(tx, connection.tenant_id, connection.id, sync.id, old)
    pages.purge(tx, connection.tenant_id, sync.id, old)


def needed(integration: Integration, chosen: Iterable[Dataset], access_level: int | None) -> list[Resource]:
    """The resources that the chosen data types are made from, and those read along as far as the approving user may
    see them, with their parents, in reading order."""
    names: set[str] = set()
    for dataset in chosen:
        if (data_type := integration.data_type(dataset.data_type)) is not None:
            names.update(source.resource for source in data_type.sources)
            along = [integration.resource(name) for name in data_type.along]
            names.update(one.name for one in along if not access_level or one.access_level <= access_level)
    for resource in reversed(integration.resources):  # children come behind their parents
        if resource.name in names:
            names.update(resource.parents)
    return [resource for resource in integration.resources if resource.name in names]


def following(
    tx: Transaction, connection: Connection, integration: Integration, chosen: Collection[DataType]
) -> list[DataType]:
    """Data types that were mapped before and look at what is only now read, for the chosen ones: they follow it. One
    whose own sources could not all be read stays as it is."""
    arrived = {source.resource for one in chosen for source in one.sources}
    waiting = [
        one
        for one in integration.data_types
        if one not in chosen and any(hop.is_late and hop.to in arrived for hop in one.hops)
    ]
    if not waiting:
        return []
    held = mappings.of(tx, connection.tenant_id, connection.id)
    reads = syncs.reads(tx, connection.tenant_id, connection.id)
    whole = {name for name, read in reads.items() if read.outcome == COMPLETE}
    return [
        one
        for one in waiting
        if one.name in held
        and connection.allows(one.name)
        and all(source.resource in whole for source in one.sources if source.required)
    ]
