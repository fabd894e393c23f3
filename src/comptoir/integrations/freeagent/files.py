"""The file on a bill, an expense or an explanation: what is told of it, and the signed link to it, which ends soon.
And an invoice as FreeAgent prints it.

Source: https://dev.freeagent.com/docs/attachments, https://dev.freeagent.com/docs/invoices
"""

from __future__ import annotations

import base64
from types import MappingProxyType

import msgspec

from comptoir.integrations.contract import Attached, Files, Kind, Printed, RawRecord, Resource
from comptoir.integrations.freeagent import payloads
from comptoir.integrations.freeagent.reading import payload_of
from comptoir.integrations.freeagent.references import instant, last_segment, moment

__all__ = ["FILES"]


class _Parent(payloads.Payload, frozen=True, kw_only=True):
    created_at: str | None = None
    attachment: payloads.Attachment | None = None


class _Answer(msgspec.Struct):
    attachment: msgspec.Raw


class _Pdf(msgspec.Struct):
    content: str


class _PrintedAnswer(msgspec.Struct):
    pdf: _Pdf


_parent, _attachment = payload_of(_Parent), payload_of(payloads.Attachment)
_TYPES = {"application/x-pdf": "application/pdf", "image/x-png": "image/png"}


def _of(body: bytes) -> tuple[Attached, ...]:
    """The file of a record, if it has one that can be asked for again."""
    parent = _parent(body)
    return () if parent.attachment is None else (_told(parent.attachment, parent.created_at),)


def _again(body: bytes) -> Attached:
    return _told(_attachment(bytes(msgspec.json.decode(body, type=_Answer).attachment)), None)


def _told(file: payloads.Attachment, created_at: str | None) -> Attached:
    kind = (file.content_type or "").lower()
    return Attached(
        id=last_segment(file.url),
        name=file.file_name or None,
        content_type=_TYPES.get(kind, kind) or None,
        size=file.file_size,
        created=instant(created_at),
        link=file.content_src or None,
        expires_at=moment(file.expires_at),
    )


def _read(body: bytes) -> RawRecord:
    return RawRecord(id=last_segment(_attachment(body).url), updated_at=None)


def _content(body: bytes) -> bytes:
    """The PDF, which comes as base64, in lines or in one."""
    text = msgspec.json.decode(body, type=_PrintedAnswer).pdf.content
    content = base64.b64decode("".join(text.split()), validate=True)
    if not content:
        raise ValueError("it is empty")
    return content


FILES = Files(
    resource=Resource(name="attachments", path="/attachments", kind=Kind.SINGLE, keys=("attachment",), read=_read),
    of=_of,
    again=_again,
    printed=MappingProxyType({"invoices": Printed(resource="invoices", path="/invoices/{id}/pdf", content=_content)}),
)
