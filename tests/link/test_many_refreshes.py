"""Several processes renew the tokens of one connection over and over, in trouble: nobody is taken for deauthorized.

In CI some refreshes by three processes; in full, 10,000 by eight: `make test-faults`.
"""

from __future__ import annotations

import os
import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
from tests.conftest import opened
from tests.link.conftest import HouseOf
from tests.link.house import TOKENS, House, Process
from tests.sync.standin import StandIn

from comptoir.store.connections import ConnectionStatus

_REFRESHES = int(os.environ.get("COMPTOIR_TEST_REFRESHES", "120"))
_FIRST_SEED = int(os.environ.get("COMPTOIR_TEST_FIRST_SEED", "1"))
_PROCESSES = 8 if _REFRESHES > 1000 else 3
_A_KILL_IN = 400  # answers of one process
# What the token endpoint does instead of answering, and how often: 15 % of all requests.
_TROUBLE: dict[str, tuple[float, dict[str, Any]]] = {
    "status": (0.05, {"status": 503}),
    "reset": (0.05, {}),
    "html": (0.05, {}),
}
# The same where the former refresh token stays good: then an answer may be lost without losing the grant.
_LOSSES: dict[str, tuple[float, dict[str, Any]]] = {
    "status": (0.04, {"status": 500}),
    "reset": (0.03, {}),
    "loseAnswer": (0.05, {}),
    "cut": (0.03, {"afterBytes": 40}),
}


class _Hammer:
    """Processes whose tokens are refused as soon as they have worked, until enough were renewed."""

    def __init__(self, url: str, house: House, seed: int) -> None:
        self._url, self._house = url, house
        self._chances = [random.Random(seed * _PROCESSES + number) for number in range(_PROCESSES)]
        self._guard = threading.Lock()
        with ThreadPoolExecutor(_PROCESSES) as threads:
            self._processes = list(threads.map(self._start, range(_PROCESSES)))
        self._goal, self._kills = 0, False
        self._enough = threading.Event()
        self._seen: set[str] = set()
        self.told: Counter[str] = Counter()  # by outcome

    def run(self, goal: int, *, kills: bool) -> None:
        self._goal, self._kills, self.told = goal, kills, Counter()
        self._enough.clear()
        with ThreadPoolExecutor(_PROCESSES) as threads:
            list(threads.map(self._one, range(_PROCESSES)))

    def close(self) -> None:
        for process in self._processes:
            process.kill()

    def _start(self, _number: int) -> Process:
        return Process(self._url, self._house)

    def _one(self, number: int) -> None:
        refused, chance = "", self._chances[number]
        with httpx2.Client(base_url=self._house.standin.url, trust_env=False) as http:
            while not self._enough.is_set():
                process = self._processes[number]
                if self._kills and not chance.randrange(_A_KILL_IN):
                    process.go(refused)
                    process.kill()
                    process = self._processes[number] = self._start(number)
                    self._count("killed")
                told = process.told(refused)
                if told in ("", "RelinkRequired", "SetupRequired"):  # ended by itself, or wants a new approval
                    self._count(told or "ended")
                    self._enough.set()
                elif told == "TryLater":
                    self._count(told)
                else:
                    refused = told
                    if self._is_new(told):
                        answer = http.get(
                            "/v2/company", headers={"Authorization": f"Bearer {told}", "User-Agent": "test"}
                        )
                        self._count(f"token {answer.status_code}")
                        process.told(f"worked {told}")
                if self._house.refreshes() >= self._goal:
                    self._enough.set()

    def _is_new(self, token: str) -> bool:
        with self._guard:
            is_new = token not in self._seen
            self._seen.add(token)
        return is_new

    def _count(self, what: str) -> None:
        with self._guard:
            self.told[what] += 1


@pytest.mark.slow
@pytest.mark.timeout(300 + _REFRESHES)
def test_no_refresh_in_trouble_is_taken_for_a_withdrawn_approval(
    postgres_url: str, house_of: HouseOf, standin: StandIn
) -> None:
    db = opened(postgres_url)
    house = house_of(db)
    house.linked()
    hammer = _Hammer(postgres_url, house, _FIRST_SEED)
    for mode, trouble in (("strict", _TROUBLE), ("lenient", _LOSSES)):
        standin.heal()
        standin.reset()
        standin.set(refresh=mode)
        first = house.held().generation
        for kind, (share, action) in trouble.items():
            standin.fault(TOKENS | {"times": None, "probability": share}, kind, **action)

        hammer.run(_REFRESHES // 2, kills=mode == "lenient")

        struck = dict(zip(trouble, (one["fired"] for one in standin.told("GET", "faults")), strict=True))
        asked, refreshes, kept = house.asked(), house.refreshes(), house.held().generation - first
        print(  # noqa: T201 - the counts are what this is run for
            f"{mode}, seed {_FIRST_SEED}: {asked} answered, {refreshes} refreshed, {kept} kept, {struck}, {hammer.told}"
        )
        assert not {"RelinkRequired", "SetupRequired", "ended"} & hammer.told.keys()
        assert house.connection().status is ConnectionStatus.LINKED
        assert refreshes >= _REFRESHES // 2
        # A token is renewed by one process alone: what was given and not kept are the answers that were lost.
        lost = struck.get("loseAnswer", 0) + struck.get("cut", 0) + hammer.told["killed"]
        assert 0 <= refreshes - kept <= lost
    hammer.close()
    db.close()
