"""Settings are read once, checked, and say in a sentence what is wrong with them."""

import re
from pathlib import Path

import pytest

from comptoir import settings
from comptoir.errors import InvalidInput
from comptoir.integrations import INTEGRATIONS
from comptoir.upstream import Bounds

[FREEAGENT] = INTEGRATIONS


def read(tmp_path: Path, **environ: str) -> settings.Settings:
    return settings.read({f"COMPTOIR_{name}": text for name, text in environ.items()}, folder=tmp_path)


def test_without_settings_everything_is_on_this_machine(tmp_path: Path) -> None:
    read_ = read(tmp_path)

    assert read_.public_url == "http://127.0.0.1:8000"
    assert read_.api_url == "http://127.0.0.1:8000/api"
    assert read_.link_url == "http://127.0.0.1:8000/link"
    assert read_.redirect_uri(FREEAGENT) == "http://127.0.0.1:8000/oauth/callback"
    assert read_.upstreams["fbrh"].origin == "https://api.freeagent.com"
    assert read_.upstreams["fbrh"].limits == settings.Limits(
        calls=((120, 60), (3600, 3600)), refreshes=(15, 60), address=(1000, 60)
    )


def test_the_environment_wins_over_the_file_and_options_over_both(tmp_path: Path) -> None:
    (tmp_path / "comptoir.toml").write_text('port = 1000\npublic_url = "https://file.example"\nlog_format = "json"\n')

    read_ = settings.read(
        {"COMPTOIR_PORT": "2000", "COMPTOIR_PUBLIC_URL": "https://env.example"}, folder=tmp_path, port="3000"
    )

    assert (read_.port, read_.public_url, read_.log_format) == (3000, "https://env.example", "json")


def test_a_base_domain_gives_api_portal_link_pages_and_callback_hosts_of_their_own(tmp_path: Path) -> None:
    read_ = read(tmp_path, BASE_DOMAIN="example.com")

    assert read_.api_url == "https://api.example.com"
    assert read_.portal_url == "https://app.example.com"
    assert read_.link_url == "https://link.example.com"
    assert read_.redirect_uri(FREEAGENT) == "https://freeagent.example.com/oauth/callback"


@pytest.mark.parametrize(
    "address",
    [
        "https://api.sandbox.freeagent.com",
        "https://API.SANDBOX.FREEAGENT.COM",
        "https://sandbox.freeagent.com",
        "https://api.sandbox.freeagent.com.",
        "https://api.sandbox.freeagent.com...",
        "https://api.sandbox.freeagent.com:443",
        "http://api.sandbox.freeagent.com/",
        "https://me:secret@api.sandbox.freeagent.com",
        "https://api.freeagent.com@api.sandbox.freeagent.com",
        "https://deep.er.sandbox.freeagent.com",
        "api.sandbox.freeagent.com",
        "https://api.%73andbox.freeagent.com",
        "https://api.sandbox\N{IDEOGRAPHIC FULL STOP}freeagent.com",
        "https://api.\N{FULLWIDTH LATIN SMALL LETTER S}andbox.freeagent.com",
        "  https://api.sandbox.freeagent.com  ",
    ],
)
@pytest.mark.parametrize("name", ["URL", "AUTHORISE_URL", "TOKEN_URL", "DEVELOPER_URL"])
def test_the_sandbox_is_refused_with_a_clear_sentence(tmp_path: Path, name: str, address: str) -> None:
    with pytest.raises(InvalidInput, match="does not support FreeAgent's sandbox"):
        read(tmp_path, **{f"FREEAGENT_{name}": address})


@pytest.mark.parametrize("host", ["notsandbox.freeagent.com.example", "sandbox-freeagent.com.example", "stand_in:8001"])
def test_other_hosts_are_not_the_sandbox(tmp_path: Path, host: str) -> None:
    assert read(tmp_path, FREEAGENT_URL=f"http://{host}").upstreams["fbrh"].origin == f"http://{host}"


@pytest.mark.parametrize(
    "address", ["http://u:p@127.0.0.1:8001", "http://127.0.0.1\\@x", "http://a b", "http://é.example"]
)
def test_an_address_that_could_be_read_in_two_ways_is_refused(tmp_path: Path, address: str) -> None:
    with pytest.raises(InvalidInput, match="not an address"):
        read(tmp_path, FREEAGENT_URL=address)


def test_the_sandbox_is_refused_as_token_address_too(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="sandbox"):
        read(tmp_path, FREEAGENT_TOKEN_URL="https://api.sandbox.freeagent.com")


@pytest.mark.parametrize(
    "limits",
    [
        "off",
        "121/60,3600/3600,15/60",
        "120/60,3600/3600,16/60",
        "120/60,15/60",
        "7200/3600,3600/3600,15/60",  # as many in all, and more in one minute
        "61/30,3600/3600,15/60",
        "120/60,3600/3600,900/3600",
    ],
)
def test_limits_may_not_be_loosened_on_the_real_thing(tmp_path: Path, limits: str) -> None:
    with pytest.raises(InvalidInput, match="would exceed the limits of FreeAgent itself"):
        read(tmp_path, FREEAGENT_LIMITS=limits)


@pytest.mark.parametrize("limits", ["off", "9000/60,15/60"])
def test_limits_may_be_anything_for_another_server(tmp_path: Path, limits: str) -> None:
    read_ = read(tmp_path, FREEAGENT_URL="http://127.0.0.1:8001", FREEAGENT_LIMITS=limits)

    assert read_.upstreams["fbrh"].limits.calls == (None if limits == "off" else ((9000, 60),))


