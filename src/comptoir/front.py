"""The socket that requests come in at, and whether they go to the API or to the pages."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from comptoir.errors import ActionNeeded

__all__ = ["by_tls_only", "divided", "is_below", "is_no_cut_off", "is_on_host", "listen"]

_BY_TLS_ONLY = (b"strict-transport-security", b"max-age=31536000")  # of this host alone: others are not ours to bind


def is_no_cut_off(line: logging.LogRecord) -> bool:
    """Requests that are cut off because we stop are no failures to log."""
    cause = line.exc_info[1] if line.exc_info else None
    return not isinstance(cause, asyncio.CancelledError) and "graceful shutdown exceeded" not in str(line.msg)


def listen(host: str, port: int, chosen_by: str) -> socket.socket:
    """Raises ActionNeeded if the port is taken; `chosen_by` names where another one is chosen."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise ActionNeeded(
            f"Comptoir cannot listen on {host}, port {port}: {error.strerror or error}. Stop what uses the port, or "
            f"choose another with {chosen_by}."
        ) from error
    listener.listen(512)
    listener.set_inheritable(True)
    return listener


def divided(is_for_chosen: Callable[[Scope], bool], chosen: ASGIApp, other: ASGIApp) -> ASGIApp:
    """Some requests go one way, all others the other. Nothing more stands before the API than before the pages."""

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        is_call = scope["type"] in (ScopeType.HTTP, ScopeType.WEBSOCKET)  # servers give a plain string
        await (chosen if is_call and is_for_chosen(scope) else other)(scope, receive, send)

    return dispatch


def by_tls_only(app: ASGIApp) -> ASGIApp:
    """Every answer has browsers come back by TLS alone. For an installation whose own address is https."""

    async def strict(scope: Scope, receive: Receive, send: Send) -> None:
        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], _BY_TLS_ONLY]
            await send(message)

        await app(scope, receive, answer)

    return strict


def is_on_host(host: str) -> Callable[[Scope], bool]:
    wanted = host.lower().encode()
    return lambda scope: dict(scope["headers"]).get(b"host", b"").split(b":", 1)[0].lower() == wanted


def is_below(path: str) -> Callable[[Scope], bool]:
    return lambda scope: scope["path"] == path or scope["path"].startswith(f"{path}/")
