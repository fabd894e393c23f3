"""What all records of the standard model share: references, lines, dates, and how they become JSON.

Documents are written once, when mapped; `modifiedDate` and `metadata` are added by the store, because they tell of our
copy and not of the source. Members without a value are left out.
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Callable, Iterator
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Any, ClassVar, NewType, TypeVar

import msgspec

__all__ = [
    "AccountRef",
    "Column",
    "ColumnKind",
    "ContactRef",
    "Instant",
    "ItemRef",
    "LocalDate",
    "ProjectRef",
    "Record",
    "RecordRef",
    "TaxRateRef",
    "TrackingCategoryRef",
    "ValidDatatypeLinks",
    "Value",
    "WithholdingTax",
    "columns_of",
    "decoder",
    "encode",
    "paths_of",
    "values_of",
]

LocalDate = NewType("LocalDate", str)  # YYYY-MM-DDT00:00:00, a day without zone
Instant = NewType("Instant", str)  # YYYY-MM-DDTHH:MM:SSZ


class Value(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True, gc=False):
    """Part of a record: written in camelCase, members at their default left out.

    `asked_about` names the members that queries and views know, where that is not all of the scalar ones.
    """

    asked_about: ClassVar[tuple[str, ...] | None] = None


class Record(Value, frozen=True, kw_only=True):
    """A record of the standard model; ids are unique within data type and connection, and safe in a path."""

    id: str
    source_modified_date: Instant | None = None


class AccountRef(Value, frozen=True, kw_only=True):
    id: str | None = None
    name: str | None = None


class TaxRateRef(Value, frozen=True, kw_only=True):
    id: str | None = None
    name: str | None = None
    effective_tax_rate: Decimal | None = None


class ItemRef(Value, frozen=True, kw_only=True):
    id: str
    name: str | None = None


class TrackingCategoryRef(Value, frozen=True, kw_only=True):
    id: str
    name: str | None = None


class ProjectRef(Value, frozen=True, kw_only=True):
    id: str
    name: str | None = None


class RecordRef(Value, frozen=True, kw_only=True):
    """A reference that says its data type."""

    id: str
    data_type: str


class ContactRef(Value, frozen=True, kw_only=True):
    id: str
    data_type: str


class ValidDatatypeLinks(Value, frozen=True, kw_only=True):
    """Where a reference to this record may stand."""

    property: str
    links: tuple[str, ...]


class WithholdingTax(Value, frozen=True, kw_only=True):
    """Tax kept back by the payer, such as a CIS deduction; never part of the totals."""

    name: str
    amount: Decimal


class ColumnKind(StrEnum):
    """How a scalar property is compared: ids by letter, other text without regard to case."""

    ID = "id"
    TEXT = "text"
    ENUM = "enum"
    AMOUNT = "amount"
    INTEGER = "integer"
    DATE = "date"
    INSTANT = "instant"
    BOOLEAN = "boolean"


class Column(msgspec.Struct, frozen=True):
    """One scalar property, reachable without passing through an array."""

    path: str
    kind: ColumnKind


_DEEPEST = 3  # lines in lines
_encoder = msgspec.json.Encoder(decimal_format="number")
_exponent = re.compile(rb"E[+-]").search  # many times as fast as to look for two words with `in`
_T = TypeVar("_T")


def encode(value: Value) -> bytes:
    """The document as JSON; numbers in plain notation."""
    document = _encoder.encode(value)
    if _exponent(document):  # perhaps a very small or very large number: write it out
        return _encoder.encode(_written_out(msgspec.to_builtins(value, builtin_types=(Decimal,))))
    return document


def _written_out(value: Any) -> Any:
    if isinstance(value, Decimal):
        return msgspec.Raw(format(value, "f").encode())
    if isinstance(value, dict):
        return {name: _written_out(member) for name, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [_written_out(member) for member in value]
    return value


@cache
def decoder(struct: type[_T]) -> msgspec.json.Decoder[_T]:
    """Reads documents of one type; decimals exactly as written."""
    return msgspec.json.Decoder(struct)


def columns_of(struct: type[Value]) -> tuple[Column, ...]:
    """The scalar properties of a record type, in a fixed order, nested objects by dotted path."""
    return tuple(Column(path, kind) for path, kind, _ in _walk(struct, "", ()))


def paths_of(struct: type[Value]) -> tuple[str, ...]:
    """Every member of a record type that is no object of its own; `[]` stands behind one that holds a list. Of lines
    that hold lines, two levels below the first are told."""
    return _paths(struct, ())


def _paths(struct: type[Value], inside: tuple[type[Value], ...]) -> tuple[str, ...]:
    found: list[str] = []
    for _, path, kind in _members(struct):
        if typing.get_origin(kind) is tuple:
            kind, path = _bare(typing.get_args(kind)[0]), path + "[]"
        if isinstance(kind, type) and issubclass(kind, Value) and inside.count(kind) < _DEEPEST:
            found += [f"{path}.{inner}" for inner in _paths(kind, (*inside, kind))]
        else:
            found.append(path)
    return tuple(found)


def values_of(struct: type[Value]) -> Callable[[Any], tuple[Any, ...]]:
    """A function from a record to the values of its columns, in the order of `columns_of`."""
    source = []
    for _, _, steps in _walk(struct, "", ()):
        if len(steps) == 1:
            source.append(f"r.{steps[0]}")
        else:
            owners = [".".join(("r", *steps[:depth])) for depth in range(1, len(steps))]
            are_there = " and ".join(f"{owner} is not None" for owner in owners)
            source.append(f"({owners[-1]}.{steps[-1]} if {are_there} else None)")
    namespace: dict[str, Any] = {}
    # The names come from our own struct definitions; compiled once so that no record pays for the walk.
    exec(f"def values(r): return ({', '.join(source)},)", namespace)  # noqa: S102
    return typing.cast("Callable[[Any], tuple[Any, ...]]", namespace["values"])


def _walk(
    struct: type[Value], prefix: str, steps: tuple[str, ...]
) -> Iterator[tuple[str, ColumnKind, tuple[str, ...]]]:
    for name, written, kind in _members(struct):
        if struct.asked_about is not None and name not in struct.asked_about:
            continue
        path, here = prefix + written, (*steps, name)
        if isinstance(kind, type) and issubclass(kind, Value):
            yield from _walk(kind, path + ".", here)
        elif (column := _column_kind(written, kind)) is not None:
            yield path, column, here


@cache  # types are written as text: to make them out takes long, and one of these is part of many
def _members(struct: type[Value]) -> tuple[tuple[str, str, Any], ...]:
    """Of each member its name, how it is written, and what it is where it is there."""
    hints = typing.get_type_hints(struct)
    names = zip(struct.__struct_fields__, struct.__struct_encode_fields__, strict=True)
    return tuple((name, written, _bare(hints[name])) for name, written in names)


def _bare(hint: Any) -> Any:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        hint = next(one for one in typing.get_args(hint) if one is not type(None))
    return hint


def _column_kind(name: str, kind: Any) -> ColumnKind | None:
    if kind is LocalDate:
        return ColumnKind.DATE
    if kind is Instant:
        return ColumnKind.INSTANT
    if kind is str:
        return ColumnKind.ID if name == "id" or name.endswith("Id") else ColumnKind.TEXT
    if kind is bool:
        return ColumnKind.BOOLEAN
    if kind is Decimal:
        return ColumnKind.AMOUNT
    if kind is int:
        return ColumnKind.INTEGER
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return ColumnKind.ENUM
    return None