def test_tighter_limits_are_taken_for_the_real_thing(tmp_path: Path) -> None:
    read_ = read(tmp_path, FREEAGENT_LIMITS="60/60,1800/3600,5/60")

    assert read_.upstreams["fbrh"].limits.calls == ((60, 60), (1800, 3600))


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("PORT", "web", "whole number"),
        ("PORT", "70000", "whole number"),
        ("PUBLIC_URL", "books.example.com", "not an address"),
        ("PUBLIC_URL", "https://books.example.com/path", "without a path"),
        ("FREEAGENT_URL", "ftp://x", "not an address"),
        ("FREEAGENT_URL", "http://127.0.0.1:99999999", "not an address"),
        ("FREEAGENT_LIMITS", "fast", "not understood"),
        ("FREEAGENT_LIMITS", "0/60,15/60", "not understood"),
        ("ADDRESS_LIMIT", "2000/60", "would exceed the limit"),
        ("TIME_SCALE", "0", "above zero"),
        ("TIME_SCALE", "nan", "above zero"),
        ("LOG_FORMAT", "xml", "console or json"),
    ],
)
def test_a_wrong_setting_is_named_with_what_it_takes(tmp_path: Path, name: str, text: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=says) as caught:
        read(tmp_path, **{name: text})

    assert f"COMPTOIR_{name}" in caught.value.message


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "comptoir.toml").write_text("port = ")

    with pytest.raises(InvalidInput, match=r"comptoir\.toml cannot be read"):
        read(tmp_path)


def test_the_real_thing_is_only_spoken_to_over_https(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="https"):
        read(tmp_path, FREEAGENT_URL="http://api.freeagent.com")


@pytest.mark.parametrize(
    "limits", ["60/30,3600/3600,15/60", "120/60,1800/1800,15/60", "120/60,9000/90,3600/3600,15/60"]
)
def test_limits_written_otherwise_that_keep_the_own_ones_are_taken(tmp_path: Path, limits: str) -> None:
    assert read(tmp_path, FREEAGENT_LIMITS=limits).upstreams["fbrh"].limits.calls is not None


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("TIME_SCALE", "60", "faster than the upstream"),
        ("ADDRESS_LIMIT", "off", "would exceed the limit"),
        ("ADDRESS_LIMIT", "60000/3600", "would exceed the limit"),
        ("FAILPOINTS", "fetch.page=crash", "COMPTOIR_TEST_SEAMS=1"),
        ("FREEAGENT_TOKEN_URL", "http://api.freeagent.com/v2/token_endpoint", "https"),
        ("BASE_DOMAIN", "https://example.com", "not a host name"),
        ("BASE_DOMAIN", "example..com", "not a host name"),
        ("DATA_DIR", "~nobody-of-this-name/data", "not known here"),
        ("PORT", "²", "whole number"),
        ("FREEAGENT_LIMITS", "²/60,15/60", "not understood"),
        ("WHOLE_SECONDS", "-1", "above zero"),
        ("LARGEST_BODY", "12", "whole number"),
    ],
)
def test_what_cannot_be_or_may_not_be_is_refused(tmp_path: Path, name: str, text: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        read(tmp_path, **{name: text})


def test_failpoints_never_run_against_the_real_thing(tmp_path: Path) -> None:
    seams = {"FAILPOINTS": "fetch.page=crash", "TEST_SEAMS": "1"}

    assert read(tmp_path, FREEAGENT_URL="http://127.0.0.1:8001", **seams).failpoints is not None
    with pytest.raises(InvalidInput, match="away from the real upstream"):
        read(tmp_path, **seams)


def test_deadlines_and_the_largest_body_are_settings(tmp_path: Path) -> None:
    assert read(tmp_path).bounds == Bounds(
        connect_seconds=5.0, idle_seconds=30.0, whole_seconds=60.0, largest_body=64 * 1024 * 1024
    )

    bounds = read(tmp_path, CONNECT_SECONDS="1", IDLE_SECONDS="2.5", WHOLE_SECONDS="3", LARGEST_BODY="4096").bounds

    assert bounds == Bounds(connect_seconds=1.0, idle_seconds=2.5, whole_seconds=3.0, largest_body=4096)


def test_the_file_takes_tables_and_full_names_too(tmp_path: Path) -> None:
    text = 'COMPTOIR_PORT = 9000\n[freeagent]\nurl = "http://127.0.0.1:8001"\nlimits = "off"\n'
    (tmp_path / "comptoir.toml").write_text(text)

    read_ = read(tmp_path)

    assert read_.port == 9000
    assert read_.upstreams["fbrh"].origin == "http://127.0.0.1:8001"
    assert read_.upstreams["fbrh"].limits.calls is None


@pytest.mark.parametrize("text", ["prot = 1", "port = [1]", "port = true", '[freeagent]\nuri = "x"', "[port]\nx.y = 1"])
def test_a_name_in_the_file_that_is_no_setting_is_not_passed_over(tmp_path: Path, text: str) -> None:
    (tmp_path / "comptoir.toml").write_text(text)

    with pytest.raises(InvalidInput, match="is not a setting"):
        read(tmp_path)


def test_every_setting_that_is_read_is_among_the_names() -> None:
    source = Path(settings.__file__).read_text(encoding="utf-8")
    own = set(re.findall(r'values\.get\("([A-Z_]+)"\)', source))
    each = set(re.findall(r'(?:address_of|\bvalue)\("([A-Z_]+)"', source))

    assert settings.names() == own | {f"FREEAGENT_{name}" for name in each}
