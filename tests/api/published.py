"""The published OpenAPI files, as schemas that answers can be checked against."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator, ValidationError
from tests.integrations.shared import SHARED
from tests.integrations.test_schemas import _mended

_FILES = {"platform": "codat-platform.json", "accounting-2023": "codat-accounting-2023.json"}


@cache
def document(api: str) -> Any:
    """One of the two files by the name that operations.csv has for it, slips mended, null allowed where they say so."""
    text = (SHARED / "contract" / _FILES[api]).read_text(encoding="utf-8")
    whole = _nullable(_mended(json.loads(text)))
    schemas = whole["components"]["schemas"]
    # Slips of the files, written down where the contract speaks of them or where they contradict their own examples.
    if api == "platform":
        schemas["Integration"]["definitions"]["dataTypeFeature"]["required"] = ["dataType", "supportedFeatures"]
        schemas["PagingInfo"]["properties"]["pageSize"].pop("maximum")  # 5000 may be asked for
        whole["paths"]["/apiKeys/{apiKeyId}"]["delete"]["responses"]["204"] = {"description": "No content"}
    else:
        payments = schemas["Payments"]["allOf"][0]["properties"]["results"]
        payments["items"] = {"$ref": "#/components/schemas/Payment"}  # it names itself
    return whole


def _nullable(node: Any) -> Any:
    """OpenAPI 3.0's `nullable`, which these files use, in the words of JSON Schema."""
    if isinstance(node, list):
        return [_nullable(one) for one in node]
    if not isinstance(node, dict):
        return node
    made = {name: _nullable(held) for name, held in node.items()}
    if made.get("nullable") is not True:
        return made
    if "$ref" in made:
        return {"anyOf": [{"type": "null"}, {"$ref": made["$ref"]}]}
    # Widened where it stands: other schemas point into it.
    kinds = made.get("type", [])
    made["type"] = [*([kinds] if isinstance(kinds, str) else kinds), "null"]
    return made | ({"enum": [*made["enum"], None]} if "enum" in made else {})


def responses(api: str, method: str, path: str) -> dict[str, Any]:
    """The documented answers of an operation by status, references followed."""
    whole = document(api)
    found: dict[str, Any] = {}
    for status, response in whole["paths"][path][method.lower()]["responses"].items():
        if "$ref" in response:
            response = whole["components"]["responses"][response["$ref"].rsplit("/", 1)[-1]]
        found[status] = response
    return found


def breaches(api: str, response: dict[str, Any], body: Any) -> list[str]:
    """How a body differs from the schema of a documented answer; one that has no schema must have no body."""
    schema = response.get("content", {}).get("application/json", {}).get("schema")
    if schema is None:
        return [] if body is None else ["there is a body where none is documented"]
    # The whole document around it: schemas point anywhere into it.
    return [_told(error) for error in Draft202012Validator({**document(api), "allOf": [schema]}).iter_errors(body)]


def error_breaches(body: Any) -> list[str]:
    """How a body differs from the one form of errors."""
    root = {**document("platform"), "$ref": "#/components/schemas/ErrorMessage"}
    return [_told(error) for error in Draft202012Validator(root).iter_errors(body)]


def _told(error: ValidationError) -> str:
    return f"{error.json_path}: {error.message[:200]}"
