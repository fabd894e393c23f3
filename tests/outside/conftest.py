"""FreeAgent clients that others wrote, unchanged, each in an environment of its own, calling a running stand-in.

They sign in as they do for their users: what they would open in a browser, or print to be opened, is opened here,
signed in to and approved, and its redirect taken to where they wait for it.
"""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.cli.conftest import STANDIN, Running, environment
from tests.environments import Environments
from tests.freeagent_standin.shell.visitor import Visitor

_PATIENCE_SECONDS = 60
_ADDRESS = re.compile(r"https?://\S+/v2/approve_app\S+")


class Outside:
    """A stand-in with small books, and one app of a client's."""

    def __init__(self, running: Running, facts: dict[str, Any]) -> None:
        self._running = running
        self.url: str = facts["url"]
        self._control: str = facts["controlUrl"]
        self.token: str = facts["companies"][0]["accessToken"]
        self._person = (facts["email"], facts["password"])

    def close(self) -> None:
        self._running.stop()

    def counts(self) -> dict[str, int]:
        """Records by resource, as the stand-in counts them at this moment."""
        [counts] = httpx.get(f"{self._control}/counts", trust_env=False).json().values()
        return dict(counts)

    def read(self, path: str, **query: str) -> Any:
        """What the API answers to the ready-made token."""
        headers = {"Authorization": f"Bearer {self.token}", "User-Agent": "tests"}
        answer = httpx.get(f"{self.url}/v2/{path}", params=query, headers=headers, trust_env=False)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def change(self, changes: list[dict[str, Any]]) -> None:
        """Change the books."""
        assert httpx.post(f"{self._control}/mutate", json=changes, trust_env=False).status_code == 200

    def app(self, redirect: str) -> tuple[str, str]:
        """Identifier and secret of a new app."""
        body = {"name": "An outside client", "redirectUris": [redirect]}
        made = httpx.post(f"{self._control}/apps", json=body, trust_env=False).json()
        return made["clientId"], made["clientSecret"]

    def approved(self, address: str) -> str:
        """Where approving at this address leads."""
        with Visitor(self.url) as customer:
            customer.open(address.removeprefix(self.url))
            customer.sign_in(*self._person)
            return str(customer.press("Approve").headers["location"])

    def run(self, command: list[str], **environ: str) -> str:
        """Run a client to its end, approve what it asks to be approved on the way; returns all it said."""
        said = ""
        with subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment(NO_PROXY="127.0.0.1,localhost", BROWSER="true", PYTHONUNBUFFERED="1", **environ),
        ) as client:
            assert client.stdin is not None
            assert client.stdout is not None
            for line in client.stdout:
                said += line
                asked = _ADDRESS.search(line)
                back = self.approved(asked[0]) if asked is not None else ""
                if back.startswith("http://localhost"):
                    _knock(back)
                elif back:
                    client.stdin.write(back + "\n")
                    client.stdin.flush()
        assert client.returncode == 0, said
        return said


def _knock(address: str) -> None:
    """Take a redirect to a client, as soon as it listens."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            httpx.get(address.replace("//localhost", "//127.0.0.1"), trust_env=False)
        except httpx.ConnectError:
            assert time.monotonic() < until, "the client does not listen"
        else:
            return


@pytest.fixture(scope="session")
def interpreter(request: pytest.FixtureRequest) -> Callable[[str], Path]:
    """The interpreter of a client's environment, by its name."""
    return Environments("client", request.config).python


@pytest.fixture(scope="session")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    """One stand-in for all clients; they run on the same worker."""
    ready = tmp_path_factory.mktemp("outside") / "ready.json"
    running = Running([str(STANDIN), "serve", "--port", "0", "--limits", "off", "--ready-file", str(ready)])
    running.wait_for("developer site")
    running.stay()
    with closing(Outside(running, json.loads(ready.read_text()))) as found:
        yield found
