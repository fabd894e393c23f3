"""Runs in an official SDK's own environment and calls it as its users do: one call a line in, one outcome a line out.

    python driver.py codat_platform CodatPlatform http://127.0.0.1:8000/api "Basic ..."
    {"call": "companies.get", "request": {"company_id": "..."}}

Imports nothing of ours and nothing of the tests: it is started where neither is installed.
"""

from __future__ import annotations

import importlib
import json
import sys
import warnings
from typing import Any

# Long enough for a busy machine; what is slow is measured elsewhere.
_TIMEOUT_MS = 60_000


def main(package: str, client: str, address: str, authorization: str) -> None:
    warnings.simplefilter("error", UserWarning)  # how pydantic tells of values that are not what a model says
    shared = importlib.import_module(f"{package}.models.shared")
    # Without retries: an answer that asks for one would be tried for an hour.
    sdk = getattr(importlib.import_module(package), client)(
        security=shared.Security(auth_header=authorization),
        server_url=address,
        retry_config=None,
        timeout_ms=_TIMEOUT_MS,
    )
    for line in sys.stdin:
        print(json.dumps(_outcome(sdk, **json.loads(line))), flush=True)  # noqa: T201 - the one way back


def _outcome(sdk: Any, call: str, **arguments: Any) -> dict[str, Any]:
    method = sdk
    for name in call.split("."):
        method = getattr(method, name)
    try:
        answer = method(**arguments)
    except Exception as error:  # whatever an SDK raises is the outcome
        return {"raised": type(error).__name__, "said": str(error)[:4000], "data": _plain(getattr(error, "data", None))}
    return {"answer": _plain(answer)}


def _plain(value: Any) -> Any:
    if hasattr(value, "iter_bytes"):  # a download
        return {"bytes": len(value.read())}
    return value.model_dump(mode="json", by_alias=True) if hasattr(value, "model_dump") else value


main(*sys.argv[1:])
