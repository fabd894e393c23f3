"""Faults on demand: which requests they strike, and what they do to them.

A fault is asked for over the control address and stays until it has struck as often as it was told to, or is cleared.
Those that answer in FreeAgent's place (status, html, empty, reset) strike before anything is looked at, as a machine
in between would; the others spoil the true answer on its way out.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

import msgspec

from freeagent_standin import web
from freeagent_standin.wire import Answer

__all__ = ["Delivery", "Fault", "Faults", "Match", "spoil"]

HTML_PAGE = b"""<!doctype html><html><head><title>Temporarily unavailable</title></head>
<body><h1>Temporarily unavailable</h1><p>We are working on it. Please try again later.</p></body></html>"""


class Match(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Which requests: all that is given must hold.

    `list` is exactly that list (`invoices`), `path` that address and all below it, `path_regex` is searched in
    `/v2/...`. The first to be struck is the `nth` that matches, then `times` in all (None: until cleared), each with
    this `probability`.
    """

    list: str | None = None
    path: str | None = None
    path_regex: str | None = None
    method: str | None = None
    query: dict[str, str] = {}
    company: int | None = None
    grant_type: str | None = None
    nth: int = 1
    times: int | None = None
    probability: float = 1.0


class _Action(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True, tag_field="kind"):
    pass


class Status(_Action, frozen=True, kw_only=True, tag="status"):
    """Answer this status; without a body, with what FreeAgent is known to say."""

    status: int
    body: str | None = None
    headers: dict[str, str] = {}
    content_type: str | None = None
    retry_after: int | None = None


class Html(_Action, frozen=True, kw_only=True, tag="html"):
    """Answer a page of HTML, as an intermediary does."""

    status: int = 200


class Empty(_Action, frozen=True, kw_only=True, tag="empty"):
    """Answer nothing at all, as if that were fine."""

    status: int = 200
    content_type: str = "application/json; charset=utf-8"


class Reset(_Action, frozen=True, kw_only=True, tag="reset"):
    """Reset the connection before the request is looked at."""


class LoseAnswer(_Action, frozen=True, kw_only=True, tag="loseAnswer"):
    """Do what was asked, then reset the connection without a word (a token is rotated, a record made)."""


class Cut(_Action, frozen=True, kw_only=True, tag="cut"):
    """Send so many bytes of the body and close the connection."""

    after_bytes: int = 0


class Stall(_Action, frozen=True, kw_only=True, tag="stall"):
    """Send so many bytes of the body (None: not even the status), pause so many real seconds, send the rest."""

    seconds: float
    after_bytes: int | None = None


class Latency(_Action, frozen=True, kw_only=True, tag="latency"):
    """Wait so many real seconds before the answer."""

    seconds: float


class ContentType(_Action, frozen=True, kw_only=True, tag="contentType"):
    """Call the true body something else."""

    content_type: str


class Headers(_Action, frozen=True, kw_only=True, tag="headers"):
    """Set and drop headers of the true answer."""

    set: dict[str, str] = {}
    drop: tuple[str, ...] = ()


class Patch(_Action, frozen=True, kw_only=True, tag="patch"):
    """Change records of the true answer: the one with this id (or at this place of the page), else all of them.

    `set` and `drop` take names with dots (`invoice_items.0.price`); `replace` puts any JSON in the record's place;
    `remove` leaves it out; `insert` adds this JSON to the end of the list.
    """

    record: str | int | None = None
    index: int | None = None
    set: dict[str, Any] = {}
    drop: tuple[str, ...] = ()
    replace: Any = msgspec.UNSET
    remove: bool = False
    insert: Any = msgspec.UNSET


class Bytes(_Action, frozen=True, kw_only=True, tag="bytes"):
    """Replace text in the true body as it is on the wire, for what no JSON writer would write."""

    find: str
    put: str


