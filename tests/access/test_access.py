"""Who comes in, who does not, and for how long."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from tests.access.conftest import EMAIL, NOON, House
from tests.conftest import opened
from tests.operators import PASSWORD, an_administrator, weak_hash

from comptoir.access import (
    Permission,
    Role,
    api_keys,
    delays,
    ensure_first,
    operators,
    password_links,
    passwords,
    sessions,
    sign_in,
)
from comptoir.access.delays import Counted
from comptoir.errors import Conflict, InvalidInput, NotFound, TryLater
from comptoir.runtime.clock import SystemClock
from comptoir.store import Database, trail
from comptoir.store.tables import API_KEYS, OPERATORS, PASSWORD_LINKS, SESSIONS, SIGN_IN_FAILURES

ADDRESS = "203.0.113.7"
FOR_ADMINISTRATORS = {Permission.MANAGE_OPERATORS, Permission.READ_TRAIL}
SETTINGS = {Permission.MANAGE_INTEGRATIONS, Permission.MANAGE_SETTINGS, Permission.MANAGE_KEYS, *FOR_ADMINISTRATORS}
ALMOST = timedelta(seconds=1)


def _sign_in(
    house: House, *, email: str = EMAIL, password: str = PASSWORD, address: str = ADDRESS, now: datetime = NOON
) -> str:
    return sign_in(house.db, email=email, password=password, address=address, now=now)


def _fail(house: House, times: int, **more: object) -> None:
    for _ in range(times):
        with pytest.raises(InvalidInput):
            _sign_in(house, password="wrong password", **more)  # type: ignore[arg-type]  # a table of arguments


# Sessions


def test_a_session_is_kept_as_a_hash_only(house: House) -> None:
    token = _sign_in(house)

    with house.db.read() as tx:
        assert token not in repr(tx.execute(sa.select(SESSIONS)).all())
    found = sessions.find(house.db, token, NOON)
    assert found is not None
    assert found.operator.id == house.ann.id
    assert found.csrf != token
    assert len(token) >= 43


def test_every_sign_in_is_a_session_of_its_own(house: House) -> None:
    assert _sign_in(house) != _sign_in(house)


def test_an_idle_session_ends_and_a_used_one_goes_on(house: House) -> None:
    used, idle = _sign_in(house), _sign_in(house)
    half = NOON + sessions.IDLE / 2

    assert sessions.find(house.db, used, half) is not None

    end = NOON + sessions.IDLE
    assert sessions.find(house.db, idle, end - ALMOST) is not None
    assert sessions.find(house.db, idle, end + sessions.IDLE) is None
    assert sessions.find(house.db, used, end + ALMOST) is not None


def test_a_session_ends_in_the_end_however_much_it_is_used(house: House) -> None:
    token, now = _sign_in(house), NOON
    while now < NOON + sessions.ABSOLUTE - sessions.IDLE / 2:
        now += sessions.IDLE / 2
        if now < NOON + sessions.ABSOLUTE:
            assert sessions.find(house.db, token, now) is not None

    assert sessions.find(house.db, token, NOON + sessions.ABSOLUTE) is None


def test_a_session_dies_at_once_with_sign_out_disabling_and_a_new_password(house: House) -> None:
    out, others = _sign_in(house), _sign_in(house)
    with house.db.write() as tx:
        sessions.end(tx, out)
    assert sessions.find(house.db, out, NOON) is None
    assert sessions.find(house.db, others, NOON) is not None

    with house.db.write() as tx:
        operators.change_password(tx, house.tenant, house.ann.id, "another good password")
    assert sessions.find(house.db, others, NOON) is None
    with pytest.raises(InvalidInput):
        _sign_in(house)

    token = _sign_in(house, password="another good password")
    with house.db.write() as tx:
        operators.add(tx, house.tenant, email="bob@example.com", role=Role.ADMINISTRATOR, now=NOON)
        operators.disable(tx, house.tenant, house.ann.id, NOON)
    assert sessions.find(house.db, token, NOON) is None
    with pytest.raises(InvalidInput):
        _sign_in(house, password="another good password")


@pytest.mark.parametrize("token", ["", "x", "x" * 5000, "\x00", "é"])
def test_a_made_up_token_is_nobody(house: House, token: str) -> None:
    _sign_in(house)

    assert sessions.find(house.db, token, NOON) is None


CROWD = """
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from comptoir.access import passwords

