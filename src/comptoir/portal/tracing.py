"""One record: its fields beside the members of the source that they came from, the body as it came, and how that was
before."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import Response, get
from litestar.params import FromPath

from comptoir.access import Permission
from comptoir.errors import NotFound
from comptoir.portal.looks import LOOKS, title
from comptoir.portal.visits import Asked
from comptoir.store import ConnectionId, companies, connections
from comptoir.sync import trace
from comptoir.sync.trace import Field, Source

__all__ = ["ROUTES"]

_FIRST_PLACE = re.compile(r"^([^.\[]+\[\d+\])\.")


class Group(msgspec.Struct, frozen=True):
    """Fields that are shown together: those of the record itself, or of one element of a list of its."""

    name: str
    fields: list[Field]


def _groups(fields: Sequence[Field]) -> list[Group]:
    groups: dict[str, Group] = {"": Group("", [])}
    for field in fields:
        found = _FIRST_PLACE.match(field.path)
        name = found[1] if found else ""
        groups.setdefault(name, Group(name, [])).fields.append(field)
    return [group for group in groups.values() if group.fields]


def _shown(field: Field) -> list[Source]:
    """What a field was made of; of a copy, the one it was copied from. Where no value can be told, all that may be."""
    told = [one for one in field.sources if one.value is not None]
    return (told if field.is_made else told[:1]) or list(field.sources)


def _text(value: bytes) -> str:
    """A value for reading: text without its quotes, everything else as it was written."""
    if value[:1] == b'"':
        return str(msgspec.json.decode(value))
    return value.decode(errors="replace")


def _written(body: bytes) -> str:
    """A body over several lines, its values as they were written."""
    return msgspec.json.format(body, indent=2).decode(errors="replace")


@get(
    "/companies/{company:str}/data/{key:str}/{record:str}",
    opt={"permission": Permission.READ_DATA},
    sync_to_thread=True,
)
def show_record(visit: Asked, company: FromPath[str], key: FromPath[str], record: FromPath[str]) -> Response[Any]:
    services = visit.services
    if key not in LOOKS:
        raise NotFound("There is no such data type.")
    with services.db.read() as tx:
        owner = companies.get(tx, visit.tenant, company)
        theirs = connections.of_company(tx, visit.tenant, owner.id)
        platforms = {one.id: services.integration_by_key(one.integration_key) for one in theirs}
        wanted = visit.query("connection")
        connection = ConnectionId(wanted) if wanted in platforms else None
        found = trace.trace(tx, platforms, visit.tenant, owner.id, key, record, connection)
    if found is None:
        raise NotFound("There is no such record.")
    look = LOOKS[key]
    return visit.page(
        "companies/record.html",
        company=owner,
        look=look,
        key=key,
        trace=found,
        name=title(found.made.document, look, visit.language) or record,
        integration=platforms[found.made.connection_id],
        groups=_groups(found.fields),
        shown=_shown,
        text=_text,
        written=_written,
    )


ROUTES = (show_record,)
