"""Settings, read once from the environment and `comptoir.toml`, checked, and frozen.

The environment wins over the file. Names are `COMPTOIR_<NAME>`; those of an integration start with its slug, such as
`COMPTOIR_FREEAGENT_URL`. Lower floors never see this module: `app.py` hands each the part it needs.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from comptoir.errors import InvalidInput
from comptoir.integrations import INTEGRATIONS
from comptoir.integrations.contract import Integration

__all__ = ["Limits", "Settings", "UpstreamSettings", "read"]

Limit = tuple[int, int]
_FILE = "comptoir.toml"


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Calls allowed in windows aligned to the clock, each (calls, seconds); None where there is no limit."""

    calls: tuple[Limit, ...] | None
    refreshes: Limit | None
    address: Limit | None


class UpstreamSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where one integration's upstream is, and how much of it may be used."""

    origin: str
    developer_url: str
    authorise_url: str
    token_url: str
    limits: Limits


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything an installation can be told. `public_url` has no trailing slash."""

    data_dir: Path
    database_url: str
    host: str
    port: int
    public_url: str
    base_domain: str | None
    master_key: str | None
    time_scale: float
    log_format: str
    failpoints: str | None
    upstreams: Mapping[str, UpstreamSettings]

    @property
    def api_url(self) -> str:
        return f"https://api.{self.base_domain}" if self.base_domain else f"{self.public_url}/api"

    @property
    def portal_url(self) -> str:
        return f"https://app.{self.base_domain}" if self.base_domain else self.public_url

    @property
    def link_url(self) -> str:
        return f"https://link.{self.base_domain}" if self.base_domain else f"{self.public_url}/link"

    def redirect_uri(self, integration: Integration) -> str:
        """The exact address to register as OAuth redirect address with the integration."""
        if self.base_domain:
            return f"https://{integration.slug}.{self.base_domain}/oauth/callback"
        return f"{self.public_url}/oauth/callback"


def read(environ: Mapping[str, str] = os.environ, *, folder: Path | None = None, **given: str | None) -> Settings:
    """Settings from `given` (command-line options), the environment, then `comptoir.toml` in `folder`.

    Raises InvalidInput with a sentence that names the setting and what it takes.
    """
    values = _file_values((folder or Path.cwd()) / _FILE)
    values |= {name.removeprefix("COMPTOIR_"): text for name, text in environ.items() if name.startswith("COMPTOIR_")}
    values |= {name.upper(): text for name, text in given.items() if text is not None}

    data_dir = Path(values.get("DATA_DIR") or "comptoir-data").expanduser().absolute()
    host = values.get("HOST") or "127.0.0.1"
    port = _integer("PORT", values.get("PORT") or "8000", least=0, most=65535)
    public_url = _address("PUBLIC_URL", values.get("PUBLIC_URL") or f"http://{_shown(host)}:{port}")
    return Settings(
        data_dir=data_dir,
        database_url=values.get("DATABASE_URL") or f"sqlite:///{data_dir / 'comptoir.db'}",
        host=host,
        port=port,
        public_url=public_url,
        base_domain=values.get("BASE_DOMAIN") or None,
        master_key=values.get("MASTER_KEY") or None,
        time_scale=_positive("TIME_SCALE", values.get("TIME_SCALE") or "1"),
        log_format=_one_of("LOG_FORMAT", values.get("LOG_FORMAT") or "console", ("console", "json")),
        failpoints=values.get("FAILPOINTS") or None,
        upstreams={integration.key: _upstream(integration, values) for integration in INTEGRATIONS},
    )


def _file_values(path: Path) -> dict[str, str]:
    try:
        parsed = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidInput(f"{path} cannot be read: {error}. Correct or remove the file.") from error
    return {name.upper(): str(value) for name, value in parsed.items()}


def _upstream(integration: Integration, values: Mapping[str, str]) -> UpstreamSettings:
    prefix = integration.slug.upper().replace("-", "_")

    def value(name: str) -> str | None:
        return values.get(f"{prefix}_{name}") or None

    origin = _address(f"{prefix}_URL", value("URL") or integration.origin)
    authorise = _address(
        f"{prefix}_AUTHORISE_URL", value("AUTHORISE_URL") or origin + integration.oauth.authorise_path, bare=False
    )
    token = _address(f"{prefix}_TOKEN_URL", value("TOKEN_URL") or origin + integration.oauth.token_path, bare=False)
    for name, url in (("URL", origin), ("AUTHORISE_URL", authorise), ("TOKEN_URL", token)):
        _refuse_host(integration, f"{prefix}_{name}", url)
        if _is_own(integration, url) and urlsplit(url).scheme != "https":
            raise InvalidInput(f"COMPTOIR_{prefix}_{name}={url}: {integration.name} is only reached over https.")

    calls, refreshes = integration.limits, integration.refresh_limit
    own = _is_own(integration, origin)
    if (text := value("LIMITS")) is not None:
        given_calls, given_refreshes = _limits(f"{prefix}_LIMITS", text)
        if own and _looser((*calls, refreshes), given_calls, given_refreshes):
            raise InvalidInput(
                f"COMPTOIR_{prefix}_LIMITS={text} would exceed the limits of {integration.name} itself. "
                "Leave it out, or set lower ones."
            )
        new_calls: tuple[Limit, ...] | None = given_calls
        new_refreshes: Limit | None = given_refreshes
    else:
        new_calls, new_refreshes = calls, refreshes
    address: Limit | None = integration.address_limit
    # A server that has no limits of its own has none for the address either, unless told otherwise.
    if (text := values.get("ADDRESS_LIMIT")) is not None:
        address = None if text.strip().lower() == "off" else _limit("ADDRESS_LIMIT", text)
        if own and (address is None or _rate(address) > _rate(integration.address_limit)):
            raise InvalidInput(
                f"COMPTOIR_ADDRESS_LIMIT={text} would exceed the limit of {integration.name} itself. "
                "Leave it out, or set a lower one."
            )
    elif new_calls is None:
        address = None
    return UpstreamSettings(
        origin=origin,
        developer_url=_address(
            f"{prefix}_DEVELOPER_URL", value("DEVELOPER_URL") or integration.developer_url, bare=False
        ),
        authorise_url=authorise,
        token_url=token,
        limits=Limits(calls=new_calls, refreshes=new_refreshes, address=address),
    )


def _refuse_host(integration: Integration, name: str, address: str) -> None:
    host = urlsplit(address).hostname or ""
    for suffix, sentence in integration.refused_hosts.items():
        if _is_host(host, suffix):
            raise InvalidInput(f"COMPTOIR_{name}={address}: {sentence}")


def _is_own(integration: Integration, address: str) -> bool:
    return any(_is_host(urlsplit(address).hostname or "", host) for host in integration.own_hosts)


def _is_host(host: str, suffix: str) -> bool:
    host = host.rstrip(".").lower()
    return host == suffix or host.endswith("." + suffix)


def _rate(limit: Limit) -> float:
    return limit[0] / limit[1]


def _looser(own: tuple[Limit, ...], calls: tuple[Limit, ...] | None, refreshes: Limit | None) -> bool:
    if calls is None or refreshes is None:
        return True
    given = {seconds: count for count, seconds in calls}
    *own_calls, own_refreshes = own
    missing_or_more = any(given.get(seconds, count + 1) > count for count, seconds in own_calls)
    return missing_or_more or _rate(refreshes) > _rate(own_refreshes)


def _limits(name: str, text: str) -> tuple[tuple[Limit, ...] | None, Limit | None]:
    """`120/60,3600/3600,15/60`: windows for calls, and last the one for token refreshes; or `off`."""
    if text.strip().lower() == "off":
        return None, None
    parts = [_limit(name, part) for part in text.split(",")]
    if len(parts) < 2:
        raise InvalidInput(
            f"COMPTOIR_{name}={text} is not understood. Write calls/seconds for calls and, last, for token "
            "refreshes, as in 120/60,3600/3600,15/60, or off."
        )
    return tuple(parts[:-1]), parts[-1]


def _limit(name: str, text: str) -> Limit:
    count, slash, seconds = text.strip().partition("/")
    if slash and count.isdigit() and seconds.isdigit() and int(count) and int(seconds):
        return int(count), int(seconds)
    raise InvalidInput(f"COMPTOIR_{name}: {text!r} is not understood. Write calls/seconds, as in 120/60, or off.")


def _address(name: str, text: str, *, bare: bool = True) -> str:
    """An http(s) address without trailing slash; `bare` ones have no path, query or fragment."""
    parts = urlsplit(text.strip())
    try:
        port_is_fine = parts.port is None or parts.port >= 0
    except ValueError:
        port_is_fine = False
    is_bare = not (parts.path.strip("/") or parts.query or parts.fragment)
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_fine or (bare and not is_bare):
        raise InvalidInput(
            f"COMPTOIR_{name}={text} is not an address such as https://books.example.com"
            + (" (without a path)." if bare else ".")
        )
    return text.strip().rstrip("/")


def _integer(name: str, text: str, *, least: int, most: int) -> int:
    if text.strip().isdigit() and least <= int(text) <= most:
        return int(text)
    raise InvalidInput(f"COMPTOIR_{name}={text} is not a whole number from {least} to {most}.")


def _positive(name: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if 0 < number < float("inf"):
        return number
    raise InvalidInput(f"COMPTOIR_{name}={text} is not a number above zero.")


def _one_of(name: str, text: str, choices: tuple[str, ...]) -> str:
    if text in choices:
        return text
    raise InvalidInput(f"COMPTOIR_{name}={text} is not known. It takes {' or '.join(choices)}.")


def _shown(host: str) -> str:
    """The host a person on this machine can open: a wildcard address is not one."""
    if host in ("0.0.0.0", "::", ""):  # noqa: S104 - compared, not bound
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
