"""The second factor: codes of an app, each taken once, and recovery codes for when the phone is lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pyotp
import pytest
import sqlalchemy as sa
from tests.access.conftest import EMAIL, NOON, House
from tests.operators import PASSWORD

from comptoir.access import operators, prove, second_factor, sessions, sign_in
from comptoir.access.operators import Operator
from comptoir.errors import InvalidInput, MasterKeyWrong, TryLater
from comptoir.store import Vault
from comptoir.store.tables import OPERATORS, RECOVERY_CODES

VAULT = Vault({1: b"k" * 32}, 1)
ADDRESS = "203.0.113.7"
STEP = timedelta(seconds=30)


class Phone:
    """An authenticator app that has the secret."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.secret = second_factor.new_secret()
        with house.db.write() as tx:
            self.recovery = second_factor.turn_on(tx, VAULT, house.ann, self.secret, self.code(-STEP), NOON)

    def code(self, later: timedelta = timedelta()) -> str:
        return pyotp.TOTP(self.secret).at(NOON + later)

    def begun(self) -> str:
        """The token of somebody whose password was right."""
        with self.house.db.write() as tx:
            return sessions.begin(tx, self.ann_in(tx), NOON, awaits_code=True)

    def ann_in(self, tx: sa.Connection) -> Operator:
        return operators.get(tx, self.house.tenant, self.house.ann.id)

    def proves(self, code: str, later: timedelta = timedelta()) -> bool:
        try:
            token = prove(self.house.db, VAULT, token=self.begun(), code=code, address=ADDRESS, now=NOON + later)
        except InvalidInput:
            return False
        found = sessions.find(self.house.db, token, NOON + later)
        return found is not None and found.operator.id == self.house.ann.id


@pytest.fixture
def phone(house: House) -> Phone:
    return Phone(house)


def test_a_password_alone_is_no_session_any_more(phone: Phone) -> None:
    token = sign_in(phone.house.db, email=EMAIL, password=PASSWORD, address=ADDRESS, now=NOON)

    assert sessions.find(phone.house.db, token, NOON) is None
    awaited = sessions.awaiting(phone.house.db, token, NOON)
    assert awaited is not None
    assert awaited.id == phone.house.ann.id
    new = prove(phone.house.db, VAULT, token=token, code=phone.code(), address=ADDRESS, now=NOON)
    assert new != token
    assert sessions.find(phone.house.db, new, NOON) is not None
    assert sessions.awaiting(phone.house.db, token, NOON) is None


def test_a_code_is_awaited_for_ten_minutes(phone: Phone) -> None:
    token, late = phone.begun(), sessions.CODE_WITHIN

    assert sessions.awaiting(phone.house.db, token, NOON + late - timedelta(seconds=1)) is not None
    with pytest.raises(InvalidInput, match="too late"):
        prove(phone.house.db, VAULT, token=token, code=phone.code(late), address=ADDRESS, now=NOON + late)


def test_a_code_is_taken_once_and_none_before_it_afterwards(phone: Phone) -> None:
    assert phone.proves(phone.code(STEP))

    assert not phone.proves(phone.code(STEP))
    assert not phone.proves(phone.code())
    assert phone.proves(phone.code(2 * STEP), later=STEP)


def test_a_code_sent_twice_at_once_is_taken_once(phone: Phone) -> None:
    tokens = [phone.begun() for _ in range(4)]

    def send(token: str) -> bool:
        try:
            prove(phone.house.db, VAULT, token=token, code=phone.code(), address=ADDRESS, now=NOON)
        except InvalidInput:
            return False
        return True

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(send, tokens)).count(True) == 1


def test_clocks_may_be_half_a_minute_apart(phone: Phone) -> None:
    taken = {steps: phone.proves(phone.code(steps * STEP)) for steps in (-3, 2, 0, 1)}

    assert taken == {-3: False, 2: False, 0: True, 1: True}


