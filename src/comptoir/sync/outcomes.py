"""How the read of one resource ended, and what that means for whoever waits for it."""

from __future__ import annotations

from datetime import datetime

import msgspec

from comptoir.errors import NotSupported, PermissionsLacking, ProductError, TryLater, UpstreamChanged
from comptoir.store import SyncId
from comptoir.store.syncs import ResourceRead

__all__ = ["COMPLETE", "NOT_SUPPORTED", "SOME", "Outcome", "kept", "outcome_of", "to_keep"]

COMPLETE = "complete"
NOT_SUPPORTED = "not_supported"
SOME = 1  # how many records a read changed before the process ended is not known; that none did is not either


class Outcome(msgspec.Struct, kw_only=True):
    """`kind` is `complete`, or what went wrong, with its sentence in `message`; a `warning` leaves it complete."""

    kind: str = COMPLETE
    message: str | None = None
    level_needed: int | None = None
    retry_after_seconds: float | None = None
    records: int = 0
    set_aside: int = 0
    changed: int = 0  # new ones included
    deleted: int = 0
    passes: int = 1
    warning: str | None = None

    @property
    def is_complete(self) -> bool:
        return self.kind == COMPLETE


def outcome_of(error: ProductError) -> Outcome:
    """The outcome that an error of reading stands for; decided by its type alone."""
    if isinstance(error, PermissionsLacking):
        return Outcome(kind="permissions", message=error.message, level_needed=error.level_needed)
    if isinstance(error, NotSupported):
        return Outcome(kind=NOT_SUPPORTED, message=error.message)
    if isinstance(error, TryLater):
        return Outcome(kind="try_later", message=error.message, retry_after_seconds=error.retry_after_seconds)
    if isinstance(error, UpstreamChanged):
        return Outcome(kind="changed", message=error.message)
    return Outcome(kind="failed", message=error.message)


def to_keep(resource: str, sync: SyncId, outcome: Outcome, now: datetime) -> ResourceRead:
    """What is remembered of a read that has ended."""
    return ResourceRead(
        resource=resource,
        sync_id=sync,
        outcome=outcome.kind,
        message=outcome.warning if outcome.is_complete else outcome.message,
        level_needed=outcome.level_needed,
        set_aside=outcome.set_aside,
        deleted=outcome.deleted,
        read_at=now,
        seen_at=now if outcome.is_complete else None,
    )


def kept(read: ResourceRead) -> Outcome:
    """The outcome that was remembered."""
    if read.outcome != COMPLETE:
        return Outcome(kind=read.outcome, message=read.message, level_needed=read.level_needed)
    return Outcome(changed=SOME, set_aside=read.set_aside, deleted=read.deleted, warning=read.message)
