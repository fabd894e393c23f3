"""What machines that watch this one are told."""

from __future__ import annotations

from pathlib import Path

from litestar.testing import TestClient
from tests.portal.conftest import ORIGIN, House, installation


def test_health_is_told_to_anybody(house: House) -> None:
    answer = house.client.get("/health")

    assert answer.status_code == 200
    assert answer.json() == {"status": "ok"}
    assert "unsafe" not in answer.headers["content-security-policy"]


def test_a_database_that_does_not_answer_is_told(tmp_path: Path) -> None:
    opened = installation(None, tmp_path)
    with TestClient(opened.asgi, base_url=ORIGIN, raise_server_exceptions=False) as client:
        with opened.db.write() as tx:
            tx.exec_driver_sql("ALTER TABLE tenants RENAME TO gone")
        answer = client.get("/health")
    opened.stop()

    assert answer.status_code == 503
    assert answer.json() == {"status": "the database does not answer"}


def test_metrics_are_in_the_form_of_prometheus_and_name_no_tenant(house: House) -> None:
    house.operator()

    answer = house.client.get("/metrics")

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert "process_resident_memory_bytes" in answer.text
    assert house.email not in answer.text
