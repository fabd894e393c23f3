"""Operations, and how a path finds its own: segments match in any letter case, parameters are decoded one by one.

An encoded slash stays inside its segment, so ids of any kind can stand in a path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from urllib.parse import unquote

import msgspec

from comptoir.access import Needed
from comptoir.api.calls import Call

__all__ = ["FileContent", "Operation", "Parameter", "Routes"]


class FileContent(msgspec.Struct, frozen=True, kw_only=True):
    """A file as an answer: offered to be saved under its name, and never shown as what it may claim to be."""

    body: bytes
    name: str


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """A query parameter, for the description of the API."""

    name: str
    kind: str  # JSON type
    text: str
    least: int | None = None
    most: int | None = None
    is_required: bool = False


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that can be asked for. `id` and `path` are the contract's; `success` is the one status of success.

    `permission` is what it takes to ask for it: there is no default, so that none is forgotten. `answer` and `body`
    describe what is sent back and taken. `is_quick`: a bounded read by key that may run on the event loop where the
    database is in this process. `asks_upstream`: it waits for another machine, which may take its time.
    """

    id: str
    method: str
    path: str
    tag: str
    summary: str
    permission: Needed
    handle: Callable[[Call], bytes | FileContent]
    success: int = 200
    answer: object = None
    body: object = None
    parameters: tuple[Parameter, ...] = ()
    fails: tuple[int, ...] = ()
    content_type: str = "application/json"
    is_quick: bool = False
    asks_upstream: bool = False
    is_listed: bool = True


class _Node:
    __slots__ = ("any", "literal", "operations")

    def __init__(self) -> None:
        self.literal: dict[str, _Node] = {}
        self.any: _Node | None = None
        self.operations: dict[str, tuple[Operation, tuple[str, ...]]] = {}


class Routes:
    """Finds the operations of a path: a tree of lower-case segments."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._root = _Node()
        for operation in operations:
            self._add(operation)

    def _add(self, operation: Operation) -> None:
        node, names = self._root, []
        for segment in operation.path.strip("/").split("/"):
            if segment.startswith("{"):
                names.append(segment[1:-1])
                node.any = node.any or _Node()
                node = node.any
            else:
                node = node.literal.setdefault(segment.lower(), _Node())
        assert operation.method not in node.operations, f"{operation.method} {operation.path} is there twice"
        node.operations[operation.method] = (operation, tuple(names))

    def find(self, path: str) -> tuple[dict[str, tuple[Operation, tuple[str, ...]]], tuple[str, ...]] | None:
        """Operations by method with their parameters' names, and the parameters' values; None for no such path."""
        segments = [unquote(segment) if "%" in segment else segment for segment in path.split("/") if segment]
        found = _walk(self._root, segments, 0, ())
        return None if found is None else (found[0].operations, found[1])


def _walk(
    node: _Node, segments: Sequence[str], at: int, values: tuple[str, ...]
) -> tuple[_Node, tuple[str, ...]] | None:
    if at == len(segments):
        return (node, values) if node.operations else None
    segment = segments[at]
    if (literal := node.literal.get(segment.lower())) is not None:
        found = _walk(literal, segments, at + 1, values)
        if found is not None:
            return found
    return _walk(node.any, segments, at + 1, (*values, segment)) if node.any is not None else None
