"""The stand-in as an ASGI application: who is calling, may they, what goes wrong, and what is answered.

The way of a call below /v2: faults that answer in FreeAgent's place, User-Agent, token, closed company, limits,
the API itself, faults that spoil the answer, the wire. It is kept short, because benchmarks run through it.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import random
import re
import secrets
import socket
import struct
import sys
import traceback
from collections.abc import Awaitable, Callable, MutableMapping
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import msgspec

from freeagent_standin import control, files, web, xml
from freeagent_standin.companies import World
from freeagent_standin.drift import drift
from freeagent_standin.faults import INSTEAD, Delivery, Reset, instead, spoil
from freeagent_standin.limits import TEST_LIMIT, Limit
from freeagent_standin.oauth import token_endpoint, too_many
from freeagent_standin.standin import Standin
from freeagent_standin.state import AccessToken
from freeagent_standin.wire import Answer, Call

if TYPE_CHECKING:
    from freeagent_standin.pages import Pages

__all__ = ["Server"]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_ORIGIN = re.compile("https?://[^/]+(?=/)", re.IGNORECASE)
_SLASHES = re.compile("/{2,}")
# `X-RateLimit-Test` counts with any other value: "a truthy value" in FreeAgent's words.
_FALSE = (b"", b"0", b"f", b"false", b"off", b"no")
_MOST_BODY_BYTES = 32 * 1024 * 1024


class Server:
    """Serves one stand-in."""

    def __init__(self, standin: Standin, answer: Callable[[Any, Call], Answer]) -> None:
        self.standin = standin
        self._answer = answer
        self._in_flight = 0
        self._chance = random.Random(standin.seed)  # noqa: S311 - drift is to be repeatable, not secret
        self._date = (0, "")
        self._pages: Pages | None = None

    # The front door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        body = await _body(scope, receive)
        if body is None:
            return  # the caller hung up in the middle of it: nothing is done
        request = web.Request(
            method=scope["method"],
            path=_tidied(scope["path"]),
            query_string=scope["query_string"],
            headers=dict(scope["headers"]),
            body=body,
            scheme=scope["scheme"],
            address=scope["client"][0] if scope["client"] else "",
        )
        if len(body) > _MOST_BODY_BYTES:
            await self._send(send, Delivery(answer=web.error(413, "Request body too large")))
        elif not request.has_good_host:
            await self._send(send, Delivery(answer=web.error(400, "The Host header is missing or not a host")))
        elif request.path.startswith("/v2/") or request.path == "/v2":
            self._in_flight += 1
            self.standin.counters.in_flight_peak = max(self.standin.counters.in_flight_peak, self._in_flight)
            try:
                await self._v2(request, send)
            finally:
                self._in_flight -= 1
        else:
            await self._send(send, Delivery(answer=self._beside_v2(request)))

    @property
    def pages(self) -> Pages:
        """The pages; made when the first is asked for, because templates take a while to load."""
        if self._pages is None:
            from freeagent_standin.pages import Pages

            self._pages = Pages(self.standin)
        return self._pages

    def _beside_v2(self, request: web.Request) -> Answer:
        """The control address and the pages."""
        try:
            if request.path == "/control" or request.path.startswith("/control/"):
                return control.answer(self.standin, request)
            if request.path.startswith("/files/"):
                return files.answer(self.standin.companies, request, self.standin.clock.seconds())
            return self.pages.answer(request)
        except Exception:  # a bug here must not look like a fault that was asked for
            return web.json_answer({"error": _report(request)}, 500)

    # Below /v2

    async def _v2(self, request: web.Request, send: Send) -> None:
        token = self._token(request)
        company_id = token.grant.company_id if token is not None else None
        actions = self.standin.faults.striking(request, company_id) if self.standin.faults else ()
        self.standin.counters.faults += len(actions)
        struck = next((action for action in actions if isinstance(action, INSTEAD)), None)
        if isinstance(struck, Reset):
            self._count(request, 0, 0, company_id)
            self._break(send)
            return
        answer = instead(struck) if struck is not None else None
        if answer is None:
            answer = self._true_answer(request, token)
        self._count(request, answer.status, _records_in(request, answer), company_id)
        delivery = spoil(answer, actions) if actions else Delivery(answer=answer)
        wait = delivery.wait_seconds + self.standin.settings.latency_seconds
        if wait > 0:
            await asyncio.sleep(wait)
        await self._send(send, delivery)

    def _count(self, request: web.Request, status: int, records: int, company_id: int | None) -> None:
        if request.path == "/v2/token_endpoint":
            self.standin.counters.token_statuses[status] += 1
        elif request.path != "/v2/approve_app":
            self.standin.counters.call(_resource(request.path), status, records, company_id)

    def _true_answer(self, request: web.Request, token: AccessToken | None) -> Answer:
        try:
            if request.path == "/v2/token_endpoint":
                return token_endpoint(
                    request,
                    state=self.standin.state,
                    clock=self.standin.clock,
                    settings=self.standin.settings,
                    windows=self.standin.windows,
                    counters=self.standin.counters,
                )
            if request.path == "/v2/approve_app":
                return self.pages.answer(request)
            answer = _with_usual_headers(self._call(request, token), request.method)
            return xml.written(answer) if xml.is_wanted(request.header(b"accept"), request.path) else answer
        except Exception:  # a bug of ours is answered as FreeAgent answers its own
            return web.error(500, _report(request))

    def _token(self, request: web.Request) -> AccessToken | None:
        """The live access token the call shows, if it shows one."""
        scheme, _, value = request.headers.get(b"authorization", b"").partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        token = self.standin.state.access.get(value.strip().decode("latin-1"))
        if token is None or (token.expires_at is not None and token.expires_at <= self.standin.clock.seconds()):
            return None
        return token

    def _call(self, request: web.Request, token: AccessToken | None) -> Answer:
        settings = self.standin.settings
        if settings.missing_user_agent_status is not None and not request.headers.get(b"user-agent", b"").strip():
            return web.error(settings.missing_user_agent_status, "A User-Agent header is required")
        if token is None:
            return web.error(401, "Access token not recognised")
        grant = token.grant
        if grant.company_id in self.standin.state.closed:
            status = self.standin.state.closed[grant.company_id]
            return web.error(status, "Access token not recognised" if status == 401 else "This company is closed")
        world = self.standin.companies.get(grant.company_id)
        user = self.standin.companies.user(world, grant.user_id)
        if user is None:
            return web.error(401, "Access token not recognised")
        refused = self._over_a_limit(request, token)
        if refused is not None:
            return refused
        body = request.body
        if body and xml.is_body(request.header(b"content-type")):
            try:
                body = xml.read(body)
            except ValueError as problem:
                return web.error(400, str(problem))
        now = self.standin.clock.now()
        call = Call(
            method="GET" if request.method == "HEAD" else request.method,
            path=request.path[3:].strip("/"),
            query=request.query,
            body=body,
            base_url=request.origin,
            now=now,
            level=user.permission_level,
            user_id=user.id,
            change=lambda op: self.standin.companies.change(world.id, op, now),
        )
        answer = self._answer(world, call)
        if settings.page_drift and call.method == "GET" and _has_next(answer):
            self._drift(world, call, answer)
        return answer

    def _over_a_limit(self, request: web.Request, token: AccessToken) -> Answer | None:
        now = self.standin.clock.seconds()
        grant = token.grant
        who = f"{grant.client_id or 'ready-made'}/{grant.company_id}/{grant.user_id}"
        self.standin.counters.in_windows(who, request.address, now)
        limits = self.standin.settings.limits
        asked: list[tuple[str, Limit]] = []
        if limits.minute is not None:
            asked.append((who, limits.minute))
        if limits.hour is not None:
            asked.append((who, limits.hour))
        if limits.address is not None:
            asked.append((request.address, limits.address))
        if request.headers.get(b"x-ratelimit-test", b"").strip().lower() not in _FALSE:
            asked.append((f"test/{who}", TEST_LIMIT))
        refusal = self.standin.windows.take(tuple(asked), now) if asked else None
        if refusal is None:
            return None
        return too_many(refusal.limit.calls, refusal.limit.seconds, refusal.retry_after_seconds)

    def _drift(self, world: World, call: Call, answer: Answer) -> None:
        left = self.standin.settings.page_drift
        if drift(self.standin.companies, world, call, answer, self._chance):
            self.standin.counters.drifts += 1
            if left is not True:
                self.standin.settings = msgspec.structs.replace(self.standin.settings, page_drift=int(left) - 1)

    # The wire

    async def _send(self, send: Send, delivery: Delivery) -> None:
        answer = delivery.answer
        if delivery.is_lost:
            self._break(send)
            return
        body = answer.body
        headers = [
            (b"date", self._now_header()),
            (b"content-type", answer.content_type.encode("latin-1")),
            (b"content-length", str(len(body)).encode()),
        ]
        headers += [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
        if delivery.cut_after_bytes is not None:
            # Closed in good order after too few bytes: what a proxy that gives up leaves behind.
            part = body[: min(delivery.cut_after_bytes, max(0, len(body) - 1))]
            await send({"type": "http.response.start", "status": answer.status, "headers": headers})
            await send({"type": "http.response.body", "body": part, "more_body": True})
            self.standin.counters.broken += 1
            _transport(send).close()
            return
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        if delivery.stall_after_bytes is not None:
            await send({"type": "http.response.body", "body": body[: delivery.stall_after_bytes], "more_body": True})
            await asyncio.sleep(delivery.stall_seconds)
            body = body[delivery.stall_after_bytes :]
        await send({"type": "http.response.body", "body": body})

    def _now_header(self) -> bytes:
        second = int(self.standin.clock.seconds())
        if self._date[0] != second:
            self._date = (second, formatdate(second, usegmt=True))
        return self._date[1].encode()

    def _break(self, send: Send) -> None:
        """Reset the connection: the other side sees it fail, not end."""
        self.standin.counters.broken += 1
        transport = _transport(send)
        sock = transport.get_extra_info("socket")
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()


def _transport(send: Send) -> asyncio.Transport:
    """The connection behind an answer; uvicorn's `send` is a method of the exchange that has it."""
    transport = send.__self__.transport  # type: ignore[attr-defined]  # uvicorn offers no other way to break one
    assert isinstance(transport, asyncio.Transport)
    return transport


