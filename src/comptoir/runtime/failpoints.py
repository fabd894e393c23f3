"""Named places where a test may crash, pause or fail the process. Off unless a test switch is set.

`COMPTOIR_FAILPOINTS=fetch.committed=crash@3,map.batch=error@1` acts at the n-th hit. Settings refuse it unless
`COMPTOIR_TEST_SEAMS=1` says that this is a test.
"""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter

from comptoir.errors import InvalidInput

__all__ = ["arm", "failpoint"]

_ACTIONS = ("crash", "error", "pause")

_armed: dict[str, tuple[str, int]] = {}
_hits: Counter[str] = Counter()
_lock = threading.Lock()


def arm(text: str | None) -> None:
    """Arm the failpoints named in `text`: name=action@n, separated by commas; None or "" disarms all.

    Raises InvalidInput for what is not written like that; then nothing is changed.
    """
    armed: dict[str, tuple[str, int]] = {}
    for part in filter(None, (one.strip() for one in (text or "").split(","))):
        name, _, rest = part.partition("=")
        action, _, hit = rest.partition("@")
        if not name or action not in _ACTIONS or not (hit or "1").isdecimal() or int(hit or 1) < 1:
            raise InvalidInput(
                f"COMPTOIR_FAILPOINTS: {part!r} is not understood. Write name=action@n, where the action is "
                f"{', '.join(_ACTIONS)}, as in fetch.committed=crash@3."
            )
        armed[name.strip()] = (action, int(hit or 1))
    with _lock:
        _armed.clear()
        _armed.update(armed)
        _hits.clear()


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
