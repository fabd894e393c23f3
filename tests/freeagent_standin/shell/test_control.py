"""The control address: counters, counts, changes, the clock."""

from __future__ import annotations

import httpx
import pytest

from .conftest import READY_TOKEN, Serve, Served


def test_counters_tell_what_was_served(serve: Serve) -> None:
    served = serve(limits="5/60,100/3600,15/60")
    for page in (1, 2, 3):
        served.get(f"notes?page={page}&per_page=5")
    served.get("company")
    served.get("notes/1", token="wrong")
    served.get("company")
    served.get("company")

    counters = served.control("GET", "counters")

    assert counters["requests"] == 7
    assert counters["byResource"]["notes"] == {"requests": 4, "records": 12, "byStatus": {"200": 3, "401": 1}}
    assert counters["byResource"]["company"]["byStatus"] == {"200": 2, "429": 1}
    assert counters["byStatus"] == {"200": 5, "401": 1, "429": 1}
    assert counters["tooManyRequests"] == 1
    assert counters["byCompany"] == {"1": 6}
    assert list(counters["peaks"]["callsPerMinute"].values()) == [6]
    assert counters["peaks"]["inFlight"] == 1


def test_counters_count_from_nothing_after_a_reset(served: Served) -> None:
    served.get("company")

    served.control("POST", "reset")

    assert served.control("GET", "counters")["requests"] == 0


def test_counts_tell_what_there_is_in_each_company(serve: Serve) -> None:
    served = serve(companies=2)

    served.control("POST", "mutate", {"company": 2, "do": "add", "resource": "notes"})

    assert served.control("GET", "counts") == {"1": {"notes": 12, "users": 2}, "2": {"notes": 13, "users": 2}}


def test_changes_to_the_books_are_served_at_once(served: Served) -> None:
    added = served.control("POST", "mutate", {"do": "add", "resource": "notes", "text": "new"})
    both = served.control(
        "POST",
        "mutate",
        [{"do": "delete", "resource": "notes", "id": 1}, {"do": "delete", "resource": "notes", "id": 2}],
    )

    notes = served.get("notes").json()["notes"]
    assert added == {"id": 13, "url_path": "notes/13"}
    assert [one["id"] for one in both] == [1, 2]
    assert (notes[0]["text"], notes[-1]["text"], len(notes)) == ("note 3", "new", 11)


def test_business_done_for_days_makes_it_that_much_later(served: Served) -> None:
    served.control("POST", "mutate", {"do": "advance", "days": 90})

    assert served.control("GET", "clock")["now"].startswith("2026-06-29T12:30")


def test_the_clock_is_set_moved_and_scaled(served: Served) -> None:
    moved = served.control("POST", "clock", {"advanceSeconds": 3600})
    put = served.control("POST", "clock", {"set": "2027-01-01T00:00:00Z", "timeScale": 2})

    assert moved["now"].startswith("2026-03-31T13:30")
    assert put["now"].startswith("2027-01-01T00:00:0")
    assert put["timeScale"] == 2


def test_drift_changes_a_list_between_its_pages(serve: Serve) -> None:
    served = serve(page_drift=True)

    first = served.get("notes?per_page=5").json()["notes"]
    second = served.get("notes?page=2&per_page=5").json()["notes"]
    again = served.get("notes?per_page=50").json()["notes"]

    assert [note["text"] for note in first] == [f"note {n}" for n in range(1, 6)]
    assert second[0]["text"] == "note 7"  # note 6 moved to page 1 meanwhile, where nobody looks again
    assert any(note["text"].startswith("added") for note in again)
    assert served.control("GET", "counters")["pageDrifts"] == 2


def test_drift_so_many_times_and_no_more(serve: Serve) -> None:
    served = serve()
    served.control("POST", "settings", {"pageDrift": 1})

    for _ in range(3):
        served.get("notes?per_page=5")

    assert served.control("GET", "counters")["pageDrifts"] == 1
    assert served.control("GET", "settings")["pageDrift"] == 0


def test_issued_secrets_are_listed_so_that_leaks_can_be_looked_for(served: Served) -> None:
    _, secret = served.app("https://a.example/cb")

    assert served.control("GET", "issued")["clientSecrets"] == [secret]


def test_users_are_listed_with_their_levels(served: Served) -> None:
    users = served.control("GET", "users")["1"]

    assert [(user["email"], user["permissionLevel"]) for user in users] == [
        ("olive@example.com", 8),
        ("tim@example.com", 1),
    ]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "mutate", {"do": "dance"}, 400),
        ("POST", "mutate", "dance", 400),
        ("POST", "mutate", {"company": 9, "do": "add", "resource": "notes"}, 400),
        ("POST", "clock", {"advance": 1}, 400),
        ("POST", "clock", {"timeScale": 0}, 400),
        ("POST", "clock", {"timeScale": 1e300}, 400),
        ("POST", "clock", {"advanceSeconds": 1e18}, 400),
        ("POST", "clock", {"advanceSeconds": -1e12}, 400),
        ("POST", "clock", {"set": "9999-12-31T23:59:59Z"}, 400),
        ("POST", "settings", {"latency": -1}, 400),
        ("POST", "settings", {"pageDrift": -1}, 400),
        ("POST", "settings", {"missingUserAgentStatus": 9999}, 400),
        ("POST", "settings", {"accessTokenSeconds": 0}, 400),
        ("POST", "settings", {"limits": "1/60"}, 400),
        ("POST", "settings", {"refresh": "sometimes"}, 400),
        ("POST", "users", {"user": "nobody@example.com", "permissionLevel": 3}, 400),
        ("POST", "users", {"user": 101, "permissionLevel": 9}, 400),
        ("POST", "close", {"company": 9}, 400),
        ("POST", "revoke", {"token": "unknown"}, 400),
        ("POST", "nowhere", {}, 404),
        ("DELETE", "clock", {}, 405),
    ],
)
def test_nonsense_is_refused_with_a_sentence(served: Served, method: str, path: str, body: object, status: int) -> None:
    answer = httpx.request(method, f"{served.url}/control/{path}", json=body)

    assert answer.status_code == status
    assert answer.json()["error"].endswith(".")


def test_what_is_nested_too_deep_is_refused(served: Served) -> None:
    answer = httpx.post(f"{served.url}/control/mutate", content=b"[" * 100_000)

    assert answer.status_code == 400
    assert "too deep" in answer.json()["error"]


def test_only_this_machine_and_no_other_site_may_use_it(served: Served) -> None:
    from_a_site = httpx.post(f"{served.url}/control/reset", headers={"Origin": "https://evil.example"})
    through_a_proxy = httpx.post(f"{served.url}/control/reset", headers={"X-Forwarded-For": "203.0.113.7"})

    assert (from_a_site.status_code, through_a_proxy.status_code) == (403, 403)


def test_the_control_address_tells_what_it_knows(served: Served) -> None:
    known = served.control("GET", "")

    assert known["counters"] == ["GET"]
    assert known["faults"] == ["DELETE", "GET", "POST"]


def test_each_company_has_its_own_peak(serve: Serve) -> None:
    served = serve(companies=2)

    for company in (1, 2, 2):
        served.get("company", token=f"{READY_TOKEN}{company}")

    peaks = served.control("GET", "counters")["peaks"]
    assert sorted(peaks["callsPerMinute"].values()) == [1, 2]
    assert list(peaks["callsPerMinuteByAddress"].values()) == [3]
