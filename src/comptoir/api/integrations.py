"""Integrations: what can be linked, what it can do, and pictures of it (monograms of our own, no logos)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from uuid import UUID

from comptoir.access import ANYONE, Permission
from comptoir.api import answers
from comptoir.api.answers import Answer, Integration, integration_of
from comptoir.api.calls import Call
from comptoir.api.listing import LISTING, Page
from comptoir.api.paging import envelope, paging_of
from comptoir.api.routing import Operation
from comptoir.errors import NotFound
from comptoir.integrations.contract import Integration as Declared
from comptoir.model import ColumnKind
from comptoir.store import integration_settings
from comptoir.store.query import Order, Property

__all__ = ["OPERATIONS"]

_TAG = "Integrations"
# By lower-case name: what kind of value it is, and the value as a query writes it.
_QUERYABLE: Mapping[str, tuple[ColumnKind, Callable[[Integration], str]]] = {
    "key": (ColumnKind.TEXT, lambda one: one.key),
    "logourl": (ColumnKind.TEXT, lambda one: one.logo_url),
    "name": (ColumnKind.TEXT, lambda one: one.name),
    "enabled": (ColumnKind.BOOLEAN, lambda one: str(one.enabled)),
    "sourceid": (ColumnKind.ID, lambda one: str(one.source_id)),
    "sourcetype": (ColumnKind.ENUM, lambda one: one.source_type),
    "integrationid": (ColumnKind.ID, lambda one: str(one.integration_id)),
    "isofflineconnector": (ColumnKind.BOOLEAN, lambda one: str(one.is_offline_connector)),
    "isbeta": (ColumnKind.BOOLEAN, lambda one: str(one.is_beta)),
    "dataprovidedby": (ColumnKind.TEXT, lambda one: one.data_provided_by),
}
_ORDERS = {name: Property(name, kind) for name, (kind, _) in _QUERYABLE.items()}


class ImageReference(Answer, frozen=True, kw_only=True):
    src: str
    alt: str


class BrandingImage(Answer, frozen=True, kw_only=True):
    image: ImageReference


class BrandingLogo(Answer, frozen=True, kw_only=True):
    full: BrandingImage
    square: BrandingImage


class BrandingButton(Answer, frozen=True, kw_only=True):
    default: BrandingImage
    hover: BrandingImage


class Branding(Answer, frozen=True, kw_only=True):
    logo: BrandingLogo
    button: BrandingButton
    source_id: UUID


def _all(call: Call) -> list[Integration]:
    with call.services.db.read() as tx:
        states = {one.key: integration_settings.get(tx, call.tenant, one.key) for one in call.services.integrations}
    return [
        integration_of(call.services, one, enabled=(state := states[one.key]) is not None and state.enabled)
        for one in call.services.integrations
    ]


def _list(call: Call) -> bytes:
    paging, query = paging_of(call), call.where()
    order = Order.parse(call.query.get("orderby"), _ORDERS, "Integration")
    found = _all(call)
    if query is not None:
        query.check(lambda name: _QUERYABLE[name][0] if name in _QUERYABLE else None, "Integration")
        found = [one for one in found if query.matches(lambda name, one=one: _QUERYABLE[name][1](one))]  # type: ignore[misc]  # the loop's value is bound on purpose
    _, by = _QUERYABLE[order.column or "name"]
    found.sort(key=by, reverse=order.descending)
    start = (paging.clipped - 1) * paging.size
    return envelope(call, paging, len(found), answers.encoded(found[start : start + paging.size]))


def _declared(call: Call) -> Declared:
    key = call.names["platformKey"]
    declared = call.services.integration(key)
    if declared is None:
        raise NotFound(f"No integration was found with key {key}")
    return declared


def _get(call: Call) -> bytes:
    declared = _declared(call)
    return answers.encode(next(one for one in _all(call) if one.key == declared.key))


def _branding(call: Call) -> bytes:
    declared = _declared(call)

    def picture(name: str, alt: str) -> BrandingImage:
        src = f"{call.services.api_url}/integrations/{declared.key}/images/{name}.svg"
        return BrandingImage(image=ImageReference(src=src, alt=alt))

    name, connect = declared.name, f"Connect {declared.name}"
    found = Branding(
        logo=BrandingLogo(full=picture("full", name), square=picture("square", name)),
        button=BrandingButton(default=picture("button", connect), hover=picture("button-hover", connect)),
        source_id=declared.source_id,
    )
    return answers.encode(found)


def _image(call: Call) -> bytes:
    declared = _declared(call)
    name = call.names["image"].lower().removesuffix(".svg")
    drawn = {
        "square": lambda: _svg(64, 64, _monogram(declared)),
        "full": lambda: _svg(260, 64, _monogram(declared) + _words(declared.name, 80, "#222")),
        "button": lambda: _button(declared, 0),
        "button-hover": lambda: _button(declared, 3),
    }.get(name)
    if drawn is None:
        raise NotFound(f"No image was found with name {call.names['image']}")
    return drawn().encode()


def _svg(width: int, height: int, inside: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="system-ui, sans-serif" font-weight="600">{inside}</svg>'
    )


def _monogram(declared: Declared) -> str:
    return (
        f'<rect width="64" height="64" rx="12" fill="{escape(declared.colour)}"/>'
        f'<text x="32" y="42" font-size="28" text-anchor="middle" fill="#fff">{escape(declared.monogram)}</text>'
    )


def _words(text: str, x: int, colour: str) -> str:
    return f'<text x="{x}" y="42" font-size="28" fill="{colour}">{escape(text)}</text>'


def _button(declared: Declared, line: int) -> str:
    edge = f' stroke="#222" stroke-width="{line}"' if line else ""
    plate = f'<rect x="2" y="2" width="316" height="60" rx="12" fill="{escape(declared.colour)}"{edge}/>'
    words = escape(f"Connect {declared.name}")
    return _svg(320, 64, f'{plate}<text x="160" y="41" font-size="24" text-anchor="middle" fill="#fff">{words}</text>')


_ONE = "/integrations/{platformKey}"

OPERATIONS = (
    Operation(
        id="list-integrations",
        method="GET",
        path="/integrations",
        tag=_TAG,
        summary="List integrations",
        permission=Permission.READ_DATA,
        handle=_list,
        answer=Page(Integration),
        parameters=LISTING,
        fails=(400,),
    ),
    Operation(
        id="get-integration",
        method="GET",
        path=_ONE,
        tag=_TAG,
        summary="Get an integration",
        permission=Permission.READ_DATA,
        handle=_get,
        answer=Integration,
    ),
    Operation(
        id="get-integrations-branding",
        method="GET",
        path=f"{_ONE}/branding",
        tag=_TAG,
        summary="Get pictures of an integration",
        permission=Permission.READ_DATA,
        handle=_branding,
        answer=Branding,
    ),
    Operation(
        id="get-integration-image",
        method="GET",
        path=f"{_ONE}/images/{{image}}",
        tag=_TAG,
        summary="A picture that branding names",
        permission=ANYONE,
        handle=_image,
        content_type="image/svg+xml",
        is_quick=True,
    ),
)
