"""The one HTTP client for upstreams: limits kept, waits bounded, tokens sent nowhere but to the configured origin."""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Protocol, TypeAlias, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from comptoir.errors import (
    InvalidInput,
    NotFound,
    NotSupported,
    PermissionsLacking,
    ProductError,
    RelinkRequired,
    TryLater,
    UpstreamChanged,
)
from comptoir.integrations.contract import Attached, Integration, Kind, Printed, Resource
from comptoir.runtime.clock import Clock
from comptoir.store.calls import Made
from comptoir.store.connections import Connection
from comptoir.upstream import notes, splitting
from comptoir.upstream.addresses import is_loopback, public_address
from comptoir.upstream.limits import Limits
from comptoir.upstream.wire import Answer, Bounds, Wire

__all__ = ["Called", "Client", "FixedToken", "Page", "Reader", "TokenSource", "is_token", "nobody"]

_T = TypeVar("_T")
_QUICK_RETRIES = (1.0, 4.0, 16.0)
_MOST_WAITS = 50
_LARGEST_FILE = 32 * 1024 * 1024
_LINK_LEFT = timedelta(seconds=5)  # a link that ends sooner might end on the way
_FILE_PATIENCE_SECONDS = 10.0  # somebody waits for a file
_LONGEST_TOKEN = 8192
_A_FILE = "files"  # its link is as good as the file, so nobody is told of that
_NO_RESOURCE = "identity"  # what is asked to find out who approved
_MOST_RECORDS = 10**7  # a total above it is no count of anybody's books
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_PLACE = re.compile(r"\{(\w+)\}")  # in a path, for a parameter
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"  # before a body, it is no part of it
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


def is_token(text: str) -> bool:
    """Whether this can be sent as a token: one word of visible ASCII."""
    return 0 < len(text) <= _LONGEST_TOKEN and all("!" <= sign <= "~" for sign in text)


class FixedToken:
    """A token that somebody already has: it cannot be refreshed."""

    def __init__(self, token: str) -> None:
        if not is_token(token):
            raise InvalidInput("The access token is not one: it is a single word of letters, digits and signs.")
        self._token = token

    def access_token(self, connection: Connection) -> str:
        return self._token

    def refreshed(self, connection: Connection, refused: str) -> str:
        raise RelinkRequired("The access token was refused. Get a fresh one and start again; what was read is kept.")

    def worked(self, connection: Connection, token: str) -> None:
        return


# Is told of each call: which resource, with what status (None: no answer), and how many seconds it took.
Called: TypeAlias = Callable[[str, int | None, float], None]


