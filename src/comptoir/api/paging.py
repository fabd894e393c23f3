"""Pages of lists: which one is asked for, and the envelope it is answered in, with links to its neighbours."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import quote

import msgspec

from comptoir.api.calls import Call

__all__ = ["Href", "Links", "Paging", "envelope", "paging_of"]

_DEFAULT_SIZE = 100
_LARGEST_SIZE = 5000
_LAST_PAGE = 2**31  # past any list: a page beyond it is empty, and its offset fits every database
# What is encoded already stays as it is; what may not stand in an address is encoded.
_IN_QUERY = "%:/?@!$&'()*+,;=~"
_IN_PATH = "%:@!$&'()*+,;=~/"
_quoted = lru_cache(maxsize=1024)(quote)  # clients ask for the same few paths and queries again and again
_KEPT = (("query", "query"), ("orderby", "orderBy"), ("tags", "tags"))


class Href(msgspec.Struct, frozen=True):
    href: str


class Links(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Relative to the API's address; `next` and `previous` only where there is such a page."""

    self: Href
    current: Href
    next: Href | None = None
    previous: Href | None = None


class Paging(msgspec.Struct, frozen=True):
    """Page `number`, from 1, of `size` results."""

    number: int
    size: int

    @property
    def clipped(self) -> int:
        """The page to ask the store for."""
        return min(self.number, _LAST_PAGE // self.size)


def paging_of(call: Call) -> Paging:
    """`page` and `pageSize` of the request. InvalidInput when out of range."""
    return Paging(call.number("page", 1), call.number("pageSize", _DEFAULT_SIZE, _LARGEST_SIZE))


def envelope(call: Call, paging: Paging, total: int, results: Iterable[bytes]) -> bytes:
    """The answer of a paged list, from results that are JSON already."""
    return b'{"results":[%b],"pageNumber":%d,"pageSize":%d,"totalResults":%d,"_links":%b}' % (
        b",".join(results),
        paging.number,
        paging.size,
        total,
        _links(call, paging, total),
    )


def _links(call: Call, paging: Paging, total: int) -> bytes:
    path = _quoted(call.path, safe=_IN_PATH)
    here = f"{path}?{_quoted(call.query_string, safe=_IN_QUERY)}" if call.query_string else path
    number, size = paging.number, paging.size
    text = f'{{"self":{{"href":"{path}"}},"current":{{"href":"{here}"}}'
    if number * size < total:
        text += f',"next":{{"href":"{_address(call, path, number + 1, size)}"}}'
    if number == 2 or (number > 2 and (number - 2) * size < total):
        text += f',"previous":{{"href":"{_address(call, path, number - 1, size)}"}}'
    return (text + "}").encode()


def _address(call: Call, path: str, number: int, size: int) -> str:
    kept = "".join(f"&{name}={_quoted(call.query[key], safe='')}" for key, name in _KEPT if call.query.get(key))
    return f"{path}?page={number}&pageSize={size}{kept}"
