"""The same answers and bodies as XML, which FreeAgent takes and gives as an alternative to JSON.

Written as the reference pages show it: dashes in names, `type` on whatever is no text, a list as elements of the
singular name, all under `freeagent` (https://dev.freeagent.com/docs/introduction, /docs/using_curl). What is read may
have dashes or underscores, `freeagent` around it or not. Inferred: errors have the same members as in JSON; a document
with a DOCTYPE is refused; what XML cannot carry, such as U+0000, is written as U+FFFD.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import msgspec

from freeagent_standin.wire import Answer

__all__ = ["is_body", "is_wanted", "read", "written"]

_KINDS = ("application/xml", "text/xml", "application/json", "text/json", "text/html", "*/*", "application/*")
_DECIMAL = re.compile(r"-?\d+\.\d+", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)
_AMOUNT = re.compile(r"-?\d{1,20}(\.\d{1,20})?", re.ASCII)
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
# Words of people's own, which stay text whatever they look like.
_TEXTS = frozenset(
    {
        *("reference", "po_reference", "contract_po_reference", "receipt_reference", "comments", "comment", "note"),
        *("name", "description", "full_description", "first_name", "last_name", "organisation_name", "code", "tag"),
        *("title", "unit", "cheque_number", "account_number", "transaction_id", "filed_reference", "file_name"),
        *("address1", "address2", "address3", "town", "region", "postcode", "property_name"),
    }
)
_DEEPEST = 30
_encode = msgspec.json.Encoder(decimal_format="number").encode


def is_wanted(accept: str, path: str) -> bool:
    """Whether an answer is to be XML: said by the end of the address, or by what is accepted best."""
    if path.endswith((".xml", ".json")):
        return path.endswith(".xml")
    best, greatest = "", 0.0
    for part in accept.split(","):
        kind, *parameters = (word.strip().lower() for word in part.split(";"))
        weight = next((_weight(each[2:]) for each in parameters if each.startswith("q=")), 1.0)
        if kind in _KINDS and weight > greatest:
            best, greatest = kind, weight
    return best.endswith("xml")


def is_body(content_type: str) -> bool:
    """Whether a body is said to be XML."""
    kind = content_type.partition(";")[0].strip().lower()
    return kind in ("application/xml", "text/xml")


def read(body: bytes) -> bytes:
    """A body in XML as the JSON that would say the same. Raises ValueError when it is none."""
    if b"<!" in body.replace(b"<!--", b"").replace(b"<![CDATA[", b""):
        raise ValueError("A body with a DOCTYPE is not read")
    try:
        root = ElementTree.fromstring(body)  # noqa: S314 - without a DOCTYPE there are no entities to expand
        document = _value(root, 0)
    except (ElementTree.ParseError, LookupError) as problem:
        raise ValueError("The body is not XML") from problem
    name = _name(root)
    return _encode(document if name == "freeagent" and isinstance(document, dict) else {name: document})


def written(answer: Answer) -> Answer:
    """An answer in JSON as the XML that says the same; any other answer as it is."""
    if not answer.content_type.startswith("application/json"):
        return answer
    body = b""
    if answer.body:
        document = msgspec.json.decode(answer.body)
        body = ('<?xml version="1.0" encoding="UTF-8"?>\n' + "\n".join(_lines(document)) + "\n").encode()
    return msgspec.structs.replace(answer, body=body, content_type="application/xml; charset=utf-8")


# Reading


def _value(element: ElementTree.Element, depth: int) -> Any:
    if depth > _DEEPEST:
        raise ValueError("The body is nested too deeply")
    kind, children = element.get("type", "").lower(), list(element)
    if element.get("nil") == "true":
        return None
    if kind == "array":
        return [_value(each, depth + 1) for each in children]
    if children:
        return {_name(each): _value(each, depth + 1) for each in children}
    text = element.text or ""
    if kind == "boolean":
        return text.strip().lower() in ("true", "1")
    if kind == "integer" and text.strip().lstrip("-").isascii() and text.strip().lstrip("-").isdigit():
        return text.strip()
    # Lines of a statement have bare numbers, as in JSON.
    if _name(element) == "amount" and _AMOUNT.fullmatch(text.strip()):
        return Decimal(text.strip())
    return text.strip() if kind else text


def _name(element: ElementTree.Element) -> str:
    return element.tag.rsplit("}", 1)[-1].replace("-", "_")


# Writing


def _lines(document: Any) -> Iterator[str]:
    if isinstance(document, dict) and len(document) == 1 and isinstance(next(iter(document.values())), str):
        [(name, value)] = document.items()
        yield _element(name, value, "")  # a text alone has nothing around it
        return
    yield "<freeagent>"
    for name, value in document.items() if isinstance(document, dict) else ():
        yield from _members(name, value, "  ")
    yield "</freeagent>"


def _members(name: str, value: Any, indent: str) -> Iterator[str]:
    tag = _tag(name)
    if isinstance(value, list):
        if not value:
            yield f'{indent}<{tag} type="array"/>'
            return
        yield f'{indent}<{tag} type="array">'
        for each in value:
            yield from _members(_singular(name), each, indent + "  ")
        yield f"{indent}</{tag}>"
    elif isinstance(value, dict):
        if not value:
            yield f"{indent}<{tag}/>"
            return
        yield f"{indent}<{tag}>"
        for inner, each in value.items():
            yield from _members(inner, each, indent + "  ")
        yield f"{indent}</{tag}>"
    else:
        yield _element(name, value, indent)


def _element(name: str, value: object, indent: str) -> str:
    tag = _tag(name)
    if value is None:
        return f'{indent}<{tag} nil="true"/>'
    kind = ""
    if isinstance(value, bool):
        kind, text = "boolean", "true" if value else "false"
    elif isinstance(value, int | float):
        kind, text = "integer" if isinstance(value, int) else "decimal", str(value)
    else:
        text = _UNFIT.sub("\ufffd", str(value))
        if name in _TEXTS:
            pass
        elif _DECIMAL.fullmatch(text):
            kind = "decimal"
        elif _DAY.fullmatch(text):
            kind = "date"
        elif _INSTANT.fullmatch(text):
            kind, text = "dateTime", text.replace(".000", "")
    said = f' type="{kind}"' if kind else ""
    return f"{indent}<{tag}{said}>{escape(text)}</{tag}>"


def _tag(name: str) -> str:
    tag = re.sub(r"[^\w.-]", "-", name.replace("_", "-"))
    return tag if tag[:1].isalpha() else f"_{tag}"


def _singular(name: str) -> str:
    if name.endswith("ies"):
        return name[:-3] + "y"
    if name.endswith("sses"):
        return name[:-2]
    return name[:-1] if name.endswith("s") and not name.endswith("ss") else name


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
