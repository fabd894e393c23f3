"""An approval from its beginning to its end: bound to browser, app, connection and time, and told when it fails."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from tests.conftest import opened
from tests.link.conftest import HouseOf
from tests.link.house import TOKENS, House, a_secret
from tests.relay import relayed
from tests.sync.standin import StandIn

from comptoir.errors import Conflict, TryLater
from comptoir.integrations.freeagent import FREEAGENT
from comptoir.link import lifecycle
from comptoir.store import companies, connections, events, integration_settings
from comptoir.store.connections import ConnectionStatus
from comptoir.store.tables import GRANTS, LINK_STATES
from comptoir.upstream import Client, Limits

PENDING, LINKED = ConnectionStatus.PENDING_AUTH, ConnectionStatus.LINKED


def _nothing_linked(house: House, message: str, code: str = "400") -> None:
    """The connection waits as before, and says why."""
    connection = house.connection()
    assert connection.status is PENDING
    assert connection.errors[-1].status_code == code
    assert message in connection.errors[-1].error_message
    assert connection.errors[-1].status == "Active"
    assert house.grant() is None
    assert house.events()[-1] == "connection.failed"


def test_an_approval_links_the_connection_to_the_books_it_was_given_for(house_on_each: House) -> None:
    house = house_on_each

    outcome = house.finish(house.approve(house.begin(customer="42")))

    assert outcome.status_code == 200
    assert outcome.message == ""
    assert outcome.parameters == {"customer": "42"}
    connection = house.connection()
    assert connection.status is LINKED
    assert connection.linked_at is not None
    assert connection.source_company_name == outcome.company_name
    assert (connection.access_level, connection.access_name) == (8, "Full")
    assert connection.errors == ()
    assert house.events() == ["connection.connected"]
    assert house.call() == 200


def test_an_approval_is_kept_where_the_answer_to_its_commit_is_lost(
    postgres_url: str, house_of: HouseOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    with relayed(postgres_url) as relay, contextlib.closing(opened(relay.url)) as db:
        house = house_of(db)
        sent = house.approve(house.begin())
        audit = events.audit

        def lost(*told: Any, **more: Any) -> None:
            audit(*told, **more)
            relay.lost_share = 1.0 if told[3] == "connection.linked" and not relay.lost else 0.0

        monkeypatch.setattr(events, "audit", lost)
        outcome = house.finish(sent)

        assert relay.lost == 1
        assert (outcome.status_code, outcome.message) == (200, "")
        assert house.connection().status is LINKED
        assert house.connection().errors == ()
        assert house.events() == ["connection.connected"]
        assert house.call() == 200


def test_tokens_and_state_are_not_kept_in_the_clear(house_on_each: House) -> None:
    house = house_on_each
    sent = house.approve(house.begin())
    house.finish(sent)

    with house.db.read() as tx:
        held = repr([tuple(row) for table in (GRANTS, LINK_STATES) for row in tx.execute(sa.select(table))])
    for secret in (sent["state"], sent["code"], house.held().access_token, house.held().refresh_token):
        assert secret not in held


def test_a_state_works_once(house_on_each: House) -> None:
    house = house_on_each
    sent = house.approve(house.begin())
    assert house.finish(sent).status_code == 200

    again = house.finish(sent)

    assert again.status_code == 400
    assert house.connection().status is LINKED
    assert house.connection().errors == ()  # the link holds: nothing failed
    assert house.call() == 200


@pytest.mark.parametrize("state", [None, "", "x", "x" * 4000, "ü", "a.b.c", "\x00", "' OR 1=1 --"])
def test_a_state_that_was_not_given_out_here_changes_nothing(house: House, state: str | None) -> None:
    house.begin()

    outcome = house.finish({"code": "c"} | ({} if state is None else {"state": state}))

    assert outcome.status_code == 400
    assert outcome.connection is None
    assert house.connection().errors == ()


def test_states_are_long_random_and_all_different(house: House) -> None:
    states = {house.begin().rpartition("state=")[2] for _ in range(20)}

    assert len(states) == 20
    assert min(map(len, states)) >= 43


def test_an_approval_cannot_end_in_another_browser(house: House) -> None:
    sent = house.approve(house.begin())

    assert house.finish(sent, browser="another").status_code == 400

    _nothing_linked(house, "begun in another browser")
    assert house.finish(sent).status_code == 400  # nor in the first one afterwards


@pytest.mark.parametrize(("minutes", "status"), [(14.9, 200), (15.1, 400)])
def test_an_approval_takes_fifteen_minutes_at_most(house: House, minutes: float, status: int) -> None:
    sent = house.approve(house.begin())
    house.clock.ahead += timedelta(minutes=minutes)

    assert house.finish(sent).status_code == status

    if status != 200:
        _nothing_linked(house, "longer than 15 minutes")


def test_an_approval_belongs_to_the_app_it_was_asked_for(house: House, standin: StandIn) -> None:
    sent = house.approve(house.begin())
    other = standin.told("POST", "apps", {"name": "Other", "redirectUris": ["http://127.0.0.1:9/oauth/callback"]})
    house.save_keys(other["clientSecret"], client_id=other["clientId"])
    standin.reset()

    assert house.finish(sent).status_code == 500

    _nothing_linked(house, "was set up anew while you approved", "500")
    assert house.asked() == 0  # the code went nowhere


def test_an_approval_of_an_integration_switched_off_meanwhile_links_nothing(house: House) -> None:
    sent = house.approve(house.begin())
    with house.db.write() as tx:
        integration_settings.set_enabled(tx, house.tenant, FREEAGENT.key, enabled=False)

    assert house.finish(sent).status_code == 409

    _nothing_linked(house, "not enabled", "409")
    with pytest.raises(Conflict):
        house.begin()


_REFUSED: dict[str, tuple[dict[str, str], int, str]] = {
    "denied": ({"error": "access_denied"}, 403, "User cancelled."),
    "denied, with a code": ({"error": "access_denied", "code": "c"}, 403, "User cancelled."),
    "an error": ({"error": "server_error", "error_description": "Sorry <b>you</b>"}, 500, "Sorry <b>you</b>"),
    "a long error": ({"error": "e" * 4000}, 500, "e" * 200),
    "no code": ({}, 500, "without a code"),
    "a made-up code": ({"code": "made-up"}, 500, "expired or was used already"),
    "a code of odd signs": ({"code": "\x00 é&=\u2028"}, 500, "expired or was used already"),
}


@pytest.mark.parametrize("case", _REFUSED)
def test_what_comes_back_without_an_approval_is_said_and_kept(house: House, case: str) -> None:
    sent, status, message = _REFUSED[case]
    state = house.begin().rpartition("state=")[2]

    outcome = house.finish(sent | {"state": state})

    assert outcome.status_code == status
    assert message in outcome.message
    _nothing_linked(house, message, str(status))
    assert house.link().status_code == 200
    assert {one.status for one in house.connection().errors} == {"Resolved"}


_TROUBLE: dict[str, tuple[dict[str, Any], str, dict[str, Any], str]] = {
    "token endpoint down": (TOKENS, "status", {"status": 503}, "could not be reached just now"),
    "token endpoint sends a page": (TOKENS, "html", {}, "not with tokens"),
    "answer lost": (TOKENS, "loseAnswer", {}, "could not be reached just now"),
    "company refused": ({"path": "company"}, "status", {"status": 403}, "refuses"),
    "company unreadable": ({"path": "company"}, "status", {"status": 200, "body": '{"company": 1}'}, "whose books"),
    "limit for an hour": ({"path": "company"}, "status", {"status": 429, "retryAfter": 3000}, "just now"),
    "token refused at once": ({"path": "company"}, "status", {"status": 401}, "although you approved"),
}


@pytest.mark.parametrize("case", _TROUBLE)
def test_freeagent_in_trouble_during_the_callback_links_nothing_and_is_got_over(
    house: House, standin: StandIn, case: str
) -> None:
    match, kind, action, message = _TROUBLE[case]
    sent = house.approve(house.begin())
    standin.fault(match, kind, **action)

    outcome = house.finish(sent)

    assert outcome.status_code in (409, 500)
    assert message in outcome.message
    _nothing_linked(house, message, "500")
    standin.heal()
    if house.limits.paused_until(house.first) is None:
        assert house.link().status_code == 200


def test_the_calls_of_linking_count_against_the_limits_of_the_books(house: House) -> None:
    limits = Limits(house.clock, calls=((2, 10**6),), refreshes=None, address=None)
    house.client = Client(FREEAGENT, house.standin.url, limits, house.clock)

    linked = house.linked()

    with pytest.raises(TryLater):
        limits.reserve(linked.budget, patience_seconds=0)
    house.client.close()


def test_a_wrong_secret_is_an_alarm_for_the_operator_and_no_riddle_for_the_customer(house: House) -> None:
    house.save_keys(a_secret())

    outcome = house.link()

    assert outcome.status_code == 500
    assert "Whoever sent you the link" in outcome.message
    assert "secret" not in outcome.message.lower()
    alarm = house.alarm()
    assert alarm is not None
    assert "Client secret" in alarm


def test_other_books_than_those_linked_before_are_refused(house_on_each: House) -> None:
    house = house_on_each
    house.linked()
    before = house.connection().source_company_name
    with house.db.write() as tx:
        lifecycle.unlink(tx, house.tenant, house.first, house.clock.now())

    outcome = house.link(company=1)

    assert outcome.status_code == 409
    assert repr(before) in outcome.message
    connection = house.connection()
    assert connection.status is ConnectionStatus.UNLINKED
    assert connection.source_company_name == before
    assert connection.errors[-1].status_code == "409"
    assert house.grant() is None
    assert house.link(company=0).status_code == 200
    assert house.events()[-1] == "connection.reconnected"


def test_a_second_connection_is_refused_before_it_costs_the_first_its_tokens(
    house_on_each: House, standin: StandIn
) -> None:
    house = house_on_each
    house.linked()
    second = house.another_connection()

    outcome = house.link(second)

    assert outcome.status_code == 409
    assert "another linked accounting connection" in outcome.message
    assert house.connection(second.id).status is PENDING
    assert house.connection(second.id).errors[-1].status_code == "409"
    house.expire()
    assert house.call() == 200  # a second approval would have ended these
    with house.db.write() as tx:
        lifecycle.unlink(tx, house.tenant, house.first, house.clock.now())
    assert house.link(second).status_code == 200


def test_approving_once_more_while_linked_renews_the_tokens_and_announces_nothing(house: House) -> None:
    house.linked()
    former = house.held()

    assert house.link().status_code == 200

    assert house.held().refresh_token != former.refresh_token
    assert house.events() == ["connection.connected"]
    assert house.call() == 200


@pytest.mark.parametrize("what", ["company", "connection"])
def test_what_is_deleted_while_the_customer_approves_is_a_page_and_no_failure(house_on_each: House, what: str) -> None:
    house = house_on_each
    sent = house.approve(house.begin())
    _delete(house, what)

    outcome = house.finish(sent)

    assert outcome.status_code == 400
    assert outcome.connection is None


@pytest.mark.parametrize("what", ["company", "connection"])
@pytest.mark.parametrize("code", ["the right one", "made-up"])
def test_what_is_deleted_while_the_code_is_exchanged_is_a_page_and_no_failure(
    house_on_each: House, what: str, code: str
) -> None:
    house = house_on_each
    sent = house.approve(house.begin())

    def endpoint_of(_: str) -> Any:
        _delete(house, what)
        return house.endpoint

    outcome = house.finish(
        sent if code == "the right one" else sent | {"code": code}, flow=house.another_flow(endpoint_of)
    )

    assert outcome.status_code == 400
    assert "deleted meanwhile" in outcome.message
    assert outcome.connection is None


def _delete(house: House, what: str) -> None:
    with house.db.write() as tx:
        if what == "company":
            companies.delete(tx, house.tenant, house.company)
        else:
            connections.delete(tx, house.tenant, house.first)


# Unlinking


def test_only_a_linked_connection_can_be_unlinked(house_on_each: House) -> None:
    house = house_on_each
    with house.db.write() as tx, pytest.raises(Conflict, match="PendingAuth"):
        lifecycle.unlink(tx, house.tenant, house.first, house.clock.now())
    house.linked()

    with house.db.write() as tx:
        lifecycle.unlink(tx, house.tenant, house.first, house.clock.now())

    assert house.connection().status is ConnectionStatus.UNLINKED
    assert house.grant() is None
    assert house.events() == ["connection.connected", "connection.disconnected"]
    with house.db.write() as tx, pytest.raises(Conflict, match="Unlinked"):
        lifecycle.unlink(tx, house.tenant, house.first, house.clock.now())


def test_a_connection_that_is_not_linked_is_not_deauthorized(house: House) -> None:
    with house.db.write() as tx:
        lifecycle.deauthorize(tx, house.tenant, house.first, "gone", house.clock.now())

    assert house.connection().status is PENDING
    assert house.events() == []


# Testing keys


def test_a_wrong_pair_is_told_from_a_good_one_and_from_no_answer(
    house: House, standin: StandIn, house_of: HouseOf
) -> None:
    assert house.flow.test_keys(house.tenant, FREEAGENT) is True
    house.save_keys(a_secret())
    assert house.flow.test_keys(house.tenant, FREEAGENT) is False
    house.save_keys(client_id="nobody")
    assert house.flow.test_keys(house.tenant, FREEAGENT) is False
    for kind, action in (("html", {}), ("status", {"status": 503}), ("reset", {}), ("html", {"status": 401})):
        standin.fault(TOKENS, kind, **action)
        assert house.flow.test_keys(house.tenant, FREEAGENT) is None
        standin.heal()
    assert house.alarm() is None


def test_good_keys_end_the_alarm(house: House) -> None:
    with house.db.write() as tx:
        integration_settings.set_alarm(tx, house.tenant, FREEAGENT.key, "refused")

    assert house.flow.test_keys(house.tenant, FREEAGENT) is True

    assert house.alarm() is None
