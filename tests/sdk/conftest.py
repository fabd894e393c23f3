"""The official SDKs, each in an environment of its own, calling a running demo."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import COMMAND, Running, environment, free_ports
from tests.environments import Environments

_DRIVER = Path(__file__).with_name("driver.py")


class Sdk:
    """One SDK in a process of its own, with one API key."""

    def __init__(self, python: Path, package: str, client: str, address: str, key: str) -> None:
        authorization = "Basic " + base64.b64encode(key.encode()).decode()
        self._process = subprocess.Popen(
            [python, "-I", _DRIVER, package, client, address, authorization],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(NO_PROXY="127.0.0.1"),  # the SDKs would ask a proxy for it
        )

    def close(self) -> None:
        self._process.communicate()

    def outcome(self, call: str, request: Any = None) -> dict[str, Any]:
        """What became of one call: `answer`, or `raised` with what the error says and its `data`."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        arguments = {} if request is None else {"request": request}
        self._process.stdin.write(json.dumps({"call": call, **arguments}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"the SDK's process ended over {call}"
        return json.loads(line)  # type: ignore[no-any-return]  # an object, as the driver writes it

    def answer(self, call: str, request: Any = None) -> Any:
        """What the SDK's method returns, as plain JSON; anything it raises fails the test."""
        outcome = self.outcome(call, request)
        assert "raised" not in outcome, f"{call} {request}: {outcome['raised']} {outcome['said']}"
        return outcome["answer"]

    def error(self, call: str, request: Any = None) -> tuple[str, Any]:
        """The name of what the SDK's method raises, and the typed error's members or else what it says."""
        outcome = self.outcome(call, request)
        assert "raised" in outcome, f"{call} {request} was answered"
        return outcome["raised"], outcome["data"] or outcome["said"]

    def pages(self, call: str, request: dict[str, Any]) -> list[dict[str, Any]]:
        """All results of a list, by its `next` links' word on whether there is another page."""
        found: list[dict[str, Any]] = []
        page = 1
        while True:
            answer = self.answer(call, request | {"page": page})
            found += answer["results"]
            if not answer["_links"].get("next"):
                assert len(found) == answer["totalResults"]
                return found
            page += 1


@pytest.fixture(scope="session")
def interpreter(request: pytest.FixtureRequest) -> Callable[[str], Path]:
    """The interpreter of an SDK's environment, by the SDK's name."""
    return Environments("sdk", request.config).python


class _Serving(Running):
    patience_seconds = 600  # for all tests of a module on a busy machine


class Demo:
    """A running demo with small books, linked and read."""

    def __init__(self, folder: Path) -> None:
        port, standin_port = free_ports(2)
        ready = folder / "ready.json"
        self.running = _Serving(
            [
                *(str(COMMAND), "demo", "--port", str(port), "--standin-port", str(standin_port)),
                *("--limits", "off", "--ready-file", str(ready)),
            ]
        )
        self.running.wait_for("until you press Ctrl-C")
        self.facts: dict[str, Any] = json.loads(ready.read_text())
        self.company: str = self.facts["companyId"]
        self.connection: str = self.facts["connectionId"]
        self.records: dict[str, int] = self.facts["records"]


@pytest.fixture(scope="module")
def sdks(interpreter: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sdks]:
    """SDKs by name, over a demo of this module's own."""
    found = Sdks(interpreter, tmp_path_factory.mktemp("demo"))
    yield found
    found.close()


class Sdks:
    """Starts what is asked for, once: environments first, so that the demo never waits for packages."""

    def __init__(self, interpreter: Callable[[str], Path], folder: Path) -> None:
        self._interpreter, self._folder = interpreter, folder
        self._demo: Demo | None = None
        self._started: dict[tuple[str, str], Sdk] = {}

    @property
    def demo(self) -> Demo:
        self._demo = self._demo or Demo(self._folder)
        return self._demo

    def sdk(self, name: str, key: str | None = None) -> Sdk:
        """`name` as its package is called in an index; `key` if not the demo's own."""
        python = self._interpreter(name)
        facts = self.demo.facts
        package = name.replace("-", "_")
        client = "".join(part.capitalize() for part in name.split("-"))
        chosen = (name, key or facts["apiKey"])
        if chosen not in self._started:
            self._started[chosen] = Sdk(python, package, client, facts["apiUrl"], chosen[1])
        return self._started[chosen]

    def close(self) -> None:
        for sdk in self._started.values():
            sdk.close()
        if self._demo is not None:
            self._demo.running.stop()
