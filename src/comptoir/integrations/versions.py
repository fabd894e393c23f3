"""Which version of the mapping makes a data type: a digest of its code, so that nobody can forget to raise it.

It takes in the modules that the making functions stand in and all that these import, within the integration's folder
and the standard model, and what the data type declares. Another version says nothing of whether records differ.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import sys
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from comptoir import model
from comptoir.integrations.contract import DataType, Integration, Loaded

__all__ = ["mapping_version"]

_DIGITS = 12


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
    """The modules that one names in its imports, at its head or inside."""
    return frozenset(_named(ast.parse(_source(module))))


def _named(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (name for one in node.names if (name := f"{node.module}.{one.name}") in sys.modules)


@cache
def _source(module: str) -> bytes:
    file = sys.modules[module].__file__
    assert file is not None
    loader: Any = sys.modules[module].__loader__
    source: bytes = loader.get_data(file)
    return source
