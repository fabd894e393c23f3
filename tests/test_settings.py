"""Settings are read once, checked, and say in a sentence what is wrong with them."""

from pathlib import Path

import pytest

from comptoir import settings
from comptoir.errors import InvalidInput
from comptoir.integrations import INTEGRATIONS

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
    ],
)
def test_the_sandbox_is_refused_with_a_clear_sentence(tmp_path: Path, address: str) -> None:
    with pytest.raises(InvalidInput, match="does not support FreeAgent's sandbox"):
        read(tmp_path, FREEAGENT_URL=address)


def test_the_sandbox_is_refused_as_token_address_too(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="sandbox"):
        read(tmp_path, FREEAGENT_TOKEN_URL="https://api.sandbox.freeagent.com")


@pytest.mark.parametrize("limits", ["off", "121/60,3600/3600,15/60", "120/60,3600/3600,16/60", "120/60,15/60"])
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