def test_the_code_it_was_turned_on_with_signs_nobody_in(phone: Phone) -> None:
    assert not phone.proves(phone.code(-STEP))


def test_what_is_no_code_is_none(phone: Phone) -> None:
    for code in ("", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "\x00", "' OR 1=1 --", "x" * 5000):
        with phone.house.db.write() as tx:
            assert second_factor.taken(tx, VAULT, phone.ann_in(tx), code, NOON) is None, code


def test_blanks_in_a_code_do_not_count(phone: Phone) -> None:
    code = phone.code()

    assert phone.proves(f" {code[:3]} {code[3:]} ")


def test_a_recovery_code_signs_in_once_however_it_is_typed(phone: Phone) -> None:
    first, second = phone.recovery[:2]

    assert phone.proves(f" {first.upper().replace('-', ' ')} ")
    assert not phone.proves(first)
    assert phone.proves(second)
    with phone.house.db.read() as tx:
        assert second_factor.codes_left(tx, phone.house.tenant, phone.house.ann.id) == 8


def test_new_recovery_codes_end_the_old_ones(phone: Phone) -> None:
    with phone.house.db.write() as tx:
        fresh = second_factor.fresh_codes(tx, phone.house.ann)

    assert not phone.proves(phone.recovery[0])
    assert phone.proves(fresh[0])


def test_neither_the_secret_nor_a_code_is_kept_in_the_clear(phone: Phone) -> None:
    with phone.house.db.read() as tx:
        [sealed] = tx.execute(sa.select(OPERATORS.c.totp_secret)).scalars()
        held = repr(tx.execute(sa.select(OPERATORS)).all()) + repr(tx.execute(sa.select(RECOVERY_CODES)).all())

    assert phone.secret not in held
    assert all(code not in held and code.replace("-", "") not in held for code in phone.recovery)
    place = {"tenant": phone.house.tenant, "field": "totp_secret"}
    assert VAULT.open(sealed, subject=phone.house.ann.id, **place).decode() == phone.secret
    with pytest.raises(MasterKeyWrong):
        VAULT.open(sealed, subject="somebody else", **place)


def test_guessing_codes_gets_slower_and_slower(phone: Phone) -> None:
    for _ in range(5):
        assert not phone.proves("000000")

    with pytest.raises(TryLater):
        phone.proves(phone.code())
    assert phone.proves(phone.code(2 * STEP), later=2 * STEP)


def test_it_is_turned_on_only_by_a_code_of_the_secret(house: House) -> None:
    secret = second_factor.new_secret()
    tries = ((secret, "000000"), (secret, ""), ("A" * 16, "123456"), ("not base32", "123456"), ("", ""), ("é", "1"))

    for tried, code in tries:
        with house.db.write() as tx, pytest.raises(InvalidInput):
            second_factor.turn_on(tx, VAULT, house.ann, tried, code, NOON)

    assert sign_in(house.db, email=EMAIL, password=PASSWORD, address=ADDRESS, now=NOON)


def test_turned_off_a_password_is_enough_and_no_code_is_left(phone: Phone) -> None:
    with phone.house.db.write() as tx:
        second_factor.turn_off(tx, phone.house.tenant, phone.house.ann.id)

    token = sign_in(phone.house.db, email=EMAIL, password=PASSWORD, address=ADDRESS, now=NOON)
    assert sessions.find(phone.house.db, token, NOON) is not None
    with phone.house.db.read() as tx:
        assert tx.execute(sa.select(RECOVERY_CODES)).all() == []


def test_what_the_picture_says_is_what_apps_read(phone: Phone) -> None:
    address = second_factor.address_of(phone.secret, phone.house.ann, "Comptoir (books.example.com)")

    read = pyotp.parse_uri(address)
    assert isinstance(read, pyotp.TOTP)
    assert (read.secret, read.name, read.issuer) == (phone.secret, EMAIL, "Comptoir (books.example.com)")
    assert (read.digits, read.interval) == (6, 30)
