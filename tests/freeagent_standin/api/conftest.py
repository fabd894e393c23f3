"""A stand-in over generated books, served over real HTTP in this process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import uvicorn
from tests.freeagent_standin.reader import NOON, fresh
from tests.freeagent_standin.shell.conftest import READY_TOKEN, Served

from freeagent_standin.api import answer
from freeagent_standin.clock import Clock
from freeagent_standin.companies import Companies
from freeagent_standin.limits import parse_limits
from freeagent_standin.serving import _listen, server_config
from freeagent_standin.settings import Settings
from freeagent_standin.standin import Credentials, Standin
from freeagent_standin.state import State
from freeagent_standin.world import World

ServeBooks = Callable[..., tuple[Served, World]]


@pytest.fixture
def serve_books() -> Iterator[ServeBooks]:
    """Starts a stand-in over fresh books; its ready-made token is that of company 1."""
    running: list[tuple[uvicorn.Server, threading.Thread]] = []
    with httpx.Client(trust_env=False, timeout=30) as http:

        def start(
            size: str | int = "small", seed: int = 1, *, limits: str = "off", **settings: Any
        ) -> tuple[Served, World]:
            world = fresh(size, seed)
            state = State()
            owner = world.users[0]
            state.add_ready_token(READY_TOKEN + "1", company_id=world.id, user_id=owner.id, now=NOON.timestamp())
            standin = Standin(
                companies=Companies([world], state),
                state=state,
                clock=Clock(start=NOON),
                settings=Settings(limits=parse_limits(limits), **settings),
                credentials=Credentials(email=owner.email, password="open sesame"),
            )
            listener = _listen("127.0.0.1", 0)
            server = uvicorn.Server(server_config(standin, answer))
            thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])), daemon=True)
            thread.start()
            running.append((server, thread))
            return Served(standin, f"http://127.0.0.1:{listener.getsockname()[1]}", http), world

        yield start
        for server, _ in running:
            server.should_exit = server.force_exit = True
        for _, thread in running:
            thread.join(10)
