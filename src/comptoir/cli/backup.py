"""`comptoir backup`: a copy of everything that proves itself whole, made while Comptoir serves or not."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

import comptoir
from comptoir import settings as settings_
from comptoir.app import SOCKET
from comptoir.commands import need_data
from comptoir.errors import InvalidInput
from comptoir.runtime.clock import SystemClock
from comptoir.runtime.local_socket import ask
from comptoir.settings import Settings
from comptoir.store import backup, open_database
from comptoir.store.backup import Manifest
from comptoir.store.copies import copy_all

__all__ = ["counting", "run"]

Tell = Callable[[str, int, int | None], None]


def run(*, folder: Path | None, keep_days: int, data_dir: Path | None) -> int:
    """Back up into a folder that is not there yet, and remove copies beside it whose time is over; the exit code."""
    if keep_days < 1:
        raise InvalidInput(f"--keep-days {keep_days}: a backup is kept for a day at least.")
    settings = settings_.read(data_dir=None if data_dir is None else str(data_dir))
    need_data(settings)
    console = Console(markup=False)
    now = SystemClock().now()
    place = folder.expanduser().absolute() if folder else settings.data_dir / "backups" / f"{now:%Y-%m-%dT%H%M%SZ}"
    with counting(console) as tell:
        manifest = backup.make(
            place,
            lambda file: _fill(settings, file, tell),
            now=now,
            keep=timedelta(days=keep_days),
            version=comptoir.__version__,
            made_from="sqlite" if settings.is_on_sqlite else "postgresql",
        )
    gone = backup.expired(place.parent, now)
    for one in gone:
        shutil.rmtree(one, ignore_errors=True)
    _say(console, place, manifest, gone)
    return 0


def _fill(settings: Settings, file: Path, tell: Tell) -> None:
    if not settings.is_on_sqlite:
        _from_postgres(settings.database_url, file, tell)
        return
    answers = ask(settings.data_dir / SOCKET, "backup", {"to": str(file)})
    if answers is not None:
        for answer in answers:
            if answer.told is not None:
                tell("pages", *answer.told)
        return
    db = open_database(settings.database_url)
    try:
        with db.read() as tx:
            backup.copy_file(tx, file, tell=lambda done, of: tell("pages", done, of))
    finally:
        db.close()


def _from_postgres(url: str, file: Path, tell: Tell) -> None:
    """In one transaction that sees one state of everything, while others go on."""
    source = open_database(url)
    try:
        target = open_database(f"sqlite:///{file}")
        try:
            with source.read() as from_, target.write() as to:
                copy_all(from_, to, lambda table, rows: tell(table, rows, None))
        finally:
            target.close()
    finally:
        source.close()
    file.with_suffix(".lock").unlink(missing_ok=True)


@contextmanager
def counting(console: Console) -> Iterator[Tell]:
    """Shows how far each part is, where somebody looks."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:,.0f}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        tasks = {}

        def tell(name: str, done: int, of: int | None) -> None:
            if name not in tasks:
                tasks[name] = progress.add_task(name, total=of)
            progress.update(tasks[name], completed=done, total=of)

        yield tell


def _say(console: Console, place: Path, manifest: Manifest, gone: list[Path]) -> None:
    rows = sum(manifest.rows.values())
    say = partial(console.print, highlight=False, soft_wrap=True)
    say(
        f"The backup is in {place}: {manifest.companies:,} companies, {rows:,} rows, "
        f"{manifest.bytes / 1_000_000:,.1f} MB. It was looked through and is whole."
    )
    say(
        "Secrets are sealed in it, and the master key is not in it: keep that key too, but not beside the backup. "
        "Without it linked companies must be linked again."
    )
    say(
        f"What is deleted here from now on is still in it: keep it until {manifest.keep_until:%d %B %Y}. The next "
        "backup into the same place removes it after that."
    )
    for one in gone:
        say(f"Removed, because its time is over: {one}")
