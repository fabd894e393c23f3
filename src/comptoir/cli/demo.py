"""`comptoir demo`: a stand-in for FreeAgent and the product, linked and synced over their real pages.

Nothing here takes a short cut: the app is registered on the stand-in's developer site, the keys are pasted into the
portal, the customer approves on the stand-in's page, and records are counted over the public API.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from comptoir import settings as settings_
from comptoir.app import Application
from comptoir.cli.visitor import Visitor
from comptoir.errors import ActionNeeded, ProductError, TryLater
from comptoir.integrations.freeagent import FREEAGENT
from comptoir.model import SHAPES
from comptoir.store import ConnectionId
from comptoir.sync import Report

__all__ = ["Options", "run"]

_READY_WITHIN_SECONDS = 60
_PATHS = {"chartOfAccounts": "accounts", "company": "info"}


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What `comptoir demo` was asked for; see the command's help."""

    port: int = 8000
    standin_port: int = 8001
    data_dir: Path | None = None
    books: str = "small"
    seed: int = 1
    limits: str = "120/60,3600/3600,15/60"
    ready_file: Path | None = None
    once: bool = False
    json: bool = False
    manual: bool = False


class _Kept(msgspec.Struct, kw_only=True, rename="camel"):
    """What the demo must remember between starts with --data-dir: the sign-in it made and what it linked."""

    email: str
    password: str
    api_key: str
    company_id: str | None = None
    connection_id: str | None = None


class _Failed(Exception):
    """The demo ran to its end, and not all of it worked."""


def run(options: Options) -> int:
    """Run the demo; returns the exit code: 0 only if all of it worked."""
    console = Console(stderr=options.json, markup=False)
    # As Ctrl-C does, so that the stand-in is stopped too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with contextlib.ExitStack() as stack:
            return _run(options, console, stack)
    except KeyboardInterrupt:
        console.print("Stopped.")
        return 0 if not options.once else 130
    except (_Failed, ProductError) as error:
        console.print(f"The demo did not work: {error}", style="red", highlight=False)
        return 1


def _run(options: Options, console: Console, stack: contextlib.ExitStack) -> int:
    seconds: dict[str, float] = {}
    folder = options.data_dir or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="comptoir-demo-")))
    folder.mkdir(parents=True, exist_ok=True)

    with _timed(seconds, "start"), console.status("Starting the stand-in for FreeAgent and Comptoir"):
        standin = stack.enter_context(_standin(options, folder))
        application = Application(_settings(options, folder, standin))
        stack.callback(application.stop)
        application.start()
    kept, keep = _keys(application, folder)
    facts: dict[str, Any] = {
        "portalUrl": application.settings.portal_url,
        "apiUrl": application.settings.api_url,
        "apiKey": kept.api_key,
        "email": kept.email,
        "password": kept.password,
        "standinUrl": standin["url"],
        "developerUrl": standin["developerUrl"],
        "controlUrl": standin["controlUrl"],
        "standinEmail": standin["email"],
        "standinPassword": standin["password"],
    }
    worked = True
    if options.manual:
        facts["seconds"] = seconds
    else:
        worked = _link_and_sync(application, standin, kept, facts, seconds, console)
        keep(kept)

    if options.ready_file:
        _write_by_rename(options.ready_file, json.dumps(facts, indent=2))
    if options.json:
        print(json.dumps(facts, indent=2), flush=True)  # noqa: T201 - the command's answer
    else:
        _tell(console, facts, manual=options.manual)
    if not worked:
        raise _Failed("not every data type is Complete, or the books check found a difference; see above")
    if not options.once:
        if not options.json:
            console.print("\nServing until you press Ctrl-C.")
        application.stop_on_signals()
        application.wait()
    return 0


@contextlib.contextmanager
def _timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    seconds[step] = round(time.monotonic() - began, 2)


