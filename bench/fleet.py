"""Measures an installation as a whole: its start, many companies on their schedules, doing nothing, and a second worker.

    python bench/fleet.py --write docs/benchmarks.md
    python bench/fleet.py --companies 20 --load 4 --idle 60 --runs 1

Start: from the command until `/health/ready` answers 200, on a fresh folder and on the one that leaves, beside a bare
server of the same framework. Companies: the stand-in has so many, each with small books of its own, linked for an hour
and so all due at once; a round is over when a sync over each connection has ended. The first round reads everything;
then the processes are stopped, an hour is taken off what the store and the stand-in know of time, and the round of the
next hour is measured from a new start. Limits are off: FreeAgent's own are told by what they would allow. Idle: the same
processes after the round, while nothing is due. Workers: new companies on the stub are read by one worker and by two,
each time in a database of their own; the queue is filled once the workers are up.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from uuid import uuid4

import msgspec
import psycopg
import sqlalchemy as sa
from lists import LISTS, free_port, postgres, running
from run import HERE

from books import BIN
from comptoir import access, settings, upkeep
from comptoir.integrations.freeagent import FREEAGENT
from comptoir.runtime.clock import SystemClock
from comptoir.store import TenantId, companies, connections, grants, integration_settings, open_database, tenants
from comptoir.store.connections import ConnectionStatus
from comptoir.store.tables import DATASETS, LEASES, SYNCS
from comptoir.sync.requests import queue_idle

HOUR = datetime.timedelta(hours=1)
TICKS = os.sysconf("SC_CLK_TCK")
ADDRESS_CALLS_A_MINUTE = 1000  # what FreeAgent allows one calling address
LONGEST_SECONDS = 3 * 3600.0
CLOCK = SystemClock()


# What processes use


class Use(msgspec.Struct, frozen=True):
    """CPU seconds, resident MiB now and at most, and how often threads gave up their core to wait."""

    cpu: float
    mib: float
    peak_mib: float
    waits: int


def use(pid: int) -> Use:
    """Of one process that runs."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
    waits = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            told = (task / "status").read_text()
            waits += int(told.rpartition("\nvoluntary_ctxt_switches:")[2].split()[0])
    now, peak = (int(status[what].split()[0]) / 1024 for what in ("VmRSS", "VmHWM"))
    return Use(cpu(pid), now, peak, waits)


def cpu(pid: int) -> float:
    """Seconds, those of children that ended among them."""
    return sum(map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15])) / TICKS


