"""Blank documents and pictures of any size: real ones, so that what a client downloads can be opened.

Each is the smallest of its kind, with a remark inside that fills it up.
"""

from __future__ import annotations

import struct
import zlib

__all__ = ["LEAST", "blank"]

LEAST = 512
"""The size in bytes that every kind fits into."""
_REMARK = b" "
_MOST_IN_SEGMENT = 65_533


def blank(content_type: str, size: int = LEAST) -> bytes:
    """A blank file of exactly this many bytes, LEAST or more; a document unless the type is one of a picture."""
    if content_type == "image/png":
        return _png(size)
    return _jpeg(size) if content_type == "image/jpeg" else _pdf(size)


def _pdf(size: int) -> bytes:
    objects = (
        b"1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n",
        b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n",
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 100]>>endobj\n",
    )
    body, places = b"%PDF-1.4\n", []
    for each in objects:
        places.append(len(body))
        body += each
    table = b"xref\n0 4\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    table += b"trailer<</Size 4/Root 1 0 R>>\nstartxref\n%010d\n%%%%EOF\n"
    remark = b"%" + _REMARK * (size - len(body) - len(table % 0) - 2) + b"\n"
    return body + remark + table % (len(body) + len(remark))


def _png(size: int) -> bytes:
    head = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    tail = _chunk(b"IDAT", zlib.compress(b"\0\xff")) + _chunk(b"IEND", b"")
    keyword = b"Comment\0"
    missing = size - len(head) - len(tail) - len(_chunk(b"tEXt", keyword))
    return head + _chunk(b"tEXt", keyword + _REMARK * missing) + tail


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _jpeg(size: int) -> bytes:
    """Eight grey pixels by eight: one code for "as bright as before", one for "nothing more in this block"."""
    codes = bytes([1, *[0] * 15, 0])
    start = b"\xff\xd8" + _segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0")
    rest = (
        _segment(0xDB, b"\0" + b"\1" * 64)
        + _segment(0xC0, struct.pack(">BHHBBBB", 8, 8, 8, 1, 1, 0x11, 0))
        + _segment(0xC4, b"\x00" + codes)
        + _segment(0xC4, b"\x10" + codes)
        + _segment(0xDA, b"\1\1\0\0\x3f\0")
        + b"\x3f\xff\xd9"
    )
    missing = size - len(start) - len(rest)
    count = -(-missing // (_MOST_IN_SEGMENT + 4))
    share, more = divmod(missing, count)
    remarks = (_segment(0xFE, _REMARK * (share + (number < more) - 4)) for number in range(count))
    return start + b"".join(remarks) + rest


def _segment(kind: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, kind, len(content) + 2) + content
