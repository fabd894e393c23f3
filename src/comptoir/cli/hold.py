"""`comptoir hold` and `comptoir resume`: one switch that stops all use of upstreams, of a tenant or of all."""

from __future__ import annotations

from pathlib import Path

from comptoir import settings as settings_
from comptoir.app import SOCKET
from comptoir.commands import hold_directly, need_data
from comptoir.runtime.local_socket import ask

__all__ = ["run"]


def run(*, is_on: bool, tenant: str | None, data_dir: Path | None) -> str:
    """Lay or lift a hold, by the server that runs in the data folder or here; what came of it."""
    settings = settings_.read(data_dir=None if data_dir is None else str(data_dir))
    need_data(settings)
    answers = ask(settings.data_dir / SOCKET, "hold", {"is_on": is_on, "tenant": tenant})
    if answers is None:
        return hold_directly(settings, is_on=is_on, tenant=tenant)
    return str([answer.done for answer in answers][-1])
