"""`comptoir operator`: lets an operator in again who has lost the password, or the phone, when nobody else can."""

from __future__ import annotations

from pathlib import Path

from comptoir import settings as settings_
from comptoir.app import SOCKET
from comptoir.commands import operator_link_directly
from comptoir.runtime.local_socket import ask

__all__ = ["link"]


def link(email: str, *, data_dir: Path | None) -> None:
    """Make the link by the server that runs in the data folder, or here if none does, and print it."""
    settings = settings_.read(data_dir=None if data_dir is None else str(data_dir))
    answers = ask(settings.data_dir / SOCKET, "operator-link", {"email": email})
    if answers is None:
        print(operator_link_directly(settings, email=email))  # noqa: T201 - a command's answer
    else:
        for answer in answers:
            if answer.done is not None:
                print(answer.done)  # noqa: T201 - a command's answer
