"""One HTTP exchange with bounds: how long it may take, how large it may be, and that nothing is followed or kept.

There is no client between a request and its answer, so that no redirect is followed and no cookie kept: one wire serves
many tenants, and what an upstream hands to one of them must never be sent for another.
"""

from __future__ import annotations

import socket
import threading
import weakref
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing, suppress
from typing import Any

import httpcore2
import httpx2
import msgspec

import comptoir
from comptoir.errors import TryLater, UpstreamChanged
from comptoir.runtime.clock import Clock

__all__ = ["Answer", "Bounds", "Wire"]

_MOST_KEPT_SECONDS = 5.0  # how long an idle connection is kept open
_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip, deflate",
    "User-Agent": f"Comptoir/{comptoir.__version__}",
}


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """Deadlines of one exchange in seconds, and the largest body in bytes, counted after decompression."""

    connect_seconds: float = 5.0
    idle_seconds: float = 30.0
    whole_seconds: float = 60.0
    largest_body: int = 64 * 1024 * 1024


class Answer(msgspec.Struct, frozen=True):
    """What came back, read whole; `seconds` from asking until then."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float = 0.0


class Wire:
    """Sends requests and reads answers whole. Safe to use from threads.

    Raises TryLater for whatever is no answer (no connection, a stall, a cut or unreadable body), UpstreamChanged for a
    body that is too large. `name` says in those sentences who was asked.
    """

    def __init__(
        self,
        name: str,
        bounds: Bounds,
        clock: Clock,
        *,
        connections: int = 16,
        address_of: Callable[[str, int], str] | None = None,
    ) -> None:
        """`address_of` chooses the address that a host is connected at, or refuses it."""
        self._name, self._bounds = name, bounds
        self._deadline = _Deadline(clock)
        self._open: weakref.WeakSet[_Stream] = weakref.WeakSet()
        self.is_closed = False
        self._transport = _Transport(self._deadline, self._open, connections, address_of)
        timeout = httpx2.Timeout(bounds.idle_seconds, connect=bounds.connect_seconds, pool=bounds.whole_seconds)
        self._extensions = {"timeout": timeout.as_dict()}

    def close(self) -> None:
        """End at once: whoever waits for an answer is told that there is none."""
        self.is_closed = True
        for stream in list(self._open):
            stream.cut()
        self._transport.close()

    def get(self, url: str, params: Sequence[tuple[str, str]], token: str) -> Answer:
        query = str(httpx2.QueryParams(tuple(params)))
        return self._send("GET", f"{url}?{query}" if query else url, {"Authorization": f"Bearer {token}"})

    def fetch(self, url: str) -> Answer:
        """Whatever a link leads to: without a token, which is nobody's there."""
        return self._send("GET", url, {"Accept": "*/*"})

    def post(self, url: str, form: Mapping[str, str], pair: tuple[str, str] | None) -> Answer:
        """Send a form, with HTTP Basic as who asks; without it if the form says that."""
        basic = {} if pair is None else {"Authorization": f"Basic {b64encode(':'.join(pair).encode()).decode()}"}
        return self._send("POST", url, basic, form)

    def _send(self, method: str, url: str, headers: Mapping[str, str], form: Mapping[str, str] | None = None) -> Answer:
        self._deadline.begin(self._bounds.whole_seconds)
        if self.is_closed:
            raise TryLater(f"{self._name} is not asked any more: this process is being stopped.")
        try:
            request = httpx2.Request(
                method, url, headers={**_HEADERS, **headers}, data=form, extensions=dict(self._extensions)
            )
            with closing(self._transport.handle_request(request)) as response:
                stream = response.extensions.get("network_stream")
                if isinstance(stream, _Stream) and not stream.has_answered:
                    stream.cut()
                    raise httpx2.RemoteProtocolError("an answer was there before it was asked for")
                return Answer(response.status_code, response.headers, self._body(response))
        except httpx2.TimeoutException as error:
            raise TryLater(f"{self._name} did not answer in time.") from error
        except (httpx2.TransportError, httpx2.DecodingError, httpx2.StreamError) as error:
            raise TryLater(f"{self._name} could not be reached, or its answer broke off.") from error

    def _body(self, response: httpx2.Response) -> bytes:
        parts: list[bytes] = []
        size = 0
        for part in response.iter_bytes():
            size += len(part)
            if size > self._bounds.largest_body:
                raise UpstreamChanged(f"{self._name} sent more than {self._bounds.largest_body} bytes in one answer.")
            parts.append(part)
        return b"".join(parts)


