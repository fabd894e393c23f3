"""A process that was asked to end does so, whatever stands still in it."""

from __future__ import annotations

import subprocess
import sys

_STANDS_STILL = """
import logging, threading
from comptoir.runtime.ending import end_anyway

logging.basicConfig()
asked = threading.Event()
end_anyway(asked, after_seconds=0.05)
asked.set()
threading.Event().wait()
"""


def test_a_process_that_stands_still_when_it_should_end_is_ended() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _STANDS_STILL], capture_output=True, text=True, timeout=30, check=False
    )

    assert ended.returncode == 1
    assert "did not come to an end within 0.05 seconds" in ended.stderr