def _tidied(path: str) -> str:
    """The path without what web servers overlook: the origin that a client behind a proxy puts in front, slashes
    doubled where an origin and a path were put together, and one at the end of an address that stands for itself."""
    path = _SLASHES.sub("/", _ORIGIN.sub("", path, count=1) if path[:4].lower() == "http" else path)
    return path.rstrip("/") if path.rstrip("/") in ("/v2/token_endpoint", "/v2/approve_app") else path


async def _body(scope: Scope, receive: Receive) -> bytes | None:
    """The whole body, or the first part of one that is larger than anything FreeAgent takes; None if it never came."""
    if not any(name in (b"content-length", b"transfer-encoding") for name, _ in scope["headers"]):
        return b""
    body = bytearray()
    while len(body) <= _MOST_BODY_BYTES:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if not message.get("more_body", False):
            break
    return bytes(body)


def _report(request: web.Request) -> str:
    """Tell whoever runs the stand-in of a bug in it; returns what to tell the caller."""
    print(f"A bug in the stand-in, at {request.method} {request.path}:", file=sys.stderr)  # noqa: T201
    traceback.print_exc()
    return "Internal server error (a bug in the stand-in; its log has the details)"


def _resource(path: str) -> str:
    """The words of an address below /v2, without ids: `invoices` for /v2/invoices/12."""
    return "/".join(part for part in path[4:].split("/") if part and not part[0].isdigit())


