"""Keeps a flood from drowning others: how often a key, tenant or address may ask, and turns for what is asked at once.

Counts are of this process alone. In one round of the event loop each tenant has one turn, so that whoever asks a
thousand times at once waits for themselves, and others for one of these at most.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
from collections import deque
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

from litestar.enums import ScopeType
from litestar.types import Receive, Scope, Send

from comptoir.access.delays import network_of
from comptoir.api.failures import Refused
from comptoir.api.services import ApiServices
from comptoir.api.serving import Serving, candidates
from comptoir.runtime.clock import Clock

__all__ = ["Throttle"]

# Of one tenant. On SQLite all work is this process's own: two at once would only make each other, and others, wait.
_AT_ONCE = {"sqlite": 1, "postgresql": 4}
_FILES_AT_ONCE = 10  # these wait for an upstream
_MOST_WAITING = 200
_MOST_KNOWN = 10_000


class Throttle:
    """The public API behind its limits."""

    def __init__(self, serving: Serving, services: ApiServices) -> None:
        self._serving, self._limits = serving, services.limits
        self._rates = _Rates(services.clock)
        self._turns, self._files = _Turns(_AT_ONCE[services.db.dialect]), _Turns(_FILES_AT_ONCE)
        self._known: dict[bytes, tuple[str, str]] = {}  # key and tenant by what is meant, once that was let in

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.WEBSOCKET:
            await self._serving(scope, receive, send)
            return
        sent = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        meant = candidates(sent)[:1]  # not what was sent: that can be written in ways without end
        digest = hashlib.sha256("".join(meant).encode()).digest()
        key, tenant = self._known.get(digest, (f"key {digest.hex()}" if meant else "", ""))
        address = _address(scope)
        line = tenant or f"address {address}"
        turns = self._files if scope["path"].rstrip("/").lower().endswith(("/download", "/pdf")) else self._turns
        if not await turns.begin(line):
            await self._serving.refuse(scope, send, _too_often(1.0))
            return
        try:
            limits = self._limits
            wait = self._rates.spend((address, limits.address), (key, limits.key), (tenant, limits.tenant))
            if wait:
                await self._serving.refuse(scope, send, _too_often(wait))
                return
            await self._serving(scope, receive, send)
            self._learn(digest, scope["state"])
        finally:
            turns.end(line)

    def _learn(self, digest: bytes, state: Mapping[str, Any]) -> None:
        """A key may be written in several ways, and is one key; one that was revoked uses nothing of its tenant's."""
        if "key" not in state:
            return
        if (key := state["key"]) is None:
            self._known.pop(digest, None)
        elif digest not in self._known:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            names = self._known[digest] = (f"key {key.id}", f"tenant {key.tenant_id}")
            self._rates.spend((names[0], self._limits.key), (names[1], self._limits.tenant))  # what it was learnt by


def _too_often(wait: float) -> Refused:
    seconds = math.ceil(wait)
    message = f"Too many requests were made in a short time. Ask again in {seconds} seconds; nothing was changed."
    return Refused(429, message, ((b"retry-after", b"%d" % seconds),))


def _address(scope: Scope) -> str:
    """Who calls; empty for this machine itself and for what is no address."""
    client = scope.get("client")
    try:
        found = ip_address(str(client[0]).partition("%")[0] if client else "")
    except ValueError:
        return ""
    if found.is_loopback:
        return ""
    return network_of(str(found))


class _Rates:
    """A count in so many seconds may be used at once, and grows back evenly."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._used_until: dict[str, float] = {}

    def spend(self, *names: tuple[str, tuple[int, int] | None]) -> float:
        """Book one for each name, or for none: then the seconds until there is room for all. Nobody's name has no
        limit."""
        now = self._clock.monotonic()
        booked: dict[str, float] = {}
        wait = 0.0
        for name, limit in names:
            if limit is not None and name:
                count, seconds = limit
                used_until = max(self._used_until.get(name, now), now) + seconds / count
                if used_until > now + seconds:
                    wait = max(wait, used_until - now - seconds)
                booked[name] = used_until
        if wait:  # what one limit refuses uses up nothing of the others, which are shared
            return wait
        if len(self._used_until) + len(booked) > _MOST_KNOWN:
            busy = sorted((until, one) for one, until in self._used_until.items() if until > now)
            self._used_until = {one: until for until, one in busy[-_MOST_KNOWN // 2 :]}
        self._used_until |= booked
        return 0.0


class _Line:
    def __init__(self) -> None:
        self.running = 0
        self.had_its_turn = False  # in this round of the event loop
        self.waiting: deque[asyncio.Future[None]] = deque()


class _Turns:
    """Lines of those who wait for each name. For one event loop; every `begin` that was granted needs an `end`."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._lines: dict[str, _Line] = {}

    async def begin(self, name: str) -> bool:
        """Wait for a turn; False where too many wait already."""
        line = self._lines.setdefault(name, _Line())
        if not line.waiting and self._is_free(line):
            self._let_in(name, line)
            return True
        if len(line.waiting) >= _MOST_WAITING:
            return False
        turn = asyncio.get_running_loop().create_future()
        line.waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # it was granted in the same moment
                self.end(name)
            raise
        return True

    def end(self, name: str) -> None:
        self._lines[name].running -= 1
        self._go_on(name)

    def _is_free(self, line: _Line) -> bool:
        return line.running < self._at_once and not line.had_its_turn

    def _let_in(self, name: str, line: _Line) -> None:
        line.running += 1
        line.had_its_turn = True
        asyncio.get_running_loop().call_soon(self._next_round, name)

    def _next_round(self, name: str) -> None:
        self._lines[name].had_its_turn = False
        self._go_on(name)

    def _go_on(self, name: str) -> None:
        line = self._lines[name]
        while line.waiting and line.waiting[0].done():
            line.waiting.popleft()  # whoever waited there has gone
        if line.waiting and self._is_free(line):
            self._let_in(name, line)
            line.waiting.popleft().set_result(None)
        elif not (line.running or line.had_its_turn or line.waiting):
            del self._lines[name]
