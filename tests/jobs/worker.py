"""A process that does two durable steps for a connection, and is killed in the second if told so.

python worker.py FOLDER kill|finish
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

from comptoir.jobs import Jobs, Step


def main(folder: Path, mode: str) -> None:
    done = threading.Event()

    def first() -> dict[str, int]:
        with (folder / "first").open("a") as file:
            file.write("x")
        return {"pages": 3}

    def second() -> None:
        if mode == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        with (folder / "second").open("a") as file:
            file.write("x")

    def work(tenant: str, connection: str, step: Step) -> None:
        assert step("first", first) == {"pages": 3}
        step("second", second)
        (folder / "done").write_text(f"{tenant} {connection}")
        done.set()

    jobs = Jobs(f"sqlite:///{folder / 'jobs.db'}", work, polling_seconds=0.2)
    jobs.launch()
    if mode == "kill":
        jobs.start("tenant", "connection")
    if not done.wait(30):
        sys.exit("the work was not done in 30 s")
    jobs.destroy()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
