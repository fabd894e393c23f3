"""Which version of the mapping makes a data type: a digest of its code, so that nobody can forget to raise it.

It takes in the modules that the making functions stand in and all that these import, within the integration's folder
and the standard model, and what the data type declares. Another version says nothing of whether records differ.
"""

from __future__ import annotations

import hashlib
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from comptoir import model
from comptoir.integrations.contract import DataType, Integration, Loaded

__all__ = ["mapping_version"]

_DIGITS = 12
# Read as text: parsing all of the mapping's code would be most of what a sync does that finds nothing changed.
_IMPORT = re.compile(r"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+import[ \t]*(\([^)]*\)|.*)|import[ \t]+(.*))", re.MULTILINE)
_WORD = re.compile(r"[\w.]+")


def mapping_version(integration: Integration, data_type: DataType) -> str:
    """The version of one data type's mapping: twelve hexadecimal digits."""
    return _version(data_type, integration.books)


@cache
def _version(data_type: DataType, books: Callable[[Loaded], Any]) -> str:
    digest = hashlib.sha256(_declared(data_type).encode())
    for module in sorted(_modules(data_type, books)):
        digest.update(b"\n%b\n%b" % (module.encode(), _source(module)))
    return digest.hexdigest()[:_DIGITS]


def _declared(data_type: DataType) -> str:
    made_from = [(making.resource, inspect.unwrap(making.map).__qualname__) for making in data_type.made_from]
    return repr((made_from, data_type.whole, data_type.hops, data_type.merges, data_type.by_day))


def _modules(data_type: DataType, books: Callable[[Loaded], Any]) -> set[str]:
    functions: list[Callable[..., Any]] = [books]
    for making in data_type.made_from:
        functions += [making.decode, making.map]
    if data_type.series is not None:
        functions.append(data_type.series.resume)
    waiting = {inspect.unwrap(function).__module__ for function in functions}
    folders = {".".join(name.split(".")[:3]) for name in waiting} | {model.__name__}
    found: set[str] = set()
    while waiting:
        found.add(name := waiting.pop())
        waiting |= {one for one in _imported(name) if any(one.startswith(f"{folder}.") for folder in folders)} - found
    return found


@cache
def _imported(module: str) -> frozenset[str]:
    """The modules that one names in its imports, at its head or inside; words that only look like one do no harm."""
    return frozenset(_named(_source(module).decode()))


def _named(source: str) -> Iterator[str]:
    for origin, names, whole in _IMPORT.findall(source):
        yield from _WORD.findall(whole)
        if origin:
            yield origin
            yield from (name for one in _WORD.findall(names) if (name := f"{origin}.{one}") in sys.modules)


@cache
def _source(module: str) -> bytes:
    file = sys.modules[module].__file__
    assert file is not None
    loader: Any = sys.modules[module].__loader__
    source: bytes = loader.get_data(file)
    return source
