"""Tokens are renewed once, nothing is lost on the way, and what cannot be rescued asks for a new approval."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.conftest import opened
from tests.link.conftest import HouseOf
from tests.link.house import TOKENS, House, Process, a_secret
from tests.sync.standin import StandIn

from comptoir.errors import ProductError, RelinkRequired, SetupRequired, TryLater, UpstreamChanged
from comptoir.integrations.freeagent import FREEAGENT
from comptoir.link import TokenKeeper, lifecycle
from comptoir.link.endpoint import read
from comptoir.store.connections import ConnectionStatus
from comptoir.upstream import Limits

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
RENEWED = "to renew them, with the app's secret"


@contextmanager
def _while_it_waits(house: House, work: Callable[[], str], **match: Any) -> Iterator[Future[str]]:
    """Do something while `work` waits for the token endpoint."""
    fault = house.standin.fault(TOKENS | match, "latency", seconds=0.5)
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(work)
        while not any(one["fired"] for one in house.standin.told("GET", "faults") if str(one["id"]) == fault):
            pass
        yield waiting


# Openings


def test_each_time_that_tokens_are_opened_stands_in_the_trail(house_on_each: House) -> None:
    house = house_on_each
    house.linked()

    house.token()
    assert house.openings() == ["to read with them"]

    house.token()  # what is held is not opened again
    assert house.call() == 200
    assert house.openings() == ["to read with them"]

    house.expire()
    house.token()
    assert house.openings() == [RENEWED, "to read with them"]

    house.another_keeper().access_token(house.connection())  # another process
    assert house.openings() == ["to read with them", RENEWED, "to read with them"]


def test_tokens_that_are_refused_were_opened_all_the_same(house: House, standin: StandIn) -> None:
    house.linked()
    house.expire()
    standin.fault(TOKENS, "status", status=400, body='{"error": "invalid_grant"}')

    with pytest.raises(RelinkRequired):
        house.token()

    assert house.openings() == [RENEWED]


# Once


def test_many_threads_at_one_expiry_cause_one_refresh(house_on_each: House) -> None:
    house = house_on_each
    house.linked()
    house.expire()
    start = threading.Barrier(12)

    def ask(_: int) -> str:
        start.wait()
        return house.token()

    with ThreadPoolExecutor(12) as threads:
        tokens = set(threads.map(ask, range(12)))

    assert tokens == {house.held().access_token}
    assert house.refreshes() == 1


def test_a_token_that_is_refused_everywhere_is_renewed_once(house: House) -> None:
    house.linked()
    house.standin.advance(2 * 3600)  # it has ended there, and nobody here knows
    start = threading.Barrier(8)

    def call(_: int) -> int:
        start.wait()
        return house.call()

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(call, range(8))) == {200}

    assert house.refreshes() == 1


@pytest.mark.slow
def test_several_processes_at_one_expiry_cause_one_refresh(
    postgres_url: str, house_of: HouseOf, standin: StandIn
) -> None:
    db = opened(postgres_url)
    house = house_of(db)
    house.linked()
    house.put(refresh_token=house.held().refresh_token, previous=None)
    standin.fault(TOKENS, "latency", seconds=0.5)  # all of them are there before the first is answered
    processes = [Process(postgres_url, house) for _ in range(8)]

    for one in processes:
        one.go()
    ended = [one.ended() for one in processes]

    assert ended == [(house.held().access_token, 0)] * 8
    assert house.refreshes() == 1
    assert house.asked() == 2  # and the exchange of the code
    db.close()


def test_those_who_waited_for_a_failure_do_not_try_at_once_again(house: House, standin: StandIn) -> None:
    house.linked()
    house.expire()
    standin.reset()
    standin.fault(TOKENS, "latency", seconds=0.3)
    standin.fault(TOKENS, "status", status=503)
    start = threading.Barrier(6)

    def fail(_: int) -> bool:
        start.wait()
        with pytest.raises(TryLater):
            house.token()
        return True

    with ThreadPoolExecutor(6) as threads:
        assert all(threads.map(fail, range(6)))

    assert house.asked() == 1


def test_a_token_is_used_nearly_to_its_end_however_short_its_life(house: House, standin: StandIn) -> None:
    standin.set(accessTokenSeconds=30)
    house.linked()
    standin.reset()

    assert [house.call() for _ in range(5)] == [200] * 5

    assert house.refreshes() == 0


# Killed in the middle


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["strict", "lenient"])
@pytest.mark.parametrize("place", ["begun", "answered", "saved", "taken"])
def test_a_process_killed_while_it_renews_leaves_what_can_be_gone_on_with(
    migrated_sqlite_url: str, house_of: HouseOf, standin: StandIn, mode: str, place: str
) -> None:
    db = opened(migrated_sqlite_url)
    house = house_of(db)
    house.linked()
    house.put(refresh_token=house.held().refresh_token, previous=None)
    db.close()
    standin.set(refresh=mode)
    standin.reset()
    process = Process(migrated_sqlite_url, house, f"tokens.{place}=crash")
    process.go()
    assert process.ended() == ("", -9)

    house.db = opened(migrated_sqlite_url)
    house.keeper = house.another_keeper()
    if place == "answered" and mode == "strict":  # the answer was lost with the process, and was the only one
        with pytest.raises(RelinkRequired, match="cut off before its answer was here"):
            house.token()
        assert house.asked() == 2
    else:
        assert house.call() == 200
        assert house.refreshes() == {"begun": 1, "answered": 2, "saved": 1, "taken": 1}[place]
    house.db.close()


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["strict", "lenient"])
def test_a_process_killed_while_it_waits_for_the_answer(
    postgres_url: str, house_of: HouseOf, standin: StandIn, mode: str
) -> None:
    db = opened(postgres_url)
    house = house_of(db)
    house.linked()
    house.put(refresh_token=house.held().refresh_token, previous=None)
    standin.set(refresh=mode)
    standin.reset()
    standin.fault(TOKENS | {"times": 1}, "stall", seconds=20)
    process = Process(postgres_url, house)
    process.go()
    while not standin.counters()["tokens"]["refreshes"]:
        pass
    process.kill()

    if mode == "strict":
        with pytest.raises(RelinkRequired, match="approve again"):
            house.token()
    else:
        assert house.call() == 200
    db.close()


# The refresh token before


def test_the_former_refresh_token_is_kept_until_the_new_access_token_has_worked(house_on_each: House) -> None:
    house = house_on_each
    house.linked()
    former = house.held().refresh_token
    house.expire()

    house.token()

    assert house.held().previous_refresh_token == former
    assert house.held().refresh_token != former
    assert house.call() == 200
    assert house.held().previous_refresh_token is None


def test_a_new_refresh_token_that_never_reached_us_is_made_up_for_by_the_former(house: House, standin: StandIn) -> None:
    standin.set(refresh="lenient")
    house.linked()
    house.put(refresh_token="never-heard-of", previous=house.held().refresh_token)
    standin.reset()

    assert house.call() == 200

    assert house.asked() == 2


def test_the_former_is_tried_once_and_then_a_new_approval_is_asked_for(house: House, standin: StandIn) -> None:
    house.linked()
    house.put(refresh_token="never-heard-of", previous="nor-of-this")
    standin.reset()

    with pytest.raises(RelinkRequired, match="open the Link URL and approve again"):
        house.token()

    assert house.asked() == 2


@pytest.mark.parametrize("mode", ["strict", "lenient"])
def test_a_lost_answer_is_asked_for_once_more(house: House, standin: StandIn, mode: str) -> None:
    house.linked()
    house.expire()
    standin.set(refresh=mode)
    standin.fault(TOKENS | {"times": 1}, "loseAnswer")

    with pytest.raises(TryLater):
        house.token()
    assert house.connection().status is ConnectionStatus.LINKED

    if mode == "strict":
        with pytest.raises(RelinkRequired, match="cut off before its answer was here"):
            house.token()
    else:
        assert house.call() == 200


# The token endpoint in trouble


_TROUBLE: dict[str, tuple[str, dict[str, Any]]] = {
    "an error": ("status", {"status": 500}),
    "down": ("status", {"status": 503, "retryAfter": 90}),
    "a limit for long": ("status", {"status": 429, "retryAfter": 3600}),
    "a page of HTML": ("html", {}),
    "a page that says 400": ("html", {"status": 400}),
    "a page that says 401": ("html", {"status": 401}),
    "nothing": ("empty", {}),
    "no bytes of ours": ("status", {"status": 200, "body": "\x00\x1f{not json"}),
    "JSON without tokens": ("status", {"status": 200, "body": '{"access_token": 7}'}),
    "a list": ("status", {"status": 200, "body": "[]"}),
    "an OAuth error of the server": ("status", {"status": 400, "body": '{"error": "temporarily_unavailable"}'}),
    "a redirect": ("status", {"status": 302, "headers": {"Location": "http://127.0.0.1:9/v2/token_endpoint"}}),
    "a reset": ("reset", {}),
}


@pytest.mark.parametrize("trouble", _TROUBLE)
def test_a_token_endpoint_in_trouble_leaves_the_connection_linked_and_heals(
    house: House, standin: StandIn, trouble: str
) -> None:
    house.linked()
    house.expire()
    refresh_token = house.held().refresh_token
    kind, action = _TROUBLE[trouble]
    standin.fault(TOKENS, kind, **action)

    for _ in range(2):
        with pytest.raises(TryLater) as caught:
            house.token()

    assert "tried again" in caught.value.message or "could not be reached" in caught.value.message
    assert caught.value.retry_after_seconds == action.get("retryAfter")
    assert house.connection().status is ConnectionStatus.LINKED
    assert house.held().refresh_token == refresh_token
    assert house.alarm() is None
    standin.heal()
    assert house.call() == 200


def test_a_token_endpoint_that_stalls_is_given_up_at_the_deadline(house: House, standin: StandIn) -> None:
    house.linked()
    house.expire()
    standin.fault(TOKENS, "stall", seconds=20)
    house.give_up_after(idle_seconds=0.5)

    with pytest.raises(TryLater, match="did not answer in time"):
        house.token()


def test_a_short_limit_of_refreshes_is_waited_out(house: House, standin: StandIn) -> None:
    house.linked()
    house.expire()
    standin.fault(TOKENS | {"times": 1}, "status", status=429, retryAfter=1)

    assert house.call() == 200


def test_no_more_refreshes_are_made_than_the_limit_allows(house: House, standin: StandIn) -> None:
    """At sixty times the speed, so that a minute takes a second."""
    house.linked()
    standin.set(limits="1000/60,10000/3600,3/60")
    limits = Limits(house.clock, calls=None, refreshes=(3, 60), address=None, time_scale=60)
    standin.told("POST", "clock", {"timeScale": 60})
    keeper = TokenKeeper(
        house.db, house.vault, house.clock, lambda _: FREEAGENT, lambda _: house.endpoint, lambda _: limits
    )

    tokens = [house.held().access_token]
    for _ in range(7):
        tokens.append(keeper.refreshed(house.connection(), tokens[-1]))
    standin.told("POST", "clock", {"timeScale": 1})

    assert len(set(tokens)) == 8
    assert house.standin.counters()["tokens"]["byStatus"].get("429", 0) == 0
    assert max(house.standin.counters()["peaks"]["refreshesPerMinute"].values()) <= 3


# The app's own keys


def test_a_wrong_secret_pauses_the_integration_and_deauthorizes_nobody(house: House) -> None:
    house.linked()
    house.expire()
    house.save_keys(a_secret())

    with pytest.raises(SetupRequired, match="Save the right Client ID"):
        house.token()

    assert house.alarm() is not None
    assert house.connection().status is ConnectionStatus.LINKED
    assert house.connection().errors == ()
    house.save_keys()
    assert house.call() == 200
    assert house.alarm() is None


def test_a_second_secret_stored_ahead_takes_over_when_the_first_is_refused(house_on_each: House) -> None:
    house = house_on_each
    house.linked()
    house.expire()
    house.save_keys(a_secret())
    with pytest.raises(SetupRequired):
        house.token()
    house.save_second(house.app["clientSecret"])

    assert house.call() == 200

    assert house.alarm() is None
    house.expire()
    house.standin.reset()
    assert house.call() == 200
    assert house.asked() == 1  # it is the first now


def test_the_second_secret_counts_for_linking_too(house: House) -> None:
    house.save_keys(a_secret())
    house.save_second(house.app["clientSecret"])

    house.linked()

    house.standin.reset()
    house.expire()
    house.token()
    assert house.asked() == 1


def test_keys_saved_while_others_were_refused_are_not_blamed(house_on_each: House) -> None:
    house = house_on_each
    house.linked()
    house.expire()
    house.save_keys(a_secret())
    with _while_it_waits(house, house.token) as failing:
        house.save_keys()
        with pytest.raises(SetupRequired):
            failing.result()

    assert house.alarm() is None


# The end of a grant


def test_a_revoked_grant_ends_the_connection_on_the_first_proof(house_on_each: House, standin: StandIn) -> None:
    house = house_on_each
    house.linked()
    standin.told("POST", "revoke", {"app": house.app["clientId"]})
    standin.reset()

    with pytest.raises(RelinkRequired) as caught:
        house.call()
    with house.db.write() as tx:
        lifecycle.deauthorize(tx, house.tenant, house.first, caught.value.message, house.clock.now())

    assert house.asked() == 1
    connection = house.connection()
    assert connection.status is ConnectionStatus.DEAUTHORIZED
    assert [(one.status_code, one.status) for one in connection.errors] == [("401", "Active")]
    assert house.grant() is None
    assert house.events()[-1] == "connection.disconnected"
    assert house.link().status_code == 200
    assert house.connection().errors[0].status == "Resolved"
    assert house.events()[-1] == "connection.reconnected"


def test_a_closed_company_is_told_from_a_list_that_is_refused(house: House, standin: StandIn) -> None:
    house.linked()
    standin.told("POST", "close", {"status": 403})

    with pytest.raises(RelinkRequired, match="account there was closed"):
        house.call()

    standin.told("POST", "close", {"isOpen": True})
    standin.fault({"path": "company"}, "status", status=403)
    with pytest.raises(ProductError) as caught:
        house.call()
    assert not isinstance(caught.value, RelinkRequired)


def test_unlinking_during_a_refresh_leaves_no_token_behind(house_on_each: House) -> None:
    house = house_on_each
    house.linked()
    house.expire()
    with _while_it_waits(house, house.token) as refreshing:
        with house.db.write() as tx:
            lifecycle.unlink(tx, house.tenant, house.first, house.clock.now())
        with pytest.raises(RelinkRequired):
            refreshing.result()

    assert house.grant() is None
    assert house.connection().status is ConnectionStatus.UNLINKED


def test_an_approval_given_during_a_refresh_wins(house_on_each: House) -> None:
    house = house_on_each
    house.linked()
    house.expire()
    address = house.begin()
    sent = house.approve(address)
    with _while_it_waits(house, house.token, grantType="refresh_token") as refreshing:
        assert house.finish(sent).status_code == 200
        approved = house.held()
        assert refreshing.result() == approved.access_token

    assert house.held() == approved
    assert house.call() == 200


# Answers


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ('"expires_in": 3600,', 3600),
        ('"expires_in": "1800",', 1800),
        ('"expires_in": 99.5,', 99.5),
        ('"expires_in": 1e300,', 1e9),
        ('"expires_in": 123456789012345678901234567890,', 1e9),
        ('"expires_in": null,', 3600),
        ('"expires_in": 0,', 3600),
        ('"expires_in": -5,', 3600),
        ('"expires_in": true,', 3600),
        ('"expires_in": "soon",', 3600),
        ('"expires_in": {},', 3600),
        ("", 3600),
    ],
)
def test_lifetimes_of_any_kind_are_read(told: str, seconds: float) -> None:
    tokens = read(b'{%b"access_token": "a1", "refresh_token": "r1"}' % told.encode(), NOW)

    assert tokens.expires_at == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"null",
        b"[" * 100_000,
        b"\xff\xfe",
        b'{"access_token": "a"}',
        b'{"access_token": "", "refresh_token": "r"}',
        b'{"access_token": "a b", "refresh_token": "r"}',
        b'{"access_token": "a\\nX-Other: 1", "refresh_token": "r"}',
        b'{"access_token": "\\u00e9", "refresh_token": "r"}',
        b'{"access_token": "a", "refresh_token": ["r"]}',
    ],
)
def test_what_holds_no_tokens_is_never_taken_for_some(answer: bytes) -> None:
    with pytest.raises(UpstreamChanged):
        read(answer, NOW)


def test_without_a_new_refresh_token_the_former_stays() -> None:
    assert read(b'{"access_token": "a"}', NOW, former_refresh_token="r").refresh_token == "r"


def test_tokens_are_not_shown_where_their_holder_is() -> None:
    assert "a1" not in repr(read(b'{"access_token": "a1", "refresh_token": "r1"}', NOW))
