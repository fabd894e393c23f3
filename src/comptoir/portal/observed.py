"""Each request of the pages is counted and timed by its route, and bears an id that its answer and its log tell."""

from __future__ import annotations

from uuid import uuid4

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from comptoir.portal.services import PortalServices
from comptoir.runtime.correlation import correlated

__all__ = ["observed"]

_NO_ROUTE = "(none)"


def observed(pages: ASGIApp, services: PortalServices) -> ASGIApp:
    clock, metrics = services.clock, services.metrics

    async def observe(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await pages(scope, receive, send)
            return
        began = clock.monotonic()
        correlation_id = scope.setdefault("state", {}).setdefault("correlation_id", uuid4().hex)

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-correlation-id", correlation_id.encode())]
                route = scope.get("path_template") or _NO_ROUTE
                metrics.answered("pages", scope["method"], route, message["status"], clock.monotonic() - began)
            await send(message)

        with correlated(correlation_id=correlation_id):
            await pages(scope, receive, tell)

    return observe
