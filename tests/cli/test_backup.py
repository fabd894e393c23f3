"""`comptoir backup`, `restore`, `move`, `hold` and `resume`, with a server that runs or without."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import pytest
from tests.conftest import PostgresDatabases

from comptoir.cli import app
from comptoir.cli.restore import into_postgres
from comptoir.errors import ProductError
from comptoir.store import Database, holds, open_database, tenants
from comptoir.store.copies import Held, counted

from .conftest import Ran, StandIn, Start, free_ports
from .conftest import run as run_apart

# What restoring changes: who is signed in, that all waits, and what each start notes.
_OWN = {"sessions", "link_states", "sign_in_failures", "holds"}


def run(*arguments: object, **environ: str) -> Ran:
    """Run `comptoir` in this process: it takes seconds to start another."""
    out, err = StringIO(), StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        for name, text in {"COLUMNS": "200", **environ}.items():
            patch.setenv(name, text)
        try:
            app([str(one) for one in arguments], result_action="return_value")
        except SystemExit as ended:
            return Ran(int(ended.code or 0), out.getvalue(), err.getvalue())
        except ProductError as error:
            return Ran(1, out.getvalue(), f"{error.message}\n")
    return Ran(0, out.getvalue(), err.getvalue())


@pytest.fixture(scope="module")
def pulled(stand_in: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pulled")
    where = ("--freeagent-url", stand_in.url, "--access-token", stand_in.token, "--data-dir", folder)
    assert run_apart("pull", *where, "--limits", "off", "--data-types", "invoices,customers").code == 0
    return folder


@pytest.fixture
def served(pulled: Path, stand_in: StandIn, start: Start, tmp_path: Path) -> Iterator[Path]:
    """A folder of which a server runs."""
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "comptoir.db").write_bytes((pulled / "comptoir.db").read_bytes())
    [port] = free_ports(1)
    running = start("serve", "--port", port, "--data-dir", folder, COMPTOIR_FREEAGENT_URL=stand_in.url)
    running.wait_for("serves")
    yield folder
    running.stop()


def held(url: str) -> dict[str, Held]:
    with closing(open_database(url)) as db, db.read() as tx:
        return {name: one for name, one in counted(tx).items() if name not in _OWN}


def sqlite(folder: Path) -> str:
    return f"sqlite:///{folder / 'comptoir.db'}"


def hold_of_all(db: Database) -> list[str]:
    with db.read() as tx:
        found = [holds.of(tx, one.id) for one in tenants.all_tenants(tx)]
    return [one.why for one in found if one is not None]


def test_what_was_backed_up_while_it_was_served_is_restored_elsewhere_and_waits(served: Path, tmp_path: Path) -> None:
    made = run("backup", tmp_path / "b", "--data-dir", served)
    (tmp_path / "new").mkdir()
    for name in ("comptoir.db-wal", "comptoir.db-shm", "jobs.db"):  # of a database that is not there any more
        (tmp_path / "new" / name).write_bytes(b"left")
    restored = run("restore", tmp_path / "b", "--data-dir", tmp_path / "new")
    again = run("restore", tmp_path / "b", "--data-dir", tmp_path / "new")

    assert made.code == 0, made.said
    assert "the master key is not in it" in made.said
    manifest = json.loads((tmp_path / "b" / "manifest.json").read_text())
    assert manifest["rows"]["companies"] == 1
    assert restored.code == 0, restored.said
    assert "Its master key is not here yet." in restored.said
    assert "Everything is on hold" in restored.said
    assert (again.code, "There is data in" in again.err) == (1, True)
    assert not (tmp_path / "new" / "master.key").exists()
    assert sorted(one.name for one in (tmp_path / "new").iterdir()) == ["comptoir.db", "comptoir.lock"]
    assert (tmp_path / "new" / "comptoir.db").stat().st_mode & 0o077 == 0
    with closing(open_database(sqlite(tmp_path / "new"))) as db:
        assert hold_of_all(db) == ["restored"]
    assert held(sqlite(tmp_path / "new")) == held(sqlite(tmp_path / "b"))


def test_a_damaged_copy_is_refused_and_leaves_nothing(pulled: Path, tmp_path: Path) -> None:
    assert run("backup", tmp_path / "b", "--data-dir", pulled).code == 0
    file = tmp_path / "b" / "comptoir.db"
    file.write_bytes(file.read_bytes()[:-4096])

    refused = run_apart("restore", tmp_path / "b", "--data-dir", tmp_path / "new")

    assert refused.code == 1
    assert refused.err.startswith(f"The backup {tmp_path / 'b'} is damaged: comptoir.db has ")
    assert not (tmp_path / "new" / "comptoir.db").exists()


def test_a_backup_for_no_time_or_of_nothing_is_refused(pulled: Path, tmp_path: Path) -> None:
    first = run("backup", tmp_path / "b" / "1", "--keep-days", "0", "--data-dir", pulled)
    no_data = run("backup", "--data-dir", tmp_path / "nothing")

    assert (first.code, first.err) == (1, "--keep-days 0: a backup is kept for a day at least.\n")
    assert no_data.code == 1
    assert "There is no Comptoir data in" in no_data.err


def test_everything_moves_to_postgres_and_the_file_it_came_from_is_on_hold(
    pulled: Path, postgres_databases: PostgresDatabases, tmp_path: Path
) -> None:
    folder = tmp_path / "from"
    folder.mkdir()
    (folder / "comptoir.db").write_bytes((pulled / "comptoir.db").read_bytes())
    before = held(sqlite(folder))
    with postgres_databases.one() as url:
        address = url.render_as_string(hide_password=False)
        into_postgres(folder / "comptoir.db", address, lambda *_: None)  # as one that was killed before its end

        moved = run("move", address, "--data-dir", folder)
        again = run("move", "--data-dir", folder, COMPTOIR_DATABASE_URL=address)
        copied = run("backup", tmp_path / "b", "--data-dir", folder, COMPTOIR_DATABASE_URL=address)

        assert moved.code == 0, moved.said
        assert "counted and compared there" in moved.said
        assert held(address) == before
        assert (again.code, "There is data in the PostgreSQL database already" in again.err) == (1, True)
        assert copied.code == 0, copied.said
        with closing(open_database(address)) as db:
            assert hold_of_all(db) == []
    with closing(open_database(sqlite(folder))) as db:
        assert hold_of_all(db) == ["moved"]
    with postgres_databases.one() as url:
        address = url.render_as_string(hide_password=False)
        back = run("restore", tmp_path / "b", "--data-dir", tmp_path / "new", COMPTOIR_DATABASE_URL=address)

        assert back.code == 0, back.said
        assert held(address) == before
        with closing(open_database(address)) as db:
            assert hold_of_all(db) == ["restored"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Say where to move to, as postgresql+psycopg://user:password@host/name"),
        (("sqlite:////x.db",), "Say where to move to"),
        (("postgresql://x@127.0.0.1:1/y",), "There is no Comptoir data in"),
    ],
)
def test_it_must_be_said_what_to_move_and_where_to(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    ended = run("move", *arguments, "--data-dir", tmp_path)

    assert ended.code == 1
    assert said in ended.err


def test_a_hold_is_laid_and_lifted_with_a_server_and_without(served: Path, pulled: Path, tmp_path: Path) -> None:
    folder = tmp_path / "alone"
    folder.mkdir()
    (folder / "comptoir.db").write_bytes((pulled / "comptoir.db").read_bytes())

    def said(*arguments: object) -> list[Ran]:
        return [run(*arguments, "--data-dir", place) for place in (served, folder)]

    laid = said("hold")
    of_nobody = said("hold", "--tenant", "Nobody")
    lifted, again = said("resume"), said("resume", "--tenant", "default")

    for one in laid:
        assert one.out.startswith("On hold: nothing is asked of any upstream for every tenant."), one.said
    assert {(one.code, one.err) for one in of_nobody} == {(1, "There is no tenant 'Nobody'.\n")}
    assert {one.out for one in lifted} == {"The hold on every tenant is lifted: what waited is read now.\n"}
    assert {(one.code, one.err) for one in again} == {(1, "No hold lies on the tenant 'default'.\n")}
