"""What ties lines of the log to the request, sync or job that they are of: ids, kept for all that is done inside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

__all__ = ["correlate", "correlated", "ids"]

_ids: ContextVar[Mapping[str, str]] = ContextVar("correlation", default=MappingProxyType({}))


def ids() -> Mapping[str, str]:
    """The ids of what is being done just now, by name."""
    return _ids.get()


@contextmanager
def correlated(**more: str) -> Iterator[None]:
    """All that is logged inside bears these ids too, also by threads begun with a copy of this context."""
    before = _ids.set(MappingProxyType({**_ids.get(), **more}))
    try:
        yield
    finally:
        _ids.reset(before)


def correlate(**more: str) -> None:
    """From now on, until the `correlated` that this is inside of ends, these ids too."""
    _ids.set(MappingProxyType({**_ids.get(), **more}))
