"""Asking for reads: datasets are queued, and whoever runs syncs works them off."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from sqlalchemy import Connection as Transaction

from comptoir.errors import Conflict, InvalidInput, NotFound
from comptoir.integrations.contract import Integration
from comptoir.model import DATA_TYPE_KEYS
from comptoir.store import CompanyId, ConnectionId, TenantId, companies, connections, datasets, profile
from comptoir.store.connections import Connection, ConnectionStatus
from comptoir.store.datasets import Dataset, Status

__all__ = ["due", "refuse", "request"]


def request(
    tx: Transaction,
    tenant: TenantId,
    company: CompanyId,
    integration_of: Callable[[str], Integration],
    *,
    data_types: Iterable[str] | None,
    connection: ConnectionId | None = None,
    whole: bool = False,
    now: datetime,
) -> tuple[ConnectionId, list[Dataset]]:
    """Queue reads: of the data types named, or of all that are read on first link; of what changed, or of the `whole`.

    With none named, types already running are passed over; a named one that is running is a Conflict. Raises NotFound
    for a type that is not supported, InvalidInput for one that does not exist, Conflict without a linked connection.
    """
    names = None if data_types is None else list(data_types)
    for name in names or ():
        if name not in DATA_TYPE_KEYS:
            raise InvalidInput(f"There is no data type {name!r}.", field="dataType")
    companies.get(tx, tenant, company)
    found = connections.of_company(tx, tenant, company)
    if connection is not None:
        found = [connections.get(tx, tenant, connection, company)]
    source = next((one for one in found if one.status is ConnectionStatus.LINKED), None)
    if source is None:
        states = ", ".join(one.status for one in found) or "none"
        raise Conflict(
            f"There is no linked connection to read from (state: {states}). Have the company linked over its Link URL, "
            "then ask again."
        )
    integration = integration_of(source.integration_key)
    if names is not None:
        for name in names:
            if integration.data_type(name) is None:
                raise NotFound(f"Datatype {name} not supported by platform(s) {integration.name}")
        return source.id, [_queued(tx, source, name, now, whole=whole) for name in names]
    settings = {one.data_type: one for one in profile.sync_settings(tx, tenant, company)}
    first = [
        one.name for one in integration.data_types if settings[one.name].fetch_on_first_link and source.allows(one.name)
    ]
    return source.id, queue_idle(tx, tenant, company, source.id, sorted(first, key=_order(settings)), now, whole=whole)


def _queued(tx: Transaction, source: Connection, data_type: str, now: datetime, *, whole: bool) -> Dataset:
    owner = (source.tenant_id, source.company_id, source.id)
    dataset = datasets.queue(tx, *owner, data_type, now, is_whole=whole)
    return dataset if source.allows(data_type) else refuse(tx, source, dataset, now)


def refuse(tx: Transaction, source: Connection, dataset: Dataset, now: datetime) -> Dataset:
    """End a dataset whose data type may not be read over its connection."""
    message = (
        f"The data type {dataset.data_type} may not be read over this connection. An operator allows it on the "
        "connection's page."
    )
    return datasets.advance(
        tx,
        source.tenant_id,
        dataset.id,
        status=Status.PERMISSIONS_ERROR,
        status_description=None,
        retry_at=None,
        error_message=message,
        completed=now,
        progress=100,
    )


def queue_idle(
    tx: Transaction,
    tenant: TenantId,
    company: CompanyId,
    connection: ConnectionId,
    data_types: Iterable[str],
    now: datetime,
    *,
    whole: bool = False,
) -> list[Dataset]:
    """Queue those of the data types that are not running."""
    running = {
        one.data_type
        for one in datasets.open_ones(tx, tenant, connection)
        if one.status is not Status.QUEUED or one.retry_at is None
    }
    return [
        datasets.queue(tx, tenant, company, connection, name, now, is_whole=whole)
        for name in data_types
        if name not in running
    ]


def _order(settings: dict[str, profile.SyncSetting]) -> Callable[[str], int]:
    return lambda name: settings[name].sync_order


def due(tx: Transaction, tenant: TenantId, connection: ConnectionId, now: datetime) -> list[Dataset]:
    """What waits to be read now, or was cut off while it was read."""
    return [
        one
        for one in datasets.open_ones(tx, tenant, connection)
        if one.status is not Status.QUEUED or one.retry_at is None or one.retry_at <= now
    ]
