"""`comptoir sync`: a company read now, with a server running or without."""

from __future__ import annotations

from pathlib import Path

from .conftest import StandIn, Start, free_ports, run


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
