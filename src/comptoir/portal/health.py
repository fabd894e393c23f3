"""For machines that watch this one: whether it can serve, and what it uses. Nothing of any tenant."""

from __future__ import annotations

from typing import Any

import prometheus_client
from litestar import Response, get
from sqlalchemy.exc import SQLAlchemyError

from comptoir.errors import TryLater
from comptoir.portal.pages import HEADERS
from comptoir.portal.visits import ANYONE, Asked
from comptoir.store import tenants

__all__ = ["ROUTES"]

_OPEN = {"permission": ANYONE}


@get("/health", opt=_OPEN, sync_to_thread=True)
def health(visit: Asked) -> Response[Any]:
    """200 while requests can be answered; 503 while the database does not answer."""
    try:
        with visit.services.db.read() as tx:
            tenants.by_name(tx, "")  # a table of ours, not only a connection
    except (TryLater, SQLAlchemyError):
        return Response({"status": "the database does not answer"}, status_code=503, headers=dict(HEADERS))
    return Response({"status": "ok"}, headers=dict(HEADERS))


@get("/metrics", opt=_OPEN, sync_to_thread=True)
def metrics(visit: Asked) -> Response[Any]:
    """What this process uses, in the text form of Prometheus."""
    content = prometheus_client.generate_latest()
    return Response(content, media_type=prometheus_client.CONTENT_TYPE_LATEST, headers=dict(HEADERS))


ROUTES = (health, metrics)
