"""`comptoir pull`: shows how far the books have come while they are read, and what came of them."""

from __future__ import annotations

import contextlib
import gc
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from comptoir import settings as settings_
from comptoir.cli.bars import bars
from comptoir.errors import RelinkRequired
from comptoir.integrations.freeagent import FREEAGENT
from comptoir.jobs import Stopped
from comptoir.runtime import failpoints
from comptoir.runtime.clock import SystemClock
from comptoir.store import holds, open_database, records
from comptoir.store.datasets import Status
from comptoir.store.spending import spent_in
from comptoir.sync import Board, Pulled, pull
from comptoir.upstream import Client, Limits, Shared

__all__ = ["run"]

_FINE = (Status.COMPLETE, Status.NOT_SUPPORTED)


def run(
    *,
    origin: str,
    access_token: str,
    data_dir: Path,
    data_types: tuple[str, ...] | None,
    limits: str | None,
    whole: bool = False,
) -> int:
    """Pull; returns the exit code: 0 if every data type was read, or is none that this company has."""
    gc.freeze()  # what was imported stays: the collector need not go through it for every batch of records
    settings = settings_.read(data_dir=str(data_dir), freeagent_url=origin, freeagent_limits=limits)
    console = Console(markup=False)  # names are shown as they are written
    clock = SystemClock(settings.time_scale)
    failpoints.arm(settings.failpoints)
    upstream = settings.upstreams[FREEAGENT.key]
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        db = open_database(settings.database_url)
        stack.callback(db.close)
        budget = Limits(
            clock,
            calls=upstream.limits.calls,
            refreshes=upstream.limits.refreshes,
            address=upstream.limits.address,
            time_scale=settings.time_scale,
            spent=spent_in(db),
            ledger=Shared(db, clock, FREEAGENT.key) if db.dialect == "postgresql" else None,
        )
        client = Client(
            FREEAGENT,
            upstream.origin,
            budget,
            clock,
            bounds=settings.bounds,
            may_call=lambda connection: holds.refuse(db, connection.tenant_id),
        )
        stack.callback(client.close)
        stopping = stack.enter_context(_stop_signals())
        told = stack.enter_context(bars(console))
        try:
            pulled = pull(
                db,
                clock,
                FREEAGENT,
                client,
                access_token=access_token.strip(),
                data_types=data_types,
                whole=whole,
                board=Board(lambda _, row: told.tell(row)),
                should_stop=stopping.is_set,
            )
        except Stopped:
            told.stop()
            console.print("Stopped. What was read is kept; the same command goes on from there.")
            return 130
        told.stop()
        with db.read() as tx:
            counts = {
                one.data_type: records.count(tx, pulled.connection.tenant_id, pulled.connection.id, one.data_type)
                for one in pulled.datasets
                if one.status is Status.COMPLETE
            }
    _tell(console, pulled, counts, time.monotonic() - began, settings.database_url)
    failed = [one for one in pulled.datasets if one.status not in _FINE]
    for one in failed:
        console.print(f"{one.data_type}: {one.status}. {one.error_message or ''}", style="red", highlight=False)
    if any(one.status is Status.AUTH_ERROR for one in failed):
        raise RelinkRequired("The access token was refused. Get a fresh one and start again; what was read is kept.")
    return 1 if failed else 0


@contextlib.contextmanager
def _stop_signals() -> Iterator[threading.Event]:
    """Set when the person at the terminal, or the system, wants an end; a second Ctrl-C ends at once."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return

    def ask(number: int, _: object) -> None:
        asked.set()
        signal.signal(number, before[signal.Signals(number)])

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _tell(console: Console, pulled: Pulled, counts: dict[str, int], seconds: float, database_url: str) -> None:
    table = Table(title=f"{pulled.connection.source_company_name}: what was read", title_justify="left", box=None)
    table.add_column("Data type")
    table.add_column("Records", justify="right")
    table.add_column("State")
    for one in pulled.datasets:
        notes = f"{len(one.warnings)} warnings" if one.warnings else ""
        aside = f"{one.records_set_aside} set aside" if one.records_set_aside else ""
        state = ", ".join(part for part in (one.status.value, aside, notes) if part)
        table.add_row(one.data_type, f"{counts[one.data_type]:,}" if one.data_type in counts else "", state)
    console.print(table, highlight=False)
    if pulled.report is not None:
        lines = pulled.report.lines
        held = sum(line.state == "held" for line in lines)
        console.print(f"Books check: {held} of {len(lines)} identities held.", highlight=False)
        for line in lines:
            if line.state == "breached":
                console.print(f"{line.code} breached {line.breaches} times: {line.words}", style="red", highlight=False)
    where = database_url.removeprefix("sqlite:///") if database_url.startswith("sqlite") else "the database"
    console.print(f"{pulled.calls} calls, {seconds:.1f} s, stored in {where}", highlight=False, soft_wrap=True)
