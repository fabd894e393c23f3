"""Failpoints act at the hit they were armed for, once, and only where they were named."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from comptoir.errors import InvalidInput
from comptoir.runtime import failpoints


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    yield
    failpoints.arm(None)


def test_a_failpoint_acts_at_its_hit_and_only_then() -> None:
    failpoints.arm("page=error@2")

    failpoints.failpoint("page")
    failpoints.failpoint("other")
    with pytest.raises(RuntimeError, match="page"):
        failpoints.failpoint("page")
    failpoints.failpoint("page")


def test_a_crash_is_a_kill_and_nothing_after_it_happens() -> None:
    code = (
        "from comptoir.runtime import failpoints as f\n"
        "f.arm('here=crash')\n"
        "try:\n    f.failpoint('here')\nfinally:\n    print('after')"
    )

    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=os.environ)

    assert ended.returncode == -9
    assert ended.stdout == ""


@pytest.mark.parametrize("text", ["page", "page=", "page=explode", "=crash", "page=crash@0", "page=crash@x"])
def test_what_cannot_be_armed_is_said_and_arms_nothing(text: str) -> None:
    failpoints.arm("other=error")

    with pytest.raises(InvalidInput, match="name=action@n"):
        failpoints.arm(f"page=error,{text}")
    failpoints.failpoint("page")
    with pytest.raises(RuntimeError):
        failpoints.failpoint("other")
