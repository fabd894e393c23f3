"""The API's description of itself (OpenAPI 3.1), made from the same table that serves it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, get_args, get_origin

import msgspec

from comptoir import __version__
from comptoir.access import ANYONE
from comptoir.api.answers import encode
from comptoir.api.calls import Call
from comptoir.api.failures import ErrorMessage
from comptoir.api.listing import Page
from comptoir.api.paging import Links
from comptoir.api.routing import Operation, Parameter
from comptoir.model import SHAPES, Shape

__all__ = ["document", "operation"]

_SCHEMAS = "#/components/schemas/"
_TEXTS = {
    400: "The request cannot be understood",
    401: "No valid API key was sent",
    404: "No such thing, or a data type that is not supported",
    405: "The method is not allowed here",
    409: "The thing is in a state that forbids this, or was not read yet",
    413: "The request body is too large",
    500: "An error of ours",
    503: "Not just now; Retry-After says when",
}
_IDS = ("companyId", "connectionId", "datasetId", "apiKeyId")


def operation(served: Iterable[Operation]) -> Operation:
    """The operation that answers the description; it needs no key."""
    described = tuple(served)

    @lru_cache(maxsize=8)
    def written(address: str) -> bytes:
        return encode(document(described, address))

    def handle(call: Call) -> bytes:
        return written(call.services.api_url)

    return Operation(
        id="get-openapi",
        method="GET",
        path="/openapi.json",
        tag="Description",
        summary="This description",
        permission=ANYONE,
        handle=handle,
        is_listed=False,
        is_quick=True,
    )


def document(operations: Iterable[Operation], address: str) -> dict[str, Any]:
    """The whole description, for a server at `address`."""
    listed = [one for one in operations if one.is_listed]
    paths: dict[str, dict[str, Any]] = {}
    for one in listed:
        paths.setdefault(one.path, {})[one.method.lower()] = _described(one)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Comptoir API", "version": __version__, "license": {"name": "Apache-2.0"}},
        "servers": [{"url": address}],
        "security": [{"apiKey": []}],
        "tags": [{"name": name} for name in dict.fromkeys(one.tag for one in listed)],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(_schemas(listed).items())),
            "securitySchemes": {
                "apiKey": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "`Basic ` and the API key in base64.",
                }
            },
        },
    }


def _described(one: Operation) -> dict[str, Any]:
    names = [part[1:-1] for part in one.path.split("/") if part.startswith("{")]
    fails = {413, 500, 503, *one.fails} if one.body is not None else {500, 503, *one.fails}
    fails |= set() if one.permission == ANYONE else {401}
    fails |= {404} if names else set()
    fails |= {400} if one.parameters or one.body is not None else set()
    found: dict[str, Any] = {
        "operationId": one.id,
        "tags": [one.tag],
        "summary": one.summary,
        "parameters": [_in_path(name) for name in names] + [_in_query(parameter) for parameter in one.parameters],
        "responses": {
            str(one.success): _success(one),
            **{str(status): _failure(status) for status in sorted(fails)},
        },
    }
    if one.body is not None:
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": _reference(one.body)}}}
    if one.permission == ANYONE:
        found["security"] = []
    return found


def _in_path(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string", "format": "uuid"} if name in _IDS else {"type": "string"}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _in_query(parameter: Parameter) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": parameter.kind}
    if parameter.least is not None:
        schema["minimum"] = parameter.least
    if parameter.most is not None:
        schema["maximum"] = parameter.most
    return {
        "name": parameter.name,
        "in": "query",
        "required": parameter.is_required,
        "description": parameter.text,
        "schema": schema,
    }


def _success(one: Operation) -> dict[str, Any]:
    if one.content_type != "application/json":
        return {"description": "Success", "content": {one.content_type: {"schema": {"type": "string"}}}}
    if one.answer is None:
        return {"description": "Success, without a body"}
    return {"description": "Success", "content": {"application/json": {"schema": _reference(one.answer)}}}


def _failure(status: int) -> dict[str, Any]:
    schema = {"$ref": f"{_SCHEMAS}ErrorMessage"}
    return {"description": _TEXTS[status], "content": {"application/json": {"schema": schema}}}


def _reference(answer: object) -> dict[str, Any]:
    if isinstance(answer, Page):
        return {"$ref": f"{_SCHEMAS}{_name(answer.item)}Page"}
    if get_origin(answer) is Mapping or get_origin(answer) is dict or get_origin(answer) is not None:
        return {"type": "object", "additionalProperties": {"$ref": f"{_SCHEMAS}{_name(get_args(answer)[1])}"}}
    if answer is bool:
        return {"type": "boolean"}
    return {"$ref": f"{_SCHEMAS}{_name(answer)}"}


def _name(item: object) -> str:
    """A schema's name: records carry a prefix, so that the company's details are not taken for a company of ours."""
    if isinstance(item, str):
        return f"Record.{SHAPES[item].type_word}"
    assert isinstance(item, type)
    return item.__name__


def _schemas(operations: Iterable[Operation]) -> dict[str, Any]:
    own = dict.fromkeys(_structs(operations))
    _, components = msgspec.json.schema_components([*own, ErrorMessage, Links], ref_template=_SCHEMAS + "{name}")
    found = dict(components)
    for shape in SHAPES.values():
        if not shape.is_statement:
            found |= _records(shape)
    for one in operations:
        if isinstance(one.answer, Page):
            found[f"{_name(one.answer.item)}Page"] = _page(one.answer)
    return {name: _plain(schema) for name, schema in found.items()}


def _structs(operations: Iterable[Operation]) -> Iterator[type]:
    for one in operations:
        for part in (one.answer, one.body):
            item = part.item if isinstance(part, Page) else get_args(part)[1] if get_origin(part) else part
            if isinstance(item, type) and issubclass(item, msgspec.Struct):
                yield item


def _records(shape: Shape) -> dict[str, Any]:
    """The schemas of a record type: the struct's own, and what the store adds to each document."""
    (_,), components = msgspec.json.schema_components([shape.struct], ref_template=_SCHEMAS + "Record.{name}")
    found = {f"Record.{name}": schema for name, schema in components.items()}
    record = found[f"Record.{shape.type_word}"]
    properties = dict(record["properties"])
    required = list(record.get("required", []))
    if shape.has_modified_date:
        properties["modifiedDate"] = {"type": "string", "format": "date-time"}
        required.append("modifiedDate")
    if shape.has_metadata:
        flag = {"type": "object", "properties": {"isDeleted": {"type": "boolean"}}, "required": ["isDeleted"]}
        properties["metadata"] = flag
        required.append("metadata")
    found[f"Record.{shape.type_word}"] = record | {"properties": properties, "required": required}
    return found


def _page(page: Page) -> dict[str, Any]:
    number = {"type": "integer", "minimum": 0}
    return {
        "type": "object",
        "properties": {
            "results": {"type": "array", "items": {"$ref": f"{_SCHEMAS}{_name(page.item)}"}},
            "pageNumber": number,
            "pageSize": number,
            "totalResults": number,
            "_links": {"$ref": f"{_SCHEMAS}Links"},
        },
        "required": ["results", "pageNumber", "pageSize", "totalResults", "_links"],
    }


def _plain(schema: Any) -> Any:
    """Decimals are written as numbers, not as text."""
    if isinstance(schema, dict):
        if schema.get("format") == "decimal":
            return {"type": "number"}
        return {name: _plain(part) for name, part in schema.items()}
    return [_plain(part) for part in schema] if isinstance(schema, list) else schema