def nobody(resource: str, status: int | None, seconds: float) -> None:
    return


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """`total` counts the whole list where the upstream says so; each record comes with the member it was in. The page
    was put together at `made_after` or later, by the upstream's own clock."""

    total: int | None
    has_next: bool | None
    records: Sequence[tuple[str, bytes]]
    made_after: datetime | None = None


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
        bounds: Bounds | None = None,
        called: Called = nobody,
        may_call: Callable[[Connection], None] = lambda _: None,
        connections: int = 16,
    ) -> None:
        """`may_call` is asked before every call, and raises where none may be made."""
        self.integration = integration
        self.limits = limits
        self._root = origin + integration.api_root
        self._clock, self._called, self._may_call = clock, called, may_call
        bounds = bounds or Bounds()
        self._wire = Wire(integration.name, bounds, clock, connections=connections)
        self._origin = urlsplit(origin)
        self._files = Wire(
            integration.name,
            msgspec.structs.replace(bounds, largest_body=_LARGEST_FILE),
            clock,
            connections=connections,
            address_of=self._address_of,
        )

    def close(self) -> None:
        self._wire.close()
        self._files.close()

    def reader(self, connection: Connection, tokens: TokenSource) -> Reader:
        return Reader(self, connection, tokens)

    def get(
        self,
        connection: Connection,
        path: str,
        params: Sequence[tuple[str, str]],
        tokens: TokenSource,
        resource: Resource | None = None,
        *,
        patience_seconds: float | None = None,
    ) -> Answer:
        """One GET below the API root, retried while that may help.

        Raises the integration's error for the status: RelinkRequired after one refresh and one repeat,
        PermissionsLacking, NotSupported, TryLater when quick tries did not help. A limit is waited out, unless
        somebody waits for the answer: then TryLater is raised when it takes longer than `patience_seconds`.
        """
        tries = waits = attempt = 0
        was_refreshed = False
        while True:
            attempt += 1
            self.limits.reserve(connection.budget, patience_seconds=patience_seconds)
            self._may_call(connection)
            token = tokens.access_token(connection)  # not before: a limit may be waited for longer than a token lives
            try:
                answer = self._send(connection, path, params, token, resource, attempt)
            except TryLater:
                if tries >= len(_QUICK_RETRIES) or self._wire.is_closed:
                    raise
                self._wait(tries)
                tries += 1
                continue
            if answer.status == 200:
                self.limits.accepted(connection.budget)
                tokens.worked(connection, token)
                return answer
            error = self.integration.error_of(answer.status, answer.headers, answer.body, resource)
            if isinstance(error, RelinkRequired) and not was_refreshed:
                was_refreshed = True
                tokens.refreshed(connection, token)
            elif isinstance(error, TryLater) and error.is_rate_limit and waits < _MOST_WAITS:
                waits += 1  # waiting for a limit spends no try
                self.limits.refused(connection.budget, error.retry_after_seconds)
            elif isinstance(error, TryLater) and not error.is_rate_limit and tries < len(_QUICK_RETRIES):
                self._wait(tries)
                tries += 1
            elif isinstance(error, PermissionsLacking) and self._is_shut_out(connection, path, token):
                raise RelinkRequired(
                    f"{self.integration.name} refuses everything of this company, even its name: its account there "
                    f"was closed, or the user who approved has no access any more. {error.message} Have the company's "
                    "owner open the Link URL and approve again; data already read stays readable meanwhile."
                ) from error
            else:
                raise error

    def file(self, connection: Connection, attached: Attached, tokens: TokenSource, now: datetime) -> bytes:
        """What a file holds. Its link is followed without the token, wherever it leads in public; one that has ended
        is asked for again, which is the only call that counts against the limits.

        Raises what `get` raises, NotFound for a file that is gone, and TryLater or UpstreamChanged for a link that
        leads to none.
        """
        self._may_call(connection)
        held = attached if attached.link and attached.expires_at and attached.expires_at > now + _LINK_LEFT else None
        answer = None if held is None else self._followed(connection, held)
        if answer is None or answer.status in (403, 404, 410):  # it has ended after all
            answer = self._followed(connection, self._asked_again(connection, attached, tokens))
        if answer.status != 200:
            raise TryLater(f"{self.integration.name} does not hand out the file just now (status {answer.status}).")
        return answer.body

    def printed(self, connection: Connection, printed: Printed, record_id: str, tokens: TokenSource) -> bytes:
        """A record as the upstream prints it. Raises what `get` raises, and NotFound for a record that is gone."""
        path, _ = _filled(printed.path, (("id", record_id),))
        return self._told(connection, path, self.integration.resource(printed.resource), tokens, printed.content)

    def _asked_again(self, connection: Connection, attached: Attached, tokens: TokenSource) -> Attached:
        files = self.integration.files
        path = f"{files.resource.path}/{quote(attached.id, safe='')}"
        return self._told(connection, path, files.resource, tokens, files.again)

    def _told(
        self, connection: Connection, path: str, resource: Resource, tokens: TokenSource, read: Callable[[bytes], _T]
    ) -> _T:
        """What is told of a file that somebody waits for."""
        name = self.integration.name
        try:
            answer = self.get(connection, path, (), tokens, resource, patience_seconds=_FILE_PATIENCE_SECONDS)
            return read(answer.body)
        except NotSupported as error:
            raise NotFound(f"{name} does not have the file any more.") from error
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise UpstreamChanged(f"What {name} tells of the file cannot be read: {error}.") from error

    def _followed(self, connection: Connection, attached: Attached) -> Answer:
        link = attached.link or ""
        try:
            parts = urlsplit(link)
            is_usable = parts.scheme in ("https", self._origin.scheme) and parts.hostname and "@" not in parts.netloc
        except ValueError:
            is_usable = False
        if not is_usable:
            raise UpstreamChanged(f"What {self.integration.name} gives as the link to the file is none.")
        began = self._clock.monotonic()
        status: int | None = None
        try:
            answer = self._files.fetch(link)
            status = answer.status
        finally:
            self._called(_A_FILE, status, self._clock.monotonic() - began)
        return answer

    def _address_of(self, host: str, port: int) -> str:
        """Where a file's host is connected at. The upstream's own host is trusted as it is in every call; where it is
        this very machine, so may its files be."""
        own = self._origin.hostname or ""
        own_port = self._origin.port or (443 if self._origin.scheme == "https" else 80)
        is_trusted = (host, port) == (own, own_port) or (is_loopback(own) and is_loopback(host))
        return host if is_trusted else public_address(host, port)

    def _is_shut_out(self, connection: Connection, path: str, token: str) -> bool:
        """Whether not even the approving user may be asked for, once the company was refused: then all is refused."""
        oauth = self.integration.oauth
        if self.integration.api_root + path != oauth.identity_path:
            return False
        self.limits.reserve(connection.budget)
        self._may_call(connection)
        try:
            path = oauth.access_path.removeprefix(self.integration.api_root)
            asked = self._send(connection, path, (), token, None, attempt=1)
        except TryLater:
            return False
        return asked.status == 403

    def _wait(self, tries: int) -> None:
        self._clock.sleep(_QUICK_RETRIES[tries] * random.uniform(0.9, 1.1))  # noqa: S311 - spreads load only

    def _send(
        self,
        connection: Connection,
        path: str,
        params: Sequence[tuple[str, str]],
        token: str,
        resource: Resource | None,
        attempt: int,
    ) -> Answer:
        """One call. TryLater for whatever is no answer: no connection, a stall, a cut or unreadable body."""
        began = self._clock.monotonic()
        answer: Answer | None = None
        problem: str | None = None
        try:
            answer = self._wire.get(self._root + path, params, token)
        except ProductError as error:
            problem = error.message
            raise
        finally:
            ended = self._clock.monotonic()
            self.limits.ended(connection.budget, began, ended)
            name = _NO_RESOURCE if resource is None else resource.name
            self._called(name, None if answer is None else answer.status, ended - began)
            if (noted := notes.current()) is not None:
                noted.add(self._made(connection, path, params, name, attempt, answer, problem, ended - began))
        if answer.status < 500:  # what a machine in between says is of another clock
            self.limits.answered(answer.headers, began, ended)
        if answer.status == 200 and not _is_data(answer):
            raise TryLater(
                f"{self.integration.name} answered with something that is no data (a page of its own, or nothing)."
            )
        return msgspec.structs.replace(answer, seconds=ended - began)

    def _made(
        self,
        connection: Connection,
        path: str,
        params: Sequence[tuple[str, str]],
        resource: str,
        attempt: int,
        answer: Answer | None,
        problem: str | None,
        seconds: float,
    ) -> Made:
        took = round(seconds * 1000)
        return Made(
            at=round(self._clock.now().timestamp() * 1000) - took,
            method="GET",
            url=self._root + path + (f"?{urlencode(params)}" if params else ""),
            resource=resource,
            status=None if answer is None else answer.status,
            milliseconds=took,
            size=0 if answer is None else len(answer.body),
            attempt=attempt,
            left=self.limits.left(connection.budget),
            problem=problem,
        )


