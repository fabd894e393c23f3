"""What is logged, and what never is."""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from contextvars import copy_context
from pathlib import Path

import pytest
import structlog

from comptoir.runtime import logs
from comptoir.runtime.correlation import correlate, correlated

SECRET = "Xq8-secret_of.tests0001"


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    everybody, ours = logging.getLogger(), logging.getLogger("comptoir")
    handlers, level = list(everybody.handlers), ours.level
    everybody.handlers.clear()  # of others, in another form
    yield
    structlog.reset_defaults()
    everybody.handlers[:] = handlers
    ours.setLevel(level)


def _fail(client_secret: str) -> None:
    raise RuntimeError(f"POST failed with access_token={client_secret} and Authorization: Bearer {client_secret}")


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_a_failure_is_logged_with_its_traceback_and_without_secrets(
    log_format: str, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure(log_format)

    try:
        _fail(SECRET)
    except RuntimeError as error:
        structlog.get_logger("comptoir.tests").error("failed", correlation_id="0a4", token=SECRET, exc_info=error)

    out, err = capsys.readouterr()
    assert out == ""
    assert "RuntimeError" in err
    assert "_fail" in err
    assert "0a4" in err
    assert SECRET not in err


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_lines_of_the_standard_library_have_the_same_form(log_format: str, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(log_format)

    logging.getLogger("comptoir.sync.tests").warning("schedules wait: %s", f"Basic {SECRET}")

    err = capsys.readouterr().err
    assert "schedules wait: Basic [struck out]" in err
    if log_format == "json":
        assert json.loads(err)["level"] == "warning"


def test_values_bound_to_a_statement_are_struck_out() -> None:
    text = f"no such table: grants\n[SQL: SELECT 1]\n[parameters: ('{SECRET}', b'\\x00')]\n(Background on this error)"

    assert logs.strike_out(text) == (
        "no such table: grants\n[SQL: SELECT 1]\n[parameters: [struck out]]\n(Background on this error)"
    )


def test_configuring_twice_writes_each_line_once(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("json")
    logs.configure("json")

    structlog.get_logger("comptoir.tests").info("once")

    assert capsys.readouterr().err.count("once") == 1


@pytest.mark.parametrize("log_level", ["debug", "info", "warning", "error"])
@pytest.mark.parametrize("log_format", ["console", "json"])
def test_no_level_tells_a_secret_wherever_it_stands(
    log_format: str, log_level: str, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure(log_format, log_level)
    log = structlog.get_logger("comptoir.tests")

    for tell in (log.debug, log.info, log.warning, log.error):
        tell("asked", headers={"Authorization": SECRET, "accept": "text/html"}, tried=[f"Bearer {SECRET}"])
        tell("opened", url=f"postgresql://comptoir:{SECRET}@db.example/books", form=f"code={SECRET}&state={SECRET}")
        tell("kept", bound=(f'{{"refresh_token": "{SECRET}"}}', ValueError(f"api_key={SECRET}")))

    err = capsys.readouterr().err
    assert SECRET not in err
    assert "db.example" in err
    assert ("DEBUG" in err.upper()) is (log_level == "debug")


def test_what_a_library_finds_wrong_has_our_form_and_no_secret(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger(), "level", logging.WARNING)  # as a process begins
    logs.configure("json")

    logging.getLogger("a.library").error("failed", exc_info=RuntimeError(f"Authorization: Bearer {SECRET}"))
    logging.getLogger("a.library").info("started")

    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["level"], line["logger"]) == ("failed", "error", "a.library")
    assert SECRET not in line["exception"]


def test_lines_bear_the_ids_of_what_they_are_of(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("json")

    with correlated(connection="c1"):
        correlate(sync="s1")
        thread = threading.Thread(target=copy_context().run, args=(logging.getLogger("comptoir.t").warning, "inside"))
        thread.start()
        thread.join()
    logging.getLogger("comptoir.t").warning("outside")

    inside, outside = map(json.loads, capsys.readouterr().err.splitlines())
    assert (inside["connection"], inside["sync"]) == ("c1", "s1")
    assert not {"connection", "sync"} & outside.keys()


def test_a_log_on_a_full_disk_ends_no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    full = Path("/dev/full").open("w", buffering=1)  # noqa: SIM115 - closing it writes once more, and fails
    try:
        monkeypatch.setattr(sys, "stderr", full)
        logs.configure("json")

        logging.getLogger("comptoir.tests").warning("the lease could not be renewed")
        with pytest.raises(OSError, match="No space left on device"):
            full.flush()  # there was no room indeed
    finally:
        with suppress(OSError):
            full.close()
