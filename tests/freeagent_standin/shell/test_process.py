"""The command itself, in a process of its own: how it starts, what it says, what it keeps, how it ends."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from .visitor import Visitor

COMMAND = [sys.executable, "-m", "freeagent_standin.cli", "serve"]


class Running:
    """A stand-in in a process of its own, ready."""

    def __init__(self, folder: Path, *options: str) -> None:
        ready = folder / "ready.json"
        ready.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            [*COMMAND, "--port", "0", "--ready-file", str(ready), *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.said: list[str] = []
        while not any("developer site" in line for line in self.said):
            line = self.process.stdout.readline()
            assert line, self.process.communicate()[1]
            self.said.append(line)
        self.facts: dict[str, Any] = json.loads(ready.read_text())
        self.url: str = self.facts["url"]

    def get(self, path: str, token: str | None = None) -> httpx.Response:
        token = token or self.facts["companies"][0]["accessToken"]
        return httpx.get(f"{self.url}/v2/{path}", headers={"Authorization": f"Bearer {token}", "User-Agent": "test"})

    def post(self, path: str, body: object) -> httpx.Response:
        token = self.facts["companies"][0]["accessToken"]
        headers = {"Authorization": f"Bearer {token}", "User-Agent": "test"}
        return httpx.post(f"{self.url}/v2/{path}", headers=headers, json=body)

    def control(self, path: str, body: object = None) -> Any:
        method = "GET" if body is None else "POST"
        answer = httpx.request(method, f"{self.url}/control/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def stop(self, how: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """Ends it; returns exit code and what it complained of."""
        self.process.send_signal(how)
        complaints = self.process.communicate(timeout=30)[1]
        return self.process.returncode, complaints


Start = Callable[..., Running]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts stand-ins, and ends those that a test leaves running."""
    started: list[Running] = []

    def run(*options: str) -> Running:
        started.append(Running(tmp_path, *options))
        return started[-1]

    yield run
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
        one.process.communicate()


