"""Serves operations over ASGI: who asks, which operation, one form for every error.

A mounted application of our own rather than a handler per route: paths match in any letter case and ids may hold
encoded slashes, every path answers errors in the documented form, and little stands between a request and the stored
bytes it is answered with.
"""

from __future__ import annotations

import base64
import binascii
import threading
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import msgspec
import structlog
from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from litestar.concurrency import sync_to_thread
from litestar.enums import ScopeType
from litestar.types import Receive, Scope, Send

from comptoir.access import ANYONE, OF_API_KEYS, ApiKey, api_keys
from comptoir.api.calls import Call, parameters
from comptoir.api.failures import Refused, error_of, status_of
from comptoir.api.routing import FileContent, Operation, Routes
from comptoir.api.services import ApiServices
from comptoir.errors import ProductError, TryLater
from comptoir.runtime.correlation import correlated
from comptoir.runtime.downloads import disposition
from comptoir.runtime.failpoints import failpoint

__all__ = ["Serving", "candidates"]

_log = structlog.get_logger("comptoir.api")

_NO_ROUTE = "(none)"
_LARGEST_BODY_BYTES = 1024 * 1024
_SEEN_EVERY_SECONDS = 60.0
_UPSTREAMS_AT_ONCE = 20  # in threads of their own: whoever waits for no upstream waits for none of these either
_DAILY_LIMIT = b"1000000000"  # there is no quota unless one is set: a large limit says so
_JSON = b"application/json"
_FIXED = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-rate-limit-limit", _DAILY_LIMIT),
    (b"x-rate-limit-remaining", _DAILY_LIMIT),
)

_Headers = list[tuple[bytes, bytes]]


class _Answer(msgspec.Struct, frozen=True):
    status: int
    body: bytes
    content_type: bytes = _JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()
    key: ApiKey | None = None


class _Request(msgspec.Struct, frozen=True):
    """What arrived, as plain values that may go to another thread."""

    method: str
    path: str
    query_string: bytes
    authorization: bytes | None
    content_length: bytes | None
    correlation_id: str
    address: str


