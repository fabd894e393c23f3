"""What machines that watch this one are told."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from litestar import Request
from litestar.testing import TestClient
from prometheus_client.parser import text_string_to_metric_families
from tests.cli.conftest import free_ports
from tests.portal.conftest import ORIGIN, House, installation

from comptoir import settings
from comptoir.app import Application
from comptoir.errors import TryLater
from comptoir.portal import health
from comptoir.store import room

DASHBOARD = Path(__file__).parents[2] / "deploy/grafana-dashboard.json"
TOKEN = {"Authorization": "Bearer a-token-of-tests"}


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    """An installation that tells its metrics to whoever has the token."""
    folder = tmp_path_factory.mktemp("watched")
    read = settings.read(
        {"COMPTOIR_METRICS_TOKEN": "a-token-of-tests"}, folder=folder, data_dir=str(folder / "data"), public_url=ORIGIN
    )
    opened = Application(read)
    yield opened
    opened.stop()


@pytest.fixture(scope="module")
def asking(watched: Application) -> Iterator[TestClient[Any]]:
    with TestClient(watched.asgi, base_url=ORIGIN, raise_server_exceptions=False) as client:
        yield client


def _metrics(client: Any) -> dict[str, dict[tuple[str, ...], float]]:
    """The value of every series, by name and the values of its labels in the order of their names."""
    answer = client.get("/metrics", headers=TOKEN)
    assert answer.status_code == 200, answer.text
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(value for _, value in sorted(sample.labels.items()))] = sample.value
    return found


@pytest.mark.parametrize("path", ["/health", "/health/ready"])
def test_health_is_told_to_anybody(house: House, path: str) -> None:
    answer = house.client.get(path)

    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "ready": True, "reasons": []}
    assert "unsafe" not in answer.headers["content-security-policy"]


def test_a_database_that_does_not_answer_is_told(tmp_path: Path) -> None:
    opened = installation(None, tmp_path)
    with TestClient(opened.asgi, base_url=ORIGIN, raise_server_exceptions=False) as client:
        with opened.db.write() as tx:
            tx.exec_driver_sql("ALTER TABLE tenants RENAME TO gone")
        answer = client.get("/health/ready")
        live = client.get("/health/live")
    opened.stop()

    assert answer.status_code == 503
    assert answer.json() == {"status": "unavailable", "ready": False, "reasons": ["The database does not answer."]}
    assert live.status_code == 200


def test_a_database_that_hangs_is_told_of_soon_and_asked_once(
    asking: TestClient[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def hang(_: object) -> None:
        asked.append(1)
        while asked:
            time.sleep(0.01)

    monkeypatch.setattr(health, "_DATABASE_SECONDS", 0.05)
    monkeypatch.setattr(health.Health, "_ask_database", hang)
    answers = [asking.get("/health") for _ in range(3)]
    counted = len(asked)
    asked.clear()

    assert [one.status_code for one in answers] == [503, 503, 503]
    assert counted == 1


def _pragma(opened: Application, text: str) -> None:
    held = opened.db._writer.raw_connection()
    held.cursor().execute(f"PRAGMA {text}")
    held.close()


def test_a_write_that_found_no_room_is_told_until_there_is_some(tmp_path: Path) -> None:
    opened = installation(None, tmp_path)
    with TestClient(opened.asgi, base_url=ORIGIN, raise_server_exceptions=False) as client:
        _pragma(opened, "max_page_count=1")  # which means: no page more than there are
        with pytest.raises(TryLater), opened.db.write() as tx:
            tx.exec_driver_sql("INSERT INTO meta (name, value) VALUES ('tests', zeroblob(1000000))")
        _pragma(opened, "query_only=ON")  # nothing else is written either
        full = client.get("/health/ready")
        _pragma(opened, "query_only=OFF")
        mended = client.get("/health/ready")
    opened.stop()

    assert (full.status_code, full.json()["reasons"]) == (503, ["The disk is full."])
    assert mended.status_code == 200


def test_a_full_disk_is_told(asking: TestClient[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_LEAST_BYTES", 10**18)

    answer = asking.get("/health")

    assert answer.status_code == 503
    assert answer.json()["reasons"] == ["The disk is full."]


def test_metrics_name_no_tenant_and_no_address_that_was_asked_for(asking: TestClient[Any]) -> None:
    for path in ("/companies/a-secret-id", "/api/companies/a-secret-id", "/api/nothing", "/nothing"):
        asking.get(path)
    asking.request("BREW", "/nothing")

    text = asking.get("/metrics", headers=TOKEN).text
    counted = _metrics(asking)["comptoir_http_requests_total"]

    assert "a-secret-id" not in text
    assert "BREW" not in text
    assert counted["GET", "/companies/{company}", "303", "pages"] >= 1
    assert counted["GET", "/companies/{companyId}", "401", "api"] >= 1
    assert counted["GET", "(none)", "401", "api"] >= 1
    assert "process_resident_memory_bytes" in text


def test_metrics_are_told_to_whoever_has_the_token(asking: TestClient[Any]) -> None:
    for headers in ({}, {"Authorization": "Bearer another"}, {"Authorization": "Basic a-token-of-tests"}):
        answer = asking.get("/metrics", headers=headers)
        assert answer.status_code == 403
        assert "comptoir_" not in answer.text


@pytest.mark.parametrize(("host", "header", "may"), [
    ("127.0.0.1", "accept", True),
    ("::1", "accept", True),
    ("192.0.2.7", "accept", False),
    ("testclient", "accept", False),
    ("127.0.0.1", "x-forwarded-for", False),
    ("127.0.0.1", "forwarded", False),
    ("127.0.0.1", "x-real-ip", False),
    ("127.0.0.1", "via", False),
])  # fmt: skip
def test_without_a_token_metrics_are_told_on_this_machine_only(host: str, header: str, may: bool) -> None:
    scope: Any = {"type": "http", "client": (host, 1), "headers": [(header.encode(), b"192.0.2.7")]}

    assert health.may_see(Request(scope), None) is may


def test_every_metric_that_the_dashboard_shows_exists(watched: Application, asking: TestClient[Any]) -> None:
    watched.metrics.called("freeagent")("invoices", 200, 0.1)
    watched.metrics.refreshed("freeagent")("renewed")
    watched.metrics.sync_ended("complete", 2.0)
    asking.get("/sign-in")
    told = _metrics(asking)
    shown = [
        target["expr"] for panel in json.loads(DASHBOARD.read_text())["panels"] for target in panel.get("targets", ())
    ]

    named = {name for one in shown for name in re.findall(r"\b(?:comptoir|process)_\w+", one)}

    assert len(named) > 12
    assert named - told.keys() == set()


@pytest.mark.postgres
def test_a_worker_tells_how_it_is_on_a_port_of_its_own_and_nothing_else(postgres_url: str, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    worker = Application(
        settings.read(
            {"COMPTOIR_DATABASE_URL": postgres_url},
            folder=tmp_path,
            data_dir=str(tmp_path),
            metrics_port=str(port),
        ),
        "worker",
    )
    worker.metrics.sync_ended("complete", 2.0)
    worker.start_to_work()
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
        ready, counted, elsewhere = (http.get(path) for path in ("/health/ready", "/metrics", "/sign-in"))
    worker.stop()

    assert (ready.status_code, counted.status_code, elsewhere.status_code) == (200, 200, 404)
    assert 'comptoir_syncs_total{outcome="complete"} 1.0' in counted.text


def test_every_answer_bears_an_id(asking: TestClient[Any]) -> None:
    for path in ("/health", "/sign-in", "/nothing", "/api/companies", "/metrics"):
        assert re.fullmatch("[0-9a-f]{32}", asking.get(path).headers["x-correlation-id"])