@contextlib.contextmanager
def _standin(options: Options, folder: Path) -> Iterator[dict[str, Any]]:
    """The stand-in as a process of its own; yields what its ready file says."""
    ready = folder / "standin-ready.json"
    ready.unlink(missing_ok=True)
    command = [sys.executable, "-m", "freeagent_standin.cli", "serve"]
    command += ["--port", str(options.standin_port), "--books", options.books, "--seed", str(options.seed)]
    command += ["--limits", options.limits, "--ready-file", str(ready)]
    if options.data_dir:
        command += ["--data-dir", str(folder / "standin")]
    log_path = folder / "standin.log"
    with log_path.open("wb") as log:
        # Its own session, so that Ctrl-C reaches only us and the order of stopping is ours.
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)  # noqa: S603 - our own
        try:
            until = time.monotonic() + _READY_WITHIN_SECONDS + (600 if options.books not in ("small", "medium") else 0)
            while not ready.exists():
                if process.poll() is not None:
                    said = log_path.read_text(errors="replace").strip().splitlines()
                    raise ActionNeeded(f"The stand-in did not start: {said[-1] if said else 'it said nothing'}")
                if time.monotonic() > until:
                    raise TryLater("The stand-in was not ready in time; the machine may be busy. Try again.")
                time.sleep(0.02)
            yield json.loads(ready.read_text())
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def _settings(options: Options, folder: Path, standin: dict[str, Any]) -> settings_.Settings:
    environ = {name: text for name, text in os.environ.items() if name in ("COMPTOIR_LOG_FORMAT", "COMPTOIR_LOG_LEVEL")}
    return settings_.read(
        environ,
        folder=folder,
        data_dir=str(folder),
        port=str(options.port),
        freeagent_url=standin["url"],
        freeagent_developer_url=standin["developerUrl"],
        freeagent_limits=options.limits,
    )


def _keys(application: Application, folder: Path) -> tuple[_Kept, Any]:
    """The operator and API key of this demo: made at its first start, read back at later ones."""
    path = folder / "demo.json"

    def keep(kept: _Kept) -> None:
        _write_by_rename(path, msgspec.json.encode(kept).decode())

    first = application.first_start
    if first is None:
        try:
            return msgspec.json.decode(path.read_bytes(), type=_Kept), keep
        except (OSError, msgspec.DecodeError) as error:
            raise ActionNeeded(
                f"{folder} holds data of another start than a demo's, so its sign-in is unknown here. "
                "Choose another --data-dir, or use `comptoir serve`."
            ) from error
    kept = _Kept(email=first.email, password=first.password, api_key=application.new_api_key("demo"))
    keep(kept)
    return kept, keep


