"""All routes of the pages, under one guard and one way of failing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from litestar import Request, Router
from litestar.di import Provide

from comptoir.portal import (
    api_keys,
    books_check,
    companies,
    connections,
    data_history,
    health,
    integrations,
    link_pages,
    organisation,
    progress,
    records,
    schedules,
    sign_in,
    static_files,
    tracing,
)
from comptoir.portal.failures import handlers
from comptoir.portal.services import PortalServices
from comptoir.portal.visits import Visit, admit

__all__ = ["listed", "routes"]

_LARGEST_FORM_BYTES = 64 * 1024
_PORTAL: tuple[Any, ...] = (
    *sign_in.ROUTES,
    *static_files.ROUTES,
    *health.ROUTES,
    *integrations.ROUTES,
    *api_keys.ROUTES,
    *organisation.ROUTES,
    *schedules.ROUTES,
    *companies.ROUTES,
    *books_check.ROUTES,
    *connections.ROUTES,
    *records.ROUTES,
    *tracing.ROUTES,
    *data_history.ROUTES,
    *progress.ROUTES,
)


def routes(services: PortalServices) -> list[Router]:
    """Portal, Link pages and redirect address, ready to be mounted at the root of the application."""
    return [_router("/", _PORTAL, services), *_link_routers(services)]


def listed(link_path: str) -> list[tuple[str, str, str]]:
    """Every page as method, path, and what it takes: a permission's name, or `anyone`."""
    of_portal = [("", handler) for handler in _PORTAL]
    of_link = [(link_path, handler) for handler in link_pages.ROUTES] + [("", link_pages.callback)]
    return [
        (method, f"{prefix}{path}".rstrip("/") or "/", _asked(handler.opt.get("permission")))
        for prefix, handler in of_portal + of_link
        for path in sorted(handler.paths)
        for method in sorted(handler.http_methods)
    ]


def _asked(permission: Any) -> str:
    asked = permission if isinstance(permission, tuple) else (permission,)
    return " or ".join(str(one) for one in asked if one is not None) or "anyone"


def _link_routers(services: PortalServices) -> list[Router]:
    return [
        _router(services.link_path or "/", list(link_pages.ROUTES), services),
        _router("/", [link_pages.callback], services),
    ]


def _router(path: str, found: Sequence[Any], services: PortalServices) -> Router:
    return Router(
        path=path,
        route_handlers=found,
        guards=[admit(services)],
        dependencies={"visit": Provide(_visit, sync_to_thread=False)},
        exception_handlers=handlers(services),
        request_max_body_size=_LARGEST_FORM_BYTES,
        include_in_schema=False,
    )


def _visit(request: Request[Any, Any, Any]) -> Visit:
    visit = request.state.visit
    assert isinstance(visit, Visit)
    return visit
