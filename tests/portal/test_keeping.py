"""What may be found where: secrets nowhere in the clear, and nothing of a company that was deleted."""

from __future__ import annotations

import base64
import re
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest
from sqlalchemy.engine import URL
from tests.cli.conftest import run as run_apart
from tests.conftest import PostgresDatabases
from tests.jobs.test_jobs import in_the_end
from tests.portal.linking import Linking, parameters
from tests.portal.pages import KEYS, LIST

pytestmark = pytest.mark.slow

# The product as its command starts it, with every logger of every package writing all it has.
TALKATIVE = (
    "import logging, os, sys; sys.stderr = open(os.environ['LOG_OF_TESTS'], 'a', buffering=1); "  # a pipe would fill
    "logging.basicConfig(level=logging.DEBUG, stream=sys.stderr); "
    "from comptoir.cli import main; main()"
)
NAME = "Quokka & Zither Wholesale"


class Kept(Linking):
    """One linked company whose books were read, and everything that was written on the way."""

    def __init__(self, folder: Path, url: URL | None) -> None:
        self.database = url
        self.environ = {} if url is None else {"COMPTOIR_DATABASE_URL": url.render_as_string(hide_password=False)}
        self.log = folder / "log"
        begin = (sys.executable, "-c", TALKATIVE)
        super().__init__(folder, begin=begin, LOG_OF_TESTS=str(self.log), **self.environ)
        self.tell("settings", accessTokenSeconds=4)  # renewed while the books are read
        made = self.operator.post("/settings/api-keys", {"name": "tests"})
        [self.api_key] = re.findall(r'id="secret"[^>]* value="([^"]+)"', made.html)
        self.company = self.a_company(NAME)
        self.id = self.company.path.rpartition("/")[2]
        customer = self.company.customer()
        approval = customer.ask()
        self.state = parameters(approval)["state"]
        customer.follow(customer.get(customer.decide(approval)))
        self.customer_cookies = set(customer.http.cookies.values())
        in_the_end(self.is_read)
        [self.connection] = [one["id"] for one in self.asked(f"/companies/{self.id}")["dataConnections"]]

    def asked(self, path: str) -> Any:
        key = base64.b64encode(self.api_key.encode()).decode()
        with httpx2.Client(headers={"Authorization": f"Basic {key}"}, timeout=30, trust_env=False) as http:
            return http.get(f"{self.portal}/api{path}").json()

    def is_read(self) -> bool:
        told = self.asked(f"/companies/{self.id}/dataStatus").values()
        return bool(told) and all(one["currentStatus"] in ("Complete", "NotSupported") for one in told)

    def rows(self) -> Iterator[tuple[str, str]]:
        """Every row of every table, as text, with its table's name."""
        if self.database is None:
            for file in (self.folder / "comptoir.db", self.folder / "jobs.db"):
                with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
                    for (table,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
                        yield from ((table, repr(row)) for row in database.execute(f'SELECT * FROM "{table}"'))
            return
        address = self.database.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(address) as database:
            tables = (
                "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables "
                "WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
            )
            for (table,) in database.execute(tables).fetchall():
                yield from ((table, row) for (row,) in database.execute(f"SELECT t::text FROM {table} t".encode()))

    def files(self) -> Iterator[tuple[str, bytes]]:
        for path in sorted(self.folder.rglob("*")):
            if path.is_file() and path.name != "master.key":
                yield path.name, path.read_bytes()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def kept(
    request: pytest.FixtureRequest, postgres_databases: PostgresDatabases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Kept]:
    folder = tmp_path_factory.mktemp("kept")
    if request.param == "sqlite":
        yield Kept(folder, None)
        return
    with postgres_databases.one() as url:
        yield Kept(folder, url)


def forms(secret: str) -> set[str]:
    """How a secret might be written: as it is, in hexadecimal digits, or in base64."""
    return {secret, secret.encode().hex(), base64.b64encode(secret.encode()).decode().rstrip("=")[:-1]}


PAGES = (
    KEYS, f"{KEYS}/set-up", LIST, "/settings/organisation", "/settings/schedules", "/settings/api-keys", "/companies",
    "/health", "/metrics", "/api/openapi.json",
)  # fmt: skip


def test_no_secret_is_found_in_the_clear_and_nothing_is_left_of_a_company_that_is_deleted(
    kept: Kept, tmp_path: Path
) -> None:
    """One story, because its servers take long to start: first secrets, then the deletion."""
    session = {one for name, one in kept.operator.http.cookies.items() if name == "comptoir_session"}
    key = (kept.folder / "master.key").read_text().strip()
    secrets = kept.secrets() | session | {kept.api_key, kept.password, kept.state, key}
    assert len(secrets) > 8
    copied = run_apart("backup", tmp_path / "b", "--data-dir", kept.folder, **kept.environ)
    pages = [*PAGES, kept.company.path, f"{kept.company.path}/connections/{kept.connection}"]
    places = {
        "tables": " ".join(row for _, row in kept.rows()).encode(),
        "files": b" ".join(content for _, content in kept.files()),
        "backup": b" ".join(path.read_bytes() for path in (tmp_path / "b").iterdir()),
        "pages": " ".join(kept.operator.get(page).html for page in pages).encode(),
        "data": repr(
            [kept.asked(f"/companies{path}") for path in ("", f"/{kept.id}", f"/{kept.id}/connections")]
        ).encode(),
        "backup's words": copied.said.encode(),
    }
    of_company = {kept.id, kept.connection}
    named = {NAME.encode(), kept.names[0].encode(), b"Quokka"}
    assert all(any(one in row for _, row in kept.rows()) for one in of_company)
    assert all(one in places["pages"] for one in (kept.names[0].encode(), b"Quokka"))

    kept.operator.post(f"{kept.company.path}/delete")
    in_the_end(lambda: kept.company.page().status == 404)

    left = [(table, one) for table, row in kept.rows() for one in of_company if one in row]
    lying = [(name, one) for name, content in kept.files() for one in named if one in content]
    rows = " ".join(row for _, row in kept.rows()).encode()
    said = kept.stop().replace(kept.password, "", 1)  # told once, at the first start
    places["log"] = said.encode() + kept.log.read_bytes()
    found = [
        (place, one)
        for place, content in places.items()
        for one in secrets
        for form in forms(one)
        if form.encode() in content
    ]
    assert copied.code == 0, copied.said
    assert found == []
    assert {table.rpartition(".")[2] for table, _ in left} <= {"audit"}  # that it was deleted, and by whom
    assert [one for one in named if one in rows] == []
    assert lying == []
