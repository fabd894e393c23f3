"""Measures how a company's books are kept up with: calls, time and memory, against the stand-in with its limits off.

    python bench/books.py
    python bench/books.py --lines 10000,48000,100000,1000000 --runs 1 --write docs/benchmarks.md

For each size one stand-in serves books of so many bank lines; 48,000 lines are about 100,000 records. They are pulled
whole, again at once with nothing changed (quiet), and again with one in a hundred of contacts, documents and
explanations changed: all that is read hourly. Then all records are made anew from what is held, without any call. Once
for each size a whole pull is killed when about half of its calls are made, and started again: what it asks for beyond a
pull that nobody disturbed are the pages that were under way, and whose books these are. The least possible are the
pages of a hundred that hold the records, and one call for each thing that has no pages; for a quiet run there is no
such number, so none is told. A pull of a million lines takes a quarter of an hour and more, and its stand-in a gigabyte
of memory.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import os
import platform
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from run import Memory

from comptoir.integrations.freeagent import FREEAGENT

BIN = Path(sys.executable).parent
# What is read hourly unless a schedule says otherwise; reports and the ledger are read daily.
DAILY = {"profitAndLoss", "balanceSheet", "cashFlowStatement", "journalEntries"}
HOURLY = ",".join(one.name for one in FREEAGENT.data_types if one.name not in DAILY)
SPREAD_SECONDS = 3600  # the stand-in's clock goes on so far before each further pull, as between hourly runs
PAGED = {
    "users": {"view": "all"},
    "contacts": {"view": "all"},
    "projects": {},
    "bank_accounts": {},
    "price_list_items": {},
    "stock_items": {},
    "invoices": {"view": "all"},
    "credit_notes": {"view": "all"},
    "credit_note_reconciliations": {},
    "bills": {"view": "all"},
    "expenses": {},
}
EDITED = {  # and the field that is given a new text
    "contacts": "town",
    "invoices": "comments",
    "credit_notes": "comments",
    "bills": "comments",
    "bank_transaction_explanations": "description",
}
PER_ACCOUNT = ("bank_transactions", "bank_transaction_explanations")


class StandIn:
    """A running stand-in, and what is asked of it."""

    def __init__(self, facts: dict[str, Any]) -> None:
        self.url, self.control = facts["url"], facts["controlUrl"]
        self.token = facts["companies"][0]["accessToken"]

    def ask(self, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.control}/{path}", data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def get(self, path: str, **params: str) -> tuple[Any, int]:
        address = f"{self.url}/v2/{path}?{urllib.parse.urlencode(params)}"
        headers = {"Authorization": f"Bearer {self.token}", "User-Agent": "bench"}
        with urllib.request.urlopen(urllib.request.Request(address, headers=headers)) as answer:
            return json.load(answer), int(answer.headers.get("X-Total-Count") or 1)

    def ids(self, name: str, params: dict[str, str]) -> list[int]:
        _, total = self.get(name, per_page="1", **params)
        pages = [self.get(name, per_page="100", page=str(page), **params)[0] for page in range(1, -(-total // 100) + 1)]
        return [int(row["url"].rsplit("/", 1)[1]) for page in pages for row in page[name]]

    def calls(self) -> dict[str, int]:
        return {name: row["requests"] for name, row in self.ask("counters")["byResource"].items()}

    def least(self, asked: dict[str, int]) -> int:
        """Pages of a hundred of what was asked for, one call each for the rest."""
        accounts = [row["url"] for row in self.get("bank_accounts", per_page="100")[0]["bank_accounts"]]
        pages = 0
        for name in asked:
            if name in PAGED:
                totals = [self.get(name, per_page="1", **PAGED[name])[1]]
            elif name in PER_ACCOUNT:
                totals = [self.get(name, per_page="1", bank_account=one)[1] for one in accounts]
            else:
                totals = [1]
            pages += sum(max(1, -(-total // 100)) for total in totals)
        return pages


@contextlib.contextmanager
def serving(lines: int, seed: int) -> Iterator[StandIn]:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        ready = Path(folder) / "ready.json"
        command = [
            BIN / "freeagent-standin",
            "serve",
            "--port=0",
            f"--books={lines}",
            f"--seed={seed}",
            "--limits=off",
            f"--ready-file={ready}",
        ]
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            while not ready.exists():
                if child.poll() is not None:
                    raise SystemExit("the stand-in did not start")
                time.sleep(0.1)
            yield StandIn(json.loads(ready.read_text()))
        finally:
            child.terminate()
            child.wait()


def pulled(standin: StandIn, folder: str, limit: float, *, kill_after: int | None = None) -> dict[str, Any]:
    """One pull; with `kill_after` it is killed once so many calls were made, and goes on in a second process."""
    standin.ask("reset", {})
    if kill_after is not None:
        first = subprocess.Popen(_pull(standin, folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while sum(standin.calls().values()) < kill_after and first.poll() is None:
            time.sleep(0.05)
        first.kill()
        first.wait()
    command = _pull(standin, folder)
    log = Path(folder) / "output.txt"
    with log.open("wb") as sink:
        began = time.perf_counter()
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, start_new_session=True)
        memory = Memory(child.pid)
        memory.start()
        alarm = threading.Timer(limit, child.kill)
        alarm.start()
        status = child.wait()
        wall = time.perf_counter() - began
        alarm.cancel()
        memory.over.set()
        memory.join()
    if status:
        raise SystemExit(f"{command}\nexit {status}\n{log.read_text(errors='replace')[-3000:]}")
    calls = standin.calls()
    got = {"wall": wall, "rss": memory.peak / 2**20, "calls": sum(calls.values())}
    print(f"pulled: {got}", file=sys.stderr)
    return got | {"asked": calls}


def _pull(standin: StandIn, folder: str) -> list[str]:
    return [
        str(BIN / "comptoir"),
        "pull",
        f"--freeagent-url={standin.url}",
        f"--access-token={standin.token}",
        f"--data-dir={folder}",
        "--limits=off",
        f"--data-types={HOURLY}",
    ]


def remapped(folder: str, limit: float) -> dict[str, Any]:
    """Wall time, and records for each second that a core was busy."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    command = [BIN / "comptoir", "remap", "--all", f"--data-dir={folder}"]
    subprocess.run(command, check=True, timeout=limit, stdout=subprocess.DEVNULL)
    wall = time.perf_counter() - began
    now = resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
    with contextlib.closing(sqlite3.connect(Path(folder) / "comptoir.db")) as books:
        tables = [name for (name,) in books.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        counts = [
            books.execute(f"SELECT count(*) FROM {name} WHERE NOT is_deleted").fetchone()[0]
            for name in tables
            if name.startswith("std_")
        ]
    return {"wall": wall, "rss": 0, "calls": 0, "records": sum(counts), "a_second": sum(counts) / busy}


def edit(standin: StandIn, share: int) -> int:
    """Change one record in `share` of each kind that people edit; how many were."""
    accounts = [row["url"] for row in standin.get("bank_accounts", per_page="100")[0]["bank_accounts"]]
    changes = []
    for name, field in EDITED.items():
        lists = [{"bank_account": one} for one in accounts] if name in PER_ACCOUNT else [PAGED[name]]
        ids = [one for params in lists for one in standin.ids(name, params)]
        changes += [
            {"do": "change", "resource": name, "id": one, "set": {field: f"Seen {time.time()}"}} for one in ids[::share]
        ]
    standin.ask("mutate", changes)
    return len(changes)


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--lines", default="48000", help="sizes in bank lines, comma-separated (default: 48000)")
    ap.add_argument("--runs", type=int, default=3)
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--limit", type=float, default=1800.0, help="seconds a single pull may take")
    ap.add_argument("--write", type=Path, help="append the table to this file")
    a, _ = ap.parse_known_args()  # `make bench` gives its ARGS to every program of this folder

    lines = [
        f"## {datetime.date.today()}: keeping up with books, limits off, {a.runs} runs",
        "",
        f"{os.cpu_count()} cores, Python {platform.python_version()}, stand-in on the same machine; medians; the ratio of time is to the whole pull of the same run.",
        "",
        "| bank lines | pull | calls | least possible | wall s | ratio of time | peak MiB |",
        "|---:|---|---:|---:|---:|---:|---:|",
    ]
    for size in map(int, a.lines.split(",")):
        got: dict[str, list[dict[str, Any]]] = {"whole": [], "killed": [], "quiet": [], "changes": [], "remap": []}
        least = changed = 0
        with serving(size, a.seed) as standin:
            for _ in range(a.runs):
                with tempfile.TemporaryDirectory(prefix="bench-") as folder:
                    got["whole"].append(pulled(standin, folder, a.limit))
                    least = standin.least(got["whole"][-1]["asked"])
                    standin.ask("clock", {"advanceSeconds": SPREAD_SECONDS})
                    got["quiet"].append(pulled(standin, folder, a.limit))
                    standin.ask("clock", {"advanceSeconds": SPREAD_SECONDS})
                    changed = edit(standin, 100)
                    got["changes"].append(pulled(standin, folder, a.limit))
                    got["remap"].append(remapped(folder, a.limit))
                if not got["killed"]:
                    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
                        half = got["whole"][-1]["calls"] // 2
                        got["killed"].append(pulled(standin, folder, a.limit, kill_after=half))
                print(
                    f"{size} lines:", {name: round(rows[-1]["wall"], 2) for name, rows in got.items()}, file=sys.stderr
                )
        records, a_second = (statistics.median(row[what] for row in got["remap"]) for what in ("records", "a_second"))
        names = {
            "whole": "whole",
            "killed": "whole, killed half-way and resumed: from there on",
            "quiet": "again, nothing changed",
            "changes": f"again, {changed:,} records changed",
            "remap": f"remap of {records:,.0f} records, {a_second:,.0f} a second and core",
        }
        for name, about in names.items():
            ratio = statistics.median(row["wall"] / whole["wall"] for row, whole in zip(got[name], got["whole"]))
            middle = {what: statistics.median(row[what] for row in got[name]) for what in ("calls", "wall", "rss")}
            bound = f"{least:,}" if name == "whole" else ""
            memory = f"{middle['rss']:.0f}" if middle["rss"] else ""
            lines.append(
                f"| {size:,} | {about} | {middle['calls']:,.0f} | {bound} | {middle['wall']:.2f} | {ratio:.2f} | {memory} |"
            )
    text = "\n".join(lines) + "\n"
    print(text)
    if a.write:
        with a.write.open("a") as sink:
            sink.write("\n" + text)


if __name__ == "__main__":
    main()
