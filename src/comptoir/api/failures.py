"""The one form of an error: status, a plain sentence, a correlation id, whether a retry may help. No internals."""

from __future__ import annotations

from typing import Literal

import msgspec

from comptoir.errors import (
    ActionNeeded,
    CommitUnknown,
    Conflict,
    InvalidInput,
    NotFound,
    NotSupported,
    OutcomeUnknown,
    ProductError,
    TryLater,
    UpstreamChanged,
)

__all__ = ["ErrorMessage", "Finding", "Findings", "Refused", "error_of", "sentence_of", "status_of"]

_STATUSES: tuple[tuple[type[ProductError], int], ...] = (
    (NotFound, 404),
    (NotSupported, 404),
    (InvalidInput, 400),
    (Conflict, 409),
    (ActionNeeded, 409),
    # Nobody is to do these again unseen, and SDKs repeat what answers with a 5xx for an hour.
    (CommitUnknown, 409),
    (OutcomeUnknown, 409),
    (UpstreamChanged, 409),
    (TryLater, 503),
)
_UNEXPECTED = "Something went wrong here. It is our fault, not yours, and it is noted under the correlation id."


class Refused(ProductError):
    """The request itself is refused before any operation sees it: no key, no such operation, too large."""

    def __init__(self, status: int, message: str, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers


class Finding(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    item_id: str | None
    message: str | None
    validator_name: str | None


class Findings(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    errors: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()


class ErrorMessage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The body of every answer that is not a success."""

    status_code: int
    service: Literal["PublicApi"] = "PublicApi"
    error: str
    correlation_id: str
    validation: Findings | None = None
    can_be_retried: Literal["True", "False", "Unknown"]
    detailed_error_code: int = 0


def status_of(error: Exception) -> int:
    if isinstance(error, Refused):
        return error.status
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), 500)


def sentence_of(error: Exception) -> str:
    """What may be told: a bug's own words never are."""
    return error.message if isinstance(error, ProductError) else _UNEXPECTED


def error_of(error: Exception, correlation_id: str) -> ErrorMessage:
    status = status_of(error)
    findings = None
    if isinstance(error, InvalidInput) and error.field:
        findings = Findings(
            errors=(Finding(item_id=error.field, message=error.message, validator_name="RequestValidator"),)
        )
    return ErrorMessage(
        status_code=status,
        error=sentence_of(error),
        correlation_id=correlation_id,
        validation=findings,
        can_be_retried=_can_be_retried(error, status),
    )


def _can_be_retried(error: Exception, status: int) -> Literal["True", "False", "Unknown"]:
    if status in (429, 503):
        return "True"
    return "Unknown" if status >= 500 or isinstance(error, (CommitUnknown, OutcomeUnknown)) else "False"
