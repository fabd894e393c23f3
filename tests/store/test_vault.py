"""Master keys: versions, where they come from, and a change of them that may be cut off at any moment."""

from __future__ import annotations

import base64
import signal
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.store.house import NOON, House

from comptoir.errors import ActionNeeded, MasterKeyWrong
from comptoir.store import Database, Vault, grants, integration_settings, open_database, trail, vault
from comptoir.store.rotation import Rotated, rotate

OLD, NEW = (base64.b64encode(letter * 32).decode() for letter in (b"o", b"n"))


def opened(db: Database, folder: Path, given: str | None = None) -> Vault:
    """As at a start."""
    with db.read() as tx:
        was_sealed = vault.is_sealed(tx)
    keys = vault.load_master_key(folder, given, sealed_before=was_sealed)
    with db.write() as tx:
        vault.check_key(tx, keys)
    return keys


def filled(db: Database, keys: Vault, connections: int = 3) -> list[House]:
    first = House.built(db)
    houses = [first, *(first.another_company(f"{n}") for n in range(1, connections))]
    with db.write() as tx:
        integration_settings.save_keys(
            tx, first.tenant, "fbrh", client_id="c", client_secret="s3cret", vault=keys, now=NOON
        )
        integration_settings.save_second(tx, first.tenant, "fbrh", client_secret="n3xt", vault=keys, now=NOON)
        for n, house in enumerate(houses):
            put(tx, keys, house, f"access {n}")
    return houses


def put(tx: sa.Connection, keys: Vault, house: House, token: str) -> None:
    grants.put(
        tx, house.tenant, house.connection, keys, access_token=token, refresh_token="r", previous_refresh_token="p",
        expires_at=NOON + timedelta(hours=1), now=NOON,
    )  # fmt: skip


def tokens(db: Database, keys: Vault, houses: list[House]) -> list[str]:
    with db.read() as tx:
        found = [grants.get(tx, house.tenant, house.connection, keys) for house in houses]
    return [one.access_token for one in found if one is not None]


def in_use(db: Database) -> set[int]:
    with db.read() as tx:
        return vault.versions(tx)


def test_a_new_key_takes_the_place_of_the_old_one_and_everything_still_opens(
    database: Database, tmp_path: Path
) -> None:
    keys = opened(database, tmp_path)
    houses = filled(database, keys)
    with database.write() as tx:
        signs = trail.key(tx, keys)
    elsewhere = opened(database, tmp_path)  # another process that knows the old key only

    done = rotate(database, keys, tmp_path, is_key_given=False)

    assert done == Rotated(version=2, values=3 * 3 + 2 + 2, is_resumed=False)
    assert in_use(database) == {2}
    for one in (keys, elsewhere, opened(database, tmp_path)):
        assert tokens(database, one, houses) == ["access 0", "access 1", "access 2"]
        assert one.current == 2
    with database.read() as tx:
        assert integration_settings.secrets(tx, houses[0].tenant, "fbrh", keys) == ("s3cret", "n3xt")
    assert (tmp_path / "master.key").stat().st_mode & 0o077 == 0
    # The former key is needed no more, except for copies made before.
    [line] = [one for one in (tmp_path / "master.key").read_text().split() if one.startswith("2:")]
    (tmp_path / "master.key").write_text(line)
    assert tokens(database, opened(database, tmp_path), houses) == ["access 0", "access 1", "access 2"]
    with_the_new_one = opened(database, tmp_path)
    with database.write() as tx:
        assert trail.key(tx, with_the_new_one) == signs
    assert rotate(database, keys, tmp_path, is_key_given=False).version == 3


def test_tokens_that_are_replaced_meanwhile_stay_as_they_were_replaced(database: Database, tmp_path: Path) -> None:
    keys = opened(database, tmp_path)
    houses = filled(database, keys, 8)
    over = threading.Event()

    def work() -> None:
        n = 0
        while not over.is_set() or n < 20:
            n += 1
            with database.write() as tx:
                for house in houses:
                    put(tx, keys, house, f"{n}")

    worker = threading.Thread(target=work)
    worker.start()
    rotated = [rotate(database, keys, tmp_path, is_key_given=False) for _ in range(3)]
    over.set()
    worker.join()
    last = rotate(database, keys, tmp_path, is_key_given=False)

    assert last.version >= 3
    assert rotated[0].version == 2
    assert len(set(tokens(database, keys, houses))) == 1
    assert in_use(database) == {last.version}


KILLED = """
import sys
from pathlib import Path
from comptoir.runtime import failpoints
from comptoir.store import open_database, vault
from comptoir.store.rotation import rotate
failpoints.arm(sys.argv[3])
db = open_database(sys.argv[1])
keys = vault.load_master_key(Path(sys.argv[2]), None, sealed_before=True)
with db.write() as tx:
    vault.check_key(tx, keys)
rotate(db, keys, Path(sys.argv[2]), is_key_given=False)
"""


