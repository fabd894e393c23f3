"""All routes of the pages, under one guard and one way of failing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from litestar import Request, Router
from litestar.di import Provide

from comptoir.access import Permission
from comptoir.portal import (
    account,
    api_keys,
    audit_trail,
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
    set_password,
    sign_in,
    single_sign_on,
    static_files,
    team,
    tracing,
)
from comptoir.portal.failures import handlers
from comptoir.portal.services import PortalServices
from comptoir.portal.visits import ANYONE, Visit, admit

__all__ = ["listed", "needed", "router", "routes"]

_LARGEST_FORM_BYTES = 64 * 1024
_PORTAL: tuple[Any, ...] = (
    *sign_in.ROUTES,
    *single_sign_on.ROUTES,
    *set_password.ROUTES,
    *account.ROUTES,
    *static_files.ROUTES,
    *integrations.ROUTES,
    *api_keys.ROUTES,
    *organisation.ROUTES,
    *schedules.ROUTES,
    *team.ROUTES,
    *audit_trail.ROUTES,
    *companies.ROUTES,
    *books_check.ROUTES,
    *connections.ROUTES,
    *records.ROUTES,
    *tracing.ROUTES,
    *data_history.ROUTES,
    *progress.ROUTES,
)


def routes(services: PortalServices) -> list[Router]:
    """Portal, Link pages and redirect address, ready to be mounted at the root of the application.

    Raises RuntimeError for a route that declares no permission: nothing is served then.
    """
    return [router("/", _PORTAL, services), health.router(services), *_link_routers(services)]


def listed(link_path: str) -> list[tuple[str, str, str]]:
    """Every page as method, path, and what it takes: a permission's name, or `anyone`."""
    of_portal = [("", handler) for handler in (*_PORTAL, *health.ROUTES)]
    of_link = [(link_path, handler) for handler in link_pages.ROUTES] + [("", link_pages.callback)]
    return [
        (method, f"{prefix}{path}".rstrip("/") or "/", needed(handler))
        for prefix, handler in of_portal + of_link
        for path in sorted(handler.paths)
        for method in sorted(handler.http_methods)
    ]


def needed(handler: Any) -> str:
    """The permission that a route declares, in words."""
    permission = handler.opt.get("permission")
    asked = permission if isinstance(permission, tuple) else (permission,)
    if not asked or not all(one == ANYONE or isinstance(one, Permission) for one in asked):
        raise RuntimeError(f"the route {' '.join(sorted(handler.paths))} declares no permission")
    return " or ".join(asked)


def _link_routers(services: PortalServices) -> list[Router]:
    return [
        router(services.link_path or "/", list(link_pages.ROUTES), services),
        router("/", [link_pages.callback], services),
    ]


def router(path: str, found: Sequence[Any], services: PortalServices) -> Router:
    for handler in found:
        needed(handler)
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