def _is_data(answer: Answer) -> bool:
    """Whether it says to be JSON, and is there to its end as far as that can be told by a look."""
    ends = answer.body.strip()[-1:]
    return "json" in answer.headers.get("content-type", "").lower() and ends in (b"}", b"]")


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
        path, params = _filled(resource.path, params)
        answer = self._get(path, params, resource)
        return Page(
            total=_total(answer.headers),
            has_next=bool(_NEXT.search(answer.headers["link"])) if "link" in answer.headers else None,
            records=_records(answer.body, resource, self._client.integration.name),
            made_after=_made_after(answer, self._client.limits.time_scale),
        )

    def count(self, resource: Resource, params: Sequence[tuple[str, str]] = ()) -> int | None:
        """How many records a list holds; None where the upstream does not say."""
        path, params = _filled(resource.path, (*params, ("page", "1"), ("per_page", "1")))
        return _total(self._get(path, params, resource).headers)

    def record(self, resource: Resource, record_id: str) -> bytes | None:
        """A record asked for by itself; None if it is not there."""
        try:
            answer = self._get(f"{resource.path}/{quote(record_id, safe='')}", (), resource)
        except NotSupported:
            return None
        return _record(answer.body, resource, self._client.integration.name)

    def _get(self, path: str, params: Sequence[tuple[str, str]], resource: Resource) -> Answer:
        with self._lock:
            self._count += 1
        return self._client.get(self._connection, path, params, self._tokens, resource)


