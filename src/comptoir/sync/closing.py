"""A sync is over: its run is closed, and the events that tell of it go into the same transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection as Transaction

from comptoir.store import (
    ConnectionId,
    SyncId,
    TenantId,
    calls,
    companies,
    connections,
    datasets,
    events,
    history,
    pages,
    syncs,
)
from comptoir.store.connections import Connection
from comptoir.store.datasets import Dataset, Status
from comptoir.sync import checks

__all__ = ["close"]


def close(
    tx: Transaction,
    tenant: TenantId,
    connection_id: ConnectionId,
    sync: SyncId,
    *,
    made: int,
    report: checks.Report | None,
    now: datetime,
) -> None:
    """Close the run with the number of calls `made`, and tell of it and of what the check found; a second time does
    nothing."""
    active = syncs.active(tx, tenant, connection_id)
    if active is None or active.id != sync:
        return
    connection = connections.get(tx, tenant, connection_id)
    before = syncs.latest(tx, tenant, connection_id)
    is_first = before is None or (connection.linked_at is not None and before.started < connection.linked_at)
    encoded = None if report is None else msgspec.json.encode(report)
    syncs.end(tx, tenant, sync, calls=made, checks=encoded, now=now)
    pages.purge(tx, tenant, sync)
    calls.fold(tx, tenant, connection_id, sync, now)
    history.purge(tx, tenant, connection_id, now)
    newest = {one.data_type: one for one in datasets.of_syncs(tx, tenant, connection_id, [sync])[sync]}
    ended = [one for one in newest.values() if one.status.is_ended]
    if report is not None:
        ended = [
            datasets.warn(tx, tenant, one.id, checks.warnings_of(report, one.data_type))
            if one.status is Status.COMPLETE
            else one
            for one in ended
        ]
        if any(one.status is Status.COMPLETE for one in ended):
            connections.set_last_sync(tx, tenant, connection_id, now)
    datasets.purge(tx, tenant, connection_id, now)
    syncs.purge(tx, tenant, connection_id, now - datasets.QUIET_KEPT)
    if not ended:
        return
    payload = _read_completed(tx, tenant, connection, ended)
    events.append(tx, tenant, "read.completed", payload, now)
    if is_first:
        events.append(tx, tenant, "read.completed.initial", payload, now)


def _read_completed(
    tx: Transaction, tenant: TenantId, connection: Connection, ended: list[Dataset]
) -> Mapping[str, Any]:
    company = companies.get(tx, tenant, connection.company_id)
    return {
        "referenceCompany": {"id": company.id, "name": company.name, "description": company.description},
        "modifiedFromDate": None,
        "dataTypes": [
            {
                "connectionId": connection.id,
                "dataType": dataset.data_type,
                "recordsModified": bool(dataset.records_new or dataset.records_changed or dataset.records_deleted),
                "status": dataset.status.value,
                "issues": [_issue(dataset)] if dataset.warnings else [],
            }
            for dataset in ended
        ],
    }


def _issue(dataset: Dataset) -> Mapping[str, Any]:
    """That something was doubtful, and where it is told; addresses are relative, to the API and to the portal."""
    count, wrong = len(dataset.warnings), sum(map(checks.is_of_the_check, dataset.warnings))
    found = f"{count} finding{'' if count == 1 else 's'} in {dataset.data_type}"
    return {
        "type": "warning.validation",
        "message": f"{found}, {wrong} of them from the books check." if wrong else f"{found}.",
        "links": {
            "logs": f"/companies/{dataset.company_id}/sync/{dataset.id}/validation",
            "portal": f"/companies/{dataset.company_id}/books-check/{dataset.sync_id}",
        },
    }
