"""How the read of one resource ended, and what that means for whoever waits for it."""

from __future__ import annotations

import msgspec

from comptoir.errors import NotSupported, PermissionsLacking, ProductError, TryLater, UpstreamChanged

__all__ = ["COMPLETE", "NOT_SUPPORTED", "Outcome", "outcome_of"]

COMPLETE = "complete"
NOT_SUPPORTED = "not_supported"


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
