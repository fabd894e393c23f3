"""A page that is watched does not keep the server from stopping."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from tests.portal.linking import Linking

pytestmark = pytest.mark.slow


def test_a_stop_signal_ends_the_pages_that_are_watched(tmp_path: Path) -> None:
    linking = Linking(tmp_path)
    company = linking.a_company()  # nobody has linked it, so its page waits for that
    client = linking.operator.http

    with client.stream("GET", f"{linking.portal}{company.path}/progress") as stream:
        lines = stream.iter_lines()
        assert any(line.startswith("event:") for line in lines)
        began = time.monotonic()
        linking.server.process.terminate()
        for _ in lines:
            pass
        took = time.monotonic() - began
        linking.server.process.wait(20)
    linking.stop()

    assert took < 3