Action = Status | Html | Empty | Reset | LoseAnswer | Cut | Stall | Latency | ContentType | Headers | Patch | Bytes


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which requests, and what happens to them."""

    match: Match = Match()
    action: Action


class _Live:
    """A fault that was asked for, and how it went so far."""

    def __init__(self, number: int, fault: Fault) -> None:
        self.id = str(number)
        self.fault = fault
        self.seen = 0
        self.fired = 0
        match = fault.match
        self._regex = re.compile(match.path_regex) if match.path_regex else None
        self._asked: Counter[str] = Counter()
        self._path = _full(match.path) if match.path else None
        self._list = _full(match.list) if match.list else None

    def strikes(self, method: str, path: str, request: web.Request, company: int | None, seed: int) -> bool:
        match = self.fault.match
        if match.times is not None and self.fired >= match.times:
            return False
        if match.method is not None and match.method.upper() != method:
            return False
        if self._list is not None and (path != self._list or (match.method is None and method != "GET")):
            return False
        if self._path is not None and path != self._path and not path.startswith(self._path + "/"):
            return False
        if self._regex is not None and not self._regex.search(path):
            return False
        if match.company is not None and match.company != company:
            return False
        if match.query and not match.query.items() <= dict(request.query).items():
            return False
        if match.grant_type is not None and request.form.get("grant_type") != match.grant_type:
            return False
        self.seen += 1
        if self.seen < match.nth or (match.probability < 1 and self._chance(request, seed) >= match.probability):
            return False
        self.fired += 1
        return True

    def _chance(self, request: web.Request, seed: int) -> float:
        """A number below 1 that depends on the seed, on what is asked, and on how often it was asked before.

        Not on what others ask in between: calls side by side come in another order every time, and what befalls each
        of them is to be the same all the same.
        """
        asked = sorted((name, value.removeprefix(request.origin)) for name, value in request.query)
        key = repr((seed, self.fault, request.method, request.path, asked))
        self._asked[key] += 1
        drawn = hashlib.blake2b(f"{key}/{self._asked[key]}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
        return int.from_bytes(drawn) / 2**64

    def told(self) -> dict[str, Any]:
        return {"id": self.id, "seen": self.seen, "fired": self.fired, **msgspec.to_builtins(self.fault)}


def _full(path: str) -> str:
    path = "/" + path.strip("/")
    return path if path == "/v2" or path.startswith("/v2/") else "/v2" + path


class Faults:
    """The faults that were asked for, in that order."""

    def __init__(self, seed: int) -> None:
        self._live: dict[str, _Live] = {}
        self._last = 0
        self._seed = seed

    def __bool__(self) -> bool:
        return bool(self._live)

    def add(self, body: bytes) -> list[dict[str, Any]]:
        """Add the fault, or the list of them, in this JSON; raises ValueError with a sentence."""
        try:
            asked = msgspec.json.decode(body, type=Fault | list[Fault])
        except msgspec.MsgspecError as problem:
            raise ValueError(f"Not a fault: {problem}.") from problem
        added: list[_Live] = []
        for fault in asked if isinstance(asked, list) else [asked]:
            action = fault.action
            if isinstance(action, Status | Html | Empty) and action.status not in HTTPStatus.__members__.values():
                raise ValueError(f"{action.status} is not an HTTP status.")
            try:
                added.append(_Live(self._last + 1 + len(added), fault))
            except re.error as problem:
                raise ValueError(f"{fault.match.path_regex!r} is not a regular expression: {problem}.") from problem
        self._last += len(added)
        self._live.update({one.id: one for one in added})
        return [one.told() for one in added]

    def told(self) -> list[dict[str, Any]]:
        return [one.told() for one in self._live.values()]

    def clear(self, fault_id: str | None = None) -> int:
        """Remove one fault, or all; returns how many there were."""
        if fault_id is not None:
            return 0 if self._live.pop(fault_id, None) is None else 1
        count = len(self._live)
        self._live.clear()
        return count

    def striking(self, request: web.Request, company: int | None) -> tuple[Action, ...]:
        """What happens to this request; of those that answer in FreeAgent's place only the first counts."""
        actions: list[Action] = []
        for one in self._live.values():
            if any(isinstance(action, INSTEAD) for action in actions) and isinstance(one.fault.action, INSTEAD):
                continue
            if one.strikes(request.method, request.path, request, company, self._seed):
                actions.append(one.fault.action)
        return tuple(actions)


INSTEAD = (Status, Html, Empty, Reset)

_KNOWN_ERRORS = {
    400: "Bad request",
    401: "Access token not recognised",
    403: "You do not have permission to access this resource",
    404: "Resource not found",
    406: "Not acceptable",
    409: "Conflict",
    422: "Validation failed",
    500: "Internal server error",
    502: "Bad gateway",
    503: "Service unavailable",
    504: "Gateway timeout",
}


def instead(action: Action) -> Answer | None:
    """The answer given in FreeAgent's place, if this action gives one."""
    match action:
        case Status():
            return _status(action)
        case Html():
            return Answer(status=action.status, body=HTML_PAGE, content_type="text/html; charset=utf-8")
        case Empty():
            return Answer(status=action.status, content_type=action.content_type)
        case _:
            return None


