"""Files as answers: offered to be saved under their names, and never shown as what they may claim to be."""

from __future__ import annotations

from urllib.parse import quote

__all__ = ["disposition"]


def disposition(name: str) -> str:
    """The header of an answer that is to be saved under a name, which is told twice: in plain letters, and as it is
    (RFC 6266)."""
    simple = "".join(sign if sign.isascii() and (sign.isalnum() or sign in " .-_()") else "_" for sign in name)
    return f"attachment; filename=\"{simple}\"; filename*=UTF-8''{quote(name, safe='', errors='replace')}"
