"""A later version is started over a database that is in use: it changes the tables once, whoever starts it and however
it ends, and nobody is kept waiting.

The later version is this one with another migration, which no process of these tests' own knows.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import URL
from tests.conftest import new_database

import comptoir
from comptoir.runtime.clock import SystemClock
from comptoir.store import open_database

pytestmark = pytest.mark.postgres
_CLOCK = SystemClock()
_LATER = """
import os, signal
import sqlalchemy as sa
from alembic import op

revision, down_revision = "0002", "0001"


def upgrade():
    op.execute("SELECT set_config('application_name', 'later version', true)")
    op.add_column("companies", sa.Column("planted", sa.Text(), nullable=False, server_default="yes"))
    op.execute("CREATE TABLE planted AS SELECT clock_timestamp() AS at")
    if os.environ.get("KILLED_IN_UPGRADE"):
        os.kill(os.getpid(), signal.SIGKILL)
"""


def later_version(folder: Path) -> Path:
    """Where to find the modules of a version that comes after this one."""
    shutil.copytree(Path(comptoir.__file__).parent, folder / "comptoir")
    (folder / "comptoir/store/migrations/versions/r0002_later.py").write_text(_LATER)
    return folder


def _start(later: Path, url: URL, **environ: str) -> subprocess.Popen[bytes]:
    opens = "import sys; from comptoir.store import open_database; open_database(sys.argv[1]).close()"
    address = url.render_as_string(hide_password=False)
    env = os.environ | {"PYTHONPATH": str(later)} | environ
    return subprocess.Popen([sys.executable, "-c", opens, address], env=env)


def test_a_later_version_changes_a_database_that_is_in_use(postgres_server: str, tmp_path: Path) -> None:
    later = later_version(tmp_path)
    with new_database(postgres_server) as url:
        running = open_database(url.render_as_string(hide_password=False))
        plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(plain) as long_reader:
            long_reader.execute("SELECT * FROM companies")  # as a backup under way
            starting = [_start(later, url) for _ in range(2)]
            longest = 0.0
            with psycopg.connect(plain, autocommit=True) as looks:
                waits = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'relation' AND datname = current_database()"
                tries = 0
                while tries < 2:  # it waited, gave way, and waits again
                    while not looks.execute(waits).fetchone():
                        assert all(one.poll() is None for one in starting)
                    began = _CLOCK.monotonic()
                    running.fetch("SELECT count(*) FROM companies")
                    longest, tries = max(longest, _CLOCK.monotonic() - began), tries + 1
        assert [one.wait(60) for one in starting] == [0, 0]

        assert longest < 1
        with psycopg.connect(plain) as looks:
            assert looks.execute("SELECT count(*) FROM planted").fetchone() == (1,)
        assert running.fetch("SELECT count(*) FROM companies") == [(0,)]
        running.close()


def test_an_upgrade_that_was_killed_left_nothing_and_is_begun_anew(postgres_server: str, tmp_path: Path) -> None:
    later = later_version(tmp_path)
    with new_database(postgres_server) as url:
        open_database(url.render_as_string(hide_password=False)).close()

        assert _start(later, url, KILLED_IN_UPGRADE="1").wait(60) == -signal.SIGKILL

        open_database(url.render_as_string(hide_password=False)).close()  # still this version's
        assert _start(later, url).wait(60) == 0
