"""All operations there are, and the one route that leads to them."""

from __future__ import annotations

from litestar import asgi
from litestar.handlers import ASGIRouteHandler

from comptoir.api import companies, connections, integrations, later, openapi, records, refresh, settings
from comptoir.api.routing import Operation
from comptoir.api.services import ApiServices
from comptoir.api.serving import Serving

__all__ = ["OPERATIONS", "api", "routes"]

_SERVED: tuple[Operation, ...] = (
    *companies.OPERATIONS,
    *connections.OPERATIONS,
    *integrations.OPERATIONS,
    *settings.OPERATIONS,
    *refresh.OPERATIONS,
    *records.OPERATIONS,
    *later.OPERATIONS,
)
OPERATIONS: tuple[Operation, ...] = (*_SERVED, openapi.operation(_SERVED))


def api(services: ApiServices) -> Serving:
    """The public API as a bare ASGI application, for hosts that serve nothing else."""
    return Serving(services, OPERATIONS)


def routes(services: ApiServices) -> list[ASGIRouteHandler]:
    """The public API, ready to be mounted at the root of the application: it carries its own path."""
    return [asgi(services.path or "/", is_mount=True, copy_scope=False)(api(services))]
