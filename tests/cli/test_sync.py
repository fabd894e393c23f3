"""`comptoir sync`: a company read now, with a server running or without."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.portal.linking import Linking

from .conftest import Ran, StandIn, Start, free_ports, run


def test_it_reads_with_a_server_running_and_without(stand_in: StandIn, tmp_path: Path, start: Start) -> None:
    where = ("--freeagent-url", stand_in.url, "--access-token", stand_in.token, "--data-dir", tmp_path)
    assert run("pull", *where, "--limits", "off", "--data-types", "customers").code == 0
    [port] = free_ports(1)

    alone = run("sync", "Nobody", "--data-dir", tmp_path, COMPTOIR_FREEAGENT_URL=stand_in.url)
    serving = start("serve", "--port", port, "--data-dir", tmp_path, COMPTOIR_FREEAGENT_URL=stand_in.url)
    serving.wait_for("serves")
    asked = run("sync", "Nobody", "--data-dir", tmp_path)
    serving.stop()

    assert (alone.code, asked.code) == (1, 1)
    assert alone.err == asked.err == "There is no company with the id or name 'Nobody'.\n"


def test_a_folder_without_data_is_not_filled(tmp_path: Path) -> None:
    ended = run("sync", "Kestrel", "--data-dir", tmp_path)

    assert ended.code == 1
    assert "There is no Comptoir data in" in ended.err
    assert list(tmp_path.iterdir()) == []


class _Linked:
    """A company that was linked over a server, which was stopped while it read it for the first time."""

    name = "Toft Bakery"

    def __init__(self, folder: Path) -> None:
        self.linking, self._folder = Linking(folder), folder / "data"
        self.linking.tell("faults", match={"list": "bills", "times": 1}, action={"kind": "latency", "seconds": 1})
        self.linking.a_company(self.name).customer().link()
        self.linking.server.stop()

    def under_way(self) -> int:
        with sqlite3.connect(self._folder / "comptoir.db") as connection:
            return int(connection.execute("SELECT count(*) FROM datasets WHERE NOT is_ended").fetchone()[0])

    def sync(self, *more: object) -> Ran:
        where = {"COMPTOIR_FREEAGENT_URL": self.linking.facts["url"], "COMPTOIR_FREEAGENT_LIMITS": "off"}
        return run("sync", self.name, "--data-dir", self._folder, *more, **where)


@pytest.fixture
def linked(tmp_path: Path) -> Iterator[_Linked]:
    made = _Linked(tmp_path)
    yield made
    made.linking.stop()


@pytest.mark.slow
def test_without_a_server_it_ends_what_was_cut_off_and_reads_what_is_asked_for(linked: _Linked) -> None:
    was_cut_off = linked.under_way()

    changes = linked.sync()
    whole = linked.sync("--whole")
    linked.linking.tell("mutate", do="add", resource="bank_transactions")
    some = linked.sync("--data-types", "bankTransactions,customers")

    assert was_cut_off > 0
    assert linked.under_way() == 0
    assert (changes.code, whole.code, some.code) == (0, 0, 0), (changes.said, whole.said, some.said)
    assert "journalEntries 0 0 0 0 Complete" in changes.said
    assert "journalEntries 0 0 0 0 Complete" in whole.said
    assert _calls(some) < _calls(changes) < _calls(whole)
    assert re.findall(r"(\w+) (\d+) 0 0 0 Complete", some.said) == [("bankTransactions", "1"), ("customers", "0")]


def _calls(ran: Ran) -> int:
    [calls] = re.findall(r"([\d,]+) calls\.", ran.said)
    return int(calls.replace(",", ""))
