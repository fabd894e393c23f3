"""Calls drawn at random over every documented address and beyond it: each is answered, none with a 500, and the books
stay true. What is drawn follows from the seed, which a failure names."""

from __future__ import annotations

import asyncio
import json
from collections.abc import MutableMapping
from random import Random
from typing import Any
from urllib.parse import quote, urlencode
from xml.etree import ElementTree

import pytest
from tests.freeagent_standin.api.test_operations import asked, operations
from tests.freeagent_standin.reader import LISTS, NOON, ORIGIN, PER_ACCOUNT, Reader, fresh
from tests.freeagent_standin.shell.conftest import READY_TOKEN

from freeagent_standin.api import answer
from freeagent_standin.clock import Clock
from freeagent_standin.companies import Companies
from freeagent_standin.limits import Limits
from freeagent_standin.server import Server
from freeagent_standin.settings import Settings
from freeagent_standin.standin import Credentials, Standin
from freeagent_standin.state import State

ODD_TEXTS = (
    *(
        "",
        "0",
        "-1",
        "1e9",
        "NaN",
        "\x00",
        "\ud800",
        "é",
        "٣",
        "' or 1=1 --",
        "<a>&",
        "../..",
        "%00",
        "9" * 400,
        "null",
    ),
    *("2026-02-30", "0001-01-01", "9999-12-31", "2026-03-31T25:00:00Z", "all", "true", "-updated_at", "last_9_months"),
)
ODD_VALUES: tuple[object, ...] = (
    *(None, True, 0, -1, 1e308, 10**40, 0.1, [], {}, [[]], [None], {"a": {"b": [1]}}, ["x"] * 50),
    *ODD_TEXTS,
)
QUERY = (
    *(
        "page",
        "per_page",
        "view",
        "sort",
        "updated_since",
        "from_date",
        "to_date",
        "bank_account",
        "contact",
        "project",
    ),
    *(
        "user",
        "task",
        "invoice",
        "bill",
        "nested",
        "nested_invoice_items",
        "include_history",
        "sub_accounts",
        "as_at_date",
    ),
    *("accounting_period", "nominal_code", "tag", "country", "date", "last_uploaded", "unknown"),
)
REPLIES = {200, 201, 400, 401, 403, 404, 406, 409, 422}


@pytest.mark.parametrize("seed", range(1, 5))
def test_no_call_however_odd_is_a_bug(seed: int) -> None:
    rng = Random(seed)
    world = fresh(40, seed)
    state = State()
    state.add_ready_token(READY_TOKEN, company_id=world.id, user_id=world.users[0].id, now=NOON.timestamp())
    standin = Standin(
        companies=Companies([world], state),
        state=state,
        clock=Clock(start=NOON),
        settings=Settings(limits=Limits()),
        credentials=Credentials(email="a@example.com", password="x"),
    )
    good = goods(Reader(fresh(40, seed)))

    for turn in range(300):
        method, path, query, body, headers = drawn(rng, good)
        status, kind, given = asyncio.run(called(Server(standin, answer), method, path, query, body, headers))
        assert status in REPLIES, (seed, turn, method, path, query, body, given)
        if given and "json" in kind:
            json.loads(given)
        elif given:
            assert "xml" in kind, (seed, turn, kind)
            ElementTree.fromstring(given)

    reader = Reader(world)
    assert sum(reader.trial_balance().values()) == 0
    for name in (*LISTS, *PER_ACCOUNT):
        if reader.has(name):
            assert len(reader.all(name)) == world.counts()[name], (seed, name)


def goods(reader: Reader) -> list[tuple[str, str, bytes, dict[str, Any]]]:
    """One good call of every operation that small books can show."""
    found: list[tuple[str, str, bytes, dict[str, Any]]] = [("GET", "bank_accounts", b"", {})]
    for name in operations():
        try:
            found.append(asked(reader, name))
        except (AssertionError, LookupError, StopIteration):
            continue  # these books have no such record
    return found


def drawn(rng: Random, good: list[Any]) -> tuple[str, str, bytes, bytes, dict[str, str]]:
    """A good call with something odd about it."""
    method, path, body, query = rng.choice(good)
    if rng.random() < 0.15:
        method = rng.choice(("GET", "PUT", "POST", "DELETE", "PATCH", "HEAD", "OPTIONS"))
    parts = path.split("/")
    if rng.random() < 0.2:
        parts[rng.randrange(len(parts))] = rng.choice(ODD_TEXTS)
    if rng.random() < 0.1:
        parts.append(rng.choice((*ODD_TEXTS, "pdf", "transitions", "mark_as_sent", "timer")))
    pairs = [*query.items(), *((rng.choice(QUERY), rng.choice(ODD_TEXTS)) for _ in range(rng.choice((0, 0, 1, 3))))]
    text = body
    if body and rng.random() < 0.8:
        text = json.dumps(spoilt(rng, json.loads(body))).encode()
    if rng.random() < 0.1:
        text = rng.choice(
            (b"", b"{", b"[]", b"null", b"1e999", b"\xff\xfe", b"[" * 5000, b'{"a":' * 2000, rng.randbytes(99))
        )
    headers = {}
    if rng.random() < 0.15:
        headers["accept"] = rng.choice(("application/xml", "text/html", "*", ";q=", "\xff"))
    if rng.random() < 0.05:
        headers["content-type"] = rng.choice(("application/xml", "multipart/form-data; boundary=x", "text/plain"))
    return method, "/v2/" + "/".join(parts), urlencode(pairs, errors="replace").encode(), text, headers


def spoilt(rng: Random, value: Any) -> Any:
    """A body with some of its values replaced, dropped, doubled."""
    if rng.random() < 0.12:
        return rng.choice(ODD_VALUES)
    if isinstance(value, dict):
        kept = {name: spoilt(rng, each) for name, each in value.items() if rng.random() > 0.05}
        return kept | ({rng.choice(ODD_TEXTS): rng.choice(ODD_VALUES)} if rng.random() < 0.05 else {})
    if isinstance(value, list):
        return [spoilt(rng, each) for each in value] * rng.choice((1, 1, 1, 2))
    return value


async def called(
    server: Server, method: str, path: str, query: bytes, body: bytes, headers: dict[str, str]
) -> tuple[int, str, bytes]:
    """Status, content type and body of a call, without a network in between."""
    sent = {"host": ORIGIN.partition("//")[2], "authorization": f"Bearer {READY_TOKEN}", "user-agent": "test"}
    sent |= headers | ({"content-length": str(len(body))} if body else {})
    scope = {
        "type": "http",
        "method": method,
        "path": path.encode("utf-8", "replace").decode(),
        "raw_path": quote(path, errors="replace").encode(),
        "query_string": query,
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in sent.items()],
        "scheme": "http",
        "client": ("127.0.0.1", 1),
    }
    messages: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        messages.append(message)

    await server(scope, receive, send)
    kind = dict(messages[0]["headers"])[b"content-type"].decode()
    return messages[0]["status"], kind, messages[1]["body"]
