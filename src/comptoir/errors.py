"""Errors raised on purpose, named by who acts and what happens next.

The engine decides by type, never by message text; a message is one plain sentence for a person. Anything that is
not a `ProductError` is a bug. No message ever holds a secret or a token.
"""

from __future__ import annotations

__all__ = [
    "ActionNeeded",
    "CommitUnknown",
    "Conflict",
    "InvalidInput",
    "MasterKeyWrong",
    "NotFound",
    "NotSupported",
    "OnHold",
    "OutcomeUnknown",
    "PermissionsLacking",
    "ProductError",
    "RelinkRequired",
    "SetupRequired",
    "StoreAway",
    "TryLater",
    "UpstreamChanged",
]


class ProductError(Exception):
    """Raised on purpose, with one sentence that says what happened and what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidInput(ProductError):
    """A person or a program sent something that cannot be taken; `field` names where, if anywhere."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class NotFound(ProductError):
    """No such thing, or another tenant's: the two are never told apart."""


class Conflict(ProductError):
    """The thing is in a state that forbids this now."""


class ActionNeeded(ProductError):
    """A person must act: relink, widen a permission, fix a setting."""


class RelinkRequired(ActionNeeded):
    """The upstream no longer accepts our access: its owner must approve again."""


class SetupRequired(ActionNeeded):
    """The operator's own set-up is at fault (app keys missing or wrong): no customer is to blame."""


class OnHold(ActionNeeded):
    """Whoever may do so has stopped all use of upstreams: nothing is asked of them until the hold is lifted."""


class MasterKeyWrong(ActionNeeded):
    """Sealed values cannot be opened with the key at hand."""


class PermissionsLacking(ActionNeeded):
    """The approving user's access level is too low for this resource; `level_needed` if known (0-8)."""

    def __init__(self, message: str, *, level_needed: int | None = None) -> None:
        super().__init__(message)
        self.level_needed = level_needed


class NotSupported(ProductError):
    """The upstream does not offer this resource to this company: normal, and not worth a retry."""


class TryLater(ProductError):
    """Not done; waiting is enough. `retry_after_seconds` is None when nobody said how long."""

    def __init__(self, message: str, *, retry_after_seconds: float | None = None, is_rate_limit: bool = False) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds
        self.is_rate_limit = is_rate_limit


class StoreAway(TryLater):
    """Our own database is down, busy or full: whatever was asked for elsewhere is not at fault."""


class CommitUnknown(StoreAway):
    """The answer to a commit was lost: whether it was done is found out by looking."""


class OutcomeUnknown(ProductError):
    """The answer was lost: look upstream before acting again."""


class UpstreamChanged(ProductError):
    """The answer cannot be read as documented; our code must change."""