def peak():
    [line] = [one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith("VmHWM")]
    return int(line.split()[1]) // 1024

before = peak()
with ThreadPoolExecutor(6) as threads:
    list(threads.map(lambda _: passwords.matches("a guess", None), range(6)))
print(peak() - before)
"""


def test_a_crowd_that_signs_in_does_not_take_the_machines_memory() -> None:
    told = subprocess.run([sys.executable, "-c", CROWD], capture_output=True, text=True, check=True).stdout

    assert int(told) < 200  # MiB; each comparison takes 64


# Signing in


@pytest.mark.parametrize("email", [EMAIL.upper(), f"  {EMAIL} "])
def test_an_address_is_the_same_in_any_case(house: House, email: str) -> None:
    assert _sign_in(house, email=email)


@pytest.mark.parametrize(
    ("email", "password"),
    [
        (EMAIL, "wrong password"),
        (EMAIL, ""),
        (EMAIL, PASSWORD + " "),
        (EMAIL, PASSWORD.upper()),
        ("nobody@example.com", PASSWORD),
        ("", ""),
        ("\x00", "\x00"),
        ("a" * 5000, "b" * 50_000),
        ("ann@example.com' OR '1'='1", "x"),
        (EMAIL, "é\u2028\U0001f600"),
    ],
)
def test_nobody_comes_in_with_anything_else_and_all_are_told_the_same(house: House, email: str, password: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        _sign_in(house, email=email, password=password)

    assert caught.value.message == "The e-mail address or the password is not right."
    assert caught.value.field is None


def test_an_unknown_address_takes_as_long_as_a_wrong_password(house: House) -> None:
    def seconds(email: str) -> float:
        began = time.process_time()
        with pytest.raises(InvalidInput):
            _sign_in(house, email=email, password="wrong password", address=email)
        return time.process_time() - began

    seconds("first@example.com")  # what is made once
    known = min(seconds(EMAIL) for _ in range(2))
    unknown = min(seconds("nobody@example.com") for _ in range(2))

    assert 0.5 < known / unknown < 2


def test_guessing_gets_slower_and_slower_but_never_shuts_for_good(house: House) -> None:
    with house.db.write() as tx:
        tx.execute(sa.update(OPERATORS).values(password_hash=weak_hash()))
    _fail(house, 5)
    waits, now = [], NOON
    for _ in range(10):
        with pytest.raises(TryLater, match="too many failed sign-ins") as caught:
            _sign_in(house, now=now)  # even with the right password
        assert caught.value.retry_after_seconds is not None
        waits.append(caught.value.retry_after_seconds)
        now += timedelta(seconds=caught.value.retry_after_seconds)
        _fail(house, 1, now=now)

    assert waits == sorted(waits)
    assert waits[0] <= 2
    assert waits[-1] == 300
    assert _sign_in(house, now=now + timedelta(seconds=300))


def test_whoever_guesses_elsewhere_locks_nobody_out(house: House) -> None:
    _fail(house, 5, address="198.51.100.1")
    with pytest.raises(TryLater):
        _sign_in(house, address="198.51.100.1")

    assert _sign_in(house)


def test_one_password_tried_for_many_people_is_slowed_too(migrated_sqlite_url: str) -> None:
    db = opened(migrated_sqlite_url)
    house = House.built(db, "default", EMAIL)
    with db.write() as tx:
        for number in range(50):
            an_administrator(tx, house.tenant, f"{number}@example.com", NOON, password_hash=weak_hash())
    for number in range(50):
        _fail(house, 1, email=f"{number}@example.com")

    with pytest.raises(TryLater):
        _sign_in(house, email="one-more@example.com", password="wrong password")
    db.close()


def test_a_network_that_somebody_has_to_themselves_counts_as_one_address(house: House) -> None:
    with house.db.write() as tx:
        tx.execute(sa.update(OPERATORS).values(password_hash=weak_hash()))
    for number in range(5):
        _fail(house, 1, address=f"2001:db8:1:2:{number}::7")

    with pytest.raises(TryLater):
        _sign_in(house, address="2001:db8:1:2:ffff::1")
    assert _sign_in(house, address="2001:db8:1:3::1")


def test_tries_that_are_not_looked_at_are_kept_nowhere(house: House) -> None:
    with house.db.write() as tx:
        tx.execute(sa.update(OPERATORS).values(password_hash=weak_hash()))
        for _ in range(50):
            delays.counted(tx, [Counted((ADDRESS,), free=50, longest_seconds=300)], NOON)
    for number in range(5):
        with pytest.raises(TryLater):
            _sign_in(house, email=f"{number}@example.com")

    with house.db.read() as tx:
        assert len(tx.execute(sa.select(SIGN_IN_FAILURES)).all()) == 1


def test_one_password_guessed_from_many_addresses_is_slowed_too_and_not_for_long(house: House) -> None:
    with house.db.write() as tx:
        tx.execute(sa.update(OPERATORS).values(password_hash=weak_hash()))
    for number in range(20):
        _fail(house, 1, address=f"198.51.100.{number}")

    waits, now = [], NOON
    for number in range(8):
        with pytest.raises(TryLater) as caught:
            _sign_in(house, address=f"192.0.2.{number}", now=now)
        waits.append(caught.value.retry_after_seconds or 0)
        now += timedelta(seconds=waits[-1])
        _fail(house, 1, address=f"192.0.2.{number}", now=now)

    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (1, 30)
    assert _sign_in(house, now=now + timedelta(seconds=30))


def test_failures_dated_by_a_clock_that_was_ahead_lock_nobody_out(house: House) -> None:
    with house.db.write() as tx:
        tx.execute(sa.update(OPERATORS).values(password_hash=weak_hash()))
    ahead = NOON + timedelta(days=400)
    _fail(house, 5, now=ahead)
    with pytest.raises(TryLater):
        _sign_in(house, now=ahead)

    assert _sign_in(house)


def test_sign_ins_and_refusals_of_people_there_are_stand_in_the_trail(house: House) -> None:
    _fail(house, 1)
    _fail(house, 1, email="nobody@example.com")
    _sign_in(house)

    with house.db.read() as tx:
        rows = trail.page(tx, house.tenant, number=1, size=10).rows
    assert [(one.action, one.actor, one.address, one.detail) for one in rows] == [
        ("signIn.succeeded", EMAIL, ADDRESS, "password"),
        ("signIn.refused", EMAIL, ADDRESS, "wrong password"),
    ]


def test_guesses_sent_side_by_side_count_all_the_same(house: House) -> None:
    def guess(_: int) -> str:
        try:
            _sign_in(house, password="wrong password")
        except InvalidInput:
            return "looked at"
        except TryLater:
            return "slowed"
        return "in"

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(guess, range(20)))

    assert answers.count("looked at") == 5
    assert answers.count("in") == 0


def test_a_count_that_is_taken_away_while_another_waits_for_it_is_begun_anew(postgres_url: str) -> None:
    """One signs in, which forgets their failures, at the very moment that another try is to be counted there."""
    db = opened(postgres_url)
    somebody = Counted(("somebody",), free=5, longest_seconds=300)

    def count() -> int:
        with db.write() as tx:
            return delays.counted(tx, [somebody], NOON)

    def waits() -> bool:
        with db.read() as tx:
            asked = (
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            return bool(tx.exec_driver_sql(asked).scalar_one())

    assert count() == 0
    with ThreadPoolExecutor(1) as threads:
        with db.write() as tx:
            delays.forgiven(tx, somebody)
            counting = threads.submit(count)
            while not (waits() or counting.done()):
                pass
        assert counting.result() == 0

    with db.read() as tx:
        assert list(tx.execute(sa.select(SIGN_IN_FAILURES.c.count)).scalars()) == [1]
    db.close()


def test_failures_are_forgotten_after_a_day_and_by_signing_in(house: House) -> None:
    _fail(house, 4)
    _sign_in(house)
    _fail(house, 4)
    assert _sign_in(house, now=NOON + timedelta(hours=25))
    with house.db.read() as tx:
        assert EMAIL not in repr(tx.execute(sa.select(SIGN_IN_FAILURES)).all())


# Passwords


def test_a_password_is_hashed_with_argon2id_at_full_strength(house: House) -> None:
    with house.db.write() as tx:
        bob, _ = operators.add(
            tx, house.tenant, email="bob@example.com", password=PASSWORD, role=Role.DEVELOPER, now=NOON
        )
        hash_ = tx.execute(sa.select(OPERATORS.c.password_hash).where(OPERATORS.c.id == bob.id)).scalar_one()

    assert hash_.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert PASSWORD not in hash_


def test_a_hash_of_another_strength_is_made_anew_at_the_next_sign_in(house: House) -> None:
    weak = weak_hash()
    with house.db.write() as tx:
        tx.execute(sa.update(OPERATORS).where(OPERATORS.c.tenant_id == house.tenant).values(password_hash=weak))

    assert _sign_in(house)

    with house.db.read() as tx:
        assert not passwords.is_outdated(tx.execute(sa.select(OPERATORS.c.password_hash)).scalar_one())


def test_an_accent_composed_otherwise_is_the_same_password() -> None:
    assert passwords.matches(
        "pas\u0301sword-long", passwords.hashed("p\u00e1ssword-long".replace("\u00e1s", "as\u0301"))
    )


@pytest.mark.parametrize("password", ["", "short", "x" * 11, "x" * 1025])
def test_a_password_has_a_least_and_a_greatest_length(house: House, password: str) -> None:
    with house.db.write() as tx, pytest.raises(InvalidInput, match="12 to 1024"):
        operators.change_password(tx, house.tenant, house.ann.id, password)


# Operators


@pytest.mark.parametrize(
    "email", ["", "ann", "@", "a@", "@b", "a b@example.com", "a@example.com\n", "x" * 260 + "@b.c"]
)
def test_what_is_no_address_is_refused(house: House, email: str) -> None:
    if email.strip() == email.replace("\n", ""):
        email = email.strip() if email.strip() != "a@example.com" else "a@ex\nample.com"
    with house.db.write() as tx, pytest.raises(InvalidInput):
        operators.add(tx, house.tenant, email=email, role=Role.ANALYST, now=NOON)


def test_an_address_belongs_to_one_operator_of_all_tenants(house: House, stranger: House) -> None:
    with pytest.raises(Conflict), house.db.write() as tx:
        operators.add(tx, stranger.tenant, email=EMAIL.upper(), role=Role.ANALYST, now=NOON)


def test_a_link_used_twice_at_once_sets_one_password(house: House) -> None:
    with house.db.write() as tx:
        token, _ = password_links.make(tx, house.tenant, house.ann.id, NOON)

    def use(number: int) -> bool:
        try:
            with house.db.write() as tx:
                password_links.use(tx, token, f"a good password {number}", NOON)
        except NotFound:
            return False
        return True

    with ThreadPoolExecutor(3) as threads:
        assert list(threads.map(use, range(3))).count(True) == 1


def test_the_last_administrator_cannot_go(house: House) -> None:
    with house.db.write() as tx:
        operators.add(tx, house.tenant, email="bob@example.com", role=Role.DEVELOPER, now=NOON)

    with pytest.raises(Conflict, match="last Administrator"), house.db.write() as tx:
        operators.disable(tx, house.tenant, house.ann.id, NOON)


def test_an_administrator_who_is_disabled_or_has_not_come_yet_does_not_count(house: House) -> None:
    with house.db.write() as tx:
        bob, _ = operators.add(tx, house.tenant, email="bob@example.com", role=Role.ADMINISTRATOR, now=NOON)
        operators.disable(tx, house.tenant, bob.id, NOON)
        operators.invite(tx, house.tenant, email="eve@example.com", role=Role.ADMINISTRATOR, now=NOON)

    with pytest.raises(Conflict, match="last Administrator"), house.db.write() as tx:
        operators.set_role(tx, house.tenant, house.ann.id, Role.ANALYST)


def test_two_administrators_cannot_leave_at_the_same_moment(house: House) -> None:
    with house.db.write() as tx:
        bob, _ = operators.add(tx, house.tenant, email="bob@example.com", role=Role.ADMINISTRATOR, now=NOON)
    start = threading.Barrier(2)

    def leave(who: str) -> bool:
        with suppress(Conflict), house.db.write() as tx:
            if house.db.dialect == "postgresql":  # where both are open at once
                start.wait()
            operators.set_role(tx, house.tenant, who, Role.DEVELOPER)
            return True
        return False

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(leave, (house.ann.id, bob.id))) == [False, True]


def test_a_session_is_nobodys_once_its_operator_is_disabled_however_it_was_begun(house: House) -> None:
    token = _sign_in(house)
    with house.db.write() as tx:  # as one that is begun while its operator is being disabled
        tx.execute(sa.update(OPERATORS).values(disabled=NOON))

    assert sessions.find(house.db, token, NOON) is None


def test_a_link_works_no_more_after_a_new_password_or_once_its_operator_was_disabled(house: House) -> None:
    with house.db.write() as tx:
        bob, _ = operators.add(tx, house.tenant, email="bob@example.com", role=Role.ANALYST, now=NOON)
        first, _ = password_links.make(tx, house.tenant, bob.id, NOON)
        assert first not in repr(tx.execute(sa.select(PASSWORD_LINKS)).all())
        operators.change_password(tx, house.tenant, bob.id, "another good password")
        with pytest.raises(NotFound):
            password_links.find(tx, first, NOON)
        second, _ = password_links.make(tx, house.tenant, bob.id, NOON)
        operators.disable(tx, house.tenant, bob.id, NOON)
        operators.enable(tx, house.tenant, bob.id)
        with pytest.raises(NotFound):
            password_links.find(tx, second, NOON)
        third, _ = password_links.make(tx, house.tenant, bob.id, NOON)
        tx.execute(sa.update(OPERATORS).values(disabled=NOON))  # as one that is made while they are being disabled
        with pytest.raises(NotFound):
            password_links.find(tx, third, NOON)


def test_another_tenants_operator_is_none(house: House, stranger: House) -> None:
    with house.db.write() as tx:
        with pytest.raises(NotFound):
            operators.get(tx, house.tenant, stranger.ann.id)
        with pytest.raises(NotFound):
            operators.change_password(tx, house.tenant, stranger.ann.id, "a password of mine")
        with pytest.raises(NotFound):
            operators.disable(tx, house.tenant, stranger.ann.id, NOON)
        with pytest.raises(NotFound):
            operators.by_email(tx, house.tenant, "eve@example.org")
        sessions.end_all(tx, house.tenant, stranger.ann.id)
    assert sign_in(house.db, email="eve@example.org", password=PASSWORD, address=ADDRESS, now=NOON)


@pytest.mark.parametrize(
    ("role", "may", "may_not"),
    [
        (Role.ADMINISTRATOR, set(Permission), set()),
        (Role.DEVELOPER, set(Permission) - FOR_ADMINISTRATORS, FOR_ADMINISTRATORS),
        (
            Role.ANALYST,
            {Permission.LINK, Permission.READ_DATA, Permission.REFRESH_DATA, Permission.DELETE_COMPANIES},
            {Permission.MANAGE_CONNECTIONS, *SETTINGS},
        ),
        (
            Role.ADVISOR,
            {Permission.LINK, Permission.READ_DATA},
            {Permission.DELETE_COMPANIES, Permission.MANAGE_CONNECTIONS, *SETTINGS},
        ),
        (
            Role.ONBOARDING,
            {Permission.LINK},
            {Permission.READ_DATA, Permission.DELETE_COMPANIES, Permission.MANAGE_CONNECTIONS, *SETTINGS},
        ),
    ],
)
def test_a_role_may_what_it_is_for_and_no_more(
    house: House, role: Role, may: set[Permission], may_not: set[Permission]
) -> None:
    with house.db.write() as tx:
        one, _ = operators.add(tx, house.tenant, email="one@example.com", role=role, now=NOON)

    assert {permission for permission in may if one.may(permission)} == may
    assert not any(one.may(permission) for permission in may_not)


def test_the_first_start_makes_one_administrator_whose_password_is_told_once(database: Database) -> None:
    def start(_: int) -> object:
        return ensure_first(database, SystemClock())

    with ThreadPoolExecutor(4) as threads:  # as several processes do
        made = [one for one in threads.map(start, range(4)) if one is not None]

    assert len(made) == 1
    first = ensure_first(database, SystemClock())
    assert first is None
    told = made[0]
    assert told.password not in repr(told)  # type: ignore[attr-defined]  # FirstStart
    assert sign_in(database, email=told.email, password=told.password, address=ADDRESS, now=NOON)  # type: ignore[attr-defined]  # FirstStart


# API keys


def test_a_key_is_told_once_and_kept_as_a_hash(house: House) -> None:
    with house.db.write() as tx:
        key, text = api_keys.add(tx, house.tenant, "lending", NOON)

    with house.db.read() as tx:
        assert text not in repr(tx.execute(sa.select(API_KEYS)).all())
    assert len(text) >= 43
    assert text.endswith(key.last4)
    assert text not in repr(key)
    found = api_keys.find(house.db, text)
    assert found is not None
    assert (found.id, found.tenant_id) == (key.id, house.tenant)


@pytest.mark.parametrize("text", ["", "x", "\x00", "é", "x" * 5000, "' OR 1=1 --"])
def test_another_text_is_no_key(house: House, text: str) -> None:
    with house.db.write() as tx:
        api_keys.add(tx, house.tenant, None, NOON)

    assert api_keys.find(house.db, text) is None


def test_a_revoked_key_is_none_at_once(house: House) -> None:
    with house.db.write() as tx:
        api_keys.add(tx, house.tenant, "stays", NOON)
        key, text = api_keys.add(tx, house.tenant, "goes", NOON)
    assert api_keys.find(house.db, text) is not None

    with house.db.write() as tx:
        api_keys.delete(tx, house.tenant, key.id)

    assert api_keys.find(house.db, text) is None


def test_another_tenants_key_cannot_be_seen_or_revoked(house: House, stranger: House) -> None:
    with house.db.write() as tx:
        api_keys.add(tx, house.tenant, "mine", NOON)
        api_keys.add(tx, house.tenant, "mine too", NOON)
        theirs, text = api_keys.add(tx, stranger.tenant, "theirs", NOON)

    with house.db.write() as tx, pytest.raises(NotFound):
        api_keys.delete(tx, house.tenant, theirs.id)

    assert api_keys.find(house.db, text) is not None
    with house.db.read() as tx:
        assert theirs.id not in {one.id for one in api_keys.all_keys(tx, house.tenant)}


def test_ten_keys_are_the_most_also_when_made_at_the_same_time(house: House) -> None:
    def make(_: int) -> bool:
        try:
            with house.db.write() as tx:
                api_keys.add(tx, house.tenant, None, NOON)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(6) as threads:
        made = list(threads.map(make, range(14)))

    assert made.count(True) == 10


def test_the_last_use_is_noted_at_most_once_a_minute(house: House) -> None:
    with house.db.write() as tx:
        key, text = api_keys.add(tx, house.tenant, None, NOON)

    api_keys.seen(house.db, key, NOON)
    first = api_keys.find(house.db, text)
    assert first is not None
    assert first.last_used == NOON
    api_keys.seen(house.db, first, NOON + timedelta(seconds=30))
    second = api_keys.find(house.db, text)
    assert second is not None
    assert second.last_used == NOON
