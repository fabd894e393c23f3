"""Answers and error bodies in FreeAgent's shapes, with the headers every answer carries.

Seen on recorded responses: a weak ETag, X-Request-Id and Cache-Control: no-store on every GET, Last-Modified on single
records, Link (empty on a single page) and X-Total-Count on lists (https://dev.freeagent.com/docs/introduction). Errors
come in three shapes; which one a case takes is inferred except for 401 (the shell's) and the 422 of locked attributes.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from email.utils import format_datetime

import msgspec

from freeagent_standin.wire import Answer, Call


class Refusal(Exception):
    """An answer other than 200, raised where it is found out."""

    def __init__(self, status: int, errors: object) -> None:
        super().__init__(f"{status}: {errors}")
        self.status = status
        self.errors = errors


def bad_request(message: str) -> Refusal:
    """A mandatory filter is missing or a value cannot be read: the list shape."""
    return Refusal(400, [{"message": message}])


def forbidden(message: str) -> Refusal:
    """The user's level is too low: the object shape."""
    return Refusal(403, {"error": {"message": message}})


def unprocessable(*messages: str) -> Refusal:
    """Values that make no sense, or are locked: the list shape."""
    return Refusal(422, [{"message": message} for message in messages])


def blank(*attributes: str) -> Refusal:
    """Attributes that must have a value and have none: the map from attribute to messages."""
    return Refusal(422, {name: ["can't be blank"] for name in attributes})


def not_found() -> Refusal:
    """No such record, resource or feature: the object shape."""
    return Refusal(404, {"error": {"message": "Resource not found"}})


def document(
    call: Call,
    body: object,
    *,
    headers: tuple[tuple[str, str], ...] = (),
    modified: int | None = None,
    status: int = 200,
) -> Answer:
    """A 200 (or 201) with a JSON body."""
    encoded = msgspec.json.encode(body)
    tag = hashlib.blake2b(encoded, digest_size=16).hexdigest()
    more = [("ETag", f'W/"{tag}"')]
    if modified is not None:
        more.append(("Last-Modified", format_datetime(datetime.fromtimestamp(modified, UTC), usegmt=True)))
    return Answer(status=status, headers=(*headers, *more, *_common(call, tag)), body=encoded)


def emptied(call: Call) -> Answer:
    """What a delete answers: said to be JSON, and empty."""
    return Answer(status=200, headers=_common(call, ""))


def refusal(call: Call, refused: Refusal) -> Answer:
    """A refusal as FreeAgent would put it."""
    encoded = msgspec.json.encode({"errors": refused.errors})
    return Answer(status=refused.status, headers=_common(call, ""), body=encoded)


def _common(call: Call, tag: str) -> tuple[tuple[str, str], ...]:
    seed = f"{call.method} {call.path} {call.query} {call.now.timestamp()} {call.user_id} {tag}"
    digest = hashlib.blake2b(seed.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    request_id = f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:]}"
    return (("Cache-Control", "no-store"), ("X-Request-Id", request_id))
