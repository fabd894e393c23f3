"""`comptoir doctor`: while Comptoir serves, while it does not, and where it cannot start."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path

import pytest

from comptoir import settings
from comptoir.cli.doctor import run as look
from comptoir.commands import initialise

from .conftest import StandIn, Start, free_ports, run

SECRET = "Zm9yIHRlc3RzLW9ubHktMzItYnl0ZXMtb2Yta2V5ISE="


class Doctor:
    """The command in this process, with settings from its environment; what it printed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._capsys = monkeypatch, capsys

    def told(self, folder: Path, environ: Mapping[str, str], *, json: bool = False) -> tuple[int, str]:
        with self._monkeypatch.context() as patch:
            for name, text in environ.items():
                patch.setenv(name, text)
            code = look(data_dir=folder, json=json)
        return code, self._capsys.readouterr().out

    def looked(self, folder: Path, stand_in: StandIn, **environ: str) -> tuple[int, dict[str, tuple[str, str]]]:
        """The exit code, and the state and sentence of each subject."""
        code, out = self.told(folder, {"COMPTOIR_FREEAGENT_URL": stand_in.url} | environ, json=True)
        found = json.loads(out)
        states = {one["state"] for one in found["lines"]}
        assert found["state"] == next(state for state in ("fault", "warning", "ok") if state in states)
        assert all(one["do"] for one in found["lines"] if one["state"] == "fault")
        return code, {one["subject"]: (one["state"], one["says"]) for one in found["lines"]}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Doctor:
    return Doctor(monkeypatch, capsys)


def _initialised(folder: Path) -> None:
    initialise(settings.read({}, data_dir=str(folder)), email="ann@example.com")


def test_all_is_well_with_a_server_running_and_without(
    asked: Doctor, stand_in: StandIn, tmp_path: Path, start: Start
) -> None:
    folder = tmp_path / "data"
    _initialised(folder)
    code, alone = asked.looked(folder, stand_in)
    [port] = free_ports(1)
    serving = start("serve", "--port", port, "--data-dir", folder, COMPTOIR_FREEAGENT_URL=stand_in.url)
    serving.wait_for("serves")
    ended = run("doctor", "--data-dir", folder, COMPTOIR_FREEAGENT_URL=stand_in.url)
    other, served = asked.looked(folder, stand_in)
    serving.stop()

    assert (code, other, ended.code) == (0, 0, 0)
    assert "ok server: It runs, and answers commands." in ended.said
    not_well = {"disk", "integration FreeAgent", "clock"}  # how full it is here, and what nobody has set up yet
    assert {name: told for name, told in (alone | served).items() if told[0] != "ok" and name not in not_well} == {}
    assert {
        "settings",
        "data folder",
        "master key",
        "database",
        "sealed values",
        "integrity",
        "connections",
        "work",
    } <= alone.keys()
    assert alone.keys() - {"work", "sealed values"} < served.keys()
    assert served["server"] == ("ok", "It runs, and answers commands.")
    assert alone["integration FreeAgent"][0] == "warning"


def test_what_is_wrong_is_named_with_what_to_do(asked: Doctor, stand_in: StandIn, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    _initialised(folder)
    folder.chmod(0o777)
    (folder / "master.key").chmod(0o644)
    with sqlite3.connect(folder / "comptoir.db") as held:
        held.execute("UPDATE alembic_version SET version_num = '0000'")
    held.close()

    code, found = asked.looked(
        folder, stand_in, COMPTOIR_PUBLIC_URL="http://books.example.com", COMPTOIR_FREEAGENT_TOKEN_URL=stand_in.url
    )

    assert code == 1
    assert found["data folder"] == ("fault", f"Anybody on this machine may write in {folder}.")
    assert found["master key"][0] == "fault"
    assert found["redirect address (FreeAgent)"][0] == "fault"
    assert found["database"] == ("warning", "Its tables are of version 0000, and this Comptoir's are of 0001.")
    with sqlite3.connect(folder / "comptoir.db") as held:
        assert held.execute("SELECT version_num FROM alembic_version").fetchone() == ("0000",)  # nothing was changed
    held.close()


@pytest.mark.parametrize(("key", "subject", "says"), [
    ("", "sealed values", "The master key is missing: "),
    ("A" * 43 + "=", "sealed values", "The master key is not the one this database was sealed with. "),
    ("2:" + "A" * 43 + "=", "sealed values", "Values are sealed with version 1 of the master key, which is not here. "),
    ("no key", "master key", "The master key in "),
])  # fmt: skip
def test_a_key_that_opens_nothing_is_a_fault(
    asked: Doctor, stand_in: StandIn, tmp_path: Path, key: str, subject: str, says: str
) -> None:
    _initialised(tmp_path)
    (tmp_path / "master.key").unlink()
    if key:
        (tmp_path / "master.key").write_text(key)
        (tmp_path / "master.key").chmod(0o600)

    code, found = asked.looked(tmp_path, stand_in)

    assert code == 1
    state, said = found[subject]
    assert (state, said.startswith(says)) == ("fault", True), said


def test_a_database_of_a_newer_version_is_a_fault(asked: Doctor, stand_in: StandIn, tmp_path: Path) -> None:
    _initialised(tmp_path)
    with sqlite3.connect(tmp_path / "comptoir.db") as held:
        held.execute("UPDATE alembic_version SET version_num = '9999'")
    held.close()

    code, found = asked.looked(tmp_path, stand_in)

    assert code == 1
    assert found["database"][0] == "fault"


def test_where_nothing_was_started_yet_nothing_is_made(asked: Doctor, stand_in: StandIn, tmp_path: Path) -> None:
    code, found = asked.looked(tmp_path / "nowhere", stand_in)

    assert code == 0
    assert found["database"] == ("warning", "It is empty.")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("environ", [
    {"COMPTOIR_DATABASE_URL": f"postgresql+psycopg://comptoir:{SECRET}@127.0.0.1:1/books"},
    {"COMPTOIR_DATABASE_URL": f"mysql://comptoir:{SECRET}@127.0.0.1/books"},
    {"COMPTOIR_FREEAGENT_URL": "http://127.0.0.1:1", "COMPTOIR_MASTER_KEY": SECRET},
    {"COMPTOIR_PORT": "none"},
])  # fmt: skip
def test_where_it_cannot_start_it_says_why_and_tells_no_secret(
    asked: Doctor, tmp_path: Path, environ: dict[str, str]
) -> None:
    code, out = asked.told(tmp_path, {"COMPTOIR_FREEAGENT_URL": "http://127.0.0.1:1"} | environ)

    assert code == 1
    assert "fault" in out
    assert SECRET not in out


def test_a_damaged_file_is_a_fault(asked: Doctor, stand_in: StandIn, tmp_path: Path) -> None:
    (tmp_path / "comptoir.db").write_bytes(b"this is no database" * 100)

    code, found = asked.looked(tmp_path, stand_in)

    assert code == 1
    assert found["database"] == ("fault", "It does not answer: file is not a database")