class _Deadline(threading.local):
    """When the exchange of this thread must be over. A server that sends a byte now and then never is idle, so the
    deadline is kept at each read of the socket, of headers and body alike."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._at = 0.0

    def begin(self, seconds: float) -> None:
        self._at = self._clock.monotonic() + seconds

    def is_over(self) -> bool:
        return self._clock.monotonic() >= self._at

    def left(self, timeout: float | None) -> float:
        """The seconds that the next read or write may take."""
        remaining = max(self._at - self._clock.monotonic(), 0.001)  # zero would mean: do not wait at all
        return remaining if timeout is None else min(timeout, remaining)


class _Transport(httpx2.HTTPTransport):
    """httpx2 takes no network backend, so its pool is put in place here."""

    def __init__(
        self,
        deadline: _Deadline,
        streams: weakref.WeakSet[_Stream],
        connections: int,
        address_of: Callable[[str, int], str] | None,
    ) -> None:
        super().__init__(trust_env=False)
        self._pool = httpcore2.ConnectionPool(
            ssl_context=httpx2.create_ssl_context(trust_env=False),
            max_connections=connections,
            max_keepalive_connections=connections,
            keepalive_expiry=_MOST_KEPT_SECONDS,
            network_backend=_Backend(deadline, streams, address_of),
        )


class _Backend(httpcore2.NetworkBackend):
    def __init__(
        self,
        deadline: _Deadline,
        streams: weakref.WeakSet[_Stream],
        address_of: Callable[[str, int], str] | None,
    ) -> None:
        self._deadline, self._streams, self._plain = deadline, streams, httpcore2.SyncBackend()
        self._address_of = address_of

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        if self._address_of is not None:
            try:
                host = self._address_of(host, port)
            except OSError as error:
                raise httpcore2.ConnectError(f"{host} was not found") from error
        allowed = self._deadline.left(timeout)
        plain = self._plain.connect_tcp(host, port, allowed, local_address, socket_options)
        return _Stream(plain, self._deadline, self._streams)


class _Stream(httpcore2.NetworkStream):
    """`has_answered`: something was read since something was written. What a server sends beyond its answer is kept
    with the connection, and would be taken for the answer to whatever is asked next, perhaps for another tenant."""

    def __init__(self, plain: httpcore2.NetworkStream, deadline: _Deadline, streams: weakref.WeakSet[_Stream]) -> None:
        self._plain, self._deadline, self._streams = plain, deadline, streams
        self.has_answered = False
        streams.add(self)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self._deadline.is_over():
            raise httpcore2.ReadTimeout("the whole exchange took too long")
        self.has_answered = True
        return self._plain.read(max_bytes, self._deadline.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.has_answered = False
        self._plain.write(buffer, self._deadline.left(timeout))

    def close(self) -> None:
        self._streams.discard(self)
        self._plain.close()

    def cut(self) -> None:
        """Wake whoever reads: closing a socket in one thread does not in another."""
        with suppress(OSError):
            self._plain.get_extra_info("socket").shutdown(socket.SHUT_RDWR)

    def start_tls(self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None) -> _Stream:
        secured = self._plain.start_tls(ssl_context, server_hostname, self._deadline.left(timeout))
        return _Stream(secured, self._deadline, self._streams)

    def get_extra_info(self, info: str) -> Any:
        return self._plain.get_extra_info(info)
