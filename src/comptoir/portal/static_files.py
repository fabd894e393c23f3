"""The pages' own stylesheet, script and mark."""

from __future__ import annotations

from typing import Any

from litestar import Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from comptoir.portal.pages import HEADERS, asset
from comptoir.portal.visits import ANYONE, Asked

__all__ = ["ROUTES"]


@get("/static/{name:str}", opt={"permission": ANYONE}, sync_to_thread=False)
def static_file(visit: Asked, name: FromPath[str]) -> Response[Any]:
    found = asset(name)
    if found is None:
        raise NotFoundException
    named = visit.query("v") == found.version
    keep = "public, max-age=31536000, immutable" if named else "no-cache"
    return Response(found.body, media_type=found.media_type, headers={**HEADERS, "Cache-Control": keep})


ROUTES = (static_file,)
