"""`comptoir remap`: shows how far mapping has come, and what it changed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from comptoir import settings as settings_
from comptoir.app import SOCKET
from comptoir.commands import remap_directly
from comptoir.errors import InvalidInput
from comptoir.runtime.local_socket import ask
from comptoir.sync import Remapped, Remapping

__all__ = ["run"]


def run(*, company: str | None, data_types: tuple[str, ...], everything: bool, data_dir: Path | None) -> int:
    """Remap by the server that runs in the data folder, or here if none does; returns the exit code."""
    if (company is None) != everything:
        raise InvalidInput("Say which company to remap, by its id or name, or --all for all of them: one of the two.")
    settings = settings_.read(data_dir=None if data_dir is None else str(data_dir))
    console = Console(markup=False)  # names are shown as they are written
    with _shown(console) as shown:
        answers = ask(settings.data_dir / SOCKET, "remap", {"company": company, "data_types": list(data_types)})
        if answers is None:
            remapped = remap_directly(settings, company=company, data_types=data_types, tell=shown.tell)
        else:
            remapped = []
            for answer in answers:
                if answer.done is not None:
                    remapped = msgspec.convert(answer.done, list[Remapped])
                else:
                    shown.tell(msgspec.convert(answer.told, Remapping))
    _tell(console, remapped)
    return 0


class _Shown:
    """One bar for each data type of each company."""

    def __init__(self, console: Console, progress: Progress) -> None:
        self._console, self._progress = console, progress
        self._tasks: dict[tuple[str, str], Any] = {}

    def tell(self, how_far: Remapping) -> None:
        if how_far.data_type is None:
            self._console.print(f"The books of {how_far.company} are being read: waiting until that has ended.")
            return
        key = (how_far.company, how_far.data_type)
        if key not in self._tasks:
            self._tasks[key] = self._progress.add_task(" ".join(key), total=how_far.in_all)
        self._progress.update(self._tasks[key], completed=how_far.done, total=how_far.in_all)


@contextlib.contextmanager
def _shown(console: Console) -> Iterator[_Shown]:
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield _Shown(console, progress)


def _tell(console: Console, remapped: list[Remapped]) -> None:
    if not remapped:
        console.print("Nothing was read yet, so there is nothing to map anew.")
        return
    table = Table(box=None)
    table.add_column("Company")
    table.add_column("Data type")
    for heading in ("Mapped", "New", "Changed", "Deleted", "Set aside"):
        table.add_column(heading, justify="right")
    for one in remapped:
        counts = (one.rows, one.new, one.changed, one.deleted, one.set_aside)
        table.add_row(one.company, one.data_type, *(f"{count:,}" for count in counts))
    console.print(table, highlight=False)
    changed = sum(one.new + one.changed + one.deleted for one in remapped)
    rows = sum(one.rows for one in remapped)
    console.print(f"{changed:,} records changed; {rows:,} rows mapped, without any call upstream.", highlight=False)
