"""`freeagent-standin serve`: make the books, take the port, say that it is ready, serve, stop cleanly."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import hashlib
import logging
import os
import signal
import socket
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from types import FrameType
from typing import Any, Literal

import msgspec
import uvicorn

from freeagent_standin.api import answer
from freeagent_standin.clock import Clock
from freeagent_standin.companies import Companies, generate
from freeagent_standin.limits import FREEAGENT_LIMITS, parse_limits
from freeagent_standin.server import Server
from freeagent_standin.settings import LONGEST_WAIT, Settings
from freeagent_standin.standin import Credentials, Standin
from freeagent_standin.state import GeneratedFrom, State, StateUnusable, open_state
from freeagent_standin.wire import Answer, Call

__all__ = ["CannotServe", "Options", "facts", "ready_token", "serve", "server_config"]

_MOST_COMPANIES = 1000
_STOP_WITHIN_SECONDS = 2
_BACKLOG = 512


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line asked for; see its help."""

    port: int
    host: str = "127.0.0.1"
    seed: int = 1
    books: str = "small"
    companies: int = 1
    kind: str = ""
    today: date | None = None
    time_scale: float = 1.0
    limits: str = FREEAGENT_LIMITS
    latency: float = 0.0
    page_drift: bool = False
    refresh: Literal["strict", "lenient"] = "strict"
    data_dir: Path | None = None
    ready_file: Path | None = None


class CannotServe(Exception):
    """The stand-in cannot start; the message is a plain sentence."""


def serve(options: Options) -> None:
    """Serve until told to stop. Raises CannotServe with a sentence."""
    settings = _settings(options)
    listener = _listen(options.host, options.port)
    with contextlib.closing(listener):
        try:
            with contextlib.closing(open_state(options.data_dir)) as state:
                standin = _standin(options, settings, state)
                _run(standin, options, listener)
        except StateUnusable as problem:
            raise CannotServe(str(problem)) from problem


def _settings(options: Options) -> Settings:
    if not 0 <= options.port <= 65_535:
        raise CannotServe(f"A port is a number from 1 to 65535 (0: any free one); {options.port} is not.")
    if options.time_scale <= 0:
        raise CannotServe("--time-scale must be above 0; 60 lets a minute pass in a second.")
    if not 0 <= options.latency <= LONGEST_WAIT:
        raise CannotServe(f"--latency is from 0 to {LONGEST_WAIT} seconds.")
    if not 1 <= options.companies <= _MOST_COMPANIES:
        raise CannotServe(f"--companies must be from 1 to {_MOST_COMPANIES}.")
    if options.books not in ("small", "medium", "large") and not (
        options.books.isascii()
        and options.books.isdigit()
        and len(options.books) < 8
        and 1 <= int(options.books) <= 1_000_000
    ):
        raise CannotServe(
            f"--books is small, medium, large, or a number of bank lines from 1 to 1000000; {options.books!r} is not."
        )
    try:
        limits = parse_limits(options.limits)
    except ValueError as problem:
        raise CannotServe(str(problem)) from problem
    return Settings(
        limits=limits, refresh=options.refresh, latency_seconds=options.latency, page_drift=options.page_drift
    )


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as problem:
        raise CannotServe(f"{host!r} is not an address of this machine.") from problem
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        # From here on a second stand-in is refused; early callers wait in the queue until the books are made.
        listener.listen(_BACKLOG)
    except OSError as problem:
        listener.close()
        reason = problem.strerror.lower() if problem.strerror else str(problem)
        raise CannotServe(
            f"Port {port} on {host} cannot be used ({reason}). Stop what uses it, or choose another --port."
        ) from problem
    return listener


