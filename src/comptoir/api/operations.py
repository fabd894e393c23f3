"""All operations there are, and the application that serves them."""

from __future__ import annotations

from comptoir.api import (
    attachments,
    books_check,
    companies,
    connections,
    coverage,
    history,
    integrations,
    later,
    openapi,
    records,
    refresh,
    reports,
    settings,
    trace,
)
from comptoir.api.routing import Operation
from comptoir.api.services import ApiServices
from comptoir.api.serving import Serving
from comptoir.api.throttle import Throttle

__all__ = ["OPERATIONS", "api"]

_SERVED: tuple[Operation, ...] = (
    *companies.OPERATIONS,
    *connections.OPERATIONS,
    *integrations.OPERATIONS,
    *coverage.OPERATIONS,
    *settings.OPERATIONS,
    *refresh.OPERATIONS,
    *books_check.OPERATIONS,
    *records.OPERATIONS,
    *reports.OPERATIONS,
    *attachments.OPERATIONS,
    *history.OPERATIONS,
    *trace.OPERATIONS,
    *later.OPERATIONS,
)
OPERATIONS: tuple[Operation, ...] = (*_SERVED, openapi.operation(_SERVED))


def api(services: ApiServices) -> Throttle:
    """The public API as a bare ASGI application, for whatever asks for its path or host."""
    return Throttle(Serving(services, OPERATIONS), services)
