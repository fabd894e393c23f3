"""One record: its fields beside the members of the source that they came from, the body as it came, how that was
before, and its files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import Response, get
from litestar.params import FromPath
from sqlalchemy import Connection as Transaction

from comptoir.access import Permission
from comptoir.errors import NotFound
from comptoir.portal.looks import LOOKS, title
from comptoir.portal.pages import HEADERS
from comptoir.portal.visits import Asked, Visit
from comptoir.runtime.downloads import disposition
from comptoir.store import ConnectionId, companies, connections
from comptoir.sync import trace
from comptoir.sync.files import Files, files_of
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


def _files(tx: Transaction, visit: Visit, company: str, key: str, record: str, connection: str = "") -> Files:
    """The files of a record, over the connection that is named, or else that which the record is shown from."""
    owner = companies.get(tx, visit.tenant, company)
    theirs = {one.id for one in connections.of_company(tx, visit.tenant, owner.id)}
    wanted = ConnectionId(connection) if connection in theirs else None
    known = visit.services.integration_by_key
    found = files_of(tx, known, visit.tenant, owner.id, key, record, wanted) if key in LOOKS else None
    if found is None:
        raise NotFound("There is no such record.")
    return found


def _download(body: bytes, name: str) -> Response[bytes]:
    headers = {**HEADERS, "Content-Disposition": disposition(name)}
    return Response(body, media_type="application/octet-stream", headers=headers)


_RECORD = "/companies/{company:str}/data/{key:str}/{record:str}"


@get(f"{_RECORD}/files/{{file:str}}", opt={"permission": Permission.READ_DATA}, sync_to_thread=True)
def download(
    visit: Asked, company: FromPath[str], key: FromPath[str], record: FromPath[str], file: FromPath[str]
) -> Response[bytes]:
    with visit.services.db.read() as tx:
        found = _files(tx, visit, company, key, record, visit.query("connection"))
    attached = next((one for one in found.attached if one.id == file), None)
    if attached is None:
        raise NotFound("There is no such file.")
    found.check_linked()
    return _download(visit.services.download(found.connection, attached), attached.name or attached.id)


@get(f"{_RECORD}/pdf", opt={"permission": Permission.READ_DATA}, sync_to_thread=True)
def print_out(visit: Asked, company: FromPath[str], key: FromPath[str], record: FromPath[str]) -> Response[bytes]:
    with visit.services.db.read() as tx:
        found = _files(tx, visit, company, key, record, visit.query("connection"))
    if found.printed is None:
        raise NotFound("There is no such file.")
    found.check_linked()
    body = visit.services.print_out(found.connection, found.printed, found.source_id)
    return _download(body, found.printed_name)


@get(_RECORD, opt={"permission": Permission.READ_DATA}, sync_to_thread=True)
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
        files = _files(tx, visit, owner.id, key, record, found.made.connection_id)
    look = LOOKS[key]
    return visit.page(
        "companies/record.html",
        company=owner,
        look=look,
        key=key,
        trace=found,
        files=files,
        of_connection=connection,
        name=title(found.made.document, look, visit.language) or record,
        integration=platforms[found.made.connection_id],
        groups=_groups(found.fields),
        shown=_shown,
        text=_text,
        written=_written,
    )


ROUTES = (show_record, download, print_out)
