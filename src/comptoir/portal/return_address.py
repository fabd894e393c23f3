"""Where the customer goes after linking: the tenant's own address with the outcome filled in, checked, or nowhere.

Values are encoded for the place they stand in. A placeholder in the host is honoured only if the finished address is on
the tenant's list: else anybody who writes a Link URL could choose where people are sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote, urlsplit

from comptoir.store.profile import Profile

__all__ = ["return_address"]

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_HOST_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")


def return_address(profile: Profile, outcome: Mapping[str, str], parameters: Mapping[str, str]) -> str | None:
    """The finished address; None when none is set or the finished one may not be used.

    `outcome` holds the reserved names; `parameters` the Link URL's own, which fill every other name.
    """
    template = profile.redirect_url.strip()
    scheme, separator, rest = template.partition("://")
    if not template or not separator or scheme.lower() not in ("http", "https"):
        return None
    end = next((place for place, sign in enumerate(rest) if sign in "/?#"), len(rest))
    host, tail = rest[:end], rest[end:]
    values = {**parameters, **outcome}

    filled_host = host
    if "{" in host:
        names = _PLACEHOLDER.findall(host)
        parts = {name: parameters.get(name, "") for name in names if name not in outcome}  # reserved names never
        if len(parts) != len(set(names)) or not all(_HOST_LABEL.fullmatch(value) for value in parts.values()):
            return None
        filled_host = _PLACEHOLDER.sub(lambda found: parts[found[1]], host)
    filled_tail = _PLACEHOLDER.sub(lambda found: quote(values.get(found[1], ""), safe=""), tail)
    address = f"{scheme}://{filled_host}{filled_tail}"
    if not address.isprintable() or " " in address or "\\" in address or "@" in filled_host:
        return None
    if filled_host != host and not _is_listed(f"{scheme}://{filled_host}", address, profile.white_list_urls):
        return None
    return address


def _is_listed(origin: str, address: str, listed: tuple[str, ...]) -> bool:
    """Exactly: an entry with a path names one address, an entry without names every path of its host."""
    for entry in listed:
        parts = urlsplit(entry.strip())
        if parts.path.strip("/") or parts.query:
            if entry.strip() == address:
                return True
        elif f"{parts.scheme}://{parts.netloc}".lower() == origin.lower():
            return True
    return False
