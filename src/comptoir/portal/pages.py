"""How a page is made: templates with every value escaped, static files, and the headers that every answer carries."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import Response
from markupsafe import Markup, escape

from comptoir.portal.languages import Language, languages
from comptoir.portal.sentences import tell

__all__ = ["HEADERS", "Asset", "asset", "html", "render"]

# Nothing runs and nothing loads but our own files; nobody frames a page; no address leaves with a request elsewhere.
HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
            "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        ),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        # Not `no-referrer`: with it browsers send no origin with a form, and we ask for that proof.
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
        "Cache-Control": "no-store",
    }
)
_TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """A static file with its address; a changed file has another address, so it may be kept for good."""

    name: str
    body: bytes
    media_type: str
    version: str


@cache
def _assets() -> dict[str, Asset]:
    found: dict[str, Asset] = {}
    for entry in resources.files("comptoir.portal").joinpath("static").iterdir():
        media_type = _TYPES.get(entry.name.rpartition(".")[2])
        if media_type is not None:
            body = entry.read_bytes()
            version = hashlib.sha256(body).hexdigest()[:12]
            found[entry.name] = Asset(name=entry.name, body=body, media_type=media_type, version=version)
    return found


def asset(name: str) -> Asset | None:
    return _assets().get(name)


def _asset_address(name: str) -> str:
    return f"/static/{name}?v={_assets()[name].version}"


def _strong(text: str) -> Markup:
    """Text with **bold** words, everything else escaped."""
    return Markup(re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", str(escape(text))))  # noqa: S704 - escaped just here


def _moment(language: Language, value: datetime | None) -> Markup:
    if value is None:
        return Markup("–")
    return Markup('<time datetime="{}">{}</time>').format(value.isoformat(), language.moment(value))


@cache
def _environment(code: str) -> Environment:
    speaks = languages()[code]
    environment = Environment(
        loader=PackageLoader("comptoir.portal"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_callables(  # type: ignore[attr-defined]  # the i18n extension adds it
        speaks.gettext, speaks.ngettext, newstyle=True
    )
    environment.globals |= {"language": speaks, "asset": _asset_address}
    environment.filters |= {
        "strong": _strong,
        "moment": lambda value: _moment(speaks, value),
        "second": speaks.second,
        "duration": speaks.duration,
        "day": lambda value: speaks.day(value) if isinstance(value, date) else "–",
        "number": speaks.number,
        "amount": speaks.amount,
        "size": speaks.size,
        "tell": lambda message: tell(speaks, message),
    }
    return environment


def render(template: str, language: Language, **context: Any) -> str:
    return _environment(language.code).get_template(template).render(**context)


def html(content: str, status: int = 200) -> Response[str]:
    return Response(content, status_code=status, media_type="text/html", headers=dict(HEADERS))
