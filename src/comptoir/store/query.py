"""The query language of lists: `status=Paid&&{totalAmount>100||currency!=GBP}`.

Parsed by a grammar, bound as values on listed columns: text of a query never becomes SQL. A missing value matches
nothing but `!=`, which it always matches. Ids are compared letter by letter, other text without regard to case.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal

import msgspec
from lark import Lark, Token, Tree, UnexpectedInput, UnexpectedToken

from comptoir.errors import InvalidInput
from comptoir.model import ColumnKind
from comptoir.store.values import amount_key, folded, storable, text_of

__all__ = ["LONGEST_QUERY", "Order", "Property", "Query", "Where", "parse"]

LONGEST_QUERY = 2048
_DEEPEST = 32

_GRAMMAR = r"""
    start: _or
    _or: any | _and
    any: _and ("||" _and)+
    _and: all | _term
    all: _term ("&&" _term)+
    _term: "{" _or "}" | test
    test: PATH OPERATOR VALUE
    PATH: /\s*\w[\w\- ]*(\.\s*\w[\w\- ]*)*\s*/
    OPERATOR: "!=" | ">=" | "<=" | "=" | ">" | "<" | "~"
    VALUE: /(?:[^&|{}]|&(?!&)|\|(?!\|))+/
    %ignore /\s+/
