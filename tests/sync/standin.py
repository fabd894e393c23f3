"""A stand-in in a process of its own, and what tests ask of it: changes, faults, counts, and all that it would serve."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx2
import msgspec

from comptoir.integrations.contract import Kind, RawRow, Resource
from comptoir.integrations.freeagent import FREEAGENT

_COMMAND = Path(sys.executable).parent / "freeagent-standin"
_SIGNED_LINK = re.compile(rb'"content_src[a-z_]*":"[^"]*",?|"expires_at":"[^"]*",?')


def lasting(body: bytes) -> bytes:
    """A record without the links to its files, which are signed anew for every answer."""
    return _SIGNED_LINK.sub(b"", body)


class StandIn:
    """A running stand-in with books of its own; nobody else asks it anything."""

    def __init__(self, folder: Path, *, books: str | int = "small", seed: int = 1, **options: object) -> None:
        self.folder, self._options = folder, {"books": books, "seed": seed, "limits": "off"} | options
        self._port = 0
        self.start()

    def start(self) -> None:
        """Start, or start again at the same address: the books are those of the seed, with what was done to them."""
        ready = self.folder / "ready.json"
        ready.unlink(missing_ok=True)
        options = [f"--{name.replace('_', '-')}={value}" for name, value in self._options.items()]
        self.process = subprocess.Popen(
            [
                _COMMAND,
                "serve",
                f"--port={self._port}",
                f"--ready-file={ready}",
                f"--data-dir={self.folder}",
                *options,
            ],
            stdout=subprocess.PIPE,
            text=True,
            env={name: text for name, text in os.environ.items() if not name.startswith("COMPTOIR_")},
        )
        assert self.process.stdout is not None
        while not ready.exists():
            assert self.process.stdout.readline(), "the stand-in ended before it was ready"
        facts = json.loads(ready.read_text())
        self.url: str = facts["url"]
        self._port = int(self.url.rsplit(":", 1)[1])
        self.token: str = facts["companies"][0]["accessToken"]
        self._http = httpx2.Client(base_url=f"{self.url}/control", trust_env=False)

    def stop(self) -> None:
        self._http.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.communicate()

    def told(self, method: str, path: str, body: Any = None) -> Any:
        answer = self._http.request(method, f"/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def mutate(self, do: str, resource: str | None = None, record: int | str | None = None, **more: Any) -> Any:
        named = {"resource": resource, "id": None if record is None else int(record)}
        return self.told("POST", "mutate", {"do": do, **{k: v for k, v in named.items() if v is not None}, **more})

    def fault(self, match: Mapping[str, Any], kind: str, **action: Any) -> str:
        """Have a fault strike; returns its id."""
        return str(self.told("POST", "faults", {"match": match, "action": {"kind": kind, **action}})[0]["id"])

    def heal(self) -> None:
        self.told("DELETE", "faults")

    def set(self, **settings: Any) -> None:
        self.told("POST", "settings", settings)

    def advance(self, seconds: float) -> None:
        """Move its clock."""
        self.told("POST", "clock", {"advanceSeconds": seconds})

    def now(self) -> datetime:
        return datetime.fromisoformat(self.told("GET", "clock")["now"])

    def begin_day(self) -> None:
        """Move its clock to just after its next midnight: "due in 3 days" stays true for as long as a module runs.

        By whole minutes, for its limits count by the minute of its clock.
        """
        now = self.now()
        minutes = 24 * 60 - (now.hour * 60 + now.minute) + 5
        self.advance(minutes * 60)

    def counts(self) -> dict[str, int]:
        counted: dict[str, dict[str, int]] = self.told("GET", "counts")
        return next(iter(counted.values()))

    def reset(self) -> None:
        self.told("POST", "reset")

    def counters(self) -> Any:
        return self.told("GET", "counters")

    def calls(self, resource: str) -> int:
        """How often a resource was asked for."""
        return int(self.counters()["byResource"].get(resource, {"requests": 0})["requests"])

    # All that it serves, read by the simplest client there is

    def served(self) -> dict[str, dict[str, bytes]]:
        """The body of each record of each resource, by id, in the form that the widest list has it."""
        held: dict[str, dict[str, bytes]] = {}
        with httpx2.Client(headers={"Authorization": f"Bearer {self.token}"}, trust_env=False) as http:
            for resource in FREEAGENT.resources:
                if resource.today_param is None:
                    held[resource.name] = dict(self._all(http, resource, held))
        return held

    def _all(
        self, http: httpx2.Client, resource: Resource, held: Mapping[str, Mapping[str, bytes]]
    ) -> Iterator[tuple[str, bytes]]:
        for name, params in self._windows(resource, held).items():
            path = resource.path.format(**params)
            params = {key: value for key, value in params.items() if f"{{{key}}}" not in resource.path}
            number, more = 1, True
            while more:
                paged = {"page": str(number), "per_page": "100"} if resource.kind is Kind.LIST else {}
                answer = http.get(f"{self.url}/v2{path}", params=params | paged)
                if answer.status_code == 404:
                    return
                assert answer.status_code == 200, (resource.name, answer.text)
                body = msgspec.json.decode(answer.content, type=dict[str, msgspec.Raw])
                if resource.kind is Kind.REPORT:
                    yield name or resource.name, lasting(answer.content)
                    body = {}
                for key in set(resource.keys) & body.keys():
                    single = resource.kind is Kind.SINGLE
                    for record in [body[key]] if single else msgspec.json.decode(body[key], type=list[msgspec.Raw]):
                        yield resource.read(bytes(record)).id, lasting(bytes(record))
                more = 'rel="next"' in answer.headers.get("link", "").replace("'", '"')
                number += 1

    def _windows(self, resource: Resource, held: Mapping[str, Mapping[str, bytes]]) -> Mapping[str, dict[str, str]]:
        params = dict(resource.params)
        if resource.windows is not None:
            rows = {
                name: tuple(RawRow(id_, "", body) for id_, body in held[name].items()) for name in resource.windows_of
            }
            today = self.now().date()
            return {one.name: params | dict(one.params) for one in resource.windows(rows, today, 24)}
        if resource.per is None:
            return {"": params}
        return {
            id_: params | {resource.per_param or "": json.loads(body)["url"]}
            for id_, body in held[resource.per].items()
        }


@contextmanager
def standing_in(folder: Path, **options: Any) -> Iterator[StandIn]:
    folder.mkdir(parents=True, exist_ok=True)
    standin = StandIn(folder, **options)
    try:
        standin.begin_day()
        yield standin
    finally:
        standin.stop()
