"""What keeps a process from writing once it was replaced: its number is asked for in every transaction that writes."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection

from comptoir.store import leases

__all__ = ["Outdated", "Stopped", "fence"]


class Stopped(BaseException):
    """Raised inside a step when the process is to end, or is not to do this any more. No Exception: those are recorded
    as the step's result."""


class Outdated(BaseException):
    """Raised where the steps that are recorded of a piece of work are those of another version of this program: it is
    begun anew, and comes to its end from what is stored. No Exception, for it is nobody's mistake."""


def fence(number: int) -> Callable[[Connection], None]:
    """Raises Stopped in a transaction unless the lease of this number is held, and keeps it until that ends."""

    def guard(tx: Connection) -> None:
        if not leases.is_held(tx, number):
            raise Stopped

    return guard