def _status(action: Status) -> Answer:
    headers = tuple(action.headers.items())
    if action.retry_after is not None:
        headers += (("Retry-After", str(action.retry_after)),)
    if action.body is not None:
        kind = action.content_type or "application/json; charset=utf-8"
        return Answer(status=action.status, body=action.body.encode(), headers=headers, content_type=kind)
    if action.status == HTTPStatus.TOO_MANY_REQUESTS:
        answer = web.text(429, "You must not exceed 120 requests per 60 seconds", headers)
    else:
        answer = web.error(action.status, _KNOWN_ERRORS.get(action.status, HTTPStatus(action.status).phrase), headers)
    if action.content_type is not None:
        answer = msgspec.structs.replace(answer, content_type=action.content_type)
    return answer


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """How an answer leaves: what is sent, after how long a wait, and where the connection breaks or stalls."""

    answer: Answer
    wait_seconds: float = 0.0
    cut_after_bytes: int | None = None
    stall_seconds: float = 0.0
    stall_after_bytes: int | None = None
    is_lost: bool = False


def spoil(answer: Answer, actions: Iterable[Action]) -> Delivery:
    """The true answer (or the one given in its place) with everything these actions do to it."""
    delivery = Delivery(answer=answer)
    replace = msgspec.structs.replace
    for action in actions:
        answer = delivery.answer
        match action:
            case Latency():
                delivery = replace(delivery, wait_seconds=delivery.wait_seconds + action.seconds)
            case Stall(after_bytes=None):
                delivery = replace(delivery, wait_seconds=delivery.wait_seconds + action.seconds)
            case Stall():
                delivery = replace(delivery, stall_seconds=action.seconds, stall_after_bytes=action.after_bytes)
            case Cut():
                delivery = replace(delivery, cut_after_bytes=action.after_bytes)
            case LoseAnswer():
                delivery = replace(delivery, is_lost=True)
            case ContentType():
                delivery = replace(delivery, answer=replace(answer, content_type=action.content_type))
            case Headers():
                gone = {name.lower() for name in (*action.drop, *action.set)}
                kept = tuple((name, value) for name, value in answer.headers if name.lower() not in gone)
                delivery = replace(delivery, answer=replace(answer, headers=kept + tuple(action.set.items())))
            case Patch():
                delivery = replace(delivery, answer=replace(answer, body=_patched(answer.body, action)))
            case Bytes():
                body = answer.body.replace(action.find.encode(), action.put.encode())
                delivery = replace(delivery, answer=replace(answer, body=body))
            case _:
                pass
    return delivery


def _patched(body: bytes, patch: Patch) -> bytes:
    try:
        document = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return body
    if not isinstance(document, dict):
        return body
    for key, value in document.items():
        if isinstance(value, list):
            records = []
            for place, record in enumerate(value):
                records += _patched_record(record, place, patch)
            if patch.insert is not msgspec.UNSET:
                records.append(patch.insert)
            document[key] = records
        elif isinstance(value, dict):
            changed = _patched_record(value, 0, patch)
            document[key] = changed[0] if changed else None
    return msgspec.json.encode(document)


def _patched_record(record: Any, place: int, patch: Patch) -> list[Any]:
    """None or one record."""
    if patch.insert is not msgspec.UNSET and patch.record is None and patch.index is None:
        return [record]
    if patch.index is not None and patch.index != place:
        return [record]
    if patch.record is not None:
        url = record.get("url") if isinstance(record, dict) else None
        if not isinstance(url, str) or url.rsplit("/", 1)[-1] != str(patch.record):
            return [record]
    if patch.remove:
        return []
    if patch.replace is not msgspec.UNSET:
        return [patch.replace]
    for name in patch.drop:
        _place(record, name, drop=True)
    for name, value in patch.set.items():
        _place(record, name, value=value)
    return [record]


def _place(record: Any, dotted: str, *, value: Any = None, drop: bool = False) -> None:
    """Set or drop what a dotted name means; where the record has no such place, nothing happens."""
    *parents, name = dotted.split(".")
    for parent in parents:
        if isinstance(record, dict) and parent in record:
            record = record[parent]
        elif isinstance(record, list) and parent.isdigit() and int(parent) < len(record):
            record = record[int(parent)]
        else:
            return
    if isinstance(record, dict):
        if drop:
            record.pop(name, None)
        else:
            record[name] = value
    elif isinstance(record, list) and name.isdigit() and int(name) < len(record):
        if drop:
            del record[int(name)]
        else:
            record[int(name)] = value
