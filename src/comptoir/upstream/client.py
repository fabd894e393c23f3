"""The one HTTP client for upstreams: limits kept, waits bounded, tokens sent nowhere but to the configured origin."""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Protocol

import httpx2
import msgspec

import comptoir
from comptoir.errors import NotSupported, ProductError, RelinkRequired, TryLater, UpstreamChanged
from comptoir.integrations.contract import Integration, Kind, Resource
from comptoir.runtime.clock import Clock
from comptoir.store.connections import Connection
from comptoir.upstream.limits import Limits

__all__ = ["Answer", "Call", "Client", "FixedToken", "Page", "Reader", "TokenSource"]

_QUICK_RETRIES = (1.0, 4.0, 16.0)
_CONNECT, _IDLE, _WHOLE = 5.0, 30.0, 60.0
_LARGEST_BODY = 64 * 1024 * 1024
_MOST_WAITS = 50
_NEXT = re.compile(r"""rel\s*=\s*["']?[^"',;]*\bnext\b""")


class TokenSource(Protocol):
    """Where access tokens come from; they are asked for anew for every call."""

    def access_token(self, connection: Connection) -> str: ...

    def refreshed(self, connection: Connection, refused: str) -> str:
        """Another token than the one refused; raises RelinkRequired when there can be none."""
        ...

    def worked(self, connection: Connection, token: str) -> None:
        """This token was accepted."""
        ...


class FixedToken:
    """A token that somebody already has: it cannot be refreshed."""

    def __init__(self, token: str) -> None:
        self._token = token

    def access_token(self, connection: Connection) -> str:
        return self._token

    def refreshed(self, connection: Connection, refused: str) -> str:
        raise RelinkRequired("The access token was refused. Get a fresh one and start again; what was read is kept.")

    def worked(self, connection: Connection, token: str) -> None:
        return


class Answer(msgspec.Struct, frozen=True):
    status: int
    headers: Mapping[str, str]
    body: bytes


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One call as it may be shown: no token, no body."""

    connection: str
    method: str
    path: str
    status: int | None
    milliseconds: float


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """`total` counts the whole list where the upstream says so; each record comes with the member it was in. `date` is
    the upstream's own time."""

    total: int | None
    has_next: bool
    records: Sequence[tuple[str, bytes]]
    date: datetime | None = None


_wrapper = msgspec.json.Decoder(dict[str, msgspec.Raw])
_list = msgspec.json.Decoder(list[msgspec.Raw])


class Client:
    """Calls one integration's upstream for any connection. Safe to use from threads."""

    def __init__(
        self,
        integration: Integration,
        origin: str,
        limits: Limits,
        clock: Clock,
        *,
        log: Callable[[Call], None] = lambda _: None,
        connections: int = 16,
    ) -> None:
        self.integration = integration
        self.limits = limits
        self._root = origin + integration.api_root
        self._clock, self._log = clock, log
        self._http = httpx2.Client(
            timeout=httpx2.Timeout(_IDLE, connect=_CONNECT),
            limits=httpx2.Limits(max_connections=connections, max_keepalive_connections=connections),
            headers={"Accept": "application/json", "User-Agent": f"Comptoir/{comptoir.__version__}"},
            follow_redirects=False,
            trust_env=False,
        )

    def close(self) -> None:
        self._http.close()

    def reader(self, connection: Connection, tokens: TokenSource) -> Reader:
        return Reader(self, connection, tokens)

    def get(
        self,
        connection: Connection,
        path: str,
        params: Sequence[tuple[str, str]],
        tokens: TokenSource,
        resource: Resource | None = None,
    ) -> Answer:
        """One GET below the API root, retried while that may help.

        Raises the integration's error for the status: RelinkRequired after one refresh and one repeat,
        PermissionsLacking, NotSupported, TryLater when quick tries did not help.
        """
        tries = waits = 0
        was_refreshed = False
        token = tokens.access_token(connection)
        while True:
            self.limits.reserve(connection.id)
            try:
                answer = self._send(connection, path, params, token)
            except TryLater:
                if tries >= len(_QUICK_RETRIES):
                    raise
                self._wait(tries)
                tries += 1
                continue
            if answer.status == 200:
                tokens.worked(connection, token)
                return answer
            error = self.integration.error_of(answer.status, answer.headers, answer.body, resource)
            if isinstance(error, RelinkRequired) and not was_refreshed:
                was_refreshed = True
                token = tokens.refreshed(connection, token)
            elif isinstance(error, TryLater) and error.is_rate_limit and waits < _MOST_WAITS:
                waits += 1  # waiting for a limit spends no try
                self.limits.refused(connection.id, error.retry_after_seconds)
            elif isinstance(error, TryLater) and not error.is_rate_limit and tries < len(_QUICK_RETRIES):
                self._wait(tries)
                tries += 1
            else:
                raise error

    def _wait(self, tries: int) -> None:
        self._clock.sleep(_QUICK_RETRIES[tries] * random.uniform(0.9, 1.1))  # noqa: S311 - spreads load only

    def _send(self, connection: Connection, path: str, params: Sequence[tuple[str, str]], token: str) -> Answer:
        """One call. TryLater for whatever is no answer: no connection, a stall, a cut or unreadable body."""
        name = self.integration.name
        began = self._clock.monotonic()
        status: int | None = None
        try:
            with self._http.stream(
                "GET",
                self._root + path,
                params=httpx2.QueryParams(tuple(params)),
                headers={"Authorization": f"Bearer {token}"},
            ) as response:
                status = response.status_code
                body = self._body(response, began)
                headers = response.headers
        except httpx2.TimeoutException as error:
            raise TryLater(f"{name} did not answer in time.") from error
        except (httpx2.TransportError, httpx2.DecodingError, httpx2.StreamError) as error:
            raise TryLater(f"{name} could not be reached, or its answer broke off.") from error
        finally:
            took = (self._clock.monotonic() - began) * 1000
            self._log(Call(connection=connection.id, method="GET", path=path, status=status, milliseconds=took))
        self.limits.answered(connection.id, headers, began, self._clock.monotonic())
        if status == 200 and ("json" not in headers.get("content-type", "") or not body.strip()):
            raise TryLater(f"{name} answered with something that is no data (a page of its own, or nothing).")
        return Answer(status, headers, body)

    def _body(self, response: httpx2.Response, began: float) -> bytes:
        """The body after decompression, bounded in size and time."""
        parts: list[bytes] = []
        size = 0
        for part in response.iter_bytes():
            size += len(part)
            if size > _LARGEST_BODY:
                raise UpstreamChanged(f"{self.integration.name} sent more than {_LARGEST_BODY} bytes in one answer.")
            if self._clock.monotonic() - began > _WHOLE:
                raise httpx2.ReadTimeout("the whole answer took too long")
            parts.append(part)
        return b"".join(parts)


