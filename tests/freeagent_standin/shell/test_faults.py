"""Faults on demand, as a client meets them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from .conftest import Serve, Served


def test_a_status_is_answered_as_often_as_asked_for(served: Served) -> None:
    served.fault({"kind": "status", "status": 503}, list="notes", times=2)

    statuses = [served.get("notes").status_code for _ in range(3)]

    assert statuses == [503, 503, 200]
    assert served.control("GET", "faults")[0]["fired"] == 2


def test_the_nth_request_is_struck(served: Served) -> None:
    served.fault({"kind": "status", "status": 401}, path="notes", nth=2, times=1)

    assert [served.get("notes").status_code for _ in range(3)] == [200, 401, 200]


@pytest.mark.parametrize(
    ("match", "struck"),
    [
        ({"list": "notes"}, True),
        ({"list": "/v2/notes"}, True),
        ({"path": "notes"}, True),
        ({"path": "note"}, False),
        ({"pathRegex": "^/v2/n.t"}, True),
        ({"pathRegex": "^/v2/company"}, False),
        ({"method": "get"}, True),
        ({"method": "POST"}, False),
        ({"company": 1}, True),
        ({"company": 2}, False),
        ({"query": {"page": "2"}}, True),
        ({"query": {"page": "3"}}, False),
        ({"list": "notes", "query": {"page": "3"}}, False),
        ({"probability": 0}, False),
        ({}, True),
    ],
)
def test_only_what_matches_is_struck(served: Served, match: dict[str, Any], struck: bool) -> None:
    served.fault({"kind": "status", "status": 500}, **match)

    assert (served.get("notes?page=2&per_page=5").status_code == 500) is struck


@pytest.mark.parametrize(
    ("action", "status", "body"),
    [
        ({"kind": "status", "status": 401}, 401, "Access token not recognised"),
        ({"kind": "status", "status": 403}, 403, "errors"),
        ({"kind": "status", "status": 404}, 404, "errors"),
        ({"kind": "status", "status": 429}, 429, "You must not exceed"),
        ({"kind": "status", "status": 500, "body": "Oh no", "contentType": "text/plain"}, 500, "Oh no"),
        ({"kind": "html"}, 200, "<html>"),
        ({"kind": "html", "status": 502}, 502, "<html>"),
        ({"kind": "empty"}, 200, ""),
    ],
)
def test_what_is_answered_in_freeagents_place(served: Served, action: dict[str, Any], status: int, body: str) -> None:
    served.fault(action)

    answer = served.get("notes")

    assert answer.status_code == status
    assert body in answer.text


@pytest.mark.parametrize("retry_after", [None, 7])
def test_too_many_requests_with_and_without_retry_after(served: Served, retry_after: int | None) -> None:
    served.fault({"kind": "status", "status": 429, "retryAfter": retry_after})

    answer = served.get("notes")

    assert answer.headers.get("retry-after") == (None if retry_after is None else str(retry_after))


@pytest.mark.parametrize("after_bytes", [0, 10, 1_000_000])
def test_a_cut_body_ends_before_its_length(served: Served, after_bytes: int) -> None:
    served.fault({"kind": "cut", "afterBytes": after_bytes}, times=1)

    with pytest.raises(httpx.RemoteProtocolError):
        served.get("notes")
    assert served.get("notes").status_code == 200


def test_a_reset_connection_fails_and_the_next_one_works(served: Served) -> None:
    served.fault({"kind": "reset"}, times=1)

    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        served.get("notes")
    assert served.get("notes").status_code == 200
    assert served.control("GET", "counters")["connectionsBroken"] == 1


def test_a_stalled_body_arrives_whole_in_the_end(served: Served) -> None:
    whole = served.get("notes").content
    served.fault({"kind": "stall", "seconds": 0.1, "afterBytes": 10})

    began = time.monotonic()
    answer = served.get("notes")

    assert answer.content == whole
    assert time.monotonic() - began >= 0.1


def test_a_stall_longer_than_a_client_waits_is_a_time_out(served: Served) -> None:
    served.fault({"kind": "stall", "seconds": 60})
    headers = {"Authorization": f"Bearer {served.token}", "User-Agent": "test"}

    with pytest.raises(httpx.ReadTimeout):
        httpx.get(f"{served.url}/v2/notes", headers=headers, timeout=0.1)


def test_a_true_body_under_a_wrong_content_type(served: Served) -> None:
    served.fault({"kind": "contentType", "contentType": "text/html"})

    answer = served.get("notes")

    assert answer.headers["content-type"] == "text/html"
    assert answer.json()["notes"]


def test_headers_can_be_set_and_dropped(served: Served) -> None:
    served.fault({"kind": "headers", "set": {"Link": '<x>; rel="next"'}, "drop": ["X-Total-Count"]})

    answer = served.get("notes")

    assert answer.headers["link"] == '<x>; rel="next"'
    assert "x-total-count" not in answer.headers


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        ({"record": 2, "set": {"text": None}}, lambda notes: notes[1]["text"] is None and notes[0]["text"] == "note 1"),
        ({"index": 0, "set": {"a": 1}}, lambda notes: notes[0]["a"] == 1 and "a" not in notes[1]),
        ({"set": {"a": [1, 2]}}, lambda notes: all(note["a"] == [1, 2] for note in notes)),
        ({"record": "2", "drop": ["text"]}, lambda notes: "text" not in notes[1] and "text" in notes[0]),
        ({"index": 1, "replace": None}, lambda notes: notes[1] is None),
        ({"index": 1, "replace": "what"}, lambda notes: notes[1] == "what"),
        ({"record": 1, "remove": True}, lambda notes: len(notes) == 11 and notes[0]["text"] == "note 2"),
        ({"insert": {"url": "x"}}, lambda notes: len(notes) == 13 and notes[-1] == {"url": "x"}),
        ({"index": 0, "set": {"nowhere.deep": 1}}, lambda notes: "nowhere" not in notes[0]),
    ],
)
def test_records_can_be_spoilt(served: Served, patch: dict[str, Any], expected: Callable[[Any], bool]) -> None:
    served.fault({"kind": "patch", **patch})

    assert expected(served.get("notes").json()["notes"])


def test_bytes_no_json_writer_would_write(served: Served) -> None:
    served.fault({"kind": "bytes", "find": '"note 1"', "put": "1E+400"})

    assert b'"text": 1E+400' in served.get("notes").content


def test_faults_add_up(served: Served) -> None:
    served.fault({"kind": "latency", "seconds": 0.05})
    served.fault({"kind": "status", "status": 502}, times=1)
    served.fault({"kind": "contentType", "contentType": "text/plain"})

    answer = served.get("notes")

    assert answer.status_code == 502
    assert answer.headers["content-type"] == "text/plain"
    assert answer.elapsed.total_seconds() >= 0.05


def test_a_token_endpoint_that_fails_and_one_whose_answer_is_lost(served: Served) -> None:
    pair = served.app("https://a.example/cb")
    state = served.standin.state
    code = state.add_code(
        client_id=pair[0], redirect_uri="https://a.example/cb", company_id=1, user_id=101, expires_at=4e9
    )
    form = {"grant_type": "authorization_code", "code": code.value, "redirect_uri": "https://a.example/cb"}
    served.fault({"kind": "status", "status": 500}, path="token_endpoint", grantType="refresh_token", times=1)
    served.fault({"kind": "loseAnswer"}, path="token_endpoint", grantType="refresh_token", nth=2, times=1)
    first = served.token_call(pair, **form).json()["refresh_token"]
    renew = {"grant_type": "refresh_token", "refresh_token": first}

    failed = served.token_call(pair, **renew)
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        served.token_call(pair, **renew)
    spent = served.token_call(pair, **renew)

    assert failed.status_code == 500
    assert spent.json()["error"] == "invalid_grant"  # the token was rotated, though nobody heard


def test_chance_strikes_the_same_calls_whatever_is_asked_in_between(serve: Serve) -> None:
    def struck(*, is_backwards: bool) -> dict[str, list[int]]:
        served = serve(limits="off")
        served.fault({"kind": "status", "status": 502}, probability=0.4)
        paths = [f"notes?page={number}&account={served.url}/v2/notes/1" for number in range(1, 9)]
        statuses: dict[str, list[int]] = {}
        for path in (paths[::-1] if is_backwards else paths) * 4:
            statuses.setdefault(path.removesuffix(f"{served.url}/v2/notes/1"), []).append(served.get(path).status_code)
        return statuses

    forwards = struck(is_backwards=False)

    assert {status for each in forwards.values() for status in each} == {200, 502}
    assert len({tuple(each) for each in forwards.values()}) > 3
    assert struck(is_backwards=True) == forwards


def test_faults_are_cleared_one_by_one_or_all(served: Served) -> None:
    first, second = served.control(
        "POST", "faults", [{"action": {"kind": "empty"}}, {"action": {"kind": "html", "status": 500}}]
    )

    served.control("DELETE", f"faults/{first['id']}")
    with_the_second = served.get("notes").status_code
    cleared = served.control("DELETE", "faults")
    without = served.get("notes").status_code

    assert second["action"]["kind"] == "html"
    assert (with_the_second, cleared, without) == (500, {"cleared": 1}, 200)


@pytest.mark.parametrize(
    "fault",
    [
        {"action": {"kind": "nonsense"}},
        {"action": {"kind": "status"}},
        {"action": {"kind": "status", "status": 999}},
        {"action": {"kind": "empty"}, "match": {"pathRegex": "("}},
        {"action": {"kind": "empty"}, "match": {"pth": "notes"}},
        "nonsense",
    ],
)
def test_what_is_no_fault_is_refused_with_a_sentence(served: Served, fault: object) -> None:
    answer = httpx.post(f"{served.url}/control/faults", json=fault)

    assert answer.status_code == 400
    assert answer.json()["error"].endswith(".")
    assert served.control("GET", "faults") == []
