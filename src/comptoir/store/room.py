"""Whether a folder's disk has room: for the check of health, and for whoever asks what is wrong."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec

__all__ = ["Room", "room"]

_ENOUGH_BYTES = 64 * 1024 * 1024
_LEAST_BYTES = 1024 * 1024
_SHARE = 20  # of a small disk a twentieth is enough


class Room(msgspec.Struct, frozen=True, kw_only=True):
    free: int
    whole: int

    @property
    def is_enough(self) -> bool:
        """Whether what is written next has a place: 64 MB are free, or a twentieth of a small disk."""
        return self.free >= max(_LEAST_BYTES, min(_ENOUGH_BYTES, self.whole // _SHARE))


def room(folder: Path) -> Room | None:
    """The room on the disk of a folder in bytes; None if there is no such folder."""
    try:
        found = shutil.disk_usage(folder)
    except OSError:
        return None
    return Room(free=found.free, whole=found.total)
