"""Runs every row of rows.toml against the same stub and prints one table. Standard library only.

    make bench
    python bench/run.py --rows comptoir-pull,bare-httpx-8 --runs 5 --write docs/benchmarks.md
    python bench/run.py --rows bare-httpx-8 --extra 'other=other-product pull --base {base} --dir {out}'

BENCH_CACHE names the folder for the rows' virtual environments (default: `.bench` beside this folder). Rows take turns within each run, so noise falls on all of them.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import re
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
import urllib.request
from pathlib import Path

import stub

HERE = Path(__file__).resolve().parent
CACHE = Path(os.environ.get("BENCH_CACHE") or HERE.parent / ".bench").absolute()
USUAL = "comptoir-pull,bare-httpx-8,airbyte-cdk"
PAGE_SIZE = os.sysconf("SC_PAGE_SIZE")


def environment(key: str, packages: list[str]) -> Path:
    """The folder of the executables of a virtual environment that has these packages."""
    home = CACHE / key
    mark = home / "installed.json"
    if not mark.exists() or json.loads(mark.read_text()) != packages:
        shutil.rmtree(home, ignore_errors=True)
        print(f"installing {key}: {' '.join(packages)}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        subprocess.run([home / "bin" / "python", "-m", "pip", "install", "-q", *packages], check=True)
        mark.write_text(json.dumps(packages))
    return home / "bin"


def versions(bin_dir: Path, packages: list[str]) -> str:
    names = [re.split(r"[\[<>=!~ ]", p)[0] for p in packages]
    code = "import sys, importlib.metadata as m; print(', '.join(f'{n} {m.version(n)}' for n in sys.argv[1:]))"
    return subprocess.run(
        [bin_dir / "python", "-c", code, *names], check=True, text=True, capture_output=True
    ).stdout.strip()


def ask(base: str, path: str, post: bool = False) -> dict:
    with urllib.request.urlopen(urllib.request.Request(base + path, method="POST" if post else "GET")) as r:
        return json.load(r)


class Memory(threading.Thread):
    """The largest sum of resident memory over the processes of one session."""

    def __init__(self, session: int) -> None:
        super().__init__(daemon=True)
        self.session, self.peak, self.over = str(session), 0, threading.Event()

    def run(self) -> None:
        while not self.over.wait(0.05):
            total = 0
            for entry in os.scandir("/proc"):
                if not entry.name.isdigit():
                    continue
                try:
                    with open(f"/proc/{entry.name}/stat") as f:
                        fields = f.read().rpartition(")")[2].split()
                except OSError:
                    continue
                if fields[3] == self.session:
                    total += int(fields[21]) * PAGE_SIZE
            self.peak = max(self.peak, total)


def once(command: list[str], base: str, out: Path, expected: dict[str, int], limit: float) -> dict:
    ask(base, "/__reset", post=True)
    log = out / "output.txt"
    with open(log, "wb") as sink:
        began = time.perf_counter()
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            start_new_session=True,
            env={**os.environ, "BENCH_BASE": base, "BENCH_OUT": str(out)},
        )
        memory = Memory(child.pid)
        memory.start()
        alarm = threading.Timer(limit, lambda: os.killpg(child.pid, 9))
        alarm.start()
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - began
        alarm.cancel()
        memory.over.set()
        memory.join()
        child.returncode = os.waitstatus_to_exitcode(status)
    stats = ask(base, "/__stats")
    short = {k: n for k, n in expected.items() if stats["by_kind"].get(k, 0) < n}
    if child.returncode or short:
        raise SystemExit(
            f"{shlex.join(command)}\nexit {child.returncode}, missed {short}\n"
            + log.read_text(errors="replace")[-3000:]
        )
    return {
        "wall": wall,
        "cpu": usage.ru_utime + usage.ru_stime,
        "rss": max(memory.peak, usage.ru_maxrss * 1024) / 2**20,
        "requests": stats["requests"],
    }


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--rows", default=USUAL, help=f"names, comma-separated, or all (default: {USUAL})")
    ap.add_argument(
        "--extra",
        action="append",
        default=[],
        metavar="NAME=COMMAND",
        help="one more row: any command that pulls the stub at {base}, keeping its files in {out}",
    )
    ap.add_argument("--runs", type=int, default=3)
    ap.add_argument("--invoices", type=int, default=20_000)
    ap.add_argument("--latency-ms", type=float, default=20.0)
    ap.add_argument("--port", type=int, default=9100)
    ap.add_argument("--against", default="bare-httpx-8", help="the row that the ratios are to")
    ap.add_argument("--limit", type=float, default=300.0, help="seconds a single pull may take")
    ap.add_argument("--write", type=Path, help="append the table to this file")
    a, _ = ap.parse_known_args()  # the other arguments of `make bench` are for its other programs

    table = tomllib.loads((HERE / "rows.toml").read_text())
    names = list(table) if a.rows == "all" else a.rows.split(",")
    rows: dict[str, tuple[list[str], str, str]] = {}
    for name in names:
        row = table[name]
        bins = {key: environment(key, packages) for key, packages in row["requires"].items()}
        used = ", ".join(versions(bins[k], p) for k, p in row["requires"].items())
        command = [re.sub(r"\{env\.(\w+)\}", lambda m: str(bins[m[1]]), part) for part in row["command"]]
        command = [part.replace("{product}", str(Path(sys.executable).parent)) for part in command]
        rows[name] = (command, row["about"], used)
    for extra in a.extra:
        name, _, command = extra.partition("=")
        rows[name] = (shlex.split(command), command, "")

    expected = stub.counts(a.invoices)
    records = sum(expected.values())
    base = f"http://127.0.0.1:{a.port}"
    server = subprocess.Popen(
        [
            sys.executable,
            HERE / "stub.py",
            "--port",
            str(a.port),
            "--invoices",
            str(a.invoices),
            "--latency-ms",
            str(a.latency_ms),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    got: dict[str, list[dict]] = {name: [] for name in rows}
    try:
        if not server.stdout.readline().startswith("ready"):
            raise SystemExit("the stub did not start")
        for turn in range(a.runs):
            order = list(rows)
            order = order[turn % len(order) :] + order[: turn % len(order)]
            for name in order:
                with tempfile.TemporaryDirectory(prefix="bench-") as folder:
                    command = [
                        p.replace("{base}", base).replace("{out}", folder).replace("{here}", str(HERE))
                        for p in rows[name][0]
                    ]
                    result = once(command, base, Path(folder), expected, a.limit)
                got[name].append(result)
                print(
                    f"run {turn + 1} {name}: {result['wall']:.2f} s wall, {result['cpu']:.2f} s cpu, {result['rss']:.0f} MiB",
                    file=sys.stderr,
                )
    finally:
        server.terminate()
        server.wait()

    def middle(name: str, what: str) -> float:
        return statistics.median(r[what] for r in got[name])

    against = a.against if a.against in got else next(iter(got))
    lines = [
        f"## {datetime.date.today()}: {a.invoices:,} invoices ({records:,} records in all), {a.latency_ms:g} ms a request, {a.runs} runs",
        "",
        f"{os.cpu_count()} cores, Python {platform.python_version()}, stub on the same machine; medians; ratios to `{against}` of the same runs (above 1: slower, more).",
        "",
        "| row | wall s | spread | cpu s | peak MiB | records/s | wall ratio | cpu ratio | memory ratio | what |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---|",
    ]
    for name, (_, about, used) in rows.items():
        walls = [r["wall"] for r in got[name]]
        per_run = [
            statistics.median(r[w] / b[w] for r, b in zip(got[name], got[against])) for w in ("wall", "cpu", "rss")
        ]
        lines.append(
            f"| {name} | {middle(name, 'wall'):.2f} | {min(walls):.2f}-{max(walls):.2f} | {middle(name, 'cpu'):.2f} | {middle(name, 'rss'):.0f} "
            f"| {records / middle(name, 'wall'):,.0f} | {per_run[0]:.2f} | {per_run[1]:.2f} | {per_run[2]:.2f} | {about}{f' ({used})' if used else ''} |"
        )
    text = "\n".join(lines) + "\n"
    print(text)
    if a.write:
        with open(a.write, "a") as f:
            f.write("\n" + text)


if __name__ == "__main__":
    main()
