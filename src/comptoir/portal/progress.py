"""Live progress of a company's reads by server-sent events: the same part of the page, sent again when it changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from anyio.to_thread import run_sync
from litestar import get
from litestar.params import FromPath
from litestar.response import ServerSentEvent
from litestar.response.sse import ServerSentEventMessage

from comptoir.access import Permission, sessions
from comptoir.portal.companies import live_context
from comptoir.portal.pages import HEADERS, render
from comptoir.portal.visits import Asked

__all__ = ["ROUTES"]

_EVERY_SECONDS = 0.5
_LONGEST_SECONDS = 60  # then the browser asks again


@get("/companies/{company:str}/progress", opt={"permission": (Permission.READ_DATA, Permission.LINK)})
async def progress(visit: Asked, company: FromPath[str]) -> ServerSentEvent:
    def look() -> tuple[str, bool]:
        context = live_context(visit, company)
        content = render(
            "companies/live.html", visit.language, visit=visit, csrf=visit.csrf, Permission=Permission, **context
        )
        return content, context["state"].is_live

    def is_let_in() -> bool:
        """A session that ended, or another role since, ends what is watched at once too."""
        held = sessions.find(visit.services.db, visit.token, visit.services.clock.now())
        return held is not None and held.operator.role is visit.me.role

    first = await run_sync(look)  # raises for an unknown company while a status can still be sent

    async def changes() -> AsyncIterator[ServerSentEventMessage]:
        loop = asyncio.get_running_loop()
        until, last = loop.time() + _LONGEST_SECONDS, ""
        content, is_live = first
        while True:
            if content != last:
                yield ServerSentEventMessage(data=content, event="change")
                last = content
            if not is_live:
                yield ServerSentEventMessage(data="done", event="done")
                return
            if loop.time() > until or visit.services.is_stopping():
                return
            await asyncio.sleep(_EVERY_SECONDS)
            if not await run_sync(is_let_in):
                return
            content, is_live = await run_sync(look)

    return ServerSentEvent(changes(), headers=dict(HEADERS), retry_duration=1000)


ROUTES = (progress,)
