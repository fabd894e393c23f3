"""What is logged, and what never is."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from comptoir.runtime import logs

SECRET = "Xq8-secret_of.tests0001"


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    ours = logging.getLogger("comptoir")
    handlers, level = list(ours.handlers), ours.level
    yield
    structlog.reset_defaults()
    ours.handlers[:] = handlers
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