class Reader:
    """Reads one connection's resources, page by page; counts its calls."""

    def __init__(self, client: Client, connection: Connection, tokens: TokenSource) -> None:
        self._client, self._connection, self._tokens = client, connection, tokens
        self._count = 0
        self._lock = threading.Lock()

    def calls(self) -> int:
        """Pages and records asked for so far."""
        return self._count

    def page(self, resource: Resource, number: int, params: Sequence[tuple[str, str]] = ()) -> Page:
        """One page of a list, or the one document of a resource that is not paged."""
        if resource.kind is Kind.LIST:
            size = str(self._client.integration.page_size)
            params = (*params, ("page", str(number)), ("per_page", size))
        answer = self._get(resource.path, params, resource)
        return Page(
            total=_total(answer.headers),
            has_next=bool(_NEXT.search(answer.headers.get("link", ""))),
            records=_records(answer.body, resource, self._client.integration.name),
            date=_date(answer.headers),
        )

    def exists(self, resource: Resource, record_id: str) -> bool:
        """Whether a record is still there, asked for by itself."""
        try:
            self._get(f"{resource.path}/{record_id}", (), resource)
        except NotSupported:
            return False
        return True

    def _get(self, path: str, params: Sequence[tuple[str, str]], resource: Resource) -> Answer:
        with self._lock:
            self._count += 1
        return self._client.get(self._connection, path, params, self._tokens, resource)


def _total(headers: Mapping[str, str]) -> int | None:
    text = headers.get("x-total-count", "").strip()
    return int(text) if text.isdigit() else None


def _date(headers: Mapping[str, str]) -> datetime | None:
    try:
        return parsedate_to_datetime(headers.get("date", "")).astimezone(UTC)
    except ValueError:
        return None


def _records(body: bytes, resource: Resource, name: str) -> list[tuple[str, bytes]]:
    """The records with the member each was in. Unreadable is never the same as empty: then an error is raised."""
    try:
        members = _wrapper.decode(body)
        found: list[tuple[str, bytes]] = []
        present = [key for key in resource.keys if key in members]
        for key in present:
            if resource.kind is Kind.SINGLE:
                found.append((key, bytes(members[key])))
            else:
                found += [(key, bytes(record)) for record in _list.decode(members[key])]
    except msgspec.DecodeError as error:
        raise _unreadable(error, resource, name) from error
    if not present:
        raise UpstreamChanged(
            f"{name}'s answer for {resource.name} has no member {resource.keys[0]!r}; it was not taken as empty."
        )
    return found


def _unreadable(error: msgspec.DecodeError, resource: Resource, name: str) -> ProductError:
    if isinstance(error, msgspec.ValidationError):
        return UpstreamChanged(f"{name}'s answer for {resource.name} has not the documented form: {error}.")
    return TryLater(f"{name}'s answer for {resource.name} broke off.")
