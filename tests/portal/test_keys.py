"""The keys of an integration: what is refused, what is kept, what is never shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.portal.conftest import CLIENT_ID, SECRET, Browser, House
from tests.portal.pages import KEYS, LIST, PLATFORM

from comptoir.store import companies, connections, datasets

GOOD_ID, GOOD_SECRET = "Zk3-new_identifier", "Xq8-new_secret.0001"
INVISIBLE = {
    "a blank": "\u0020",
    "a tab": "\t",
    "a line break": "\n",
    "a carriage return": "\r",
    "a blank that does not break": "\u00a0",
    "a narrow one": "\u202f",
    "an em space": "\u2003",
    "an ideographic space": "\u3000",
    "a zero-width space": "\u200b",
    "a zero-width joiner": "\u200d",
    "a word joiner": "\u2060",
    "a byte order mark": "\ufeff",
    "a soft hyphen": "\u00ad",
    "a Hangul filler": "\u3164",
    "a Braille blank": "\u2800",
    "a zero byte": "\x00",
    "an escape": "\x1b",
    "a mark that turns the line": "\u202e",
}


def _wrong(good: str) -> list[tuple[str, str]]:
    return [
        *((f"{name} {place}", value) for name, sign in INVISIBLE.items() for place, value in _spots(good, sign)),
        ("nothing", ""),
        ("an accent", f"é{good}"),
        ("too much", good * 60),
    ]


def _spots(good: str, sign: str) -> tuple[tuple[str, str], ...]:
    return (("before", sign + good), ("inside", good[:5] + sign + good[5:]), ("after", good + sign))


@pytest.mark.parametrize("before", ["nothing stored", "keys stored"])
def test_keys_that_cannot_be_right_are_refused_beside_their_field_and_change_nothing(
    house: House, operator: Browser, request: pytest.FixtureRequest, before: str
) -> None:
    if before == "keys stored":
        request.getfixturevalue("keys_stored")
    stored = house.stored()

    for field, good in (("client_id", GOOD_ID), ("client_secret", GOOD_SECRET)):
        for what, value in _wrong(good):
            typed = {"client_id": GOOD_ID, "client_secret": GOOD_SECRET} | {field: value}
            answer = operator.post(KEYS, typed)

            assert answer.status == 422, what
            assert answer.error(field), what
            other = "client_secret" if field == "client_id" else "client_id"
            assert answer.error(other) is None, what
            # Browsers and HTML know no zero byte; all else stays as it was typed.
            assert answer.field(field)["value"] == value, what
            assert answer.field(other)["value"] == typed[other], what
            assert house.stored() == stored, what


def test_the_same_value_in_both_fields_is_refused(house: House, operator: Browser) -> None:
    answer = operator.post(KEYS, {"client_id": GOOD_ID, "client_secret": GOOD_ID})

    assert answer.status == 422
    assert "the same value as the Client ID" in str(answer.error("client_secret"))
    assert answer.field("client_id")["value"] == answer.field("client_secret")["value"] == GOOD_ID
    assert house.stored() is None


@pytest.mark.usefixtures("keys_stored")
def test_the_stored_secret_typed_as_client_id_is_refused(house: House, operator: Browser) -> None:
    stored = house.stored()

    answer = operator.post(KEYS, {"client_id": SECRET, "client_secret": GOOD_SECRET})

    assert answer.status == 422
    assert "stored already" in str(answer.error("client_id"))
    assert answer.field("client_id")["value"] == SECRET
    assert house.stored() == stored


@pytest.mark.usefixtures("keys_stored")
def test_the_secret_that_waits_typed_as_client_id_is_refused(house: House, operator: Browser) -> None:
    operator.post(f"{KEYS}/next-secret", {"next_secret": "a-secret-that-waits"})
    stored = house.stored()

    answer = operator.post(KEYS, {"client_id": "a-secret-that-waits", "client_secret": GOOD_SECRET})

    assert answer.error("client_id")
    assert house.stored() == stored


@pytest.mark.usefixtures("keys_stored")
def test_the_stored_client_id_typed_as_secret_is_refused(house: House, operator: Browser) -> None:
    stored = house.stored()

    answer = operator.post(KEYS, {"client_id": GOOD_ID, "client_secret": CLIENT_ID})

    assert "stored already" in str(answer.error("client_secret"))
    assert house.stored() == stored


def test_a_key_that_is_too_long_is_not_cut_and_taken_the_second_time(house: House, operator: Browser) -> None:
    answer = operator.post(KEYS, {"client_id": "a" * 501, "client_secret": GOOD_SECRET})
    again = operator.post(KEYS, {name: answer.field(name)["value"] for name in ("client_id", "client_secret")})

    assert again.status == 422
    assert house.stored() is None


def test_saving_confirms_then_asks_whether_to_enable(operator: Browser) -> None:
    answer = operator.post(KEYS, {"client_id": CLIENT_ID, "client_secret": SECRET, "from": "set_up"})
    page = operator.follow(answer)

    assert 'role="status">The keys for FreeAgent are saved.' in page.html
    assert '<dialog open data-modal aria-labelledby="enable-title"' in page.html
    assert "Enable FreeAgent" in page.words
    # Said once: the next look at the page is quiet.
    assert "<dialog" not in operator.get(KEYS).html


@pytest.mark.usefixtures("keys_stored")
def test_the_stored_secret_is_shown_by_its_last_four_characters_and_its_date_only(operator: Browser) -> None:
    for path in (LIST, KEYS, f"{KEYS}/set-up"):
        page = operator.get(path)

        assert SECRET not in page.html
        assert page.status == 200
    page = operator.get(KEYS)
    assert f"<code>{SECRET[-4:]}</code>" in page.html
    assert "<time datetime=" in page.html
    assert page.field("client_id")["value"] == CLIENT_ID
    assert page.field("client_secret")["value"] == ""


@pytest.mark.usefixtures("keys_stored")
@pytest.mark.parametrize(
    ("where", "typed"),
    [
        (KEYS, {"client_id": GOOD_ID, "client_secret": GOOD_SECRET}),
        (f"{KEYS}/next-secret", {"next_secret": GOOD_SECRET}),
    ],
)
def test_what_waited_for_good_keys_is_read_when_they_are_saved(
    house: House, operator: Browser, where: str, typed: dict[str, str]
) -> None:
    db, now = house.application.db, datetime.now(UTC)
    with db.write() as tx:
        company = companies.add(tx, house.tenant, name="Toft", created_by=None, now=now).id
        connection = connections.add(tx, house.tenant, company, PLATFORM.key, now).id
        waiting = datasets.queue(tx, house.tenant, company, connection, "invoices", now)
        datasets.advance(tx, house.tenant, waiting.id, retry_at=now + timedelta(minutes=5))

    assert operator.post(where, typed).status == 303

    with db.read() as tx:
        assert (house.tenant, connection) in datasets.all_waiting(tx, now)


@pytest.mark.usefixtures("keys_stored")
def test_replacing_the_keys_leaves_it_enabled_or_disabled_as_it_was(house: House, operator: Browser) -> None:
    operator.post(f"{KEYS}/switch", {"enabled": "true"})
    answer = operator.post(KEYS, {"client_id": GOOD_ID, "client_secret": GOOD_SECRET})

    page = operator.follow(answer)
    stored = house.stored()

    assert stored is not None
    assert (stored.client_id, stored.secret_last4, stored.enabled) == (GOOD_ID, GOOD_SECRET[-4:], True)
    assert "<dialog" not in page.html


def test_the_list_says_set_up_until_there_are_keys_then_manage(operator: Browser) -> None:
    before = operator.get(LIST)
    operator.post(KEYS, {"client_id": CLIENT_ID, "client_secret": SECRET})
    after = operator.get(LIST)

    assert ">Set up</a>" in before.html
    assert ">Manage</a>" not in before.html
    assert ">Manage</a>" in after.html
    assert ">Set up</a>" not in after.html


def test_the_switch_is_refused_with_a_sentence_while_there_are_no_keys(house: House, operator: Browser) -> None:
    answer = operator.post(f"{KEYS}/switch", {"enabled": "true", "from": "list"})

    assert answer.status == 409
    assert "FreeAgent has no keys yet, so it cannot be enabled." in answer.words
    assert 'aria-describedby="switch-freeagent-error"' in answer.html
    assert 'aria-checked="false"' in answer.html
    assert house.stored() is None


@pytest.mark.usefixtures("keys_stored")
@pytest.mark.parametrize("enabled", [True, False])
def test_the_switch_enables_and_disables(house: House, operator: Browser, enabled: bool) -> None:
    answer = operator.post(f"{KEYS}/switch", {"enabled": str(enabled).lower(), "from": "list"})
    page = operator.follow(answer)

    stored = house.stored()
    assert stored is not None
    assert stored.enabled is enabled
    assert f'aria-checked="{str(enabled).lower()}" aria-label="FreeAgent"' in page.html
    assert 'role="status"' in page.html


@pytest.mark.usefixtures("keys_stored")
@pytest.mark.parametrize("value", ["", "with a blank", SECRET, CLIENT_ID])
def test_a_second_secret_that_cannot_be_right_is_refused(house: House, operator: Browser, value: str) -> None:
    stored = house.stored()

    answer = operator.post(f"{KEYS}/next-secret", {"next_secret": value})

    assert answer.status == 422
    assert answer.error("next_secret")
    assert answer.field("next_secret")["value"] == value
    assert house.stored() == stored


@pytest.mark.usefixtures("keys_stored")
def test_a_second_secret_waits_and_can_be_removed(house: House, operator: Browser) -> None:
    page = operator.follow(operator.post(f"{KEYS}/next-secret", {"next_secret": "a-secret-that-waits"}))
    assert "a-secret-that-waits" not in page.html
    assert "<code>aits</code>" in page.html

    operator.post(f"{KEYS}/next-secret/remove")

    stored = house.stored()
    assert stored is not None
    assert stored.second_last4 is None
    assert stored.secret_last4 == SECRET[-4:]


@pytest.mark.parametrize(
    ("search", "is_found"), [("free", True), (" FREEAGENT ", True), ("xero", False), ("<b>", False)]
)
def test_the_list_is_searched_by_name(operator: Browser, search: str, is_found: bool) -> None:
    page = operator.client.get(LIST, params={"search": search}, headers=operator.headers).text

    assert ('role="switch"' in page) is is_found
    assert "<b>" not in page


def test_the_set_up_page_gives_the_exact_redirect_address(operator: Browser) -> None:
    page = operator.get(KEYS)

    assert 'value="http://127.0.0.1:8299/oauth/callback" readonly' in page.html
    assert "sandbox is not supported" in page.words
