"""Whatever the published description allows to be sent, and what it does not, is answered and never with a 500.

A few requests each way here; COMPTOIR_TEST_REQUESTS=200 sends so many to every single operation.
"""

from __future__ import annotations

import json
import os
from typing import Any, cast

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.core import NOT_SET
from tests.api.conftest import Served, header

from comptoir.api import OPERATIONS

pytestmark = pytest.mark.slow

_REQUESTS = int(os.environ.get("COMPTOIR_TEST_REQUESTS", "0"))
_FEW = 4


def _chosen() -> list[str]:
    """All operations where many requests are wanted, else one of each way of being answered."""
    ways: dict[object, str] = {}
    for one in OPERATIONS:
        if one.is_listed:
            ways.setdefault(one.id if _REQUESTS else (one.handle.__module__, one.handle.__qualname__), one.id)
    return list(ways.values())


@pytest.fixture(scope="module")
def described(served: Served) -> dict[str, Any]:
    """Operations as the description that is published tells them, by their id."""
    schema = schemathesis.openapi.from_dict(json.loads(served.get("/openapi.json").text))
    found = (cast("Any", one).ok() for one in schema.get_all_operations())
    return {one.definition.raw["operationId"]: one for one in found}


@pytest.mark.parametrize("operation", _chosen())
def test_no_request_is_answered_with_a_500(served: Served, described: dict[str, Any], operation: str) -> None:
    known = {
        "companyId": served.company,
        "connectionId": served.connection,
        "dataType": "invoices",
        "platformKey": "fbrh",
    }
    modes = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
    cases = st.one_of([described[operation].as_strategy(generation_mode=mode) for mode in modes])

    @settings(
        max_examples=_REQUESTS or _FEW,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
        derandomize=not _REQUESTS,
        database=None,
    )
    @given(case=cases, is_known=st.booleans())
    def send(case: Any, is_known: bool) -> None:
        if is_known and case.method != "DELETE":  # what they name is still wanted
            case.path_parameters = {
                **case.path_parameters,
                **{k: v for k, v in known.items() if k in case.path_parameters},
            }
        body = None if case.body is NOT_SET else case.body
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        answer = served.client.request(
            case.method,
            f"/api{case.formatted_path}",
            params={str(name): str(value) for name, value in (case.query or {}).items()},
            headers={"Authorization": header(served.key), "Content-Type": "application/json"},
            content=content,
        )
        assert answer.status_code < 500 or answer.status_code == 501, (case.method, case.formatted_path, answer.text)

    send()
