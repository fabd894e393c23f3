"""`comptoir serve` starts and stops as a well-behaved process does, whatever others do to it."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.conftest import COMMAND, Running, free_ports, run


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[tuple[Running, int]]:
    """A server with nothing in it, and its port."""
    (port,) = free_ports(1)
    running = Running([str(COMMAND), "serve", "--port", str(port), "--data-dir", str(tmp_path)])
    running.wait_for("Sign in as")
    yield running, port
    if running.process.poll() is None:
        running.stop(signal.SIGKILL)


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_requests_that_never_end_do_not_keep_it_from_stopping(
    serving: tuple[Running, int], how: signal.Signals
) -> None:
    running, port = serving
    visitors = [socket.create_connection(("127.0.0.1", port)) for _ in range(3)]
    visitors[1].sendall(b"GET /sign-in HTTP/1.1\r\nHost: ")
    visitors[2].sendall(
        b"POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        b"Content-Length: 1000\r\n\r\nemail="
    )
    began = time.monotonic()

    ended = running.stop(how)

    assert ended.code == 0
    assert time.monotonic() - began < 10
    assert "Traceback" not in ended.said
    for visitor in visitors:
        visitor.close()


def test_a_damaged_queue_is_named_with_what_to_do(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    (tmp_path / "jobs.db").write_bytes(b"this is no database" * 100)

    ended = run("serve", "--port", port, "--data-dir", tmp_path)

    assert ended.code == 1
    assert "Traceback" not in ended.said
    assert f"{tmp_path / 'jobs.db'}, cannot be opened" in ended.said


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("FAILPOINTS", "fetch.page=crash", "COMPTOIR_TEST_SEAMS=1"),
        ("TIME_SCALE", "60", "faster than the upstream itself"),
        ("FREEAGENT_URL", "https://user@api.freeagent.com", "not an address"),
        ("DATABASE_URL", "mysql://x", "database address is not understood"),
    ],
)
def test_a_setting_that_cannot_be_is_a_sentence_and_no_traceback(
    tmp_path: Path, name: str, text: str, says: str
) -> None:
    ended = run("serve", "--data-dir", tmp_path / "data", **{f"COMPTOIR_{name}": text})

    assert ended.code == 1
    assert says in ended.said
    assert "Traceback" not in ended.said
    assert not (tmp_path / "data" / "comptoir.db").exists()
