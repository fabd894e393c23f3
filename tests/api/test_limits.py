"""Whoever asks too often is told when to come back, and a flood of one tenant leaves the others served."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from litestar.types import ASGIApp
from tests.api.conftest import SteadyClock, header, services_for

from comptoir.access import api_keys
from comptoir.api import ApiLimits, api, throttle
from comptoir.store import Database, TenantId, tenants

OTHER_MACHINE = "198.51.100.7"


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


class Api:
    """The API with its limits, asked as a server asks it."""

    def __init__(self, db: Database, **limits: tuple[int, int]) -> None:
        self.db, self.clock = db, SteadyClock()
        services = services_for(db, self.clock)
        self.app: ASGIApp = api(replace(services, limits=ApiLimits(**limits)))

    def a_tenant(self, name: str) -> TenantId:
        with self.db.write() as tx:
            return tenants.add(tx, name, self.clock.now()).id

    def a_key(self, tenant: TenantId) -> str:
        with self.db.write() as tx:
            return api_keys.add(tx, tenant, None, self.clock.now())[1]

    async def ask(
        self,
        key: str | None,
        *,
        address: str = "127.0.0.1",
        path: str = "/api/companies",
        query: bytes = b"",
        written: str = "Basic {}",
    ) -> Answer:
        sent: list[Any] = []
        scope: Any = {
            "type": "http",
            "method": "GET",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query,
            "headers": [(b"authorization", written.format(header(key).split()[1]).encode())] if key else [],
            "client": (address, 1),
            "state": {},
        }

        async def receive() -> Any:
            return {"type": "http.request"}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return Answer(sent[0]["status"], headers, b"".join(message.get("body", b"") for message in sent[1:]))

    def statuses(self, count: int, key: str | None, **more: Any) -> list[int]:
        async def all_() -> list[int]:
            return [(await self.ask(key, **more)).status for _ in range(count)]

        return asyncio.run(all_())


def test_whoever_asks_too_often_is_told_when_to_come_back(database: Database) -> None:
    house = Api(database, key=(5, 60))
    key = house.a_key(house.a_tenant("Lender"))
    assert house.statuses(5, key) == [200] * 5

    refused = asyncio.run(house.ask(key))

    assert refused.status == 429
    assert refused.headers["retry-after"] == "12"
    assert {"x-correlation-id", "x-rate-limit-limit", "content-security-policy"} <= refused.headers.keys()
    told = msgspec.json.decode(refused.body)
    assert (told["statusCode"], told["canBeRetried"]) == (429, "True")
    assert "Ask again in 12 seconds" in told["error"]
    house.clock.sleep(12)
    assert house.statuses(2, key) == [200, 429]
    house.clock.sleep(600)
    assert house.statuses(6, key) == [200] * 5 + [429]


def test_a_key_that_is_none_and_a_path_that_is_none_count_too(database: Database) -> None:
    house = Api(database, key=(3, 60))
    key = house.a_key(house.a_tenant("Lender"))

    assert house.statuses(5, key, path="/api/nowhere") == [404] * 3 + [429] * 2
    assert house.statuses(5, "made-up") == [401] * 3 + [429] * 2


def test_a_tenants_keys_share_a_limit_and_other_tenants_do_not(database: Database) -> None:
    house = Api(database, tenant=(6, 60))
    lender, other = house.a_tenant("Lender"), house.a_tenant("Other")
    first, second, others = house.a_key(lender), house.a_key(lender), house.a_key(other)
    # Whose key it is, is known from its first answer on.
    assert house.statuses(1, first) == house.statuses(1, second) == house.statuses(1, others) == [200]

    assert house.statuses(3, first) == [200] * 3
    assert house.statuses(2, second) == [200, 429]
    assert house.statuses(1, first) == [429]
    assert house.statuses(4, others) == [200] * 4


def test_a_key_that_was_revoked_uses_up_nothing_of_its_tenants(database: Database) -> None:
    house = Api(database, tenant=(7, 60))
    lender = house.a_tenant("Lender")
    revoked, other = house.a_key(lender), house.a_key(lender)
    assert house.statuses(2, revoked) == [200] * 2
    assert house.statuses(1, other) == [200]
    known = api_keys.find(database, revoked)
    assert known is not None
    with database.write() as tx:
        api_keys.delete(tx, lender, known.id)

    assert house.statuses(20, revoked) == [401] * 20

    assert house.statuses(3, other) == [200] * 3


def test_a_key_is_one_however_it_is_written(database: Database) -> None:
    house = Api(database, key=(9, 60))
    key = house.a_key(house.a_tenant("Lender"))
    ways = ["Basic {}", "basic {}", "BASIC  {}"]

    async def all_() -> list[int]:
        return [(await house.ask(key, written=way)).status for way in ways * 3]

    assert asyncio.run(all_()) == [200] * 9
    assert house.statuses(1, key) == [429]


def test_a_key_is_one_in_whichever_of_endless_ways_it_is_written(database: Database) -> None:
    house = Api(database, key=(9, 60))
    key = house.a_key(house.a_tenant("Lender"))

    async def all_() -> list[int]:
        spaced = [await house.ask(key, written=f"Basic{' ' * n}{{}}") for n in range(1, 10)]
        padded = [await house.ask(f"{key}{' ' * n}") for n in range(1, 4)]
        return [one.status for one in (*spaced, *padded)]

    assert asyncio.run(all_()) == [200] * 9 + [429] * 3


def test_what_the_limit_of_a_key_refuses_is_left_to_the_others_of_its_tenant(database: Database) -> None:
    house = Api(database, key=(4, 60), tenant=(8, 60))
    lender = house.a_tenant("Lender")
    flooding, calm = house.a_key(lender), house.a_key(lender)
    assert house.statuses(1, flooding) == house.statuses(1, calm) == [200]

    assert house.statuses(30, flooding) == [200] * 3 + [429] * 27

    assert house.statuses(4, calm) == [200] * 3 + [429]


def test_names_without_end_are_not_kept_and_a_flood_is_not_forgotten_for_them(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "_MOST_KNOWN", 20)
    house = Api(database, key=(3, 60), address=(1000, 60))
    assert house.statuses(4, "flood", address=OTHER_MACHINE) == [401] * 3 + [429]

    for n in range(40):
        assert house.statuses(1, f"made up {n}", address=f"198.51.100.{n + 10}") == [401]

    assert isinstance(house.app, throttle.Throttle)
    assert len(house.app._rates._used_until) <= 20
    assert house.app._turns._lines == {}
    assert house.statuses(1, "flood", address=OTHER_MACHINE) == [429]


def test_an_address_has_a_limit_also_without_a_key(database: Database) -> None:
    house = Api(database, address=(3, 60))
    key = house.a_key(house.a_tenant("Lender"))

    assert house.statuses(4, None, address=OTHER_MACHINE) == [401] * 3 + [429]
    assert house.statuses(1, key, address=OTHER_MACHINE) == [429]
    assert house.statuses(4, key, address="198.51.100.8") == [200] * 3 + [429]
    assert house.statuses(3, key, address="2001:db8::1") == [200] * 3
    assert house.statuses(1, key, address="2001:db8::2") == [429]  # of the same network
    assert house.statuses(9, key) == [200] * 9  # this machine's own: a reverse proxy asks for everybody


def test_a_flood_of_one_tenant_leaves_another_served_in_time(database: Database) -> None:
    """Counted and not timed: how many of the flood are answered while another waits for one answer."""
    house = Api(database)
    flooding, calm = house.a_key(house.a_tenant("Flood")), house.a_key(house.a_tenant("Calm"))
    answered = 0

    async def flood() -> None:
        nonlocal answered
        while True:
            await house.ask(flooding)
            answered += 1
            await asyncio.sleep(0)

    async def waited() -> list[int]:
        await house.ask(flooding)
        await house.ask(calm)
        crowd = [asyncio.create_task(flood()) for _ in range(100)]
        while answered < 100:
            await asyncio.sleep(0)
        found = []
        for _ in range(10):
            before = answered
            assert (await house.ask(calm)).status == 200
            found.append(answered - before)
            await asyncio.sleep(0)
        for one in crowd:
            one.cancel()
        await asyncio.gather(*crowd, return_exceptions=True)
        return found

    found = asyncio.run(waited())

    assert sorted(found)[5] <= 20, found


def test_who_waits_beyond_measure_is_sent_away(database: Database) -> None:
    house = Api(database)
    key = house.a_key(house.a_tenant("Lender"))

    async def crowd() -> list[Answer]:
        await house.ask(key)
        return list(await asyncio.gather(*(house.ask(key) for _ in range(300))))

    answers = asyncio.run(crowd())

    refused = [one for one in answers if one.status == 429]
    assert len(refused) == 300 - 201
    assert {one.headers["retry-after"] for one in refused} == {"1"}
    assert {one.status for one in answers} == {200, 429}


@pytest.mark.parametrize("after", [lambda: asyncio.sleep(0), lambda: asyncio.sleep(0.01)])
def test_whoever_hangs_up_in_the_line_holds_up_nobody(database: Database, after: Callable[[], Awaitable[None]]) -> None:
    house = Api(database)
    key = house.a_key(house.a_tenant("Lender"))

    async def hang_up() -> int:
        await house.ask(key)
        crowd = [asyncio.create_task(house.ask(key)) for _ in range(50)]
        await after()
        for one in crowd:
            one.cancel()
        await asyncio.gather(*crowd, return_exceptions=True)
        return (await house.ask(key)).status

    assert asyncio.run(asyncio.wait_for(hang_up(), 20)) == 200


def test_the_dearest_query_that_is_taken_costs_little(database: Database) -> None:
    """As many tests, braces and patterns as fit: bounded by its length, however it is nested."""
    house = Api(database)
    key = house.a_key(house.a_tenant("Lender"))
    assert house.statuses(1, key) == [200]
    dear = [
        "name~a||" * 255 + "name~a",
        "{" * 32 + "name~" + "a" * 1500 + "}" * 32,
        "&&".join(["{name~%||name~_}"] * 100),
        "name=" + "a" * 2043,
    ]

    began = time.process_time()
    answers = [house.statuses(1, key, query=b"query=" + quote(one).encode()) for one in dear]

    assert answers == [[200]] * len(dear)
    assert time.process_time() - began < 5
    assert house.statuses(1, key, query=b"query=" + b"{" * 33 + b"name~a" + b"}" * 33) == [400]
    assert house.statuses(1, key, query=b"query=name%3D" + b"a" * 2045) == [400]
