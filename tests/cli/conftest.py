"""The command as people run it: in a process of its own, on ports nobody uses."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

COMMAND = Path(sys.executable).parent / "comptoir"
STANDIN = Path(sys.executable).parent / "freeagent-standin"
_PATIENCE_SECONDS = 120


class Ran:
    """A command that has ended."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def said(self) -> str:
        """All it said, as one line: terminals break lines where they like."""
        return " ".join((self.out + " " + self.err).split())


def environment(**more: str) -> dict[str, str]:
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("COMPTOIR_", "CI"))}
    return kept | {"COLUMNS": "200"} | more


def run(*arguments: object, **environ: str) -> Ran:
    """Run `comptoir` to its end."""
    ended = subprocess.run(
        [COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=_PATIENCE_SECONDS,
        env=environment(**environ),
        check=False,
    )
    return Ran(ended.returncode, ended.stdout, ended.stderr)


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on at the moment."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


class Running:
    """A command that goes on until it is stopped, or killed for a test that forgot it."""

    patience_seconds = _PATIENCE_SECONDS

    def __init__(self, command: list[str], **environ: str) -> None:
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(**environ)
        )
        self._killer = threading.Timer(self.patience_seconds, self.process.kill)
        self._killer.start()
        self.said: list[str] = []

    def stay(self) -> None:
        """No longer killed after a while: for what serves a whole module, and is stopped at its end."""
        self._killer.cancel()

    def wait_for(self, words: str) -> str:
        """Read what it says until a line holds these words; returns that line."""
        assert self.process.stdout is not None
        while True:
            line = self.process.stdout.readline()
            assert line, f"ended before it said {words!r}: {self.said} {self.process.communicate()[1]}"
            self.said.append(line)
            if words in line:
                return line

    def stop(self, how: signal.Signals = signal.SIGTERM) -> Ran:
        self.process.send_signal(how)
        out, err = self.process.communicate()
        self._killer.cancel()
        return Ran(self.process.returncode, "".join(self.said) + out, err)


Start = Callable[..., Running]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts commands; whatever still runs at the end of the test is killed."""
    begun: list[Running] = []

    def begin(*arguments: object, command: Path = COMMAND, **environ: str) -> Running:
        running = Running([str(command), *map(str, arguments)], **environ)
        begun.append(running)
        return running

    yield begin
    for running in begun:
        if running.process.poll() is None:
            running.stop(signal.SIGKILL)


class StandIn:
    """A running stand-in, and what a client needs of it."""

    def __init__(self, facts: dict[str, Any]) -> None:
        self.url: str = facts["url"]
        self.control_url: str = facts["controlUrl"]
        self.token: str = facts["companies"][0]["accessToken"]
        self.counts: dict[str, int] = facts["counts"]


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """Small books without limits, for all tests of a module."""
    ready = tmp_path_factory.mktemp("stand-in") / "ready.json"
    running = Running([str(STANDIN), "serve", "--port", "0", "--limits", "off", "--ready-file", str(ready)])
    running.wait_for("developer site")
    with closing(_Stopping(running)):
        yield StandIn(json.loads(ready.read_text()))


class _Stopping:
    def __init__(self, running: Running) -> None:
        self.close = lambda: running.stop(signal.SIGTERM)
