"""`comptoir demo`, from the first start to its end."""

from __future__ import annotations

import json
import signal
import socket
import stat
from pathlib import Path

import httpx2
import pytest

from comptoir.integrations.freeagent import FREEAGENT

from .conftest import Start, free_ports, run

MEMBERS = {
    "portalUrl",
    "apiUrl",
    "apiKey",
    "email",
    "password",
    "companyId",
    "connectionId",
    "standinUrl",
    "developerUrl",
    "controlUrl",
    "standinEmail",
    "standinPassword",
    "records",
    "breaches",
    "seconds",
}


@pytest.mark.slow
def test_demo_links_a_company_and_reads_all_its_books(tmp_path: Path) -> None:
    port, standin_port = free_ports(2)
    ready = tmp_path / "ready.json"
    ended = run("demo", "--once", "--json", "--port", port, "--standin-port", standin_port, "--ready-file", ready)
    assert ended.code == 0, ended.said
    facts = json.loads(ended.out)
    assert facts.keys() == MEMBERS
    assert facts == json.loads(ready.read_text())
    assert facts["breaches"] == 0
    assert facts["records"].keys() == {one.name for one in FREEAGENT.data_types}
    assert "held" in ended.err
    assert "breached" not in ended.err


@pytest.mark.slow
def test_what_is_read_is_what_the_stand_in_holds(tmp_path: Path, start: Start) -> None:
    port, standin_port = free_ports(2)
    demo = start("demo", "--port", port, "--standin-port", standin_port, "--limits", "off", "--books", "medium")
    demo.wait_for("until you press Ctrl-C")
    said = "".join(demo.said)
    control = _after(said, "developer site").removesuffix("/dev") + "/control"
    (counts,) = httpx2.get(f"{control}/counts").json().values()
    records = {}
    for line in said.splitlines():
        match line.split():
            case [name, number, "Complete"]:
                records[name] = int(number.replace(",", ""))
    assert records["bankTransactions"] == counts["bank_transactions"]
    assert records["bankAccounts"] == counts["bank_accounts"]
    assert records["invoices"] + records["creditNotes"] == counts["invoices"] + counts["credit_notes"]
    assert records["bills"] + records["billCreditNotes"] == counts["bills"]
    assert records["items"] == counts["price_list_items"] + counts["stock_items"]
    assert records["chartOfAccounts"] >= counts["categories"]
    assert demo.stop(signal.SIGINT).code == 0


@pytest.mark.slow
def test_demo_with_a_data_dir_goes_on_where_it_was(tmp_path: Path) -> None:
    port, standin_port = free_ports(2)
    options = ("demo", "--once", "--json", "--port", port, "--standin-port", standin_port, "--data-dir", tmp_path / "d")
    first = json.loads(run(*options).out)
    again = run(*options)
    assert again.code == 0, again.said
    second = json.loads(again.out)
    for same in ("companyId", "connectionId", "apiKey", "password", "standinPassword", "records"):
        assert second[same] == first[same], same
    assert second["breaches"] == 0


def test_manual_starts_both_servers_and_says_what_to_click(tmp_path: Path, start: Start) -> None:
    port, standin_port = free_ports(2)
    ready = tmp_path / "ready.json"
    demo = start("demo", "--manual", "--port", port, "--standin-port", standin_port, "--ready-file", ready)
    demo.wait_for("until you press Ctrl-C")
    facts = json.loads(ready.read_text())
    assert stat.S_IMODE(ready.stat().st_mode) == 0o600
    assert facts.keys() == MEMBERS - {"companyId", "connectionId", "records", "breaches"}
    page = httpx2.get(f"{facts['portalUrl']}/", follow_redirects=True)
    assert "Sign in" in page.text
    assert httpx2.get(facts["developerUrl"], follow_redirects=True).status_code == 200
    said = "".join(demo.said)
    assert "Create New App" in said
    ended = demo.stop(signal.SIGINT)
    assert ended.code == 0
    assert "Traceback" not in ended.err
    with pytest.raises(httpx2.TransportError):
        httpx2.get(facts["standinUrl"])


def test_a_taken_port_is_named_and_nothing_is_left_running() -> None:
    port, standin_port = free_ports(2)
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        ended = run("demo", "--once", "--port", port, "--standin-port", standin_port)
    assert ended.code == 1
    assert f"port {port}" in ended.said
    assert "choose another with --port" in ended.said
    with pytest.raises(httpx2.TransportError):
        httpx2.get(f"http://127.0.0.1:{standin_port}/")


def _after(said: str, label: str) -> str:
    return next(line for line in said.splitlines() if line.strip().startswith(label)).split()[-1]
