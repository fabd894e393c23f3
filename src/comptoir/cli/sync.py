"""`comptoir sync`: has a company read now, shows how far it is, and tells what came of it."""

from __future__ import annotations

from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from comptoir import settings as settings_
from comptoir.app import SOCKET
from comptoir.cli.bars import bars
from comptoir.commands import sync_directly
from comptoir.runtime.local_socket import ask
from comptoir.sync import Synced
from comptoir.sync.progress import Mapped, Reading

__all__ = ["run"]

_FINE = ("Complete", "NotSupported")


def run(*, company: str, data_types: tuple[str, ...] | None, whole: bool, data_dir: Path | None) -> int:
    """Sync by the server that runs in the data folder, or here if none does; returns the exit code: 0 if every data
    type was read, or is none that this company has."""
    settings = settings_.read(data_dir=None if data_dir is None else str(data_dir))
    console = Console(markup=False)  # names are shown as they are written
    with bars(console) as shown:
        asked = {"company": company, "data_types": data_types and list(data_types), "whole": whole}
        answers = ask(settings.data_dir / SOCKET, "sync", asked)
        if answers is None:
            synced = sync_directly(settings, company=company, data_types=data_types, whole=whole, tell=shown.tell)
        else:
            for answer in answers:
                if answer.done is not None:
                    synced = msgspec.convert(answer.done, Synced)
                elif "resource" in answer.told:
                    shown.tell(msgspec.convert(answer.told, Reading))
                else:
                    shown.tell(msgspec.convert(answer.told, Mapped))
        shown.stop()
    _tell(console, synced)
    return 0 if all(one.status in _FINE for one in synced.types) else 1


def _tell(console: Console, synced: Synced) -> None:
    table = Table(title=f"{synced.company}: what was read", title_justify="left", box=None)
    table.add_column("Data type")
    for heading in ("New", "Changed", "Deleted", "Set aside"):
        table.add_column(heading, justify="right")
    table.add_column("State")
    for one in synced.types:
        counts = (one.new, one.changed, one.deleted, one.set_aside)
        table.add_row(one.data_type, *(f"{count:,}" for count in counts), one.status)
    console.print(table, highlight=False)
    for one in synced.types:
        if one.status not in _FINE:
            console.print(f"{one.data_type}: {one.status}. {one.message or ''}", style="red", highlight=False)
    if synced.looked_at:
        console.print(f"Books check: {synced.held} of {synced.looked_at} identities held.", highlight=False)
    console.print(f"{synced.calls:,} calls.", highlight=False)
