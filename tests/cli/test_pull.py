"""`comptoir pull`: one company's books by a token, no server."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import httpx2
import pytest

from .conftest import StandIn, run


def _fault(stand_in: StandIn, match: dict[str, object], action: dict[str, object]) -> None:
    answer = httpx2.post(f"{stand_in.control_url}/faults", json={"match": match, "action": action})
    assert answer.status_code == 200, answer.text


@pytest.fixture(autouse=True)
def _no_faults(stand_in: StandIn) -> None:
    httpx2.delete(f"{stand_in.control_url}/faults")


def _pull(stand_in: StandIn, folder: Path, *more: object, token: str | None = None):  # type: ignore[no-untyped-def]
    arguments = ("--freeagent-url", stand_in.url, "--access-token", token or stand_in.token, "--data-dir", folder)
    return run("pull", *arguments, "--limits", "off", *more)


def _count(folder: Path, view: str) -> int:
    with sqlite3.connect(folder / "comptoir.db") as connection:
        return int(connection.execute(f"SELECT count(*) FROM {view}").fetchone()[0])


def test_pull_stores_the_books_where_sql_can_read_them(stand_in: StandIn, tmp_path: Path) -> None:
    ended = _pull(stand_in, tmp_path)
    assert ended.code == 0, ended.said
    assert "NotSupported" not in ended.said
    assert _count(tmp_path, "bank_transactions") == stand_in.counts["bank_transactions"]
    assert "breached" not in ended.said


def test_a_second_pull_finds_nothing_new(stand_in: StandIn, tmp_path: Path) -> None:
    assert _pull(stand_in, tmp_path, "--data-types", "invoices,customers").code == 0
    with sqlite3.connect(tmp_path / "comptoir.db") as connection:
        before = connection.execute("SELECT id, modified_date FROM invoices ORDER BY id").fetchall()
    assert _pull(stand_in, tmp_path, "--data-types", "invoices,customers").code == 0
    with sqlite3.connect(tmp_path / "comptoir.db") as connection:
        assert connection.execute("SELECT id, modified_date FROM invoices ORDER BY id").fetchall() == before
        assert connection.execute("SELECT count(*) FROM companies").fetchone() == (1,)
        assert connection.execute("SELECT count(*) FROM cursors").fetchone() != (0,)
    assert _pull(stand_in, tmp_path, "--data-types", "invoices,customers", "--whole").code == 0
    with sqlite3.connect(tmp_path / "comptoir.db") as connection:
        assert connection.execute("SELECT id, modified_date FROM invoices ORDER BY id").fetchall() == before


def test_a_resource_that_is_not_there_makes_its_type_not_supported(stand_in: StandIn, tmp_path: Path) -> None:
    _fault(stand_in, {"path": "price_list_items"}, {"kind": "status", "status": 404})
    ended = _pull(stand_in, tmp_path, "--data-types", "items,customers")
    assert ended.code == 0, ended.said
    assert "items NotSupported" in ended.said
    assert "customers 17 Complete" in ended.said


def test_what_stays_away_fails_the_command_and_keeps_the_rest(stand_in: StandIn, tmp_path: Path) -> None:
    _fault(stand_in, {"path": "bills"}, {"kind": "status", "status": 403})
    ended = _pull(stand_in, tmp_path, "--data-types", "bills,customers")
    assert ended.code == 1
    assert "bills: PermissionsError." in ended.said
    assert "customers 17 Complete" in ended.said


def test_a_refused_token_is_said_and_a_good_one_goes_on(stand_in: StandIn, tmp_path: Path) -> None:
    ended = _pull(stand_in, tmp_path, "--data-types", "customers", token="stale")
    assert ended.code == 1
    assert "access token was refused" in ended.said
    assert "stale" not in ended.said
    assert _pull(stand_in, tmp_path, "--data-types", "customers").code == 0


def test_an_unknown_data_type_is_refused_with_those_there_are(stand_in: StandIn, tmp_path: Path) -> None:
    ended = _pull(stand_in, tmp_path, "--data-types", "invoice")
    assert ended.code == 1
    assert "'invoice'" in ended.said
    assert "invoices" in ended.said


def test_a_server_that_is_down_is_said(tmp_path: Path) -> None:
    ended = run(
        "pull",
        "--freeagent-url",
        "http://127.0.0.1:9",
        "--access-token",
        "x",
        "--data-dir",
        tmp_path,
        "--limits",
        "off",
        COMPTOIR_TIME_SCALE="100",
    )
    assert ended.code == 1
    assert "could not be reached" in ended.said
