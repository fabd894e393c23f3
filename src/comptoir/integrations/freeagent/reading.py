"""Raw bodies as typed payloads. What cannot be read of a record is left out and told; the rest of it is served.

A record is refused whole only for what it cannot be told without: members that its payload requires.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Iterator
from decimal import Decimal, getcontext, localcontext
from functools import cache, wraps
from operator import attrgetter
from typing import Any, TypeVar

import msgspec

from comptoir.integrations.contract import Making, Mapped, Note, RawRow
from comptoir.model.money import WIDE, plain

__all__ = ["Flawed", "amounts_kept", "making", "payload_of", "reader", "sound"]

_S = TypeVar("_S", bound=msgspec.Struct)
_Raws = dict[str, msgspec.Raw]
_LONGEST_SHOWN = 60
_ORDINARY = 30  # digits before or after the point; a number of more is looked at closely
_MOST_FLAWS = 20  # told of one record

_members = msgspec.json.Decoder(_Raws).decode
_list = msgspec.json.Decoder(list[msgspec.Raw]).decode


class Flaw(msgspec.Struct, frozen=True):
    """A member that could not be read, by its dotted path, and what stands there."""

    path: str
    shown: str


class Flawed(msgspec.Struct, frozen=True):
    """A payload without those of its members that could not be read."""

    payload: Any
    flaws: tuple[Flaw, ...]


def payload_of(kind: type[_S]) -> Callable[[bytes], _S]:
    """Reads bodies as one payload type, without what cannot be read of them.

    FreeAgent quotes some numbers in some places and not in others: each is taken for the other. Raises
    msgspec.ValidationError or ValueError for a body that lacks what its payload requires.
    """
    decode, kept = msgspec.json.Decoder(kind, strict=False).decode, _by_members(kind)

    def read(body: bytes) -> _S:
        try:
            return decode(body)
        except msgspec.ValidationError:
            payload: _S = sound(kept(body))
            return payload

    return read


def reader(kind: type[msgspec.Struct]) -> Callable[[RawRow], Any]:
    """Reads raw rows as one payload type, or as `Flawed` where a part could not be read; raises like `payload_of`."""
    return _row_reader(kind)


@cache  # one function a payload type, so that rows are decoded once for all data types made from them
def _row_reader(kind: type[msgspec.Struct]) -> Callable[[RawRow], Any]:
    decode, kept = msgspec.json.Decoder(kind, strict=False).decode, _by_members(kind)

    def read(row: RawRow) -> Any:
        try:
            return decode(row.body)
        except msgspec.ValidationError:
            return kept(row.body)

    return read


def sound(read: Any) -> Any:
    """The payload alone."""
    return read.payload if isinstance(read, Flawed) else read


def making(resource: str, decode: Callable[[RawRow], Any], map_: Callable[[Any, Any], Iterator[Any]]) -> Making:
    """Records made with exact sums, each with a note for every flaw of its source."""

    @wraps(map_)
    def mapped(read: Any, books: Any) -> list[Any]:
        # Not a generator: the context must not reach whoever is given the records.
        if getcontext().prec < WIDE.prec:  # a caller with many records sets it once for all of them
            with localcontext(WIDE):
                return mapped(read, books)
        if type(read) is not Flawed:
            try:
                return list(map_(read, books))
            except (ArithmeticError, ValueError, TypeError):  # the last of a signalling NaN, which has no hash
                read = _without_absurd(read)
                if not isinstance(read, Flawed):
                    raise  # not for an amount that is none
        made: list[Any] = []
        for item in map_(read.payload, books):
            if isinstance(item, Mapped):
                made += _notes(read, getattr(item.record, "id", ""))
            made.append(item)
        return made

    return Making(resource=resource, decode=decode, map=mapped)


def _notes(read: Flawed, record_id: str) -> Iterator[Note]:
    for flaw in read.flaws[:_MOST_FLAWS]:
        message = f"FreeAgent's {flaw.path} is {flaw.shown}, which cannot be read: it was left out."
        yield Note(record_id=record_id, field=flaw.path, message=message)


# A member at a time, where a body as a whole is not what its payload says


def _by_members(kind: type[msgspec.Struct]) -> Callable[[bytes], Any]:
    def read(body: bytes) -> Any:
        flaws: list[Flaw] = []
        payload = _kept(_struct(kind, body, "", flaws), "", flaws)
        return Flawed(payload, tuple(flaws)) if flaws else payload

    return read


def _struct(kind: type[msgspec.Struct], body: bytes, prefix: str, flaws: list[Flaw]) -> Any:
    given = _members(body)
    made: dict[str, Any] = {}
    for field in _fields(kind):
        raw = given.get(field.encode_name)
        if raw is None:
            continue
        path, is_required = prefix + field.encode_name, field.required
        try:
            value = _value(field.type, bytes(raw), path, flaws)
        except (msgspec.ValidationError, ValueError) as error:
            if is_required:
                raise ValueError(f"{path} is {_shown(bytes(raw))}, which cannot be read") from error
            flaws.append(Flaw(path, _shown(bytes(raw))))
        else:
            made[field.name] = value
    try:
        return kind(**made)
    except TypeError as error:
        lacking = [prefix + one.encode_name for one in _fields(kind) if one.required and one.name not in made]
        raise ValueError(f"{', '.join(lacking)} is missing") from error


@cache
def _fields(kind: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    """With types resolved."""
    return msgspec.structs.fields(kind)


def _value(hint: Any, raw: bytes, path: str, flaws: list[Flaw]) -> Any:
    try:
        return msgspec.json.decode(raw, type=hint, strict=False)
    except msgspec.ValidationError:
        kinds = _kinds(hint)
        if any(isinstance(one, type) and issubclass(one, msgspec.Struct) for one in kinds):
            return _struct(next(iter(kinds)), raw, path + ".", flaws)
        element = next((typing.get_args(one)[0] for one in kinds if typing.get_origin(one) is tuple), None)
        if element is not None:
            return tuple(_elements(element, raw, path, flaws))
        if str in kinds:
            return _text(raw)
        raise


def _kinds(hint: Any) -> list[Any]:
    """What a member may be, beside nothing."""
    is_union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    return [one for one in (typing.get_args(hint) if is_union else (hint,)) if one is not type(None)]


def _elements(hint: Any, raw: bytes, path: str, flaws: list[Flaw]) -> Iterator[Any]:
    """Those elements of a list that can be read."""
    for place, element in enumerate(_list(raw)):
        try:
            yield _value(hint, bytes(element), f"{path}.{place}", flaws)
        except (msgspec.ValidationError, ValueError):
            flaws.append(Flaw(f"{path}.{place}", _shown(bytes(element))))


def _text(raw: bytes) -> str:
    """A number that stands for text, digit by digit as it was sent; nothing else does."""
    if raw[:1] not in b"-0123456789":
        raise ValueError("is no text")
    return raw.decode()


def _shown(raw: bytes) -> str:
    text = raw.decode(errors="replace")
    return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "..."


# Text such as "NaN" or "1e999" decodes as a number, and is no amount


def amounts_kept(payload: Any) -> Any:
    """The payload, or `Flawed` without the numbers that are no amounts, of its own or of its lines where one of its
    own is none. ValueError where one is required."""
    for number in _numbers(_kind_of(payload))(payload):
        if number is not None and not _is_ordinary(number):
            return _without_absurd(payload)
    return payload


def _is_ordinary(number: Decimal) -> bool:
    return number.is_finite() and -_ORDINARY < number.adjusted() < _ORDINARY and len(str(number)) < _ORDINARY


def _without_absurd(payload: Any) -> Any:
    flaws: list[Flaw] = []
    kept = _kept(payload, "", flaws)
    return Flawed(kept, tuple(flaws)) if flaws else payload


@cache
def _numbers(kind: type[msgspec.Struct]) -> Callable[[Any], tuple[Decimal | None, ...]]:
    """The numbers of a payload, those of its lines left out."""
    names = [field.name for field in _fields(kind) if Decimal in _kinds(field.type)]
    if len(names) > 1:
        return attrgetter(*names)
    return lambda payload: tuple(getattr(payload, name) for name in names)


def _kept(payload: Any, prefix: str, flaws: list[Flaw]) -> Any:
    changed: dict[str, Any] = {}
    for field in _fields(_kind_of(payload)):
        value, path = getattr(payload, field.name), prefix + field.encode_name
        if isinstance(value, Decimal) and not _is_amount(value):
            if field.required:
                raise ValueError(f"{path} is {_shown(str(value).encode())}, which is no amount")
            flaws.append(Flaw(path, _shown(str(value).encode())))
            changed[field.name] = None
        elif isinstance(value, tuple):
            told = len(flaws)
            elements = tuple(_kept_elements(value, path, flaws))
            if len(flaws) > told:
                changed[field.name] = elements
    return msgspec.structs.replace(payload, **changed) if changed else payload


def _kind_of(payload: msgspec.Struct) -> type[msgspec.Struct]:
    return type(payload)


def _kept_elements(values: tuple[Any, ...], path: str, flaws: list[Flaw]) -> Iterator[Any]:
    for place, value in enumerate(values):
        if isinstance(value, msgspec.Struct):
            yield _kept(value, f"{path}.{place}.", flaws)
        elif not isinstance(value, Decimal) or _is_amount(value):
            yield value
        else:
            flaws.append(Flaw(f"{path}.{place}", _shown(str(value).encode())))


def _is_amount(number: Decimal) -> bool:
    if not number.is_finite():
        return False
    try:
        plain(number)
    except ValueError:
        return False
    return True