def _write_by_rename(path: Path, text: str) -> None:
    part = path.with_name(path.name + ".part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    part.replace(path)


def _link_and_sync(
    application: Application,
    standin: dict[str, Any],
    kept: _Kept,
    facts: dict[str, Any],
    seconds: dict[str, float],
    console: Console,
) -> bool:
    api = _Api(facts["apiUrl"], kept.api_key)
    try:
        if kept.company_id is None:
            with _timed(seconds, "setUp"), console.status("Registering an app and pasting its keys into the portal"):
                _set_up(facts, FREEAGENT.name)
            with _timed(seconds, "link"), console.status("Creating a company and linking it"):
                kept.company_id, link_page = api.create_company(standin["companies"][0]["name"])
                _approve(facts, link_page)
                kept.connection_id = api.linked_connection(kept.company_id)
        else:
            api.refresh(kept.company_id)
        company, connection = str(kept.company_id), str(kept.connection_id)
        facts |= {"companyId": company, "connectionId": connection}
        with _timed(seconds, "sync"):
            statuses = _watch(api, company, console)
        with _timed(seconds, "count"), console.status("Counting what was read"):
            facts["records"] = {
                data_type: api.count(company, connection, data_type)
                for data_type, status in sorted(statuses.items())
                if status == "Complete"
            }
    finally:
        api.close()
    report = application.books_check(ConnectionId(connection))
    facts["breaches"] = report.breaches if report is not None else 0
    facts["seconds"] = seconds
    console.print(_table(facts["records"], statuses))
    if report is not None:
        console.print(_checks(report), highlight=False)
    return set(statuses.values()) == {"Complete"} and report is not None and report.breaches == 0


def _set_up(facts: dict[str, Any], name: str) -> None:
    """What an operator does: make an app on the developer site, paste its keys into the portal, enable."""
    portal, developer = Visitor(), Visitor()
    try:
        portal.open(f"{facts['portalUrl']}/settings/integrations/accounting")
        portal.submit("Sign in", {"Email": facts["email"], "Password": facts["password"]})
        portal.open(f"{facts['portalUrl']}/settings/integrations/accounting")
        portal.follow("Set up")
        redirect_uri = portal.value("OAuth Redirect URI")

        developer.open(facts["developerUrl"])
        developer.submit("Sign in", {"Email": facts["standinEmail"], "Password": facts["standinPassword"]})
        developer.follow("Create New App")
        developer.submit(
            "Create App",
            {"Name": "Comptoir demo", "Description": "Reads books", "OAuth Redirect URIs": redirect_uri},
        )
        keys = {
            "Client ID": developer.value("OAuth identifier"),
            "Client secret": developer.value("OAuth secret"),
        }
        portal.submit("Save", keys)
        portal.submit("Enable now")
    finally:
        portal.close()
        developer.close()


def _approve(facts: dict[str, Any], link_page: str) -> None:
    """What the customer does: open the Link page, go to FreeAgent, sign in, approve."""
    customer = Visitor()
    try:
        customer.open(link_page)
        customer.follow(f"Connect {FREEAGENT.name}")
        customer.submit("Sign in", {"Email": facts["standinEmail"], "Password": facts["standinPassword"]})
        customer.submit("Approve")
    finally:
        customer.close()


class _Api:
    """The public API, as any client uses it."""

    def __init__(self, url: str, key: str) -> None:
        token = base64.b64encode(key.encode()).decode()
        self._http = httpx2.Client(headers={"Authorization": f"Basic {token}"}, timeout=60)
        self._url = url

    def close(self) -> None:
        self._http.close()

    def create_company(self, name: str) -> tuple[str, str]:
        body = self._ask("POST", "/companies", {"name": name})
        return body["id"], body["redirect"]

    def linked_connection(self, company: str) -> str:
        connections = self._ask("GET", f"/companies/{company}/connections")["results"]
        for connection in connections:
            if connection["status"] == "Linked":
                return str(connection["id"])
        reasons = [error["errorMessage"] for one in connections for error in one.get("dataConnectionErrors") or []]
        raise ActionNeeded("The company was not linked. " + " ".join(reasons[-1:]))

    def refresh(self, company: str) -> None:
        self._ask("POST", f"/companies/{company}/data/all")

    def history(self, company: str) -> list[dict[str, Any]]:
        """The newest dataset of each data type."""
        newest: dict[str, dict[str, Any]] = {}
        for one in self._ask("GET", f"/companies/{company}/data/history?pageSize=200&orderBy=-requested")["results"]:
            newest.setdefault(one["dataType"], one)
        return list(newest.values())

    def count(self, company: str, connection: str, data_type: str) -> int:
        base = f"/companies/{company}/connections/{connection}/data"
        if data_type == "company":
            self._ask("GET", f"/companies/{company}/data/info")
            return 1
        if SHAPES[data_type].is_statement:
            report = f"/companies/{company}/data/{SHAPES[data_type].path_word}?periodLength=1&periodsToCompare=12"
            return len(self._ask("GET", report)["reports"])
        if data_type == "bankTransactions":
            accounts = self._ask("GET", f"{base}/bankAccounts?pageSize=5000")["results"]
            paths = [f"{base}/bankAccounts/{account['id']}/bankTransactions" for account in accounts]
        else:
            paths = [f"{base}/{_PATHS.get(data_type, data_type)}"]
        live = "query=metadata.isDeleted!%3Dtrue&" if data_type != "bankTransactions" else ""
        return sum(int(self._ask("GET", f"{path}?{live}pageSize=1")["totalResults"]) for path in paths)

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        answer = self._http.request(method, self._url + path, json=body)
        if answer.is_error:
            raise ActionNeeded(f"{method} {path} answered {answer.status_code}: {answer.text[:300]}")
        return answer.json() if answer.content else None


def _watch(api: _Api, company: str, console: Console) -> dict[str, str]:
    """Show the datasets as they are read; returns each data type's final state."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bars:
        task = bars.add_task("Reading the books", total=None)
        while True:
            datasets = api.history(company)
            ended = [one for one in datasets if one["isCompleted"] or one["isErrored"]]
            waiting = next((one["statusDescription"] for one in datasets if one.get("statusDescription")), None)
            bars.update(
                task,
                total=len(datasets) or None,
                completed=len(ended),
                description="Reading the books" + (f": {waiting}" if waiting and len(ended) < len(datasets) else ""),
            )
            if datasets and len(ended) == len(datasets):
                break
            time.sleep(0.1)
    for one in datasets:
        if one["isErrored"]:
            console.print(f"{one['dataType']}: {one['status']} {one.get('errorMessage') or ''}", style="red")
    return {one["dataType"]: one["status"] for one in datasets}


def _table(records: dict[str, int], statuses: dict[str, str]) -> Table:
    table = Table(title="What was read", title_justify="left", show_header=True, box=None)
    table.add_column("Data type")
    table.add_column("Records", justify="right")
    table.add_column("State")
    for data_type in sorted(statuses):
        table.add_row(data_type, f"{records.get(data_type, 0):,}", statuses[data_type])
    return table


def _checks(report: Report) -> Table:
    """The identities that held by their codes; in words, and with the reasons, only those that did not."""
    held = [line.code for line in report.lines if line.state == "held"]
    title = f"\nBooks check: {len(held)} of {len(report.lines)} identities held, {report.breaches} breaches"
    table = Table(title=title, title_justify="left", show_header=False, box=None)
    table.add_column(no_wrap=True)
    table.add_column()
    for letter in sorted({code[0] for code in held}):
        table.add_row("held", " ".join(code for code in held if code[0] == letter))
    for line in report.lines:
        if line.state != "held":
            style = "red" if line.state == "breached" else None
            table.add_row(line.state, " ".join((line.code, line.words, *line.details)), style=style)
    return table


def _tell(console: Console, facts: dict[str, Any], *, manual: bool) -> None:
    rows = [
        ("Portal", facts["portalUrl"]),
        ("  sign in", f"{facts['email']}  {facts['password']}"),
        ("API", facts["apiUrl"]),
        ("  key", facts["apiKey"]),
        ("Stand-in for FreeAgent", facts["standinUrl"]),
        ("  developer site", facts["developerUrl"]),
        ("  sign in", f"{facts['standinEmail']}  {facts['standinPassword']}"),
    ]
    table = Table(box=None, show_header=False, title="\nWhere things are", title_justify="left")
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(name, value)
    console.print(table, highlight=False)
    if manual:
        steps = (
            f"Open {facts['portalUrl']}/settings/integrations/accounting and sign in.",
            "Click Set up beside FreeAgent. Copy the redirect address it shows.",
            f"Open {facts['developerUrl']}, sign in, Create New App; paste the address; Create App.",
            "Paste OAuth identifier and OAuth secret into the portal as Client ID and Client secret. Save. Enable now.",
            "Companies > New company. Open its Link URL, Connect FreeAgent, sign in with the stand-in's pair, Approve.",
            "The books arrive on the company page.",
        )
        console.print("\nWhat to do now")
        for number, step in enumerate(steps, 1):
            console.print(f"  {number}. {step}", highlight=False)
