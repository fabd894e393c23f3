"""`comptoir doctor`: looks whether all is well, says what to do where it is not, and changes nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
from rich.console import Console
from sqlalchemy.exc import SQLAlchemyError

from comptoir import settings as settings_
from comptoir.app import SOCKET
from comptoir.checkup import Line, State, of_data, of_machine, of_sealing, of_tables
from comptoir.errors import ProductError
from comptoir.runtime.clock import SystemClock
from comptoir.runtime.local_socket import ask
from comptoir.runtime.logs import strike_out
from comptoir.settings import Settings
from comptoir.store import open_database

__all__ = ["run"]

_LOOKS = {State.OK: "green", State.WARNING: "yellow", State.FAULT: "red"}


def run(*, data_dir: Path | None, json: bool) -> int:
    """The exit code: 1 if anything is at fault."""
    lines: list[Line] = []
    console = Console(highlight=False, soft_wrap=True)
    for line in _found(data_dir):
        lines.append(line)
        if not json:
            console.print(f"[{_LOOKS[line.state]}]{line.state.value:8}[/] [bold]{line.subject}[/bold]: ", end="")
            console.print(line.says, markup=False)
            if line.do is not None:
                console.print(f"         {line.do}", markup=False)
    worst = max((line.state for line in lines), key=list(State).index)
    if json:
        sys.stdout.buffer.write(msgspec.json.encode({"state": worst, "lines": lines}) + b"\n")
    return 1 if worst is State.FAULT else 0


def _found(data_dir: Path | None) -> Iterator[Line]:
    try:
        settings = settings_.read(data_dir=None if data_dir is None else str(data_dir))
    except ProductError as error:
        yield Line(
            subject="settings",
            state=State.FAULT,
            says=strike_out(error.message),
            do="Nothing else can be looked at until then.",
        )
        return
    yield Line(subject="settings", state=State.OK, says="They are understood.")
    yield from of_machine(settings)
    tables = of_tables(settings.database_url)
    yield tables
    yield from _of_data(settings, is_ready=tables.state is State.OK)


def _of_data(settings: Settings, *, is_ready: bool) -> Iterator[Line]:
    """By the server that runs, else here."""
    try:
        answers = ask(settings.data_dir / SOCKET, "doctor", {})
        if answers is not None:
            yield Line(subject="server", state=State.OK, says="It runs, and answers commands.")
            for answer in answers:
                if answer.done is not None:
                    yield from msgspec.convert(answer.done, list[Line])
            return
        if not is_ready:  # opening it would make or change its tables
            return
        db = open_database(settings.database_url)
        try:
            yield of_sealing(db, settings)
            yield from of_data(db, SystemClock())
        finally:
            db.close()
    except (ProductError, OSError, SQLAlchemyError) as error:
        says = error.message if isinstance(error, ProductError) else str(error).splitlines()[0]
        yield Line(subject="data", state=State.FAULT, says=strike_out(says), do="The log of the server says more.")