"""

Operator = Literal["=", "!=", ">", "<", ">=", "<=", "~"]
_ALLOWED: dict[ColumnKind, tuple[str, ...]] = {
    ColumnKind.ID: ("=", "!=", "~"),
    ColumnKind.TEXT: ("=", "!=", "~"),
    ColumnKind.ENUM: ("=", "!=", "~"),
    ColumnKind.AMOUNT: ("=", "!=", ">", "<", ">=", "<="),
    ColumnKind.INTEGER: ("=", "!=", ">", "<", ">=", "<="),
    ColumnKind.DATE: ("=", "!=", ">", "<", ">=", "<="),
    ColumnKind.INSTANT: ("=", "!=", ">", "<", ">=", "<="),
    ColumnKind.BOOLEAN: ("=", "!="),
}


class Property(msgspec.Struct, frozen=True):
    """What a path may name: a column (our own SQL, never the caller's) and how it compares.

    `any_of`: a list of sub-objects, as the start of a SELECT: `=` holds if any matches, `!=` if none does.
    `is_folded`: the column holds folded text. `is_required`: it never lacks a value.
    """

    column: str
    kind: ColumnKind
    any_of: str | None = None
    is_folded: bool = False
    is_required: bool = False


class Where(msgspec.Struct, frozen=True):
    """A condition in SQL with `?` for each value in `values`, in order."""

    sql: str
    values: tuple[Any, ...] = ()

    @classmethod
    def all(cls) -> Where:
        return cls("1=1")


class Order(msgspec.Struct, frozen=True):
    """What a list is ordered by: our own column, and which way. Records have a value there if it `is_required`; in
    the column that value `is_always_there`, unless it may be too long a number for it."""

    column: str | None = None
    descending: bool = False
    is_required: bool = False
    is_always_there: bool = False

    @classmethod
    def parse(cls, text: str | None, properties: Mapping[str, Property], type_word: str) -> Order:
        """`name` or `-name`; an unknown name is refused."""
        if text is None or not text.strip():
            return cls()
        descending = text.strip().startswith("-")
        name = text.strip().removeprefix("-").strip()
        found = properties.get(name.lower())
        if found is None or found.any_of:
            raise InvalidInput(
                f"Error parsing query - Could not resolve property {name[:100]} on {type_word}", field="orderBy"
            )
        is_there = found.is_required and found.kind is not ColumnKind.AMOUNT
        return cls(found.column, descending, found.is_required, is_there)

    def sql(self, tie: str) -> str:
        """ORDER BY terms; missing values last, `tie` decides between equals."""
        if self.column is None:
            return tie
        way = " DESC" if self.descending else ""
        return f"{self.column}{way} NULLS LAST, {tie}"


class _Test(msgspec.Struct, frozen=True):
    path: str
    operator: str
    value: str


class _All(msgspec.Struct, frozen=True):
    parts: tuple[Any, ...]


class _Any(msgspec.Struct, frozen=True):
    parts: tuple[Any, ...]


class Query:
    """A parsed query; it is bound to a list's properties when used."""

    def __init__(self, node: Any) -> None:
        self._node = node
        self._bound: dict[tuple[int, str], tuple[Mapping[str, Property], Where]] = {}

    def where(self, properties: Mapping[str, Property], type_word: str, dialect: str) -> Where:
        """The condition in SQL. Raises InvalidInput for unknown properties and values of the wrong type."""
        key = (id(properties), dialect)  # kept beside the result, so that no other mapping gets this identity
        if key not in self._bound:
            values: list[Any] = []
            sql = _sql(self._node, properties, type_word, dialect, values)
            self._bound[key] = (properties, Where(sql, tuple(values)))
        return self._bound[key][1]

    def matches(self, get: Callable[[str], str | None]) -> bool:
        """Whether texts got by lower-case name match (for short lists in memory): without regard to case.

        Only `=`, `!=` and `~` mean anything here; `check` refuses the others.
        """
        return _matches(self._node, get)

    def check(self, kind_of: Callable[[str], ColumnKind | None], type_word: str) -> None:
        """Raise InvalidInput for what `where` would refuse, before `matches` is asked.

        Matching alone stops at the first part that decides, and would let the rest pass unread. `kind_of` tells the
        kind of a lower-case name, None for an unknown one.
        """
        for test in _tests(self._node):
            if (kind := kind_of(test.path.lower())) is None:
                raise InvalidInput(_unresolved(test.path, type_word), field="query")
            _refuse_operator(kind, test)
            _bound(kind, test)


@lru_cache(maxsize=1)
def _parser() -> Lark:
    return Lark(_GRAMMAR, parser="lalr", lexer="contextual")


@lru_cache(maxsize=512)
def parse(text: str) -> Query:
    """Parse a query. Raises InvalidInput that says where it went wrong."""
    if len(text) > LONGEST_QUERY:
        raise InvalidInput(
            f"Error parsing query - Malformed query. It has {len(text)} characters, {LONGEST_QUERY} are allowed.",
            field="query",
        )
    if _depth(text) > _DEEPEST:
        raise InvalidInput(f"Error parsing query - Malformed query. Braces nest deeper than {_DEEPEST}.", field="query")
    try:
        tree = _parser().parse(text)
    except UnexpectedInput as error:
        is_cut = isinstance(error, UnexpectedToken) and error.token.type == "$END"
        position = getattr(error, "pos_in_stream", None)
        place = f" at character {position + 1}" if isinstance(position, int) and not is_cut else " at its end"
        raise InvalidInput(f"Error parsing query - Malformed query. It went wrong{place}.", field="query") from error
    return Query(_node(tree.children[0]))


def _depth(text: str) -> int:
    deepest = depth = 0
    for sign in text:
        depth += (sign == "{") - (sign == "}")
        deepest = max(deepest, depth)
    return deepest


def _node(tree: Any) -> Any:
    assert isinstance(tree, Tree)
    if tree.data == "test":
        path, operator, value = tree.children
        assert isinstance(path, Token)
        assert isinstance(operator, Token)
        name = ".".join(part.strip() for part in str(path).split("."))
        return _Test(name, str(operator), _unquoted(str(value).strip()))
    parts = tuple(_node(child) for child in tree.children)
    return _All(parts) if tree.data == "all" else _Any(parts)


def _unquoted(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1]
    return text


def _unresolved(path: str, type_word: str) -> str:
    return f"Error parsing query - Could not resolve property {path[:100]} on {type_word}"


def _tests(node: Any) -> Iterator[_Test]:
    if isinstance(node, (_All, _Any)):
        for part in node.parts:
            yield from _tests(part)
    else:
        yield node


def _refuse_operator(kind: ColumnKind, test: _Test) -> None:
    if test.operator not in _ALLOWED[kind]:
        allowed = " ".join(_ALLOWED[kind])
        raise InvalidInput(
            f"Error parsing query - {test.operator} cannot be used with {test.path}; it takes {allowed}", field="query"
        )


def _sql(node: Any, properties: Mapping[str, Property], word: str, dialect: str, values: list[Any]) -> str:
    if isinstance(node, (_All, _Any)):
        joint = " AND " if isinstance(node, _All) else " OR "
        return "(" + joint.join(_sql(part, properties, word, dialect, values) for part in node.parts) + ")"
    found = properties.get(node.path.lower())
    if found is None:
        raise InvalidInput(_unresolved(node.path, word), field="query")
    _refuse_operator(found.kind, node)
    if found.any_of:
        inner = _comparison(found, "=" if node.operator == "!=" else node.operator, node, dialect, values)
        return f"{'NOT ' if node.operator == '!=' else ''}EXISTS ({found.any_of}{inner})"
    comparison = _comparison(found, node.operator, node, dialect, values)
    if node.operator == "!=" and not found.is_required:
        return f"({found.column} IS NULL OR {comparison})"
    return comparison


def _comparison(found: Property, operator: str, node: _Test, dialect: str, values: list[Any]) -> str:
    column, mark, value = found.column, "?", _bound(found.kind, node)
    if found.kind is ColumnKind.AMOUNT and dialect != "postgresql":
        value = amount_key(value)
    if found.kind in (ColumnKind.TEXT, ColumnKind.ENUM) or operator == "~":
        if found.is_folded or dialect != "postgresql":
            column, value = column if found.is_folded else f"casefold({column})", folded(value)
        else:
            # Its own function folds both sides in the same way: what it leaves alone still equals itself.
            column, mark = f'lower({column} COLLATE "default")', "lower(?)"
    values.append(value)
    if operator == "~":
        # strpos and instr take the text as it is: no pattern characters to escape.
        return f"strpos({column}, {mark}) > 0" if dialect == "postgresql" else f"instr({column}, {mark}) > 0"
    return f"{column} {'<>' if operator == '!=' else operator} {mark}"


_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d{1,18}", re.ASCII)


def _bound(kind: ColumnKind, node: _Test) -> Any:
    """The value as its column holds it. Amounts stay numbers."""
    text = node.value
    try:
        if kind is ColumnKind.BOOLEAN:
            return {"true": True, "false": False}[text.lower()]
        if kind is ColumnKind.AMOUNT and _NUMBER.fullmatch(text):
            return Decimal(text)
        if kind is ColumnKind.INTEGER and _WHOLE.fullmatch(text):
            return int(text)
        if kind in (ColumnKind.DATE, ColumnKind.INSTANT):
            return text_of(_moment(text))
    except (KeyError, ValueError, OverflowError):
        pass
    else:
        if kind in (ColumnKind.TEXT, ColumnKind.ENUM, ColumnKind.ID):
            return storable(text)
    raise InvalidInput(
        f"Error parsing query - {text[:60]!r} is not a value for {node.path[:100]} ({_expected(kind)})", field="query"
    )


def _moment(text: str) -> datetime:
    # More fraction digits than a microsecond are met; what is beyond is cut.
    head, dot, rest = text.partition(".")
    if dot:
        digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
        text = f"{head}.{digits[:6].ljust(6, '0')}{rest[len(digits) :]}"
    moment = datetime.fromisoformat(text.strip().replace(" ", "+") if "T" in text else text.strip())
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _expected(kind: ColumnKind) -> str:
    return {
        ColumnKind.BOOLEAN: "true or false",
        ColumnKind.AMOUNT: "a number",
        ColumnKind.INTEGER: "a whole number",
        ColumnKind.DATE: "a date such as 2024-03-31",
        ColumnKind.INSTANT: "a date or time such as 2024-03-31T10:00:00Z",
    }.get(kind, "text")


def _matches(node: Any, get: Callable[[str], str | None]) -> bool:
    if isinstance(node, _All):
        return all(_matches(part, get) for part in node.parts)
    if isinstance(node, _Any):
        return any(_matches(part, get) for part in node.parts)
    held = get(node.path.lower())
    if held is None:
        return bool(node.operator == "!=")
    held, wanted = held.casefold(), node.value.casefold()
    if node.operator == "~":
        return wanted in held
    return bool((held == wanted) == (node.operator == "="))
