"""The files behind attachments: signed links that work for a minute, without any token.

FreeAgent's lead to a foreign host (https://dev.freeagent.com/docs/attachments); these lead to /files here. What they
hold is what was uploaded, or made up: a blank file of its kind, of the size the attachment tells of. The smaller sizes
are pictures, whatever the file is. As at the host that FreeAgent's lead to, a signed link is a way to sign in, and one
beside it is one too many: a call that brings a token along is refused, so that a client which hands it to others is
found out.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from typing import Any

from freeagent_standin import web
from freeagent_standin.blanks import LEAST, blank
from freeagent_standin.wire import Answer

__all__ = ["BLANK_PAGE", "answer", "link"]

_LINK = re.compile(r"/files/([0-9]{1,12})/(original|medium|small)")
_SECONDS = 60
BLANK_PAGE = blank("application/pdf")
_NO_GUESSING = (("X-Content-Type-Options", "nosniff"),)


def link(world: Any, origin: str, file_id: int, size: str, now: int) -> tuple[str, int]:
    """A signed address, and the second at which it ends."""
    expires = now + _SECONDS
    path = f"/files/{file_id}/{size}"
    return f"{origin}{path}?expires={expires}&signature={_signature(world, path, expires)}", expires


def answer(worlds: Iterable[Any], request: web.Request, now: float) -> Answer:
    """The file, or why not."""
    asked = _LINK.fullmatch(request.path)
    if asked is None or request.method not in ("GET", "HEAD"):
        return web.text(404, "There is no such file.")
    if request.header(b"authorization"):
        return web.text(400, "This link is signed: a call to it must not have an Authorization header as well.")
    query = dict(request.query)
    expires, given = query.get("expires", ""), query.get("signature", "")
    found = next(((world, it[1]) for world in worlds if (it := world.attachment(int(asked[1]))) is not None), None)
    if (
        found is None
        or not re.fullmatch(r"[0-9]{1,12}", expires)
        or not hmac.compare_digest(given.encode(), _signature(found[0], request.path, int(expires)).encode())
    ):
        return web.text(403, "The signature of this link is not right.")
    if int(expires) <= now:
        return web.text(403, "This link has expired.")
    file = found[1]
    if asked[2] != "original":
        return Answer(status=200, headers=_NO_GUESSING, body=blank("image/png"), content_type="image/png")
    body = file.content or blank(file.content_type, max(LEAST, file.file_size))
    name = file.file_name.encode("ascii", "replace").decode().replace('"', "'").replace("\\", "_")
    headers = (("Content-Disposition", f'inline; filename="{name}"'), *_NO_GUESSING)
    return Answer(status=200, headers=headers, body=body, content_type=file.content_type)


def _signature(world: Any, path: str, expires: int) -> str:
    """Of one path and one moment, by a key of these books alone."""
    key = f"{world.seed}/{world.id}".encode()
    return hashlib.blake2b(f"{path} {expires}".encode(), key=key, digest_size=16).hexdigest()
