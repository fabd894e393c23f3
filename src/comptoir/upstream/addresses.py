"""Where a link that an upstream hands out may lead: to machines of the public network, and to no other.

A link is text that somebody else wrote. Without a check it could have us ask machines that only we can reach.
"""

from __future__ import annotations

import ipaddress
import socket

from comptoir.errors import UpstreamChanged

__all__ = ["is_loopback", "public_address"]

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# The only range of IPv6 in public use; others (former forms of private addresses among them) count as global for the
# library. So do some that are not, or lead on to addresses of the other kind, which are not looked at there.
_PUBLIC = ipaddress.IPv6Network("2000::/3")
_NOT_PUBLIC = tuple(map(ipaddress.ip_network, ("2002::/16", "192.0.0.0/24", "192.88.99.0/24")))


def public_address(host: str, port: int) -> str:
    """An address of a host, to be connected to as it is: a second look-up might find another.

    Raises OSError for a host that is not found, UpstreamChanged for one of which any address is not public.
    """
    found = [
        ipaddress.ip_address(str(info[4][0]).partition("%")[0])
        for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    ]
    if not found or not all(map(_is_public, found)):
        raise UpstreamChanged("The link to the file leads to a machine that is not public. It was not followed.")
    return str(found[0])


def is_loopback(host: str) -> bool:
    """Whether a host as it is written is this very machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_public(address: _Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return _is_public(address.ipv4_mapped)
        if address not in _PUBLIC:
            return False
    is_excepted = any(address in network for network in _NOT_PUBLIC)
    return address.is_global and not address.is_multicast and not is_excepted
