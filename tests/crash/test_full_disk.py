"""F35: a disk that is full while books are read. The files of the server may not grow, by the system's own refusal."""

from __future__ import annotations

import base64
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.cli.conftest import COMMAND
from tests.jobs.test_jobs import in_the_end
from tests.portal.linking import Linking

pytestmark = pytest.mark.slow

_ROOM = 150_000  # bytes: enough to link by, not enough for books


@pytest.fixture
def linking(tmp_path: Path) -> Iterator[Linking]:
    begin = ("sh", "-c", f'exec "{COMMAND}" "$@" 2>"{tmp_path / "log"}"', "sh")
    served = Linking(tmp_path, begin=begin)
    yield served
    served.stop()


def allow(linking: Linking, size: int) -> None:
    """Let no file of the server grow beyond a size."""
    resource.prlimit(linking.server.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def test_reads_pause_while_the_disk_is_full_and_go_on_by_themselves(linking: Linking, tmp_path: Path) -> None:
    log = tmp_path / "log"
    made = linking.operator.post("/settings/api-keys", {"name": "tests"})
    key = made.html.partition('id="secret"')[2].partition('value="')[2].partition('"')[0]
    headers = {"Authorization": f"Basic {base64.b64encode(key.encode()).decode()}"}
    company = linking.a_company()
    path = f"/companies/{company.path.rpartition('/')[2]}"
    with httpx2.Client(base_url=f"{linking.portal}/api", headers=headers, timeout=30, trust_env=False) as api:

        def told() -> dict[str, Any]:
            return dict(api.get(f"{path}/dataStatus").json())

        def is_ended() -> bool:
            states = [one["currentStatus"] for one in told().values()]
            return bool(states) and all(one in ("Complete", "NotSupported") for one in states)

        def has_said(words: str) -> bool:
            return words in log.read_text()

        allow(linking, max(one.stat().st_size for one in linking.folder.iterdir()) + _ROOM)
        assert f"Linked to the books of {linking.names[0]}" in company.customer().link().words

        in_the_end(lambda: has_said("nothing was changed"))
        assert not is_ended()
        assert api.get(path).status_code == 200
        assert linking.operator.get("/companies").status == 200
        allow(linking, resource.RLIM_INFINITY)
        in_the_end(is_ended)

        history = api.get(f"{path}/data/history?pageSize=100").json()["results"]
        assert {one["status"] for one in history} <= {"Complete", "NotSupported"}
        assert len({one["dataType"] for one in history}) == len(history)  # nothing was asked for twice
    assert "Traceback" not in log.read_text()