class Serving:
    """The public API as an ASGI application, to be mounted at `services.path`. The state of a request tells afterwards
    whose `key` it came with: None where that is nobody's, and nothing where it was not looked at."""

    def __init__(self, services: ApiServices, operations: Iterable[Operation]) -> None:
        self._services = services
        self._routes = Routes(operations)
        self._depth = len([segment for segment in services.path.split("/") if segment])
        self._is_in_process = services.db.dialect == "sqlite"
        self._upstreams = CapacityLimiter(_UPSTREAMS_AT_ONCE)
        self._renewal = (datetime.min.replace(tzinfo=UTC), b"")
        self._seen: dict[str, float] = {}
        self._seen_lock = threading.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.WEBSOCKET:
            await send({"type": "websocket.close", "code": 1000, "reason": None})
            return
        request, began = self._request(scope), self._services.clock.monotonic()
        route = _NO_ROUTE
        try:
            operation, names = self._operation(request)
            body = b""
            if isinstance(operation, Operation):
                route = operation.path
                if operation.body is not None:
                    body = await _body(request, receive)
        except Refused as error:
            answer = self._failed(request, error)
        else:
            if self._is_in_process and (isinstance(operation, Refused) or operation.is_quick):
                answer = self._answer(request, operation, names, body)
            elif isinstance(operation, Operation) and operation.asks_upstream:
                answer = await run_sync(self._answer, request, operation, names, body, limiter=self._upstreams)
            else:
                answer = await sync_to_thread(self._answer, request, operation, names, body)
        self._services.answered(request.method, route, answer.status, self._services.clock.monotonic() - began)
        await self._send(request, answer, send)
        if answer.status == 401:
            scope["state"]["key"] = None
        if answer.key is not None:
            scope["state"]["key"] = answer.key
            if self._is_news(answer.key):
                await sync_to_thread(self._note_use, answer.key)

    async def refuse(self, scope: Scope, send: Send, error: Refused) -> None:
        """Answer in the one form of errors, before any operation was looked for."""
        request = self._request(scope)
        await self._send(request, self._failed(request, error), send)

    def _request(self, scope: Any) -> _Request:
        authorization = content_length = None
        for name, value in scope["headers"]:
            if name == b"authorization":
                authorization = value
            elif name == b"content-length":
                content_length = value
        # The path as sent: once decoded, a slash inside an id could not be told from one between segments.
        raw = scope.get("raw_path") or scope["path"].encode()
        path = raw.partition(b"?")[0].decode(errors="replace")
        if self._depth:
            path = "/" + "/".join([segment for segment in path.split("/") if segment][self._depth :])
        state = scope.setdefault("state", {})
        correlation_id = state.setdefault("correlation_id", uuid4().hex)
        address = str((scope.get("client") or ("",))[0])
        return _Request(
            scope["method"], path, scope["query_string"], authorization, content_length, correlation_id, address
        )

    def _operation(self, request: _Request) -> tuple[Operation | Refused, dict[str, str]]:
        """The operation asked for, or why there is none: that is told only to those with a key."""
        found = self._routes.find(request.path)
        if found is None:
            return Refused(404, "There is no such operation. See openapi.json for those there are."), {}
        by_method, values = found
        method = "GET" if request.method == "HEAD" else request.method
        if method not in by_method:
            allowed = ", ".join(sorted(by_method))
            message = f"{request.method} is not allowed here. Allowed: {allowed}."
            return Refused(405, message, ((b"allow", allowed.encode()),)), {}
        operation, names = by_method[method]
        return operation, dict(zip(names, values, strict=True))

    def _answer(self, request: _Request, operation: Operation | Refused, names: dict[str, str], body: bytes) -> _Answer:
        """Everything between the request's bytes and the answer's; raises nothing."""
        with correlated(correlation_id=request.correlation_id):
            return self._answered(request, operation, names, body)

    def _answered(
        self, request: _Request, operation: Operation | Refused, names: dict[str, str], body: bytes
    ) -> _Answer:
        key = None
        try:
            if isinstance(operation, Refused) or operation.permission != ANYONE:
                key = self._admitted(request.authorization)
            if isinstance(operation, Refused):
                raise operation
            if operation.permission != ANYONE and operation.permission not in OF_API_KEYS:
                raise Refused(403, "API keys may not do this. Sign in to the portal for it.")
            failpoint("api.answer")
            call = Call(
                services=self._services,
                key=key,
                path=request.path.rstrip("/") or "/",
                query_string=request.query_string.decode(errors="replace"),
                names=names,
                query=parameters(request.query_string),
                body=body,
                address=request.address,
            )
            content = operation.handle(call)
        except Exception as error:
            return msgspec.structs.replace(self._failed(request, error), key=key)
        headers: tuple[tuple[bytes, bytes], ...] = ()
        if isinstance(content, FileContent):
            headers, content = ((b"content-disposition", disposition(content.name).encode()),), content.body
        return _Answer(operation.success, content, operation.content_type.encode(), headers, key)

    def _admitted(self, authorization: bytes | None) -> ApiKey:
        for candidate in candidates(authorization):
            if (key := api_keys.find(self._services.db, candidate)) is not None:
                return key
        raise Refused(
            401,
            "No valid API key was sent. Send the header `Authorization: Basic <API key in base64>`.",
            ((b"www-authenticate", b'Basic realm="API", charset="UTF-8"'),),
        )

    def _failed(self, request: _Request, error: Exception) -> _Answer:
        status = status_of(error)
        headers: tuple[tuple[bytes, bytes], ...] = error.headers if isinstance(error, Refused) else ()
        if isinstance(error, TryLater) and status == 503:
            headers = ((b"retry-after", b"%d" % max(1, round(error.retry_after_seconds or 5))),)
        facts = {"correlation_id": request.correlation_id, "method": request.method, "path": request.path}
        if isinstance(error, ProductError):
            _log.info("refused", status=status, reason=error.message, **facts)
        else:
            _log.error("failed", status=status, exc_info=error, **facts)
        body = msgspec.json.encode(error_of(error, request.correlation_id))
        return _Answer(status, body, headers=headers)

    async def _send(self, request: _Request, answer: _Answer, send: Send) -> None:
        headers: _Headers = [
            *_FIXED,
            (b"x-rate-limit-reset", self._next_midnight()),
            (b"x-correlation-id", request.correlation_id.encode()),
            *answer.headers,
        ]
        if answer.status != 204:
            headers.append((b"content-length", b"%d" % len(answer.body)))
            headers.append((b"content-type", answer.content_type))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        body = b"" if request.method == "HEAD" else answer.body
        await send({"type": "http.response.body", "body": body, "more_body": False})

    def _next_midnight(self) -> bytes:
        now = self._services.clock.now()
        until, text = self._renewal
        if now >= until:
            until = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
            text = until.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
            self._renewal = (until, text)
        return text

    def _is_news(self, key: ApiKey) -> bool:
        """Whether this use of a key should be noted: about once a minute."""
        now = self._services.clock.monotonic()
        if now - self._seen.get(key.id, float("-inf")) < _SEEN_EVERY_SECONDS:
            return False
        with self._seen_lock:
            if len(self._seen) > 10_000:
                self._seen.clear()
            self._seen[key.id] = now
        return True

    def _note_use(self, key: ApiKey) -> None:
        try:
            api_keys.seen(self._services.db, key, self._services.clock.now())
        except TryLater as error:  # it is noted at the next use
            _log.info("use of a key not noted", reason=error.message)


def candidates(authorization: bytes | None) -> list[str]:
    """The keys a header may mean: base64 of the bare key, with a colon on either side, or the key as it is."""
    scheme, _, value = (authorization or b"").partition(b" ")
    value = value.strip()
    if scheme.lower() != b"basic" or not value or len(value) > 512:
        return []
    texts = []
    try:
        alphabet = b"-_" if b"-" in value or b"_" in value else None
        padding = b"=" * (-len(value) % 4)
        texts.append(base64.b64decode(value + padding, altchars=alphabet, validate=True).decode().strip())
    except (binascii.Error, UnicodeDecodeError):
        pass
    texts.append(value.decode("latin-1"))
    stripped = [text.removesuffix(":") if text.endswith(":") else text.removeprefix(":") for text in texts]
    return [text for text in dict.fromkeys(stripped) if text]


async def _body(request: _Request, receive: Receive) -> bytes:
    too_large = Refused(413, f"The request body is larger than {_LARGEST_BODY_BYTES} bytes. Nothing was changed.")
    declared = request.content_length or b""
    if declared.isdigit() and (len(declared) > 18 or int(declared) > _LARGEST_BODY_BYTES):
        raise too_large
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise Refused(400, "The request ended before its body did. Nothing was changed.")
        part = message.get("body", b"")
        parts.append(part)
        size += len(part)
        if size > _LARGEST_BODY_BYTES:
            raise too_large
        if not message.get("more_body", False):
            return b"".join(parts)
