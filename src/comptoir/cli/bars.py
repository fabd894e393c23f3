"""Bars in a terminal: one for each resource that is read and each data type that is mapped."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from comptoir.sync.progress import Mapped, Reading

__all__ = ["Bars", "bars"]


class Bars:
    """Nothing where nobody looks."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def tell(self, row: Reading | Mapped) -> None:
        if self._progress is None:
            return
        if isinstance(row, Reading):
            name, done, in_all = f"read {row.resource}", row.pages_done, row.pages
        else:
            name, done, in_all = f"map {row.data_type}", row.done, row.in_all
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(name, total=in_all)
        self._progress.update(self._tasks[name], completed=done, total=in_all)

    def stop(self) -> None:
        if self._progress is not None:
            self._progress.stop()


@contextlib.contextmanager
def bars(console: Console) -> Iterator[Bars]:
    if not console.is_terminal:
        yield Bars(None)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, refresh_per_second=4) as progress:
        yield Bars(progress)
