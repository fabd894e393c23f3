"""Named places where a test may crash, pause or fail the process. Off unless a test switch is set.

`COMPTOIR_FAILPOINTS=fetch.committed=crash@3,map.batch=error@1` acts at the n-th hit. Settings refuse it unless
`COMPTOIR_TEST_SEAMS=1` says that this is a test.
"""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter

__all__ = ["arm", "failpoint"]

_armed: dict[str, tuple[str, int]] = {}
_hits: Counter[str] = Counter()
_lock = threading.Lock()


def arm(text: str | None) -> None:
    """Arm the failpoints named in `text`: name=action@n, separated by commas; None or "" disarms all."""
    _armed.clear()
    _hits.clear()
    for part in filter(None, (text or "").split(",")):
        name, _, rest = part.partition("=")
        action, _, hit = rest.partition("@")
        if action not in ("crash", "error", "pause"):
            raise ValueError(f"failpoint action {action!r} is not crash, error or pause")
        _armed[name.strip()] = (action, int(hit or 1))


def failpoint(name: str) -> None:
    """Do what was armed for this place, if anything was."""
    if not _armed or name not in _armed:
        return
    with _lock:
        _hits[name] += 1
        action, hit = _armed[name]
        if _hits[name] != hit:
            return
    if action == "crash":
        os.kill(os.getpid(), signal.SIGKILL)
    if action == "pause":
        os.kill(os.getpid(), signal.SIGSTOP)
        return
    raise RuntimeError(f"failpoint {name}")
