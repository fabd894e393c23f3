"""`comptoir audit verify`: proves every tenant's audit trail whole, or names what was changed first."""

from __future__ import annotations

from pathlib import Path

import msgspec
from rich.console import Console

from comptoir import settings as settings_
from comptoir.app import SOCKET
from comptoir.commands import verify_trails_directly
from comptoir.runtime.local_socket import ask
from comptoir.store.trail import Proof

__all__ = ["verify"]


def verify(*, data_dir: Path | None) -> int:
    """Verify by the server that runs in the data folder, or here if none does; returns the exit code, 0 if all is
    whole."""
    settings = settings_.read(data_dir=None if data_dir is None else str(data_dir))
    answers = ask(settings.data_dir / SOCKET, "audit-verify", {})
    if answers is None:
        proofs = verify_trails_directly(settings)
    else:
        proofs = [proof for answer in answers for proof in msgspec.convert(answer.done or [], list[Proof])]
    console = Console(soft_wrap=True, markup=False)
    for proof in proofs:
        if proof.fault is None:
            last = f", the last one marked {proof.mark}" if proof.entries else ""
            console.print(f"{proof.tenant}: whole, {proof.entries:,} entries{last}.", highlight=False)
        else:
            console.print(f"{proof.tenant}: not whole. {proof.fault}", style="red", highlight=False)
    return 0 if all(proof.fault is None for proof in proofs) else 1