def _has_next(answer: Answer) -> bool:
    return any(name.lower() == "link" and 'rel="next"' in value for name, value in answer.headers)


def _records_in(request: web.Request, answer: Answer) -> int:
    """How many records an answer of the API holds."""
    if answer.status != 200 or request.method != "GET" or request.path == "/v2/approve_app":
        return 0
    total = next((value for name, value in answer.headers if name.lower() == "x-total-count"), None)
    if total is not None:
        query = dict(request.query)
        per_page = _number(query.get("per_page"), 25)
        before = (_number(query.get("page"), 1) - 1) * min(per_page, 100)
        return max(0, min(min(per_page, 100), int(total) - before))
    try:
        document = msgspec.json.decode(answer.body)
    except msgspec.DecodeError:
        return 0
    if not isinstance(document, dict):
        return 0
    lists = [len(value) for value in document.values() if isinstance(value, list)]
    return sum(lists) if lists else 1


def _number(text: str | None, default: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0 else default


def _with_usual_headers(answer: Answer, method: str) -> Answer:
    """What every answer of the API carries, where the API has not said it itself."""
    given = {name.lower() for name, _ in answer.headers}
    usual = [("X-Request-Id", secrets.token_hex(16)), ("Cache-Control", "no-store")]
    if method in ("GET", "HEAD") and answer.status == 200:
        usual.append(("ETag", f'W/"{hashlib.blake2b(answer.body, digest_size=16).hexdigest()}"'))
    more = tuple(pair for pair in usual if pair[0].lower() not in given)
    return msgspec.structs.replace(answer, headers=(*answer.headers, *more))