def refused(*options: str) -> str:
    """What it says when it cannot start: one sentence, and exit code 1."""
    ended = subprocess.run([*COMMAND, *options], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1, ended
    assert ended.stdout == ""
    assert len(ended.stderr.strip().splitlines()) == 1, ended.stderr
    assert ended.stderr.strip().endswith(".")
    return ended.stderr


def test_the_ready_file_tells_all_that_a_client_needs(start: Start) -> None:
    running = start("--companies", "2")

    facts = running.facts
    counts = running.control("counts")
    company = running.get("company", facts["companies"][1]["accessToken"]).json()["company"]
    assert set(facts) == {"url", "developerUrl", "controlUrl", "email", "password", "companies", "counts"}
    assert facts["developerUrl"] == running.url + "/dev"
    assert company["name"] == facts["companies"][1]["name"]
    assert [one["counts"] for one in facts["companies"]] == [counts[str(one["id"])] for one in facts["companies"]]
    assert facts["counts"]["invoices"] == sum(one["invoices"] for one in counts.values())
    assert len(running.said) == 1
    assert facts["password"] in running.said[0]


def test_the_printed_pair_signs_in_at_both_sites(start: Start) -> None:
    running = start()
    pair = (running.facts["email"], running.facts["password"])

    with Visitor(running.url) as person:
        person.open("/dev")
        developer = person.sign_in(*pair)
        person.open("/dev/apps/new")
        person.press("Create App", name="Reader", redirect_uris="https://a.example/cb")
        client_id = person.value("OAuth identifier")
        person.open(
            f"/v2/approve_app?client_id={client_id}&response_type=code&redirect_uri=https%3A%2F%2Fa.example%2Fcb"
        )
        customer = person.sign_in(*pair)

    assert "My Apps" in developer.text
    assert running.facts["companies"][0]["name"] in customer.text


def test_the_same_seed_gives_the_same_books_pair_and_token(start: Start) -> None:
    first = start("--seed", "7", "--today", "2026-03-31")
    first_invoices = first.get("invoices").json()
    second = start("--seed", "7", "--today", "2026-03-31")
    other = start("--seed", "8", "--today", "2026-03-31")

    same = json.loads(json.dumps(second.get("invoices").json()).replace(second.url, first.url))
    assert same == first_invoices
    assert second.facts["companies"] == first.facts["companies"]
    assert other.facts["companies"][0]["accessToken"] != first.facts["companies"][0]["accessToken"]


def test_the_clock_starts_on_the_day_asked_for(start: Start) -> None:
    running = start("--today", "2024-02-29")

    assert running.control("clock")["now"].startswith("2024-02-29T")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_signal_ends_it_cleanly(start: Start, how: signal.Signals) -> None:
    running = start()
    running.get("company")

    assert running.stop(how) == (0, "")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_signal_ends_it_cleanly_while_large_books_are_made(how: signal.Signals, tmp_path: Path) -> None:
    options = ["--port", "0", "--books", "1000000", "--data-dir", str(tmp_path)]
    with subprocess.Popen([*COMMAND, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as making:
        while making.poll() is None and not any(tmp_path.iterdir()):  # which it opens before it makes the books
            pass
        making.send_signal(how)
        said = making.communicate(timeout=30)

    assert (making.returncode, *said) == (0, b"", b"")


def test_what_was_kept_goes_on_after_a_kill(start: Start, tmp_path: Path) -> None:
    data = ("--data-dir", str(tmp_path / "data"), "--limits", "off")
    first = start(*data, "--seed", "3")
    made = first.control("apps", {"name": "Reader", "redirectUris": ["https://a.example/cb"]})
    company = first.facts["companies"][0]["id"]
    contact = first.control("mutate", {"do": "add", "resource": "contacts"})["id"]
    written = first.post("contacts", {"contact": {"organisation_name": "By hand"}}).json()["contact"]["url"]
    later = first.control("clock", {"advanceSeconds": 10 * 86_400})["now"]
    first.control("close", {"company": company, "status": 401})
    first.stop(signal.SIGKILL)

    second = start(*data, "--seed", "4")

    closed = second.get("company").status_code
    second.control("close", {"company": company, "isOpen": True})
    answer = httpx.post(
        f"{second.url}/v2/token_endpoint",
        data={"grant_type": "authorization_code", "code": "made-up"},
        auth=(made["clientId"], made["clientSecret"]),
    )
    assert closed == 401
    assert answer.json()["error"] == "invalid_grant"
    assert second.get(f"contacts/{contact}").status_code == 200
    assert second.get(written.split("/v2/")[1]).json()["contact"]["organisation_name"] == "By hand"
    assert second.facts["companies"][0]["accessToken"] == first.facts["companies"][0]["accessToken"]
    assert second.facts["counts"]["contacts"] == first.facts["counts"]["contacts"] + 2
    assert second.control("clock")["now"] > later
    assert "seed 3" in second.said[0]


def test_a_revoked_ready_made_token_stays_revoked_over_a_restart(start: Start, tmp_path: Path) -> None:
    data = ("--data-dir", str(tmp_path / "data"))
    first = start(*data)
    first.control("revoke", {})
    first.stop()

    assert start(*data).get("company").status_code == 401


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        sentence = refused("--port", str(taken.getsockname()[1]))

    assert "cannot be used (address already in use)" in sentence


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ((), "--port"),
        (("--port", "eighty"), "eighty"),
        (("--port", "70000"), "70000"),
        (("--port", "0", "--books", "huge"), "huge"),
        (("--port", "0", "--books", "0"), "--books"),
        (("--port", "0", "--limits", "fast"), "fast"),
        (("--port", "0", "--limits", "1/60"), "three parts"),
        (("--port", "0", "--refresh", "never"), "never"),
        (("--port", "0", "--today", "yesterday"), "yesterday"),
        (("--port", "0", "--time-scale", "0"), "--time-scale"),
        (("--port", "0", "--latency", "-1"), "--latency"),
        (("--port", "0", "--latency", "nan"), "--latency"),
        (("--port", "0", "--time-scale", "nan"), "time scale"),
        (("--port", "0", "--time-scale", "1e30"), "time scale"),
        (("--port", "0", "--books", "9" * 5_000), "--books"),
        (("--port", "0", "--companies", "0"), "--companies"),
        (("--port", "0", "--host", "no.such.host.invalid"), "no.such.host.invalid"),
        (("--port", "0", "--colour", "red"), "--colour"),
        (("--port", "0", "--ready-file", "/nowhere/ready.json"), "/nowhere/ready.json"),
    ],
)
def test_wrong_arguments_are_told_in_a_sentence(options: tuple[str, ...], says: str) -> None:
    assert says in refused(*options)


def test_a_data_directory_is_one_stand_ins(start: Start, tmp_path: Path) -> None:
    data = ("--data-dir", str(tmp_path / "data"))
    start(*data)

    assert "Another stand-in is using" in refused("--port", "0", *data)


def test_a_data_directory_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "freeagent-standin.db").write_text("not a database, but long enough to be read as one" * 20)

    not_a_folder = refused("--port", "0", "--data-dir", str(tmp_path / "file"))
    damaged = refused("--port", "0", "--data-dir", str(tmp_path / "damaged"))

    assert "cannot be used" in not_a_folder
    assert "is damaged" in damaged