@pytest.mark.parametrize("point", ["rotation.key", "rotation.announced", "rotation.sealed"])
def test_a_rotation_that_was_killed_is_brought_to_its_end(migrated_sqlite_url: str, tmp_path: Path, point: str) -> None:
    db = open_database(migrated_sqlite_url)
    houses = filled(db, opened(db, tmp_path))
    db.close()

    killed = subprocess.run(
        [sys.executable, "-c", KILLED, migrated_sqlite_url, str(tmp_path), f"{point}=crash"],
        capture_output=True,
        text=True,
        check=False,
    )
    db = open_database(migrated_sqlite_url)
    keys = opened(db, tmp_path)
    between = tokens(db, keys, houses)
    done = rotate(db, keys, tmp_path, is_key_given=False)

    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert between == tokens(db, keys, houses) == ["access 0", "access 1", "access 2"]
    assert (done.version, in_use(db)) == (2, {2})
    assert done.is_resumed == (point != "rotation.key")
    db.close()


def test_keys_of_the_setting_are_taken_up_by_the_command_and_not_before(database: Database, tmp_path: Path) -> None:
    houses = filled(database, opened(database, tmp_path, OLD))
    both = opened(database, tmp_path, f"2:{NEW} 1:{OLD}")
    assert (both.current, in_use(database)) == (1, {1})

    rotate(database, both, tmp_path, is_key_given=True)

    assert in_use(database) == {2}
    assert tokens(database, opened(database, tmp_path, f"2:{NEW}"), houses)[0] == "access 0"
    with pytest.raises(ActionNeeded, match=r"which holds no newer one\. Set it to 3:NEW 2:OLD"):
        rotate(database, both, tmp_path, is_key_given=True)
    with pytest.raises(MasterKeyWrong, match="sealed with version 2 of the master key, which is not here"):
        opened(database, tmp_path, OLD)
    with pytest.raises(MasterKeyWrong, match="The master key is not the one this database was sealed with"):
        opened(database, tmp_path, f"2:{OLD}")


def test_a_start_is_refused_while_the_key_of_a_single_value_is_missing(database: Database, tmp_path: Path) -> None:
    keys = opened(database, tmp_path, f"2:{NEW} 1:{OLD}")
    houses = filled(database, keys)
    former = Vault({1: b"o" * 32}, 1)
    with database.write() as tx:
        put(tx, former, houses[1], "sealed with the former key")

    with pytest.raises(MasterKeyWrong, match="sealed with version 1 of the master key, which is not here"):
        opened(database, tmp_path, f"2:{NEW}")


def test_a_sealed_value_opens_in_its_own_place_only() -> None:
    keys = Vault({1: b"o" * 32}, 1)
    place = {"tenant": "ab", "subject": "c", "field": "d"}
    sealed = keys.seal(b"s3cret", **place)

    others = [place | {name: "x"} for name in place] + [{"tenant": "a", "subject": "bc", "field": "d"}]
    for other in others:
        with pytest.raises(MasterKeyWrong, match="cannot be opened"):
            keys.open(sealed, **other)
    for place_of_a_bit in (1, len(sealed) - 1):
        bent = bytearray(sealed)
        bent[place_of_a_bit] ^= 1
        with pytest.raises(MasterKeyWrong, match="cannot be opened"):
            keys.open(bytes(bent), **place)
    assert keys.open(sealed, **place) == b"s3cret"
    assert keys.seal(b"s3cret", **place) != sealed


@pytest.mark.parametrize(
    "text", ["", "nonsense", OLD[:-4], f"0:{OLD}", f"256:{OLD}", f"x:{OLD}", f"{OLD} {NEW}", f"1:{OLD} {NEW}", ":"]
)
def test_a_key_that_is_none_is_refused_with_a_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "master.key").write_text(text)

    with pytest.raises(ActionNeeded, match=r"The master key in .*master\.key is not"):
        vault.load_master_key(tmp_path, None, sealed_before=True)


def test_a_key_file_that_is_gone_is_not_made_anew_for_sealed_values(database: Database, tmp_path: Path) -> None:
    opened(database, tmp_path)
    (tmp_path / "master.key").unlink()

    with pytest.raises(ActionNeeded, match="The master key is missing"):
        opened(database, tmp_path)


def test_nothing_is_rotated_where_the_key_file_is_gone_or_cannot_be_written(
    migrated_sqlite_url: str, tmp_path: Path
) -> None:
    db = open_database(migrated_sqlite_url)
    (tmp_path / "keys").mkdir()
    keys = opened(db, tmp_path / "keys")
    houses = filled(db, keys)
    (tmp_path / "keys" / "master.key").rename(tmp_path / "kept")

    with pytest.raises(ActionNeeded, match="The master key is missing"):
        rotate(db, keys, tmp_path / "keys", is_key_given=False)

    assert in_use(db) == {1}
    assert tokens(db, keys, houses)[0] == "access 0"
    db.close()
