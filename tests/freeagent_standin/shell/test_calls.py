"""Calls below /v2: who may call, what every answer carries, and the limits."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

import httpx
import pytest

from .conftest import NOON, READY_TOKEN, Serve, Served


def test_a_call_with_a_good_token_is_answered_with_the_usual_headers(served: Served) -> None:
    answer = served.get("notes")

    assert answer.status_code == 200
    assert answer.headers["x-total-count"] == "12"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["etag"].startswith('W/"')
    assert answer.headers["x-request-id"]
    assert answer.json()["notes"][0]["url"] == f"{served.url}/v2/notes/1"


@pytest.mark.parametrize("header", [None, "Bearer nonsense", "Basic abc", "Bearer"])
def test_a_call_without_a_live_token_is_told_so_in_freeagents_words(served: Served, header: str | None) -> None:
    headers = {"User-Agent": "test"} | ({"Authorization": header} if header else {})

    answer = httpx.get(f"{served.url}/v2/company", headers=headers)

    assert answer.status_code == 401
    assert answer.content == b'{"errors":{"error":{"message":"Access token not recognised"}}}'


def test_a_call_without_user_agent_is_refused_unless_told_otherwise(served: Served) -> None:
    refused = served.get("company", headers={"User-Agent": ""})
    served.control("POST", "settings", {"missingUserAgentStatus": 406})
    refused_differently = served.get("company", headers={"User-Agent": ""})
    served.control("POST", "settings", {"missingUserAgentStatus": None})
    let_through = served.get("company", headers={"User-Agent": ""})

    assert [one.status_code for one in (refused, refused_differently, let_through)] == [400, 406, 200]


def test_the_date_header_is_the_stand_ins_own_clock(served: Served) -> None:
    first = parsedate_to_datetime(served.get("company").headers["date"])
    served.control("POST", "clock", {"advanceSeconds": 86_400})
    second = parsedate_to_datetime(served.get("company").headers["date"])

    assert 0 <= (first - NOON).total_seconds() < 60
    assert 86_400 <= (second - first).total_seconds() < 86_460


def test_addresses_of_records_are_on_the_host_that_was_called(served: Served) -> None:
    port = served.url.rsplit(":", 1)[1]

    answer = httpx.get(
        f"http://localhost:{port}/v2/notes", headers={"Authorization": f"Bearer {served.token}", "User-Agent": "test"}
    )

    assert answer.json()["notes"][0]["url"].startswith(f"http://localhost:{port}/v2/")


def test_a_host_that_could_not_stand_in_an_address_is_refused(served: Served) -> None:
    answer = served.get("notes", headers={"Host": 'evil"><script>'})

    assert answer.status_code == 400


@pytest.mark.parametrize(
    "path",
    [
        "//v2/company",
        "/v2//company",
        "/v2/company/",
        "/v2/token_endpoint/",
        "//v2/approve_app/",
    ],
)
def test_slashes_too_many_are_overlooked(served: Served, path: str) -> None:
    right = f"{served.url}/" + "/".join(part for part in path.split("/") if part)
    headers = {"Authorization": f"Bearer {served.token}", "User-Agent": "test"}

    asked, usual = (served._http.get(address, headers=headers) for address in (served.url + path, right))

    assert (asked.status_code, asked.content) == (usual.status_code, usual.content)


def test_it_answers_as_a_proxy_in_front_of_freeagents_own_host(served: Served) -> None:
    headers = {"Authorization": f"Bearer {served.token}", "User-Agent": "test"}
    with httpx.Client(proxy=served.url, trust_env=False) as client:
        answer = client.get("http://api.freeagent.com/v2/notes", headers=headers)

    assert answer.json()["notes"][0]["url"] == "http://api.freeagent.com/v2/notes/1"


def test_a_bug_is_answered_500_and_reported(served: Served, capfd: pytest.CaptureFixture[str]) -> None:
    answer = served.get("boom")

    assert answer.status_code == 500
    assert "errors" in answer.json()
    assert "RuntimeError: a bug" in capfd.readouterr().err


def test_the_minutes_limit_answers_plain_text_until_the_next_minute(serve: Serve) -> None:
    served = serve(limits="3/60,100/3600,15/60")

    statuses = [served.get("company").status_code for _ in range(4)]
    refused = served.get("company")
    served.control("POST", "clock", {"advanceSeconds": int(refused.headers["retry-after"])})
    after = served.get("company")

    assert statuses == [200, 200, 200, 429]
    assert refused.text == "You must not exceed 3 requests per 60 seconds"
    assert refused.headers["content-type"].startswith("text/plain")
    assert 1 <= int(refused.headers["retry-after"]) <= 45  # the clock began at 15 seconds past the minute
    assert after.status_code == 200


def test_the_hours_limit_waits_for_the_hour(serve: Serve) -> None:
    served = serve(limits="100/60,2/3600,15/60")

    statuses = [served.get("company").status_code for _ in range(3)]
    refused = served.get("company")

    assert statuses == [200, 200, 429]
    assert refused.text == "You must not exceed 2 requests per 3600 seconds"
    assert 60 < int(refused.headers["retry-after"]) <= 1785


def test_windows_are_each_companys_own_and_the_addresss_is_everybodys(serve: Serve) -> None:
    served = serve(limits="2/60,100/3600,15/60,5/60", companies=3)

    by_company = [
        [served.get("company", token=f"{READY_TOKEN}{company}").status_code for _ in range(3)] for company in (1, 2, 3)
    ]

    # A refused call uses up nothing: two and two go through, and one more from this address.
    assert by_company == [[200, 200, 429], [200, 200, 429], [200, 429, 429]]


@pytest.mark.parametrize("truthy", ["true", "1", "yes"])
def test_the_test_header_lowers_the_limit_to_five(serve: Serve, truthy: str) -> None:
    served = serve(limits="120/60,3600/3600,15/60")

    statuses = [served.get("company", headers={"X-RateLimit-Test": truthy}).status_code for _ in range(6)]
    plain = served.get("company", headers={"X-RateLimit-Test": "false"})

    assert statuses == [200] * 5 + [429]
    assert plain.status_code == 200


def test_a_scaled_clock_scales_the_windows(serve: Serve) -> None:
    served = serve(limits="1/60,1000/3600,15/60", scale=600)

    assert served.get("company").status_code == 200
    while served.get("company").status_code == 429:
        pass  # a minute passes in a tenth of a second
    assert served.control("GET", "clock")["timeScale"] == 600


def test_changing_limits_while_it_runs(serve: Serve) -> None:
    served = serve(limits="1/60,100/3600,15/60")
    served.get("company")

    refused = served.get("company")
    served.control("POST", "settings", {"limits": "off"})
    let_through = served.get("company")

    assert (refused.status_code, let_through.status_code) == (429, 200)


def test_latency_is_waited_before_each_answer(serve: Serve) -> None:
    served = serve(latency_seconds=0.05)

    answer = served.get("company")

    assert answer.elapsed.total_seconds() >= 0.05


def test_a_head_request_is_answered_without_a_body(served: Served) -> None:
    headers = {"Authorization": f"Bearer {served.token}", "User-Agent": "test"}

    answer = httpx.head(f"{served.url}/v2/notes", headers=headers)

    assert answer.status_code == 200
    assert answer.content == b""
    assert int(answer.headers["content-length"]) > 0
