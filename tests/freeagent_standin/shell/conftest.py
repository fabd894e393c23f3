"""A stand-in over a tiny world of a dozen notes, served over real HTTP in this process."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec
import pytest
import uvicorn

from freeagent_standin.clock import Clock
from freeagent_standin.companies import Companies
from freeagent_standin.limits import parse_limits
from freeagent_standin.serving import _listen, server_config
from freeagent_standin.settings import Settings
from freeagent_standin.standin import Credentials, Standin
from freeagent_standin.state import State
from freeagent_standin.wire import Answer, Call

# The middle of a minute and of an hour, so that no window ends in mid-test.
NOON = datetime(2026, 3, 31, 12, 30, 15, tzinfo=UTC)
READY_TOKEN = "ready-made-token-of-company-"


class TinyUser(msgspec.Struct, kw_only=True):
    id: int
    first_name: str
    last_name: str
    email: str
    permission_level: int


class TinyWorld:
    """Just enough of a world: notes that can be listed, added, deleted; users whose level can change."""

    def __init__(self, company: int, notes: int = 12) -> None:
        self.id = company
        self.name = f"Company {company} Ltd"
        self.subdomain = f"company{company}"
        self.users = [
            TinyUser(id=101, first_name="Olive", last_name="Owner", email="olive@example.com", permission_level=8),
            TinyUser(id=102, first_name="Tim", last_name="Time", email="tim@example.com", permission_level=1),
        ]
        self.notes = {number: f"note {number}" for number in range(1, notes + 1)}

    def counts(self) -> dict[str, int]:
        return {"notes": len(self.notes), "users": len(self.users)}

    def mutate(self, op: dict[str, Any], now: datetime) -> dict[str, Any]:
        match op:
            case {"do": "add", "resource": "notes"}:
                number = max(self.notes) + 1
                self.notes[number] = op.get("text", f"added {now:%H:%M}")
                return {"id": number, "url_path": f"notes/{number}"}
            case {"do": "delete", "resource": "notes", "id": number}:
                del self.notes[int(number)]
                return {"id": int(number), "url_path": f"notes/{number}"}
            case {"do": "change", "resource": "users", "id": number, "set": {"permission_level": level}}:
                next(user for user in self.users if user.id == number).permission_level = level
                return {"id": number, "url_path": f"users/{number}"}
            case {"do": "advance", "days": days}:
                return {"days": days}
            case _:
                raise ValueError("This world has notes and users only.")


def tiny_answer(world: TinyWorld, call: Call) -> Answer:
    if call.path == "boom":
        raise RuntimeError("a bug")
    if call.path == "company":
        body: dict[str, Any] = {"company": {"name": world.name, "level": call.level, "user": call.user_id}}
        return Answer(status=200, body=json.dumps(body).encode())
    query = dict(call.query)
    page, per_page = int(query.get("page", 1)), int(query.get("per_page", 25))
    records = [{"url": f"{call.base_url}/v2/notes/{n}", "text": text} for n, text in world.notes.items()]
    part = records[(page - 1) * per_page : page * per_page]
    link = f'<{call.base_url}/v2/notes?page={page + 1}>; rel="next"' if len(records) > page * per_page else ""
    headers = (("Link", link), ("X-Total-Count", str(len(records))))
    return Answer(status=200, body=json.dumps({"notes": part}).encode(), headers=headers)


class Served:
    """A running stand-in and what a test needs to talk to it."""

    def __init__(self, standin: Standin, url: str, http: httpx.Client) -> None:
        self._http = http
        self.standin = standin
        self.url = url
        self.token = READY_TOKEN + "1"

    def get(self, path: str, *, token: str | None = None, headers: dict[str, str] | None = None) -> httpx.Response:
        """A call below /v2 with the ready-made token of company 1."""
        sent = {"Authorization": f"Bearer {token or self.token}", "User-Agent": "test", **(headers or {})}
        return self._http.get(f"{self.url}/v2/{path}", headers=sent)

    def control(self, method: str, path: str, body: object = None) -> Any:
        answer = self._http.request(method, f"{self.url}/control/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def fault(self, action: dict[str, Any], **match: Any) -> None:
        self.control("POST", "faults", {"match": match, "action": action})

    def app(self, *redirect_uris: str) -> tuple[str, str]:
        """A registered app: its identifier and secret."""
        made = self.control("POST", "apps", {"name": "Reader", "redirectUris": redirect_uris})
        return made["clientId"], made["clientSecret"]

    def token_call(self, pair: tuple[str, str], **form: str) -> httpx.Response:
        return self._http.post(f"{self.url}/v2/token_endpoint", data=form, auth=pair)


Serve = Callable[..., Served]


@pytest.fixture(scope="session")
def http() -> Iterator[httpx.Client]:
    """One client for all tests, because making one takes longer than most of them."""
    with httpx.Client(trust_env=False) as client:
        yield client


@pytest.fixture(scope="session")
def stopping() -> Iterator[list[tuple[threading.Thread, socket.socket]]]:
    """Servers told to stop; waited for once, at the end, because each takes a tenth of a second to look."""
    stopped: list[tuple[threading.Thread, socket.socket]] = []
    yield stopped
    for thread, listener in stopped:
        thread.join(10)
        listener.close()


@pytest.fixture
def serve(http: httpx.Client, stopping: list[tuple[threading.Thread, socket.socket]]) -> Iterator[Serve]:
    """Starts stand-ins over tiny worlds on free ports."""
    running: list[uvicorn.Server] = []

    def start(
        *, limits: str = "off", companies: int = 1, state: State | None = None, scale: float = 1.0, **settings: Any
    ) -> Served:
        state = state or State()
        clock = Clock(start=NOON, scale=scale)
        worlds = [TinyWorld(number) for number in range(1, companies + 1)]
        for world in worlds:
            state.add_ready_token(f"{READY_TOKEN}{world.id}", company_id=world.id, user_id=101, now=clock.seconds())
        standin = Standin(
            companies=Companies(worlds, state),
            state=state,
            clock=clock,
            settings=Settings(limits=parse_limits(limits), **settings),
            credentials=Credentials(email="olive@example.com", password="open sesame"),
        )
        listener = _listen("127.0.0.1", 0)
        server = uvicorn.Server(server_config(standin, tiny_answer))
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])), daemon=True)
        thread.start()
        running.append(server)
        stopping.append((thread, listener))
        return Served(standin, f"http://127.0.0.1:{listener.getsockname()[1]}", http)

    yield start
    for server in running:
        server.should_exit = server.force_exit = True


@pytest.fixture
def served(serve: Serve) -> Served:
    """A stand-in without limits."""
    return serve()
