"""Memory that was freed goes back to the system.

The C library has a heap for each thread and gives back only its end: what one thread reads and another one frees leaves
holes there, which grew by some 12 kB with each page of a long list.
"""

from __future__ import annotations

import ctypes

__all__ = ["give_back"]

_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of glibc; other libraries give back by themselves


def give_back() -> None:
    """Takes about a millisecond."""
    if _trim is not None:
        _trim(0)
