"""`comptoir remap`: records made anew from what is held, with a server running or without."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from .conftest import StandIn, Start, free_ports, run


@pytest.fixture
def folder(stand_in: StandIn, tmp_path: Path) -> Path:
    where = ("--freeagent-url", stand_in.url, "--access-token", stand_in.token, "--data-dir", tmp_path)
    assert run("pull", *where, "--limits", "off", "--data-types", "invoices,customers").code == 0
    return tmp_path


def test_it_remaps_where_no_server_runs_and_asks_a_server_that_does(
    stand_in: StandIn, folder: Path, start: Start
) -> None:
    with closing(sqlite3.connect(folder / "comptoir.db")) as held, held:
        held.execute("UPDATE companies SET name = 'Toft [/b] [UK]'")
    alone = run("remap", "--all", "--data-dir", folder)
    [port] = free_ports(1)
    serving = start("serve", "--port", port, "--data-dir", folder, COMPTOIR_FREEAGENT_URL=stand_in.url)
    serving.wait_for("serves")
    asked = run("remap", "--all", "--data-type", "invoices", "--data-dir", folder)
    refused = run("remap", "Nobody", "--data-dir", folder)
    serving.stop()

    assert (alone.code, asked.code) == (0, 0), (alone.said, asked.said)
    assert "0 records changed" in alone.said
    assert "Toft [/b] [UK] customers" in alone.said  # as it is written, and no mark of ours
    assert "0 records changed" in asked.said
    assert "customers" not in asked.said
    assert refused.code == 1
    assert refused.err == "There is no company with the id or name 'Nobody'.\n"
    assert not (folder / "comptoir.sock").exists()


@pytest.mark.parametrize("arguments", [(), ("Kestrel", "--all")])
def test_it_must_be_said_what_to_remap(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    ended = run("remap", *arguments, "--data-dir", tmp_path)

    assert ended.code == 1
    assert ended.err.startswith("Say which company to remap, by its id or name, or --all")


def test_a_folder_without_data_is_not_filled(tmp_path: Path) -> None:
    ended = run("remap", "--all", "--data-dir", tmp_path)

    assert ended.code == 1
    assert "There is no Comptoir data in" in ended.err
    assert list(tmp_path.iterdir()) == []