def _filled(path: str, params: Sequence[tuple[str, str]]) -> tuple[str, Sequence[tuple[str, str]]]:
    """The path with those parameters that it names in braces, and the others."""
    named = set(_PLACE.findall(path))
    if not named:
        return path, params
    values = dict(params)
    return (
        _PLACE.sub(lambda place: quote(values[place[1]], safe=""), path),
        [(name, value) for name, value in params if name not in named],
    )


def _total(headers: Mapping[str, str]) -> int | None:
    text = headers.get("x-total-count", "").strip()
    # A number that cannot be true would have us plan for pages that are not there.
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 and int(text) <= _MOST_RECORDS else None


def _made_after(answer: Answer, time_scale: float) -> datetime | None:
    """A server dates its answer once it is ready, and may have looked at its books any time since it was asked."""
    try:
        dated = parsedate_to_datetime(answer.headers.get("date", "")).astimezone(UTC)
        return dated - timedelta(seconds=answer.seconds * time_scale)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _records(body: bytes, resource: Resource, name: str) -> list[tuple[str, bytes]]:
    """The records with the member each was in. Unreadable is never the same as empty: then an error is raised."""
    body = body.removeprefix(_BYTE_ORDER_MARK)
    try:
        # Of a member that comes twice only one would be found.
        is_plain = all(body.count(b'"%s"' % key.encode()) < 2 for key in resource.keys)
        return _found(body, resource, name) if is_plain else _apart(body, resource) or _found(body, resource, name)
    except _UNREADABLE as error:
        has_form = not isinstance(error, msgspec.ValidationError)
        if has_form and (records := _apart(body, resource)) is not None:
            return records
        raise _unreadable(error, resource, name) from error


def _apart(body: bytes, resource: Resource) -> list[tuple[str, bytes]] | None:
    """Likewise of a body that is no sound JSON somewhere; None where records cannot be told apart."""
    if resource.kind is Kind.REPORT:
        return None
    found: list[tuple[str, bytes]] = []
    present = [(key, value) for key, value in splitting.members(body) or () if key in resource.keys]
    for key, value in present:
        records = [value] if resource.kind is Kind.SINGLE else splitting.elements(value)
        if records is None:
            return None
        found += [(key, record) for record in records]
    return found if present else None


def _found(body: bytes, resource: Resource, name: str) -> list[tuple[str, bytes]]:
    members = _wrapper.decode(body)
    found: list[tuple[str, bytes]] = []
    present = [key for key in resource.keys if key in members]
    for key in present:
        if resource.kind is Kind.REPORT:
            return [(key, bytes(body))]
        if resource.kind is Kind.SINGLE:
            found.append((key, bytes(members[key])))
        else:
            found += [(key, bytes(record)) for record in _list.decode(members[key])]
    if not present:
        raise UpstreamChanged(
            f"{name}'s answer for {resource.name} has no member {resource.keys[0]!r}; it was not taken as empty."
        )
    return found


def _record(body: bytes, resource: Resource, name: str) -> bytes:
    """The one record of an answer. Which member it is in is not told alike everywhere."""
    try:
        members = _wrapper.decode(body)
    except _UNREADABLE as error:
        raise _unreadable(error, resource, name) from error
    if len(members) != 1:
        raise UpstreamChanged(f"{name}'s answer for one record of {resource.name} has not one member.")
    return bytes(next(iter(members.values())))


def _unreadable(error: Exception, resource: Resource, name: str) -> ProductError:
    if isinstance(error, RecursionError):
        return UpstreamChanged(f"{name}'s answer for {resource.name} is nested too deep to be read.")
    if isinstance(error, msgspec.ValidationError):
        return UpstreamChanged(f"{name}'s answer for {resource.name} has not the documented form: {error}.")
    return TryLater(f"{name}'s answer for {resource.name} broke off.")
