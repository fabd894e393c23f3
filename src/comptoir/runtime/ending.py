"""The end of a process that was asked to end, whatever stands still in it then."""

from __future__ import annotations

import logging
import os
import threading

__all__ = ["end_anyway"]

_log = logging.getLogger(__name__)


def end_anyway(asked: threading.Event, *, after_seconds: float) -> None:
    """Once it was `asked` to, the process has so long to end by itself. Then it ends with exit code 1: a database that
    keeps a call without an answer would keep it, and whoever asked, for ever."""

    def watch() -> None:
        asked.wait()
        threading.Event().wait(after_seconds)
        _log.error(
            "The process did not come to an end within %g seconds and is ended: something it waits for, such as the "
            "database, does not answer. What was under way goes on from what was stored last.",
            after_seconds,
        )
        os._exit(1)

    threading.Thread(target=watch, name="end", daemon=True).start()
