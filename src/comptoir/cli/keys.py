"""`comptoir keys rotate`: a new master key, while Comptoir serves or while it does not."""

from __future__ import annotations

from pathlib import Path

import msgspec

from comptoir import settings as settings_
from comptoir.app import SOCKET
from comptoir.commands import need_data, rotate_keys_directly
from comptoir.runtime.local_socket import ask
from comptoir.store.rotation import Rotated

__all__ = ["run"]


def run(*, data_dir: Path | None) -> str:
    """Rotate by the server that runs in the data folder, or here if none does; what came of it."""
    settings = settings_.read(data_dir=None if data_dir is None else str(data_dir))
    need_data(settings)
    answers = ask(settings.data_dir / SOCKET, "rotate-keys", {})
    if answers is None:
        rotated = rotate_keys_directly(settings)
    else:
        rotated = msgspec.convert([answer.done for answer in answers][-1], Rotated)
    begun = "The rotation that was cut off is done" if rotated.is_resumed else "The master key is rotated"
    where = "in COMPTOIR_MASTER_KEY" if settings.master_key is not None else f"in {settings.data_dir / 'master.key'}"
    return (
        f"{begun}: {rotated.values:,} values are sealed anew with version {rotated.version}.\n"
        f"Keep the former keys {where} as long as there are backups from before: only they open what is sealed there. "
        "Keep a copy of the new key apart from the data."
    )
