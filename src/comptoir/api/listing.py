"""What all paged lists have in common in the description of the API."""

from __future__ import annotations

import msgspec

from comptoir.api.routing import Parameter

__all__ = ["LISTING", "ORDER", "PAGING", "QUERY", "TAGS", "Page"]


class Page(msgspec.Struct, frozen=True):
    """An answer that is one page of `item`s; `item` is a struct, or the name of a schema."""

    item: type | str


PAGING = (
    Parameter(name="page", kind="integer", text="Page number, from 1.", least=1),
    Parameter(name="pageSize", kind="integer", text="Results a page.", least=1, most=5000),
)
QUERY = Parameter(name="query", kind="string", text="Conditions, such as `status=Paid&&totalAmount>100`.")
ORDER = Parameter(name="orderBy", kind="string", text="A property to order by; `-` before it for descending.")
TAGS = Parameter(name="tags", kind="string", text="Conditions on tags, such as `region = uk`.")
LISTING = (*PAGING, QUERY, ORDER)
