"""One request as the stand-in sees it, and the few things its answers share.

Answers are `wire.Answer`, for pages, OAuth, API and control address alike.
"""

from __future__ import annotations

import contextlib
import re
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from freeagent_standin.wire import Answer

__all__ = ["Request", "error", "json_answer", "redirect", "text"]

_HOST = re.compile(rb"[A-Za-z0-9._\-]+(:\d{1,5})?|\[[0-9A-Fa-f:.]+\](:\d{1,5})?")


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request, read whole. Header names are lower case."""

    method: str
    path: str
    query_string: bytes
    headers: dict[bytes, bytes]
    body: bytes
    scheme: str
    address: str

    def header(self, name: bytes) -> str:
        return self.headers.get(name, b"").decode("latin-1")

    @property
    def has_good_host(self) -> bool:
        """Whether the Host header can stand in the addresses of records."""
        return _HOST.fullmatch(self.headers.get(b"host", b"")) is not None

    @property
    def origin(self) -> str:
        """The origin the client called."""
        # A proxy that ends TLS in front of us says so; nobody gains anything by pretending.
        scheme = self.header(b"x-forwarded-proto").partition(",")[0].strip() or self.scheme
        return f"{scheme if scheme in ('http', 'https') else 'http'}://{self.header(b'host')}"

    @property
    def query(self) -> tuple[tuple[str, str], ...]:
        """The decoded pairs of the query, in order."""
        if not self.query_string:
            return ()
        return tuple(parse_qsl(self.query_string.decode("latin-1"), keep_blank_values=True, errors="replace"))

    @property
    def form(self) -> dict[str, str]:
        """The fields of a form body; of several with one name the last counts. An object in JSON will do as well."""
        if self.body[:1] == b"{" and "json" in self.header(b"content-type"):
            with contextlib.suppress(msgspec.MsgspecError, RecursionError):
                return msgspec.json.decode(self.body, type=dict[str, str])
        try:
            return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=100))
        except ValueError:  # more fields than any form here has
            return {}

    def cookie(self, name: str) -> str:
        for pair in self.header(b"cookie").split(";"):
            key, _, value = pair.strip().partition("=")
            if key == name:
                return value
        return ""


def json_answer(value: Any, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    """An answer with this value as JSON."""
    return Answer(status=status, body=msgspec.json.encode(value), headers=headers)


def error(status: int, message: str, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    """An error in the most usual of FreeAgent's shapes: an object with one message."""
    return json_answer({"errors": {"error": {"message": message}}}, status, headers)


def text(status: int, body: str, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    """An answer in plain text."""
    return Answer(status=status, body=body.encode(), headers=headers, content_type="text/plain; charset=utf-8")


def redirect(location: str, status: int = 303, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    """Send the browser elsewhere."""
    return Answer(status=status, headers=(("Location", location), *headers), content_type="text/plain; charset=utf-8")
