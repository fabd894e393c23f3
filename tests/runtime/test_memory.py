"""Freed memory is given back, also from between what is still held."""

from __future__ import annotations

import ctypes
from pathlib import Path

import pytest

from comptoir.runtime.memory import give_back


def resident() -> int:
    """Bytes of this process's own that are in memory."""
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("RssAnon")]
    return int(line.split()[1]) * 1024


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="the C library gives back by itself")
def test_what_was_freed_between_what_is_held_is_given_back() -> None:
    blocks = [b"x" * 20_000 for _ in range(2000)]
    held = blocks[::10]
    blocks.clear()
    before = resident()

    give_back()

    assert len(held) == 200
    assert resident() < before - 20 * 2**20