def below(pid: int) -> list[int]:
    """A process and what it started, such as a database server and its sessions."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                parents.setdefault(parent, []).append(int(entry.name))
    found = [pid]
    for one in found:
        found += parents.get(one, [])
    return found


def cpu_below(pid: int) -> float:
    total = 0.0
    for one in below(pid):
        with contextlib.suppress(OSError):
            total += cpu(one)
    return total


# An installation


class House:
    """One installation's data, and the processes that run on it now, by what they do."""

    def __init__(self, folder: Path, origin: str, database_url: str | None) -> None:
        self.folder, self.port = folder, free_port()
        self.env = {**os.environ, "COMPTOIR_DATA_DIR": str(folder), "COMPTOIR_FREEAGENT_URL": origin}
        self.env |= {"COMPTOIR_FREEAGENT_LIMITS": "off", "COMPTOIR_ADDRESS_LIMIT": "off"}
        self.env |= {"COMPTOIR_DATABASE_URL": database_url} if database_url else {}
        looked_at = database_url or f"sqlite:///file:{folder / 'comptoir.db'}?mode=ro&uri=true"
        self._engine = sa.create_engine(looked_at, poolclass=sa.pool.NullPool)
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def log(self, name: str) -> Path:
        return self.folder.parent / f"{self.folder.name}-{name}.log"

    @contextlib.contextmanager
    def at_work(self, *names: str) -> Iterator[None]:
        """While `serve` and workers run."""
        try:
            for name in names:
                command = [BIN / "comptoir", name.split()[0]]
                command += ["--port", str(self.port)] if name == "serve" else []
                with self.log(name).open("ab") as log:
                    self.processes[name] = subprocess.Popen(command, env=self.env, stdout=log, stderr=log)
            if "serve" in names:
                until_ready(self.port, self.processes["serve"])
            if workers := sum(name.startswith("worker") for name in names):
                self.until("workers", sa.select(sa.func.count()).select_from(LEASES).where(LEASES.c.is_worker), workers)
            yield
        finally:
            for child in self.processes.values():
                child.terminate()
            for child in self.processes.values():
                child.wait()
            self.processes = {}

    def used(self) -> dict[str, Use]:
        return {name: use(child.pid) for name, child in self.processes.items()}

    def until(self, what: str, count: sa.Select[tuple[int]], enough: int, every: float = 0.5) -> None:
        """Wait until there are enough of something; an end of one of the processes is an end."""
        given_up = time.monotonic() + LONGEST_SECONDS
        told = -1
        while (found := self.asked(count)) < enough:
            if found * 10 // enough > told:
                told = found * 10 // enough
                print(f"  {found} of {enough} {what}", file=sys.stderr)
            ended = [name for name, child in self.processes.items() if child.poll() is not None]
            if ended or time.monotonic() > given_up:
                logs = "".join(f"{name}: {self.log(name).read_text()[-3000:]}\n" for name in self.processes)
                raise SystemExit(f"{what}: {found} of {enough}; ended: {ended}\n{logs}")
            time.sleep(every)

    def asked(self, count: sa.Select[tuple[int]]) -> int:
        with self._engine.connect() as tx:
            return tx.execute(count).scalar_one()

    def until_read(self, enough: int, since: datetime.datetime) -> None:
        """Until a sync begun since then has ended over so many connections."""
        ended = sa.select(sa.func.count(SYNCS.c.connection_id.distinct()))
        self.until("read", ended.where(SYNCS.c.started >= since, SYNCS.c.ended.is_not(None)), enough)

    def outcome(self, since: datetime.datetime) -> tuple[float, int, dict[str, int]]:
        """Of the syncs begun since then: from the first's start to the last's end in seconds, calls, datasets by
        status."""
        mine = SYNCS.c.started >= since
        span = sa.select(sa.func.min(SYNCS.c.started), sa.func.max(SYNCS.c.ended), sa.func.sum(SYNCS.c.calls))
        asked = sa.select(DATASETS.c.status, sa.func.count()).where(DATASETS.c.requested >= since)
        with self._engine.connect() as tx:
            started, ended, calls = tx.execute(span.where(mine)).one()
            statuses = dict(map(tuple, tx.execute(asked.group_by(DATASETS.c.status))))
        return (ended - started).total_seconds(), int(calls), statuses


@contextlib.contextmanager
def opened(house: House) -> Iterator[tuple[sa.Connection, TenantId, upkeep.Vault]]:
    """A transaction on an installation that nobody runs, and its first tenant."""
    told = settings.read(house.env)
    db = open_database(told.database_url)
    try:
        vault = upkeep.open_vault(db, told)
        access.ensure_first(db, CLOCK)
        with db.write() as tx:
            yield tx, tenants.all_tenants(tx)[0].id, vault
    finally:
        db.close()


def link(house: House, tokens: list[str], linked_at: datetime.datetime) -> None:
    """A company for each token, linked at a moment: an hour later all of it is due."""
    with opened(house) as (tx, tenant, vault):
        keys = {"client_id": "bench", "client_secret": "bench"}
        integration_settings.save_keys(tx, tenant, FREEAGENT.key, **keys, vault=vault, now=linked_at)
        integration_settings.set_enabled(tx, tenant, FREEAGENT.key, enabled=True)
        for number, token in enumerate(tokens):
            company = companies.add(tx, tenant, name=f"Company {number}", created_by="bench", now=linked_at)
            made = connections.add(tx, tenant, company.id, FREEAGENT.key, linked_at)
            connections.set_status(tx, tenant, made.id, ConnectionStatus.LINKED, linked_at)
            held = {"access_token": token, "refresh_token": token, "expires_at": CLOCK.now() + 24 * HOUR}
            grants.put(tx, tenant, made.id, vault, **held, now=linked_at)


def an_hour_later(house: House) -> None:
    """What was asked for was asked for an hour before."""
    with opened(house) as (tx, tenant, _):
        asked = tx.execute(sa.select(DATASETS.c.id, DATASETS.c.requested).where(DATASETS.c.tenant_id == tenant)).all()
        moved = sa.update(DATASETS).where(DATASETS.c.tenant_id == tenant, DATASETS.c.id == sa.bindparam("one"))
        values = [{"one": id_, "earlier": requested - HOUR} for id_, requested in asked]
        tx.execute(moved.values(requested=sa.bindparam("earlier")), values)


