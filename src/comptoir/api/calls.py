"""One request as operations see it: whose it is, what its path and query say, and its body."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any, TypeVar
from urllib.parse import parse_qsl, unquote

import msgspec

from comptoir.access import ApiKey
from comptoir.api.services import ApiServices
from comptoir.errors import InvalidInput, NotFound
from comptoir.store import CompanyId, ConnectionId, TenantId
from comptoir.store.query import Query
from comptoir.store.query import parse as parse_query
from comptoir.store.trail import Actor, ActorKind

__all__ = ["Call", "Handle", "id_of", "parameters"]

_T = TypeVar("_T")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_OPERATORS = re.compile("[=<>~]")
_MOST_PARAMETERS = 200
_FIRST_YEAR, _LAST_YEAR = 1900, 2199


def id_of(text: str, message: str) -> str:
    """An id of ours from a path, in any letter case; NotFound with `message` for what cannot be one."""
    lowered = text.lower()
    if _UUID.fullmatch(lowered) is None:
        raise NotFound(message.format(id=text))
    return lowered


def parameters(query_string: bytes) -> dict[str, str]:
    """Query parameters by lower-case name; the first of a name counts, and `%20` and `+` are both a blank."""
    if not query_string:
        return {}
    try:
        pairs = parse_qsl(
            query_string.decode(errors="replace"), keep_blank_values=True, max_num_fields=_MOST_PARAMETERS
        )
    except ValueError as error:
        raise InvalidInput(f"More than {_MOST_PARAMETERS} query parameters were sent.") from error
    found: dict[str, str] = {}
    for name, value in pairs:
        if "\x00" in value:
            raise InvalidInput(f"The query parameter {name!r} holds the character U+0000.", field=name)
        found.setdefault(name.lower(), value)
    return found


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """`path` is relative to the API and still encoded, as is `query_string`; `names` are the path's parameters;
    `address` is the network address that it came from."""

    services: ApiServices
    key: ApiKey | None
    path: str
    query_string: str
    names: dict[str, str]
    query: dict[str, str]
    body: bytes
    address: str

    @property
    def tenant(self) -> TenantId:
        assert self.key is not None, "an operation that is open to all asked for a tenant"
        return self.key.tenant_id

    @property
    def now(self) -> datetime:
        return self.services.clock.now()

    @property
    def actor(self) -> Actor:
        """Who acts, for the audit trail."""
        assert self.key is not None, "an operation that is open to all acts for nobody"
        return Actor(kind=ActorKind.API_KEY, name=self.key.name or f"****{self.key.last4}", address=self.address)

    @property
    def company_id(self) -> CompanyId:
        return CompanyId(id_of(self.names["companyId"], "No company was found with ID {id}"))

    @property
    def connection_id(self) -> ConnectionId:
        return ConnectionId(id_of(self.names["connectionId"], "Data connection {id} not found"))

    def where(self, name: str = "query") -> Query | None:
        """The parsed `query` (or `tags`), None when nothing is asked for."""
        text = self.query.get(name, "")
        if _OPERATORS.search(text) is None and "%" in text:
            text = unquote(text)  # encoded twice, as in the platform's own examples
        return parse_query(text) if (text := text.strip()) else None

    def number(self, name: str, default: int | None = None, most: int | None = None) -> int:
        """A query parameter that is a whole number from 1. InvalidInput when it is none, or more than `most`, or absent
        without a default."""
        text = self.query.get(name.lower())
        if text is None and default is not None:
            return default
        text = (text or "").strip()
        number = int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else 0
        if number < 1 or (most is not None and number > most):
            expected = "a whole number from 1" + (f" to {most}" if most else "")
            raise InvalidInput(f"{name} must be {expected}.", field=name)
        return number

    def day(self, name: str) -> date | None:
        """A query parameter that is a day, alone or before a time; None when it is absent. InvalidInput otherwise."""
        text = self.query.get(name.lower(), "").strip()
        if not text:
            return None
        try:
            day = date.fromisoformat(text[:10]) if text[10:11] in ("", "T", " ") else None
        except ValueError:
            day = None
        if day is None or not _FIRST_YEAR <= day.year <= _LAST_YEAR:
            raise InvalidInput(
                f"{name} must be a day such as 2026-03-31, from {_FIRST_YEAR} to {_LAST_YEAR}.", field=name
            )
        return day

    def decoded(self, kind: type[_T], message: str = "The request body must be a JSON object.") -> _T:
        """The body as `kind`; members it does not know are ignored. InvalidInput with the place otherwise."""
        try:
            value = msgspec.json.decode(self.body, type=kind)
        except msgspec.ValidationError as error:
            place = str(error)
            raise InvalidInput(message if "`$`" in place or "$" not in place else f"{message} {place}") from error
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise InvalidInput(f"{message} What was sent cannot be read as JSON.") from error
        if b"\\u0000" in self.body and _holds_nul(msgspec.to_builtins(value)):
            raise InvalidInput("The request body holds the character U+0000, which cannot be kept.")
        return value


def _holds_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, dict):
        return any(_holds_nul(part) for pair in value.items() for part in pair)
    return isinstance(value, (list, tuple)) and any(map(_holds_nul, value))


Handle = Callable[[Call], bytes]
