"""The command line of the stand-in: `freeagent-standin serve`."""

from __future__ import annotations

import signal
import sys
from datetime import date, datetime
from importlib import metadata
from pathlib import Path
from types import FrameType
from typing import Annotated, Literal

from cyclopts import App, CycloptsError, Parameter

__all__ = ["app", "main"]

app = App(
    name="freeagent-standin",
    help="A stateful stand-in for FreeAgent: API, sign-in, approval and developer site, with made-up books.",
    version=lambda: metadata.version("comptoir"),
)


def main() -> None:
    """Run the command line; a mistake ends with exit code 1 and one sentence."""
    for number in (signal.SIGTERM, signal.SIGINT):  # until the server listens to them: while large books are made
        signal.signal(number, _stop)
    try:
        app(exit_on_error=False, print_error=False)
    except CycloptsError as mistake:
        print(f"{_plain(mistake)} See freeagent-standin serve --help.", file=sys.stderr)  # noqa: T201 - the answer
        sys.exit(1)


def _stop(number: int, frame: FrameType | None) -> None:
    sys.exit(0)


def _plain(mistake: CycloptsError) -> str:
    sentence = " ".join(str(mistake).split())
    return sentence if sentence.endswith(".") else sentence + "."


@app.command
def serve(
    *,
    port: int,
    host: str = "127.0.0.1",
    seed: int = 1,
    books: str = "small",
    companies: int = 1,
    kind: str = "",
    today: str | None = None,
    time_scale: float = 1.0,
    limits: str = "120/60,3600/3600,15/60,1000/60",
    latency: float = 0.0,
    page_drift: Annotated[bool, Parameter(negative="")] = False,
    refresh: Literal["strict", "lenient"] = "strict",
    data_dir: Path | None = None,
    ready_file: Path | None = None,
) -> None:
    """Serve made-up books as FreeAgent does, until stopped.

    Parameters
    ----------
    port
        Port on this machine; 0 takes any free one.
    host
        Address to listen on. The control address answers this machine only, whatever is given here.
    seed
        Another seed gives other books, another password and other ready-made tokens.
    books
        Size of the books: small, medium, large, or a number of bank lines.
    companies
        How many companies the account has.
    kind
        What the companies are, in words with commas between: limited, sole-trader, landlord, partnership, llp or
        universal, and any of cash, no-vat, cis-subcontractor, cis-contractor and no-foreign. Without it the named sizes
        are limited companies, and numbers below a thousand of every kind.
    today
        The day the books reach to, and the stand-in's clock starts on (YYYY-MM-DD); without it today.
    time_scale
        Multiplies the stand-in's whole clock: 60 lets a minute pass in a second.
    limits
        Calls/seconds allowed in a minute, an hour, and of token refreshes; a fourth part limits a calling address
        as a whole. off for none.
    latency
        Seconds to wait before each answer of the API.
    page_drift
        Add and delete records between the pages of every list.
    refresh
        strict refuses a refresh token that was used, at once; lenient goes on taking it.
    data_dir
        Keep apps, secrets, tokens, the clock and changes here, and go on from there at the next start.
    ready_file
        Write addresses, sign-in, tokens and counts to this file as JSON when ready.
    """
    from freeagent_standin.serving import CannotServe, Options
    from freeagent_standin.serving import serve as run

    try:
        options = Options(
            port=port,
            host=host,
            seed=seed,
            books=books,
            companies=companies,
            kind=kind,
            today=_day(today),
            time_scale=time_scale,
            limits=limits,
            latency=latency,
            page_drift=page_drift,
            refresh=refresh,
            data_dir=data_dir,
            ready_file=ready_file,
        )
        run(options)
    except (CannotServe, ValueError) as problem:
        print(problem, file=sys.stderr)  # noqa: T201 - the command's answer
        sys.exit(1)


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a day has no time zone
    except ValueError as problem:
        raise ValueError(f"--today is a day such as 2026-03-31; {text!r} is not.") from problem


if __name__ == "__main__":
    main()
