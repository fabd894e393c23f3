"""Records of a page told apart where the page as a whole is no sound JSON, so that one bad record costs one record.

Looks only at brackets and strings, and never by recursion: what a record holds is for its reader to refuse. A page that
broke off cannot be told apart.
"""

from __future__ import annotations

import re

import msgspec

__all__ = ["elements", "members"]

_SIGN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{},"]', re.DOTALL)
_NAME = re.compile(rb'("[^"\\]*(?:\\.[^"\\]*)*")\s*:\s*', re.DOTALL)
_OPENED_BY = {b"]": b"[", b"}": b"{"}


def members(body: bytes) -> list[tuple[str, bytes]] | None:
    """The members of an object, in the order they came and as often; None if the body is no whole object."""
    found: list[tuple[str, bytes]] = []
    for part in (parts := _parts(body, b"{")) or ():
        named = _NAME.match(part)
        if named is None:
            return None
        try:
            found.append((msgspec.json.decode(named[1], type=str), part[named.end() :]))
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None
    return None if parts is None else found


def elements(value: bytes) -> list[bytes] | None:
    """What a list holds; None if this is no whole list."""
    return _parts(value, b"[")


def _parts(text: bytes, opening: bytes) -> list[bytes] | None:
    text = text.strip()
    if text[:1] != opening:
        return None
    parts: list[bytes] = []
    opened: list[bytes] = []
    began = 1
    for found in _SIGN.finditer(text):
        sign = found[0]
        if sign in (b"[", b"{"):
            opened.append(sign)
        elif sign in _OPENED_BY:
            if opened.pop() != _OPENED_BY[sign]:
                return None
            if not opened:
                parts.append(text[began : found.start()].strip())
                return list(filter(None, parts)) if found.end() == len(text) else None
        elif sign == b'"':  # of a text that does not end
            return None
        elif sign == b"," and len(opened) == 1:
            parts.append(text[began : found.start()].strip())
            began = found.end()
    return None
