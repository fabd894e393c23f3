"""What the end of a read means for the datasets that waited for it: go on, wait and try again, or end with a reason."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import Connection as Transaction

from comptoir.integrations.contract import DataType, Integration
from comptoir.store import TenantId, datasets
from comptoir.store.datasets import Dataset, Status, Warning_
from comptoir.sync.outcomes import Outcome

__all__ = ["Blocked", "blocked", "finish", "postpone", "put_on_hold", "retry_or_fail", "source_warnings"]

# Waits before the next try of what the upstream refused for now, in minutes; after the last one it is a FetchError.
_SLOW_RETRIES = (1, 5, 15, 30, 60, 120, 120, 120, 120, 120)
_SET_UP_LATER = timedelta(minutes=5)

Blocked = tuple[Status | None, str, float | None]  # a status to end with, or None: to be tried again; why; when


def blocked(data_type: DataType, outcomes: Mapping[str, Outcome], integration: Integration) -> Blocked | None:
    """Why a data type cannot be mapped: what befell the first required source that was not read."""
    for source in data_type.sources:
        outcome = outcomes.get(source.resource)
        if outcome is None or outcome.is_complete or not source.required:
            continue
        message = outcome.message or f"{source.resource} could not be read."
        if outcome.kind == "permissions":
            needed = outcome.level_needed
            level = integration.access_levels.get(data_type.access_level if needed is None else needed)
            by_whom = f" Have it approved again by a user with the access level {level!r} or higher." if level else ""
            return Status.PERMISSIONS_ERROR, message + by_whom, None
        if outcome.kind == "not_supported":
            return Status.NOT_SUPPORTED, message, None
        if outcome.kind == "try_later":
            return None, message, outcome.retry_after_seconds
        return Status.FETCH_ERROR, message, None
    return None


def source_warnings(data_type: DataType, outcomes: Mapping[str, Outcome]) -> list[Warning_]:
    """What was doubtful about the sources of a data type that is served all the same."""
    warnings: list[Warning_] = []
    for source in data_type.sources:
        outcome, name = outcomes.get(source.resource), source.resource
        if outcome is None:
            continue
        if not outcome.is_complete:
            warnings.append(_warning(name, f"Served without {name}: {outcome.message or 'it could not be read.'}"))
        if outcome.is_complete and outcome.warning:
            warnings.append(_warning(name, outcome.warning))
        if outcome.set_aside:
            warnings.append(
                _warning(name, f"{outcome.set_aside} records of {name} could not be read and were set aside.")
            )
    return warnings


def _warning(resource: str, message: str) -> Warning_:
    return Warning_(item_id=resource, message=message, rule_id="source", validator_name="source")


def finish(tx: Transaction, tenant: TenantId, dataset: Dataset, status: Status, message: str, now: datetime) -> None:
    """End a dataset with a reason."""
    datasets.advance(
        tx,
        tenant,
        dataset.id,
        status=status,
        status_description=None,
        error_message=message,
        completed=now,
        progress=100,
    )


def retry_or_fail(
    tx: Transaction, tenant: TenantId, dataset: Dataset, message: str, wait_seconds: float | None, now: datetime
) -> None:
    """Back to the queue until the next try; FetchError after the last one, until the next scheduled sync."""
    if dataset.attempt >= len(_SLOW_RETRIES):
        tried = f" It was tried {dataset.attempt + 1} times and is tried again at the next scheduled sync."
        finish(tx, tenant, dataset, Status.FETCH_ERROR, message + tried, now)
        return
    spread = random.Random(f"{dataset.id}/{dataset.attempt}").uniform(0.9, 1.1)  # noqa: S311 - spreads load only
    wait = max(timedelta(minutes=_SLOW_RETRIES[dataset.attempt]) * spread, timedelta(seconds=wait_seconds or 0))
    _wait_until(tx, tenant, dataset, message, now + wait, dataset.attempt + 1)


def postpone(tx: Transaction, tenant: TenantId, dataset: Dataset, message: str, now: datetime) -> None:
    """Back to the queue without spending a try: no customer and no upstream is to blame, the set-up is."""
    _wait_until(tx, tenant, dataset, message, now + _SET_UP_LATER, dataset.attempt)


def put_on_hold(tx: Transaction, tenant: TenantId, dataset: Dataset, message: str, now: datetime) -> None:
    """Back to the queue without spending a try, until the hold is lifted; looked at now and then all the same."""
    waits = {"retry_at": now + _SET_UP_LATER, "status_description": message, "progress": 0}
    datasets.advance(tx, tenant, dataset.id, status=Status.QUEUED, **waits)


def _wait_until(tx: Transaction, tenant: TenantId, dataset: Dataset, message: str, at: datetime, attempt: int) -> None:
    datasets.advance(
        tx,
        tenant,
        dataset.id,
        status=Status.QUEUED,
        attempt=attempt,
        retry_at=at,
        progress=0,
        status_description=f"{message} It is tried again at {at:%Y-%m-%d %H:%M} UTC; a refresh asked for runs at once.",
    )
