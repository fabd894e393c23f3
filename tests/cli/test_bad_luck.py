"""What stands in the way of a start is said in one sentence that tells what to do."""

from __future__ import annotations

import base64
import os
import re
import socket
from pathlib import Path

import httpx2
import pytest

from .conftest import Ran, Start, free_ports, run


def _refused(*arguments: object, **environ: str) -> Ran:
    ended = run(*arguments, **environ)
    assert ended.code == 1, ended.said
    assert "Traceback" not in ended.said
    return ended


def test_serve_says_which_port_is_taken(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        ended = _refused("serve", "--port", port, "--data-dir", tmp_path)
    assert f"port {port}" in ended.said
    assert "COMPTOIR_PORT" in ended.said


@pytest.mark.parametrize("place", ["file", "nowhere"])
def test_a_data_folder_that_cannot_be_written_is_named(tmp_path: Path, place: str) -> None:
    if place == "file":
        folder = tmp_path / "data"
        folder.write_text("a file")
    else:
        folder = Path("/proc/comptoir")
    ended = _refused("serve", "--data-dir", folder)
    assert str(folder) in ended.said
    assert "Make it writable" in ended.said


def test_the_sandbox_is_refused_with_a_sentence(tmp_path: Path) -> None:
    for name in ("URL", "AUTHORISE_URL", "TOKEN_URL"):
        address = "https://API.Sandbox.FreeAgent.com" + ("" if name == "URL" else "/v2/token_endpoint")
        ended = _refused("serve", "--data-dir", tmp_path, **{f"COMPTOIR_FREEAGENT_{name}": address})
        assert "does not support FreeAgent's sandbox" in ended.said
    ended = _refused("pull", "--freeagent-url", "https://api.sandbox.freeagent.com", "--access-token", "x")
    assert "does not support FreeAgent's sandbox" in ended.said


def test_a_missing_or_wrong_master_key_stops_the_start_and_changes_nothing(tmp_path: Path, start: Start) -> None:
    _start_and_stop(start, tmp_path)
    key = tmp_path / "master.key"
    right = key.read_bytes()
    key.unlink()
    assert "master key is missing" in _refused("serve", "--data-dir", tmp_path).said
    assert not key.exists()
    wrong = base64.b64encode(os.urandom(32)).decode()
    assert "master key" in _refused("serve", "--data-dir", tmp_path, COMPTOIR_MASTER_KEY=wrong).said
    ended = _refused("serve", "--data-dir", tmp_path, COMPTOIR_MASTER_KEY="short")
    assert "32 bytes" in ended.said
    assert "short" not in ended.said.replace("shorter", "")
    key.write_bytes(right)
    _start_and_stop(start, tmp_path)


def test_a_damaged_database_is_named_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "comptoir.db"
    path.write_bytes(b"this is no database" * 100)
    ended = _refused("serve", "--data-dir", tmp_path)
    assert str(path) in ended.said
    assert path.read_bytes() == b"this is no database" * 100


def test_a_second_process_on_the_same_data_is_refused(tmp_path: Path, start: Start) -> None:
    (port,) = free_ports(1)
    serving = start("serve", "--port", port, "--data-dir", tmp_path)
    serving.wait_for("Sign in as")
    ended = _refused("init", "--email", "a@b.example", "--data-dir", tmp_path)
    assert str(tmp_path) in ended.said
    assert serving.stop().code == 0


def test_a_worker_is_refused_where_one_process_owns_the_database(tmp_path: Path) -> None:
    ended = _refused("worker", "--data-dir", tmp_path)
    assert "needs PostgreSQL" in ended.said
    assert "COMPTOIR_DATABASE_URL" in ended.said
    assert list(tmp_path.iterdir()) == []


def test_the_first_start_prints_a_password_that_signs_in(tmp_path: Path, start: Start) -> None:
    (port,) = free_ports(1)
    serving = start("serve", "--port", port, "--data-dir", tmp_path)
    line = serving.wait_for("Sign in as")
    email, password = re.match(r"Sign in as (\S+) with the password (\S+) ", line).groups()  # type: ignore[union-attr]
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}", follow_redirects=True) as browser:
        page = browser.get("/sign-in").text
        token = re.search(r'name="csrf" value="([^"]+)"', page)
        assert token is not None, page
        form = {"email": email, "password": password, "csrf": token[1]}
        assert browser.post("/sign-in", data=form).status_code == 200
        assert "Companies" in browser.get("/companies").text
    assert serving.stop().code == 0


def test_init_makes_the_administrator_once(tmp_path: Path) -> None:
    made = run("init", "--email", "ann@example.com", "--data-dir", tmp_path)
    assert made.code == 0
    assert "Sign in as ann@example.com" in made.out
    assert "initialised already" in _refused("init", "--email", "bob@example.com", "--data-dir", tmp_path).said
    added = run("tenant", "add", "Acme", "--email", "eve@example.com", "--data-dir", tmp_path)
    assert "Sign in as eve@example.com" in added.out
    again = _refused("tenant", "add", "Acme", "--email", "joe@example.com", "--data-dir", tmp_path)
    assert "There is a tenant 'Acme' already" in again.said


def _start_and_stop(start: Start, folder: Path) -> None:
    (port,) = free_ports(1)
    serving = start("serve", "--port", port, "--data-dir", folder)
    serving.wait_for("Comptoir serves")
    assert serving.stop().code == 0