# Start


def until_ready(port: int, child: subprocess.Popen[bytes], path: str = "/health/ready") -> None:
    given_up = time.monotonic() + 600
    while True:
        with contextlib.suppress(OSError):  # not there yet, or 503
            urllib.request.urlopen(f"http://127.0.0.1:{port}{path}").close()
            return
        if child.poll() is not None or time.monotonic() > given_up:
            raise SystemExit(f"did not become ready: {child.args}")
        time.sleep(0.005)


def starts(folder: Path, runs: int, server: str) -> list[str]:
    got: dict[str, list[tuple[float, float, float]]] = {}
    kept = folder / "page.json"
    kept.write_bytes(b"{}")

    def start(name: str, command: list[object], port: int, env: dict[str, str], path: str) -> None:
        began = time.perf_counter()
        child = subprocess.Popen([str(one) for one in command], env=env, stdout=subprocess.DEVNULL)
        try:
            until_ready(port, child, path)
            wall, used = time.perf_counter() - began, use(child.pid)
        finally:
            child.terminate()
            child.wait()
        got.setdefault(name, []).append((wall, used.cpu, used.mib))

    for turn in range(runs):
        port = free_port()
        bare = [sys.executable, LISTS / "memory.py", kept, port]
        start("bare Litestar", bare, port, dict(os.environ), "/page")
        with new_database(server) as url:
            for name, given in (("SQLite", None), ("PostgreSQL", url)):
                house = House(folder / f"start-{name}-{turn}", "http://127.0.0.1:9", given)
                for which in ("first", "again"):
                    serve = [BIN / "comptoir", "serve", "--port", house.port]
                    start(f"{name}, {which}", serve, house.port, house.env, "/health/ready")
    lines = [
        f"## {datetime.date.today()}: start of `comptoir serve`, {runs} runs",
        "",
        f"{machine()}; medians; the ratio is to a bare Litestar of the same runs.",
        "",
        "| row | ready after s | spread | cpu s | MiB | ratio of cpu |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, runs_ in got.items():
        walls = [wall for wall, _, _ in runs_]
        ratio = statistics.median(cpu / base for (_, cpu, _), (_, base, _) in zip(runs_, got["bare Litestar"]))
        cpu, mib = (statistics.median(one[what] for one in runs_) for what in (1, 2))
        lines.append(
            f"| {name} | {statistics.median(walls):.2f} | {min(walls):.2f}-{max(walls):.2f} | {cpu:.2f} | {mib:.0f} "
            f"| {ratio:.1f} |"
        )
    return lines


# Many companies


@contextlib.contextmanager
def stand_in(companies_: int, folder: Path) -> Iterator[tuple[dict[str, object], subprocess.Popen[bytes]]]:
    """The stand-in with so many small companies, its limits off: its ready file, and its process."""
    ready = folder / "standin.json"
    command = [BIN / "freeagent-standin", "serve", "--port=0", f"--companies={companies_}", "--limits=off"]
    child = subprocess.Popen([*command, f"--ready-file={ready}"], stdout=subprocess.DEVNULL)
    try:
        while not ready.exists():
            if child.poll() is not None:
                raise SystemExit("the stand-in did not start")
            time.sleep(0.1)
        yield json.loads(ready.read_text()), child
    finally:
        child.terminate()
        child.wait()


def fleet(folder: Path, a: argparse.Namespace, server: str, pid: int | None) -> list[str]:
    rounds = [
        f"## {datetime.date.today()}: {a.companies:,} linked companies on hourly schedule, one run",
        "",
        (
            f"{machine()}; stand-in on the same machine, small books each, limits off. FreeAgent's limit of "
            f"{ADDRESS_CALLS_A_MINUTE:,} calls a minute and address would make a round as long as its column says, or longer. "
            "By the schedule's own rule all that is due at once is begun within a quarter of an hour, one in five seconds at least."
        ),
        "",
        (
            "| database, processes | round | wall s | calls | by FreeAgent's limit s | cpu s of ours | cpu s of database "
            "| cpu s of stand-in | peak MiB of ours | datasets |"
        ),
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---|",
    ]
    idle = [
        f"## {datetime.date.today()}: idle, {a.companies:,} linked companies on hourly schedule, nothing due, {a.idle:g} s",
        "",
        f"{machine()}; waits: how often one of its threads gave its core up and waited.",
        "",
        "| database, process | cpu % | cpu % of the database | MiB | waits a second |",
        "|---|---:|---:|---:|---:|",
    ]
    with stand_in(a.companies, folder) as (facts, standin):
        tokens = [one["accessToken"] for one in facts["companies"]]
        for name in a.fleet.split(","):
            on_sqlite = name == "sqlite"
            given = contextlib.nullcontext(None) if on_sqlite else new_database(server)
            processes = ["serve"] if on_sqlite else ["worker 1", "worker 2", "serve"]
            said = "SQLite" if on_sqlite else "PostgreSQL"
            with given as url:
                house = House(folder / f"fleet-{name}", str(facts["url"]), url)
                link(house, tokens, CLOCK.now() - 24 * HOUR)
                for which in ("first, everything", "an hour later, nothing changed"):
                    if which != "first, everything":
                        an_hour_later(house)
                        control(facts, "clock", {"advanceSeconds": 3600})
                    since, began = CLOCK.now(), time.monotonic()
                    before = (cpu_below(pid) if pid and url else 0.0, cpu(standin.pid))
                    with house.at_work(*processes):
                        house.until_read(a.companies, since)
                        wall, used = time.monotonic() - began, house.used()
                        after = (cpu_below(pid) if pid and url else 0.0, cpu(standin.pid))
                        if which != "first, everything":
                            idle += rested(house, said, a.idle, pid if url else None)
                    _, calls, statuses = house.outcome(since)
                    told = ", ".join(f"{count:,} {status}" for status, count in sorted(statuses.items()))
                    rounds.append(
                        f"| {said}, {' and '.join(processes)} | {which} | {wall:.0f} | {calls:,} "
                        f"| {calls / ADDRESS_CALLS_A_MINUTE * 60:,.0f} | {sum(one.cpu for one in used.values()):.1f} "
                        f"| {after[0] - before[0]:.1f} | {after[1] - before[1]:.1f} "
                        f"| {' + '.join(f'{one.peak_mib:.0f}' for one in used.values())} | {told} |"
                    )
                    print(rounds[-1], file=sys.stderr)
    return [*rounds, "", *idle]


def rested(house: House, said: str, seconds: float, pid: int | None) -> list[str]:
    """A row for each process, over so many seconds in which nothing was due, from ten seconds after the last sync."""
    time.sleep(10)
    asked = CLOCK.now()
    first, database, began = house.used(), cpu_below(pid) if pid else 0.0, time.monotonic()
    time.sleep(seconds)
    last, spent = house.used(), time.monotonic() - began
    of_database = (cpu_below(pid) - database) / spent if pid else 0.0
    at_work = sa.or_(SYNCS.c.ended.is_(None), SYNCS.c.ended >= asked)
    meanwhile = house.asked(sa.select(sa.func.count()).select_from(SYNCS).where(at_work))
    but = f" (although {meanwhile} syncs went on meanwhile)" if meanwhile else ""
    return [
        f"| {said}, {name}{but} | {(last[name].cpu - first[name].cpu) / spent * 100:.2f} | {of_database * 100:.2f} "
        f"| {last[name].mib:.0f} | {(last[name].waits - first[name].waits) / spent:.0f} |"
        for name in first
    ]


def control(facts: Mapping[str, object], path: str, body: object) -> None:
    request = urllib.request.Request(
        f"{facts['controlUrl']}/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    urllib.request.urlopen(request).close()


# Workers


def workers(folder: Path, a: argparse.Namespace, server: str, pid: int | None) -> list[str]:
    port = free_port()
    stub = [sys.executable, HERE / "stub.py", "--port", port, "--invoices", a.each, "--latency-ms", 0]
    got: dict[int, list[dict[str, float]]] = {1: [], 2: []}
    with running([str(part) for part in stub], port) as source:
        for turn in range(a.runs):
            for count in (1, 2) if turn % 2 == 0 else (2, 1):
                with new_database(server) as url:
                    house = House(folder / f"workers-{turn}-{count}", f"http://127.0.0.1:{port}", url)
                    link(house, ["stub"] * a.load, CLOCK.now())
                    got[count].append(worked(house, count, a.load, source.pid, pid))
                    print(f"run {turn + 1}, {count} workers: {got[count][-1]}", file=sys.stderr)
    lines = [
        f"## {datetime.date.today()}: {a.load} companies of {a.each:,} invoices read by one worker and by two, {a.runs} runs",
        "",
        (
            f"{machine()}; PostgreSQL and stub on the same machine, limits off, no latency; medians. No more can be gained "
            "than by all cores at work, without a pause, on what one worker's run takes of CPU: the last column."
        ),
        "",
        (
            "| workers | wall s | spread | cpu s of workers | cpu s of database | cpu s of stub | times as fast as one "
            "| possible here |"
        ),
        "|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for count, runs in got.items():
        middle = {what: statistics.median(one[what] for one in runs) for what in runs[0]}
        faster = statistics.median(one["wall"] / two["wall"] for one, two in zip(got[1], runs, strict=True))
        possible = statistics.median(
            one["wall"] * (os.cpu_count() or 1) / (one["workers"] + one["database"] + one["stub"]) for one in got[1]
        )
        walls = [one["wall"] for one in runs]
        lines.append(
            f"| {count} | {middle['wall']:.1f} | {min(walls):.1f}-{max(walls):.1f} | {middle['workers']:.1f} "
            f"| {middle['database']:.1f} | {middle['stub']:.1f} | {faster:.2f} | {min(possible, count):.2f} |"
        )
    return lines


def worked(house: House, count: int, load: int, stub: int, pid: int | None) -> dict[str, float]:
    """The queue worked off by so many workers."""
    with house.at_work(*(f"worker {number + 1}" for number in range(count))):
        since = CLOCK.now()
        before = (sum(one.cpu for one in house.used().values()), cpu_below(pid) if pid else 0.0, cpu(stub))
        names = [one.name for one in FREEAGENT.data_types]
        with opened(house) as (tx, tenant, _):
            for one in connections.all_linked(tx):
                queue_idle(tx, tenant, one.company_id, one.id, names, since)
        house.until_read(load, since)
        after = (sum(one.cpu for one in house.used().values()), cpu_below(pid) if pid else 0.0, cpu(stub))
    wall, _, _ = house.outcome(since)
    workers_, database, stub_ = (end - start for start, end in zip(before, after, strict=True))
    return {"wall": wall, "workers": workers_, "database": database, "stub": stub_}


# The whole


@contextlib.contextmanager
def new_database(server: str) -> Iterator[str]:
    """A database of its own on the server, dropped in the end."""
    name = f"bench_{uuid4().hex}"
    url = sa.make_url(server)
    admin = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(admin, autocommit=True) as tx:
        tx.execute(f'CREATE DATABASE "{name}"'.encode())
    try:
        yield url.set(database=name).render_as_string(hide_password=False)
    finally:
        with psycopg.connect(admin, autocommit=True) as tx:
            tx.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


def served_by(server: str) -> int | None:
    """The process of the database server, if it is on this machine."""
    with psycopg.connect(sa.make_url(server).set(drivername="postgresql").render_as_string(hide_password=False)) as tx:
        (folder,) = tx.execute("SHOW data_directory").fetchone() or ("",)
    file = Path(folder) / "postmaster.pid"
    return int(file.read_text().split()[0]) if file.exists() else None


def machine() -> str:
    return f"{os.cpu_count()} cores, Python {platform.python_version()}"


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--runs", type=int, default=3, help="of starts and workers (default: 3)")
    ap.add_argument("--companies", type=int, default=1000)
    ap.add_argument("--fleet", default="sqlite,postgres", help="databases that the companies are kept in")
    ap.add_argument("--idle", type=float, default=300.0, help="seconds of doing nothing")
    ap.add_argument("--load", type=int, default=32, help="companies that the workers read")
    ap.add_argument("--each", type=int, default=1000, help="invoices of each of these")
    ap.add_argument("--parts", default="starts,fleet,workers")
    ap.add_argument("--write", type=Path, help="append the tables to this file")
    a, _ = ap.parse_known_args()  # `make bench` gives its ARGS to every program of this folder
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # servers and folders are put away then too

    parts = {
        "starts": lambda folder, server, pid: starts(folder, a.runs, server),
        "fleet": lambda folder, server, pid: fleet(folder, a, server, pid),
        "workers": lambda folder, server, pid: workers(folder, a, server, pid),
    }
    with tempfile.TemporaryDirectory(prefix="bench-fleet-") as folder, postgres() as server:
        for part in a.parts.split(","):
            text = "\n".join(parts[part](Path(folder), server, served_by(server))) + "\n"
            print(text)
            if a.write:
                with a.write.open("a") as sink:
                    sink.write("\n" + text)


if __name__ == "__main__":
    main()
