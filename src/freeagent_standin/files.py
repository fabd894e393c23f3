"""The files behind attachments: signed links that work for a minute, without any token.

FreeAgent's lead to a foreign host (https://dev.freeagent.com/docs/attachments); these lead to /files here. What they
hold is what was uploaded, or made up: the smallest document of its kind, filled up to the size the attachment tells of.
The smaller sizes are pictures, whatever the file is.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from typing import Any

from freeagent_standin import web
from freeagent_standin.wire import Answer

__all__ = ["BLANK_PAGE", "answer", "link"]

_LINK = re.compile(r"/files/([0-9]{1,12})/(original|medium|small)")
_SECONDS = 60
_PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
BLANK_PAGE = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 100]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
)
_JPEG = bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffd9")
_NO_GUESSING = (("X-Content-Type-Options", "nosniff"),)
_BEGINNINGS = {"image/png": _PNG, "image/jpeg": _JPEG}


def link(origin: str, file_id: int, size: str, now: int) -> tuple[str, int]:
    """A signed address, and the second at which it ends."""
    expires = now + _SECONDS
    return f"{origin}/files/{file_id}/{size}?expires={expires}&signature={_signature(file_id, expires)}", expires


def answer(worlds: Iterable[Any], request: web.Request, now: float) -> Answer:
    """The file, or why not."""
    asked = _LINK.fullmatch(request.path)
    if asked is None or request.method not in ("GET", "HEAD"):
        return web.text(404, "There is no such file.")
    file_id, query = int(asked[1]), dict(request.query)
    expires = query.get("expires", "")
    if not re.fullmatch(r"[0-9]{1,12}", expires) or query.get("signature") != _signature(file_id, int(expires)):
        return web.text(403, "The signature of this link is not right.")
    if int(expires) < now:
        return web.text(403, "This link has expired.")
    for world in worlds:
        found = world.attachment(file_id)
        if found is not None:
            _, file = found
            if asked[2] != "original":
                return Answer(status=200, headers=_NO_GUESSING, body=_PNG, content_type="image/png")
            body = file.content or _BEGINNINGS.get(file.content_type, BLANK_PAGE).ljust(file.file_size, b"\n")
            name = file.file_name.encode("ascii", "replace").decode().replace('"', "'").replace("\\", "_")
            headers = (("Content-Disposition", f'inline; filename="{name}"'), *_NO_GUESSING)
            return Answer(status=200, headers=headers, body=body, content_type=file.content_type)
    return web.text(404, "There is no such file.")


def _signature(file_id: int, expires: int) -> str:
    return f"{(file_id * 2_654_435_761 + expires) % 2**32:08x}"
