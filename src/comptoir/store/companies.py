"""Companies: an operator's customers. Deleting one removes everything below it."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from comptoir.errors import InvalidInput
from comptoir.model import ColumnKind
from comptoir.store import connections, lists
from comptoir.store.ids import CompanyId, TenantId, new_id
from comptoir.store.query import Order, Property, Query, Where
from comptoir.store.rows import Page, one_of, only, struct_of
from comptoir.store.tables import COMPANIES, CONNECTIONS, SYNC_SETTINGS
from comptoir.store.values import folded

__all__ = ["Company", "add", "clean_name", "delete", "find", "get", "list_page", "named", "replace", "update"]

_NOT_ALLOWED = re.compile(r"[^\w\s\-'&@.,?!]|_")
_MOST_TAGS, _LONGEST_TAG_NAME, _LONGEST_TAG_VALUE = 10, 27, 100

PROPERTIES = {
    "id": Property("companies.id", ColumnKind.ID),
    "name": Property("companies.name_folded", ColumnKind.TEXT, is_folded=True),
    "description": Property("companies.description_folded", ColumnKind.TEXT, is_folded=True),
    "created": Property("companies.created", ColumnKind.INSTANT),
    "createdbyusername": Property("companies.created_by", ColumnKind.TEXT),
    "lastsync": Property(
        "(SELECT max(c.last_sync) FROM connections c WHERE c.tenant_id = companies.tenant_id "
        "AND c.company_id = companies.id)",
        ColumnKind.INSTANT,
    ),
    **{
        f"dataconnections.{name}": Property(
            column,
            kind,
            any_of="SELECT 1 FROM connections c WHERE c.tenant_id = companies.tenant_id "
            "AND c.company_id = companies.id AND ",
        )
        for name, column, kind in connections.queryable("c")
    },
}


class Company(msgspec.Struct, frozen=True, kw_only=True):
    id: CompanyId
    tenant_id: TenantId
    name: str
    description: str | None
    tags: dict[str, str]
    created: datetime
    created_by: str | None


def clean_name(name: object) -> str:
    """The name with the characters that are not allowed removed; refused when nothing is left."""
    # An accent may come as a sign of its own, which would not count as part of a letter.
    composed = unicodedata.normalize("NFC", name) if isinstance(name, str) else ""
    if not (cleaned := " ".join(_NOT_ALLOWED.sub("", composed).split())):
        raise InvalidInput("Give the company a name made of letters, digits, blanks or - ' & @ . , ? !", field="name")
    return cleaned[:400]


def _checked_tags(tags: object) -> dict[str, str]:
    if tags is None:
        return {}
    if not isinstance(tags, dict) or not all(isinstance(value, str) for value in tags.values()):
        raise InvalidInput("Tags are an object of names and text values.", field="tags")
    if len(tags) > _MOST_TAGS:
        raise InvalidInput(f"A company has at most {_MOST_TAGS} tags.", field="tags")
    for name, value in tags.items():
        if not 1 <= len(name) <= _LONGEST_TAG_NAME or len(value) > _LONGEST_TAG_VALUE:
            raise InvalidInput(
                f"The tag {name[:40]!r} is too long: names have 1 to {_LONGEST_TAG_NAME} characters, values at most "
                f"{_LONGEST_TAG_VALUE}.",
                field="tags",
            )
    return tags


def add(
    tx: Connection,
    tenant: TenantId,
    *,
    name: object,
    description: str | None = None,
    tags: object = None,
    created_by: str | None,
    now: datetime,
) -> Company:
    company = Company(
        id=CompanyId(new_id()),
        tenant_id=tenant,
        name=clean_name(name),
        description=description,
        tags=_checked_tags(tags),
        created=now,
        created_by=created_by,
    )
    values = msgspec.structs.asdict(company) | {
        "tags": msgspec.json.encode(company.tags),
        **_folded(company.name, company.description),
    }
    tx.execute(sa.insert(COMPANIES).values(values))
    return company


def _folded(name: object, description: object) -> dict[str, object]:
    """What queries look through, for those of the two that have a value."""
    given = {"name_folded": name, "description_folded": description}
    return {column: folded(text) for column, text in given.items() if isinstance(text, str)}


def get(tx: Connection, tenant: TenantId, company: str) -> Company:
    row = one_of(tx, COMPANIES, tenant, company, f"No company was found with ID {company}")
    return _company(row)


def find(tx: Connection, company: str) -> Company | None:
    """By id alone, whatever tenant: for Link pages, which know no tenant yet. The id is unguessable."""
    row = tx.execute(sa.select(COMPANIES).where(COMPANIES.c.id == company, COMPANIES.c.tenant_id.is_not(None)))
    found = row.one_or_none()
    return None if found is None else _company(found)


def named(tx: Connection, text: str | None) -> list[Company]:
    """By id or name, whatever tenant, or all: for whoever runs the installation itself."""
    asked = sa.select(COMPANIES).where(COMPANIES.c.tenant_id.is_not(None)).order_by(COMPANIES.c.created)
    if text is not None:
        asked = asked.where(sa.or_(COMPANIES.c.id == text, COMPANIES.c.name_folded == folded(text)))
    return [_company(row) for row in tx.execute(asked)]


def _company(row: sa.Row[tuple[object, ...]]) -> Company:
    return struct_of(Company, row, tags=msgspec.json.decode(row.tags))


def update(
    tx: Connection,
    tenant: TenantId,
    company: str,
    *,
    name: object = None,
    description: str | None = None,
    tags: object = None,
) -> Company:
    """Change the members that are not None; an empty object of tags clears them."""
    get(tx, tenant, company)
    values: dict[str, object] = {}
    if name is not None:
        values["name"] = clean_name(name)
    if description is not None:
        values["description"] = description
    if tags is not None:
        values["tags"] = msgspec.json.encode(_checked_tags(tags))
    if values:
        values |= _folded(values.get("name"), values.get("description"))
        tx.execute(sa.update(COMPANIES).where(only(COMPANIES, tenant, COMPANIES.c.id == company)).values(values))
    return get(tx, tenant, company)


def replace(
    tx: Connection, tenant: TenantId, company: str, *, name: object, description: str | None, tags: object
) -> Company:
    """Name, description and tags anew; what is absent is cleared."""
    get(tx, tenant, company)
    values: dict[str, object] = {
        "name": clean_name(name),
        "description": description,
        "description_folded": None,
        "tags": msgspec.json.encode(_checked_tags(tags)),
    }
    values |= _folded(values["name"], description)
    tx.execute(sa.update(COMPANIES).where(only(COMPANIES, tenant, COMPANIES.c.id == company)).values(values))
    return get(tx, tenant, company)


def delete(tx: Connection, tenant: TenantId, company: str) -> None:
    """The company, its connections, grants, raw and standard records: all gone."""
    get(tx, tenant, company)
    # Connections first: SQLite follows one cascade at a time faster when the larger tables hang on one key.
    tx.execute(sa.delete(CONNECTIONS).where(only(CONNECTIONS, tenant, CONNECTIONS.c.company_id == company)))
    tx.execute(sa.delete(SYNC_SETTINGS).where(only(SYNC_SETTINGS, tenant, SYNC_SETTINGS.c.company_id == company)))
    tx.execute(sa.delete(COMPANIES).where(only(COMPANIES, tenant, COMPANIES.c.id == company)))


def list_page(
    tx: Connection,
    tenant: TenantId,
    *,
    query: Query | None = None,
    tags: Query | None = None,
    order: str | None = None,
    page: int = 1,
    page_size: int = 100,
) -> Page:
    where = query.where(PROPERTIES, "Company", tx.dialect.name) if query else Where.all()
    if tags is None:
        return lists.page(
            tx,
            COMPANIES,
            tenant,
            where,
            Order.parse(order, PROPERTIES, "Company"),
            page,
            page_size,
            _company,
            default_order="companies.created, companies.id",
        )
    # Tags are few and free: they are matched here, over the companies that the query leaves.
    tags.check(lambda _: ColumnKind.TEXT, "Company")
    ordering = Order.parse(order, PROPERTIES, "Company")
    rows = lists.page(
        tx, COMPANIES, tenant, where, ordering, 1, 1_000_000, _company, default_order="companies.created, companies.id"
    ).rows
    matching = [company for company in rows if tags.matches(_folded_names(company.tags).get)]
    return Page(len(matching), matching[(page - 1) * page_size : page * page_size])


def _folded_names(tags: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in tags.items()}