def _standin(options: Options, settings: Settings, state: State) -> Standin:
    """The books and everything around them: made anew, or as the data directory has them."""
    generated = state.generated
    if generated is None:
        start = datetime.combine(options.today, datetime.now(UTC).timetz()) if options.today else None
        clock = Clock(start=start, scale=options.time_scale)
        generated = GeneratedFrom(
            size=options.books,
            seed=options.seed,
            today=clock.now().date().isoformat(),
            companies=options.companies,
            kind=options.kind,
        )
    else:
        clock = Clock(anchor=state.anchor, scale=options.time_scale)
        asked = (options.books, options.seed, options.companies, options.kind)
        if asked != (generated.size, generated.seed, generated.companies, generated.kind):
            _say(
                f"{options.data_dir} has books already: {generated.size}, seed {generated.seed}, "
                f"{generated.companies} companies{f' ({generated.kind})' if generated.kind else ''}. "
                "Those are served; --books, --seed, --companies and --kind are ignored."
            )
    try:
        worlds = generate(
            size=generated.size,
            seed=generated.seed,
            today=date.fromisoformat(generated.today),
            companies=generated.companies,
            kind=generated.kind,
        )
    except ValueError as problem:
        raise CannotServe(str(problem)) from problem
    state.remember_generated(generated, clock.anchor)
    companies = Companies(worlds, state)
    credentials = Credentials(
        email=companies.owner(companies.first).email, password=_derived("password", generated.seed, 12)
    )
    for world in companies:
        state.add_ready_token(
            ready_token(generated.seed, world.id),
            company_id=world.id,
            user_id=companies.owner(world).id,
            now=clock.seconds(),
        )
    # The books stay as long as we do: no use in looking through them for garbage again and again.
    gc.collect()
    gc.freeze()
    return Standin(
        companies=companies,
        state=state,
        clock=clock,
        settings=settings,
        credentials=credentials,
        seed=generated.seed,
    )


def _derived(purpose: str, seed: int, length: int) -> str:
    """The same for the same seed, so that what was noted down works again after a restart. It guards made-up data."""
    return hashlib.sha256(f"freeagent-standin/{purpose}/{seed}".encode()).hexdigest()[:length]


def ready_token(seed: int, company_id: int) -> str:
    """The access token of a company that works without any app."""
    return _derived(f"token/{company_id}", seed, 40)


class _Server(uvicorn.Server):
    """uvicorn, told to announce itself once it answers and to end with exit code 0 on a stop signal."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._announce()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        def stop(number: int, frame: FrameType | None) -> None:
            # A second signal does not wait for answers under way.
            self.force_exit = self.should_exit
            self.should_exit = True

        before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def server_config(standin: Standin, answer: Callable[[Any, Call], Answer]) -> uvicorn.Config:
    """How uvicorn serves a stand-in: its own Date header, nothing logged, connections kept as long as clients like."""
    # Its complaints are about connections we broke on purpose.
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)
    return uvicorn.Config(
        Server(standin, answer),
        http="h11",
        loop="asyncio",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level=logging.CRITICAL,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        backlog=_BACKLOG,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=_STOP_WITHIN_SECONDS,
    )


def _run(standin: Standin, options: Options, listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    host = "127.0.0.1" if options.host in ("0.0.0.0", "::") else options.host  # noqa: S104 - compared, not bound
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def announce() -> None:
        if options.ready_file is not None:
            _write_by_rename(
                options.ready_file, msgspec.json.format(msgspec.json.encode(facts(standin, url)), indent=2)
            )
        _say(
            f"FreeAgent stand-in: API {url}/v2 · developer site {url}/dev · control {url}/control · "
            f"sign in as {standin.credentials.email} with {standin.credentials.password}"
        )

    server = _Server(server_config(standin, answer), announce)
    asyncio.run(server.serve(sockets=[listener]))


def facts(standin: Standin, url: str) -> dict[str, Any]:
    """What the ready file says."""
    counts = {world.id: world.counts() for world in standin.companies}
    totals: Counter[str] = Counter()
    for one in counts.values():
        totals.update(one)
    return {
        "url": url,
        "developerUrl": f"{url}/dev",
        "controlUrl": f"{url}/control",
        "email": standin.credentials.email,
        "password": standin.credentials.password,
        "companies": [
            {
                "id": world.id,
                "name": world.name,
                "accessToken": ready_token(standin.seed, world.id),
                "counts": counts[world.id],
            }
            for world in standin.companies
        ],
        "counts": dict(totals),
    }


def _write_by_rename(path: Path, content: bytes) -> None:
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    except OSError as problem:
        raise CannotServe(f"The ready file {path} cannot be written: {problem.strerror}.") from problem


def _say(sentence: str) -> None:
    print(sentence, file=sys.stdout, flush=True)  # noqa: T201 - the command's answer
