"""A process that reads books is killed wherever it may be and started again: the end is as if nothing had happened.

In CI a few seeds, which are printed; in full: `make test-books`.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from tests.sync.house import standard, unmoved
from tests.sync.standin import StandIn, lasting, standing_in

from comptoir.integrations.freeagent import FREEAGENT
from comptoir.store import Database, connections, datasets, open_database, raw, syncs, tenants
from comptoir.store.datasets import Status
from comptoir.store.tables import EVENTS, PAGES, RAW_LINKS, RAW_VERSIONS
from comptoir.sync import Report

_DRIVER = Path(__file__).with_name("driver.py")
_KILLED_PULLS = int(os.environ.get("COMPTOIR_TEST_KILLS", "3"))
_FIRST_SEED = int(os.environ.get("COMPTOIR_TEST_FIRST_SEED", "1"))
_MOST_UNDER_WAY = 16  # pages asked for or arrived, and not committed, when the process ends
_PATIENCE_SECONDS = 120


@pytest.fixture(scope="module")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """Books of several pages, and answers that take a while, so that kills strike reads."""
    with standing_in(tmp_path_factory.mktemp("stand-in"), books=700, seed=5, latency=0.02) as running:
        yield running


class _Pull:
    """A folder in which a process reads the books, is killed, and is started again."""

    def __init__(self, folder: Path, standin: StandIn, url: str | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._standin = folder, standin
        self._url = url or f"sqlite:///{folder / 'comptoir.db'}"

    def start(self, armed: str = "") -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, _DRIVER, self._folder, self._standin.url, self._standin.token, armed, self._url],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n", process.communicate()[1]
        return process

    def copied(self, folder: Path) -> _Pull:
        """The same books in another folder, to be read again."""
        shutil.copytree(self._folder, folder, dirs_exist_ok=True)
        (folder / "again").touch()
        return _Pull(folder, self._standin)

    def finish(self) -> None:
        process = self.start()
        _, complaints = process.communicate(timeout=_PATIENCE_SECONDS)
        assert process.returncode == 0, complaints

    def crash(self, armed: str) -> None:
        """Run to a failpoint, and end there."""
        process = self.start(armed)
        _, complaints = process.communicate(timeout=_PATIENCE_SECONDS)
        assert process.returncode == -signal.SIGKILL, f"{armed} was never met: {complaints}"

    def kill_after(self, seconds: float) -> bool:
        """Kill it so long after it began; whether it was still at work."""
        process = self.start()
        try:
            process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
        return process.returncode == -signal.SIGKILL

    def books(self) -> dict[str, Any]:
        """All that was made of the books, without ids and moments of our own."""
        db = open_database(self._url)
        try:
            return _books(db)
        finally:
            db.close()


def _books(db: Database) -> dict[str, Any]:
    with db.read() as tx:
        tenant = tenants.by_name(tx, "crash")
        assert tenant is not None
        connection = connections.all_linked(tx)[0]
        newest = datasets.newest_of(tx, tenant.id, connection.id)
        sync = syncs.latest(tx, tenant.id, connection.id)
        assert sync is not None
        assert sync.checks is not None
        held = {
            resource.name: [
                (row.id, row.part, lasting(row.body)) for row in raw.whole(tx, tenant.id, connection.id, resource.name)
            ]
            for resource in FREEAGENT.resources
        }
        links = sa.select(RAW_LINKS.c.resource, RAW_LINKS.c.id, RAW_LINKS.c.link, RAW_LINKS.c.target)
        is_lasting = RAW_VERSIONS.c.resource.not_in(["bills", "expenses"])  # links to files are signed anew each time
        told = [row.type for row in tx.execute(sa.select(EVENTS.c.type))]
        assert {one.status for one in newest.values()} == {Status.COMPLETE}, newest
        assert len(newest) == len(FREEAGENT.data_types)
        assert sync.ended is not None
        return {
            "raw": held,
            "links": sorted(tuple(row) for row in tx.execute(links)),
            "versions": tx.execute(sa.select(sa.func.count()).select_from(RAW_VERSIONS).where(is_lasting)).scalar_one(),
            "pages": tx.execute(sa.select(sa.func.count()).select_from(PAGES)).scalar_one(),
            "aside": tx.execute(sa.text("SELECT count(*) FROM raw_aside")).scalar_one(),
            "checks": msgspec.structs.replace(Report.decode(sync.checks), checked_at=None),
            "told": sorted(type_ for type_ in told if type_.startswith("read.")),
            "datasets": {
                name: (
                    *(one.records_read, one.records_new, one.records_changed, one.records_deleted),
                    *(one.records_set_aside, one.warnings, one.progress),
                )
                for name, one in newest.items()
            },
            "standard": unmoved(standard(db, connection.id)),
        }


class _Undisturbed:
    def __init__(self, pull: _Pull, standin: StandIn) -> None:
        standin.reset()
        began = time.monotonic()
        pull.finish()
        self.seconds = time.monotonic() - began
        self.books = pull.books()
        self.calls = _good_calls(standin)


def _good_calls(standin: StandIn) -> int:
    return int(standin.counters()["byStatus"]["200"])


@pytest.fixture(scope="module")
def undisturbed(standin: StandIn, tmp_path_factory: pytest.TempPathFactory) -> _Undisturbed:
    return _Undisturbed(_Pull(tmp_path_factory.mktemp("undisturbed"), standin), standin)


_FAILPOINTS = (
    "fetch.page=crash@1",
    "fetch.page=crash@20",
    "fetch.committed=crash@1",
    "fetch.committed=crash@5",
    "read.ended=crash@1",
    "map.batch=crash@1",
    "map.batch=crash@6",
    "end.checked=crash@1",
)


@pytest.mark.slow
@pytest.mark.parametrize("armed", _FAILPOINTS)
def test_a_kill_at_a_named_place_leaves_no_trace(
    standin: StandIn, undisturbed: _Undisturbed, tmp_path: Path, armed: str
) -> None:
    pull = _Pull(tmp_path, standin)
    standin.reset()
    pull.crash(armed)
    pull.finish()
    assert pull.books() == undisturbed.books
    again = _good_calls(standin) - undisturbed.calls
    assert 0 <= again <= (_MOST_UNDER_WAY if armed.startswith("fetch") else 0)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(_FIRST_SEED, _FIRST_SEED + _KILLED_PULLS))
def test_kills_at_random_moments_leave_no_trace(
    standin: StandIn, undisturbed: _Undisturbed, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    pull = _Pull(tmp_path, standin)
    standin.reset()
    kills = sum(pull.kill_after(chance.uniform(0.0, undisturbed.seconds)) for _ in range(chance.randint(1, 3)))
    pull.finish()
    again = _good_calls(standin) - undisturbed.calls
    print(f"seed {seed}: {kills} kills, {again} pages of {undisturbed.calls} fetched again")  # noqa: T201 - to repeat it
    assert pull.books() == undisturbed.books
    assert 0 <= again <= kills * _MOST_UNDER_WAY


@pytest.mark.slow
def test_a_kill_on_postgresql_leaves_no_trace(
    standin: StandIn, undisturbed: _Undisturbed, tmp_path: Path, postgres_url: str
) -> None:
    pull = _Pull(tmp_path, standin, postgres_url)
    standin.reset()
    pull.crash("fetch.committed=crash@3")
    pull.crash("map.batch=crash@3")
    pull.finish()
    assert pull.books()["standard"] == undisturbed.books["standard"]
    assert pull.books()["raw"] == undisturbed.books["raw"]
    assert 0 <= _good_calls(standin) - undisturbed.calls <= _MOST_UNDER_WAY


# The same of a read of what changed


class _Kept:
    """Books that were read whole and edited since, and what came of reading the changes undisturbed."""

    def __init__(self, folder: Path, standin: StandIn) -> None:
        self.standin, self.pull = standin, _Pull(folder / "whole", standin)
        self.pull.finish()
        _edit(standin, self.pull.books()["raw"])
        self.undisturbed = _Undisturbed(self.pull.copied(folder / "undisturbed"), standin)


def _edit(standin: StandIn, held: dict[str, Any]) -> None:
    standin.advance(3600)
    ids = {name: [id_ for id_, _, _ in held[name]] for name in ("invoices", "bills", "expenses", "contacts")}
    standin.mutate("change", "invoices", ids["invoices"][0], set={"comments": "Changed."})
    standin.mutate("change", "bills", ids["bills"][-1], set={"comments": "Changed."})
    standin.mutate("change", "contacts", ids["contacts"][0], set={"organisation_name": "Lighthouse Ltd"})
    standin.mutate("delete", "expenses", ids["expenses"][len(ids["expenses"]) // 2])
    for resource in ("contacts", "bank_transactions", "bank_transactions", "expenses"):
        standin.mutate("add", resource)
    standin.advance(3600)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Kept]:
    folder = tmp_path_factory.mktemp("kept")
    with standing_in(folder / "stand-in", books=700, seed=6, latency=0.02) as running:
        yield _Kept(folder, running)


_FAILPOINTS_OF_CHANGES = ("fetch.page=crash@9", "fetch.committed=crash@4", "map.batch=crash@2")


@pytest.mark.slow
@pytest.mark.parametrize("armed", _FAILPOINTS_OF_CHANGES)
def test_a_kill_at_a_named_place_of_a_read_of_changes_leaves_no_trace(kept: _Kept, tmp_path: Path, armed: str) -> None:
    pull = kept.pull.copied(tmp_path)
    kept.standin.reset()
    pull.crash(armed)
    pull.finish()
    assert pull.books() == kept.undisturbed.books
    again = _good_calls(kept.standin) - kept.undisturbed.calls
    assert 0 <= again <= (_MOST_UNDER_WAY if armed.startswith("fetch") else 0)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(_FIRST_SEED, _FIRST_SEED + max(1, _KILLED_PULLS // 3)))
def test_kills_at_random_moments_of_a_read_of_changes_leave_no_trace(kept: _Kept, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    pull = kept.pull.copied(tmp_path)
    kept.standin.reset()
    kills = sum(pull.kill_after(chance.uniform(0.0, kept.undisturbed.seconds)) for _ in range(chance.randint(1, 3)))
    pull.finish()
    again = _good_calls(kept.standin) - kept.undisturbed.calls
    print(f"seed {seed}: {kills} kills, {again} of {kept.undisturbed.calls} calls made again")  # noqa: T201 - to repeat it
    assert pull.books() == kept.undisturbed.books
    assert 0 <= again <= kills * _MOST_UNDER_WAY
